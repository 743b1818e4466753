"""Tests of the contract: what depends on what, and what must not."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from batchcore_testing.contract import rules
from batchcore_testing.contract.broken import backwards
from batchcore_testing.contract.runs import CONCURRENT_DRIVERS, DRIVERS, Driver, Handler

if TYPE_CHECKING:
    from batchcore_testing.contract.probe import Probe

each_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.__name__)
each_concurrent_driver = pytest.mark.parametrize("driver", CONCURRENT_DRIVERS, ids=lambda driver: driver.__name__)


class OrderTests:
    """What depends on what, and what must not."""

    @each_concurrent_driver
    def test_order_inside_a_lane_is_kept(self, probe: Probe, event_of: Callable[[int], Any], driver: Driver) -> None:
        probe.run(event_of(0), driver=driver)  # which decides nothing for the next batch
        run = probe.run(probe.event, Handler(pauses=True), driver)
        for lane, positions in probe.lanes(probe.event).items():
            seen = [entry for entry in run.watch.log if entry[1] in positions]
            expected = [(what, position) for position in positions for what in ("begins", "ends")]
            if seen != expected:
                begun = [position for what, position in seen if what == "begins"]
                rules.LANE_ORDER.broken(
                    f"{driver.__name__}: the records of lane {lane!r} are at {positions}; they begin as {begun}"
                    f"{' and overlap' if begun == positions else ''}",
                    probe.name,
                )

    @each_concurrent_driver
    def test_what_follows_a_failure_in_its_lane_comes_again(
        self, probe: Probe, event_of: Callable[[int], Any], driver: Driver
    ) -> None:
        probe.run(event_of(0), driver=driver)
        for lane, positions in probe.lanes(probe.event).items():
            run = probe.run(probe.event, Handler(positions[:1], pauses=True), driver)
            gone = [position for position in positions if position not in probe.again(probe.event, run)]
            if gone:
                rules.LANE_STOP.broken(
                    f"{driver.__name__}: record {positions[0]} of lane {lane!r} failed; {gone} behind it are "
                    "acknowledged",
                    probe.name,
                )

    def test_each_record_fails_with_an_exception_of_its_own(self, probe: Probe) -> None:
        results = [probe.run(probe.event, Handler([0])).watch.result for _ in range(2)]
        outcomes = [outcome for result in results if result is not None for outcome in result.outcomes]
        exceptions = [outcome.exception for outcome in outcomes if outcome.exception is not None]
        if len({id(exception) for exception in exceptions}) != len(exceptions):
            rules.OWN_EXCEPTION.broken("two records have the same exception object", probe.name)

    @each_driver
    def test_it_keeps_nothing_of_a_batch(self, probe: Probe, event_of: Callable[[int], Any], driver: Driver) -> None:
        first = probe.run(probe.event, Handler([1]), driver).named
        probe.run(event_of(3), Handler([0, 2]), driver)
        again = probe.run(probe.event, Handler([1]), driver).named
        if again != first:
            rules.NO_MEMORY.broken(f"a response named {sorted(first)}, and the next time {sorted(again)}", probe.name)

    def test_a_batch_is_let_go(self, probe: Probe, event_of: Callable[[int], Any]) -> None:
        kept: list[weakref.ref[Any]] = []

        def run() -> None:
            batch = probe.run(event_of(3), Handler([1])).watch.batch
            kept.append(weakref.ref(batch))

        thread = threading.Thread(target=run)  # what a thread shows of its last batch ends with it
        thread.start()
        thread.join()
        gc.collect()
        if kept[0]() is not None:
            rules.NO_MEMORY.broken("after a batch somebody still holds it, with all its records", probe.name)

    def test_two_batches_at_a_time_do_not_mix(self, probe: Probe, event_of: Callable[[int], Any]) -> None:
        events = [probe.event, event_of(3), backwards(probe.event, probe.records(probe.event))]
        alone = [probe.run(event, Handler([1])).named for event in events]
        together: dict[int, Any] = {}
        workers = [
            threading.Thread(target=_run_into, args=(together, number, probe, event))
            for number, event in enumerate(events * 2)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        for number, seen in together.items():
            if isinstance(seen, Exception) or seen != alone[number % len(events)]:
                cause = seen if isinstance(seen, Exception) else None
                rules.NO_MEMORY.broken(f"beside others a batch gives {seen!r}", probe.name, cause)


def _run_into(results: dict[int, Any], number: int, probe: Probe, event: Any) -> None:
    try:
        results[number] = probe.run(event, Handler([1], pauses=True)).named
    except Exception as error:
        results[number] = error
