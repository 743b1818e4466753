"""``deliver_dead_letters``: tens at the end of a batch, one at a time in lanes, and none that would come again."""

from __future__ import annotations

import asyncio
import inspect
import itertools
import logging
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    Batch,
    BatchProcessor,
    DeadLetterRecord,
    DuplicateHookError,
    Outcome,
    StopBatch,
    by_key,
    hookimpl,
    in_order,
    unordered,
)

from .support import (
    CheckpointSource,
    Run,
    TimeLeft,
    ToySource,
    errors_of,
    exceptions,
    failed,
    plugin_of,
    run,
    run_async,
    run_threads,
    statuses,
    toys,
)


def give_up(toy: Any) -> str:
    """Make a dead letter of each whose name begins with "dead", fail on "bad"."""
    if toy["id"].startswith("dead"):
        raise DeadLetterRecord(toy["id"])
    if toy["id"].startswith("bad"):
        raise ValueError(toy["id"])
    return f"played with {toy['id']}"


def dead(count: int) -> Any:
    return toys(*(f"dead {number}" for number in range(count)))


def by_lane(toy: Any) -> str:
    """The lane of a toy is the last letter of its name."""
    return str(toy["id"][-1])


def names(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.record["id"] for outcome in outcomes]


class Many:
    """Delivers several at once, and keeps with what it was called.

    Args:
        act: gives the result, or raises, instead of delivering all.
    """

    def __init__(self, act: Callable[[Sequence[Outcome]], Any] | None = None) -> None:
        self.calls: list[list[str]] = []
        self.act = act

    @hookimpl
    def deliver_dead_letters(self, outcomes: Sequence[Outcome], batch: Batch) -> Any:
        self.calls.append(names(outcomes))
        return [None] * len(outcomes) if self.act is None else self.act(outcomes)


class Both(Many):
    """Delivers several at once, or one."""

    def __init__(self) -> None:
        super().__init__()
        self.alone: list[str] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome, batch: Batch) -> None:
        self.alone.append(outcome.record["id"])


# -- At the end of an unordered batch.


def test_deliver_dead_letters_gets_them_by_tens_in_the_order_of_the_batch(driver: Run) -> None:
    plugin = Many()

    result = driver(ToySource(), dead(23), give_up, plugins=[plugin])

    assert [len(call) for call in plugin.calls] == [10, 10, 3]
    assert [name for call in plugin.calls for name in call] == [f"dead {number}" for number in range(23)]
    assert result.counts() == {"dead_lettered": 23}
    assert result.response == {"batchItemFailures": []}


def test_they_are_delivered_after_the_last_record(driver: Run) -> None:
    calls: list[str] = []

    def handler(toy: Any) -> None:
        calls.append(toy["id"])
        give_up(toy)

    driver(ToySource(), toys("dead", "car"), handler, plugins=[Many(lambda outcomes: calls.append("sent") or [None])])

    assert sorted(calls[:-1]) == ["car", "dead"]
    assert calls[-1] == "sent"


def test_only_dead_letters_are_delivered(driver: Run) -> None:
    plugin = Many()

    result = driver(ToySource(), toys("dead 1", "car", "bad", "dead 2"), give_up, plugins=[plugin])

    assert plugin.calls == [["dead 1", "dead 2"]]
    assert statuses(result) == ["dead_lettered", "succeeded", "failed", "dead_lettered"]
    assert failed(result) == ["bad"]


def test_nobody_is_called_where_there_is_no_dead_letter(driver: Run) -> None:
    plugin = Both()

    driver(ToySource(), toys("car", "bad"), give_up, plugins=[plugin])

    assert (plugin.calls, plugin.alone) == ([], [])


def test_where_there_are_both_hooks_one_that_is_left_over_goes_alone(driver: Run) -> None:
    plugin = Both()

    driver(ToySource(), dead(21), give_up, plugins=[plugin])

    assert [len(call) for call in plugin.calls] == [10, 10]
    assert plugin.alone == ["dead 20"]


