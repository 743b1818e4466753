"""Avro in keys and values: each framing, to the byte; what is not as it was said to be costs its record alone.

The bytes of Confluent's framings are what its AvroSerializer 2.16.1 writes.
"""

from __future__ import annotations

import io
import json
import zlib
from base64 import b64encode
from typing import Any
from uuid import UUID

import pytest

fastavro = pytest.importorskip("fastavro", reason="the extra avro is not installed")

from batchcore import BatchProcessor, ConfigurationError
from batchcore_kafka import KafkaRecord
from batchcore_kafka.avro import AvroValues
from batchcore_kafka.events import KafkaEvents, signed_headers
from batchcore_kafka.wire import JSONValues, UnknownSchemaError
from batchcore_testing import event_from, make_record

ORDER: dict[str, Any] = {
    "type": "record",
    "name": "Order",
    "fields": [{"name": "id", "type": "long"}, {"name": "buyer", "type": "string"}],
}
CONTENT = bytes.fromhex("2206616e6e")  # 17, ann
GUID = "0a844328-508d-4232-8288-6560598bbbf9"
HEADER = b"\x01\n\x84C(P\x8dB2\x82\x88e`Y\x8b\xbb\xf9"
VERSION = "12345678-1234-5678-1234-567812345678"
GLUE = b"\3\0" + UUID(VERSION).bytes
EXPECTED = {"id": 17, "buyer": "ann"}


def record(value: bytes | None, headers: list[tuple[str, bytes | None]] | None = None, key: bytes | None = None) -> Any:
    encoded = {"value": value, "key": key}
    fields = {name: None if data is None else b64encode(data).decode() for name, data in encoded.items()}
    return make_record(KafkaEvents(), b"", headers=signed_headers(headers or []), **fields)


