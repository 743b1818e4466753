"""Compressed data: all of it is read, or an error names what could not be, and a bomb does not go off."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import pickle
import random
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcore_kinesis import KinesisStreamRecordPayload
from batchcore_kinesis.inflate import LARGEST, inflated

Read = Callable[[bytes], Any]
WHOLE = json.dumps({"name": "grün", "numbers": [1, 2, 3]}, ensure_ascii=False).encode()
VALUE = {"name": "grün", "numbers": [1, 2, 3]}
INSIDE_UMLAUT = WHOLE.index("ü".encode()) + 1


def by_view(data: bytes) -> Any:
    payload = KinesisStreamRecordPayload({"data": base64.b64encode(data).decode()})
    return payload.data_zlib_compressed_as_json()


def by_model(data: bytes) -> Any:
    pytest.importorskip("pydantic")
    from batchcore_kinesis.models import KinesisDataStreamRecord

    record = {
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": "shardId-000000000006:1",
        "eventName": "aws:kinesis:record",
        "invokeIdentityArn": "arn:aws:iam::123456789012:role/r",
        "awsRegion": "eu-west-1",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/s",
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "p",
            "sequenceNumber": "1",
            "data": base64.b64encode(data).decode(),
            "approximateArrivalTimestamp": 1795000000.123,
        },
    }
    return KinesisDataStreamRecord.model_validate(record).decompress_zlib_record_data_as_json()


@pytest.fixture(params=[by_view, by_model])
def read(request: pytest.FixtureRequest) -> Read:
    """Read compressed JSON, as the view does and as the model does."""
    how: Read = request.param
    return how


def packed(content: bytes) -> bytes:
    """Compress as gzip does, without the time: tests are named by what they are given."""
    return gzip.compress(content, mtime=0)


def broken(data: bytes) -> bytes:
    """Change the checksum at the end."""
    return data[:-8] + bytes(byte ^ 255 for byte in data[-8:])


@pytest.mark.parametrize(
    "data",
    [
        packed(WHOLE),
        zlib.compress(WHOLE),
        packed(WHOLE[:6]) + packed(WHOLE[6:]),
        zlib.compress(WHOLE[:6]) + zlib.compress(WHOLE[6:]),
        packed(WHOLE[:6]) + zlib.compress(WHOLE[6:]),
        packed(WHOLE[:INSIDE_UMLAUT]) + packed(WHOLE[INSIDE_UMLAUT:]),
        b"".join(packed(WHOLE[at : at + 1]) for at in range(len(WHOLE))),
        packed(b"") + packed(WHOLE) + packed(b""),
        packed(WHOLE) + bytes(700),
        packed(WHOLE[:6]) + bytes(3) + packed(WHOLE[6:]) + bytes(1),
        packed(b"\xef\xbb\xbf" + WHOLE),
        packed(b" \n") + packed(WHOLE) + packed(b"\n"),
    ],
    ids=[
        "gzip",
        "zlib",
        "two of gzip",
        "two of zlib",
        "one of each",
        "a letter in two",
        "one per byte",
        "empty ones",
        "padding behind",
        "padding between",
        "a byte order mark",
        "white space",
    ],
)
def test_all_members_are_read(data: bytes, read: Read) -> None:
    assert read(data) == VALUE


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is not compressed by zlib or gzip: it is empty"),
        (b"secret", "is not compressed by zlib or gzip: "),
        (b'{"secret": 1}', "is not compressed by zlib or gzip: .* It is JSON"),
        (zlib.compress(WHOLE)[2:-4], "is not compressed by zlib or gzip: "),  # raw deflate
        (b"\xf3\x89\x9a\xc2secret", "It is several records that the Kinesis Producer Library"),
        (b"\x28\xb5\x2f\xfdsecret", "It is data compressed by Zstandard"),
        (packed(WHOLE) + b"secret", "has 6 bytes behind its last compressed member"),
        (packed(WHOLE) + bytes(5) + b"secret", "has 6 bytes behind its last compressed member"),
        (packed(WHOLE) + WHOLE, f"has {len(WHOLE)} bytes behind its last compressed member"),
        (packed(WHOLE) * 2 + b"\x1f", "has 1 byte behind its last compressed member"),
        (zlib.compress(WHOLE) + b"\0", "has 1 byte behind its last compressed member"),
        (zlib.compress(WHOLE) + b"\n", "has 1 byte behind its last compressed member"),
        (packed(WHOLE)[:-3], "cut off: the end of its member 1 is missing"),
        (zlib.compress(WHOLE)[:-1], "cut off: the end of its member 1 is missing"),
        (packed(WHOLE)[:5], "cut off: the end of its member 1 is missing"),
        (packed(b"") + packed(WHOLE)[:-9], "cut off: the end of its member 2 is missing"),
        (packed(WHOLE) + packed(b"")[:2], "cut off: the end of its member 2 is missing"),
        (broken(packed(WHOLE)), "damaged in its member 1: "),
        (packed(b"") * 2 + broken(packed(WHOLE)), "damaged in its member 3: "),
        (packed(WHOLE) + b"\x1f\x8bsecret", "damaged in its member 2: "),
    ],
)
def test_what_cannot_be_read_to_its_end_is_an_error_that_names_it_and_carries_nothing_of_it(
    data: bytes, says: str, read: Read
) -> None:
    with pytest.raises(zlib.error, match=rf"^kinesis\.data .*{says}") as caught:
        read(data)
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None
    for twin in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert (type(twin), str(twin)) == (zlib.error, str(caught.value))


@pytest.mark.parametrize("data", [packed(b"1") + packed(b" 2"), packed(WHOLE) * 2])
def test_a_second_value_in_a_second_member_is_an_error_and_not_lost(data: bytes, read: Read) -> None:
    with pytest.raises(json.JSONDecodeError, match=r"^kinesis\.data is not JSON: Extra data"):
        read(data)


def test_members_without_content_are_no_json(read: Read) -> None:
    with pytest.raises(json.JSONDecodeError, match=r"^kinesis\.data is not JSON: Expecting value"):
        read(packed(b"") * 3)


def zeros(count: int) -> bytes:
    """Compress so many zeros without having them all."""
    packer = zlib.compressobj(wbits=31)
    parts = [packer.compress(bytes(2**20)) for _ in range(count // 2**20)]
    return b"".join([*parts, packer.compress(bytes(count % 2**20)), packer.flush()])


@pytest.mark.parametrize(
    "bomb",
    [lambda: zeros(LARGEST + 1), lambda: zeros(LARGEST - 5) + zeros(6), lambda: zeros(128 * 2**20)],
    ids=["a byte too many", "a byte too many in two members", "a bomb"],
)
def test_more_than_the_bound_is_an_error_that_names_the_bound(bomb: Callable[[], bytes]) -> None:
    with pytest.raises(zlib.error, match=r"^kinesis\.data is more than 64 MiB when decompressed"):
        inflated(bomb(), "kinesis.data")


@pytest.mark.parametrize("sizes", [(3_000_000, 3_000_000), (1, 2**20, 1), (2**20 - 1, 2**20 + 1, 2**21), (0, 2**22)])
@pytest.mark.parametrize("compress", [zlib.compress, gzip.compress], ids=["zlib", "gzip"])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_large_members_are_read_each_once(
    sizes: tuple[int, ...], compress: Callable[[bytes, int], bytes], level: int
) -> None:
    parts = [random.Random(size).randbytes(size // 2) + bytes(size - size // 2) for size in sizes]
    assert inflated(b"".join(compress(part, level) for part in parts), "kinesis.data") == b"".join(parts)


def test_as_much_as_the_bound_is_read() -> None:
    assert inflated(zeros(LARGEST - 5) + zeros(5), "kinesis.data").count(0) == LARGEST


def test_a_bomb_takes_no_more_memory_than_the_bound() -> None:
    bomb = zeros(128 * 2**20)
    tracemalloc.start()
    try:
        with pytest.raises(zlib.error, match="64 MiB"):
            inflated(bomb, "kinesis.data")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < LARGEST + 8 * 2**20


def test_many_members_do_not_make_each_other_slower(monkeypatch: pytest.MonkeyPatch) -> None:
    """What follows a member is copied when it ends, so no member after the first may be given all that follows."""
    given: list[int] = []
    real = zlib.decompressobj

    class Watching:
        def __init__(self, wbits: int) -> None:
            self._real = real(wbits)

        def decompress(self, data: memoryview, limit: int) -> bytes:
            given.append(len(data))
            return self._real.decompress(data, limit)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

    data = packed(b"a") * 20_000
    monkeypatch.setattr(zlib, "decompressobj", Watching)
    assert inflated(data, "kinesis.data") == b"a" * 20_000
    assert max(given[1:]) < len(data) / 10


@given(st.lists(st.tuples(st.binary(), st.booleans()), min_size=1), st.integers(0, 9))
def test_what_was_compressed_in_parts_is_what_was_compressed(parts: list[tuple[bytes, bool]], level: int) -> None:
    packed = b"".join(gzip.compress(part, level) if by_gzip else zlib.compress(part, level) for part, by_gzip in parts)
    assert inflated(packed, "data") == b"".join(part for part, _ in parts)


@given(st.binary(min_size=1), st.binary(min_size=1))
def test_nothing_behind_is_ever_lost_without_an_error(content: bytes, behind: bytes) -> None:
    packed = gzip.compress(content)
    try:
        read = inflated(packed + behind, "data")
    except zlib.error:
        return
    assert not behind.strip(b"\0")
    assert read == content
