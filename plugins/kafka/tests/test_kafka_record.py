"""The typed view shows every field of AWS's event, in every form in which it comes."""

from __future__ import annotations

import binascii
import copy
import json
import pickle
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from batchcore_kafka import KafkaRecord
from batchcore_kafka.events import KafkaEvents, signed_headers
from batchcore_testing import make_record, removed

SAMPLES = ("kafkaEventMsk", "kafkaEventSelfManaged")


def record_with(**fields: Any) -> KafkaRecord:
    return KafkaRecord(make_record(KafkaEvents(), {"order": 17}, sent={"key": "k"}, **fields))


@pytest.mark.parametrize("name", SAMPLES)
def test_every_field_of_the_sample_is_shown(sample: Callable[[str], Any], name: str) -> None:
    (raw,) = sample(name)["records"]["mytopic-0"]
    record = KafkaRecord(raw)

    assert (record.topic, record.partition, record.offset) == ("mytopic", 0, 15)
    assert (record.timestamp, record.timestamp_type) == (1545084650987, "CREATE_TIME")
    assert (record.key, record.value) == ("cmVjb3JkS2V5", "eyJrZXkiOiJ2YWx1ZSJ9")
    assert (record.decoded_key, record.decoded_value) == (b"recordKey", b'{"key":"value"}')
    assert record.json_value == {"key": "value"}
    assert record.headers == raw["headers"]
    assert record.header_pairs == [("headerKey", b"headerValue")]
    assert record.decoded_headers == {"headerKey": b"headerValue"}
    assert record.key_schema_metadata is record.value_schema_metadata is None
    assert record == raw
    assert record["topic"] == "mytopic"


def test_schema_metadata_is_shown() -> None:
    record = record_with(
        keySchemaMetadata={"dataFormat": "JSON"}, valueSchemaMetadata={"dataFormat": "AVRO", "schemaId": "17"}
    )
    key, value = record.key_schema_metadata, record.value_schema_metadata

    assert key is not None
    assert value is not None
    assert (key.data_format, key.schema_id) == ("JSON", None)
    assert (value.data_format, value.schema_id) == ("AVRO", "17")
    with pytest.raises(ValueError, match="valueSchemaMetadata is an object, not of type str"):
        _ = record_with(valueSchemaMetadata="AVRO").value_schema_metadata
    assert record_with(keySchemaMetadata=None).key_schema_metadata is None


# Partition and offset.


@pytest.mark.parametrize("field", ["partition", "offset", "timestamp"])
def test_number_may_come_as_text(field: str) -> None:
    value = getattr(record_with(**{field: "07"}), field)

    assert (value, type(value)) == (7, int)


@pytest.mark.parametrize("wrong", [None, True, 1.0, "", "-1", "1e3", "٣", "9" * 20, -1, [], {}])
@pytest.mark.parametrize("field", ["partition", "offset"])
def test_what_is_no_number_is_an_error_that_names_the_field(field: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=f"^{field} is a whole number"):
        getattr(record_with(**{field: wrong}), field)


def test_a_field_that_is_missing_is_a_key_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="offset"):
        _ = record_with(offset=removed).offset


def test_a_record_without_a_time_says_so_as_kafka_does() -> None:
    assert record_with(timestamp=-1).timestamp == -1
    assert record_with(timestampType=removed).timestamp_type is None


# Keys and values.


@pytest.mark.parametrize("nothing", [None, removed], ids=["null", "missing"])
def test_a_tombstone_has_no_value_whether_null_or_missing(nothing: Any) -> None:
    record = record_with(value=nothing)

    assert record.value is record.decoded_value is record.json_value is None


@pytest.mark.parametrize("nothing", [None, removed], ids=["null", "missing"])
def test_a_key_that_is_null_is_one_that_is_missing(nothing: Any) -> None:
    record = record_with(key=nothing)

    assert record.key is record.decoded_key is None


