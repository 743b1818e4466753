"""What Lambda makes of a response: each row of the table of success and failure, for each source.

Rows that AWS documents, or that were seen at AWS, stand apart from those of which nobody knows: of the latter, the
reading is the one that loses nothing.
"""

from __future__ import annotations

import functools
import json
import math
import operator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from batchcore import UnexpectedBatchTypeError, hookimpl
from batchcore_testing import make_event, make_record, redelivered

from .support import (
    KAFKA,
    STREAMS,
    batches,
    contents_of,
    event_of,
    failures,
    id_of,
    mapping_of,
    naming,
    records_of,
    responds,
    source_of,
)

EVENTS = Path(__file__).parents[1] / "events"


def again(event: Any, response: Any, **options: Any) -> list[Any]:
    """Give the contents of the records that come again."""
    return contents_of({"Records": redelivered(event, response, **options)})


def named(source: str, *contents: str) -> Any:
    """Make a response that names records of a, b, c as failed."""
    return naming(
        record for record in records_of(event_of(source, "a", "b", "c")) if contents_of([record])[0] in contents
    )


# Section 2: the table. The letters say how it is known: documented, or validated at AWS.

SUCCEEDS: dict[str, tuple[Any, dict[str, str]]] = {
    "an empty list": ({"batchItemFailures": []}, {"sqs": "d", "kinesis": "dv", "dynamodb": "dv"}),
    "a null list": ({"batchItemFailures": None}, {"sqs": "d", "kinesis": "dv", "dynamodb": "dv"}),
    "an empty object": ({}, {"sqs": "dv", "kinesis": "dv", "dynamodb": "dv"}),
    "null": (None, {"sqs": "d", "kinesis": "dv", "dynamodb": "dv"}),
    "a bare list": ([], {"kinesis": "v", "dynamodb": "v"}),
    "an empty string": ("", {"kinesis": "v"}),
    "another top-level key": ({"failures": [{"itemIdentifier": "x"}]}, {"sqs": "d", "kinesis": "d", "dynamodb": "d"}),
}

FAILS: dict[str, tuple[Any, dict[str, str]]] = {
    "a plain string": ("done", {"sqs": "dv"}),
    "an empty identifier": (failures(""), {"sqs": "d", "kinesis": "dv", "dynamodb": "dv"}),
    "a null identifier": (failures(None), {"sqs": "d", "kinesis": "dv", "dynamodb": "dv"}),
    "a wrong key": ({"batchItemFailures": [{"foo": 123}]}, {"sqs": "d", "kinesis": "dv", "dynamodb": "dv"}),
    "a wrong key that is null": (
        {"batchItemFailures": [{"foo": None}]},
        {"sqs": "d", "kinesis": "dv", "dynamodb": "dv"},
    ),
    "an identifier of no record": (failures("x"), {"sqs": "d", "kinesis": "v", "dynamodb": "v"}),
    "a number for an identifier": (failures(123), {"sqs": "d", "kinesis": "v", "dynamodb": "v"}),
    "an exception": (ValueError("no"), {"sqs": "dv", "kinesis": "dv", "dynamodb": "dv", "kafka": "d"}),
}

UNKNOWN: dict[str, tuple[Any, tuple[str, ...]]] = {
    "a null list": ({"batchItemFailures": None}, ("kafka",)),
    "an empty object": ({}, ("kafka",)),
    "null": (None, ("kafka",)),
    "another top-level key": ({"failures": []}, ("kafka",)),
    "a bare list": ([], ("sqs", "kafka")),
    "an empty string": ("", ("sqs", "dynamodb", "kafka")),
    "a plain string": ("done", ("kinesis", "dynamodb", "kafka")),
    "a bare list that is not empty": (["x"], ("sqs", "kinesis", "dynamodb", "kafka")),
    "a number": (0, ("sqs", "kinesis", "dynamodb", "kafka")),
    "false": (False, ("sqs", "kinesis", "dynamodb", "kafka")),
    "a list that is an object": ({"batchItemFailures": {}}, ("sqs", "kinesis", "dynamodb", "kafka")),
    "a list that is an empty string": ({"batchItemFailures": ""}, ("sqs", "kinesis", "dynamodb", "kafka")),
    "an entry that is a string": ({"batchItemFailures": ["x"]}, ("sqs", "kinesis", "dynamodb", "kafka")),
    "an entry that is null": ({"batchItemFailures": [None]}, ("sqs", "kinesis", "dynamodb", "kafka")),
    "an identifier that is a list": (failures(["x"]), ("sqs", "kinesis", "dynamodb", "kafka")),
    "an empty identifier": (failures(""), ("kafka",)),
    "a null identifier": (failures(None), ("kafka",)),
    "a wrong key": ({"batchItemFailures": [{"foo": 123}]}, ("kafka",)),
    "a flat string for an identifier": (failures("orders-0-1"), ("kafka",)),
    "an offset of no record": (failures({"partition": "orders-0", "offset": 3}), ("kafka",)),
    "a partition of no record": (failures({"partition": "orders-1", "offset": 1}), ("kafka",)),
    "an offset without its partition": (failures({"offset": 1}), ("kafka",)),
}

