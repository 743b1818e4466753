"""A topic of Kafka that a share group reads: no order, each record by itself, deliveries that are counted."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import ConfigurationError, unordered
from batchcore_testing import EventSourceMapping, Faults, KafkaEvents, SharedTopic, Simulator, redelivered

from .support import (
    KAFKA,
    Failing,
    batches,
    contents,
    contents_of,
    deliveries,
    ends,
    faults,
    mapping_of,
    names,
    naming,
    partition_of,
    polled,
    processor_of,
    raises,
    records_of,
    responds,
    shape,
    times,
)


def shared(*contents: Any, **options: Any) -> SharedTopic:
    """Make a topic of records whose first letter is their key."""
    topic = SharedTopic(KafkaEvents(), **options)
    for content in contents:
        topic.send(content, key=content[0])
    return topic


# What is delivered.


def test_records_are_delivered_under_the_names_of_their_partitions() -> None:
    topic = shared(*(f"{letter}{number}" for number in range(4) for letter in "abg"), partitions=3)
    invocation = polled(mapping_of(topic))
    assert contents(invocation.items) == contents_of(invocation.event)
    for name, records in invocation.event["records"].items():
        assert {partition_of(record) for record in records} == {name}
        assert [record["offset"] for record in records] == sorted(record["offset"] for record in records)


def test_batch_has_a_hundred_records_by_default() -> None:
    topic = SharedTopic(KafkaEvents(), partitions=3)
    topic.send(*map(str, range(250)))
    assert [len(batch) for batch in batches(mapping_of(topic).drain())] == [100, 100, 50]


def test_there_is_no_order_inside_a_partition() -> None:
    topic = shared(*(f"a{number}" for number in range(12)))
    history = mapping_of(topic, batch_size=1).drain()
    seen = [content for batch in batches(history) for content in batch]
    assert sorted(seen) == sorted(contents(topic.items))
    assert seen != contents(topic.items)
    assert {item.lane for item in topic.items} == {None}


# Each record by itself.


def test_what_is_named_comes_again_and_nothing_else() -> None:
    topic = shared("a1", "a2", "a3", "b1", partitions=2)
    history = mapping_of(topic, responds(naming([topic.record_of(topic.items[0])]))).drain()
    assert sorted(batches(history)[0]) == ["a1", "a2", "a3", "b1"]
    assert batches(history)[1:] == [["a1"]]
    assert set(ends(topic).values()) == {"acknowledged"}


def test_records_of_two_partitions_with_one_offset_are_told_apart() -> None:
    topic = shared("a1", "d1", partitions=2)
    first, second = topic.items
    assert topic.record_of(first)["offset"] == topic.record_of(second)["offset"] == 0
    history = mapping_of(topic, responds(naming([topic.record_of(second)]))).drain()
    assert batches(history)[1:] == [["d1"]]


@pytest.mark.parametrize(
    "response",
    [None, {}, {"failures": []}, {"batchItemFailures": None}, "done", {"batchItemFailures": [{"itemIdentifier": "x"}]}],
    ids=repr,
)
def test_response_that_cannot_be_read_brings_the_whole_batch_again(response: Any) -> None:
    topic = shared("a1", "b1")
    history = mapping_of(topic, responds(response)).drain()
    assert deliveries(topic) == {"a1": 2, "b1": 2}
    assert history.invocations[0].complaint is not None


def test_error_of_the_function_brings_the_whole_batch_again() -> None:
    topic = shared("a1", "b1")
    mapping_of(topic, responds(ValueError("no"))).drain()
    assert deliveries(topic) == {"a1": 2, "b1": 2}


def test_without_report_batch_item_failures_what_was_named_is_lost() -> None:
    topic = shared("a1", "bad")
    history = mapping_of(topic, names("bad"), report_batch_item_failures=False).drain()
    assert contents(history.lost) == ["bad"]


# Deliveries.


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_broker_delivers_a_record_as_often_as_its_limit_says(limit: int) -> None:
    topic = shared("bad", "good", delivery_count_limit=limit)
    history = mapping_of(topic, names("bad")).drain()
    assert deliveries(topic) == {"bad": limit, "good": 1}
    assert ends(topic) == {"bad": "discarded", "good": "acknowledged"}
    assert contents(history.lost) == ["bad"]


def test_limit_is_five_by_default() -> None:
    topic = shared("bad")
    mapping_of(topic, raises).drain()
    assert deliveries(topic) == {"bad": 5}


@pytest.mark.parametrize("retries", [1, 3])
def test_retry_of_lambda_uses_up_no_delivery(retries: int) -> None:
    topic = shared("bad", "good", delivery_count_limit=2)
    history = mapping_of(topic, names("bad"), maximum_retry_attempts=retries).drain()
    assert deliveries(topic) == {"bad": 2 * (1 + retries), "good": 1}
    assert times(history) == sorted(times(history))


def test_record_that_was_named_and_never_tried_uses_up_its_deliveries() -> None:
    """The way to lose a record in queue mode: to stop at the first failure, as is right in stream mode."""
    topic = shared("bad", "b2", delivery_count_limit=3)
    stops = processor_of(KAFKA, raise_on_entire_batch_failure=False)
    history = EventSourceMapping(topic, processor=stops, record_handler=Failing(bad=-1)).drain()
    assert ends(topic) == {"bad": "discarded", "b2": "discarded"}
    assert contents(history.never_tried) == ["b2"]


def test_processor_without_order_tries_every_record() -> None:
    topic = shared(*(f"{letter}{number}" for number in range(5) for letter in "abc"), partitions=2)
    mapping = EventSourceMapping(
        topic,
        processor=processor_of(KAFKA, ordering=unordered, raise_on_entire_batch_failure=False),
        record_handler=Failing(a1=2, b3=1, c0=4),
        batch_size=4,
    )
    history = mapping.drain()
    history.check()
    assert len(history.done) == 15
    assert all(len(item.tried) == len(item.deliveries) for item in topic.items)


def test_throttled_invocation_uses_up_no_delivery() -> None:
    topic = shared("a1", delivery_count_limit=1)
    history = mapping_of(topic, faults=Faults(at={1: "throttle"})).drain()
    assert faults(history) == {"throttle": 1, None: 1}
    assert ends(topic) == {"a1": "acknowledged"}


def test_lost_acknowledgement_brings_a_record_again_when_its_lock_is_over() -> None:
    topic = shared("a1", lock_duration=45)
    history = mapping_of(topic, faults=Faults(at={1: "duplicate"})).drain()
    assert deliveries(topic) == {"a1": 2}
    assert times(history) == [0, 45]


def test_records_are_gone_when_their_retention_is_over() -> None:
    topic = shared("old", retention=60)
    topic.clock.advance(60)
    topic.send("young", key="y")
    assert batches(mapping_of(topic).drain()) == [["young"]]
    assert ends(topic) == {"old": "expired", "young": "acknowledged"}


def test_same_seed_has_the_same_history() -> None:
    def lived() -> str:
        topic = shared(*(f"{letter}{number}" for number in range(6) for letter in "abc"), partitions=2)
        mapping = mapping_of(topic, names("a1", "b2"), seed=7, batch_size=4, faults=Faults(throttles=0.2))
        return shape(mapping.drain())

    assert lived() == lived()


# Options.


@pytest.mark.parametrize(
    "option",
    [
        "parallelization_factor",
        "tumbling_window_in_seconds",
        "bisect_batch_on_function_error",
        "maximum_record_age_in_seconds",
    ],
)
def test_option_that_is_not_known_of_queue_mode_is_refused(option: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        mapping_of(shared(), **{option: True if option.startswith("bisect") else 60})


def test_retries_have_the_range_that_aws_gives_them() -> None:
    for right in (0, 10_000):
        mapping_of(shared(), maximum_retry_attempts=right)
    for wrong in (-2, 10_001):
        with pytest.raises(ConfigurationError, match="maximum_retry_attempts"):
            mapping_of(shared(), maximum_retry_attempts=wrong)


@pytest.mark.parametrize("option", ["partitions", "delivery_count_limit"])
def test_topic_without_a_partition_or_a_delivery_is_refused(option: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        shared(**{option: 0})


def test_simulator_makes_one_on_its_clock() -> None:
    simulator = Simulator()
    topic = simulator.shared_topic(KafkaEvents(), partitions=2, delivery_count_limit=1)
    topic.send("bad", key="a")
    simulator.mapping(topic, names("bad")).drain()
    assert topic.clock is simulator.clock
    assert ends(topic) == {"bad": "discarded"}


# One response.


def test_one_response_is_read_by_the_mode_that_is_named() -> None:
    topic = shared("a1", "a2", "a3")
    event = polled(mapping_of(topic)).event
    records = records_of(event)
    response = naming(records[1:2])
    assert redelivered(event, response) == records[1:]
    assert redelivered(event, response, consumption_mode="queue") == records[1:2]


def test_mode_of_another_service_is_refused() -> None:
    wrong: Any = "Queue"
    event = polled(mapping_of(shared("a1"))).event
    with pytest.raises(ConfigurationError, match="'Queue'"):
        redelivered(event, {"batchItemFailures": []}, consumption_mode=wrong)
    with pytest.raises(ConfigurationError, match="events of sqs"):
        redelivered({"Records": [{"eventSource": "aws:sqs", "messageId": "1"}]}, {}, consumption_mode="queue")
