"""What the source for Firehose tells batchcore."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import batchcore_firehose
from batchcore import BatchProcessor, RecordIdentityError, UnexpectedBatchTypeError
from batchcore_firehose import Firehose, FirehoseRecord
from batchcore_firehose.events import FirehoseEvents
from batchcore_testing import make_event, make_record

Sample = Callable[[str], dict[str, Any]]
MINE = ["kinesisFirehoseKinesisEvent", "kinesisFirehosePutEvent", "kinesisFirehoseSQSEvent"]
NOT_MINE = [
    "activeMQEvent",
    "kafkaEventMsk",
    "kafkaEventSelfManaged",
    "kinesisStreamEvent",
    "rabbitMQEvent",
    "s3BatchOperationEventSchemaV1",
    "s3BatchOperationEventSchemaV2",
    "sqsEvent",
]


def test_the_public_names_are_sorted_and_there() -> None:
    assert batchcore_firehose.__all__ == sorted(batchcore_firehose.__all__)
    assert all(hasattr(batchcore_firehose, name) for name in batchcore_firehose.__all__)


@pytest.mark.parametrize("name", MINE)
def test_events_of_firehose_are_claimed_and_found(sample: Sample, name: str) -> None:
    assert Firehose.claims_event(sample(name)) is True
    result = BatchProcessor().run(sample(name), lambda record: None)

    assert result.batch.source == "firehose"
    assert [entry["data"] for entry in result.response["records"]] == [  # type: ignore[typeddict-item]
        record["data"] for record in sample(name)["records"]
    ]


@pytest.mark.parametrize("name", NOT_MINE)
def test_events_of_others_are_not_claimed(sample: Sample, name: str) -> None:
    assert Firehose.claims_event(sample(name)) is False


@pytest.mark.parametrize("missing", ["deliveryStreamArn", "region"])
def test_an_event_needs_no_arn_of_a_stream(missing: str) -> None:
    event = make_event("firehose", "a")
    del event[missing]

    assert Firehose.claims_event(event) is True
    assert Firehose.claims_event({**event, "deliverySteamArn": "misspelt, as a tool has it"}) is True


@pytest.mark.parametrize(
    "event",
    [
        {"records": [{"recordId": "r1"}]},
        {"invocationId": "i"},
        {"invocationId": "i", "records": None},
        {"invocationId": "i", "records": {"orders-0": []}},
        {"invocationId": "i", "records": [None]},
        {"invocationId": "i", "records": [{"recordId": "r1"}, {"messageId": "m1"}]},
        {"invocationId": "i", "records": [{"recordId": "r1", "eventSource": "aws:sqs"}]},
        ["invocationId", "records"],
        None,
    ],
)
def test_what_is_no_invocation_by_firehose_is_not_claimed(event: Any) -> None:
    assert Firehose.claims_event(event) is False
    with pytest.raises(UnexpectedBatchTypeError):
        BatchProcessor("firehose").run(event, lambda record: None)


def test_an_invocation_without_records_is_answered() -> None:
    result = BatchProcessor("firehose").run({"invocationId": "i", "records": []}, lambda record: None)

    assert result.response == {"records": []}


@pytest.mark.parametrize("identifier", [None, "", 17])
def test_a_record_without_an_id_is_refused_before_the_first_is_handled(identifier: Any) -> None:
    event, called = make_event("firehose", "a", "b"), []
    event["records"][1]["recordId"] = identifier

    with pytest.raises(RecordIdentityError, match="recordId"):
        BatchProcessor("firehose").run(event, called.append)
    del event["records"][1]["recordId"]
    with pytest.raises(RecordIdentityError, match="recordId"):
        BatchProcessor("firehose").run(event, called.append)
    assert called == []


def test_records_alone_are_answered_too() -> None:
    processor = BatchProcessor("firehose")
    records = make_event("firehose", "a")["records"]
    with processor(records=records, handler=lambda record: "b"):
        processor.process()

    response: Any = processor.response()
    assert response["records"] == [{"recordId": records[0]["recordId"], "result": "Ok", "data": "Yg=="}]


def test_a_description_says_where_a_record_was_read() -> None:
    described = Firehose.describe_record

    assert described(make_record("firehose", "a")) == {}
    assert described(make_record(FirehoseEvents("kinesis"), "a", sent={"shard": 2, "key": "ann"})) == {
        "shard_id": "shardId-000000000002",
        "partition_key": "ann",
    }
    assert described(make_record(FirehoseEvents("msk"), "a", sent={"shard": 2, "sequence": 7})) == {
        "partition": "2",
        "offset": "7",
    }
    assert described({"kinesisRecordMetadata": None, "mskRecordMetadata": {}}) == {}
    assert described({"kinesisRecordMetadata": 17, "mskRecordMetadata": "offset"}) == {}


def test_nobody_knows_how_often_a_record_was_sent() -> None:
    batch = BatchProcessor("firehose").run(make_event("firehose", "a"), lambda record: None).batch

    assert batch.delivery_attempt(batch.records[0]) is None


def test_a_dead_letter_is_the_record_as_json() -> None:
    batch = BatchProcessor("firehose").run(make_event("firehose", "a"), lambda record: None).batch

    assert json.loads(batch.original_message(batch.records[0]).body) == batch.records[0]


def test_a_handler_gets_the_view() -> None:
    seen: list[Any] = []
    BatchProcessor("firehose").run(make_event("firehose", "a"), seen.append)

    assert type(seen[0]).__name__ == "FirehoseRecord"
    assert isinstance(seen[0], FirehoseRecord)