def test_where_there_is_the_other_hook_alone_they_go_one_by_one(driver: Run) -> None:
    sent: list[str] = []

    result = driver(
        ToySource(),
        dead(12),
        give_up,
        plugins=[plugin_of(deliver_dead_letter=lambda outcome: sent.append(outcome.record["id"]))],
    )

    assert sent == [f"dead {number}" for number in range(12)]
    assert result.counts() == {"dead_lettered": 12}


def test_the_batch_is_given_as_well(driver: Run) -> None:
    seen: list[Any] = []

    class Sends:
        @hookimpl
        def deliver_dead_letters(self, outcomes: Sequence[Outcome], batch: Batch) -> list[None]:
            seen.append((batch.source, [batch.original_message(outcome.record).body for outcome in outcomes]))
            return [None] * len(outcomes)

    driver(ToySource(), dead(2), give_up, plugins=[Sends()])

    assert seen == [("toy", ['{"id": "dead 0"}', '{"id": "dead 1"}'])]


def test_a_deliverer_sees_each_as_a_failure_with_its_exception_and_traceback(driver: Run) -> None:
    seen: list[Any] = []

    def look(outcomes: Sequence[Outcome]) -> list[None]:
        for outcome in outcomes:
            error = outcome.exception
            seen.append((outcome.status, repr(error), error is not None and error.__traceback__ is not None))
        return [None] * len(outcomes)

    driver(ToySource(), dead(1), give_up, plugins=[Many(look)])

    assert seen == [("failed", "DeadLetterRecord('dead 0')", True)]


