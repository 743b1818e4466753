"""What is held open around records, and who is notified of them: observers, handler arguments, durations."""

from __future__ import annotations

from time import perf_counter

from batchcore._callables import CONTEXT, describe_value, is_awaitable, name_of
from batchcore._extensions.calls import TimedCall
from batchcore.errors import HandlerSignatureError, PluginError, raise_if_steering, steering_in
from batchcore.model import exception_info, is_object
from batchcore.results import ObservedResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Any, TypeAlias

    from batchcore._callables import Signature
    from batchcore._extensions.calls import Calls
    from batchcore._plugins.registration import Plugins
    from batchcore.failures import Report
    from batchcore.ledger import Ledger
    from batchcore.model import Batch, Outcome
    from batchcore.plan import HandlerCall, Run
    from batchcore.results import BatchResult
    from batchcore.types import Record

    Arguments: TypeAlias = Mapping[str, Callable[[Any], AbstractContextManager[Any]]]
    Scopes: TypeAlias = list[tuple[int, AbstractContextManager[Any]]]


class Observers:
    """Calls the observers for one batch, each in a guard of its own; one that raises is switched off for the batch.

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
        """Notify the observers that a batch starts."""
        self._call("batch_started", batch)

    def batch_finished(self, result: BatchResult) -> None:
        """Notify the observers what became of a batch."""
        self._call("batch_finished", result)

    def record_finished(self, outcome: Outcome) -> None:
        """Notify the observers what became of a record."""
        self._call("record_finished", outcome)

    def after_batch(self, result: BatchResult) -> Calls[None]:
        """Let the observers make their calls to the outside. Each has an even share of the time that is left."""
        calling = self._observers["after_batch"]
        for number, (owner, hook) in enumerate(calling):
            if owner in self._broken:
                continue
            _, error = yield TimedCall(hook, result, share=1 / (len(calling) - number))
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


def observers_of(run: Run) -> Observers:
    """Return the observers of a batch, which has some."""
    plugins = run.plan.plugins
    if plugins is None:
        raise AssertionError("a batch without plugins has no observers")
    return Observers(plugins, run.report)


def after_response(run: Run) -> Calls[None]:
    """Notify whoever wants to know of the end of a batch, and make their calls. The response stays as it is."""
    plan, observers, ledger = run.plan, run.observers, run.batch._ledger
    if run.started_at is not None:
        ledger.duration = perf_counter() - run.started_at
    if isinstance(observers, Observers):
        observers.batch_finished(_observed(run))
    if ledger.stop == "time" or plan.late or plan.wants_summaries():
        run.report.finished()
    if isinstance(observers, Observers) and observers.calls_out:
        yield from observers.after_batch(_observed(run))


def _observed(run: Run) -> ObservedResult:
    return ObservedResult(run.response, run.batch.outcomes)  # type: ignore[arg-type]  # it has been built


# -- What a handler asks for besides the record, and the time that it takes.


def bind_arguments(run: Run, given: Mapping[str, Any]) -> None:
    """Give the handler what it asks for besides the record.

    Args:
        run: the batch.
        given: name to argument, the same for all records.

    Raises:
        HandlerSignatureError: it needs an argument that nobody gives.
        PluginError: the source gives no mapping.
    """
    signature, source = run.signature, run.plan.source
    if signature is None:
        return
    offered: Any = source.handler_arguments(run.batch)
    if not is_object(offered):
        raise PluginError(
            f"handler_arguments() of source {source.name!r} gives a mapping, not {describe_value(offered)}.",
            plugin=source.plugin,
            hook="handler_arguments",
        )
    _check_given(run, signature, {*offered, *given})
    asked = {name: make for name, make in offered.items() if name in signature.asks and name not in given}
    if asked or signature.asks.intersection(given):
        run.call = _with_arguments(run, signature, given)
    if asked:
        run.arguments, run.scope = asked, scoped


def _with_arguments(run: Run, signature: Signature, given: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the callable that takes a record, and further arguments for this record alone.

    Raises:
        HandlerSignatureError: the handler needs a context and there is none.
    """
    handler, keyword = run.wrapped, signature.keyword
    given = {name: value for name, value in given.items() if name in signature.asks}
    if signature.takes_context and run.context is not None:
        given[CONTEXT] = run.context
    elif signature.needs_context:
        signature.call(handler, None)  # raises

    def call(record: Any, more: Mapping[str, Any] | None = None) -> Any:
        arguments = {**given, **more} if more else given
        return handler(record, **arguments) if keyword is None else handler(**{keyword: record}, **arguments)

    return call