KNOWN_BY = {"d": "doc", "v": "validated", "dv": "doc and validated"}


def rows(table: dict[str, tuple[Any, dict[str, str]]], only: str = "dv") -> list[Any]:
    return [
        pytest.param(source, response, id=f"{source}: {name} ({KNOWN_BY[known]})")
        for name, (response, sources) in table.items()
        for source, known in sources.items()
        if set(known) & set(only)
    ]


@pytest.mark.parametrize(("source", "response"), rows(SUCCEEDS))
def test_row_of_the_table_that_is_a_success(source: str, response: Any) -> None:
    assert again(event_of(source, "a", "b", "c"), response) == []


@pytest.mark.parametrize(("source", "response"), rows(FAILS))
def test_row_of_the_table_that_is_a_failure_of_the_whole_batch(source: str, response: Any) -> None:
    assert again(event_of(source, "a", "b", "c"), response) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("source", "response"),
    [
        pytest.param(source, response, id=f"{source}: {name}")
        for name, (response, sources) in UNKNOWN.items()
        for source in sources
    ],
)
def test_row_of_which_nobody_knows_loses_nothing(source: str, response: Any) -> None:
    assert again(event_of(source, "a", "b", "c"), response) == ["a", "b", "c"]


def test_empty_list_of_kafka_is_assumed_to_be_a_success() -> None:
    assert again(event_of("kafka", "a", "b", "c"), {"batchItemFailures": []}) == []


def test_every_cell_of_the_table_has_one_reading() -> None:
    cells = [
        (name, source)
        for table in (SUCCEEDS, FAILS, UNKNOWN)
        for name, (_, sources) in table.items()
        for source in sources
    ]
    assert len(set(cells)) == len(cells)
    of_the_page = [*SUCCEEDS, "a plain string", "an empty identifier", "a null identifier", "a wrong key"]
    missing = {(name, source) for name in of_the_page for source in ("sqs", "kinesis", "dynamodb", "kafka")} - set(
        cells
    )
    assert missing == {("an empty list", "kafka")}


# Section 2, as it was seen at AWS: one record, two retries, a destination.


@pytest.mark.parametrize(("source", "response"), [row for row in rows(SUCCEEDS, "v") if row.values[0] != "sqs"])
def test_response_that_was_seen_to_succeed_ends_the_record_after_one_delivery(source: str, response: Any) -> None:
    stream = source_of(source)
    stream.send("hello", key="test")
    mapping = mapping_of(stream, responds(*[response] * 9), batch_size=1, maximum_retry_attempts=2, on_failure=True)
    assert batches(mapping.drain()) == [["hello"]]
    assert stream.on_failure == []


@pytest.mark.parametrize(("source", "response"), [row for row in rows(FAILS, "v") if row.values[0] != "sqs"])
def test_response_that_was_seen_to_fail_brings_the_record_three_times_and_then_to_the_destination(
    source: str, response: Any
) -> None:
    stream = source_of(source)
    stream.send("hello", key="test")
    mapping = mapping_of(stream, responds(*[response] * 9), batch_size=1, maximum_retry_attempts=2, on_failure=True)
    assert batches(mapping.drain()) == [["hello"]] * 3
    assert [told["requestContext"]["condition"] for told in stream.on_failure] == ["RetryAttemptsExhausted"]


def test_string_that_is_no_object_was_seen_to_fail_a_batch_of_a_queue() -> None:
    queue = source_of("sqs", max_receive_count=2)
    queue.send("a", "b")
    mapping_of(queue, responds(*["(garbage"] * 9)).drain()
    assert len(queue.dead_letters) == 2


