"""What a processor was told, and one batch on its way: configuration here, everything that changes there."""

from __future__ import annotations

import sys
from functools import cache

from batchcore.batch import Batch
from batchcore.errors import NotAttemptedError, OutOfTimeError, RaisedDisposition, raise_if_steering
from batchcore.outcome import (
    DROPPED,
    FAILED,
    NOT_ATTEMPTED,
    NOT_PROCESSED,
    Failure,
    Outcomes,
    exception_info,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping, Sequence
    from threading import Lock
    from types import TracebackType
    from typing import Any, TypeAlias

    from batchcore.clock import Clock
    from batchcore.current import Shown
    from batchcore.dead_letters import DeadLetters
    from batchcore.disposition import Disposition
    from batchcore.handler import Binding
    from batchcore.observing import Observing
    from batchcore.ordering import Ordering
    from batchcore.plugins import Plugins
    from batchcore.report import Report
    from batchcore.result import BatchResult
    from batchcore.source import Source
    from batchcore.types import ExceptionInfo, PartialItemFailureResponse, Record

    SuccessHook: TypeAlias = Callable[[Record, Any], object]
    FailureHook: TypeAlias = Callable[[Any, ExceptionInfo], object]
    Watcher: TypeAlias = Callable[["Invocation", Any, "Sequence[Record] | None"], object]

watchers: list[Watcher] = []
"""Called with every batch of this process as it begins, whoever begins it, before its event is read; with its event, or
its records where it has no event. A processor's observers see its own batches, this sees those of any processor."""


class Untold(Failure):
    """Stands for every record that was not attempted for one reason, until somebody asks for one of them.

    Attributes:
        make: makes the exception of one of them; None for that of the batch's ordering.
    """

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], BaseException] | None) -> None:
        super().__init__(NOT_ATTEMPTED, NotAttemptedError(), NOT_PROCESSED)
        self.make = make


def _time_was_up() -> BaseException:
    return OutOfTimeError("The time of the invocation was nearly up, so it was not started.")


def _batch_had_stopped() -> BaseException:
    return NotAttemptedError("An earlier failure stopped the batch, so it was not attempted.")


LANE_STOPPED, TIME_UP, BATCH_STOPPED = Untold(None), Untold(_time_was_up), Untold(_batch_had_stopped)


class Settings:
    """What a processor was told, for all its batches.

    Attributes:
        source: the source, resolved.
        plugins: extensions and observers.
        validate: makes the validator of the model that was given, or None.
        ordering: the ordering that the caller chose, or None for the source's own.
        dispositions: exception type to what becomes of the record.
        dead_letter_after: the delivery from which on a record that would be retried is a dead letter, or None.
        raise_on_entire_batch_failure: whether a batch of which no record is done raises.
        logger: where failures are logged, or None for the logger ``batchcore``.
        stop_before: seconds left of the invocation at which no further record starts, or None.
        disposes: whether anything but a retry may become of a record that failed.
        is_plain: whether no batch needs more than its records to be run: no observers, no steps, no limit of time.
        late: an entry per handler that ended after its batch had been answered, until the next summary counts them.
    """

    __slots__ = (
        "_is_enabled",
        "dead_letter_after",
        "disposes",
        "dispositions",
        "is_plain",
        "late",
        "logger",
        "ordering",
        "plugins",
        "raise_on_entire_batch_failure",
        "source",
        "stop_before",
        "validate",
    )

    def __init__(
        self,
        source: Source,
        plugins: Plugins,
        *,
        validate: Callable[[], Callable[[Any], Any]] | None = None,
        ordering: Ordering | None = None,
        dispositions: Mapping[type[BaseException], Disposition] | None = None,
        dead_letter_after: int | None = None,
        raise_on_entire_batch_failure: bool = False,
        logger: logging.Logger | None = None,
        stop_before: float | None = None,
    ) -> None:
        self.source = source
        self.plugins = plugins
        self.validate = validate
        self.ordering = ordering
        self.dispositions = dispositions or {}
        self.dead_letter_after = dead_letter_after
        self.raise_on_entire_batch_failure = raise_on_entire_batch_failure
        self.logger = logger
        self.stop_before = stop_before
        self._is_enabled: Callable[[int], bool] | None = getattr(logger, "isEnabledFor", None)
        self.disposes = bool(dispositions) or dead_letter_after is not None
        self.is_plain = stop_before is None and not plugins.acts and not plugins.observers
        self.late: list[None] = []

    def wants_summaries(self) -> bool:
        """Say whether anybody wants a line per batch, at INFO. Nobody does, where nobody has imported ``logging``."""
        is_enabled = self._is_enabled
        if is_enabled is None:
            logging = sys.modules.get("logging")
            if logging is None or self.logger is not None:  # something else that has a method ``warning``
                return False
            is_enabled = self._is_enabled = logging.getLogger("batchcore").isEnabledFor
        try:
            return bool(is_enabled(20))
        except Exception:  # a logger of somebody's own
            return False


