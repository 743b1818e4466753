"""The observers of one batch: each called inside a guard of its own, and switched off for the batch once it raises."""

from __future__ import annotations

from batchcore.calls import Call
from batchcore.errors import raise_if_steering, steering_in
from batchcore.outcome import exception_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any, TypeAlias

    from batchcore.batch import Batch
    from batchcore.calls import Calls
    from batchcore.outcome import Outcome
    from batchcore.plugins import Plugins
    from batchcore.report import Report
    from batchcore.result import BatchResult
    from batchcore.types import Record

    Scopes: TypeAlias = list[tuple[int, AbstractContextManager[Any]]]


class Observing:
    """Calls the observers for one batch.

    Args:
        plugins: the plugins, among them the observers.
        report: where an observer that raised is logged.
    """

    __slots__ = ("_broken", "_observers", "_plugins", "_report", "calls_out", "watches_records")

    def __init__(self, plugins: Plugins, report: Report) -> None:
        self._observers = observers = plugins.observers
        self._plugins = plugins.objects
        self._report = report
        self._broken: set[int] = set()
        self.watches_records = bool(observers.get("record_scope"))
        self.calls_out = bool(observers.get("after_batch"))

    def batch_started(self, batch: Batch) -> None:
        """Tell the observers that a batch starts."""
        self._call("batch_started", batch)

    def batch_finished(self, result: BatchResult) -> None:
        """Tell the observers what became of a batch."""
        self._call("batch_finished", result)

    def record_finished(self, outcome: Outcome) -> None:
        """Tell the observers what became of a record."""
        self._call("record_finished", outcome)

    def after_batch(self, result: BatchResult) -> Calls[None]:
        """Let the observers make their calls to the outside. Each has an even share of the time that is left."""
        calling = self._observers["after_batch"]
        for number, (owner, hook) in enumerate(calling):
            if owner in self._broken:
                continue
            _, error = yield Call(hook, result, share=1 / (len(calling) - number))
            if error is not None:
                self._switch_off(owner, "after_batch", error)

    def enter(self, record: Record) -> Scopes:
        """Open the observers' scopes of a record, and return those that are open."""
        entered: Scopes = []
        for owner, hook in self._observers["record_scope"]:
            if owner in self._broken:
                continue
            try:
                scope = hook(record)
                scope.__enter__()
            except BaseException as error:
                if steering_in(error) is not None:
                    self.leave(entered, error)
                    raise_if_steering(error)
                self._switch_off(owner, "record_scope", error)
            else:
                entered.append((owner, scope))
        return entered

    def leave(self, scopes: Scopes, raised: BaseException | None) -> None:
        """Close the scopes of a record, the last opened first.

        Args:
            scopes: what :meth:`enter` has opened.
            raised: what the record failed with, if it did.

        Raises:
            BaseException: one of them raised what steers whoever runs the function. The others are closed.
        """
        steering: BaseException | None = None
        for owner, scope in reversed(scopes):
            try:
                scope.__exit__(*((None, None, None) if raised is None else exception_info(raised)))
            except BaseException as error:
                # A generator's context manager raises the handler's own exception again: that is no fault of its.
                if error is raised:
                    continue
                if steering_in(error) is None:
                    self._switch_off(owner, "record_scope", error)
                else:
                    raised = steering = error
        if steering is not None:
            raise_if_steering(steering)

    def _call(self, name: str, argument: Any) -> None:
        for owner, hook in self._observers.get(name, ()):
            if owner in self._broken:
                continue
            try:
                hook(argument)
            except BaseException as error:
                raise_if_steering(error)
                self._switch_off(owner, name, error)

    def _switch_off(self, owner: int, hook: str, error: BaseException) -> None:
        """Log the error of an observer once, and call none of its hooks again in this batch."""
        if owner not in self._broken:
            self._broken.add(owner)
            self._report.went_wrong(f"The observer hook {hook}()", error, self._plugins[owner])
