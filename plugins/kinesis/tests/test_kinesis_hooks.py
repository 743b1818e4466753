"""What the Kinesis source tells batchcore."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import batchcore_kinesis
from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    RecordIdentityError,
    UnexpectedBatchTypeError,
    async_process_partial_response,
    in_order,
    process_partial_response,
)
from batchcore_kinesis import KinesisDataStreams, KinesisStreamRecord

Sample = Callable[[str], dict[str, Any]]
MINE = [
    "getting_started_kinesis_event",
    "kinesisStreamCloudWatchLogsEvent",
    "kinesisStreamEvent",
    "kinesisStreamEventOneRecord",
    "pydantic_kinesis_event",
]
NOT_MINE = [
    "dynamoStreamEvent",
    "getting_started_kinesis_response",
    "kafkaEventMsk",
    "kinesisFirehoseKinesisEvent",
    "kinesisFirehosePutEvent",
    "sqsEvent",
]


def streamed(number: int, key: object = "k", data: str = "e30=", **fields: Any) -> dict[str, Any]:
    payload = {"sequenceNumber": str(number), "partitionKey": key, "data": data}
    return {
        "kinesis": payload,
        "eventSource": "aws:kinesis",
        "eventID": f"shardId-000000000006:{number}",
        "eventSourceARN": "arn:aws:kinesis:us-east-2:123456789012:stream/orders",
        **fields,
    }


class Cursed(Mapping[str, Any]):
    """A record that raises whatever it is asked."""

    def __getitem__(self, key: str) -> Any:
        raise ZeroDivisionError

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_the_public_names_are_sorted_and_there() -> None:
    assert batchcore_kinesis.__all__ == sorted(batchcore_kinesis.__all__)
    assert all(hasattr(batchcore_kinesis, name) for name in batchcore_kinesis.__all__)


@pytest.mark.parametrize("name", MINE)
def test_events_of_kinesis_are_claimed(sample: Sample, name: str) -> None:
    assert KinesisDataStreams.claims_event(sample(name)) is True


@pytest.mark.parametrize("name", NOT_MINE)
def test_events_of_others_are_not_claimed(sample: Sample, name: str) -> None:
    assert KinesisDataStreams.claims_event(sample(name)) is False


def test_an_empty_list_of_records_is_claimed() -> None:
    assert KinesisDataStreams.claims_event({"Records": []}) is True


def test_the_last_event_of_a_window_is_claimed_without_records() -> None:
    window = {"start": "2020-12-09T07:04:00Z", "end": "2020-12-09T07:06:00Z"}
    assert (
        KinesisDataStreams.claims_event({"Records": [], "window": window, "state": {}, "isFinalInvokeForWindow": True})
        is True
    )


@pytest.mark.parametrize("event", [None, [], "Records", 7, b"x", {}, {"Records": None}, {"Records": "x"}, Cursed()])
def test_what_is_no_event_is_not_claimed(event: object) -> None:
    assert KinesisDataStreams.claims_event(event) is False


@pytest.mark.parametrize(
    "stranger",
    [
        None,
        "text",
        7,
        [],
        {},
        streamed(2, eventSource="aws:sqs"),
        streamed(2, eventSource=None),
        streamed(2, eventSource=["aws:kinesis"]),
        {"kinesis": "no object"},
        {"messageId": "1", "body": ""},
        Cursed(),
    ],
)
def test_one_stranger_among_the_records_and_the_event_is_not_claimed(stranger: object) -> None:
    assert KinesisDataStreams.claims_event({"Records": [streamed(1), stranger]}) is False
    assert KinesisDataStreams.claims_event({"Records": [stranger]}) is False


def test_records_without_an_event_source_may_stand_beside_records_with_one() -> None:
    assert KinesisDataStreams.claims_event({"Records": [streamed(1), {"kinesis": {"sequenceNumber": "2"}}]}) is True


def test_the_records_are_given_as_they_are() -> None:
    records = [streamed(1)]
    assert KinesisDataStreams.extract_records({"Records": records}) is records


def test_a_record_is_identified_by_its_sequence_number() -> None:
    assert KinesisDataStreams.identify_records([streamed(1), streamed(12)]) == ["1", "12"]
    assert KinesisDataStreams.identify_records([]) == []


@pytest.mark.parametrize(
    ("broken", "seen"),
    [
        ({}, "has no object kinesis"),
        ({"kinesis": "secret"}, "has no object kinesis"),
        ({"kinesis": {"data": "secret"}}, "has no kinesis.sequenceNumber"),
        ({"kinesis": {"sequenceNumber": "", "data": "secret"}}, "has a kinesis.sequenceNumber that is empty"),
        ({"kinesis": {"sequenceNumber": 7}}, "has a kinesis.sequenceNumber of type int"),
        ({"kinesis": {"sequenceNumber": None}}, "has a kinesis.sequenceNumber of type NoneType"),
        ("secret", "is no object but of type str"),
    ],
)
def test_a_record_that_cannot_be_named_is_an_error_with_its_position_and_without_its_data(
    broken: object, seen: str
) -> None:
    with pytest.raises(RecordIdentityError, match=f"Record 1 of the batch, counting from 0, {seen}") as caught:
        KinesisDataStreams.identify_records([streamed(0), broken, streamed(2)])
    assert caught.value.position == 1
    assert "secret" not in str(caught.value)


def test_an_event_of_another_source_is_refused(sample: Sample) -> None:
    processor = BatchProcessor(event_type=EventType.KinesisDataStreams)
    with pytest.raises(UnexpectedBatchTypeError):
        process_partial_response(sample("sqsEvent"), print, processor)


def test_the_sample_event_has_the_sample_response(sample: Sample) -> None:
    def handle(record: KinesisStreamRecord) -> Any:
        assert isinstance(record, KinesisStreamRecord)
        return record.kinesis.data_as_json()

    processor = BatchProcessor(event_type=EventType.KinesisDataStreams)
    response = process_partial_response(sample("getting_started_kinesis_event"), handle, processor)
    assert response == sample("getting_started_kinesis_response")


def test_a_record_that_a_handler_got_can_be_pickled_with_what_it_decoded(sample: Sample) -> None:
    def handle(record: KinesisStreamRecord) -> KinesisStreamRecord:
        record.kinesis.data_as_json()
        twin: KinesisStreamRecord = pickle.loads(pickle.dumps(record))
        assert copy.copy(record) == twin == record
        return twin

    result = BatchProcessor(event_type="kinesis").run(sample("kinesisStreamEventOneRecord"), handle)
    assert result.return_values[0].kinesis.data_as_json()["username"] == "test"


def run_async(event: dict[str, Any], **options: Any) -> tuple[Any, list[str]]:
    """Process with a handler of which the later records of a batch want to be done first."""
    seen: list[str] = []

    async def handle(record: KinesisStreamRecord) -> None:
        number = record.kinesis.sequence_number
        for _ in range(10 - int(number)):
            await asyncio.sleep(0)
        if record.kinesis.data == "bad":
            raise ValueError(number)
        seen.append(number)

    return async_process_partial_response(event, handle, AsyncBatchProcessor("kinesis", **options)), seen


def test_records_of_one_partition_key_are_in_order_and_go_on_after_a_failure() -> None:
    records = [streamed(0, "a"), streamed(1, "b"), streamed(2, "a", "bad"), streamed(3, "a"), streamed(4, "b")]
    response, seen = run_async({"Records": records})
    assert response == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert sorted(seen) == ["0", "1", "3", "4"]
    assert seen.index("0") < seen.index("3")
    assert seen.index("1") < seen.index("4")


def test_records_without_a_partition_key_are_not_held_up() -> None:
    records = [streamed(n, None) for n in range(3)]
    del records[1]["kinesis"]["partitionKey"]
    response, seen = run_async({"Records": records})
    assert response == {"batchItemFailures": []}
    assert seen == ["2", "1", "0"]


def test_a_partition_key_that_cannot_be_hashed_costs_its_record_alone() -> None:
    response, seen = run_async({"Records": [streamed(0, ["a"]), streamed(1, "b")]})
    assert response == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert seen == ["1"]


def test_the_caller_may_choose_to_stop_at_the_first_failure() -> None:
    records = [streamed(0, "a"), streamed(1, "b", "bad"), streamed(2, "c")]
    response, seen = run_async({"Records": records}, ordering=in_order())
    assert response == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}
    assert seen == ["0"]


def test_a_shard_is_acknowledged_by_a_checkpoint() -> None:
    assert KinesisDataStreams.acknowledgement() == "checkpoint"


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:kinesis:us-east-2:123456789012:stream/orders",
        "arn:aws:kinesis:us-east-2:123456789012:stream/orders/consumer/mine:1545084650",
    ],
)
def test_a_record_is_described_by_stream_shard_and_key_and_never_by_its_data(arn: str) -> None:
    assert KinesisDataStreams.describe_record(streamed(7, "k", data="secret", eventSourceARN=arn)) == {
        "stream": "orders",
        "shard_id": "shardId-000000000006",
        "partition_key": "k",
    }


@pytest.mark.parametrize(
    "record", [{}, {"kinesis": None, "eventSourceARN": None, "eventID": 7}, {"eventSourceARN": "x"}]
)
def test_a_record_of_which_nothing_is_known_has_an_empty_description(record: dict[str, Any]) -> None:
    assert KinesisDataStreams.describe_record(record) == {}
