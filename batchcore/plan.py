"""What a processor was told, resolved once: a :class:`Plan`. What happens in one batch on its way: a :class:`Run`."""

from __future__ import annotations

import os
import sys
from enum import Enum, EnumMeta
from functools import cache
from types import MethodType

from batchcore.callables import Signature, known_by
from batchcore.errors import ConfigurationError, RaisedDisposition, exception_info, raise_if_steering
from batchcore.ledger import FAILED, NOT_PROCESSED, Failure, plain_kind
from batchcore.model import typed
from batchcore.source import ENVIRONMENT_VARIABLE, offered

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Generator, Mapping, Sequence
    from types import TracebackType
    from typing import Any, TypeAlias

    from batchcore._plugins.loading import Plugins
    from batchcore.deadline import Clock
    from batchcore.dispositions import Disposition
    from batchcore.errors import WholeBatchRetry
    from batchcore.failures import Report
    from batchcore.ledger import Ledger, Skipped
    from batchcore.model import Batch, Ordering
    from batchcore.source import Source
    from batchcore.types import DeadLetterBook, ExceptionInfo, Lane, Observing, PartialItemFailureResponse, Record

    Drive: TypeAlias = "Callable[[Run], None]"
    HandlerCall: TypeAlias = Callable[[Any], Any]  # takes what the handler gets
    Scope: TypeAlias = "Callable[[Run, Ledger, Callable[[], int], bool], HandlerCall]"
    OutsideCalls: TypeAlias = Generator[Any, Any, None]
    Watcher: TypeAlias = Callable[[Any, Any, Sequence[Record] | None], object]  # a session, event, records


watchers: list[Watcher] = []
"""Called with every batch of this process as it begins, whoever begins it, before its event is read; with its event, or
its records where it has no event. A processor's observers see its own batches, this sees those of any processor."""


INFO = 20  # as in logging, which nobody may have imported


class Plan:
    """What a processor was told, resolved once for all its batches. None means that there is nothing to do.

    Attributes:
        source: the source, resolved.
        plugins: extensions and observers.
        ordering: the ordering that the caller chose; None for the source's own.
        validate: makes the validator of the model that was given.
        mend: takes validator, record and error where a model refused a record: gives the model, or raises.
        dispositions: exception type to what becomes of a record; None where nothing but a retry may.
        dead_letter_after: the delivery from which on a record that would be retried is a dead letter.
        dead_letters: makes the book of the dead letters of a batch, whose records form lanes or not.
        deliver: delivers a record from this thread, if it is a dead letter of a lane; tells whether that has to wait.
        calls: makes the generator of the calls to the outside, around the records.
        complete: makes those calls from this thread, and drives the records among them.
        observe: makes the observers of a batch.
        end: does from this thread what comes when the response is ready.
        raises: whether a batch of which no record is done raises.
        logger: where failures are logged; None for the logger ``batchcore``.
        stop_before: seconds left of the invocation at which no further record starts.
        is_serial: whether records run in the thread that begins their batch, and nothing is awaited.
        is_enabled: tells whether a level is logged, once the logger is known to be one of Python's; None before.
        has_more: whether a batch is more than its records: a model, a preparer, plugins, a limit of time.
        late: an entry per handler that ended after its batch had been answered, until a summary counts them. Shared by
            all batches, on purpose: the batch of such a handler has no log any more.
    """

    __slots__ = (
        "calls", "complete", "dead_letter_after", "dead_letters", "deliver", "dispositions", "end", "has_more",
        "is_enabled", "is_serial", "late", "logger", "mend", "observe", "ordering", "plugins", "raises", "source",
        "stop_before", "validate",
    )  # fmt: skip # one name a line would hide the class behind them

    def __init__(
        self, source: Source, plugins: Plugins | None, end: Callable[[Run], None], logger: logging.Logger | None
    ) -> None:
        self.source = source
        self.plugins = plugins
        self.ordering: Ordering | None = None
        self.dispositions: Mapping[type[BaseException], Disposition] | None = None
        self.dead_letter_after: int | None = None
        self.raises = False
        self.logger = logger
        self.stop_before: float | None = None
        self.end = end
        self.late: list[None] = []
        self.has_more = plugins is not None or source.prepares
        self.validate: Callable[[], Callable[[Any], Any]] | None = None
        self.mend: Callable[[Callable[[Any], Any], Any, ValueError], Any] | None = None
        self.dead_letters: Callable[[str, Ordering], DeadLetterBook] | None = None
        self.deliver: Callable[[Run, Ledger, int], bool] | None = None
        self.calls: Callable[[Run], OutsideCalls] | None = None
        self.complete: Callable[[Run, OutsideCalls, Drive], None] | None = None
        self.observe: Callable[[Run], Observing] | None = None
        self.is_serial = False
        self.is_enabled: Callable[[int], bool] | None = None

    def wants_summaries(self) -> bool:
        """Whether anybody wants a line per batch, at INFO. Nobody does, where nobody has imported ``logging``."""
        logger: Any = self.logger
        logging = sys.modules.get("logging")
        if logging is not None and logger is None:
            logger = logging.getLogger("batchcore")
        try:
            if logging is not None and type(logger) is logging.Logger:
                self.is_enabled = logger.isEnabledFor
            return bool(logger.isEnabledFor(INFO))
        except Exception:  # a logger of somebody's own, or something else that has a method ``warning``
            return False


