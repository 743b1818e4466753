"""The processors: what they are told, and the one-call functions. Here plans are assembled."""

from __future__ import annotations

from enum import Enum
from functools import partial

from batchcore._attributes import FAILURE_HANDLER, SUCCESS_HANDLER, Watched, entries_of
from batchcore._base import BasePartialProcessor
from batchcore.callables import plainly_wrapped
from batchcore.engine import answer, conclude, run_one_by_one
from batchcore.errors import ConfigurationError
from batchcore.model import Generic, R
from batchcore.plan import Handlers, plugins_of, source_named

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Executor
    from datetime import timedelta
    from typing import Any, Literal, TypeAlias, overload

    from typing_extensions import Unpack

    from batchcore._attributes import Session
    from batchcore._concurrency.loops import Interruption
    from batchcore.callables import Signature
    from batchcore.dispositions import Disposition, Dispositions
    from batchcore.model import Ordering
    from batchcore.options import ByKeyword, Options
    from batchcore.plan import Plan, Run
    from batchcore.results import RunsAsyncHandlers, RunsHandlers
    from batchcore.source import Source

    # isort: off
    from batchcore.types import (
        AnySource, Anything, Awaited, CoroutineFunctionsNeedAsyncBatchProcessor, Gets, Handler, ModelOf, OfDynamoDB,
        OfKinesis, OfNone, OfSQS, PartialItemFailureResponse, SourceNamed, SourceOf, SourceOfSomeName,
    )  # fmt: skip # one name a line would be a page
    # isort: on

    _SQS: TypeAlias = "Literal[EventType.SQS, 'sqs'] | SourceNamed[Literal['sqs']]"
    _Kinesis: TypeAlias = "Literal[EventType.KinesisDataStreams, 'kinesis'] | SourceNamed[Literal['kinesis']]"
    _DynamoDB: TypeAlias = "Literal[EventType.DynamoDBStreams, 'dynamodb'] | SourceNamed[Literal['dynamodb']]"
else:
    RunsHandlers = RunsAsyncHandlers = type("Typed", (Generic,), {})


class EventType(str, Enum):
    """Names of sources. Any installed source can be named by a plain string as well."""

    SQS = "sqs"
    KinesisDataStreams = "kinesis"
    DynamoDBStreams = "dynamodb"
    Kafka = "kafka"


