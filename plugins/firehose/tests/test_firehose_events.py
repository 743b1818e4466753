"""The events that the factory makes are those of AWS, field by field."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from batchcore_firehose import FirehoseRecord
from batchcore_firehose.events import FirehoseEvents
from batchcore_testing import make_event, make_record
from batchcore_testing.contract.broken import samples


def shape(value: Any) -> Any:
    """Give what fields a value has, and of what types they are."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return shape(value[0]) if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize(
    ("origin", "name"), [("put", "kinesisFirehosePutEvent"), ("kinesis", "kinesisFirehoseKinesisEvent")]
)
def test_an_event_has_the_fields_of_aws_and_no_others(sample: Callable[[str], Any], origin: Any, name: str) -> None:
    assert shape(make_event(FirehoseEvents(origin), "hello")) == shape(sample(name))


def test_an_event_from_msk_has_the_fields_of_aws_and_no_others() -> None:
    assert shape(make_event(FirehoseEvents("msk"), "hello")) == shape(samples()["firehose-msk"])


def test_ids_are_as_long_as_those_of_aws_and_differ(sample: Callable[[str], Any]) -> None:
    made = [record["recordId"] for record in make_event("firehose", *["x"] * 20)["records"]]

    assert {len(each) for each in made} == {len(sample("kinesisFirehoseSQSEvent")["records"][0]["recordId"])}
    assert len(set(made)) == 20
    assert made == sorted(made)


def test_a_record_says_when_and_where_it_was_sent() -> None:
    sent = {"key": "ann", "shard": 3, "sequence": 9, "sent_at": 1_800_000_000.5, "number": 4}

    kinesis = make_record(FirehoseEvents("kinesis"), "x", sent=sent)
    assert kinesis["approximateArrivalTimestamp"] == 1_800_000_000_500
    assert kinesis["kinesisRecordMetadata"]["shardId"] == "shardId-000000000003"
    assert kinesis["kinesisRecordMetadata"]["partitionKey"] == "ann"
    assert make_record(FirehoseEvents("kinesis"), "x")["kinesisRecordMetadata"]["partitionKey"] == "1"
    assert make_record(FirehoseEvents("msk"), "x", sent=sent)["mskRecordMetadata"] == {
        "offset": "9",
        "partitionId": "3",
        "approximateArrivalTimestamp": 1_800_000_000_500,
    }


@pytest.mark.parametrize("origin", ["put", "kinesis", "msk"])
@pytest.mark.parametrize(
    ("content", "data"), [("text", b"text"), (b"\xff\x00", b"\xff\x00"), ({"order": 17}, b'{"order": 17}')]
)
def test_the_content_is_the_data(origin: Any, content: Any, data: bytes) -> None:
    record = make_record(FirehoseEvents(origin), content)

    assert base64.b64decode(record["kafkaRecordValue" if origin == "msk" else "data"]) == data
    assert FirehoseRecord(record).data_as_bytes() == data


def test_a_record_fits_the_model() -> None:
    pytest.importorskip("pydantic")
    from batchcore_firehose.models import FirehoseMSKRecordModel, FirehoseRecordModel

    for origin in ("put", "kinesis"):
        raw = make_record(FirehoseEvents(origin), {"order": 17})
        assert FirehoseRecordModel.model_validate(raw).data == b'{"order": 17}'
    raw = make_record(FirehoseEvents("msk"), {"order": 17})
    assert FirehoseMSKRecordModel.model_validate(raw).kafkaRecordValue == b'{"order": 17}'


def test_any_field_is_overridden() -> None:
    event = make_event("firehose", "a", recordId="r1")

    assert event["records"][0]["recordId"] == "r1"
