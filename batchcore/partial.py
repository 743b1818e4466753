"""What every processor does, and the base of processors from scratch."""

from __future__ import annotations

from time import perf_counter

from batchcore.current import Current
from batchcore.entries import checked_entry, fail_entry
from batchcore.errors import (
    AmbiguousSourceError,
    ConfigurationError,
    EntryFailedError,
    NoBatchError,
    UnexpectedBatchTypeError,
)
from batchcore.handler import shown
from batchcore.invocation import Invocation, Settings, watchers
from batchcore.outcome import NOT_PROCESSED, exception_info
from batchcore.plugins import Plugins
from batchcore.road import answer_to, begin, begin_records, finish, run_lanes, start
from batchcore.source import as_it_is

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Any

    from typing_extensions import Self

    from batchcore.result import BatchResult
    from batchcore.source import Source
    from batchcore.types import ExceptionInfo, FailureResponse, PartialItemFailureResponse, Record, SuccessResponse


class BasePartialProcessor:
    """Base of a processor from scratch. Subclass it, and define how one record is processed.

    Define ``_process_record(record)`` for synchronous calls and ``async def _async_process_record(record)`` for
    asynchronous ones; each returns what :meth:`success_handler` or :meth:`failure_handler` gives. ``_prepare()`` runs
    before the first record and ``_clean()`` after the last; if ``_clean()`` raises, no record counts as done.

    The lists are yours: they are kept between batches unless ``_prepare()`` clears them. The answer does not come from
    them: it comes from the entries of this batch, and an entry that is no success is a failure.

    Args:
        logger: where failures are logged; the logger ``batchcore`` when None.

    Attributes:
        success_messages: the raw records that succeeded, as :meth:`success_handler` collects them.
        fail_messages: the records that failed, as :meth:`failure_handler` collects them.
        exceptions: their ``(type, exception, traceback)``.
    """

    success_messages: list[Any]
    fail_messages: list[Any]
    exceptions: list[ExceptionInfo]
    logger: logging.Logger | None = None

    _current: Current

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Make what every processor needs, whether or not a subclass calls ``super().__init__()``."""
        self = super().__new__(cls)
        self._current = Current()
        return self

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self.success_messages = []
        self.fail_messages = []
        self.exceptions = []
        self.logger = logger

    # -- What a subclass defines.

    def _prepare(self) -> None:
        """Run before the first record of a batch. Does nothing here."""

    def _clean(self) -> None:
        """Run after the last record of a batch. Does nothing here."""

    def _process_record(self, record: Any) -> SuccessResponse | FailureResponse:
        """Process one raw record with ``self.handler``."""
        raise self._lacks("_process_record")

    async def _async_process_record(self, record: Any) -> SuccessResponse | FailureResponse:
        """Process one raw record with ``self.handler``, awaiting."""
        raise self._lacks("_async_process_record")

    def success_handler(self, record: Any, result: Any) -> SuccessResponse:
        """Collect a record that succeeded.

        Args:
            record: the raw record.
            result: what the handler returned.

        Returns:
            The entry ``("success", result, record)``.
        """
        self.success_messages.append(record)
        return "success", result, record

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        """Collect a record that failed.

        Args:
            record: the record.
            exception: what :func:`sys.exc_info` gives.

        Returns:
            The entry ``("fail", "<class '...'>:...", record)``.
        """
        self.exceptions.append(exception)
        self.fail_messages.append(record)
        return fail_entry(exception, record)

    # -- What a user calls.

    def run(self, event: Any, record_handler: Callable[..., Any], context: Any = None) -> BatchResult:
        """Process a whole event.

        Args:
            event: the Lambda event.
            record_handler: called with each record.
            context: the Lambda context.

        Returns:
            The result, whose ``response`` is the answer for AWS.

        Raises:
            ConfigurationError: the handler or a plugin cannot be used.
            UnexpectedBatchTypeError: the event is not the source's.
            BatchProcessingError: no record is done and at least one failed, unless told not to raise.
        """
        return self._run_sync(event, record_handler, context, measures=True).result

    def _run_sync(
        self, event: Any, record_handler: Callable[..., Any], context: Any, measures: bool = False
    ) -> Invocation:
        self._check_defines("_process_record")
        return self._through(self._begin(event, None, record_handler, context, measures), self._run_lanes)

    def _run_async(
        self, event: Any, record_handler: Callable[..., Any], context: Any, measures: bool = False
    ) -> Invocation:
        self._check_defines("_async_process_record")
        return self._through(self._begin(event, None, record_handler, context, measures), self._wait_for_lanes)

    def _through(self, invocation: Invocation, run_lanes: Callable[[Invocation], None]) -> Invocation:
        try:
            self._open(invocation)
            run_lanes(invocation)
        except BaseException:
            self._current.abandoned(invocation)
            raise
        self._close(invocation)
        return invocation

    def _check_defines(self, name: str) -> None:
        """Check that a processor from scratch defines the method that a call needs."""
        if getattr(type(self), name) is getattr(BasePartialProcessor, name):
            raise self._lacks(name)

    def _lacks(self, name: str) -> ConfigurationError:
        how = "async" if name.startswith("_async") else "synchronous"
        return ConfigurationError(f"{type(self).__name__} defines no {name}(), which {how} calls need.")

    def _respond(self, invocation: Invocation) -> PartialItemFailureResponse:
        """Return the response to a batch that is finished: a subclass may make one of its own, of this very batch."""
        return self._current.call_showing(invocation, self.response) if self._answers_itself else invocation.response

    _answers_itself = False
    """Whether a subclass has a ``response()`` of its own."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._answers_itself = cls.response is not BasePartialProcessor.response

    def __call__(self, records: Sequence[Record], handler: Callable[..., Any], lambda_context: Any = None) -> Self:
        """Begin a batch, to be used as a context manager: ``with processor(records=..., handler=...): ...``.

        Args:
            records: the raw records, ``event["Records"]`` for the sources of AWS.
            handler: called with each record.
            lambda_context: the Lambda context.
        """
        self._begin(None, records, handler, lambda_context).entered = False  # until `with` is
        return self

    def __enter__(self) -> Self:
        invocation = self._now(begun=False)
        invocation.entered = True
        try:
            self._open(invocation)
        except BaseException:
            self._current.abandoned(invocation)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close(self._current.going_on() or self._now(), raising=error is not None)

    def process(self) -> list[SuccessResponse | FailureResponse]:
        """Process the records of the batch begun, one by one.

        Returns:
            An entry per record, in the order of the batch.
        """
        invocation = self._now(begun=True)
        self._run_lanes(invocation)
        return self._entries(invocation)

    def async_process(self) -> list[SuccessResponse | FailureResponse]:
        """Process the records of the batch begun, on an event loop that lives as long as the process.

        Returns:
            An entry per record, in the order of the batch.

        Raises:
            ConfigurationError: an event loop is running already; use ``await processor.aprocess()`` there.
        """
        invocation = self._now(begun=True)
        self._wait_for_lanes(invocation)
        return self._entries(invocation)

    async def aprocess(self) -> list[SuccessResponse | FailureResponse]:
        """Process the records of the batch begun, inside a running event loop.

        Returns:
            An entry per record, in the order of the batch.
        """
        invocation = self._now(begun=True)
        await self._await_lanes(invocation)
        return self._entries(invocation)

    def response(self) -> PartialItemFailureResponse:
        """Give the answer for AWS. A record that was not processed, for whatever reason, is named in it as failed.

        Raises:
            NoBatchError: no batch was begun, or the last one was refused.
        """
        invocation = self._now()
        if invocation.finished:
            return invocation.response
        return answer_to(invocation)

    @property
    def records(self) -> Sequence[Record]:
        """The raw records of the batch begun."""
        records: Sequence[Record] = self._now().records
        return records

    @property
    def handler(self) -> Callable[..., Any]:
        """The handler of the batch begun, as it was given."""
        handler: Callable[..., Any] = self._now().handler
        return handler

    @property
    def lambda_context(self) -> Any:
        """The Lambda context of the batch begun, or None."""
        return self._now().context

    # -- How it is done: a processor from scratch calls its own methods; BatchProcessor has other answers to these.

    max_concurrency = 100

    _settings: Settings | None = None
    """The settings, where the source was named."""

    _plugins: Plugins
    """Extensions and observers; a processor from scratch has those of the environment alone."""

    def _settings_of_event(self, event: Any) -> Settings:
        from batchcore.recognition import source_of_event

        return self._settings_by(source_of_event, event)

    def _settings_of_records(self, records: Sequence[Record]) -> Settings:
        from batchcore.recognition import source_of_records

        return self._settings_by(source_of_records, records)

    def _settings_by(self, find: Callable[[Any, Any], Source], what: Any) -> Settings:
        """Give the settings for the source that recognises something."""
        try:
            source = find(self._resolved, what)
        except (UnexpectedBatchTypeError, AmbiguousSourceError):
            if not self._answers_itself:
                raise
            from batchcore.recognition import NO_SOURCE

            source = self._resolved("unknown", NO_SOURCE)  # this processor builds its own answer: nobody needs it
        known: dict[int, Settings] = self.__dict__.setdefault("_settings_of_source", {})
        if id(source) not in known:
            known[id(source)] = self._settings_of(source)
        return known[id(source)]

    def _resolved(self, name: str, plugin: object) -> Source:
        """Resolve a source, once per processor."""
        known: dict[int, Source] = self.__dict__.setdefault("_sources", {})
        if id(plugin) not in known:
            if not hasattr(self, "_plugins"):
                self._plugins = Plugins(())
            known[id(plugin)] = self._plugins.resolve(plugin, name)
        return known[id(plugin)]

    def _settings_of(self, source: Source) -> Settings:
        return Settings(source, self._plugins, logger=self.logger)

    def _handler_call(self, invocation: Invocation, handler: Callable[..., Any], context: Any) -> Callable[[Any], Any]:
        """Give the callable of one record; a processor from scratch chooses it when it knows whether to await."""
        if not callable(handler):
            raise ConfigurationError(f"A record handler is a function of one record, not {shown(handler)}.")
        return as_it_is

    def _begin(
        self,
        event: Any,
        records: Sequence[Record] | None,
        handler: Callable[..., Any],
        context: Any,
        measures: bool = False,
    ) -> Invocation:
        started_at = perf_counter() if measures else None
        invocation = Invocation(handler, as_it_is, context)
        invocation.entered = True  # also while it is read: a hook of the source may run a batch of its own
        if watchers:
            for watch in (*watchers,):  # a copy: another thread may take one out
                watch(invocation, event, records)
        self._current.begun(invocation)
        try:
            invocation.call = self._handler_call(invocation, handler, context)
            settings = self._settings
            if records is None:
                begin(invocation, settings or self._settings_of_event(event), event)
            else:
                begin_records(invocation, settings or self._settings_of_records(records), records)
            self._attach(invocation)
            if measures:
                durations: list[float | None] = [None] * len(invocation.values)
                invocation.durations, invocation.held_open = durations, True
                invocation.started_at = started_at
        except BaseException:
            self._current.abandoned(invocation)
            raise
        return invocation

    def _attach(self, invocation: Invocation) -> None:
        invocation.decode = as_it_is  # a processor from scratch gets the raw record

    def _open(self, invocation: Invocation) -> None:
        self._prepare()
        start(invocation)

    def _close(self, invocation: Invocation, raising: bool = False) -> None:
        try:
            self._clean()
        except BaseException:
            invocation.values[:] = [NOT_PROCESSED] * len(invocation.values)
            invocation.failures.clear()
            invocation.succeeded = 0
            self._finish(invocation, raising=True)
            raise
        self._finish(invocation, raising)

    def _finish(self, invocation: Invocation, raising: bool) -> None:
        try:
            finish(invocation, may_raise=not raising)
        finally:
            self._current.ended(invocation)

    def _run_lanes(self, invocation: Invocation) -> None:
        """Run the steps before the records, the records, and the steps after them."""
        if not invocation.settings.plugins.acts:
            self._drive(invocation)
        else:
            from batchcore.steps import run

            run(invocation, self._drive)

    async def _await_lanes(self, invocation: Invocation, in_this_task: bool = False) -> None:
        if not invocation.settings.plugins.acts:
            await self._drive_async(invocation, in_this_task)
        else:
            from batchcore import aio

            await aio.run_steps(invocation, self._drive_async(invocation, in_this_task))

    def _wait_for_lanes(self, invocation: Invocation) -> None:
        from batchcore import loops

        loops.run(invocation, lambda: self._await_lanes(invocation, in_this_task=True))

    def _drive(self, invocation: Invocation) -> None:
        self._check_defines("_process_record")

        def call(record: Any) -> Any:
            return checked_entry(self._process_record(record))

        invocation.call = call
        run_lanes(invocation)

    async def _drive_async(self, invocation: Invocation, in_this_task: bool) -> None:
        self._check_defines("_async_process_record")
        from batchcore import aio

        async def call(record: Any) -> Any:
            return checked_entry(await self._async_process_record(record))

        invocation.call = call
        await aio.run_lanes(invocation, self.max_concurrency, in_this_task)

    def _entries(self, invocation: Invocation) -> list[Any]:
        entries = list(invocation.values)
        for position, failure in invocation.failures.items():
            error = failure.exception
            entry: Any = error.entry if isinstance(error, EntryFailedError) else None
            entries[position] = entry or fail_entry(exception_info(error), invocation.records[position])
        return entries

    def _now(self, *, begun: bool | None = None) -> Invocation:
        """Give the batch begun last.

        Args:
            begun: True to mark that its records start now, once; False to ask for one whose records have not.
        """
        invocation = self._current.get()
        if invocation is None:
            raise NoBatchError(
                "There is no batch: none was begun, or the last one was refused. Use process_partial_response(), or "
                "`with processor(records=..., handler=...)`."
            )
        if begun is not None:
            if invocation.finished or invocation.begun:
                raise NoBatchError(
                    "The records of this batch have been processed. Begin another: `with processor(records=..., "
                    "handler=...)`."
                )
            invocation.begun = begun
        return invocation
