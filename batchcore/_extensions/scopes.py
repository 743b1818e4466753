"""What is held open around records, and who is notified of them: observers, handler arguments, durations."""

from __future__ import annotations

from time import perf_counter

from batchcore._extensions.calls import TimedCall
from batchcore.callables import CONTEXT, describe_value, is_awaitable, is_object, name_of
from batchcore.errors import HandlerSignatureError, PluginError, exception_info, raise_if_steering, steering_in
from batchcore.results import ObservedResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from typing import Any, TypeAlias

    from typing_extensions import Self

    from batchcore._extensions.calls import Calls
    from batchcore.callables import Signature
    from batchcore.deadline import Clock
    from batchcore.ledger import Ledger
    from batchcore.model import Batch
    from batchcore.plan import HandlerCall, Run
    from batchcore.results import BatchResult
    from batchcore.types import ExceptionInfo

    Arguments: TypeAlias = Mapping[str, Callable[[Any], AbstractContextManager[Any]]]
    Scopes: TypeAlias = list[tuple[int, AbstractContextManager[Any]]]


class Observers:
    """Calls the observers for one batch, each in a guard of its own; one that raises is switched off for the batch.

    Args:
        run: the batch, whose plan has observers.
    """

    __slots__ = ("_batch", "_broken", "_observers", "_plugins", "_report", "watches_records")

    def __init__(self, run: Run) -> None:
        plugins: Any = run.plan.plugins
        self._observers: dict[str, list[tuple[int, Callable[..., Any]]]] = plugins.observers
        self._plugins = plugins.objects
        self._batch = run.batch
        self._report = run.report
        self._broken: set[int] = set()
        self.watches_records = "record_scope" in self._observers

    def batch_started(self, batch: Batch) -> None:
        """Notify the observers that a batch starts."""
        self._call("batch_started", batch)

    def batch_finished(self, result: BatchResult) -> None:
        """Notify the observers what became of a batch."""
        self._call("batch_finished", result)

    def record_finished(self, position: int) -> None:
        """Notify the observers what became of a record: where there are any, for an outcome takes 1 us to make."""
        if "record_finished" in self._observers:
            self._call("record_finished", self._batch.outcomes[position], self._batch)

    def after_batch(self, result: BatchResult) -> Calls[None]:
        """Let the observers make their calls to the outside. Each has an even share of the time that is left."""
        calling = self._observers["after_batch"]
        for number, (owner, hook) in enumerate(calling):
            if owner in self._broken:
                continue
            _, error = yield TimedCall(hook, result, limit=_share(len(calling) - number))
            if error is not None:
                self._switch_off(owner, "after_batch", error)

    def enter(self, position: int) -> Scopes:
        """Open the observers' scopes of a record, and return those that are open."""
        entered: Scopes = []
        for owner, hook in self._observers["record_scope"]:
            if owner in self._broken:
                continue
            try:
                scope = hook(self._batch._records[position], self._batch, position)
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
        """Close the scopes of a record, which may have failed, the last opened first: none is left in the list.

        Raises:
            BaseException: one of them raised what steers whoever runs the function. The others are closed.
        """
        steering: BaseException | None = None
        while scopes:
            owner, scope = scopes.pop()
            try:
                scope.__exit__(*_exit_arguments(raised))
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

    def _call(self, name: str, *arguments: Any) -> None:
        for owner, hook in self._observers.get(name, ()):
            if owner in self._broken:
                continue
            try:
                hook(*arguments)
            except BaseException as error:
                raise_if_steering(error)
                self._switch_off(owner, name, error)

    def _switch_off(self, owner: int, hook: str, error: BaseException) -> None:
        """Log the error of an observer once, and call none of its hooks again in this batch."""
        if owner not in self._broken:
            self._broken.add(owner)
            self._report.went_wrong(f"The observer hook {hook}()", error, self._plugins[owner])


def _share(number: int) -> Callable[[Clock], float]:
    return lambda clock: clock.for_calls() / number


def after_response(run: Run) -> Calls[None]:
    """Notify whoever wants to know of the end of a batch, and make their calls. The response stays as it is."""
    plan, ledger = run.plan, run.batch._ledger
    observers = None if run.around is None else run.around.observers
    if run.started_at is not None:
        ledger.duration = perf_counter() - run.started_at
    if isinstance(observers, Observers):
        observers.batch_finished(_observed(run))
    if run._report is not None:
        run._report.counted()
    if ledger.stop == "time" or plan.late or plan.wants_summaries():
        run.report.finished()
    if isinstance(observers, Observers) and "after_batch" in observers._observers:
        yield from observers.after_batch(_observed(run))


def _observed(run: Run) -> ObservedResult:
    return ObservedResult(run.response, run.batch.outcomes)  # type: ignore[arg-type]  # it has been built


