"""Decompressing: all members, a bound on what comes out, and an error for everything else."""

from __future__ import annotations

import base64
import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

import batchcore_envelopes as envelopes
from batchcore import BatchProcessor
from batchcore_envelopes import CompressedDataError, GzipEnvelope
from batchcore_envelopes.compressed import decompressed
from batchcore_testing import make_event

members = st.lists(st.tuples(st.binary(max_size=3_000), st.sampled_from([gzip.compress, zlib.compress])), min_size=1)


@given(members)
def test_all_members_are_read(parts: list[tuple[bytes, object]]) -> None:
    compressed = b"".join(compress(data) for data, compress in parts)  # type: ignore[operator]
    assert decompressed(compressed, "data") == b"".join(data for data, _ in parts)


@given(st.binary(max_size=5_000), st.integers(1, 6_000))
def test_no_more_comes_out_than_may(data: bytes, largest: int) -> None:
    compressed = gzip.compress(data)
    if len(data) <= largest:
        assert decompressed(compressed, "data", largest) == data
    else:
        with pytest.raises(CompressedDataError, match=f"more than {largest} bytes"):
            decompressed(compressed, "data", largest)


@given(st.binary(min_size=1, max_size=200), st.data())
def test_what_is_cut_off_is_an_error(data: bytes, draw: st.DataObject) -> None:
    compressed = gzip.compress(data)
    cut = compressed[: draw.draw(st.integers(0, len(compressed) - 1))]
    with pytest.raises(CompressedDataError):
        decompressed(cut, "data")


def test_a_bomb_is_stopped_before_it_is_made() -> None:
    bomb = gzip.compress(bytes(32 * 1024 * 1024))
    assert len(bomb) < 40_000
    tracemalloc.start()
    try:
        with pytest.raises(CompressedDataError, match="more than 1000000 bytes"):
            decompressed(bomb, "data", 1_000_000)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_of_many_members_is_stopped_too() -> None:
    bomb = gzip.compress(bytes(100_000)) * 50
    with pytest.raises(CompressedDataError, match="more than 1000000 bytes"):
        decompressed(bomb, "data", 1_000_000)


def test_a_few_of_a_thousand_small_members_are_all_read() -> None:
    assert decompressed(gzip.compress(b"x") * 2_000, "data") == b"x" * 2_000


def test_zeros_behind_a_member_are_padding_and_anything_else_is_an_error() -> None:
    assert decompressed(gzip.compress(b"a") + bytes(500), "data") == b"a"
    with pytest.raises(CompressedDataError, match="or damaged, behind 1 compressed part that is whole"):
        decompressed(gzip.compress(b"a") + b"rest", "data")


@given(st.lists(st.tuples(st.binary(max_size=20), st.integers(0, 40_000)), min_size=1, max_size=5))
def test_padding_of_any_length_is_passed_over(parts: list[tuple[bytes, int]]) -> None:
    padded = b"".join(gzip.compress(data) + bytes(zeros) for data, zeros in parts)
    assert decompressed(padded, "data") == b"".join(data for data, _ in parts)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "data is empty."),
        (b"secret text", "data is not compressed by gzip or zlib, or damaged"),
        (gzip.compress(b"secret", mtime=0)[:-1], "data is cut off: the end of what was compressed is missing."),
        (gzip.compress(b"secret", mtime=0)[:10] + b"\x07 secret", "or damaged"),
        (gzip.compress(b"secret", mtime=0)[:-8] + bytes(8), "or damaged"),
    ],
)
def test_the_error_says_what_is_wrong_and_quotes_nothing(data: bytes, says: str) -> None:
    with pytest.raises(CompressedDataError) as raised:
        decompressed(data, "data")
    assert says in str(raised.value)
    assert "secret" not in str(raised.value)
    assert raised.value.__context__ is None


def test_a_record_that_is_too_large_costs_itself_alone() -> None:
    plugin = envelopes.open(GzipEnvelope(largest=100))
    event = make_event("sqs", *(base64.b64encode(gzip.compress(b"x" * size)).decode() for size in (100, 101, 5)))
    result = BatchProcessor("sqs", plugins=[plugin]).run(event, lambda record: len(record.body))
    assert [each.value for each in result.outcomes] == [100, None, 5]
    assert isinstance(result.failures[0].exception, CompressedDataError)


def test_text_that_is_no_base64_is_an_error_of_its_record() -> None:
    result = BatchProcessor("sqs", plugins=[envelopes.open(envelopes.GZIP)], raise_on_entire_batch_failure=False).run(
        make_event("sqs", "no base64!"), lambda record: None
    )
    assert str(result.failures[0].exception).startswith("body is not base64")
