"""What the Kinesis source does with a tumbling window, and orderings by its partition key."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from batchcore import BatchProcessor, UnexpectedBatchTypeError, by_key, in_order, process_partial_response
from batchcore_kinesis import KinesisDataStreams, KinesisStreamRecord, partition_key

State = dict[str, Any]

# What AWS's page on tumbling windows shows, cut short.
EVENT: dict[str, Any] = {
    "Records": [
        {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "1",
                "sequenceNumber": "49590338271490256608559692538361571095921575989136588898",
                "data": "SGVsbG8sIHRoaXMgaXMgYSB0ZXN0Lg==",
                "approximateArrivalTimestamp": 1607497475.000,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": "shardId-000000000006:49590338271490256608559692538361571095921575989136588898",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::123456789012:role/lambda-kinesis-role",
            "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/lambda-stream",
        }
    ],
    "window": {"start": "2020-12-09T07:04:00Z", "end": "2020-12-09T07:06:00Z"},
    "state": {"1": 282, "2": 715},
    "shardId": "shardId-000000000006",
    "eventSourceARN": "arn:aws:kinesis:us-east-1:123456789012:stream/lambda-stream",
    "isFinalInvokeForWindow": False,
    "isWindowTerminatedEarly": False,
}


def windowed(*some: tuple[str, Any], **fields: Any) -> dict[str, Any]:
    """Make an event of a window, of partition keys and data; the sequence numbers count from 1."""
    records = []
    for number, (key, data) in enumerate(some, 1):
        payload = {
            "sequenceNumber": str(number),
            "partitionKey": key,
            "data": base64.b64encode(json.dumps(data).encode()).decode(),
        }
        records.append({"eventSource": "aws:kinesis", "kinesis": payload})
    return {**EVENT, "Records": records, "state": {}, **fields}


def count(record: KinesisStreamRecord, state: State) -> None:
    key = record.kinesis.partition_key
    state[key] = state.get(key, 0) + 1


def test_event_of_awss_page_is_answered_in_the_shape_of_that_page() -> None:
    response = process_partial_response(EVENT, count, BatchProcessor("kinesis"))
    assert response == {"state": {"1": 283, "2": 715}, "batchItemFailures": []}


def test_state_can_hold_sums_of_what_the_records_say() -> None:
    def add(record: KinesisStreamRecord, state: State) -> None:
        order = record.kinesis.data_as_json()
        state["sum"] = state.get("sum", 0) + order["sum"]

    event = windowed(("a", {"sum": 3}), ("b", {"sum": 4}), state={"sum": 10})
    assert process_partial_response(event, add, BatchProcessor("kinesis"))["state"] == {"sum": 17}


def test_window_of_several_partition_keys_stops_at_the_first_failure_of_any() -> None:
    def add(record: KinesisStreamRecord, state: State) -> None:
        state["sum"] = state.get("sum", 0) + record.kinesis.data_as_json()["sum"]

    event = windowed(("a", {"sum": 3}), ("b", {}), ("a", {"sum": 5}))
    for processor in (BatchProcessor("kinesis"), BatchProcessor("kinesis", max_concurrency=3)):
        assert process_partial_response(event, add, processor) == {
            "state": {"sum": 3},
            "batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": "3"}],
        }


@pytest.mark.parametrize("fields", [{"isFinalInvokeForWindow": True}, {"isWindowTerminatedEarly": True}])
def test_last_call_is_answered_as_any_other(fields: dict[str, Any]) -> None:
    response = process_partial_response({**EVENT, **fields}, count, BatchProcessor("kinesis"))
    assert response == {"state": {"1": 283, "2": 715}, "batchItemFailures": []}


@pytest.mark.parametrize("event_type", ["kinesis", None])
def test_last_call_without_records_is_answered_with_the_state(event_type: Any) -> None:
    event = windowed(state={"1": 2}, isFinalInvokeForWindow=True)
    response = process_partial_response(event, count, BatchProcessor(event_type))
    assert response == {"state": {"1": 2}, "batchItemFailures": []}


def test_last_call_without_records_of_dynamodb_is_not_claimed() -> None:
    event = windowed(eventSourceARN="arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2026")
    assert KinesisDataStreams.claims_event(event) is False
    with pytest.raises(UnexpectedBatchTypeError):
        process_partial_response(event, count, BatchProcessor("kinesis"))


def test_last_call_without_records_of_a_stream_in_another_partition_of_aws_is_claimed() -> None:
    assert KinesisDataStreams.claims_event(
        windowed(eventSourceARN="arn:aws-cn:kinesis:cn-north-1:123456789012:stream/orders")
    )


# Orderings by the partition key.


def handled(ordering: Any) -> tuple[list[str], list[str]]:
    """Give what is handled, and what the response names, where the first record of key a fails."""
    event = {"Records": windowed(("a", {"fails": True}), ("b", {}), ("a", {}), ("b", {}))["Records"]}
    seen = []

    def handle(record: KinesisStreamRecord) -> None:
        seen.append(record.kinesis.sequence_number)
        if record.kinesis.data_as_json().get("fails"):
            raise ValueError

    processor = BatchProcessor("kinesis", ordering=ordering, raise_on_entire_batch_failure=False)
    response = process_partial_response(event, handle, processor)
    return seen, [item["itemIdentifier"] for item in response["batchItemFailures"]]


def test_a_failure_stops_its_partition_key_alone_where_the_caller_says_so() -> None:
    assert handled(by_key(partition_key, on_failure="stop")) == (["1", "2", "4"], ["1", "3"])


def test_a_failure_stops_nothing_with_the_ordering_of_the_source() -> None:
    assert handled(None) == handled(by_key(partition_key, on_failure="continue")) == (["1", "2", "3", "4"], ["1"])


def test_a_failure_stops_everything_in_order() -> None:
    assert handled(in_order()) == (["1"], ["1", "2", "3", "4"])


@pytest.mark.parametrize(
    ("record", "key"),
    [
        ({"kinesis": {"partitionKey": "k"}}, "k"),
        ({"kinesis": {"partitionKey": None}}, None),
        ({"kinesis": {}}, None),
    ],
)
def test_the_partition_key_is_that_of_the_record_or_none(record: dict[str, Any], key: str | None) -> None:
    assert partition_key(record) == key


@pytest.mark.parametrize("record", [{}, {"kinesis": None}, {"dynamodb": {}}])
def test_a_record_of_another_source_has_no_partition_key(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="takes a record of Kinesis"):
        partition_key(record)
