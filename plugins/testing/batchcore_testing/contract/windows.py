"""Tests of the contract: tumbling windows, where the example events belong to one."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from batchcore import unordered
from batchcore.windows import is_windowed
from batchcore_testing.contract import rules
from batchcore_testing.contract.runs import Driver, Handler, one_by_one, tasks, threads

if TYPE_CHECKING:
    from batchcore_testing.contract.probe import Probe

# In a with block nobody knows the event, so nobody knows the window.
each_driver = pytest.mark.parametrize("driver", [one_by_one, threads, tasks], ids=lambda driver: driver.__name__)


class WindowTests:
    """Tumbling windows, where the example events belong to one."""

    def test_the_state_of_a_window_goes_out_again(self, probe: Probe) -> None:
        state = {"total": 17, "names": ["a", "b"]}
        for fails in ([], [1]):
            if not is_windowed(probe.event):
                return
            seen = probe.run({**probe.event, "state": state}, Handler(fails)).part("state")
            if seen != state:
                rules.WINDOW_STATE.broken(f"it came in as {state} and goes out as {seen}", probe.name)

    @each_driver
    def test_a_window_stops_at_a_failure(self, probe: Probe, driver: Driver) -> None:
        if not is_windowed(probe.event):
            return
        for options in ({}, {"ordering": unordered}):
            begun = probe.run(probe.event, Handler([1], pauses=True), driver, **options).watch.begun
            if begun != [0, 1]:
                rules.WINDOW_ORDER.broken(f"{driver.__name__}: record 1 failed, and {begun} were begun", probe.name)

    @each_driver
    def test_a_failure_leaves_the_state_of_a_window_alone(self, probe: Probe, driver: Driver) -> None:
        if not is_windowed(probe.event):
            return
        handler = _Counting()
        run = probe.run({**probe.event, "state": {}}, handler, driver)
        if run.part("state") != {"seen": 1}:
            seen = f"record 1 changed it and failed; it goes out as {run.part('state')}"
            rules.WINDOW_STATE.broken(f"{driver.__name__}: {seen}", probe.name)


class _Counting(Handler):
    """Counts records in the state of the window, and then fails record 1."""

    def __init__(self) -> None:
        super().__init__([1])
        kinds = inspect.Parameter
        named = kinds.POSITIONAL_OR_KEYWORD
        signature = inspect.Signature([kinds("record", named), kinds("state", named)])
        self.__signature__ = signature

        async def awaited(record: Any, state: Any) -> Any:
            return self(record, state)

        self.awaited = awaited  # type: ignore[method-assign, assignment]  # with the state

    def __call__(self, record: Any, state: Any = None) -> Any:
        """Handle a record."""
        state["seen"] = state.get("seen", 0) + 1
        return self._end(record)
