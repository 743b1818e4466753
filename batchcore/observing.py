"""The observers of one batch: each called inside a guard of its own, and switched off for the batch once it raises."""

from __future__ import annotations

from batchcore.calls import Call
from batchcore.handler import is_awaitable
from batchcore.outcome import exception_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from batchcore.batch import Batch
    from batchcore.calls import Calls
    from batchcore.outcome import Outcome
    from batchcore.plugins import Plugins
    from batchcore.report import Report
    from batchcore.result import BatchResult
    from batchcore.types import Record


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

    def scoped(self, scoped: Callable[[int, Any], Any], records: Sequence[Record]) -> Callable[[int, Any], Any]:
        """Put the observers' scopes round a handler that is called synchronously."""

        def handle(position: int, data: Any) -> Any:
            scopes = self._enter(records[position])
            try:
                value = scoped(position, data)
            except BaseException as error:
                self._leave(scopes, error)
                raise
            self._leave(scopes, None)
            return value

        return handle

    def scoped_async(self, scoped: Callable[[int, Any], Any], records: Sequence[Record]) -> Callable[[int, Any], Any]:
        """Put the observers' scopes round a handler that may return an awaitable."""

        async def handle(position: int, data: Any) -> Any:
            scopes = self._enter(records[position])
            try:
                value: Any = scoped(position, data)
                if is_awaitable(value):
                    value = await value
            except BaseException as error:
                self._leave(scopes, error)
                raise
            self._leave(scopes, None)
            return value

        return handle

    def _enter(self, record: Any) -> list[tuple[int, AbstractContextManager[Any]]]:
        entered: list[tuple[int, AbstractContextManager[Any]]] = []
        for owner, hook in self._observers["record_scope"]:
            if owner in self._broken:
                continue
            try:
                scope = hook(record)
                scope.__enter__()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                self._switch_off(owner, "record_scope", error)
            else:
                entered.append((owner, scope))
        return entered

    def _leave(self, scopes: list[tuple[int, AbstractContextManager[Any]]], raised: BaseException | None) -> None:
        exc_info = (None, None, None) if raised is None else exception_info(raised)
        for owner, scope in reversed(scopes):
            try:
                scope.__exit__(*exc_info)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                # A generator's context manager raises the handler's own exception again: that is no fault of its.
                if error is not raised:
                    self._switch_off(owner, "record_scope", error)

    def _call(self, name: str, argument: Any) -> None:
        for owner, hook in self._observers.get(name, ()):
            if owner in self._broken:
                continue
            try:
                hook(argument)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                self._switch_off(owner, name, error)

    def _switch_off(self, owner: int, hook: str, error: BaseException) -> None:
        """Log the error of an observer once, and call none of its hooks again in this batch."""
        if owner not in self._broken:
            self._broken.add(owner)
            self._report.went_wrong(f"The observer hook {hook}()", error, self._plugins[owner])