class Around:
    """What is done around the records of one batch, where something is.

    Attributes:
        observers: the observers of this batch.
        on_success: a processor's own success handler.
        on_failure: a processor's own failure handler.
        prepare: raw record to prepared record.
        signature: the handler's, where it asks for more than the record and the Lambda context.
        wrapped: the handler as plugins wrap it, where ``signature`` is set.
        arguments: name to a callable that gives the context manager of an argument that the handler asks for.
        failed_before: position to what a batch hook before the records failed it with, and its traceback.
        clock: what is left of the invocation, once somebody has asked.
        scope: makes of a run's ``call`` one that does something around each record.
    """

    observers: Observing | None = None
    on_success: Callable[[Record, Any], object] | None = None
    on_failure: Callable[[Any, ExceptionInfo], object] | None = None
    prepare: Callable[[Any], Any] | None = None
    signature: Signature | None = None
    wrapped: Callable[..., Any] | None = None
    arguments: Mapping[str, Callable[[Any], Any]] | None = None
    failed_before: Mapping[int, tuple[BaseException, TracebackType | None]] | None = None
    clock: Clock | None = None
    scope: Scope | None = None

    @property
    def watches(self) -> bool:
        """Whether anybody is notified of records that fail."""
        return self.on_failure is not None or self.observers is not None

    def surround(self, run: Run, ledger: Ledger, outcomes: list[Any] | Lane) -> tuple[HandlerCall, list[Any]]:
        """Return what calls the handler with all that is around it, and the scopes that are open around a record."""
        call = run.call if self.scope is None else self.scope(run, ledger, outcomes.__len__, False)
        on_success, observers = self.on_success, self.observers
        scoping = observers if observers is not None and observers.watches_records else None
        records, failed_before = run.batch._records, self.failed_before or ()
        scopes: list[Any] = []

        def call_surrounded(data: Any) -> Any:
            position = len(outcomes)
            if scoping is not None and position not in failed_before:
                scopes.extend(scoping.enter(position))
            value = call(data)
            if on_success is not None:
                plain_kind(value)
                if not ledger.is_closed:
                    on_success(records[position], value)
            return value

        return (call if scoping is None and on_success is None else call_surrounded), scopes