def written(schema: Any, value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return stream.getvalue()


# Each framing.


@pytest.mark.parametrize("framing", ["confluent", "confluent-prefix"])
def test_prefix_of_confluent_names_the_schema_by_a_number(framing: Any) -> None:
    orders = AvroValues({1: ORDER, 258: ORDER}, framing)

    assert orders.value(record(bytes.fromhex("0000000001") + CONTENT)) == EXPECTED
    assert orders.value(KafkaRecord(record(bytes.fromhex("0000000102") + CONTENT))) == EXPECTED


@pytest.mark.parametrize("framing", ["confluent", "confluent-header"])
@pytest.mark.parametrize("guid", [GUID, GUID.upper(), UUID(GUID)])
def test_header_of_confluent_names_the_schema_by_a_guid(framing: Any, guid: Any) -> None:
    orders = AvroValues({guid: ORDER}, framing)

    assert orders.value(record(CONTENT, [("other", b"x"), ("__value_schema_id", HEADER)])) == EXPECTED


def test_key_has_a_header_of_its_own() -> None:
    keys = AvroValues({GUID: "string"})
    made = record(CONTENT, [("__key_schema_id", HEADER)], key=b"\x06ann")

    assert keys.key(made) == "ann"
    with pytest.raises(ValueError, match="value has no prefix of Confluent's"):
        keys.value(made)


@pytest.mark.parametrize("content", [b"", b"\x02", b"\x02a"])
def test_small_records_are_read_whatever_their_size(content: bytes) -> None:
    """Confluent's own deserializer refuses framed records of five bytes or fewer."""
    schema: Any = {"type": "record", "name": "R", "fields": []} if not content else "string" if content[1:] else "long"
    expected: Any = {} if not content else "a" if content[1:] else 1

    assert AvroValues({GUID: schema}).value(record(content, [("__value_schema_id", HEADER)])) == expected
    assert AvroValues({7: schema}).value(record(b"\0\0\0\0\7" + content)) == expected


@pytest.mark.parametrize("compressed", [False, True])
def test_frame_of_glue_names_the_version_of_the_schema(compressed: bool) -> None:
    frame = b"\3\5" + GLUE[2:] + zlib.compress(CONTENT) if compressed else GLUE + CONTENT

    assert AvroValues({VERSION: ORDER}, "glue").value(record(frame)) == EXPECTED


def test_without_a_frame_there_is_one_schema() -> None:
    for schema in (ORDER, json.dumps(ORDER)):
        assert AvroValues(schema, "none").value(record(CONTENT)) == EXPECTED
    for schema in ("long", '"long"', ' ["long"]'):
        assert AvroValues(schema, "none").value(record(b"\0\2" if "[" in schema else b"\2")) == 1


def test_tombstone_and_null_key_are_none_in_every_framing() -> None:
    for framing in ("confluent", "confluent-prefix", "confluent-header", "glue"):
        orders = AvroValues({1: ORDER}, framing)  # type: ignore[arg-type]  # mypy widens a name of a loop
        assert orders.value(record(None)) is orders.key(record(None)) is None
    assert AvroValues(ORDER, "none").value(record(None)) is None


# What is not as it was said to be.


@pytest.mark.parametrize(
    ("framing", "value", "headers", "message"),
    [
        ("confluent", CONTENT, [], "no prefix of Confluent's"),
        ("confluent", b"", [], "no prefix of Confluent's"),
        ("confluent", b"\0\0\0\1", [], "no prefix of Confluent's"),
        ("confluent-prefix", CONTENT, [("__value_schema_id", HEADER)], "no prefix of Confluent's"),
        ("confluent-header", b"\0\0\0\0\1" + CONTENT, [], "no header __value_schema_id"),
        ("confluent", CONTENT, [("__value_schema_id", None)], "not 1, and the guid"),
        ("confluent", CONTENT, [("__value_schema_id", HEADER[:-1])], "not 1, and the guid"),
        ("confluent", CONTENT, [("__value_schema_id", b"\0" + HEADER[1:])], "not 1, and the guid"),
        ("confluent", CONTENT, [("__value_schema_id", HEADER + b"\0")], "goes on after the guid"),
        ("confluent", CONTENT, [("__value_schema_id", HEADER), ("__value_schema_id", HEADER[::-1])], "names different"),
        ("confluent", b"\0\0\0\0\1" + CONTENT, [("__value_schema_id", HEADER)], "may be framed twice"),
        ("glue", CONTENT, [], "no frame of Glue's"),
        ("glue", GLUE[:-1], [], "no frame of Glue's"),
        ("glue", b"\3\1" + GLUE[2:] + CONTENT, [], "no frame of Glue's"),
        ("glue", b"\3\5" + GLUE[2:] + CONTENT, [], "compressed by zlib, and is damaged"),
        ("glue", b"\3\5" + GLUE[2:] + zlib.compress(CONTENT)[:-1], [], "compressed by zlib, and is damaged"),
        ("glue", b"\3\5" + GLUE[2:] + zlib.compress(CONTENT) + b"x", [], "compressed by zlib, and is damaged"),
    ],
)
def test_frame_that_is_not_as_it_was_said_is_an_error(framing: Any, value: bytes, headers: Any, message: str) -> None:
    orders = AvroValues({1: ORDER, GUID: ORDER, VERSION: ORDER}, framing)

    with pytest.raises(ValueError, match=message):
        orders.value(record(value, headers))


def test_a_header_twice_that_says_the_same_is_one() -> None:
    made = record(CONTENT, [("__value_schema_id", HEADER)] * 2)

    assert AvroValues({GUID: ORDER}).value(made) == EXPECTED


def test_a_header_that_was_left_over_is_told_and_the_caller_decides() -> None:
    made = record(b"\0\0\0\0\1" + CONTENT, [("__value_schema_id", HEADER)])

    assert AvroValues({1: ORDER, GUID: ORDER}, "confluent-prefix").value(made) == EXPECTED
    with pytest.raises(ValueError, match="does not end with the record"):
        AvroValues({1: ORDER, GUID: ORDER}, "confluent-header").value(made)


def test_avro_that_begins_with_a_zero_is_no_prefix_of_a_schema_that_nobody_knows() -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "n", "type": "long"}, {"name": "s", "type": "string"}]}
    made = record(written(schema, {"n": 0, "s": "abc"}), [("__value_schema_id", HEADER)])

    assert AvroValues({1: ORDER, GUID: schema}).value(made) == {"n": 0, "s": "abc"}


@pytest.mark.parametrize(
    ("framing", "frame", "name"),
    [("confluent", b"\0\0\0\0\2", 2), ("glue", GLUE[:-1] + b"\0", VERSION[:-2] + "00")],
)
def test_a_schema_that_was_not_given_is_named(framing: Any, frame: bytes, name: Any) -> None:
    with pytest.raises(UnknownSchemaError, match=f"schema {name}. Those given are: 1, {VERSION}") as caught:
        AvroValues({1: ORDER, VERSION: ORDER}, framing).value(record(frame + CONTENT))
    assert caught.value.schema == name


