"""What the DynamoDB source does with a tumbling window, and orderings by the key of an item."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import BatchProcessor, UnexpectedBatchTypeError, by_key, in_order, process_partial_response
from batchcore_dynamodb import DynamoDBRecord, DynamoDBRecordEventName, DynamoDBStreams, item_key

State = dict[str, Any]
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/orders/stream/2020-12-09T07:04:00.000"


def changed(number: int, item: str = "101", name: str = "INSERT", **image: Any) -> dict[str, Any]:
    return {
        "eventID": str(number),
        "eventName": name,
        "eventSource": "aws:dynamodb",
        "dynamodb": {"Keys": {"Id": {"N": item}}, "SequenceNumber": str(number), "NewImage": image},
        "eventSourceARN": ARN,
    }


def windowed(*records: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Make an event as AWS's page on tumbling windows shows it."""
    return {
        "Records": list(records),
        "window": {"start": "2020-07-30T17:00:00Z", "end": "2020-07-30T17:05:00Z"},
        "state": {},
        "shardId": "shard123456789",
        "eventSourceARN": ARN,
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
        **fields,
    }


def count(record: DynamoDBRecord, state: State) -> None:
    name = DynamoDBRecordEventName(record.event_name).name
    state[name] = state.get(name, 0) + 1


def test_state_goes_out_beside_the_failures() -> None:
    event = windowed(changed(111), changed(112, name="MODIFY"), changed(113), state={"INSERT": 1})
    response = process_partial_response(event, count, BatchProcessor("dynamodb"))
    assert response == {"state": {"INSERT": 3, "MODIFY": 1}, "batchItemFailures": []}


def test_number_of_an_image_is_no_json_until_it_is_made_one() -> None:
    """``N`` is a Decimal, which JSON has none of: the record fails, and the state stays as it was."""

    def keep(record: DynamoDBRecord, state: State) -> None:
        price = record.dynamodb.new_image["price"]
        state["last"] = price if record.dynamodb.sequence_number == "2" else str(price)

    event = windowed(changed(1, price={"N": "1.10"}), changed(2, price={"N": "2"}))
    assert process_partial_response(event, keep, BatchProcessor("dynamodb")) == {
        "state": {"last": "1.10"},
        "batchItemFailures": [{"itemIdentifier": "2"}],
    }


def test_window_of_several_items_stops_at_the_first_failure_of_any() -> None:
    def keep(record: DynamoDBRecord, state: State) -> None:
        count(record, state)
        if record.dynamodb.keys["Id"] == 102:
            raise ValueError

    event = windowed(changed(1, "101"), changed(2, "102"), changed(3, "101"))
    for processor in (BatchProcessor("dynamodb"), BatchProcessor("dynamodb", max_concurrency=3)):
        assert process_partial_response(event, keep, processor) == {
            "state": {"INSERT": 1},
            "batchItemFailures": [{"itemIdentifier": "2"}, {"itemIdentifier": "3"}],
        }


@pytest.mark.parametrize("event_type", ["dynamodb", None])
def test_last_call_without_records_is_answered_with_the_state(event_type: Any) -> None:
    event = windowed(state={"INSERT": 2}, isFinalInvokeForWindow=True)
    response = process_partial_response(event, count, BatchProcessor(event_type))
    assert response == {"state": {"INSERT": 2}, "batchItemFailures": []}


def test_last_call_without_records_of_kinesis_is_not_claimed() -> None:
    event = windowed(eventSourceARN="arn:aws:kinesis:us-east-1:123456789012:stream/orders")
    assert DynamoDBStreams.claims_event(event) is False
    with pytest.raises(UnexpectedBatchTypeError):
        process_partial_response(event, count, BatchProcessor("dynamodb"))


# Orderings by the key of an item.


def handled(ordering: Any) -> tuple[list[str], list[str]]:
    """Give what is handled, and what the response names, where the first change of item 101 fails."""
    records = [changed(1, "101", fails={"BOOL": True}), changed(2, "102"), changed(3, "101"), changed(4, "102")]
    seen = []

    def handle(record: DynamoDBRecord) -> None:
        seen.append(str(record.dynamodb.sequence_number))
        if record.dynamodb.new_image.get("fails"):
            raise ValueError

    processor = BatchProcessor("dynamodb", ordering=ordering, raise_on_entire_batch_failure=False)
    response = process_partial_response({"Records": records}, handle, processor)
    return seen, [item["itemIdentifier"] for item in response["batchItemFailures"]]


def test_a_failure_stops_its_item_alone_where_the_caller_says_so() -> None:
    assert handled(by_key(item_key, on_failure="stop")) == (["1", "2", "4"], ["1", "3"])


def test_a_failure_stops_nothing_with_the_ordering_of_the_source() -> None:
    assert handled(None) == handled(by_key(item_key, on_failure="continue")) == (["1", "2", "3", "4"], ["1"])


def test_a_failure_stops_everything_in_order() -> None:
    assert handled(in_order()) == (["1"], ["1", "2", "3", "4"])


def keyed(keys: Any, arn: str = ARN) -> dict[str, Any]:
    return {"eventSourceARN": arn, "dynamodb": {"Keys": keys}}


def test_one_item_has_one_key_in_whatever_order_its_attributes_stand() -> None:
    keys = {"Id": {"N": "1"}, "At": {"S": "2"}}
    assert item_key(keyed(keys)) == item_key(keyed(dict(reversed(keys.items())))) is not None


@pytest.mark.parametrize(
    "other",
    [
        keyed({"Id": {"S": "1"}}),
        keyed({"Id": {"N": "2"}}),
        keyed({"Other": {"N": "1"}}),
        keyed({"Id": {"N": "1"}, "At": {"N": "1"}}),
        keyed({"Id": {"N": "1"}}, arn=f"{ARN}-other"),
    ],
)
def test_other_items_have_other_keys(other: dict[str, Any]) -> None:
    assert item_key(keyed({"Id": {"N": "1"}})) != item_key(other)


@pytest.mark.parametrize("record", [{"dynamodb": {}}, keyed({}), keyed(None)])
def test_a_record_without_keys_depends_on_no_other(record: dict[str, Any]) -> None:
    assert item_key(record) is None


@pytest.mark.parametrize("record", [{}, {"dynamodb": None}, {"kinesis": {"partitionKey": "k"}}])
def test_a_record_of_another_source_has_no_item_key(record: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="takes a record of DynamoDB Streams"):
        item_key(record)