def test_empty_object_was_seen_to_delete_a_batch_of_a_queue() -> None:
    queue = source_of("sqs", max_receive_count=2)
    queue.send("a", "b")
    assert len(mapping_of(queue, responds({})).drain().invocations) == 1
    assert queue.dead_letters == []


def test_error_of_the_function_was_seen_to_bring_a_batch_of_a_queue_again() -> None:
    queue = source_of("sqs")
    queue.send("a", "b")
    history = mapping_of(queue, responds(ValueError("no"))).drain()
    assert sorted(batches(history)[1]) == ["a", "b"]


# Responses that name records.


def test_named_messages_come_again_and_the_others_are_deleted() -> None:
    assert again(event_of("sqs", "a", "b", "c"), named("sqs", "a", "c")) == ["a", "c"]


def test_named_message_of_a_fifo_queue_comes_again_alone() -> None:
    event = make_event("sqs", "a", "b", "c", sent={"key": "g", "resource": "orders.fifo"})
    assert again(event, failures(event["Records"][0]["messageId"])) == ["a"]


@pytest.mark.parametrize("source", STREAMS)
@pytest.mark.parametrize(("bad", "expected"), [("a", "abc"), ("b", "bc"), ("c", "c"), ("bc", "bc"), ("ac", "abc")])
def test_everything_from_the_lowest_sequence_number_on_comes_again(source: str, bad: str, expected: str) -> None:
    assert again(event_of(source, "a", "b", "c"), named(source, *bad)) == list(expected)


@pytest.mark.parametrize("source", STREAMS)
def test_lowest_sequence_number_counts_wherever_it_stands_in_the_response(source: str) -> None:
    response = named(source, "b", "c")
    response["batchItemFailures"].reverse()
    assert again(event_of(source, "a", "b", "c"), response) == ["b", "c"]


@pytest.mark.parametrize(
    ("source", "field", "key"), [("kinesis", "kinesis", "sequenceNumber"), ("dynamodb", "dynamodb", "SequenceNumber")]
)
def test_sequence_numbers_of_different_length_are_compared_as_numbers(source: str, field: str, key: str) -> None:
    event = event_of(source, "a", "b", "c")
    for record, number in zip(event["Records"], ("9", "10", "100"), strict=True):
        record[field][key] = number
    assert again(event, failures("9", "10")) == ["a", "b", "c"]
    assert again(event, failures("10", "100")) == ["b", "c"]


@pytest.mark.parametrize(
    ("source", "field", "key"), [("kinesis", "kinesis", "sequenceNumber"), ("dynamodb", "dynamodb", "SequenceNumber")]
)
def test_numbers_count_and_not_where_a_record_stands_in_the_batch(source: str, field: str, key: str) -> None:
    event = event_of(source, "a", "b", "c")
    for record, number in zip(event["Records"], ("10", "9", "100"), strict=True):
        record[field][key] = number
    assert again(event, failures("10")) == ["a", "c"]


def test_record_without_an_identifier_is_named_by_no_response() -> None:
    for nothing in (None, ""):
        event = {"Records": [make_record("sqs", "a"), make_record("sqs", "b", messageId=nothing)]}
        assert again(event, failures(nothing)) == ["a", "b"]


def test_records_that_are_named_twice_come_again_once() -> None:
    identifier = id_of(records_of(event_of("sqs", "a", "b"))[1])
    assert again(event_of("sqs", "a", "b"), failures(identifier, identifier)) == ["b"]


def test_message_that_is_twice_in_a_batch_comes_again_twice() -> None:
    event = event_of("sqs", "a", "b")
    event["Records"].append(event["Records"][0])
    assert again(event, failures(event["Records"][0]["messageId"])) == ["a", "a"]


@pytest.mark.parametrize("source", ["sqs", "kinesis", "dynamodb", "kafka"])
@pytest.mark.parametrize("wrong", [{"foo": 1}, {"itemIdentifier": ""}, {"itemIdentifier": "x"}])
def test_one_wrong_entry_fails_the_whole_batch_whatever_the_others_are(source: str, wrong: Any) -> None:
    right = named(source, "b")["batchItemFailures"]
    for entries in ([*right, wrong], [wrong, *right]):
        response = {"batchItemFailures": entries}
        assert again(event_of(source, "a", "b", "c"), response) == ["a", "b", "c"]


