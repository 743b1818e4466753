"""Tumbling windows of a simulated stream: a state that goes from call to call, and a last call that must succeed."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import ConfigurationError
from batchcore_testing import EventSourceMapping, Faults, NotDrainedError, Stream

from .support import (
    STREAMS,
    Failing,
    batches,
    content_of,
    contents,
    contents_of,
    ends,
    mapping_of,
    naming,
    polled,
    processor_of,
    records_of,
    responds,
    times,
)

every_stream = pytest.mark.parametrize("source", STREAMS)


def counting(event: Any, context: Any) -> Any:
    """Write into the state what it has seen; a last call writes nothing."""
    return {"state": {"seen": event["state"].get("seen", []) + contents_of(event)}, "batchItemFailures": []}


def windowed(stream: Stream, function: Callable[[Any, Any], Any] = counting, **options: Any) -> EventSourceMapping:
    return mapping_of(stream, function, **{"tumbling_window_in_seconds": 60, **options})


def states(mapping: EventSourceMapping) -> list[list[str]]:
    """Give what the state of each invocation had seen before."""
    return [each.event["state"].get("seen", []) for each in mapping.history.invocations]


def finals(mapping: EventSourceMapping) -> list[bool]:
    return [each.event["isFinalInvokeForWindow"] for each in mapping.history.invocations]


@every_stream
def test_event_of_a_window_has_its_fields_beside_the_records(source: str) -> None:
    stream = Stream(source)
    stream.send("a")
    event = polled(windowed(stream)).event
    assert contents_of(event) == ["a"]
    assert set(event["window"]) == {"start", "end"}
    assert event["state"] == {}
    assert event["shardId"] == "shardId-000000000000"
    assert event["eventSourceARN"] == event["Records"][0]["eventSourceARN"]
    assert event["isFinalInvokeForWindow"] is False
    assert event["isWindowTerminatedEarly"] is False


@every_stream
def test_event_without_a_window_has_none_of_them(source: str) -> None:
    stream = Stream(source)
    stream.send("a")
    assert set(polled(mapping_of(stream)).event) == {"Records"}


@every_stream
def test_state_goes_from_call_to_call(source: str) -> None:
    stream = Stream(source)
    stream.send("a", "b", "c", key="k")
    mapping = windowed(stream, batch_size=1)
    mapping.drain()
    assert states(mapping) == [[], ["a"], ["a", "b"], ["a", "b", "c"]]
    assert finals(mapping) == [False, False, False, True]


@every_stream
def test_last_call_has_no_records_and_comes_when_the_window_has_ended(source: str) -> None:
    stream = Stream(source)
    stream.send("a")
    mapping = windowed(stream)
    history = mapping.drain()
    assert batches(history) == [["a"], []]
    last = history.invocations[-1]
    assert records_of(last.event) == []
    assert last.event["isFinalInvokeForWindow"] is True
    assert last.event["isWindowTerminatedEarly"] is False
    assert last.event["eventSourceARN"].startswith(f"arn:aws:{source}:")
    assert 0 < last.at - history.invocations[0].at <= 60


@every_stream
def test_next_window_begins_with_an_empty_state(source: str) -> None:
    stream = Stream(source)
    stream.send("a", key="k")
    stream.clock.advance(60)
    stream.send("b", key="k")
    mapping = windowed(stream)
    history = mapping.drain()
    assert batches(history) == [["a"], [], ["b"], []]
    assert states(mapping) == [[], ["a"], [], ["b"]]
    first, second = history.invocations[0].event["window"], history.invocations[2].event["window"]
    assert first["end"] == second["start"]


@every_stream
def test_batch_is_of_one_window(source: str) -> None:
    stream = Stream(source)
    for letter in "abc":
        stream.send(letter, key="k")
        stream.clock.advance(25)
    mapping = windowed(stream, tumbling_window_in_seconds=50)
    assert batches(mapping.drain()) == [["a", "b"], [], ["c"], []]


@every_stream
def test_windows_do_not_overlap_and_are_as_long_as_the_mapping_says(source: str) -> None:
    stream = Stream(source)
    for letter in "abcdef":
        stream.send(letter, key="k")
        stream.clock.advance(31)
    history = windowed(stream, tumbling_window_in_seconds=30).drain()
    bounds = [each.event["window"] for each in history.invocations]
    distinct = sorted({(bound["start"], bound["end"]) for bound in bounds})
    assert len(distinct) == 6
    assert all(earlier[1] <= later[0] for earlier, later in itertools.pairwise(distinct))


@every_stream
def test_windows_open_at_regular_intervals_whenever_the_first_record_comes(source: str) -> None:
    stream = Stream(source)
    stream.clock.advance(50)
    stream.send("a", key="k")
    stream.clock.advance(15)
    stream.send("b", key="k")
    history = windowed(stream).drain()
    assert batches(history) == [["a"], [], ["b"], []]
    assert [each.event["window"]["start"][-4:] for each in history.invocations] == [":00Z"] * 4


@every_stream
def test_each_shard_has_a_state_of_its_own(source: str) -> None:
    stream = Stream(source, shards=2)
    for letter in "abcdefgh":
        stream.send(letter, key=letter)
    mapping = windowed(stream, batch_size=1)
    mapping.drain()
    seen = {
        each.event["shardId"]: each.event["state"]["seen"] for each in mapping.history.invocations if not each.items
    }
    assert len(seen) == 2
    assert all(seen.values())
    assert sorted(functools.reduce(operator.iadd, seen.values(), [])) == list("abcdefgh")


# The response.


@every_stream
@pytest.mark.parametrize("response", [{"batchItemFailures": []}, {}, None, []], ids=repr)
@pytest.mark.parametrize("reports", [True, False], ids=["reporting", "not reporting"])
def test_response_without_a_state_is_a_failed_invocation(source: str, response: Any, reports: bool) -> None:
    stream = Stream(source)
    stream.send("a", "b", key="k")
    mapping = windowed(stream, lambda event, context: response, report_batch_item_failures=reports)
    with pytest.raises(NotDrainedError):
        mapping.drain(max_invocations=5)
    assert batches(mapping.history) == [["a", "b"]] * 5
    assert "state" in str(mapping.history.invocations[0].complaint)


@every_stream
def test_failed_invocation_leaves_the_state_as_it_was(source: str) -> None:
    stream = Stream(source)
    stream.send("a", "b", key="k")
    fails_once = responds(ValueError("no"))

    def function(event: Any, context: Any) -> Any:
        if contents_of(event) == ["b"]:
            fails_once(event, context)
        return counting(event, context)

    mapping = windowed(stream, function, batch_size=1)
    mapping.drain()
    assert states(mapping)[:3] == [[], ["a"], ["a"]]


@every_stream
def test_failures_are_named_beside_the_state_and_come_again_with_it(source: str) -> None:
    stream = Stream(source)
    stream.send("a", "b", "c", key="k")
    first = {"state": {"seen": ["a"]}, **naming([stream.record_of(stream.items[1])])}
    calls = iter([first])
    mapping = windowed(stream, lambda event, context: next(calls, None) or counting(event, context))
    history = mapping.drain()
    assert batches(history) == [["a", "b", "c"], ["b", "c"], []]
    assert states(mapping) == [[], ["a"], ["a", "b", "c"]]


@every_stream
def test_failure_that_is_named_is_not_read_without_report_batch_item_failures(source: str) -> None:
    stream = Stream(source)
    stream.send("a", "b", key="k")

    def function(event: Any, context: Any) -> Any:
        return {"state": {}, **naming(records_of(event))}

    history = windowed(stream, function, report_batch_item_failures=False).drain()
    assert batches(history) == [["a", "b"], []]
    assert contents(history.lost) == ["a", "b"]


@every_stream
def test_failed_last_call_stops_the_shard_until_it_succeeds(source: str) -> None:
    stream = Stream(source)
    stream.send("a", key="k")
    stream.clock.advance(60)
    stream.send("b", key="k")
    failing = responds(ValueError("no"), ValueError("no"))

    def function(event: Any, context: Any) -> Any:
        if event["isFinalInvokeForWindow"]:
            failing(event, context)
        return counting(event, context)

    mapping = windowed(stream, function)
    history = mapping.drain()
    assert batches(history) == [["a"], [], [], [], ["b"], []]
    assert states(mapping) == [[], ["a"], ["a"], ["a"], [], ["b"]]


@every_stream
def test_last_call_that_failed_comes_again_after_a_while(source: str) -> None:
    stream = Stream(source)
    stream.send("a")
    fails_once = responds(ValueError("no"))

    def function(event: Any, context: Any) -> Any:
        if event["isFinalInvokeForWindow"]:
            fails_once(event, context)
        return counting(event, context)

    _, first, second = times(windowed(stream, function).drain())
    assert second - first >= 1


@every_stream
def test_lost_checkpoint_brings_a_batch_again_with_the_state_that_it_had(source: str) -> None:
    stream = Stream(source)
    stream.send("a", "b", key="k")
    mapping = windowed(stream, batch_size=1, faults=Faults(at={2: "duplicate"}))
    assert batches(mapping.drain()) == [["a"], ["b"], ["b"], []]
    assert states(mapping) == [[], ["a"], ["a"], ["a", "b"]]


@every_stream
def test_last_call_without_a_state_in_its_response_has_failed(source: str) -> None:
    stream = Stream(source)
    stream.send("a")
    calls = iter([None, {"batchItemFailures": []}])
    mapping = windowed(stream, lambda event, context: next(calls, None) or counting(event, context))
    assert batches(mapping.drain()) == [["a"], [], []]


@every_stream
def test_last_call_that_never_succeeds_is_told_by_drain(source: str) -> None:
    stream = Stream(source)
    stream.send("a")

    def function(event: Any, context: Any) -> Any:
        if event["isFinalInvokeForWindow"]:
            raise ValueError("no table")
        return counting(event, context)

    with pytest.raises(NotDrainedError, match="window") as caught:
        windowed(stream, function).drain(max_invocations=20)
    assert caught.value.left == 0


@every_stream
def test_last_call_that_is_throttled_comes_again(source: str) -> None:
    stream = Stream(source)
    stream.send("a")
    mapping = windowed(stream, faults=Faults(at={2: "throttle"}))
    assert batches(mapping.drain()) == [["a"], [], []]


# A state that grows too large.


def growing(event: Any, context: Any) -> Any:
    """Answer with a state of more than 1 MB, which a last call gives back."""
    return {"state": {"blob": "x" * 1_048_576} if event["Records"] else event["state"], "batchItemFailures": []}


@every_stream
def test_state_of_more_than_1_mb_ends_the_window_early(source: str) -> None:
    stream = Stream(source)
    stream.send("a", "b", key="k")
    history = windowed(stream, growing, batch_size=1).drain()
    events = [each.event for each in history.invocations]
    assert batches(history) == [["a"], [], ["b"], []]
    assert [event["isWindowTerminatedEarly"] for event in events] == [False, True, False, True]
    assert [event["isFinalInvokeForWindow"] for event in events] == [False, True, False, True]
    assert events[2]["state"] == {}
    assert events[0]["window"] == events[2]["window"]
    assert times(history) == [0.0] * 4


@every_stream
def test_size_of_the_state_in_a_last_response_means_nothing(source: str) -> None:
    stream = Stream(source)
    stream.send("a")

    def function(event: Any, context: Any) -> Any:
        return {"state": {} if event["Records"] else {"blob": "x" * 1_048_576}, "batchItemFailures": []}

    assert batches(windowed(stream, function).drain()) == [["a"], []]


@every_stream
def test_state_of_1_mb_does_not(source: str) -> None:
    stream = Stream(source)
    stream.send("a", key="k")
    state = {"blob": "x" * (1_048_576 - len('{"blob": ""}'))}
    history = windowed(stream, lambda event, context: {"state": state}).drain()
    assert [each.event["isWindowTerminatedEarly"] for each in history.invocations] == [False, False]


# Together with the other rules of streams.


@every_stream
def test_attempts_run_out_in_a_window_as_anywhere(source: str) -> None:
    stream = Stream(source)
    stream.send("a", "bad", "b", key="k")

    def function(event: Any, context: Any) -> Any:
        if "bad" in contents_of(event):
            raise ValueError("bad")
        return counting(event, context)

    mapping = windowed(stream, function, batch_size=1, maximum_retry_attempts=1)
    history = mapping.drain()
    assert batches(history) == [["a"], ["bad"], ["bad"], ["b"], []]
    assert ends(stream) == {"a": "acknowledged", "bad": "discarded", "b": "acknowledged"}
    assert states(mapping)[-1] == ["a", "b"]


@every_stream
def test_batch_of_a_window_is_split_when_the_function_fails(source: str) -> None:
    stream = Stream(source)
    stream.send("a", "b", key="k")
    failing = responds(ValueError("no"))

    def function(event: Any, context: Any) -> Any:
        failing(event, context)
        return counting(event, context)

    mapping = windowed(stream, function, bisect_batch_on_function_error=True)
    assert batches(mapping.drain()) == [["a", "b"], ["a"], ["b"], []]
    assert states(mapping)[-1] == ["a", "b"]


def test_windows_and_a_parallelization_factor_are_not_simulated_together() -> None:
    with pytest.raises(ConfigurationError, match="together"):
        windowed(Stream(), parallelization_factor=2)


@every_stream
@pytest.mark.parametrize("seed", range(4))
def test_processor_counts_each_record_once_whatever_fails(source: str, seed: int) -> None:
    stream = Stream(source)
    for number in range(12):
        stream.send(str(number), key="k")
        stream.clock.advance(11)
    failing = Failing(**{"3": 2, "7": 1, "10": 3})
    totals: dict[str, int] = {}

    def handler(record: Any, state: dict[str, Any]) -> None:
        state["total"] = state.get("total", 0) + int(content_of(record))
        failing(record)

    def function(event: Any, context: Any) -> Any:
        if event["isFinalInvokeForWindow"]:
            totals[event["window"]["start"]] = event["state"]["total"]  # a last call may come again
        return processor_of(source, raise_on_entire_batch_failure=False).run(event, handler, context).response

    windowed(stream, function, batch_size=5, faults=Faults(crashes=0.2, throttles=0.1), seed=seed).drain()
    assert sum(totals.values()) == sum(range(12))


@every_stream
def test_processor_of_a_window_stops_at_the_failure_and_keeps_the_order(source: str) -> None:
    stream = Stream(source)
    stream.send("a", "b", "c", key="k")
    mapping = EventSourceMapping(
        stream, processor=processor_of(source), record_handler=Failing(b=1), tumbling_window_in_seconds=60
    )
    history = mapping.drain()
    history.check()
    assert batches(history) == [["a", "b", "c"], ["b", "c"], []]