class BasePartialBatchProcessor(BasePartialProcessor[R]):
    """Base of the batch processors: a source, a model, an ordering, plugins.

    Subclass it for a processor from scratch that knows its source; it also raises when a whole batch failed.

    Args:
        event_type: the source: its name (``EventType.SQS``, or any installed source's as a string), the source object,
            or None to find it from each event.
        model: a pydantic model that each record is validated by, instead of the source's typed view.
        raise_on_entire_batch_failure: whether a batch of which no record is done, and at least one failed, raises
            :class:`BatchProcessingError`. Otherwise the response names every record.
        logger: where failures are logged; the logger ``batchcore`` when None.
        plugins: extensions and observers, objects whose methods are marked with ``hookimpl``.
        ordering: ``unordered``, ``in_order(...)`` or ``by_key(...)``; None for the source's own.
        max_concurrency: how many lanes run at a time, at most: worker threads for synchronous calls (1 when None, which
            means this thread), tasks for async ones (100 when None).
        executor: whose threads run the lanes, for synchronous calls: a :class:`concurrent.futures.ThreadPoolExecutor`.
        stop_before_timeout: the time of the invocation to keep, in seconds or as a timedelta. With less than that left,
            no further record starts, async handlers are cancelled, and the response goes out.
        dispositions: exception type to :class:`Disposition`; the nearest base class of the exception decides.
        dead_letter_after: from this delivery on, counting from 1, a record that would be retried is a dead letter.

    Raises:
        ConfigurationError: one of them cannot be used. Nothing waits for the first batch to be found wrong.
    """

    if TYPE_CHECKING:

        @overload
        def __init__(self, event_type: SourceOf[R], model: None = None, **options: Unpack[ByKeyword]) -> None: ...
        @overload
        def __init__(self, event_type: _SQS, model: OfSQS[R], **options: Unpack[ByKeyword]) -> None: ...
        @overload
        def __init__(self, event_type: _Kinesis, model: OfKinesis[R], **options: Unpack[ByKeyword]) -> None: ...
        @overload
        def __init__(self, event_type: _DynamoDB, model: OfDynamoDB[R], **options: Unpack[ByKeyword]) -> None: ...
        @overload
        def __init__(self, event_type: AnySource, model: OfNone[R], **options: Unpack[ByKeyword]) -> None: ...
        @overload
        def __init__(
            self, event_type: SourceOfSomeName | None = None, *, model: ModelOf[R, Any], **options: Unpack[ByKeyword]
        ) -> None: ...
        @overload
        def __init__(self, event_type: AnySource = None, model: None = None, **options: Unpack[ByKeyword]) -> None: ...
        @overload
        def __init__(
            self,
            event_type: Any,
            model: Any,
            raises: bool,
            logger: logging.Logger | None = None,
            /,
            **o: Unpack[Options],
        ) -> None: ...

    def __init__(
        self,
        event_type: Any = None,
        model: Any = None,
        raise_on_entire_batch_failure: bool = True,
        logger: logging.Logger | None = None,
        *,
        plugins: Iterable[object] = (),
        ordering: Ordering | None = None,
        max_concurrency: int | None = None,
        executor: Executor | None = None,
        stop_before_timeout: float | timedelta | None = None,
        dispositions: Dispositions | None = None,
        dead_letter_after: int | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            from batchcore.options import refuse_unknown

            refuse_unknown(type(self), unknown)
        self.event_type = event_type
        self.model = model
        self.raise_on_entire_batch_failure = raise_on_entire_batch_failure
        self._plugins = plugins_of(plugins)
        if (
            ordering is not None
            or max_concurrency is not None
            or dispositions is not None
            or stop_before_timeout is not None
            or dead_letter_after is not None
            or executor is not None
        ):
            from batchcore.options import configure

            configure(self, ordering, max_concurrency, executor, stop_before_timeout, dispositions, dead_letter_after)
        if self._awaits is not True and self._plugins is not None and self._plugins.acts:
            from batchcore.options import refuse_hooks_to_await

            refuse_hooks_to_await(self, self._plugins)
        if logger is not None and not hasattr(logger, "warning"):
            raise ConfigurationError(f"logger is a logger, as logging.getLogger() gives it, not {logger!r}.")
        if model is not None:
            from batchcore.models import check_model

            check_model(model)
        self._set_up(logger)
        self._plan = None if event_type is None else self._plan_of(self._resolved(*source_named(event_type)))

    executor: Executor | None = None
    _asked_concurrency: int | None = None
    _ordering: Ordering | None = None
    _dispositions: Mapping[type[BaseException], Disposition] | None = None
    _dead_letter_after: int | None = None
    _stop_before: float | None = None

    def _plan_of(self, source: Source) -> Plan:
        plan = super()._plan_of(source)
        plan.ordering = self._ordering
        plan.dead_letter_after = self._dead_letter_after
        plan.dispositions = self._dispositions or ({} if self._dead_letter_after is not None else None)
        plan.raises = self.raise_on_entire_batch_failure and source.acknowledgement != "result"
        plan.stop_before = self._stop_before
        plan.is_serial = self._awaits is False and self.max_concurrency == 1 and self.executor is None
        plan.has_more = plan.has_more or self._stop_before is not None
        if self.model is not None:
            from batchcore.models import check_source_of, mend, validator_of

            check_source_of(self.model, source.name)
            plan.validate, plan.mend, plan.has_more = partial(validator_of, self.model), mend, True
        if self._dead_letter_after is not None:
            from batchcore.options import check_deliveries_are_counted

            check_deliveries_are_counted(source)
        return plan

    @property
    def batch_response(self) -> PartialItemFailureResponse:
        """The same as :meth:`response`."""
        return self.response()

    def _to_batch_type(self, record: Any, event_type: Any = None, model: type[Any] | None = None) -> Any:
        """Return a raw record as its model or its source's typed view: for the ``_process_record()`` of a subclass."""
        if model is None:
            return self._session().batch._view(record)
        from batchcore.models import validated

        return validated(model, record)


class _Processor(Watched, BasePartialBatchProcessor[R]):
    """What ``BatchProcessor`` and ``AsyncBatchProcessor`` have in common."""

    _prepares = False  # overrides of those are refused
    _check_handler: Callable[[Callable[..., Any], Signature], None]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__ != __name__:  # those of this file override nothing dead
            from batchcore.options import refuse_dead_overrides

            refuse_dead_overrides(cls, _Processor)

    def _set_up(self, logger: logging.Logger | None) -> None:
        self.logger = logger
        wraps = self._plugins.wrap_handler if self._plugins is not None else ()
        self._handlers = Handlers(wraps, self._check_handler, self._is_watched)

    def _bind(self, session: Session, handler: Callable[..., Any], context: Any) -> None:
        handlers, kind = self._handlers, type(self)
        last = handlers.last
        _, wrapped, signature = last if last is not None and last[0] is handler else handlers.examine(handler)
        plain = kind.success_handler is SUCCESS_HANDLER and kind.failure_handler is FAILURE_HANDLER
        if not plain or handlers.are_watched:
            self._watch(session)
        if signature.is_plain:
            session.call = wrapped
            return
        session.call = signature.call(wrapped, context)
        if signature.asks or signature.needs:
            around = session.surrounded()
            around.signature, around.wrapped = signature, wrapped

    def _check_way(self, awaits: bool) -> None:
        if awaits is not self._awaits:
            from batchcore.options import refuse_way

            refuse_way(self, awaits)

    def _attach(self, session: Session) -> None:
        asks = session.around is not None and session.around.signature is not None
        if asks and not (self._plugins is not None and self._plugins.before_records):
            from batchcore._extensions.scopes import bind_arguments

            bind_arguments(session, {})

    def _entries(self, session: Session) -> list[Any]:
        return entries_of(session.batch)


class BatchProcessor(RunsHandlers[R], _Processor[R]):
    """Processes the records of a batch and reports those that failed.

    Use it with :func:`process_partial_response`, as a context manager, or with :meth:`run`. It is configuration: it may
    be made once, at module level, and shared by threads. Its arguments are those of its base.

    Override :meth:`success_handler` or :meth:`failure_handler` to watch what happens. Overrides never decide outcomes,
    but for this: if ``success_handler()`` raises, its record failed.
    """

    max_concurrency = 1
    _awaits = False

    def _check_handler(self, handler: Callable[..., Any], signature: Signature) -> None:
        if signature.is_coroutine_function:
            from batchcore.options import refuse_coroutine_function

            refuse_coroutine_function(self)

    def _drive(self, run: Run) -> None:
        if run.plan.is_serial:
            run_one_by_one(run)
            return
        from batchcore._concurrency.lanes import run_in_threads

        # An executor has as many threads as it has, unless a number was asked for.
        run_in_threads(run, self.max_concurrency if self.executor is None else self._asked_concurrency, self.executor)


class _AsyncProcessor(_Processor[R]):
    """How it runs a batch."""

    max_concurrency = 100
    _awaits = True

    def run(self, event: Any, record_handler: Callable[..., Any], context: Any = None) -> Any:
        """Process a whole event on an event loop that lives as long as the process. See :meth:`BatchProcessor.run`."""
        return self._run(event, record_handler, context, awaits=True, measures=True).result()

    async def arun(self, event: Any, record_handler: Callable[..., Any], context: Any = None) -> Any:
        """Process a whole event inside a running event loop. See :meth:`BatchProcessor.run`."""
        from batchcore._concurrency.loops import await_records, complete

        session = self._begin(event, None, record_handler, context, measures=True)
        try:
            self._open(session)
            await await_records(session, self._drive_async)
        except BaseException:
            self._current.abandoned(session)
            raise
        from batchcore._extensions.scopes import after_response

        try:
            answer(session)
            await complete(session, after_response(session))
            conclude(session)
        finally:
            self._current.ended(session)
        return session.result()

    def _check_handler(self, handler: Callable[..., Any], signature: Signature) -> None:
        wrapped = None if signature.is_coroutine_function else plainly_wrapped(handler)
        if wrapped is not None:
            from batchcore.options import refuse_plain_wrapper

            refuse_plain_wrapper(handler, wrapped)

    async def _drive_async(self, run: Run, interruption: Interruption | None) -> None:
        from batchcore._concurrency.tasks import run_in_tasks

        await run_in_tasks(run, self.max_concurrency, interruption)


class AsyncBatchProcessor(RunsAsyncHandlers[R], _AsyncProcessor[R]):
    """Processes the records of a batch concurrently, as asyncio tasks, and reports those that failed.

    Use it with :func:`async_process_partial_response`, as a context manager with :meth:`async_process`, or inside a
    running event loop with :meth:`arun`. Lanes run side by side, each in its order: a ``.fifo`` queue stays in order.
    The handler may be a plain function as well; it blocks the loop while it runs. Its arguments are those of its base.
    """


if TYPE_CHECKING:

    @overload
    def process_partial_response(
        event: Any, record_handler: Handler[Gets, Anything], processor: BasePartialProcessor[Gets], context: Any = None
    ) -> PartialItemFailureResponse: ...
    @overload
    def process_partial_response(  # pyright: ignore[reportOverlappingOverload]  # so that it is no response
        event: Any, record_handler: Handler[Gets, Awaited], processor: BasePartialProcessor[Gets], context: Any = None
    ) -> CoroutineFunctionsNeedAsyncBatchProcessor: ...
    @overload
    def process_partial_response(
        event: Any, record_handler: Handler[Gets, object], processor: BasePartialProcessor[Gets], context: Any = None
    ) -> PartialItemFailureResponse: ...


def process_partial_response(
    event: Any, record_handler: Callable[..., Any], processor: Any, context: Any = None
) -> Any:
    """Process a batch and return the response that reports the records which failed.

    Args:
        event: the Lambda event.
        record_handler: called with each record, and with ``lambda_context`` if it has such a parameter.
        processor: says where the records come from and how they are handled.
        context: the Lambda context.

    Returns:
        The response, ``{"batchItemFailures": [...]}`` for the sources of AWS. Return it from the Lambda function, whose
        event source mapping must have ``FunctionResponseTypes: [ReportBatchItemFailures]``.

    Raises:
        BatchProcessingError: every record failed, unless the processor was told not to raise.
        UnexpectedBatchTypeError: the event is not the processor's source's.
        ConfigurationError: the handler cannot be called with a record, or the processor is an asynchronous one.
    """
    if not isinstance(processor, BasePartialProcessor):
        from batchcore.options import refuse_processor

        refuse_processor(processor)
    session = processor._run(event, record_handler, context)
    return processor._respond(session) if processor._responds_itself else session.response


def async_process_partial_response(
    event: Any, record_handler: Handler[Gets, object], processor: BasePartialProcessor[Gets], context: Any = None
) -> PartialItemFailureResponse:
    """Process a batch with an async handler and return the response. A plain function, called from a plain handler.

    It waits for the records on an event loop that lives as long as the process. Where a loop is running already, use
    ``(await processor.arun(event, record_handler, context)).response``. For the rest see the function above.
    """
    if not isinstance(processor, BasePartialProcessor):
        from batchcore.options import refuse_processor  # type: ignore[unreachable]  # for callers without a checker

        refuse_processor(processor)
    return processor._respond(processor._run(event, record_handler, context, awaits=True))
