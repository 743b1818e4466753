"""A topic of Kafka: an offset per partition, and the retries of provisioned mode."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import ConfigurationError, SourceNotInstalledError, in_order, unordered
from batchcore_testing import EventSourceMapping, Faults, KafkaEvents, Sent, Topic

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
    succeeds,
    times,
)


def topic_of(*contents: str, **options: Any) -> Topic:
    """Make a topic of records whose first letter is their key."""
    topic = Topic(source=KafkaEvents(), **options)
    for content in contents:
        topic.send(content, key=content[0])
    return topic


def two_partitions(*contents: str, **options: Any) -> Topic:
    """Make a topic of two partitions: records that begin with a are in one, those that begin with b in the other."""
    topic = Topic(source=KafkaEvents(), partitions=2, **options)
    for content in contents:
        topic.send(content, key={"a": "a", "b": "d"}[content[0]])
    assert {item.lane for item in topic.items if item.content[0] == "a"}.isdisjoint(
        item.lane for item in topic.items if item.content[0] == "b"
    )
    return topic


# What is delivered.


def test_records_are_delivered_under_the_name_of_their_partition() -> None:
    event = polled(mapping_of(topic_of("a1", "a2"))).event
    assert event["eventSource"] == "aws:kafka"
    assert list(event["records"]) == ["orders-0"]
    assert [record["offset"] for record in event["records"]["orders-0"]] == [0, 1]
    assert contents_of(event) == ["a1", "a2"]


def test_batch_has_records_of_several_partitions_each_in_the_order_of_its_offsets() -> None:
    topic = topic_of(*(f"{letter}{number}" for number in range(4) for letter in "abg"), partitions=3)
    invocation = polled(mapping_of(topic))
    event = invocation.event
    assert contents(invocation.items) == contents_of(event)
    assert set(event["records"]) == {"orders-0", "orders-1", "orders-2"}
    for name, records in event["records"].items():
        assert [partition_of(record) for record in records] == [name] * len(records)
        assert [record["offset"] for record in records] == list(range(len(records)))


def test_order_of_a_partition_is_kept_from_batch_to_batch() -> None:
    topic = topic_of(*(f"{letter}{number}" for number in range(6) for letter in "abcd"), partitions=3)
    history = mapping_of(topic, batch_size=5).drain()
    for lane in {item.lane for item in topic.items}:
        sent = [item.number for item in topic.items if item.lane == lane]
        assert [item.number for each in history.invocations for item in each.items if item.lane == lane] == sent


def test_key_always_goes_to_the_same_partition() -> None:
    topic = topic_of("a1", "b1", "c1", "a2", "b2", "c2", partitions=4)
    assert len({item.lane for item in topic.items if item.content[0] == "a"}) == 1


def test_batch_has_a_hundred_records_by_default() -> None:
    topic = Topic(source=KafkaEvents(), partitions=3)
    topic.send(*map(str, range(250)))
    assert [len(batch) for batch in batches(mapping_of(topic).drain())] == [100, 100, 50]
    for size in (0, 10_001):
        with pytest.raises(ConfigurationError, match="batch_size"):
            mapping_of(Topic(source=KafkaEvents()), batch_size=size)


def test_tombstone_has_no_value() -> None:
    topic = Topic(source=KafkaEvents())
    topic.send(None, key="a")
    (record,) = records_of(polled(mapping_of(topic)).event)
    assert "value" not in record


def test_topic_is_of_a_source_that_is_installed() -> None:
    with pytest.raises(SourceNotInstalledError, match="acme-nothing"):
        Topic("acme-nothing")


def test_topic_without_a_partition_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="partitions"):
        Topic(source=KafkaEvents(), partitions=0)


def test_events_of_kafka_are_made_for_whoever_writes_such_a_source() -> None:
    factory = KafkaEvents()
    record = factory.record(Sent({"n": 1}, key="k", resource="mine", shard=2, sequence=7))
    assert (record["topic"], record["partition"], record["offset"]) == ("mine", 2, 7)
    assert list(factory.event([record])["records"]) == ["mine-2"]


# The offset of each partition.


def test_partition_comes_again_from_its_first_failure_on_and_the_other_is_left_alone() -> None:
    topic = two_partitions("a1", "b1", "a2", "b2", "a3", "b3")
    history = mapping_of(topic, responds(naming([topic.record_of(topic.items[2])]))).drain()
    assert batches(history)[1:] == [["a2", "a3"]]


def test_each_partition_has_a_first_failure_of_its_own() -> None:
    topic = two_partitions("a1", "b1", "a2", "b2", "a3", "b3")
    bad = [item for item in topic.items if item.content in ("a3", "b2", "b3")]
    history = mapping_of(topic, responds(naming(map(topic.record_of, bad)))).drain()
    assert sorted(batches(history)[1]) == ["a3", "b2", "b3"]


def test_string_for_an_identifier_brings_the_whole_batch_again() -> None:
    topic = two_partitions("a1", "b1")
    response = {"batchItemFailures": [{"itemIdentifier": "orders-0-0"}]}
    history = mapping_of(topic, responds(response)).drain()
    assert [sorted(batch) for batch in batches(history)] == [["a1", "b1"]] * 2


@pytest.mark.parametrize("response", [None, {}, {"failures": []}, {"batchItemFailures": None}], ids=repr)
def test_response_of_which_nobody_knows_what_kafka_makes_of_it_is_told(response: Any) -> None:
    topic = topic_of("a1")
    history = mapping_of(topic, responds(response)).drain()
    assert deliveries(topic) == {"a1": 2}
    assert "null" in str(history.invocations[0].complaint)


def test_function_that_only_raises_needs_no_response_without_report_batch_item_failures() -> None:
    """On-demand mode of a mapping."""
    topic = topic_of("a1")
    history = mapping_of(topic, lambda event, context: None, report_batch_item_failures=False).drain()
    assert batches(history) == [["a1"]]


def test_without_report_batch_item_failures_what_was_named_is_lost() -> None:
    topic = topic_of("a1", "bad")
    history = mapping_of(topic, names("bad"), report_batch_item_failures=False).drain()
    assert contents(history.lost) == ["bad"]


def test_without_report_batch_item_failures_an_error_brings_the_whole_batch_until_it_expires() -> None:
    topic = topic_of("a1", "b1", retention=600)
    mapping_of(topic, raises, report_batch_item_failures=False).drain()
    assert ends(topic) == {"a1": "expired", "b1": "expired"}


# Retries, as in provisioned mode.


@pytest.mark.parametrize("attempts", [0, 1, 3])
def test_batch_that_always_fails_is_delivered_once_more_than_it_is_retried(attempts: int) -> None:
    topic = topic_of("a1", "a2")
    history = mapping_of(topic, raises, maximum_retry_attempts=attempts).drain()
    assert batches(history) == [["a1", "a2"]] * (1 + attempts)
    assert ends(topic) == {"a1": "discarded", "a2": "discarded"}


def test_retries_have_no_limit_by_default() -> None:
    topic = topic_of("a1")
    mapping_of(topic, responds(*[ValueError("no")] * 100)).drain()
    assert deliveries(topic) == {"a1": 101}


def test_destination_limits_retries_without_a_limit_to_ten() -> None:
    topic = topic_of("bad")
    mapping_of(topic, raises, on_failure=True).drain()
    assert deliveries(topic) == {"bad": 11}
    assert ends(topic) == {"bad": "on-failure destination"}


@pytest.mark.parametrize("attempts", [3, 20])
def test_destination_changes_no_limit_that_was_chosen(attempts: int) -> None:
    topic = topic_of("bad")
    mapping_of(topic, raises, on_failure=True, maximum_retry_attempts=attempts).drain()
    assert deliveries(topic) == {"bad": 1 + attempts}


def test_destination_is_told_where_the_records_are() -> None:
    topic = topic_of("a1", "bad", "b2")
    mapping_of(topic, names("bad"), on_failure=True, maximum_retry_attempts=1).drain()
    (told,) = topic.on_failure
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert told["KafkaBatchInfo"]["batchSize"] == 2
    assert ends(topic) == {"a1": "acknowledged", "bad": "on-failure destination", "b2": "on-failure destination"}


def test_records_are_given_up_when_they_are_too_old() -> None:
    topic = topic_of("bad", "b2")
    history = mapping_of(topic, raises, maximum_record_age_in_seconds=60).drain()
    assert times(history)[-1] <= 60
    assert ends(topic) == {"bad": "discarded", "b2": "discarded"}


def test_batch_is_split_when_the_function_fails() -> None:
    topic = topic_of("a1", "a2", "a3", "a4")
    history = mapping_of(topic, responds(ValueError("no")), bisect_batch_on_function_error=True).drain()
    assert batches(history) == [["a1", "a2", "a3", "a4"], ["a1", "a2"], ["a3", "a4"]]


def test_throttled_invocation_is_no_attempt() -> None:
    topic = topic_of("a1")
    history = mapping_of(topic, raises, maximum_retry_attempts=0, faults=Faults(at={1: "throttle"})).drain()
    assert faults(history) == {"throttle": 1, None: 1}


def test_records_are_gone_when_their_retention_is_over() -> None:
    topic = topic_of("old", retention=60)
    topic.clock.advance(60)
    topic.send("young", key="y")
    assert batches(mapping_of(topic).drain()) == [["young"]]
    assert ends(topic) == {"old": "expired", "young": "acknowledged"}


# Options.


@pytest.mark.parametrize(
    ("option", "right", "wrong"),
    [
        ("maximum_retry_attempts", [-1, 0, 10_000], [-2, 10_001]),
        ("maximum_record_age_in_seconds", [-1, 60, 604_800], [-2, 0, 59, 604_801]),
    ],
)
def test_option_has_the_range_that_aws_gives_it(option: str, right: list[int], wrong: list[int]) -> None:
    for value in right:
        mapping_of(Topic(source=KafkaEvents()), **{option: value})
    for value in wrong:
        with pytest.raises(ConfigurationError, match=option):
            mapping_of(Topic(source=KafkaEvents()), **{option: value})


@pytest.mark.parametrize("option", ["parallelization_factor", "tumbling_window_in_seconds"])
def test_option_of_streams_is_refused(option: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        mapping_of(Topic(source=KafkaEvents()), **{option: 2})


# The processor.


def test_order_of_a_partition_is_kept_whatever_fails() -> None:
    topic = topic_of(*(f"{letter}{number}" for number in range(4) for letter in "abc"), partitions=2)
    mapping = EventSourceMapping(
        topic, processor=processor_of(KAFKA), record_handler=Failing(a1=2, b3=1, c0=1), batch_size=5
    )
    history = mapping.drain()
    history.check()
    assert len(history.done) == 12


def test_processor_that_does_not_stop_breaks_the_order_of_a_partition() -> None:
    topic = topic_of("a1", "a2")
    mapping = EventSourceMapping(topic, processor=processor_of(KAFKA, ordering=unordered), record_handler=Failing(a1=1))
    assert contents(mapping.drain().out_of_order) == ["a1"]


def test_processor_that_stops_all_partitions_does_nothing_twice() -> None:
    topic = two_partitions("a1", "b1", "a2", "b2")
    mapping = EventSourceMapping(
        topic, processor=processor_of(KAFKA, ordering=in_order()), record_handler=Failing(b1=2)
    )
    mapping.drain().check()


def test_record_is_found_by_its_identifier() -> None:
    topic = topic_of("a1", "a2")
    assert topic.find({"partition": "orders-0", "offset": 1}).content == "a2"
    assert contents_of({"Records": [topic.record_of(topic.items[1])]}) == ["a2"]
    assert len(mapping_of(topic, succeeds).drain().done) == 2
