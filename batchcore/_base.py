"""The base of every processor: what a user calls, and which batch it is done for.

A processor is configuration. Each way to run a batch begins a :class:`Session`, lets the engine run it, and ends it.
How the records of a processor from scratch are processed stands in :mod:`batchcore._classic`.
"""

from __future__ import annotations

from time import perf_counter

from batchcore._attributes import Current, Session, fail_entry
from batchcore.callables import describe_value, identity
from batchcore.engine import finish, read, respond, run_one_by_one
from batchcore.errors import ConfigurationError, NoBatchError
from batchcore.model import Generic, R
from batchcore.plan import INFO, Plan, plugins_of, watchers
from batchcore.source import Source, source_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Any, Literal

    from typing_extensions import Self

    from batchcore._concurrency.loops import Interruption
    from batchcore._plugins.loading import Plugins
    from batchcore.plan import Run
    from batchcore.results import BatchResult
    from batchcore.types import ExceptionInfo, FailureResponse, Handler, PartialItemFailureResponse, SuccessResponse


def _end(run: Run) -> None:
    """Do from this thread what comes when the response is ready."""
    from batchcore._extensions.calls import complete
    from batchcore._extensions.scopes import after_response

    complete(run, after_response(run))


class BasePartialProcessor(Generic[R]):
    """Base of a processor from scratch. Subclass it, and define how one record is processed.

    Define ``_process_record(record)`` for synchronous calls and ``async def _async_process_record(record)`` for
    asynchronous ones; each returns what :meth:`success_handler` or :meth:`failure_handler` gives. ``_prepare()`` runs
    before the first record and ``_clean()`` after the last; if ``_clean()`` raises, no record counts as done.

    The lists are yours: they are kept between batches unless ``_prepare()`` clears them. The response does not come
    from them: it comes from the entries of this batch, and an entry that is no success is a failure.

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
        self._current, self._plans, self._sources = Current(), {}, {}  # a look at __dict__ would slow all others down
        # On the object they are found in a tenth of the time: 2 % of a plain batch.
        self._awaits, self._prepares, self._responds_itself = cls._awaits, cls._prepares, cls._responds_itself
        return self

    def __init__(self, logger: logging.Logger | None = None) -> None:
        self._set_up(logger)

    def _set_up(self, logger: logging.Logger | None) -> None:
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
        raise NotImplementedError

    async def _async_process_record(self, record: Any) -> SuccessResponse | FailureResponse:
        """Process one raw record with ``self.handler``, awaiting."""
        raise NotImplementedError

    def success_handler(self, record: Any, result: Any) -> SuccessResponse:
        """Collect a raw record that succeeded, and return its entry: ``("success", result, record)``."""
        self.success_messages.append(record)
        return "success", result, record

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        """Collect a record that failed, and return its entry: ``("fail", "<class '...'>:...", record)``."""
        self.exceptions.append(exception)
        self.fail_messages.append(record)
        return fail_entry(exception, record)

    # -- What a user calls.

    def run(self, event: Any, record_handler: Callable[..., Any], context: Any = None) -> BatchResult[Any]:
        """Process a whole event.

        Args:
            event: the Lambda event.
            record_handler: called with each record.
            context: the Lambda context.

        Returns:
            The result, whose ``response`` is the response for AWS.

        Raises:
            ConfigurationError: the handler or a plugin cannot be used.
            UnexpectedBatchTypeError: the event is not the source's.
            BatchProcessingError: no record is done and at least one failed, unless told not to raise.
        """
        return self._run(event, record_handler, context, measures=True).result()

    def __call__(self, records: Sequence[Any], handler: Handler[R, object], lambda_context: Any = None) -> Self:
        """Begin a batch, to be used as a context manager: ``with processor(records=..., handler=...): ...``.

        Args:
            records: the raw records, ``event["Records"]`` for the sources of AWS.
            handler: called with each record.
            lambda_context: the Lambda context.
        """
        self._begin(None, records, handler, lambda_context)
        return self

    def __enter__(self) -> Self:
        session = self._session("open")
        try:
            self._open(session)
        except BaseException:
            self._current.abandoned(session)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close(self._current.going_on() or self._session(), error is None)

    def process(self) -> list[SuccessResponse | FailureResponse]:
        """Process the records of the batch begun, and return an entry per record, in the order of the batch."""
        session = self._session("started")
        self._check_way(awaits=False)
        self._run_records(session)
        return self._entries(session)

    def async_process(self) -> list[SuccessResponse | FailureResponse]:
        """Do the same on an event loop that lives as long as the process.

        Raises:
            ConfigurationError: an event loop is running already; use ``await processor.aprocess()`` there.
        """
        from batchcore._concurrency.loops import wait_for_records

        session = self._session("started")
        self._check_way(awaits=True)
        wait_for_records(session, self._drive_async)
        return self._entries(session)

    async def aprocess(self) -> list[SuccessResponse | FailureResponse]:
        """Do the same inside a running event loop."""
        from batchcore._concurrency.loops import await_records

        session = self._session("started")
        self._check_way(awaits=True)
        await await_records(session, self._drive_async)
        return self._entries(session)

    def response(self) -> PartialItemFailureResponse:
        """Return the response for AWS. A record that was not processed, for whatever reason, is named in it as failed.

        Raises:
            NoBatchError: no batch was begun, or the last one was refused.
        """
        session = self._session()
        return respond(session) if session.response is None else session.response

    @property
    def records(self) -> Sequence[Any]:
        """The raw records of the batch begun."""
        return self._session().batch.records

    @property
    def handler(self) -> Callable[..., Any]:
        """The handler of the batch begun, as it was given."""
        return self._session().handler

    @property
    def lambda_context(self) -> Any:
        """The Lambda context of the batch begun, or None."""
        return self._session().context

    # -- How a batch is run, for every way to call.

    max_concurrency = 100

    def _run(
        self,
        event: Any,
        record_handler: Callable[..., Any],
        context: Any,
        *,
        awaits: bool = False,
        measures: bool = False,
    ) -> Session:
        """Run a batch from this thread: begin it, run its records, end it.

        Calls that would do nothing are left out: they cost 60 ns each, and a batch has a dozen.
        """
        if awaits is not self._awaits:
            self._check_way(awaits)
        session = self._begin(event, None, record_handler, context, measures)
        try:
            if self._prepares or session.around is not None:
                self._open(session)
            if awaits:
                from batchcore._concurrency.loops import wait_for_records

                wait_for_records(session, self._drive_async)
            elif session.plan.is_serial and session.plan.calls is None:
                run_one_by_one(session)
            else:
                self._run_records(session)
        except BaseException:
            self._current.abandoned(session)
            raise
        if self._prepares:
            self._close(session)
            return session
        try:
            finish(session)
        finally:
            self._current.ended(session)
        return session

    _awaits: bool | None = None  # the one way to call this processor; None where there may be both

    def _begin(
        self,
        event: Any,
        records: Sequence[Any] | None,
        handler: Callable[..., Any],
        context: Any,
        measures: bool = False,
    ) -> Session:
        session = Session(handler, context)
        if watchers:
            for watch in (*watchers,):  # a copy: another thread may take one out
                watch(session, event, records)
        self._current.begun(session)
        try:
            self._bind(session, handler, context)
            session.plan = plan = self._plan or self._plan_for(event, records)
            is_enabled = plan.is_enabled
            if measures or (plan.wants_summaries() if is_enabled is None else is_enabled(INFO)):
                session.started_at = perf_counter()
            read(session, event, records)
            if self._prepares or session.around is not None:
                self._attach(session)
            if measures:
                from batchcore._extensions.scopes import scoped

                durations: list[float | None] = [None] * len(session.batch._records)
                session.surrounded().scope, session.batch._ledger.durations = scoped, durations
        except BaseException:
            self._current.abandoned(session)
            raise
        session.stage = "started" if records is None else "read"  # no handler may start its records a second time
        return session

    def _open(self, session: Session) -> None:
        self._prepare()
        if session.around is not None and session.around.observers is not None:
            session.around.observers.batch_started(session.batch)

    def _run_records(self, session: Session) -> None:
        """Run the records from this thread, and the batch hooks around them."""
        plan = session.plan
        if plan.calls is None or plan.complete is None:
            self._drive(session)
        else:
            plan.complete(session, plan.calls(session), self._drive)

    def _close(self, session: Session, may_raise: bool = True) -> None:
        try:
            if self._prepares:
                try:
                    self._clean()
                except BaseException:
                    session.batch._ledger.undo_all()
                    finish(session, may_raise=False)
                    raise
            finish(session, may_raise)
        finally:
            self._current.ended(session)

    def _respond(self, session: Session) -> PartialItemFailureResponse:
        """Return the response to a batch that is finished: a subclass may make one of its own, of this very batch."""
        if self._responds_itself:
            return self._current.call_showing(session, self.response)
        return session.response  # type: ignore[return-value]  # it has been built

    _responds_itself = False  # whether a subclass has a response() of its own
    _prepares = True  # whether a subclass may do something before the first record of a batch, or after the last

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._responds_itself = cls.response is not BasePartialProcessor.response

    def _session(self, stage: Literal["open", "started"] | None = None) -> Session:
        """Return the batch begun last.

        Args:
            stage: what it reaches now, and has not before: its records may run, or they do.
        """
        session = self._current.get()
        if session is None:
            raise NoBatchError(
                "There is no batch: none was begun, or the last one was refused. Use process_partial_response(), or "
                "`with processor(records=..., handler=...)`."
            )
        if stage is not None:
            if session.stage not in ("read", "open"):
                raise NoBatchError(
                    "The records of this batch have been processed. Begin another: `with processor(records=..., "
                    "handler=...)`."
                )
            session.stage = stage
        return session

    # -- What a source is to this processor.

    _plans: dict[int, Plan]
    _sources: dict[int, Source]
    _plan: Plan | None = None  # where the source was named

    _plugins: Plugins | None  # a processor from scratch has those of the environment alone

    def _plan_for(self, event: Any, records: Sequence[Any] | None) -> Plan:
        """Return the plan for the source that recognises an event, or records."""
        from batchcore.recognition import source_for

        source = source_for(self._resolved, event, records, required=not self._responds_itself)
        if id(source) not in self._plans:
            self._plans[id(source)] = self._plan_of(source)
        return self._plans[id(source)]

    def _resolved(self, name: str, plugin: object) -> Source:
        """Resolve a source, once per processor."""
        known = self._sources
        if id(plugin) not in known:
            if not hasattr(self, "_plugins"):
                self._plugins = plugins_of(())
            plugins = self._plugins
            known[id(plugin)] = (
                Source(plugin, name, source_hooks(plugin, name)) if plugins is None else plugins.resolve(plugin, name)
            )
        return known[id(plugin)]

    # -- How it is done by a processor from scratch. Others have answers of their own to these.

    def _plan_of(self, source: Source) -> Plan:
        plan = Plan(source, self._plugins, _end, self.logger)
        if self._plugins is not None:
            from batchcore._extensions import equip

            equip(plan)
        return plan

    def _check_way(self, awaits: bool) -> None:
        """Check that this processor can be called so."""
        from batchcore._classic import check_defines

        check_defines(self, BasePartialProcessor, awaits)

    def _bind(self, session: Session, handler: Callable[..., Any], context: Any) -> None:
        """Set what calls the handler: a processor from scratch does, by itself."""
        if not callable(handler):
            raise ConfigurationError(f"A record handler is a function of one record, not {describe_value(handler)}.")

    def _attach(self, session: Session) -> None:
        session.decode = identity  # a processor from scratch gets the raw record

    def _drive(self, run: Run) -> None:
        from batchcore._classic import drive

        drive(self, run)

    async def _drive_async(self, run: Run, interruption: Interruption | None) -> None:
        from batchcore._classic import drive_async

        await drive_async(self, run, interruption)

    def _entries(self, session: Session) -> list[Any]:
        from batchcore._classic import entries_of

        return entries_of(session)