@cache
def _report_class() -> type[Report]:
    """Give the class of reports, imported by the first batch of which something is logged."""
    from batchcore.report import Report

    return Report


class Invocation(Batch):
    """One batch on its way: what the hooks see of it, and a slot per position.

    It is made before its event is read, so that a batch which is refused leaves no earlier answer to be given for it.

    Attributes:
        ready: whether the event has been read. Until then there is no answer.
        settings: the processor's settings.
        handler: the record handler, as the user gave it.
        binding: the handler, examined, where it asks for more than the record and the Lambda context.
        call: takes what the handler gets, and calls it.
        ordering: how the records depend on one another.
        prepare: raw record to prepared record, or None where nobody prepares.
        decode: prepared record to what the handler gets.
        values: the slots. Each holds ``NOT_PROCESSED`` until its record is done.
        succeeded: how many slots the drivers have filled with a handler's return value; -1 where they did not count.
        failures: position to what is known of a record that did not simply succeed.
        failed_before: position to what a step before the records failed it with, and its traceback.
        arguments: name to a callable that gives the context manager of an argument that the handler asks for.
        held_open: whether anything is held open around each handler, or done there.
        durations: seconds that each handler took, where somebody will ask for them.
        letters: the dead letters of the batch, where somebody delivers them.
        running: the positions whose handlers run, where they may have to be left behind.
        on_success: a processor's own success handler, or None.
        on_failure: a processor's own failure handler, or None.
        observing: the observers, or None.
        entered: whether it is going on: between entering and leaving ``with``, or while it is run.
        outer: the batch of the same processor that goes on around it, where there is one.
        shown_by: what led to it in contexts while it went on: copies of them have that still.
        begun: whether the records have been started.
        stopped: whether no further record may start.
        out_of_time: whether that is because the time is up.
        cut_loose: whether the answer is made without the workers that still run for it: they call no hook any more.
        lock: held while a slot of a failed record is filled, where there are worker threads.
        interrupted: whether something that steers whoever runs the function ends it, such as a KeyboardInterrupt.
        finished: whether the response is built.
        remakes_views: whether what the handlers got can be made again from the raw record.
        response: the response, once it is.
        started_at, duration: seconds of a clock that only rises, and how long the batch took, where somebody may ask.
        messages: the lists that a processor's attributes show, once somebody asked for them.
    """

    # Defaults stand on the class: a batch pays for the attributes it sets, and most batches set few.
    ready = False
    binding: Binding | None = None
    prepare: Callable[[Any], Any] | None = None
    succeeded = 0
    failed_before: Mapping[int, tuple[BaseException, TracebackType | None]] | None = None
    arguments: Mapping[str, Callable[[Any], Any]] | None = None
    held_open = False
    durations: list[float | None] | None = None
    letters: DeadLetters | None = None
    running: set[int] | None = None
    on_success: SuccessHook | None = None
    on_failure: FailureHook | None = None
    observing: Observing | None = None
    remakes_views = False
    entered = False
    outer: Invocation | None = None
    shown_by: Shown | None = None
    begun = False
    stopped = False
    out_of_time = False
    cut_loose = False
    lock: Lock | None = None
    interrupted = False
    finished = False
    response: PartialItemFailureResponse = None  # type: ignore[assignment]  # until it is finished
    started_at: float | None = None
    duration: float | None = None
    messages: Any = None
    log: Report | None = None
    view: Callable[[Any], Any]
    error: object = None
    _clock: Clock | None = None

    settings: Settings
    ordering: Ordering
    decode: Callable[[Any], Any]
    values: list[Any]
    failures: dict[int, Failure]

    def __init__(self, handler: Callable[..., Any], call: Callable[[Any], Any], context: Any) -> None:
        self.handler = handler
        self.call = call
        self.context = context

    @property
    def outcomes(self) -> Outcomes:
        """The outcomes, as hooks and users see them."""
        return Outcomes(self)

    @property
    def result(self) -> BatchResult:
        """The result, once the batch is finished."""
        from batchcore.result import BatchResult

        return BatchResult(self.response, self.outcomes)

    @property
    def report(self) -> Report:
        """The log of this batch."""
        if self.log is None:
            self.log = _report_class()(self.settings.logger, self)
        return self.log

    @property
    def clock(self) -> Clock | None:
        """What is left of the invocation; None where its context tells no time."""
        if self._clock is None and self.context is not None:
            from batchcore.clock import clock_of

            self._clock = clock_of(self.context, self.settings.stop_before)
        return self._clock

    # -- Filling slots. A driver fills that of a success by itself.

    def failed(self, position: int, data: Any, error: BaseException) -> None:
        """Fill the slot of a record that raised. Raises nothing but what steers whoever runs the function.

        Args:
            position: where in the batch.
            data: what the handler got, or ``NOT_PROCESSED`` where it did not come to that.
            error: what was raised. Called while it is being handled.
        """
        raise_if_steering(error)
        failure = Failure(FAILED, error, data)
        disposition = None
        if self.settings.disposes or self.lock is not None or isinstance(error, RaisedDisposition):
            disposition = self._fill(position, failure)
        else:
            self.failures[position] = failure
        if self.cut_loose:
            return
        (self.log or self.report).failed(position, error, disposition)
        waits = disposition == "dead_letter" and self.letters is not None
        if not waits and (self.on_failure is not None or self.observing is not None):
            self.tell(position, error)
        if self.remakes_views:
            failure.data = NOT_PROCESSED  # it can be made again, and may hold all that was decoded of it

    def _fill(self, position: int, failure: Failure) -> str | None:
        """Write down a failure, with what becomes of the record, and say that: the value of a disposition."""
        settings, error = self.settings, failure.exception
        disposition = None
        if settings.disposes or isinstance(error, RaisedDisposition):
            disposition = self._disposition_of(position, error)
        if self.lock is None:
            self._write(position, failure, disposition)
            return disposition
        with self.lock:
            if not self.cut_loose:
                self._write(position, failure, disposition)
        return disposition

    def _write(self, position: int, failure: Failure, disposition: str | None) -> None:
        if disposition == "drop":
            failure.status, self.values[position] = DROPPED, None
        elif disposition == "stop_batch":
            self.stopped = True
        elif disposition == "dead_letter" and self.letters is not None:
            self.letters.add(position, self.ordering)
        self.failures[position] = failure

    def _disposition_of(self, position: int, error: BaseException) -> str:
        from batchcore.disposition import disposition_of, is_of_the_record

        disposition: str = disposition_of(error, self.settings.dispositions).value
        after = self.settings.dead_letter_after
        if disposition == "retry" and after is not None and is_of_the_record(error):
            attempt = self.delivery_attempt(self.records[position])
            if attempt is not None and attempt >= after:
                return "dead_letter"
        if disposition == "dead_letter" and self.letters is None:
            self.report.nobody_delivers()
        return disposition

    def not_attempted(self, position: int, untold: Untold = LANE_STOPPED) -> None:
        """Fill the slot of a record whose turn will not come in this batch."""
        if self.cut_loose:
            return
        self.failures[position] = untold
        if self.on_failure is not None or self.observing is not None:
            self.tell(position, self.failure(position, untold).exception)

    def time_is_up(self) -> None:
        """Let no further record start."""
        self.stopped = self.out_of_time = True

    def ended_late(self) -> None:
        """Count a handler that ended after its batch had been answered."""
        self.settings.late.append(None)

    # -- Telling.

    def tell_finished(self, position: int) -> None:
        """Tell the observers of a record whose slot is filled."""
        if self.observing is not None and not self.cut_loose:
            self.observing.record_finished(self.outcomes[position])

    def tell(self, position: int, error: BaseException) -> None:
        """Tell of a failed record, while its exception is being handled."""
        if self.cut_loose or (self.on_failure is None and self.observing is None):
            return
        if sys.exc_info()[1] is error:
            self._tell(position, error)
        else:
            self._tell_raising(position, error)

    def _tell_raising(self, position: int, error: BaseException) -> None:
        traceback = error.__traceback__
        try:
            raise error  # a failure handler may ask sys.exc_info() for it
        except BaseException:
            self._tell(position, error)
        finally:
            BaseException.with_traceback(error, traceback)

    def _tell(self, position: int, error: BaseException) -> None:
        if self.on_failure is not None:
            try:
                self.on_failure(self.typed(position), exception_info(error))
            except BaseException as mistake:
                raise_if_steering(mistake)
                self.report.went_wrong("failure_handler()", mistake, position=position)
        if self.observing is not None:
            self.observing.record_finished(self.outcomes[position])

    def unfinished(self, position: int) -> bool:
        """Say whether this record stops a lane that stops at failures."""
        return self.values[position] is NOT_PROCESSED

    def typed(self, position: int) -> Any:
        """Give a failed record as its handler had it; where it had none, its view, at worst the raw record."""
        failure = self.failure(position, self.failures[position])
        if failure.data is NOT_PROCESSED:
            record = self.records[position]
            try:
                failure.data = self.view(record)
            except BaseException as error:
                raise_if_steering(error)
                failure.data = record
        return failure.data

    def failure(self, position: int, failure: Failure) -> Failure:
        """Give what is kept of a record, made now if nobody has asked for it before."""
        if isinstance(failure, Untold):
            ordered = self.ordering.not_attempted
            make = ordered if failure.make is None or ordered is not NotAttemptedError else failure.make
            if failure is TIME_UP:
                make = _time_was_up
            failure = self.failures[position] = Failure(NOT_ATTEMPTED, make(), NOT_PROCESSED)
        return failure
