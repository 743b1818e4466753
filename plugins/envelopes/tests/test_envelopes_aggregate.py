"""Aggregated records, taken apart byte by byte."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcore_envelopes import AggregateError
from batchcore_envelopes.aggregate import START, user_records

# Its own writer, for a property: hypothesis takes no fixture that a test shares.
keys = st.text(max_size=20)
user_record = st.tuples(keys, st.binary(max_size=300)) | st.tuples(keys, st.binary(max_size=300), keys)


def parts(data: bytes) -> list[tuple[str, str | None, bytes]]:
    return [(each.partition_key, each.explicit_hash_key, each.data) for each in user_records(data, "data")]


def test_what_awss_own_library_wrote_is_read(written_by_aws: dict[str, bytes]) -> None:
    read = {name: parts(data) for name, data in written_by_aws.items()}
    assert read["three records of two keys"] == [
        ("ann", None, b'{"order": 1}'),
        ("ben", None, b'{"order": 2}'),
        ("ann", None, b'{"order": 3}'),
    ]
    assert read["one record"] == [("ann", None, b'{"order": 1}')]
    assert read["two hundred records"] == [
        (f"key-{number % 7}", None, json.dumps({"order": number}).encode()) for number in range(200)
    ]
    assert read["binary and empty data"] == [
        ("ann", None, bytes(range(256))),
        ("bén", None, b""),
        ("ann", None, b"\xf3\x89\x9a\xc2 begins as one"),
    ]


def test_a_record_without_an_explicit_hash_key_has_none_of_its_neighbours(written_by_aws: dict[str, bytes]) -> None:
    assert parts(written_by_aws["explicit hash keys"]) == [
        ("ann", "1", b"a"),
        ("ben", None, b"b"),
        ("cy", "340282366920938463463374607431768211455", b"c"),
    ]


@given(st.lists(user_record, max_size=12))
def test_any_records_come_out_as_they_went_in(request: pytest.FixtureRequest, records: list[Any]) -> None:
    data = request.getfixturevalue("kpl").aggregate(*records)
    assert parts(data) == [(key, rest[0] if rest else None, content) for key, content, *rest in records]


@given(st.lists(user_record, min_size=1, max_size=4), st.data())
def test_a_byte_that_is_another_is_noticed(request: pytest.FixtureRequest, records: list[Any], data: Any) -> None:
    written = bytearray(request.getfixturevalue("kpl").aggregate(*records))
    at = data.draw(st.integers(len(START), len(written) - 1))
    written[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(AggregateError, match="its checksum does not fit"):
        user_records(bytes(written), "data")


@given(st.binary(max_size=200))
def test_any_message_is_read_or_refused_as_a_whole(request: pytest.FixtureRequest, message: bytes) -> None:
    with suppress(AggregateError):  # and nothing else
        user_records(request.getfixturevalue("kpl").sealed(message), "data")


@pytest.mark.parametrize("length", [4, 5, 19])
def test_what_is_too_short_for_a_checksum_is_refused(length: int) -> None:
    with pytest.raises(AggregateError, match="cut off"):
        user_records(START.ljust(length, b"\0"), "data")


def test_the_tables_may_stand_behind_the_records(kpl: Any) -> None:
    message = kpl.field(3, kpl.field(3, b"data") + kpl.field(2, 0) + kpl.field(1, 0))
    assert parts(kpl.sealed(message + kpl.field(2, b"7") + kpl.field(1, b"key"))) == [("key", "7", b"data")]


def test_fields_that_a_later_library_may_write_are_skipped(kpl: Any) -> None:
    tag = kpl.field(4, kpl.field(1, b"name") + kpl.field(2, b"value"))
    fixed = bytes([9 << 3 | 1]) + b"8 bytes!" + bytes([10 << 3 | 5]) + b"four"
    message = (
        fixed + kpl.field(1, b"key") + kpl.field(3, kpl.field(1, 0) + tag + kpl.field(3, b"data")) + kpl.field(99, 1)
    )
    assert parts(kpl.sealed(message)) == [("key", None, b"data")]


def test_what_is_broken_behind_a_checksum_that_fits_is_named(kpl: Any) -> None:
    key, field = kpl.field(1, b"secret"), kpl.field
    broken = {
        key + field(3, field(1, 1) + field(3, b"secret")): "a record names no partition key that is there",
        key + field(3, field(3, b"secret")): "a record names no partition key that is there",
        key + field(3, field(1, 0) + field(2, 0) + field(3, b"d")): "a record names no explicit hash key that is there",
        key + field(3, field(1, 0)): "a record has no data",
        key + field(3, field(1, b"0") + field(3, b"d")): "there is text where a number belongs",
        field(1, 5): "there is a number where text belongs",
        field(1, b"\xff"): "a name is not UTF-8",
        key[:-1]: "it ends in the middle of a field",
        key + b"\x1a": "it ends in the middle of a number",
        key + b"\x08" + b"\xff" * 10 + b"\x01": "a number is longer than 64 bits",
        b"\x00\x01": "a field has the number 0",
        b"\x0b": "a field is of the wire type 3, which is not known here",
    }
    for message, reason in broken.items():
        with pytest.raises(AggregateError) as raised:
            user_records(kpl.sealed(message), "kinesis.data")
        assert str(raised.value).endswith(f"cannot be taken apart: {reason}."), reason
        assert "secret" not in str(raised.value)
        assert raised.value.__context__ is None


def test_nothing_of_aws_is_imported_for_it() -> None:
    program = "import sys, batchcore_envelopes.aggregated; print(sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert "batchcore_envelopes" in loaded
    assert not {"google", "aws_kinesis_agg", "boto3", "botocore"} & set(json.loads(loaded.replace("'", '"')))


def test_what_awss_own_library_writes_now_is_read() -> None:
    aggregator = pytest.importorskip("aws_kinesis_agg.aggregator", reason="aws-kinesis-agg is not installed")
    writer = aggregator.RecordAggregator()
    for number in range(50):
        writer.add_user_record(f"key-{number % 3}", f"data {number}".encode())
    _, _, data = writer.clear_and_get().get_contents()
    assert parts(data) == [(f"key-{number % 3}", None, f"data {number}".encode()) for number in range(50)]
