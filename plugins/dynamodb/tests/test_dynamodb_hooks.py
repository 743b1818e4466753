"""What the DynamoDB source tells batchcore."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import pytest

import batchcore_dynamodb
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
from batchcore_dynamodb import DynamoDBRecord, DynamoDBStreams

Sample = Callable[[str], dict[str, Any]]
MINE = ["dynamoStreamEvent", "getting_started_dynamodb_event", "pydantic_dynamodb_event"]
NOT_MINE = [
    "getting_started_dynamodb_response",
    "kafkaEventMsk",
    "kinesisFirehosePutEvent",
    "kinesisStreamEvent",
    "sqsEvent",
]


def streamed(number: int, key: object = None, image: object = None, **fields: Any) -> dict[str, Any]:
    change = {"SequenceNumber": str(number), "Keys": key or {"Id": {"N": "1"}}, "NewImage": image or {}}
    return {
        "dynamodb": change,
        "eventSource": "aws:dynamodb",
        "eventName": "INSERT",
        "eventSourceARN": "arn:aws:dynamodb:us-west-2:123456789012:table/orders/stream/2015-06-27T00:48:05.899",
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
    assert batchcore_dynamodb.__all__ == sorted(batchcore_dynamodb.__all__)
    assert all(hasattr(batchcore_dynamodb, name) for name in batchcore_dynamodb.__all__)


@pytest.mark.parametrize("name", MINE)
def test_events_of_dynamodb_are_claimed(sample: Sample, name: str) -> None:
    assert DynamoDBStreams.claims_event(sample(name)) is True


@pytest.mark.parametrize("name", NOT_MINE)
def test_events_of_others_are_not_claimed(sample: Sample, name: str) -> None:
    assert DynamoDBStreams.claims_event(sample(name)) is False


def test_an_empty_list_of_records_is_claimed() -> None:
    assert DynamoDBStreams.claims_event({"Records": []}) is True


def test_the_last_event_of_a_window_is_claimed_without_records() -> None:
    window = {"start": "2020-12-09T07:04:00Z", "end": "2020-12-09T07:06:00Z"}
    assert (
        DynamoDBStreams.claims_event({"Records": [], "window": window, "state": {}, "isFinalInvokeForWindow": True})
        is True
    )


@pytest.mark.parametrize("event", [None, [], "Records", 7, b"x", {}, {"Records": None}, {"Records": "x"}, Cursed()])
def test_what_is_no_event_is_not_claimed(event: object) -> None:
    assert DynamoDBStreams.claims_event(event) is False


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
        streamed(2, eventSource=["aws:dynamodb"]),
        {"dynamodb": "no object"},
        {"messageId": "1", "body": ""},
        Cursed(),
    ],
)
def test_one_stranger_among_the_records_and_the_event_is_not_claimed(stranger: object) -> None:
    assert DynamoDBStreams.claims_event({"Records": [streamed(1), stranger]}) is False
    assert DynamoDBStreams.claims_event({"Records": [stranger]}) is False


def test_records_without_an_event_source_may_stand_beside_records_with_one() -> None:
    assert DynamoDBStreams.claims_event({"Records": [streamed(1), {"dynamodb": {"SequenceNumber": "2"}}]}) is True


def test_the_records_are_given_as_they_are() -> None:
    records = [streamed(1)]
    assert DynamoDBStreams.extract_records({"Records": records}) is records


def test_a_record_is_identified_by_its_sequence_number() -> None:
    assert DynamoDBStreams.identify_records([streamed(1), streamed(12)]) == ["1", "12"]
    assert DynamoDBStreams.identify_records([]) == []


@pytest.mark.parametrize(
    ("broken", "seen"),
    [
        ({}, "has no object dynamodb"),
        ({"dynamodb": "secret"}, "has no object dynamodb"),
        ({"dynamodb": {"NewImage": "secret"}}, "has no dynamodb.SequenceNumber"),
        ({"dynamodb": {"SequenceNumber": "", "NewImage": "secret"}}, "has a dynamodb.SequenceNumber that is empty"),
        ({"dynamodb": {"SequenceNumber": 7}}, "has a dynamodb.SequenceNumber of type int"),
        ({"dynamodb": {"SequenceNumber": None}}, "has a dynamodb.SequenceNumber of type NoneType"),
        ("secret", "is no object but of type str"),
    ],
)
def test_a_record_that_cannot_be_named_is_an_error_with_its_position_and_without_its_item(
    broken: object, seen: str
) -> None:
    with pytest.raises(RecordIdentityError, match=f"Record 1 of the batch, counting from 0, {seen}") as caught:
        DynamoDBStreams.identify_records([streamed(0), broken, streamed(2)])
    assert caught.value.position == 1
    assert "secret" not in str(caught.value)


def test_an_event_of_another_source_is_refused(sample: Sample) -> None:
    processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
    with pytest.raises(UnexpectedBatchTypeError):
        process_partial_response(sample("sqsEvent"), print, processor)


def test_the_sample_event_has_the_sample_response(sample: Sample) -> None:
    def handle(record: DynamoDBRecord) -> str:
        assert isinstance(record, DynamoDBRecord)
        message: str = record.dynamodb.new_image["Message"]
        return message

    processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
    response = process_partial_response(sample("getting_started_dynamodb_event"), handle, processor)
    assert response == sample("getting_started_dynamodb_response")


def test_a_record_that_a_handler_got_can_be_pickled_with_what_it_decoded(sample: Sample) -> None:
    def handle(record: DynamoDBRecord) -> DynamoDBRecord:
        _ = record.dynamodb.new_image, record.dynamodb.keys
        twin: DynamoDBRecord = pickle.loads(pickle.dumps(record))
        assert copy.copy(record) == twin == record
        return twin

    result = BatchProcessor(event_type="dynamodb").run(sample("dynamoStreamEvent"), handle)
    assert [twin.dynamodb.keys for twin in result.return_values] == [{"Id": 101}, {"Id": 101}]


def run_async(*records: dict[str, Any], **options: Any) -> tuple[Any, list[str]]:
    """Process with a handler of which the later records of a batch want to be done first."""
    seen: list[str] = []

    async def handle(record: DynamoDBRecord) -> None:
        number = str(record.dynamodb.sequence_number)
        for _ in range(10 - int(number)):
            await asyncio.sleep(0)
        if record.dynamodb.new_image.get("bad"):
            raise ValueError(number)
        seen.append(number)

    return async_process_partial_response(
        {"Records": list(records)}, handle, AsyncBatchProcessor("dynamodb", **options)
    ), seen


A, B = {"Id": {"N": "1"}, "At": {"S": "x"}}, {"Id": {"N": "1"}, "At": {"S": "y"}}
BAD = {"bad": {"BOOL": True}}


def test_records_of_one_item_are_in_order_and_go_on_after_a_failure() -> None:
    same_as_a = dict(reversed(A.items()))
    response, seen = run_async(
        streamed(0, A), streamed(1, B), streamed(2, same_as_a, BAD), streamed(3, same_as_a), streamed(4, B)
    )
    assert response == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert sorted(seen) == ["0", "1", "3", "4"]
    assert seen.index("0") < seen.index("3")
    assert seen.index("1") < seen.index("4")


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ({"Id": {"N": "1"}}, {"Id": {"S": "1"}}),
        ({"Id": {"N": "1"}}, {"Id": {"N": "2"}}),
        ({"Id": {"S": "x"}}, {"At": {"S": "x"}}),
        (A, {"Id": {"N": "1"}}),
    ],
)
def test_different_items_do_not_wait_for_one_another(one: dict[str, Any], another: dict[str, Any]) -> None:
    _, seen = run_async(streamed(0, one), streamed(1, another))
    assert seen == ["1", "0"]


def test_items_of_different_streams_do_not_wait_for_one_another() -> None:
    other = "arn:aws:dynamodb:us-west-2:123456789012:table/carts/stream/2015-06-27T00:48:05.899"
    _, seen = run_async(streamed(0, A), streamed(1, A, eventSourceARN=other))
    assert seen == ["1", "0"]


def test_records_without_keys_are_not_held_up() -> None:
    records = [streamed(n) for n in range(3)]
    records[0]["dynamodb"]["Keys"] = {}
    del records[1]["dynamodb"]["Keys"]
    response, seen = run_async(*records)
    assert response == {"batchItemFailures": []}
    assert seen == ["2", "1", "0"]


@pytest.mark.parametrize("key", [{"Id": "no attribute"}, {"Id": {"S": ["x"]}}, ["Id"]])
def test_keys_that_are_malformed_cost_their_record_alone(key: object) -> None:
    response, seen = run_async(streamed(0, key), streamed(1, A))
    assert response == {"batchItemFailures": [{"itemIdentifier": "0"}]}
    assert seen == ["1"]


def test_the_caller_may_choose_to_stop_at_the_first_failure() -> None:
    response, seen = run_async(streamed(0, A), streamed(1, B, BAD), streamed(2, A), ordering=in_order())
    assert response == {"batchItemFailures": [{"itemIdentifier": "1"}, {"itemIdentifier": "2"}]}
    assert seen == ["0"]


def test_a_shard_is_acknowledged_by_a_checkpoint() -> None:
    assert DynamoDBStreams.acknowledgement() == "checkpoint"


def test_a_record_is_described_by_table_and_event_name_and_never_by_its_item() -> None:
    assert DynamoDBStreams.describe_record(streamed(7)) == {"table": "orders", "event_name": "INSERT"}


@pytest.mark.parametrize(
    "record", [{}, {"eventSourceARN": None, "eventName": 7}, {"eventSourceARN": "eventsource_arn"}]
)
def test_a_record_of_which_nothing_is_known_has_an_empty_description(record: dict[str, Any]) -> None:
    assert DynamoDBStreams.describe_record(record) == {}