@pytest.mark.parametrize("source", STREAMS)
def test_event_id_names_no_record_of_a_stream(source: str) -> None:
    event = event_of(source, "a", "b", "c")
    assert again(event, failures(event["Records"][1]["eventID"])) == ["a", "b", "c"]


def test_further_keys_beside_the_failures_change_nothing() -> None:
    response = {**named("sqs", "b"), "note": 1}
    response["batchItemFailures"][0]["reason"] = "no stock"
    assert again(event_of("sqs", "a", "b"), response) == ["b"]


# Section 1: what a response is at all.


@pytest.mark.parametrize("source", ["sqs", "kinesis", "dynamodb", "kafka"])
def test_response_is_not_read_without_report_batch_item_failures(source: str) -> None:
    event = event_of(source, "a", "b", "c")
    for response in (named(source, "b"), failures(""), "done", None):
        assert again(event, response, report_batch_item_failures=False) == []


@pytest.mark.parametrize("source", ["sqs", "kinesis", "dynamodb", "kafka"])
def test_exception_fails_the_batch_without_report_batch_item_failures_too(source: str) -> None:
    assert len(redelivered(event_of(source, "a", "b"), ValueError("no"), report_batch_item_failures=False)) == 2


@pytest.mark.parametrize("reports", [True, False], ids=["read", "not read"])
def test_response_of_more_than_6_mb_fails_the_batch(reports: bool) -> None:
    def response_of(size: int) -> Any:
        empty = {"batchItemFailures": [], "note": ""}
        return {**empty, "note": "x" * (size - len(json.dumps(empty)))}

    event = event_of("sqs", "a", "b")
    limit = 6 * 1024 * 1024
    assert again(event, response_of(limit), report_batch_item_failures=reports) == []
    assert again(event, response_of(limit + 1), report_batch_item_failures=reports) == ["a", "b"]


@pytest.mark.parametrize(
    "response",
    [{"batchItemFailures": [], "at": datetime(2026, 1, 1)}, {"batchItemFailures": {"x"}}, b"{}", object()],  # noqa: DTZ001
    ids=["a date", "a set", "bytes", "an object"],
)
@pytest.mark.parametrize("reports", [True, False], ids=["read", "not read"])
def test_response_that_cannot_be_json_fails_the_batch(response: Any, reports: bool) -> None:
    assert again(event_of("sqs", "a", "b"), response, report_batch_item_failures=reports) == ["a", "b"]


def test_number_that_is_no_json_fails_the_batch() -> None:
    response = {"batchItemFailures": [], "mean": math.nan}
    assert again(event_of("sqs", "a", "b"), response) == ["a", "b"]
    assert again(event_of("sqs", "a", "b"), response, report_batch_item_failures=False) == []


def test_response_with_a_tuple_is_read_as_the_list_that_it_becomes() -> None:
    event = event_of("sqs", "a", "b")
    response = {"batchItemFailures": ({"itemIdentifier": event["Records"][0]["messageId"]},)}
    assert again(event, response) == ["a"]


def test_raw_records_are_given_as_they_were() -> None:
    event = event_of("sqs", "a", "b")
    assert redelivered(event, ValueError("no")) == event["Records"]


# Section 4: tumbling windows.


def window_of(source: str = "kinesis", *contents: str, final: bool = False) -> Any:
    event = event_of(source, *contents)
    return {
        **event,
        "window": {"start": "2026-10-01T07:04:00Z", "end": "2026-10-01T07:06:00Z"},
        "state": {},
        "shardId": "shardId-000000000000",
        "eventSourceARN": f"arn:aws:{source}:eu-west-1:123456789012:stream/orders",
        "isFinalInvokeForWindow": final,
        "isWindowTerminatedEarly": False,
    }


@pytest.mark.parametrize("source", STREAMS)
@pytest.mark.parametrize("response", [{"batchItemFailures": []}, {}, None, [], ""], ids=repr)
@pytest.mark.parametrize("reports", [True, False], ids=["reporting", "not reporting"])
def test_response_of_a_window_without_a_state_has_failed(source: str, response: Any, reports: bool) -> None:
    assert again(window_of(source, "a", "b"), response, report_batch_item_failures=reports) == ["a", "b"]


