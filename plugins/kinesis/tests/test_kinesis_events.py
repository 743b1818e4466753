"""The events that the factory makes are those of AWS, field by field."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from batchcore_kinesis import KinesisStreamRecord
from batchcore_testing import make_event, make_record


def shape(value: Any) -> Any:
    """Give what fields a value has, and of what types they are."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return type(value).__name__


def test_a_record_has_the_fields_of_aws_and_no_others(sample: Callable[[str], Any]) -> None:
    expected = sample("kinesisStreamEvent")["Records"][0]
    made = make_record("kinesis", "hello")

    assert shape(made) == shape(expected)
    assert len(made["kinesis"]["sequenceNumber"]) == len(expected["kinesis"]["sequenceNumber"])
    assert made["eventID"] == f"shardId-000000000000:{made['kinesis']['sequenceNumber']}"


@pytest.mark.parametrize(
    ("content", "data"), [("text", b"text"), (b"\xff\x00", b"\xff\x00"), ({"order": 17}, b'{"order": 17}')]
)
def test_the_content_is_the_data(content: Any, data: bytes) -> None:
    assert base64.b64decode(make_record("kinesis", content)["kinesis"]["data"]) == data


def test_a_record_is_read_by_the_view() -> None:
    raw = make_record("kinesis", {"order": 17}, sent={"key": "customer-1"})

    assert KinesisStreamRecord(raw).kinesis.data_as_json() == {"order": 17}
    assert KinesisStreamRecord(raw).kinesis.partition_key == "customer-1"


def test_a_record_fits_the_model() -> None:
    pytest.importorskip("pydantic")
    from batchcore_kinesis.models import KinesisDataStreamRecord

    raw = make_record("kinesis", {"order": 17})

    assert KinesisDataStreamRecord.model_validate(raw).kinesis.sequenceNumber == raw["kinesis"]["sequenceNumber"]


def test_sequence_numbers_rise_in_a_shard_and_differ_between_shards() -> None:
    numbers = [
        int(make_record("kinesis", "x", sent={"sequence": sequence, "shard": shard})["kinesis"]["sequenceNumber"])
        for shard in (0, 1)
        for sequence in (0, 1, 2)
    ]

    assert numbers[:3] == sorted(numbers[:3])
    assert len(set(numbers)) == 6


def test_any_field_is_overridden() -> None:
    event = make_event("kinesis", "a", kinesis={"partitionKey": "k"}, eventVersion="1.1")

    assert event["Records"][0]["kinesis"]["partitionKey"] == "k"
    assert event["Records"][0]["eventVersion"] == "1.1"