class Run:
    """One batch on its way: what only the engine needs, and nobody once it is answered.

    Attributes:
        plan: the processor's plan.
        batch: the facts, and by them the ledger. Not there until the event is read.
        handler: the record handler, as the user gave it.
        context: the Lambda context, or None.
        call: takes what the handler gets, and calls it.
        decode: prepared record to what the handler gets.
        ordering: how the records depend on one another.
        around: what is done around the records; None where nothing is, as in most batches.
        started_at: when it started, in seconds of a clock that only rises, where somebody may ask how long it took.
        response: the response, once it is built; None where the source raises in its place.
        refusal: what it raises then, until the batch has ended.
    """

    # Slots, all set at once: each look at a default on the class costs as much as to set three of them.
    __slots__ = (
        "_report", "around", "batch", "call", "context", "decode", "handler", "ordering", "plan",
        "refusal", "response", "started_at",
    )  # fmt: skip # one name a line would hide the class behind them

    plan: Plan
    batch: Batch
    ordering: Ordering
    call: HandlerCall
    decode: Callable[[Any], Any]

    def __init__(self, handler: Callable[..., Any], context: Any) -> None:
        self.handler = handler
        self.context = context
        self.around: Around | None = None
        self.started_at: float | None = None
        self.response: PartialItemFailureResponse | None = None
        self.refusal: WholeBatchRetry | None = None
        self._report: Report | None = None

    def surrounded(self) -> Around:
        """Return what is done around the records, made now where nothing was until now."""
        if self.around is None:
            self.around = Around()
        return self.around

    @property
    def report(self) -> Report:
        """The log of this batch."""
        if self._report is None:
            self._report = _report_class()(self.plan.logger, self.batch, self.plan.late, self.handler)
        return self._report

    @property
    def clock(self) -> Clock | None:
        """What is left of the invocation; None where its context tells no time."""
        around = self.surrounded()
        if around.clock is None and self.context is not None:
            from batchcore.deadline import clock_of

            around.clock = clock_of(self.context, self.plan.stop_before)
        return around.clock

    # -- Failing: the outcome is written down, the failure is logged, and whoever wants to know is notified.

    def fail(self, ledger: Ledger, position: int, data: Any, error: BaseException) -> None:
        """Let a record fail. Raises nothing but what steers whoever runs the function.

        Args:
            ledger: where the outcome is written down.
            position: where in the batch.
            data: what the handler got, or ``NOT_PROCESSED`` where it did not come to that.
            error: what was raised. Called while it is being handled.
        """
        if not isinstance(error, Exception):
            raise_if_steering(error)
        disposition = None
        if self.plan.dispositions is not None or issubclass(type(error), RaisedDisposition):
            disposition = self._disposition_of(ledger, position, error)
        around = self.around
        watched = around is not None and around.watches
        # What can be made again is not kept: it may hold all that was decoded of the record.
        again = self.decode is self.batch._view and isinstance(self.decode, type)
        if around is not None and around.prepare is not None:
            again = False
        is_plain = disposition is None and not watched and (again or data is NOT_PROCESSED)
        if not ledger.fail(position, error if is_plain else Failure(FAILED, error, data), disposition):
            return
        if (self._report or self.report).is_heard:
            self.report.failed(position, error, disposition or "retry")
        if watched and (disposition != "dead_letter" or ledger.dead_letters is None):
            self.notify(ledger, position, error)
        if again and not is_plain:
            ledger.failure(position).data = NOT_PROCESSED

    def _disposition_of(self, ledger: Ledger, position: int, error: BaseException) -> str:
        from batchcore.dispositions import disposition_of, is_of_the_record

        disposition: str = disposition_of(error, self.plan.dispositions or {}).value
        after = self.plan.dead_letter_after
        if disposition == "retry" and after is not None and is_of_the_record(error):
            attempt = self.batch.delivery_attempt(self.batch._records[position])
            if attempt is not None and attempt >= after:
                return "dead_letter"
        if disposition == "dead_letter" and ledger.dead_letters is None:
            self.report.nobody_delivers()
        return disposition

    def skip(self, ledger: Ledger, position: int, reason: Skipped) -> None:
        """Skip a record, whose turn will not come in this batch."""
        if ledger.skip(position, reason) and self.around is not None and self.around.watches:
            self.notify(ledger, position, ledger.failure(position).exception)

    def notify(self, ledger: Ledger, position: int, error: BaseException) -> None:
        """Call a processor's own failure handler and the observers of a failed record, its exception being handled."""
        around = self.around
        if around is None or not around.watches or not ledger.is_mine_to_tell(position):
            return
        if sys.exc_info()[1] is error:
            self._notify(around, position, error)
            return
        traceback = error.__traceback__
        try:
            raise error  # a failure handler may ask sys.exc_info() for it
        except BaseException:
            self._notify(around, position, error)
        finally:
            BaseException.with_traceback(error, traceback)

    def _notify(self, around: Around, position: int, error: BaseException) -> None:
        if around.on_failure is not None:
            try:
                around.on_failure(typed(self.batch, position), exception_info(error))
            except BaseException as mistake:
                raise_if_steering(mistake)
                self.report.went_wrong("failure_handler()", mistake, position=position)
        if around.observers is not None:
            around.observers.record_finished(position)