@pytest.mark.parametrize(
    "content",
    [b"", CONTENT[:-1], CONTENT + b"\0", b"\x22\x0asecr", b"\x80", b"\0\0\0\0\1" + CONTENT, b"\x22\x06\xff\xff\xff"],
)
def test_content_that_is_not_of_its_schema_is_an_error_that_quotes_nothing(content: bytes) -> None:
    """Bytes that are framed, read without their frame, are a wrong record to fastavro, and no error."""
    with pytest.raises(ValueError, match=r"is not Avro as its schema says|does not end with the record") as caught:
        AvroValues(ORDER, "none").value(record(content))
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert "secr" not in str(caught.value)


# Reading as another schema.

NEWER = {
    **ORDER,
    "fields": [
        *ORDER["fields"],
        {"name": "tags", "type": {"type": "array", "items": "string"}, "default": []},
        {"name": "more", "type": {"type": "map", "values": "long"}, "default": {}},
    ],
}


def test_defaults_of_the_readers_schema_are_not_shared_by_records() -> None:
    orders = AvroValues({1: ORDER}, reader=NEWER)
    first = orders.value(record(b"\0\0\0\0\1" + CONTENT))
    first["tags"].append("new")
    first["more"]["n"] = 1
    second = orders.value(record(b"\0\0\0\0\1" + CONTENT))

    assert second == {**EXPECTED, "tags": [], "more": {}}
    assert NEWER["fields"][2]["default"] == []


# What is refused when it is made.


@pytest.mark.parametrize(
    ("schemas", "framing", "message"),
    [
        ({1: ORDER}, "avro", "framing is one of"),
        (ORDER["fields"], "confluent", "schemas is a mapping"),
        ({"orders-value": ORDER}, "confluent", "not by 'orders-value'"),
        ({True: ORDER}, "confluent", "not by True"),
        ({1.5: ORDER}, "confluent", "not by 1.5"),
        ({1: {"type": "nothing"}}, "confluent", "Schema 1 is no schema of Avro"),
        ("{", "none", "The schema is no schema of Avro"),
    ],
)
def test_wrong_use_is_an_error_before_the_first_record(schemas: Any, framing: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        AvroValues(schemas, framing)
    with pytest.raises(ConfigurationError, match="Schema reader is no schema"):
        AvroValues({1: ORDER}, reader={"type": "nothing"})


# In a batch.


def test_a_record_that_cannot_be_decoded_costs_its_partition_from_there_on_and_no_other() -> None:
    orders, seen = AvroValues({1: ORDER}), []
    good = record(b"\0\0\0\0\1" + CONTENT)
    bad = record(b"\0\0\0\0\1" + CONTENT[:-1])
    event = event_from(
        KafkaEvents(), [{**good, "offset": 0}, {**bad, "offset": 1}, {**good, "offset": 2}, {**good, "partition": 1}]
    )

    def handler(each: KafkaRecord) -> None:
        seen.append((each.partition, each.offset, orders.value(each)))

    response = BatchProcessor("kafka").run(event, handler).response

    assert seen == [(0, 0, EXPECTED), (1, 0, EXPECTED)]
    assert [item["itemIdentifier"]["offset"] for item in response["batchItemFailures"]] == [1, 2]  # type: ignore[index]


# JSON in a frame.


def test_json_is_read_in_every_framing_whatever_its_schema() -> None:
    content = b'{"id": 17}'
    assert JSONValues().value(record(b"\0\0\0\0\1" + content)) == {"id": 17}
    assert JSONValues().value(record(content, [("__value_schema_id", HEADER)])) == {"id": 17}
    assert JSONValues("glue").value(record(GLUE + content)) == {"id": 17}
    assert JSONValues("none").key(record(None, key=content)) == {"id": 17}
    assert JSONValues().value(record(None)) is None
    with pytest.raises(json.JSONDecodeError, match=r"^value is not JSON"):
        JSONValues().value(record(b"\0\0\0\0\1secret"))
    with pytest.raises(json.JSONDecodeError, match=r"^value is not JSON"):  # a header that was left over
        JSONValues().value(record(b"\0\0\0\0\1" + content, [("__value_schema_id", HEADER)]))
