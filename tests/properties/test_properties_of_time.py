"""Random batches that run out of time: exactly where nobody runs beside another, and what holds everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchcore import AsyncBatchProcessor
from tests.batches import PATIENCE, failed
from tests.clocks import Nearly, Spent

from .oracle import Made, Run, Time, World, check, expected, fate, lanes_of, named
from .worlds import BEHAVIOURS, DRIVERS, STOPS, WORLDS, Log, event_of, position_of, processor_of, records, run

UNIT = 20.0
"""Seconds of the clock that is spent. So much is never waited for: a call is made in time, or not at all."""


class Costs(Spent):
    """A context of which each handler takes its part, when it begins."""

    def __init__(self, time: Time) -> None:
        super().__init__(time.left * UNIT)

    def taking_time(self, handler: Any, batch: list[Made]) -> Callable[[Any], Any]:
        def handle(record: Any) -> Any:
            self.spend(batch[position_of(record)].cost * UNIT)
            return handler(record)

        async def handle_async(record: Any) -> Any:
            self.spend(batch[position_of(record)].cost * UNIT)
            return await handler(record)

        return handle_async if inspect.iscoroutinefunction(handler) else handle


@pytest.mark.parametrize("driver", ["one by one", "asyncio"])
@given(
    batch=records([*BEHAVIOURS, *STOPS], costs=6),
    world=WORLDS,
    time=st.builds(Time, st.integers(0, 16), st.sampled_from([4, 8])),
    in_order=st.sampled_from(["in order, stop", "in order, continue"]),
)
@settings(max_examples=250, deadline=None)
def test_records_start_as_long_as_there_is_time(
    driver: str, batch: list[Made], world: World, time: Time, in_order: str
) -> None:
    if driver == "asyncio":
        world = world._replace(ordering=in_order)  # one lane: nothing runs beside another
        time = time._replace(left=time.left + 0.5)  # with exactly what must be left, a timer would look again at once
    if not batch:
        world = world._replace(breaks="")  # a batch hook that has no time for a batch without records is an error
    options: dict[str, Any] = {"raises": False, "context": Costs(time), "stop_before_timeout": time.margin * UNIT}
    seen = run(driver, batch, world, **options)
    statuses = expected(batch, world, time)
    assert seen.statuses in (statuses, None)
    assert seen.reported == named(statuses)
    check(batch, world, seen)


# -- Handlers that are still at it when the time is up.

MARGIN = 0.08
LATE = [f"{how}, then {what}" for how in ("stuck", "deaf") for what in ("ok", "fail", "drop", "dead")]


class StuckLog(Log):
    """What was done, by handlers that may be stuck until they are let go, and deaf to their cancellation."""

    def __init__(self, batch: list[Made]) -> None:
        super().__init__(batch)
        self.context = Nearly(MARGIN)
        self.release = threading.Event()
        self.tasks: set[Any] = set()  # in which coroutines are stuck

    def end(self, record: Any, made: Made) -> int:
        return super().end(record, made._replace(does=made.does.rpartition(" ")[2] if made.does in LATE else made.does))

    def begin(self, record: Any) -> Made:
        made = super().begin(record)
        if made.does in LATE:
            self.context.passes()
        return made

    def handle(self, record: Any) -> int:
        if self.batch[position_of(record)].does not in LATE:
            return super().handle(record)
        made = self.begin(record)
        assert self.release.wait(PATIENCE)
        return self.end(record, made)

    async def handle_and_wait(self, record: Any) -> int:
        made = self.batch[position_of(record)]
        if made.does not in LATE:
            return await super().handle_and_wait(record)
        self.begin(record)
        self.tasks.add(asyncio.current_task())
        while not self.release.is_set():
            with contextlib.suppress(*[asyncio.CancelledError] * made.does.startswith("deaf")):
                await asyncio.sleep(0.001)
        return self.end(record, made)


class Late(NamedTuple):
    """What was seen of a batch when it was answered, and when those that were left behind had ended."""

    then: Run
    later: Run


def run_late(driver: str, batch: list[Made], world: World) -> Late:
    log = StuckLog(batch)
    with ThreadPoolExecutor(4) if driver == "executor" else contextlib.nullcontext() as executor:
        options = {"stop_before_timeout": MARGIN, "raise_on_entire_batch_failure": False}
        processor = processor_of(driver, log, world, executor=executor, **options)

        def seen(result: Any) -> Run:
            reported = [int(identifier[1:]) for identifier in failed(result.response)]
            assert [outcome.position for outcome in result.failures] == reported
            return Run(reported, False, [o.status for o in result.outcomes], list(log.lines), list(log.told))

        if isinstance(processor, AsyncBatchProcessor):
            return asyncio.run(_abandoned_in_a_loop(processor, log, seen))
        result = processor.run(event_of(batch), log.handle, log.context)
        then = seen(result)
        workers = [thread for thread in threading.enumerate() if thread.name == "batchcore"]
        log.release.set()
        for worker in workers:
            worker.join(PATIENCE)
    return Late(then, seen(result))


async def _abandoned_in_a_loop(processor: AsyncBatchProcessor, log: StuckLog, seen: Callable[[Any], Run]) -> Late:
    result = await processor.arun(event_of(log.batch), log.handle_and_wait, log.context)
    then = seen(result)
    log.context.end = None  # if nothing more is done, then not for want of time
    log.release.set()
    if log.tasks:
        await asyncio.wait(log.tasks, timeout=PATIENCE)
    await asyncio.sleep(0.005)  # for whoever would still do something
    return Late(then, seen(result))


SIDE_BY_SIDE = [driver for driver in DRIVERS if driver not in ("one by one", "asyncio, plain handler")]
LATE_RECORDS = records([*BEHAVIOURS, *LATE, *LATE], hooks=False)
WATCHED = WORLDS.map(lambda world: world._replace(watched=True, breaks="", concurrency=max(2, world.concurrency)))


@pytest.mark.parametrize("driver", SIDE_BY_SIDE)
@given(batch=LATE_RECORDS, world=WATCHED)
@example(batch=[Made("ok"), Made("stuck, then ok")], world=World("unordered"))
@example(batch=[Made("ok"), Made("deaf, then ok")], world=World("unordered"))
@settings(max_examples=60, deadline=None)
def test_what_is_abandoned_changes_nothing(driver: str, batch: list[Made], world: World) -> None:
    then, later = run_late(driver, batch, world)
    assert (later.reported, later.statuses, later.told) == (then.reported, then.statuses, then.told)
    assert later.positions("begins") == then.positions("begins"), "nothing starts any more"
    assert then.lines[-1] == ("finished", -1)


@pytest.mark.parametrize("driver", SIDE_BY_SIDE)
@given(batch=LATE_RECORDS, world=WATCHED)
@settings(max_examples=60, deadline=None)
def test_out_of_time_nothing_is_reported_done_that_was_not(driver: str, batch: list[Made], world: World) -> None:
    seen, _ = run_late(driver, batch, world)
    assert seen.statuses is not None
    assert seen.reported == named(seen.statuses)
    begun, shown = seen.positions("begins"), {p for what, p in seen.lines if what in ("ends", "delivered", "drops")}
    assert set(range(len(batch))) - set(seen.reported) <= shown
    for position, status in enumerate(seen.statuses):
        if batch[position].does in LATE and status not in ("failed", "not_attempted"):
            hung_too_often = fate(batch[position]._replace(does="fail"), world) == "dead"
            assert (status, hung_too_often) == ("dead_lettered", True), "one that hangs is done nowhere but elsewhere"
        assert status != "not_attempted" or position not in begun or position in shown
    for lane in lanes_of(batch, world):
        positions = [position for _, position in seen.lines if position in lane]
        assert positions == sorted(positions), "a lane is in order, its dead letters too"
        if world.stops:
            stopped = [position for position in lane if seen.statuses[position] == "failed"][:1]
            assert not any(position in begun for position in lane if stopped and position > stopped[0])


@pytest.mark.parametrize("driver", SIDE_BY_SIDE)
@given(batch=LATE_RECORDS, world=WATCHED)
@settings(max_examples=40, deadline=None)
def test_out_of_time_each_record_is_told_once(driver: str, batch: list[Made], world: World) -> None:
    seen, _ = run_late(driver, batch, world)
    assert sorted(seen.told) == list(enumerate(seen.statuses or ()))


@pytest.mark.parametrize("driver", SIDE_BY_SIDE)
@given(batch=LATE_RECORDS, world=WATCHED)
@settings(max_examples=40, deadline=None)
def test_nothing_is_delivered_after_the_response(driver: str, batch: list[Made], world: World) -> None:
    then, later = run_late(driver, batch, world)
    assert later.positions("delivered") == then.positions("delivered")