@cache
def _report_class() -> type[Report]:
    """Return the class of reports, imported by the first batch of which something is logged."""
    from batchcore.failures import Report

    return Report


def plugins_of(given: Any) -> Plugins | None:
    """Check plugins, those of the environment included; None where there are none, and nothing is to be loaded."""
    if type(given) in (tuple, list) and not given and not os.environ.get(ENVIRONMENT_VARIABLE):
        return None
    from batchcore._plugins.loading import Plugins

    return Plugins(given)


class Handlers:
    """The record handlers of one processor, each examined once.

    Args:
        wraps: what wraps a handler, the innermost first.
        check: checks a handler, wrapped, and its signature.
        are_watched: whether the processor may have methods of its own that watch records.

    Attributes:
        last: the last handler, what is called for it, and its signature.
        are_watched: see above.
    """

    __slots__ = ("_check", "_wrapped", "_wraps", "are_watched", "last")

    def __init__(
        self,
        wraps: Sequence[Callable[..., Any]],
        check: Callable[[Callable[..., Any], Signature], None],
        are_watched: bool,
    ) -> None:
        self._wraps = wraps
        self._check = check
        self.are_watched = are_watched
        self.last: tuple[object, Callable[..., Any], Signature] | None = None
        self._wrapped: list[tuple[object, Callable[..., Any], Signature]] = []

    def examine(self, handler: Callable[..., Any]) -> tuple[object, Callable[..., Any], Signature]:
        """Return what is :attr:`last` from now on: a handler that is not the last one."""
        last = self.last
        if self._wraps:
            examined = (handler, *self._once(handler))
        elif last is not None and type(last[0]) is type(handler) and known_by(last[0]) is known_by(handler):
            examined = (handler, handler, last[2])
        else:
            examined = (handler, handler, self._read(handler))
        self.last = examined  # set at once: threads may share the processor
        return examined

    def _read(self, handler: Callable[..., Any]) -> Signature:
        signature = Signature(handler)
        self._check(handler, signature)
        return signature

    def _once(self, handler: Callable[..., Any]) -> tuple[Callable[..., Any], Signature]:
        """Return a handler as plugins wrap it: as before, if it was wrapped, for they may keep something with it."""
        for other, wrapped, signature in self._wrapped:
            if _is_same(other, handler):
                return wrapped, signature
        wrapped = handler
        for wrap in self._wraps:
            wrapped = wrap(wrapped)
        signature = self._read(wrapped)
        self._wrapped.append((handler, wrapped, signature))
        del self._wrapped[:-_WRAPPED_HANDLERS]
        return wrapped, signature


_WRAPPED_HANDLERS = 32  # a handler made anew for each batch must not be kept for good


def _is_same(handler: object, other: object) -> bool:
    """Whether two are one handler: a bound method is a new object each time it is named."""
    if isinstance(handler, MethodType) and isinstance(other, MethodType):
        return handler.__self__ is other.__self__ and handler.__func__ is other.__func__
    return handler is other


def source_named(event_type: Any) -> tuple[str, object]:
    """Return the name and the source that an ``event_type`` means."""
    if isinstance(event_type, str):
        name = event_type.value if isinstance(event_type, Enum) else event_type
        source = offered().get(name)
        if source is None:
            from batchcore._plugins.loading import find_source

            source = find_source(name)
        return name, source
    if isinstance(event_type, EnumMeta):
        raise ConfigurationError("event_type is one of EventType, such as EventType.SQS, not EventType itself.")
    return _name_of(event_type), event_type


def _name_of(source: object) -> str:
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else type(source).__name__