def test_an_empty_key_and_an_empty_value_are_not_none() -> None:
    record = record_with(key="", value="")

    assert record.decoded_key == record.decoded_value == b""
    with pytest.raises(json.JSONDecodeError, match=r"^value is not JSON"):
        _ = record.json_value


@pytest.mark.parametrize("field", ["key", "value"])
def test_what_is_not_base64_is_an_error_that_names_the_field_and_does_not_carry_it(field: str) -> None:
    record = record_with(**{field: "no base64 at all"})

    with pytest.raises(binascii.Error, match=f"^{field} is not base64") as caught:
        getattr(record, f"decoded_{field}")
    assert "at all" not in str(caught.value)


def test_what_is_no_json_is_an_error_that_does_not_carry_it() -> None:
    for data, kind in ((b"no json", json.JSONDecodeError), (b"\xff\xfe\x00", UnicodeDecodeError)):
        with pytest.raises(kind, match=r"^value is not") as caught:
            _ = record_with(value=b64encode(data).decode()).json_value
        assert "no json" not in str(caught.value)


def test_json_is_parsed_once() -> None:
    record = record_with()

    assert record.json_value is record.json_value


# Headers.


@pytest.mark.parametrize("nothing", [None, [], removed], ids=["null", "empty", "missing"])
def test_a_record_may_have_no_headers(nothing: Any) -> None:
    record = record_with(headers=nothing)

    assert record.headers == record.header_pairs == []
    assert record.decoded_headers == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([118, -36, 0, 127, -128], b"v\xdc\x00\x7f\x80"),  # as Java's bytes are
        ([118, 220, 0, 127, 128], b"v\xdc\x00\x7f\x80"),
        ([], b""),
        (None, None),
        ("dtwAf4A=", b"v\xdc\x00\x7f\x80"),  # as a round trip through AWS's library for Java leaves it
    ],
)
def test_a_header_is_decoded_in_each_of_its_forms(value: Any, expected: bytes | None) -> None:
    record = record_with(headers=[{"trace": value}])

    assert record.header_pairs == [("trace", expected)]
    assert record.decoded_headers == {"trace": expected}


def test_every_byte_survives() -> None:
    every = bytes(range(256))

    assert record_with(headers=signed_headers([("all", every)])).header_pairs == [("all", every)]


def test_a_name_may_come_twice_and_the_last_one_wins_in_a_mapping() -> None:
    pairs: list[tuple[str, bytes | None]] = [("a", b"1"), ("A", b"2"), ("", None), ("a", b"3")]
    record = record_with(headers=signed_headers(pairs))

    assert record.header_pairs == pairs
    assert record.decoded_headers == {"a": b"3", "A": b"2", "": None}


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ("secret", "^headers is a list, not of type str"),
        ({"secret": [1]}, "^headers is a list, not of type dict"),
        ([{"a": []}, "secret"], r"^headers\[1\] is an object, not of type str"),
        ([{"secret": [128, 256]}], r"^The value of headers\[0\] is a list of numbers from -128 to 255"),
        ([{"secret": [-129]}], r"^The value of headers\[0\] is a list of numbers"),
        ([{"secret": [True]}], r"^The value of headers\[0\] is a list of numbers"),
        ([{"secret": ["1"]}], r"^The value of headers\[0\] is a list of numbers"),
        ([{"secret": 17}], r"^The value of headers\[0\] is a list of bytes, not of type int"),
        ([{"secret": "no base64!"}], r"^headers\[0\] is not base64"),
    ],
)
def test_headers_of_another_form_are_an_error_that_quotes_nothing(headers: Any, message: str) -> None:
    record = record_with(headers=headers)

    with pytest.raises(ValueError, match=message) as caught:
        _ = record.header_pairs
    assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match=message):
        _ = record.decoded_headers


def test_a_record_is_copied_and_pickled_as_it_is() -> None:
    record = record_with()

    assert copy.deepcopy(record) == pickle.loads(pickle.dumps(record)) == record
    assert type(copy.copy(record)) is KafkaRecord