# -- What a handler asks for besides the record, and the time that it takes.


def bind_arguments(run: Run, given: Mapping[str, Any]) -> None:
    """Give the handler what it asks for besides the record; some is given already, the same for all records.

    Raises:
        HandlerSignatureError: it needs an argument that nobody gives.
        PluginError: the source gives no mapping.
    """
    around, source = run.around, run.plan.source
    if around is None or around.signature is None:
        return
    signature = around.signature
    offered: Any = source.handler_arguments(run.batch)
    if not is_object(offered):
        raise PluginError(
            f"handler_arguments() of source {source.name!r} gives a mapping, not {describe_value(offered)}.",
            plugin=source.plugin,
            hook="handler_arguments",
        )
    names = {*offered, *given}
    missing = signature.needs - (signature.asks & names)  # one by position only is not given by name
    if missing:
        offers = ", ".join(sorted(names))
        raise HandlerSignatureError(
            f"{name_of(around.wrapped)} needs {', '.join(sorted(missing))} besides the record. A record "
            f"handler takes one record, and `{CONTEXT}` if it wants the Lambda context. What else it asks for comes "
            "from the source, such as the `state` of a tumbling window, or from before_records() of a plugin; for this "
            f"batch they give {offers or 'nothing'}."
        )
    asked = {name: make for name, make in offered.items() if name in signature.asks and name not in given}
    if asked or signature.asks.intersection(given):
        run.call = _with_arguments(around.wrapped, run.context, signature, given)
    if asked:
        around.arguments, around.scope = asked, scoped


def _with_arguments(handler: Any, context: Any, signature: Signature, given: Mapping[str, Any]) -> Callable[..., Any]:
    """Return the callable that takes a record, and further arguments for this record alone."""
    keyword = signature.keyword
    given = {name: value for name, value in given.items() if name in signature.asks}
    if signature.takes_context and context is not None:
        given[CONTEXT] = context

    def call(record: Any, more: Mapping[str, Any] | None = None) -> Any:
        arguments = {**given, **more} if more else given
        return handler(record, **arguments) if keyword is None else handler(**{keyword: record}, **arguments)

    return call


class _Held:
    """The context managers around one call of a handler, which give it arguments.

    One that would swallow an exception has made no success of the record. The last exception that one of them raises
    is raised; but nothing in place of what steers whoever runs the function.
    """

    __slots__ = ("_entered",)

    def __init__(self) -> None:
        self._entered: list[AbstractContextManager[Any]] = []

    def open(self, arguments: Arguments, record: Any) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for name, make in arguments.items():
            manager = make(record)
            given[name] = manager.__enter__()
            self._entered.append(manager)
        return given

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, raised: BaseException | None, traceback: object) -> None:
        mistake: BaseException | None = None
        while self._entered:
            try:
                self._entered.pop().__exit__(*_exit_arguments(raised))
            except BaseException as error:
                if raised is None or steering_in(raised) is None:
                    raised = mistake = error
        if mistake is not None:
            raise mistake


def scoped(run: Run, ledger: Ledger, at: Callable[[], int], awaits: bool) -> HandlerCall:
    """Return the callable that takes what a handler gets, and calls it inside its scope.

    Args:
        run: the batch.
        ledger: where the durations are written down.
        at: gives the position of the record that runs.
        awaits: whether the handler may give an awaitable. What is returned then does, too.
    """
    call: Any = run.call
    around, records, durations = run.surrounded(), run.batch.records, ledger.durations
    arguments, failed = around.arguments, around.failed_before or {}

    def handle(data: Any) -> Any:
        position, started = at(), perf_counter()
        if position in failed:
            raise BaseException.with_traceback(*failed[position])  # one error may be that of many records
        try:
            if not arguments:
                return call(data)
            with _Held() as held:
                return call(data, held.open(arguments, records[position]))
        finally:
            if durations is not None:
                durations[position] = perf_counter() - started

    async def handle_awaiting(data: Any) -> Any:
        position, started = at(), perf_counter()
        try:
            with _Held() as held:
                value = call(data, held.open(arguments, records[position])) if arguments else call(data)
                return await value if is_awaitable(value) else value
        finally:
            if durations is not None:
                durations[position] = perf_counter() - started

    def awaiting(data: Any) -> Any:
        if at() in failed:  # not in the coroutine, where a StopIteration would become a RuntimeError
            raise BaseException.with_traceback(*failed[at()])
        return call(data) if not arguments and durations is None else handle_awaiting(data)

    return awaiting if awaits else handle


def _exit_arguments(raised: BaseException | None) -> ExceptionInfo:
    return (None, None, None) if raised is None else exception_info(raised)
