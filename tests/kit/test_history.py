"""What a history tells, and which of it it calls a problem."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore_testing import EventSourceMapping, Faults, FifoQueue, History, Queue, Stream

from .support import (
    Failing,
    contents,
    contents_of,
    handles,
    in_key_order,
    mapping_of,
    names,
    naming,
    polled,
    processor_of,
    raises,
    records_of,
    responds,
)


def observed(queue: Any, function: Any, **options: Any) -> EventSourceMapping:
    """Make a mapping of a function that gets the mapping too, to write down what it does."""
    mapping: EventSourceMapping = mapping_of(queue, lambda event, context: function(mapping, event), **options)
    return mapping


# What was sent, and the invocations.


def test_history_has_what_was_sent_in_its_order() -> None:
    queue = Queue()
    sent = queue.send("b", "a")
    history = mapping_of(queue).drain()
    assert list(history.items) == sent == queue.items
    assert [item.number for item in history.items] == [1, 2]


def test_item_tells_what_became_of_it() -> None:
    queue = FifoQueue()
    (item,) = queue.send("a", key="group")
    EventSourceMapping(queue, processor=processor_of(), record_handler=Failing(a=1)).drain()
    assert (item.content, item.lane, item.end) == ("a", "group", "acknowledged")
    assert item.deliveries == [1, 2]
    assert len(item.tried) == 2
    assert len(item.done) == 1
    assert item.ended_at is not None
    assert item.tried[0] < item.tried[1] < item.done[0] < item.ended_at


def test_item_that_was_not_delivered_has_no_end() -> None:
    queue = Queue()
    (item,) = queue.send("a")
    assert (item.deliveries, item.tried, item.done, item.end, item.ended_at) == ([], [], [], None, None)


def test_invocation_tells_what_it_had_and_what_comes_again() -> None:
    stream = Stream()
    first, second, third = stream.send("a", "b", "c", key="k")
    mapping = mapping_of(stream, responds(naming([stream.record_of(second)])))
    invocation = polled(mapping)
    assert invocation.number == 1
    assert invocation.at == mapping.clock.now
    assert contents_of(invocation.event) == ["a", "b", "c"]
    assert list(invocation.items) == [first, second, third]
    assert invocation.response == naming([stream.record_of(second)])
    assert invocation.fault is None
    assert invocation.complaint is None
    assert list(invocation.again) == [second, third]
    assert mapping.history.invocations == [invocation]


def test_invocation_tells_why_the_whole_batch_failed() -> None:
    queue = Queue()
    queue.send("a")
    wrong = {"batchItemFailures": [{"id": "x"}]}
    mapping = mapping_of(queue, responds(ValueError("out of stock"), "done", wrong))
    error, text, key = (polled(mapping) for _ in range(3))
    assert "out of stock" in str(error.complaint)
    assert isinstance(error.response, ValueError)
    assert "a string" in str(text.complaint)
    assert "has no itemIdentifier" in str(key.complaint)


# Done, by what the function says or by what it answers.


def test_what_a_response_does_not_name_counts_as_done_where_nobody_says_more() -> None:
    queue = Queue(max_receive_count=1)
    queue.send("a", "bad")
    history = mapping_of(queue, names("bad")).drain()
    assert not history.knows_done
    assert contents(history.done) == ["a"]
    assert history.never_tried == []


def test_what_the_function_says_is_done_counts_where_it_says_anything() -> None:
    queue = Queue()
    queue.send("a", "b")

    def function(mapping: EventSourceMapping, event: Any) -> Any:
        mapping.done("a")

    history = observed(queue, function).drain()
    assert history.knows_done
    assert contents(history.done) == ["a"]
    assert contents(history.lost) == ["b"]


def test_handler_that_is_watched_has_done_what_it_returned_for() -> None:
    queue = Queue(max_receive_count=1)
    queue.send("a", "bad")
    history = EventSourceMapping(queue, processor=processor_of(), record_handler=Failing(bad=-1)).drain()
    assert history.knows_done
    assert contents(history.done) == ["a"]
    assert [len(item.tried) for item in queue.items] == [1, 1]


def test_function_that_raised_has_done_nothing_where_nobody_says_more() -> None:
    queue = Queue(max_receive_count=1)
    queue.send("a")
    assert mapping_of(queue, raises).drain().done == []


def test_response_that_fails_the_whole_batch_has_done_nothing_where_nobody_says_more() -> None:
    queue = Queue(max_receive_count=1)
    queue.send("a")
    assert mapping_of(queue, responds({"batchItemFailures": [{"id": 1}]})).drain().done == []


# Lost.


def test_lost_is_what_is_gone_and_was_not_done() -> None:
    queue = Queue()
    queue.send("a", "b")
    history = observed(queue, lambda mapping, event: mapping.done("b")).drain()
    assert contents(history.lost) == ["a"]


def test_what_is_in_the_dead_letter_queue_is_not_lost() -> None:
    queue = Queue(max_receive_count=1)
    queue.send("a")
    history = mapping_of(queue, raises).drain()
    assert history.lost == []
    assert contents(history.dead_letters) == ["a"]


def test_what_is_still_there_is_not_lost() -> None:
    queue = Queue()
    queue.send("a")
    mapping = mapping_of(queue, raises)
    mapping.poll()
    assert mapping.history.lost == []
    assert contents(mapping.history.left) == ["a"]


def test_what_was_done_and_given_up_is_not_lost() -> None:
    stream = Stream()
    stream.send("a", "bad", key="k")

    def function(mapping: EventSourceMapping, event: Any) -> Any:
        mapping.done("a")
        raise ValueError("bad")

    history = observed(stream, function, maximum_retry_attempts=0).drain()
    assert contents(history.discarded) == ["a", "bad"]
    assert contents(history.lost) == ["bad"]


@pytest.mark.parametrize(
    ("options", "mapped", "lost"),
    [
        ({}, {"maximum_retry_attempts": 0}, ["a"]),
        ({}, {"maximum_retry_attempts": 0, "on_failure": True}, []),
        ({"retention": 60}, {}, ["a"]),
    ],
    ids=["discarded", "on-failure destination", "expired"],
)
def test_what_aws_gives_up_is_lost_unless_somebody_is_told(options: Any, mapped: Any, lost: list[str]) -> None:
    stream = Stream(**options)
    stream.send("a")
    assert contents(mapping_of(stream, raises, **mapped).drain().lost) == lost


# Done twice.


def test_done_twice_is_what_was_done_more_than_once() -> None:
    queue = Queue()
    queue.send("a", "b")
    mapping = EventSourceMapping(
        queue, processor=processor_of(), record_handler=handles, faults=Faults(at={1: "crash"}), seed=6
    )
    history = mapping.drain()
    assert contents(history.done_twice) == [item.content for item in queue.items if len(item.done) == 2] != []


def test_what_was_tried_twice_and_done_once_is_not_done_twice() -> None:
    queue = Queue()
    queue.send("a")
    EventSourceMapping(queue, processor=processor_of(), record_handler=Failing(a=3)).drain().check()


def test_work_that_is_done_twice_in_one_invocation_is_done_twice() -> None:
    queue = Queue()
    queue.send("a")

    def function(mapping: EventSourceMapping, event: Any) -> Any:
        mapping.done("a")
        mapping.done("a")

    assert contents(observed(queue, function).drain().done_twice) == ["a"]


# Out of order.


def in_this_order(*order: str) -> History:
    queue = FifoQueue()
    for content in ("a1", "a2", "a3", "b1"):
        queue.send(content, key=content[0])

    def function(mapping: EventSourceMapping, event: Any) -> Any:
        for content in order:
            mapping.done(content)

    return observed(queue, function).drain()


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (("a1", "a2", "a3", "b1"), []),
        (("b1", "a1", "a2", "a3"), []),
        (("a1", "b1", "a2", "a3"), []),
        (("a2", "a1", "a3", "b1"), ["a1"]),
        (("a1", "a3", "a2", "b1"), ["a2"]),
        (("a3", "a2", "a1", "b1"), ["a1", "a2"]),
        (("a3", "a1", "a2", "b1"), ["a1", "a2"]),
        (("a2", "a3", "b1"), []),
    ],
)
def test_out_of_order_is_what_was_done_after_a_later_one_of_its_lane(order: Any, found: list[str]) -> None:
    assert contents(in_this_order(*order).out_of_order) == found


def test_work_that_is_repeated_later_is_in_order_where_it_was_the_first_time() -> None:
    history = in_this_order("a1", "a2", "a3", "a1", "a2", "a3")
    assert history.out_of_order == []
    assert contents(history.done_twice) == ["a1", "a2", "a3"]


def test_messages_of_a_standard_queue_have_no_order() -> None:
    queue = Queue()
    queue.send("a1", "a2", key="a")
    history = observed(queue, lambda mapping, event: None).drain()
    assert history.out_of_order == []


# Never tried.


def test_never_tried_is_what_left_the_source_before_any_handler_began_with_it() -> None:
    queue = Queue()
    queue.send("a", "b", "c")

    def function(mapping: EventSourceMapping, event: Any) -> Any:
        mapping.tried("a")
        mapping.done("b")

    assert contents(observed(queue, function).drain().never_tried) == ["c"]


def test_dead_letter_may_be_never_tried() -> None:
    queue = FifoQueue(max_receive_count=1)
    queue.send("a", "b", key="k")
    history = EventSourceMapping(queue, processor=processor_of(), record_handler=Failing(a=-1)).drain()
    assert contents(history.never_tried) == ["b"]
    assert history.lost == []


def test_what_is_still_there_is_not_called_never_tried() -> None:
    queue = Queue()
    queue.send("a")
    assert mapping_of(queue).history.never_tried == []


def test_what_expired_before_its_first_delivery_was_never_tried() -> None:
    queue = Queue(retention=60)
    queue.send("a")
    queue.clock.advance(60)
    history = mapping_of(queue).drain()
    assert contents(history.never_tried) == contents(history.lost) == ["a"]


# check(), and what it says.


def test_history_without_a_problem_passes() -> None:
    queue = Queue()
    queue.send("a")
    history = mapping_of(queue).drain()
    assert history.problems() == []
    history.check()


def broken() -> History:
    """Make a history with a problem of each kind: a lost and never tried, b twice, c after d."""
    queue = FifoQueue()
    queue.send("a", "b", "c", "d", key="k")

    def function(mapping: EventSourceMapping, event: Any) -> Any:
        for content in ("b", "b", "d", "c"):
            mapping.tried(content)
            mapping.done(content)

    return observed(queue, function).drain()


def test_every_kind_of_problem_is_told_with_its_records() -> None:
    with pytest.raises(AssertionError) as caught:
        broken().check()
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0] for line in lines if not line.startswith(" ")] == [
        "LOST",
        "DONE TWICE",
        "OUT OF ORDER",
        "NEVER TRIED",
    ]
    assert [line.split()[1] for line in lines if line.startswith(" ")] == ["'a'>", "'b'>", "'c'>", "'a'>"]
    assert "1 of 4" in lines[0]


def test_story_of_a_record_tells_its_lane_its_invocations_and_its_end() -> None:
    (line,) = [line for line in broken().problems(allow=["lost", "never_tried", "out_of_order"]) if line[0] == " "]
    assert "of lane 'k'" in line
    assert "invocations 1;" in line
    assert "done 2 times" in line
    assert line.endswith("acknowledged")


def test_problem_that_is_allowed_is_not_told() -> None:
    history = broken()
    history.check(allow=["lost", "done_twice", "out_of_order", "never_tried"])
    for allowed, word in (
        ("lost", "LOST"),
        ("done_twice", "DONE TWICE"),
        ("out_of_order", "OUT OF"),
        ("never_tried", "NEVER"),
    ):
        lines = history.problems(allow=[allowed])  # type: ignore[list-item]
        assert not any(line.startswith(word) for line in lines)
        assert len([line for line in lines if line[0] != " "]) == 3


@pytest.mark.parametrize("allow", [["lots"], ["done twice"], "lost", ("lost", "doubled")])
def test_problem_that_does_not_exist_is_not_allowed(allow: Any) -> None:
    with pytest.raises(ValueError, match="never_tried"):
        broken().check(allow=allow)


def test_order_that_a_stream_loses_is_told() -> None:
    stream = Stream()
    stream.send("a1", "a2", key="a")
    history = EventSourceMapping(stream, processor=processor_of("kinesis"), record_handler=Failing(a1=1)).drain()
    with pytest.raises(AssertionError, match="OUT OF ORDER"):
        history.check()
    again = Stream()
    again.send("a1", "a2", key="a")
    EventSourceMapping(again, processor=in_key_order("kinesis"), record_handler=Failing(a1=1)).drain().check()


def test_long_contents_are_cut_short() -> None:
    queue = Queue()
    (item,) = queue.send("x" * 500)
    assert len(repr(item)) < 70
    assert repr(item).startswith("<1: 'xxx")


def test_history_shows_its_numbers() -> None:
    queue = Queue(max_receive_count=1)
    queue.send("a", "bad", "c")
    mapping = mapping_of(queue, names("bad"))
    text = repr(mapping.drain())
    assert "3 records" in text
    assert "2 done" in text
    assert "1 dead letters" in text
    assert records_of(mapping.history.invocations[0].event)
