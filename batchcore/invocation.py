"""What a processor was told, and one batch on its way: configuration here, everything that changes there."""

from __future__ import annotations

from batchcore.batch import Batch
from batchcore.errors import ConfigurationError, NotAttemptedError
from batchcore.outcome import (
    DEAD_LETTERED,
    DROPPED,
    FAILED,
    NOT_ATTEMPTED,
    NOT_PROCESSED,
    BatchResult,
    Failure,
    Outcomes,
    exception_info,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from batchcore.disposition import Disposition
    from batchcore.observing import Observing
    from batchcore.ordering import Ordering
    from batchcore.plugins import Plugins
    from batchcore.report import Report
    from batchcore.source import Source
    from batchcore.types import ExceptionInfo, Record

    SuccessHook: TypeAlias = Callable[[Record, Any], object]
    FailureHook: TypeAlias = Callable[[Any, ExceptionInfo], object]


UNTOLD = Failure(NOT_ATTEMPTED, NotAttemptedError(), NOT_PROCESSED)
"""Stands for every record that was not attempted, until somebody asks for one of them."""


class Settings:
    """What a processor was told, for all its batches.

    Attributes:
        source: the source, resolved.
        plugins: extensions and observers.
        validate: makes the validator of the model that was given, or None.
        ordering: the ordering that the caller chose, or None for the source's own.
        dispositions: exception type to what becomes of the record.
        raise_on_entire_batch_failure: whether a batch of which no record is done raises.
        logger: where failures are logged, or None for the logger ``batchcore``.
    """

    __slots__ = (
        "dispositions",
        "logger",
        "ordering",
        "plugins",
        "raise_on_entire_batch_failure",
        "source",
        "validate",
    )

    def __init__(
        self,
        source: Source,
        plugins: Plugins,
        validate: Callable[[], Callable[[Any], Any]] | None,
        ordering: Ordering | None,
        dispositions: Mapping[type[BaseException], Disposition],
        raise_on_entire_batch_failure: bool,
        logger: logging.Logger | None,
    ) -> None:
        self.source = source
        self.plugins = plugins
        self.validate = validate
        self.ordering = ordering
        self.dispositions = dispositions
        self.raise_on_entire_batch_failure = raise_on_entire_batch_failure
        self.logger = logger


class Invocation(Batch):
    """One batch on its way: what the hooks see of it, and a slot per position.

    It is made before its event is read, so that a batch which is refused leaves no earlier answer to be given for it.

    Attributes:
        ready: whether the event has been read. Until then there is no answer.
        settings: the processor's settings.
        handler: the record handler, as the user gave it.
        call: takes what the handler gets, and calls it.
        ordering: how the records depend on one another.
        prepare: raw record to prepared record, or None where nobody prepares.
        decode: prepared record to what the handler gets.
        values: the slots. Each holds ``NOT_PROCESSED`` until its record is done.
        succeeded: how many slots the drivers have filled with a handler's return value.
        failures: position to what is known of a record that did not simply succeed.
        on_success: a processor's own success handler, or None.
        on_failure: a processor's own failure handler, or None.
        observing: the observers, or None.
        entered: whether it is going on: between entering and leaving ``with``, or while it is run.
        outer: the batch of the same processor that goes on around it, where there is one.
        begun: whether the records have been started.
        stopped: whether no further record may start.
        interrupted: whether a KeyboardInterrupt ends it.
        finished: whether the response is built.
        remakes_views: whether what the handlers got can be made again from the raw record.
        response: the response, once it is.
        messages: the lists that a processor's attributes show, once somebody asked for them.
    """

    # Defaults stand on the class: a batch pays for the attributes it sets, and most batches set few.
    ready = False
    prepare: Callable[[Any], Any] | None = None
    succeeded = 0
    on_success: SuccessHook | None = None
    on_failure: FailureHook | None = None
    observing: Observing | None = None
    remakes_views = False
    entered = False
    outer: Invocation | None = None
    begun = False
    stopped = False
    interrupted = False
    finished = False
    response: Any = None
    messages: Any = None
    log: Report | None = None
    view: Callable[[Any], Any]
    error: object = None

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
        return BatchResult(self.response, self.outcomes)

    @property
    def report(self) -> Report:
        """The log of this batch."""
        if self.log is None:
            from batchcore.report import Report

            self.log = Report(self.settings.logger, self.settings.source, self)
        return self.log

    def failed(self, position: int, data: Any, error: BaseException) -> None:
        """Fill the slot of a record that raised. Never raises but a ``KeyboardInterrupt``.

        Args:
            position: where in the batch.
            data: what the handler got, or ``NOT_PROCESSED`` where it did not come to that.
            error: what was raised. Called while it is being handled.
        """
        if isinstance(error, KeyboardInterrupt):
            raise error
        self.failures[position] = failure = Failure(FAILED, error, data)
        if self.settings.dispositions:
            self._dispose(position, failure)
        (self.log or self.report).failed(position, error)
        if self.on_failure is not None or self.observing is not None:
            self._tell(position, error)
        if self.remakes_views:
            failure.data = NOT_PROCESSED  # it can be made again, and may hold all that was decoded of it

    def not_attempted(self, position: int) -> None:
        """Fill the slot of a record whose turn will not come in this batch."""
        if self.on_failure is None and self.observing is None:
            self.failures[position] = UNTOLD
            return
        error = self.failure(position, UNTOLD).exception
        try:
            raise error  # a failure handler may ask sys.exc_info() for it
        except BaseException:
            self._tell(position, error)

    def tell_finished(self, position: int) -> None:
        """Tell the observers of a record whose slot is filled."""
        if self.observing is not None:
            self.observing.record_finished(self.outcomes[position])

    def unfinished(self, position: int) -> bool:
        """Say whether this record stops a lane that stops at failures."""
        return self.values[position] is NOT_PROCESSED

    def _tell(self, position: int, error: BaseException) -> None:
        if self.on_failure is not None:
            try:
                self.on_failure(self.typed(position), exception_info(error))
            except KeyboardInterrupt:
                raise
            except BaseException as mistake:
                self.report.went_wrong("failure_handler()", mistake)
        self.tell_finished(position)

    def typed(self, position: int) -> Any:
        """Give a failed record as its handler had it; where it had none, its view, at worst the raw record."""
        failure = self.failure(position, self.failures[position])
        if failure.data is NOT_PROCESSED:
            record = self.records[position]
            try:
                failure.data = self.view(record)
            except KeyboardInterrupt:
                raise
            except BaseException:
                failure.data = record
        return failure.data

    def failure(self, position: int, failure: Failure) -> Failure:
        """Give what is kept of a record, made now if nobody has asked for it before."""
        if failure is UNTOLD:
            failure = self.failures[position] = Failure(NOT_ATTEMPTED, self.ordering.not_attempted(), NOT_PROCESSED)
        return failure

    def _dispose(self, position: int, failure: Failure) -> None:
        """Do with a failed record what its exception's nearest base class is mapped to."""
        from batchcore.disposition import Disposition

        dispositions = self.settings.dispositions
        kind = next((kind for kind in type(failure.exception).__mro__ if kind in dispositions), None)
        disposition = Disposition.RETRY if kind is None else dispositions[kind]
        if disposition is Disposition.DROP:
            failure.status, self.values[position] = DROPPED, None
        elif disposition is Disposition.DEAD_LETTER:
            self._deliver(position, failure)
        elif disposition is Disposition.STOP_BATCH:
            self.stopped = True

    def _deliver(self, position: int, failure: Failure) -> None:
        """Hand a record to the deliverer. It is done when that returned; otherwise it is retried."""
        deliver = self.settings.plugins.dead_letter
        try:
            if deliver is None:
                raise ConfigurationError("Nobody delivers dead letters.")  # refused already when a processor is made
            deliver(self.outcomes[position])
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.report.went_wrong("deliver_dead_letter()", error)
        else:
            failure.status, self.values[position] = DEAD_LETTERED, None
