"""A standard queue: visibility, receive counts, redrive, retention, and what a test may change."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import ConfigurationError
from batchcore_testing import EventSourceMapping, Faults, Queue, SimulatedClock

from .support import (
    Failing,
    batches,
    contents,
    contents_of,
    deliveries,
    ends,
    mapping_of,
    naming,
    polled,
    processor_of,
    raises,
    records_of,
    responds,
    succeeds,
    times,
)
from .support import names as naming_always

HOURS = 3600


def attribute(event: Any, name: str) -> list[str]:
    return [record["attributes"][name] for record in records_of(event)]


# What is delivered.


def test_messages_are_delivered_as_lambda_delivers_them() -> None:
    queue = Queue(name="invoices")
    (item,) = queue.send("a")
    (record,) = polled(mapping_of(queue)).event["Records"]
    assert record["messageId"] == item.identifier
    assert record["body"] == "a"
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(":invoices")
    assert all(isinstance(value, str) for value in record["attributes"].values())


def test_batch_has_ten_messages_by_default() -> None:
    queue = Queue()
    queue.send(*map(str, range(25)))
    assert [len(batch) for batch in batches(mapping_of(queue).drain())] == [10, 10, 5]


def test_batch_has_no_more_messages_than_the_batch_size() -> None:
    queue = Queue()
    queue.send(*map(str, range(7)))
    assert [len(batch) for batch in batches(mapping_of(queue, batch_size=3).drain())] == [3, 3, 1]


@pytest.mark.parametrize("size", [1, 10_000])
def test_batch_size_is_from_1_to_10000(size: int) -> None:
    queue = Queue()
    queue.send("a", "b")
    assert len(mapping_of(queue, batch_size=size).drain().done) == 2


@pytest.mark.parametrize("size", [0, -1, 10_001])
def test_batch_size_that_aws_refuses_is_refused(size: int) -> None:
    with pytest.raises(ConfigurationError, match="from 1 to 10000"):
        mapping_of(Queue(), batch_size=size)


def test_messages_are_delivered_in_no_strict_order() -> None:
    def order(seed: int) -> list[Any]:
        queue = Queue()
        queue.send(*"abcdefgh")
        return batches(mapping_of(queue, seed=seed).drain())[0]

    orders = [order(seed) for seed in range(5)]
    assert all(sorted(each) == list("abcdefgh") for each in orders)
    assert any(each != list("abcdefgh") for each in orders)
    assert orders != [orders[0]] * 5


def test_standard_queue_has_no_lanes_even_where_messages_have_a_group() -> None:
    queue = Queue()
    (item,) = queue.send("a", key="group")
    assert item.lane is None
    assert attribute(polled(mapping_of(queue)).event, "MessageGroupId") == ["group"]


def test_fields_of_a_message_can_be_chosen() -> None:
    queue = Queue()
    (item,) = queue.send("a", messageId="mine", attributes={"SenderId": "me"})
    event = polled(mapping_of(queue)).event
    assert item.identifier == event["Records"][0]["messageId"] == "mine"
    assert attribute(event, "SenderId") == ["me"]
    assert attribute(event, "ApproximateReceiveCount") == ["1"]


# Deleted, or visible again.


def test_messages_that_are_not_named_are_deleted() -> None:
    queue = Queue()
    queue.send("a", "b")
    assert len(mapping_of(queue).drain().invocations) == 1
    assert ends(queue) == {"a": "acknowledged", "b": "acknowledged"}
    assert queue.left() == 0


def test_named_message_alone_is_delivered_again() -> None:
    queue = Queue()
    queue.send("a", "b", "c")
    function = responds(naming([queue.record_of(queue.items[1])]))
    first, second = batches(mapping_of(queue, function).drain())
    assert sorted(first) == ["a", "b", "c"]
    assert second == ["b"]


def test_batch_that_failed_whole_is_delivered_again_whole() -> None:
    queue = Queue()
    queue.send("a", "b")
    history = mapping_of(queue, responds(ValueError("no"))).drain()
    assert [sorted(batch) for batch in batches(history)] == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize("seconds", [5.0, 30.0, 600.0])
def test_message_that_failed_comes_again_after_the_visibility_timeout(seconds: float) -> None:
    queue = Queue(visibility_timeout=seconds)
    queue.send("a")
    history = mapping_of(queue, responds(ValueError("no"), ValueError("no"))).drain()
    assert times(history) == [0.0, seconds, 2 * seconds]


def test_visibility_timeout_is_30_seconds_by_default() -> None:
    queue = Queue()
    queue.send("a")
    assert times(mapping_of(queue, responds(ValueError("no"))).drain()) == [0.0, 30.0]


def test_message_that_is_hidden_blocks_no_other() -> None:
    queue = Queue(visibility_timeout=30)
    queue.send("a", key="g")
    mapping = mapping_of(queue, naming_always("a"))
    mapping.poll()
    queue.send("b", key="g")
    assert contents(polled(mapping).items) == ["b"]


def test_message_that_is_sent_later_is_delivered_later() -> None:
    queue = Queue()
    mapping = mapping_of(queue)
    assert mapping.poll() is None
    queue.send("a")
    assert contents(polled(mapping).items) == ["a"]
    assert mapping.poll() is None


# Receive counts.


def test_receives_are_counted_as_text_from_1() -> None:
    queue = Queue()
    queue.send("a")
    history = mapping_of(queue, responds(ValueError("no"), ValueError("no"))).drain()
    assert [attribute(each.event, "ApproximateReceiveCount") for each in history.invocations] == [["1"], ["2"], ["3"]]


def test_messages_of_one_batch_have_counts_of_their_own() -> None:
    queue = Queue()
    queue.send("a")
    mapping = mapping_of(queue, responds(ValueError("no")))
    mapping.poll()
    queue.clock.advance(30)
    queue.send("b")
    event = polled(mapping).event
    counts = dict(zip(contents_of(event), attribute(event, "ApproximateReceiveCount"), strict=True))
    assert counts == {"a": "2", "b": "1"}


def test_moment_of_the_first_receive_stays() -> None:
    queue = Queue()
    queue.send("a")
    queue.clock.advance(7)
    history = mapping_of(queue, responds(ValueError("no"))).drain()
    sent, first = (
        {text for each in history.invocations for text in attribute(each.event, name)}
        for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp")
    )
    assert len(sent) == len(first) == 1
    assert int(first.pop()) - int(sent.pop()) == 7000


def test_each_receive_has_a_handle_of_its_own() -> None:
    queue = Queue()
    queue.send("a")
    history = mapping_of(queue, responds(ValueError("no"))).drain()
    assert len({each.event["Records"][0]["receiptHandle"] for each in history.invocations}) == 2


def test_message_that_was_not_attempted_gains_a_receive() -> None:
    """A throttled invocation has received its messages."""
    queue = Queue()
    queue.send("a")
    history = mapping_of(queue, faults=Faults(at={1: "throttle"})).drain()
    assert attribute(history.invocations[1].event, "ApproximateReceiveCount") == ["2"]


# The dead-letter queue.


@pytest.mark.parametrize("source", ["sqs", "pipes-sqs"])
def test_name_of_a_fifo_queue_is_refused(source: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is a FIFO queue: FifoQueue\(name='orders\.fifo'\)"):
        Queue(source, "orders.fifo")


@pytest.mark.parametrize("count", [1, 2, 5])
def test_message_goes_to_the_dead_letter_queue_after_so_many_receives(count: int) -> None:
    queue = Queue(max_receive_count=count)
    queue.send("a", "bad")
    history = mapping_of(queue, naming_always("bad")).drain()
    assert deliveries(queue) == {"a": 1, "bad": count}
    assert contents(queue.dead_letters) == contents(history.dead_letters) == ["bad"]
    assert ends(queue) == {"a": "acknowledged", "bad": "dead-letter queue"}


def test_message_goes_there_when_it_would_be_received_again_and_not_before() -> None:
    queue = Queue(max_receive_count=1)
    queue.send("bad")
    mapping = mapping_of(queue, naming_always("bad"))
    mapping.poll()
    assert queue.dead_letters == []
    assert mapping.poll() is None
    assert contents(queue.dead_letters) == ["bad"]


def test_message_that_goes_there_takes_no_place_in_a_batch() -> None:
    queue = Queue(max_receive_count=1)
    queue.send("bad")
    mapping = mapping_of(queue, naming_always("bad"), batch_size=1)
    mapping.poll()
    queue.clock.advance(30)
    queue.send("a")
    assert contents(polled(mapping).items) == ["a"]


def test_message_that_is_done_at_its_last_receive_does_not_go_there() -> None:
    queue = Queue(max_receive_count=2)
    queue.send("a")
    mapping_of(queue, responds(ValueError("no"))).drain()
    assert queue.dead_letters == []


def test_without_a_dead_letter_queue_a_message_comes_until_it_expires() -> None:
    queue = Queue(visibility_timeout=30, retention=100)
    queue.send("bad")
    history = mapping_of(queue, naming_always("bad")).drain()
    assert times(history) == [0.0, 30.0, 60.0, 90.0]
    assert ends(queue) == {"bad": "expired"}
    assert contents(history.lost) == ["bad"]


@pytest.mark.parametrize("count", [0, -1])
def test_max_receive_count_below_1_is_refused(count: int) -> None:
    with pytest.raises(ConfigurationError, match="1 or more"):
        Queue(max_receive_count=count)


# Retention.


def test_message_is_gone_when_its_retention_is_over() -> None:
    queue = Queue(retention=60)
    queue.send("old")
    queue.clock.advance(59)
    queue.send("young")
    queue.clock.advance(1)
    assert batches(mapping_of(queue).drain()) == [["young"]]
    assert ends(queue) == {"old": "expired", "young": "acknowledged"}


def test_message_stays_four_days_by_default() -> None:
    queue = Queue()
    queue.send("a")
    queue.clock.advance(4 * 24 * HOURS - 1)
    assert batches(mapping_of(queue).drain()) == [["a"]]
    queue.send("b")
    queue.clock.advance(4 * 24 * HOURS)
    assert mapping_of(queue).poll() is None


def test_retention_counts_from_when_a_message_was_sent() -> None:
    """A receive does not renew it."""
    queue = Queue(visibility_timeout=40, retention=60)
    queue.send("bad")
    assert times(mapping_of(queue, naming_always("bad")).drain()) == [0.0, 40.0]


# Options that a queue does not have.


@pytest.mark.parametrize(
    "options",
    [
        {"parallelization_factor": 2},
        {"maximum_retry_attempts": 3},
        {"maximum_record_age_in_seconds": 60},
        {"bisect_batch_on_function_error": True},
        {"tumbling_window_in_seconds": 60},
        {"on_failure": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_option_of_streams_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        mapping_of(Queue(), **options)


# ReportBatchItemFailures.


def test_without_report_batch_item_failures_what_was_named_is_deleted() -> None:
    queue = Queue()
    queue.send("a", "bad")
    history = mapping_of(queue, naming_always("bad"), report_batch_item_failures=False).drain()
    assert len(history.invocations) == 1
    assert contents(history.lost) == ["bad"]


def test_without_report_batch_item_failures_an_error_brings_the_batch_again() -> None:
    queue = Queue(max_receive_count=2)
    queue.send("a", "b")
    mapping_of(queue, raises, report_batch_item_failures=False).drain()
    assert deliveries(queue) == {"a": 2, "b": 2}
    assert sorted(contents(queue.dead_letters)) == ["a", "b"]


# Visibility that code changes.


def handle_of(event: Any) -> str:
    handle: str = event["Records"][0]["receiptHandle"]
    return handle


def changing(queue: Queue, *seconds: int) -> Any:
    """Make a function that fails, after it has hidden its message for this long, one after the other."""
    left = list(seconds)

    def function(event: Any, context: Any) -> Any:
        if not left:
            return {"batchItemFailures": []}
        queue.change_message_visibility(QueueUrl="url", ReceiptHandle=handle_of(event), VisibilityTimeout=left.pop(0))
        raise ValueError("later")

    return function


@pytest.mark.parametrize("seconds", [0, 5, 600])
def test_message_comes_again_when_the_function_said(seconds: int) -> None:
    queue = Queue(visibility_timeout=30)
    queue.send("a")
    _first, second = times(mapping_of(queue, changing(queue, seconds)).drain())
    assert second == pytest.approx(seconds, abs=0.001)


def test_time_of_a_change_counts_from_the_change() -> None:
    queue = Queue()
    queue.send("a")

    def function(event: Any, context: Any) -> Any:
        queue.clock.advance(10)
        return (
            changing(queue, 60)(event, context) if len(mapping.history.invocations) == 0 else succeeds(event, context)
        )

    mapping = mapping_of(queue, function)
    assert times(mapping.drain()) == [0.0, 70.0]


def test_message_is_hidden_for_twelve_hours_at_most() -> None:
    queue = Queue()
    queue.send("a")
    assert times(mapping_of(queue, changing(queue, 12 * HOURS)).drain()) == [0.0, 12 * HOURS]


def test_more_than_twelve_hours_is_refused_and_changes_nothing() -> None:
    queue = Queue(visibility_timeout=30)
    queue.send("a")
    history = mapping_of(queue, changing(queue, 12 * HOURS + 1)).drain()
    assert isinstance(history.invocations[0].response, ValueError)
    assert "twelve hours" in str(history.invocations[0].response)
    assert times(history) == [0.0, 30.0]


def test_twelve_hours_count_from_the_receive() -> None:
    queue = Queue()
    queue.send("a")
    handle = handle_of(polled(mapping_of(queue, raises)).event)
    queue.change_message_visibility(ReceiptHandle=handle, VisibilityTimeout=11 * HOURS)
    queue.clock.advance(10 * HOURS)
    with pytest.raises(ValueError, match="twelve hours"):
        queue.change_message_visibility(ReceiptHandle=handle, VisibilityTimeout=2 * HOURS + 1)
    queue.change_message_visibility(ReceiptHandle=handle, VisibilityTimeout=2 * HOURS)


def test_twelve_hours_begin_again_with_the_next_receive() -> None:
    queue = Queue()
    queue.send("a")
    history = mapping_of(queue, changing(queue, 12 * HOURS, 12 * HOURS)).drain()
    assert times(history) == [0.0, 12 * HOURS, 24 * HOURS]


def test_time_below_0_is_refused() -> None:
    queue = Queue()
    queue.send("a")
    handle = handle_of(polled(mapping_of(queue, raises)).event)
    with pytest.raises(ValueError, match="hidden"):
        queue.change_message_visibility(ReceiptHandle=handle, VisibilityTimeout=-1)


def test_handle_of_no_message_is_refused() -> None:
    queue = Queue()
    queue.send("a")
    for handle in ("", "nothing"):
        with pytest.raises(ValueError, match="no message in flight"):
            queue.change_message_visibility(ReceiptHandle=handle, VisibilityTimeout=1)


def test_handle_of_an_earlier_receive_is_refused() -> None:
    queue = Queue()
    queue.send("a")
    mapping = mapping_of(queue, raises)
    earlier, later = (handle_of(polled(mapping).event) for _ in range(2))
    with pytest.raises(ValueError, match="no message in flight"):
        queue.change_message_visibility(ReceiptHandle=earlier, VisibilityTimeout=1)
    queue.change_message_visibility(ReceiptHandle=later, VisibilityTimeout=1)


def test_handle_of_a_message_that_is_visible_again_is_refused() -> None:
    queue = Queue(visibility_timeout=30)
    queue.send("a")
    handle = handle_of(polled(mapping_of(queue, raises)).event)
    queue.clock.advance(30)
    with pytest.raises(ValueError, match="no message in flight"):
        queue.change_message_visibility(ReceiptHandle=handle, VisibilityTimeout=60)


def test_handle_of_a_message_that_is_deleted_is_refused() -> None:
    queue = Queue()
    queue.send("a")
    handle = handle_of(polled(mapping_of(queue)).event)
    with pytest.raises(ValueError, match="no message in flight"):
        queue.change_message_visibility(ReceiptHandle=handle, VisibilityTimeout=60)


def entries_of(event: Any, *seconds: int) -> list[dict[str, Any]]:
    return [
        {"Id": str(at), "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": each}
        for at, (record, each) in enumerate(zip(event["Records"], seconds, strict=True))
    ]


def test_call_changes_up_to_ten_messages() -> None:
    queue = Queue(visibility_timeout=30)
    queue.send(*map(str, range(10)))
    mapping = mapping_of(queue, responds(ValueError("no")))
    event = polled(mapping).event
    response = queue.change_message_visibility_batch(QueueUrl="url", Entries=entries_of(event, *[60] * 10))
    assert [each["Id"] for each in response["Successful"]] == [str(number) for number in range(10)]
    assert response["Failed"] == []
    assert times(mapping.drain()) == [0.0, 60.0]


@pytest.mark.parametrize("number", [0, 11])
def test_call_with_none_or_more_than_ten_messages_is_refused(number: int) -> None:
    queue = Queue()
    queue.send(*map(str, range(11)))
    event = polled(mapping_of(queue, raises, batch_size=11)).event
    with pytest.raises(ValueError, match="1 to 10"):
        queue.change_message_visibility_batch(Entries=entries_of(event, *[60] * 11)[:number])


def test_call_says_of_each_message_whether_it_was_changed() -> None:
    queue = Queue()
    queue.send("a", "b", "c")
    mapping = mapping_of(queue, responds(ValueError("no")))
    entries = entries_of(polled(mapping).event, 60, 12 * HOURS + 1, 60)
    entries[2]["ReceiptHandle"] = "nothing"
    response = queue.change_message_visibility_batch(Entries=entries)
    assert [each["Id"] for each in response["Successful"]] == ["0"]
    assert [(each["Id"], each["SenderFault"]) for each in response["Failed"]] == [("1", True), ("2", True)]
    assert [len(batch) for batch in batches(mapping.drain())] == [3, 2, 1]


# Time.


def test_queue_tells_the_time_of_the_clock_that_it_was_given() -> None:
    clock = SimulatedClock(1_000.0)
    queue = Queue(clock=clock)
    queue.send("a")
    clock.advance(5)
    event = polled(mapping_of(queue)).event
    assert attribute(event, "SentTimestamp") == ["1000000"]
    assert attribute(event, "ApproximateFirstReceiveTimestamp") == ["1005000"]


def test_handler_is_given_each_message_until_it_is_done() -> None:
    queue = Queue()
    queue.send("a", "bad", "c")
    handler = Failing(bad=2)
    mapping = EventSourceMapping(queue, processor=processor_of(), record_handler=handler)
    mapping.drain().check()
    assert sorted(handler.calls) == ["a", "bad", "bad", "bad", "c"]