@pytest.mark.parametrize("source", STREAMS)
@pytest.mark.parametrize("response", [{"state": {}, "batchItemFailures": []}, {"state": {"n": 1}}], ids=repr)
def test_response_of_a_window_with_a_state_has_succeeded(source: str, response: Any) -> None:
    assert again(window_of(source, "a", "b"), response) == []


@pytest.mark.parametrize("source", STREAMS)
def test_response_of_a_window_names_failures_beside_its_state(source: str) -> None:
    response = {"state": {}, **named(source, "b")}
    assert again(window_of(source, "a", "b", "c"), response) == ["b", "c"]


@pytest.mark.parametrize("wrong", [failures(""), failures("x"), {"batchItemFailures": [{"foo": 1}]}], ids=repr)
def test_wrong_entry_beside_a_state_fails_the_batch(wrong: Any) -> None:
    assert again(window_of("kinesis", "a", "b"), {"state": {}, **wrong}) == ["a", "b"]


@pytest.mark.parametrize("response", [named("kinesis", "b"), failures("x"), {"batchItemFailures": "x"}], ids=repr)
def test_failures_beside_a_state_are_not_read_without_report_batch_item_failures(response: Any) -> None:
    event = window_of("kinesis", "a", "b", "c")
    assert again(event, {"state": {}, **response}, report_batch_item_failures=False) == []


@pytest.mark.parametrize("state", [None, "n=1", ["n"], 3], ids=repr)
def test_state_that_is_no_object_is_taken_for_none(state: Any) -> None:
    """AWS's page says that there must be a state, not what it may be: this reading loses nothing."""
    assert again(window_of("kinesis", "a", "b"), {"state": state, "batchItemFailures": []}) == ["a", "b"]


@pytest.mark.parametrize("source", STREAMS)
def test_last_call_of_a_window_may_have_no_records(source: str) -> None:
    for response in ({"state": {}}, {"batchItemFailures": []}, ValueError("no")):
        assert redelivered({**window_of(source, final=True), "Records": []}, response) == []


# Section 5: Kafka.


def kafka_event() -> Any:
    """Make an event of two partitions: a to c of the first, x to z of the second."""
    event = event_of("kafka", "a", "b", "c")
    others = [{**record, "partition": 1} for record in event_of("kafka", "x", "y", "z")["records"]["orders-0"]]
    event["records"]["orders-1"] = others
    return event


def of_kafka(*identifiers: tuple[int, int]) -> Any:
    return failures(*({"partition": f"orders-{partition}", "offset": offset} for partition, offset in identifiers))


@pytest.mark.parametrize(
    ("identifiers", "expected"),
    [
        ([(0, 1)], "bc"),
        ([(1, 0)], "xyz"),
        ([(0, 2), (1, 1)], "cyz"),
        ([(0, 1), (0, 2)], "bc"),
        ([(0, 2), (0, 1)], "bc"),
        ([(0, 0), (1, 0)], "abcxyz"),
    ],
)
def test_each_partition_comes_again_from_its_first_failure_on(identifiers: Any, expected: str) -> None:
    assert again(kafka_event(), of_kafka(*identifiers)) == list(expected)


def test_identifier_of_kafka_is_an_object_whatever_the_order_of_its_keys() -> None:
    assert again(kafka_event(), failures({"offset": 2, "partition": "orders-0"})) == ["c"]


def test_offsets_are_compared_as_numbers() -> None:
    event = event_of("kafka", "a", "b", "c")
    for record, offset in zip(event["records"]["orders-0"], (9, 10, 100), strict=True):
        record["offset"] = offset
    assert again(event, of_kafka((0, 10))) == ["b", "c"]


@pytest.mark.parametrize("source", ["aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"])
def test_kafka_is_known_by_each_of_its_names(source: str) -> None:
    event = {**kafka_event(), "eventSource": source}
    assert again(event, of_kafka((0, 2))) == ["c"]


# Section 6: Amazon MQ.


@pytest.mark.parametrize("file", ["activeMQEvent", "rabbitMQEvent"])
def test_messages_of_a_broker_come_again_only_when_the_function_raises(file: str) -> None:
    event = json.loads((EVENTS / f"{file}.json").read_text())
    for response in (None, failures(""), failures("x"), "done"):
        assert redelivered(event, response) == []
    groups = (
        event["messages"]
        if file == "activeMQEvent"
        else functools.reduce(operator.iadd, event["rmqMessagesByQueue"].values(), [])
    )
    assert redelivered(event, ValueError("no")) == groups


