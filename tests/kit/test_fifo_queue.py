"""A FIFO queue: groups that are locked while one of them is in flight, receives that nobody used, deduplication."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import ConfigurationError, by_key
from batchcore_sqs import SqsFifoPartialProcessor, message_group
from batchcore_testing import EventSourceMapping, Faults, FifoQueue, History

from .support import (
    QUIET,
    Failing,
    batches,
    contents,
    deliveries,
    ends,
    mapping_of,
    names,
    naming,
    polled,
    processor_of,
    raises,
    responds,
    succeeds,
    times,
)

HOURS = 3600


def queue_of(*contents: str, **options: Any) -> FifoQueue:
    """Make a queue of messages whose first letter is their group."""
    queue = FifoQueue(**options)
    for content in contents:
        queue.send(content, key=content[0])
    return queue


def processed(queue: FifoQueue, handler: Any, *, processor: Any = None, **options: Any) -> History:
    processor = processor or processor_of()
    return EventSourceMapping(queue, processor=processor, record_handler=handler, **options).drain()


# What is delivered.


def test_messages_of_a_group_are_delivered_in_the_order_in_which_they_were_sent() -> None:
    for seed in range(5):
        queue = queue_of("a1", "b1", "a2", "b2", "a3")
        (batch,) = batches(mapping_of(queue, seed=seed).drain())
        assert [each for each in batch if each[0] == "a"] == ["a1", "a2", "a3"]
        assert [each for each in batch if each[0] == "b"] == ["b1", "b2"]


def test_batch_may_mix_groups() -> None:
    assert len(batches(mapping_of(queue_of("a1", "b1", "c1")).drain())) == 1


def test_messages_have_their_group_and_a_sequence_number() -> None:
    records = polled(mapping_of(queue_of("a1", "a2"))).event["Records"]
    assert [record["attributes"]["MessageGroupId"] for record in records] == ["a", "a"]
    first, second = (int(record["attributes"]["SequenceNumber"]) for record in records)
    assert first < second
    assert all(record["eventSourceARN"].endswith(".fifo") for record in records)


def test_batch_has_ten_messages_at_most() -> None:
    queue = queue_of(*(f"a{number}" for number in range(25)))
    assert [len(batch) for batch in batches(mapping_of(queue).drain())] == [10, 10, 5]
    with pytest.raises(ConfigurationError, match="from 1 to 10"):
        mapping_of(FifoQueue(), batch_size=11)


def test_name_of_a_fifo_queue_ends_in_fifo() -> None:
    with pytest.raises(ConfigurationError, match=r"ends in \.fifo"):
        FifoQueue(name="orders")


def test_message_without_a_group_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="group"):
        FifoQueue().send("a")


@pytest.mark.parametrize("option", ["maximum_retry_attempts", "parallelization_factor", "tumbling_window_in_seconds"])
def test_option_of_streams_is_refused(option: str) -> None:
    with pytest.raises(ConfigurationError, match=option):
        mapping_of(FifoQueue(), **{option: 2})


# Groups that are locked.


def test_message_in_flight_blocks_its_group() -> None:
    queue = queue_of("a1")
    seen: list[Any] = []

    def function(event: Any, context: Any) -> Any:
        if len(seen) == 0:
            queue.send("a2", key="a")
            queue.send("b1", key="b")
            seen.append(queue.receive())
        return succeeds(event, context)

    mapping_of(queue, function).poll()
    assert contents(seen[0].items) == ["b1"]


def test_message_that_failed_blocks_its_group_until_it_is_visible_again() -> None:
    queue = queue_of("a1")
    mapping = mapping_of(queue, responds(ValueError("no")))
    mapping.poll()
    queue.send("a2", key="a")
    queue.send("b1", key="b")
    history = mapping.drain()
    assert batches(history) == [["a1"], ["b1"], ["a1", "a2"]]
    assert times(history) == [0.0, 0.0, 30.0]


def test_message_that_is_hidden_for_longer_blocks_the_whole_group() -> None:
    queue = queue_of("a1", "a2", "b1")

    def function(event: Any, context: Any) -> Any:
        if event["Records"][0]["body"] == "a1" and queue.clock.now < began + 30:
            queue.change_message_visibility(
                ReceiptHandle=event["Records"][0]["receiptHandle"], VisibilityTimeout=2 * HOURS
            )
            raise ValueError("later")
        return succeeds(event, context)

    began = queue.clock.now
    history = mapping_of(queue, function).drain()
    assert batches(history) == [["a1", "a2", "b1"], ["b1"], ["a1", "a2"]]
    assert times(history) == [0.0, 30.0, 2 * HOURS]


def test_later_message_that_is_hidden_blocks_the_earlier_ones_too() -> None:
    queue = queue_of("a1", "a2")
    mapping = mapping_of(queue, responds(ValueError("no")))
    event = polled(mapping).event
    queue.change_message_visibility(ReceiptHandle=event["Records"][1]["receiptHandle"], VisibilityTimeout=600)
    history = mapping.drain()
    assert batches(history)[1:] == [["a1", "a2"]]
    assert times(history) == [0.0, 600.0]


def test_visibility_of_twelve_hours_is_the_most() -> None:
    queue = queue_of("a1")
    handle = polled(mapping_of(queue, raises)).event["Records"][0]["receiptHandle"]
    queue.change_message_visibility(ReceiptHandle=handle, VisibilityTimeout=12 * HOURS)
    with pytest.raises(ValueError, match="twelve hours"):
        queue.change_message_visibility(ReceiptHandle=handle, VisibilityTimeout=12 * HOURS + 1)


def test_group_of_a_message_that_expires_goes_on() -> None:
    queue = queue_of("a1", retention=20, visibility_timeout=30)
    mapping = mapping_of(queue, responds(ValueError("no")))
    mapping.poll()
    queue.clock.advance(10)
    queue.send("a2", key="a")
    history = mapping.drain()
    assert ends(queue) == {"a1": "expired", "a2": "acknowledged"}
    assert times(history) == [0.0, 20.0]


# What a response does.


def test_named_messages_alone_come_again() -> None:
    queue = queue_of("a1", "a2", "b1")
    history = mapping_of(queue, responds(naming(map(queue.record_of, queue.items[:2])))).drain()
    assert batches(history)[1:] == [["a1", "a2"]]


def test_response_that_names_the_first_failure_alone_breaks_the_order() -> None:
    queue = queue_of("a1", "a2")
    history = mapping_of(queue, responds(naming([queue.record_of(queue.items[0])]))).drain()
    assert contents(history.out_of_order) == ["a1"]


# The processor, and the receives of messages that were not attempted.


def test_five_messages_reach_the_dead_letter_queue_and_one_of_them_was_tried() -> None:
    queue = queue_of("a1", "a2", "a3", "a4", "a5", max_receive_count=2)
    handler = Failing(a1=-1)
    history = processed(queue, handler)
    assert contents(queue.dead_letters) == ["a1", "a2", "a3", "a4", "a5"]
    assert handler.calls == ["a1", "a1"]
    assert contents(history.never_tried) == ["a2", "a3", "a4", "a5"]


def test_messages_that_were_not_attempted_gain_receives_with_the_one_that_failed() -> None:
    queue = queue_of("a1", "a2", "b1")
    history = processed(queue, Failing(a1=2))
    counts = [
        [record["attributes"]["ApproximateReceiveCount"] for record in each.event["Records"]]
        for each in history.invocations
    ]
    assert counts == [["1", "1", "1"], ["2", "2", "2"], ["3", "3", "3"]]


def test_group_alone_comes_again_where_the_group_alone_failed() -> None:
    queue = queue_of("a1", "b1", "a2", "b2")
    processor = SqsFifoPartialProcessor(skip_group_on_error=True, logger=QUIET)
    history = processed(queue, Failing(a1=1), processor=processor)
    assert batches(history)[1:] == [["a1", "a2"]]
    history.check()


@pytest.mark.parametrize(
    "options", [{}, {"ordering": by_key(message_group)}, {"ordering": by_key(message_group), "max_concurrency": 3}]
)
def test_order_is_kept_whatever_fails(options: dict[str, Any]) -> None:
    queue = queue_of("a1", "b1", "a2", "b2", "a3", "b3")
    history = processed(queue, Failing(a1=1, b2=2, a3=1), processor=processor_of(**options))
    history.check()
    assert len(history.done) == 6


def test_dead_letter_queue_lets_later_messages_pass() -> None:
    """Which is why AWS says that it breaks the order of a FIFO queue."""
    queue = queue_of("a1", "a2", max_receive_count=1)
    mapping = mapping_of(queue, names("a1"), batch_size=1)
    mapping.drain()
    assert ends(queue) == {"a1": "dead-letter queue", "a2": "acknowledged"}
    assert contents(mapping.history.done) == ["a2"]


def test_receives_of_a_throttled_invocation_count() -> None:
    queue = queue_of("a1", max_receive_count=1)
    mapping_of(queue, faults=Faults(at={1: "throttle"})).drain()
    assert contents(queue.dead_letters) == ["a1"]


# Deduplication.


def send(queue: FifoQueue, content: str, deduplication_id: str, key: str = "a") -> Any:
    (item,) = queue.send(content, key=key, attributes={"MessageDeduplicationId": deduplication_id})
    return item


def test_message_with_an_id_that_was_sent_is_accepted_and_not_delivered() -> None:
    queue = FifoQueue()
    first, second = send(queue, "a1", "one"), send(queue, "a1 again", "one")
    assert second is first
    assert batches(mapping_of(queue).drain()) == [["a1"]]


def test_deduplication_covers_all_groups() -> None:
    queue = FifoQueue()
    send(queue, "a1", "one")
    send(queue, "b1", "one", key="b")
    assert batches(mapping_of(queue).drain()) == [["a1"]]


def test_deduplication_goes_on_after_the_message_was_deleted() -> None:
    queue = FifoQueue()
    send(queue, "a1", "one")
    mapping = mapping_of(queue)
    mapping.drain()
    send(queue, "a1", "one")
    assert mapping.poll() is None


def test_deduplication_lasts_five_minutes() -> None:
    queue = FifoQueue()
    send(queue, "a1", "one")
    queue.clock.advance(299.9)
    send(queue, "a2", "one")
    assert len(queue.items) == 1
    queue.clock.advance(0.1)
    send(queue, "a3", "one")
    assert contents(queue.items) == ["a1", "a3"]


def test_five_minutes_count_from_the_message_that_was_delivered() -> None:
    queue = FifoQueue()
    send(queue, "a1", "one")
    queue.clock.advance(200)
    send(queue, "a2", "one")
    queue.clock.advance(100)
    send(queue, "a3", "one")
    assert contents(queue.items) == ["a1", "a3"]


def test_messages_without_an_id_of_their_own_are_all_delivered() -> None:
    queue = queue_of("a1", "a1")
    assert deliveries(queue) == {"a1": 0}
    assert batches(mapping_of(queue).drain()) == [["a1", "a1"]]
    ids = {queue.record_of(item)["attributes"]["MessageDeduplicationId"] for item in queue.items}
    assert len(ids) == 2