def test_one_of_ten_that_is_not_delivered_is_retried_alone(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    def all_but_the_fourth(outcomes: Sequence[Outcome]) -> Any:
        return [ConnectionError("too large") if number == 3 else None for number, _ in enumerate(outcomes)]

    result = driver(ToySource(), dead(10), give_up, plugins=[Many(all_but_the_fourth)])

    assert failed(result) == ["dead 3"]
    assert result.counts() == {"dead_lettered": 9, "failed": 1}
    assert repr(result.outcomes[3].exception) == "DeadLetterRecord('dead 3')", "its own exception"
    assert errors_of(caplog) == (
        "deliver_dead_letter() raised ConnectionError: too large; record dead 3 of toy is retried. Plugin: Many."
    )


def test_the_result_may_be_any_sequence(driver: Run) -> None:
    plugin = Many(lambda outcomes: (None, LookupError()))

    assert failed(driver(ToySource(), dead(2), give_up, plugins=[plugin])) == ["dead 1"]


@pytest.mark.parametrize(
    "returned",
    [
        None,
        [],
        [None],
        [None] * 3,
        [None, "no queue"],
        [None, False],
        [None, LookupError],
        "ok",
        2,
        {"a": None, "b": None},
        {None, 1},
        iter([None, None]),
    ],
    ids=lambda returned: type(returned).__name__,
)
def test_a_result_that_says_nothing_of_each_means_that_all_are_retried(
    returned: Any, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    result = driver(ToySource(), toys("dead 0", "dead 1", "car"), give_up, plugins=[Many(lambda outcomes: returned)])

    assert failed(result) == ["dead 0", "dead 1"]
    assert "PluginError: deliver_dead_letters() gives None or an exception for each of 2 records" in errors_of(caplog)
    assert f"it gave a {type(returned).__name__}" in errors_of(caplog)


def test_a_result_that_would_have_to_be_awaited_means_that_all_are_retried(
    driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def deliver() -> None:
        raise AssertionError("nobody awaits it")

    result = driver(ToySource(), dead(2), give_up, plugins=[Many(lambda outcomes: deliver())])

    assert failed(result) == ["dead 0", "dead 1"]
    assert "UnawaitedResultError" in errors_of(caplog)


@pytest.mark.parametrize("error", [ConnectionError, SystemExit, asyncio.CancelledError])
def test_a_delivery_that_raises_means_that_those_ten_are_retried_and_the_others_are_tried(
    error: type[BaseException], driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def first_raises(outcomes: Sequence[Outcome]) -> Any:
        if outcomes[0].position == 0:
            raise error("no queue")
        return [None] * len(outcomes)

    result = driver(ToySource(), dead(12), give_up, plugins=[Many(first_raises)])

    assert failed(result) == [f"dead {number}" for number in range(10)]
    assert errors_of(caplog).count(f"raised {error.__name__}: no queue") == 1
    assert f"raised {error.__name__}: 9 more, dead 1, dead 2," in errors_of(caplog)


def test_the_error_of_a_delivery_is_logged_after_the_failure_of_the_record(
    driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    driver(ToySource(), dead(1), give_up, plugins=[Many(lambda outcomes: [ConnectionError()])])

    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]


def test_a_keyboard_interrupt_in_a_delivery_propagates(driver: Run) -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    def interrupt(outcomes: Sequence[Outcome]) -> Any:
        raise Interrupted

    with pytest.raises(Interrupted):
        driver(ToySource(), dead(1), give_up, plugins=[Many(interrupt)])


@pytest.mark.parametrize(
    ("returned", "status"), [(None, "dead_lettered"), (ConnectionError(), "failed")], ids=["delivered", "not delivered"]
)
@pytest.mark.parametrize("ordering", [unordered, in_order()], ids=str)
def test_observers_are_told_once_when_it_is_settled(
    returned: BaseException | None, status: str, ordering: Any, driver: Run
) -> None:
    told: list[Any] = []

    class Watches(Many):
        @hookimpl
        def record_finished(self, outcome: Outcome) -> None:
            told.append((outcome.identifier, outcome.status, outcome.done))

    plugin = Watches(lambda outcomes: told.append("delivering") or [returned])

    driver(ToySource(), dead(1), give_up, plugins=[plugin], ordering=ordering)

    assert told == ["delivering", ("dead 0", status, status == "dead_lettered")]


@pytest.mark.parametrize("ordering", [unordered, in_order()], ids=str)
def test_a_failure_handler_is_told_while_the_exception_of_the_record_is_being_handled(ordering: Any) -> None:
    told: list[Any] = []

    class Processor(BatchProcessor):
        def failure_handler(self, record: Any, exception: Any) -> Any:
            told.append((record["id"], repr(exception[1]), sys.exc_info()[1] is exception[1]))

    plugin = Many(lambda outcomes: told.append("delivering") or [None])

    Processor(ToySource(), plugins=[plugin], ordering=ordering).run(dead(1), give_up)

    assert told == ["delivering", ("dead 0", "DeadLetterRecord('dead 0')", True)]


def test_a_batch_of_dead_letters_alone_is_no_failed_batch(driver: Run) -> None:
    result = driver(ToySource(), dead(3), give_up, plugins=[Many()], raise_on_entire_batch_failure=True)

    assert result.failures == []


def test_one_plugin_has_both_hooks_or_one_and_no_other_delivers() -> None:
    one = plugin_of(deliver_dead_letter=lambda outcome: None)

    BatchProcessor(ToySource(), plugins=[Both()])
    for plugins in ([Many(), one], [one, Many()], [Many(), Many()]):
        with pytest.raises(DuplicateHookError, match=r"both deliver dead letters\. Pass one of them"):
            BatchProcessor(ToySource(), plugins=plugins)


def test_a_dead_letter_of_a_batch_hook_after_the_records_is_delivered_at_the_end(driver: Run) -> None:
    class Fails(Many):
        @hookimpl
        def after_records(self, outcomes: Sequence[Outcome], fail: Any) -> None:
            assert self.calls == [["dead 1"]] if ordered else self.calls == []
            fail(outcomes[0], DeadLetterRecord())

    for ordered in (False, True):
        plugin = Fails()
        options = {"ordering": in_order()} if ordered else {}

        result = driver(ToySource(), toys("car", "dead 1"), give_up, plugins=[plugin], **options)

        assert plugin.calls == ([["dead 1"], ["car"]] if ordered else [["car", "dead 1"]])
        assert statuses(result) == ["dead_lettered", "dead_lettered"]


# -- Its time, and its thread.


def test_a_delivery_that_does_not_answer_is_not_waited_for_and_all_are_retried(
    never: Callable[..., None], driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    result = driver(ToySource(), dead(2), give_up, plugins=[Many(never)], context=TimeLeft(0.2))

    assert failed(result) == ["dead 0", "dead 1"]
    assert [type(error) for error in exceptions(result)] == [DeadLetterRecord] * 2
    assert errors_of(caplog).count("OutsideCallError: It had not answered after 0.15 s") == 1
    assert errors_of(caplog).endswith("raised OutsideCallError: 1 more, dead 1")


def test_a_delivery_in_a_lane_that_does_not_answer_is_not_waited_for(never: Callable[..., None], driver: Run) -> None:
    result = driver(
        ToySource(), toys("dead", "car"), give_up, plugins=[Many(never)], context=TimeLeft(0.2), ordering=in_order()
    )

    assert statuses(result) == ["failed", "not_attempted"]


def test_nothing_is_delivered_where_no_time_is_left(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    plugin = Many()

    result = driver(ToySource(), dead(12), give_up, plugins=[plugin], context=TimeLeft(0))

    assert plugin.calls == []
    assert result.counts() == {"failed": 12}
    assert errors_of(caplog).count("No time was left for it, so it was not called") == 1
    assert "raised OutsideCallError: 11 more, dead 1, dead 2," in errors_of(caplog)


@pytest.mark.parametrize("run", [run, run_threads])
@pytest.mark.parametrize(("context", "own"), [(None, False), (TimeLeft(60), True)], ids=["no clock", "a clock"])
def test_deliveries_run_in_a_thread_of_their_own_where_the_context_tells_the_time(
    context: Any, own: bool, run: Run
) -> None:
    threads: list[threading.Thread] = []

    run(
        ToySource(),
        dead(1),
        give_up,
        plugins=[Many(lambda outcomes: threads.append(threading.current_thread()) or [None])],
        context=context,
    )

    assert (threads[0] is threading.current_thread()) is not own


@pytest.mark.parametrize("ordering", [unordered, in_order()], ids=str)
@pytest.mark.parametrize("context", [None, TimeLeft(60)], ids=["no clock", "a clock"])
def test_a_delivery_does_not_hold_the_loop(ordering: Any, context: Any) -> None:
    turned = threading.Event()
    seen: list[bool] = []

    async def main() -> Any:
        plugin = Many(lambda outcomes: seen.append(turned.wait(20)) or [None])
        processor = AsyncBatchProcessor(ToySource(), plugins=[plugin], ordering=ordering)
        running = asyncio.ensure_future(processor.arun(dead(1), give_up, context))
        while not running.done():
            await asyncio.sleep(0.001)
            turned.set()
        return running.result()

    assert statuses(asyncio.run(main())) == ["dead_lettered"]
    assert seen == [True]


def test_those_of_an_unordered_batch_are_delivered_though_a_thread_is_abandoned(never: Callable[..., None]) -> None:
    context, one_has_failed = TimeLeft(0.5), threading.Event()

    class Logger:
        def warning(self, *arguments: Any, **named: Any) -> None:
            one_has_failed.set()

    def handler(toy: Any) -> None:
        if toy["id"] == "stuck":
            assert one_has_failed.wait(20)
            context.seconds = 0.25  # less than three quarters of the margin: what runs is given up
            never()
        give_up(toy)

    plugin = Many()

    result = run_threads(
        ToySource(),
        toys("dead", "stuck"),
        handler,
        plugins=[plugin],
        context=context,
        stop_before_timeout=0.4,
        logger=Logger(),
    )

    assert plugin.calls == [["dead"]]
    assert statuses(result) == ["dead_lettered", "failed"]


def test_those_of_an_unordered_batch_are_delivered_though_a_task_is_abandoned() -> None:
    context, plugin = TimeLeft(0.25), Many()

    async def main() -> Any:
        test_ends = asyncio.Event()

        async def handler(toy: Any) -> None:
            give_up(toy)
            context.seconds = 0.1
            while not test_ends.is_set():
                try:
                    await test_ends.wait()
                except asyncio.CancelledError:
                    continue

        processor = AsyncBatchProcessor(
            ToySource(), plugins=[plugin], stop_before_timeout=0.2, raise_on_entire_batch_failure=False
        )
        result = await processor.arun(toys("dead", "stuck"), handler, context)
        test_ends.set()
        await asyncio.sleep(0)
        return result

    assert statuses(asyncio.run(main())) == ["dead_lettered", "failed"]
    assert plugin.calls == [["dead"]]


# -- In lanes.


@pytest.mark.parametrize("on_failure", ["stop", "continue"])
@pytest.mark.parametrize("lanes", ["in_order", "by_key"])
def test_in_a_lane_each_is_delivered_before_the_next_record_starts(lanes: str, on_failure: Any, driver: Run) -> None:
    calls: list[str] = []
    ordering = in_order(on_failure=on_failure) if lanes == "in_order" else by_key(by_lane, on_failure=on_failure)

    def handler(toy: Any) -> None:
        calls.append(toy["id"])
        give_up(toy)

    plugin = Many(lambda outcomes: calls.append(f"sent {names(outcomes)}") or [None])

    result = driver(ToySource(), toys("dead 1a", "dead 2a", "car a"), handler, plugins=[plugin], ordering=ordering)

    assert calls == ["dead 1a", "sent ['dead 1a']", "dead 2a", "sent ['dead 2a']", "car a"]
    assert statuses(result) == ["dead_lettered", "dead_lettered", "succeeded"]


def test_in_a_lane_the_hook_for_one_is_called_where_there_are_both(driver: Run) -> None:
    plugin = Both()

    driver(ToySource(), dead(3), give_up, plugins=[plugin], ordering=in_order())

    assert (plugin.calls, plugin.alone) == ([], ["dead 0", "dead 1", "dead 2"])


@pytest.mark.parametrize(
    ("on_failure", "expected"),
    [("stop", ["failed", "not_attempted", "succeeded"]), ("continue", ["failed", "succeeded", "succeeded"])],
)
@pytest.mark.parametrize(
    "act",
    [lambda outcomes: [ConnectionError()], lambda outcomes: 1 / 0, lambda outcomes: None],
    ids=["says", "raises", "lost"],
)
def test_one_that_is_not_delivered_is_a_failure_of_its_lane(
    act: Any, on_failure: Any, expected: list[str], driver: Run
) -> None:
    result = driver(
        ToySource(),
        toys("dead a", "car a", "ball b"),
        give_up,
        plugins=[Many(act)],
        ordering=by_key(by_lane, on_failure=on_failure),
    )

    assert statuses(result) == expected


def test_a_record_whose_lane_cannot_be_had_is_delivered(driver: Run) -> None:
    calls: list[str] = []

    def key(toy: Any) -> str:
        return str(give_up(toy))

    plugin = Many(lambda outcomes: calls.append(f"sent {names(outcomes)}") or [None])

    result = driver(
        ToySource(), toys("dead", "car"), lambda toy: calls.append(toy["id"]), plugins=[plugin], ordering=by_key(key)
    )

    assert sorted(calls) == ["car", "sent ['dead']"]
    assert statuses(result) == ["dead_lettered", "succeeded"]


def test_a_record_whose_lane_cannot_be_had_holds_up_no_lane(driver: Run) -> None:
    told: list[str] = []

    class Watches(Many):
        @hookimpl
        def record_finished(self, outcome: Outcome) -> None:
            told.append(outcome.record["id"])

    def key(toy: Any) -> str:
        return str(give_up(toy)) if toy["id"] == "dead 0" else "a lane"

    event = toys("dead 0", "dead 1", "car")

    result = driver(
        CheckpointSource(), event, give_up, plugins=[Watches()], ordering=by_key(key, on_failure="continue")
    )

    assert sorted(told) == ["car", "dead 0", "dead 1"]
    assert [outcome.status for outcome in result.outcomes if outcome.position != 1] == ["dead_lettered", "succeeded"]


def test_a_lane_is_delivered_while_other_lanes_run_where_each_record_is_acknowledged_by_itself() -> None:
    sent = threading.Event()

    def handler(toy: Any) -> None:
        if toy["id"] == "car a":
            assert sent.wait(20)
        give_up(toy)

    plugin = Many(lambda outcomes: sent.set() or [None])

    result = run_threads(ToySource(), toys("car a", "dead b"), handler, plugins=[plugin], ordering=by_key(by_lane))

    assert statuses(result) == ["succeeded", "dead_lettered"]


# -- Where a checkpoint acknowledges.


@pytest.mark.parametrize("ordering", [unordered, in_order(on_failure="continue"), by_key(by_lane)], ids=str)
def test_one_above_the_lowest_that_comes_again_is_deferred(
    ordering: Any, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = Many()

    result = driver(CheckpointSource(), toys("dead a", "bad b", "dead c"), give_up, plugins=[plugin], ordering=ordering)

    assert plugin.calls == [["dead a"]]
    assert statuses(result) == ["dead_lettered", "failed", "failed"]
    assert failed(result) == ["bad b", "dead c"]
    assert "to be a dead letter once no other brings it back" in str(result.explain()[2])
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3, "no error: nothing went wrong"


def test_one_above_the_lowest_is_delivered_where_each_record_is_acknowledged_by_itself(driver: Run) -> None:
    plugin = Many()

    driver(ToySource(), toys("dead a", "bad b", "dead c"), give_up, plugins=[plugin])

    assert plugin.calls == [["dead a", "dead c"]]


def test_one_that_is_deferred_is_told_of_as_failed(driver: Run) -> None:
    told: list[Any] = []

    class Watches(Many):
        @hookimpl
        def record_finished(self, outcome: Outcome) -> None:
            told.append((outcome.identifier, outcome.status))

    driver(CheckpointSource(), toys("bad", "dead"), give_up, plugins=[Watches()])

    assert told == [("bad", "failed"), ("dead", "failed")]


def test_those_above_one_that_was_not_delivered_are_deferred(driver: Run) -> None:
    def not_the_second(outcomes: Sequence[Outcome]) -> Any:
        return [ConnectionError() if outcome.position == 1 else None for outcome in outcomes]

    plugin = Many(not_the_second)

    result = driver(CheckpointSource(), dead(25), give_up, plugins=[plugin])

    assert [len(call) for call in plugin.calls] == [10], "the second ten is above it"
    assert [outcome.position for outcome in result.outcomes if not outcome.done] == [1, *range(10, 25)]


def test_a_success_that_a_batch_hook_took_back_comes_again_and_defers_those_above(driver: Run) -> None:
    class Fails(Many):
        @hookimpl
        def after_records(self, outcomes: Sequence[Outcome], fail: Any) -> None:
            fail(outcomes[0], LookupError())

    plugin = Fails()

    result = driver(CheckpointSource(), toys("dead 1", "car", "dead 2"), give_up, plugins=[plugin])

    assert plugin.calls == [["dead 1"]]
    assert statuses(result) == ["dead_lettered", "failed", "failed"]


PATTERNS = ["".join(kinds) for kinds in itertools.product("+-x", repeat=4)]
"""Each a batch of four: a success, a failure or a dead letter."""


def expected_of(pattern: str, lanes: str, stops: bool, by_checkpoint: bool) -> list[str]:
    """Say what becomes of the records of a batch, one after the other."""
    again, stopped, expected = False, set(), []
    for kind, lane in zip(pattern, lanes, strict=True):
        if lane in stopped:
            status = "not_attempted"
        elif kind == "+":
            status = "succeeded"
        else:
            status = "dead_lettered" if kind == "x" and not (again and by_checkpoint) else "failed"
        if status in ("failed", "not_attempted"):
            again = True
            if stops:
                stopped.add(lane)
        expected.append(status)
    return expected


def event_of(pattern: str, lanes: str) -> Any:
    kinds = {"+": "car", "-": "bad", "x": "dead"}
    return toys(*(f"{kinds[kind]} {number}{lanes[number]}" for number, kind in enumerate(pattern)))


@pytest.mark.parametrize("lanes", ["aaaa", "abab", "abba", "aabb", "abcd"])
@pytest.mark.parametrize("on_failure", ["stop", "continue"])
@pytest.mark.parametrize("source", [CheckpointSource, ToySource])
def test_every_driver_makes_the_same_of_lanes_with_dead_letters(
    source: type, on_failure: Any, lanes: str, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "batchcore")
    ordering = by_key(by_lane, on_failure=on_failure)
    wrong = []
    for pattern in PATTERNS:
        plugin = Many()
        result = driver(source(), event_of(pattern, lanes), give_up, plugins=[plugin], ordering=ordering)
        expected = expected_of(pattern, lanes, on_failure == "stop", source is CheckpointSource)
        delivered = [o.identifier for o in result.outcomes if o.status == "dead_lettered"]
        if statuses(result) != expected or sorted(name for (name,) in plugin.calls) != sorted(delivered):
            wrong.append((pattern, statuses(result), expected, plugin.calls))

    assert wrong == []


@pytest.mark.parametrize("source", [CheckpointSource, ToySource])
def test_every_driver_makes_the_same_of_an_unordered_batch_with_dead_letters(
    source: type, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "batchcore")
    wrong = []
    for pattern in PATTERNS:
        result = driver(source(), event_of(pattern, "abcd"), give_up, plugins=[Many()], ordering=unordered)
        expected = expected_of(pattern, "abcd", False, source is CheckpointSource)
        if statuses(result) != expected:
            wrong.append((pattern, statuses(result), expected))

    assert wrong == []


# -- Lanes side by side, where a checkpoint acknowledges: one waits until everything before it has ended.


def in_waiting_threads(first: str, *, calls: list[str], plugin: Any, **options: Any) -> Any:
    """Run two lanes in threads. The first record of the first is still running long after that of the second failed."""
    second_goes_on = threading.Event()

    def handler(toy: Any) -> None:
        if toy["id"] == first:
            second_goes_on.wait(0.05)
            calls.append(f"{first} ends")
        elif toy["id"] == "car 2b":
            second_goes_on.set()
            calls.append("car 2b")
        give_up(toy)

    return run_threads(CheckpointSource(), toys(first, "dead 1b", "car 2b"), handler, plugins=[plugin], **options)


def in_waiting_tasks(first: str, *, calls: list[str], plugin: Any, **options: Any) -> Any:
    """Run two lanes as tasks. The first record of the first is still running long after that of the second failed."""

    async def handler(toy: Any) -> None:
        if toy["id"] == first:
            await asyncio.sleep(0.05)
            calls.append(f"{first} ends")
        elif toy["id"] == "car 2b":
            calls.append("car 2b")
        give_up(toy)

    return run_async(CheckpointSource(), toys(first, "dead 1b", "car 2b"), handler, plugins=[plugin], **options)


both_side_by_side = pytest.mark.parametrize(
    "side_by_side", [in_waiting_threads, in_waiting_tasks], ids=["threads", "asyncio"]
)


@both_side_by_side
@pytest.mark.parametrize("on_failure", ["stop", "continue"])
def test_a_lane_waits_with_its_dead_letter_until_everything_before_it_has_ended(
    on_failure: Any, side_by_side: Any
) -> None:
    calls: list[str] = []
    plugin = Many(lambda outcomes: calls.append(f"sent {names(outcomes)}") or [None])

    result = side_by_side("car 0a", calls=calls, plugin=plugin, ordering=by_key(by_lane, on_failure=on_failure))

    assert calls == ["car 0a ends", "sent ['dead 1b']", "car 2b"]
    assert statuses(result) == ["succeeded", "dead_lettered", "succeeded"]


@both_side_by_side
@pytest.mark.parametrize(
    ("on_failure", "calls_after", "last"), [("stop", [], "not_attempted"), ("continue", ["car 2b"], "succeeded")]
)
def test_a_lane_that_waited_goes_on_as_after_a_failure_where_its_dead_letter_is_deferred(
    on_failure: Any, calls_after: list[str], last: str, side_by_side: Any
) -> None:
    calls: list[str] = []
    plugin = Many()

    result = side_by_side("bad 0a", calls=calls, plugin=plugin, ordering=by_key(by_lane, on_failure=on_failure))

    assert plugin.calls == []
    assert calls == ["bad 0a ends", *calls_after]
    assert statuses(result) == ["failed", "failed", last]


@both_side_by_side
@pytest.mark.parametrize(("on_failure", "last"), [("stop", "not_attempted"), ("continue", "succeeded")])
def test_a_lane_that_waited_goes_on_as_after_a_failure_where_its_dead_letter_is_not_delivered(
    on_failure: Any, last: str, side_by_side: Any
) -> None:
    plugin = Many(lambda outcomes: [ConnectionError()])

    result = side_by_side("car 0a", calls=[], plugin=plugin, ordering=by_key(by_lane, on_failure=on_failure))

    assert plugin.calls == [["dead 1b"]]
    assert statuses(result) == ["succeeded", "failed", last]


@both_side_by_side
def test_two_lanes_that_wait_are_settled_in_the_order_of_the_batch(side_by_side: Any) -> None:
    plugin = Many()

    result = side_by_side("dead 0a", calls=[], plugin=plugin, ordering=by_key(by_lane))

    assert plugin.calls == [["dead 0a"], ["dead 1b"]]
    assert statuses(result) == ["dead_lettered", "dead_lettered", "succeeded"]


def test_no_lane_that_waits_is_held_up_by_the_rest_of_another() -> None:
    """Whichever came to wait first: both are settled, then both go on."""
    calls: list[str] = []

    async def main() -> Any:
        last_waits, first_waits = asyncio.Event(), asyncio.Event()

        async def handler(toy: Any) -> None:
            if toy["id"] == "car 0a":
                await first_waits.wait()
                await asyncio.sleep(0.01)
            elif toy["id"] == "dead 1b":
                await last_waits.wait()
                await asyncio.sleep(0.01)
                first_waits.set()
            elif toy["id"] == "dead 2c":
                last_waits.set()
            calls.append(toy["id"])
            give_up(toy)

        plugin = Many(lambda outcomes: calls.append(f"sent {names(outcomes)}") or [None])
        processor = AsyncBatchProcessor(CheckpointSource(), plugins=[plugin], ordering=by_key(by_lane))
        return await processor.arun(toys("car 0a", "dead 1b", "dead 2c", "car 3b", "car 4c"), handler)

    result = asyncio.run(main())

    assert calls[:5] == ["dead 2c", "dead 1b", "car 0a", "sent ['dead 1b']", "sent ['dead 2c']"]
    assert sorted(calls[5:]) == ["car 3b", "car 4c"]
    assert result.counts() == {"succeeded": 3, "dead_lettered": 2}


@both_side_by_side
def test_a_lane_that_waits_when_the_batch_is_stopped_has_its_dead_letter_deferred(side_by_side: Any) -> None:
    """What stopped the batch comes again, and is before it."""

    class Stops(Many):
        @hookimpl
        def wrap_handler(self, handler: Any) -> Any:
            if inspect.iscoroutinefunction(handler):

                async def stopping(record: Any) -> Any:
                    await handler(record)
                    if record["id"] == "car 0a":
                        raise StopBatch

                return stopping

            def stopping_at_once(record: Any) -> Any:
                handler(record)
                if record["id"] == "car 0a":
                    raise StopBatch

            return stopping_at_once

    plugin = Stops()

    result = side_by_side("car 0a", calls=[], plugin=plugin, ordering=by_key(by_lane))

    assert plugin.calls == []
    assert statuses(result) == ["failed", "failed", "not_attempted"]


def test_no_more_lanes_run_at_a_time_after_a_wait_than_before() -> None:
    running, most = 0, 0

    async def handler(toy: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        give_up(toy)

    event = toys("car a", *(f"dead {lane}" for lane in "bcdef"), *(f"car {lane}" for lane in "bcdef"))

    result = run_async(
        CheckpointSource(), event, handler, plugins=[Many()], ordering=by_key(by_lane), max_concurrency=2
    )

    assert most == 2
    assert result.counts() == {"succeeded": 6, "dead_lettered": 5}