@pytest.mark.parametrize("name", ["aws:mq", "aws:amq"])
def test_active_mq_is_known_by_both_of_its_names(name: str) -> None:
    event = json.loads((EVENTS / "activeMQEvent.json").read_text())
    assert redelivered({**event, "eventSource": name}, ValueError("no")) == event["messages"]


# Section 7: EventBridge Pipes.


@pytest.mark.parametrize(("source", "name"), [("sqs", "messageId"), ("kinesis", "eventID"), ("dynamodb", "eventID")])
def test_pipe_names_records_by_message_id_or_event_id(source: str, name: str) -> None:
    records = event_of(f"pipes-{source}", "a", "b", "c")
    assert again(records, failures(records[2][name])) == ["c"]


def test_pipe_does_not_know_a_sequence_number() -> None:
    records = event_of("pipes-kinesis", "a", "b", "c")
    assert again(records, failures(records[2]["sequenceNumber"])) == ["a", "b", "c"]
    changes = event_of("pipes-dynamodb", "a", "b", "c")
    assert again(changes, failures(changes[2]["dynamodb"]["SequenceNumber"])) == ["a", "b", "c"]


@pytest.mark.parametrize("source", STREAMS)
def test_pipe_brings_again_everything_from_the_lowest_sequence_number_on(source: str) -> None:
    records = event_of(f"pipes-{source}", "a", "b", "c")
    assert again(records, failures(records[2]["eventID"], records[1]["eventID"])) == ["b", "c"]
    a, b, c = records
    assert again([c, a, b], failures(b["eventID"])) == ["c", "b"]


@pytest.mark.parametrize("event_ids", [("9", "abc", "1"), ("9", "5", "1")])
def test_event_id_is_no_number_even_where_it_looks_like_one(event_ids: tuple[str, ...]) -> None:
    records = event_of("pipes-dynamodb", "a", "b", "c")
    for record, event_id in zip(records, event_ids, strict=True):
        record["eventID"] = event_id
    assert again(records, failures("9")) == ["a", "b", "c"]
    assert again(records, failures("1")) == ["c"]


@pytest.mark.parametrize("source", ["pipes-kafka", "pipes-mq"])
def test_pipe_from_kafka_or_amazon_mq_brings_all_again_by_an_error_alone(source: str) -> None:
    records = event_of(source, "a", "b")
    assert again(records, failures("a", {"partition": "orders-0", "offset": 0})) == []
    assert again(records, ValueError("no")) == ["a", "b"]


# Which event it is.


@pytest.mark.parametrize("event", [{}, [], None, "event", {"detail-type": "Scheduled Event"}], ids=repr)
def test_event_of_nobody_is_refused(event: Any) -> None:
    with pytest.raises(UnexpectedBatchTypeError):
        redelivered(event, None)


class Jobs:
    """A source of somebody's own, of which AWS knows nothing."""

    name = "jobs"

    def __init__(self, kind: str = "record") -> None:
        self.kind = kind

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "jobs" in event

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["jobs"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [record["id"] for record in records]

    @hookimpl
    def acknowledgement(self) -> Any:
        return self.kind


@pytest.mark.parametrize(("kind", "expected"), [("record", ["b"]), ("checkpoint", ["b", "c"])])
def test_event_of_a_source_of_ones_own_is_read_through_it(kind: str, expected: list[str]) -> None:
    event = {"jobs": [{"id": name} for name in "abc"]}
    found = redelivered(event, failures("b"), source=Jobs(kind))
    assert [job["id"] for job in found] == expected


def test_order_of_the_batch_counts_where_identifiers_are_no_numbers() -> None:
    event = {"jobs": [{"id": name} for name in ("9", "b", "1")]}
    assert redelivered(event, failures("9"), source=Jobs("checkpoint")) == event["jobs"]
    assert redelivered(event, failures("1"), source=Jobs("checkpoint")) == event["jobs"][2:]


def test_source_of_a_service_that_is_known_changes_nothing() -> None:
    assert again(event_of("kafka", "a", "b"), named("kafka", "b"), source=KAFKA) == ["b"]


def test_record_that_was_changed_by_hand_is_read_as_it_is() -> None:
    event = {"Records": [make_record("sqs", "a", messageId="one"), make_record("sqs", "b", messageId="two")]}
    assert again(event, failures("two")) == ["b"]