def _check_given(run: Run, signature: Signature, names: Iterable[str]) -> None:
    """Check that the handler gets every argument that it needs."""
    missing = signature.needs.difference(signature.asks.intersection(names))
    if missing:
        offered = ", ".join(sorted(names))
        raise HandlerSignatureError(
            f"{name_of(run.wrapped)} needs {', '.join(sorted(missing))} besides the record. A record handler takes "
            f"one record, and `{CONTEXT}` if it wants the Lambda context. What else it asks for comes from the source, "
            "such as the `state` of a tumbling window, or from before_records() of a plugin; for this batch "
            + (f"they give {offered}." if offered else "they give nothing.")
        )


def scoped(run: Run, ledger: Ledger, at: Callable[[], int], awaits: bool) -> HandlerCall:
    """Return the callable that takes what a handler gets, and calls it inside its scope.

    Args:
        run: the batch.
        ledger: where the durations are written down.
        at: gives the position of the record that runs.
        awaits: whether the handler may give an awaitable. What is returned then does, too.
    """
    call = run.call
    if run.arguments:
        call = (_arguments_async if awaits else _arguments)(run, run.arguments, at)
    if ledger.durations is not None:
        call = (_timed_async if awaits else _timed)(call, ledger.durations, at)
    if run.failed_before:
        call = _unless_failed(call, run.failed_before, at)
    return call


def _arguments(run: Run, arguments: Arguments, at: Callable[[], int]) -> HandlerCall:
    call: Any = run.call
    records = run.batch.records

    def handle(data: Any) -> Any:
        entered: list[AbstractContextManager[Any]] = []
        try:
            value = call(data, _enter(arguments, records[at()], entered))
        except BaseException as error:
            _leave(entered, error)
            raise
        _leave(entered, None)
        return value

    return handle


def _arguments_async(run: Run, arguments: Arguments, at: Callable[[], int]) -> HandlerCall:
    call: Any = run.call
    records = run.batch.records

    async def handle(data: Any) -> Any:
        entered: list[AbstractContextManager[Any]] = []
        try:
            value: Any = call(data, _enter(arguments, records[at()], entered))
            if is_awaitable(value):
                value = await value
        except BaseException as error:
            _leave(entered, error)
            raise
        _leave(entered, None)
        return value

    return handle


def _enter(arguments: Arguments, record: Any, entered: list[AbstractContextManager[Any]]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, make in arguments.items():
        manager = make(record)
        given[name] = manager.__enter__()
        entered.append(manager)
    return given


def _leave(entered: list[AbstractContextManager[Any]], raised: BaseException | None) -> None:
    """Leave them all, the last first. One that would swallow the exception has made no success of the record.

    Raises:
        BaseException: what one of them raised, the last to do so; but nothing in place of what steers whoever runs the
            function.
    """
    mistake: BaseException | None = None
    while entered:
        try:
            entered.pop().__exit__(*((None, None, None) if raised is None else exception_info(raised)))
        except BaseException as error:
            if raised is None or steering_in(raised) is None:
                raised = mistake = error
    if mistake is not None:
        raise mistake


def _timed(call: HandlerCall, durations: list[float | None], at: Callable[[], int]) -> HandlerCall:
    def handle(data: Any) -> Any:
        position, started = at(), perf_counter()
        try:
            return call(data)
        finally:
            durations[position] = perf_counter() - started

    return handle


def _timed_async(call: HandlerCall, durations: list[float | None], at: Callable[[], int]) -> HandlerCall:
    async def handle(data: Any) -> Any:
        position, started = at(), perf_counter()
        try:
            value = call(data)
            return await value if is_awaitable(value) else value
        finally:
            durations[position] = perf_counter() - started

    return handle


def _unless_failed(
    call: HandlerCall, failed: Mapping[int, tuple[BaseException, TracebackType | None]], at: Callable[[], int]
) -> HandlerCall:
    def handle(data: Any) -> Any:
        if at() in failed:
            error, traceback = failed[at()]
            raise BaseException.with_traceback(error, traceback)  # one error may be that of many records
        return call(data)

    return handle
