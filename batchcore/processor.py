"""``BatchProcessor`` and ``AsyncBatchProcessor``: configuration, and the attributes that show the last batch."""

from __future__ import annotations

from enum import Enum
from functools import partial
from types import MethodType

from batchcore.errors import ConfigurationError, HandlerSignatureError
from batchcore.handler import Binding
from batchcore.invocation import Invocation, Settings
from batchcore.outcome import exception_info
from batchcore.partial import BasePartialProcessor, fail_entry
from batchcore.plugins import Plugins, find_source
from batchcore.road import finish, run_lanes, start

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Literal, NoReturn, Protocol, TypedDict, TypeVar, overload

    from typing_extensions import Unpack

    from batchcore.disposition import Disposition
    from batchcore.messages import Messages
    from batchcore.ordering import Ordering
    from batchcore.outcome import BatchResult
    from batchcore.source import Source
    from batchcore.types import ExceptionInfo, FailureResponse, SuccessResponse

    SourceName = TypeVar("SourceName", contravariant=True)

    class ModelOf(Protocol[SourceName]):
        """A pydantic model that is not of another source.

        A source's models narrow this method for the type checker; every other model accepts anything here.
        """

        def model_post_init(self, context: SourceName, /) -> None:
            """Accept the name of its own source."""

    class SourceObject(Protocol):
        """An object that implements a source, as far as the type checker can tell."""

        @property
        def claims_event(self) -> Callable[..., bool]:
            """Say whether an event is this source's."""
            ...

        @property
        def extract_records(self) -> Callable[..., Any]:
            """Give the records of an event."""
            ...

        @property
        def identify_records(self) -> Callable[..., Any]:
            """Give an identifier per record."""
            ...

    class Options(TypedDict, total=False):
        """The keyword arguments that all processors share."""

        plugins: Iterable[object]
        ordering: Ordering | None
        max_concurrency: int | None
        dispositions: Mapping[type[BaseException], Disposition] | None


class EventType(str, Enum):
    """Names of sources. Any installed source can be named by a plain string as well."""

    SQS = "sqs"
    KinesisDataStreams = "kinesis"
    DynamoDBStreams = "dynamodb"


class BasePartialBatchProcessor(BasePartialProcessor):
    """Base of the batch processors: a source, a model, an ordering, plugins.

    Subclass it for a processor from scratch that knows its source: as :class:`BasePartialProcessor`, and in addition it
    raises when a whole batch failed.

    Args:
        event_type: the source: its name (``EventType.SQS``, or any installed source's as a string), the source object,
            or None to find it from each event.
        model: a pydantic model that each record is validated by, instead of the source's typed view.
        raise_on_entire_batch_failure: whether a batch of which no record is done, and at least one failed, raises
            :class:`BatchProcessingError`. Otherwise the answer names every record.
        logger: where failures are logged; the logger ``batchcore`` when None.
        plugins: extensions and observers, objects whose methods are marked with ``hookimpl``.
        ordering: ``unordered``, ``in_order(...)`` or ``by_key(...)``; None for the source's own.
        max_concurrency: how many lanes run at a time, at most: worker threads for synchronous calls (1 when None, which
            means this thread), tasks for async ones (100 when None).
        dispositions: exception type to :class:`Disposition`; the nearest base class of the exception decides.

    Raises:
        ConfigurationError: one of them cannot be used. Nothing waits for the first batch to be found wrong.
    """

    if TYPE_CHECKING:

        @overload
        def __init__(
            self,
            event_type: Literal[EventType.SQS, "sqs"],
            model: type[ModelOf[Literal["sqs"]]] | None = None,
            raise_on_entire_batch_failure: bool = True,
            logger: logging.Logger | None = None,
            **options: Unpack[Options],
        ) -> None: ...
        @overload
        def __init__(
            self,
            event_type: Literal[EventType.KinesisDataStreams, "kinesis"],
            model: type[ModelOf[Literal["kinesis"]]] | None = None,
            raise_on_entire_batch_failure: bool = True,
            logger: logging.Logger | None = None,
            **options: Unpack[Options],
        ) -> None: ...
        @overload
        def __init__(
            self,
            event_type: Literal[EventType.DynamoDBStreams, "dynamodb"],
            model: type[ModelOf[Literal["dynamodb"]]] | None = None,
            raise_on_entire_batch_failure: bool = True,
            logger: logging.Logger | None = None,
            **options: Unpack[Options],
        ) -> None: ...
        @overload
        def __init__(
            self,
            event_type: str,
            model: type[ModelOf[Literal["sqs", "kinesis", "dynamodb"]]] | None = None,
            raise_on_entire_batch_failure: bool = True,
            logger: logging.Logger | None = None,
            **options: Unpack[Options],
        ) -> None: ...
        @overload
        def __init__(
            self,
            event_type: SourceObject | None = None,
            model: type[Any] | None = None,
            raise_on_entire_batch_failure: bool = True,
            logger: logging.Logger | None = None,
            **options: Unpack[Options],
        ) -> None: ...

    def __init__(
        self,
        event_type: EventType | str | SourceObject | None = None,
        model: type[Any] | None = None,
        raise_on_entire_batch_failure: bool = True,
        logger: logging.Logger | None = None,
        *,
        plugins: Iterable[object] = (),
        ordering: Ordering | None = None,
        max_concurrency: int | None = None,
        dispositions: Mapping[type[BaseException], Disposition] | None = None,
    ) -> None:
        self.event_type = event_type
        self.model = model
        self.raise_on_entire_batch_failure = raise_on_entire_batch_failure
        self._plugins = Plugins(plugins)
        self._ordering: Ordering | None = None
        self._dispositions: Mapping[type[BaseException], Disposition] = {}
        if ordering is not None or max_concurrency is not None or dispositions is not None:
            from batchcore import options

            self.max_concurrency = options.checked_concurrency(max_concurrency, self.max_concurrency)
            self._ordering = options.checked_ordering(ordering)
            self._dispositions = options.checked_dispositions(dispositions or {}, self._plugins)
        if model is not None:
            from batchcore.models import check_model

            check_model(model)
        self._set_up(logger)
        self._settings = None if event_type is None else self._settings_of(self._resolved(*_named(event_type)))

    def _set_up(self, logger: logging.Logger | None) -> None:
        super().__init__(logger)

    def _settings_of(self, source: Source) -> Settings:
        model, validate = self.model, None
        if model is not None:
            from batchcore.models import check_source_of, validator_of

            check_source_of(model, source.name)
            validate = partial(validator_of, model)
        return Settings(
            source,
            self._plugins,
            validate,
            self._ordering,
            self._dispositions,
            self.raise_on_entire_batch_failure,
            self.logger,
        )

    @property
    def batch_response(self) -> Any:
        """The same as :meth:`response`."""
        return self.response()

    def _to_batch_type(self, record: Any, event_type: Any = None, model: type[Any] | None = None) -> Any:
        """Give a raw record as its model or its source's typed view: for the ``_process_record()`` of a subclass."""
        invocation = self._now()
        if model is not None:
            from batchcore.models import validator_of

            return validator_of(model)(record)
        return invocation.settings.source.record_decoder(invocation)(record)


class BatchProcessor(BasePartialBatchProcessor):
    """Processes the records of a batch and reports those that failed.

    Use it with :func:`process_partial_response`, as a context manager, or with :meth:`run`. It is configuration: it may
    be made once, at module level, and shared by threads.

    Override :meth:`success_handler` or :meth:`failure_handler` to watch what happens. Overrides never decide outcomes:
    the response comes from what the record handler did. One exception: if ``success_handler()`` raises, its record
    failed.

    The arguments are those of :class:`BasePartialBatchProcessor`.
    """

    max_concurrency = 1

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__ != __name__:  # those of this file override nothing dead
            from batchcore.options import refuse_dead_overrides

            refuse_dead_overrides(cls, BatchProcessor)

    def success_handler(self, record: Any, result: Any) -> SuccessResponse:
        """Override it to watch records that succeed. If it raises, the record failed.

        Args:
            record: the raw record.
            result: what the record handler returned.

        Returns:
            The entry ``("success", result, record)``; what an override returns changes nothing.
        """
        return "success", result, record

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        """Override it to watch records that fail, those not attempted included. If it raises, that is logged.

        Args:
            record: the record as its handler got it (view or model); its view where it was not validated.
            exception: what :func:`sys.exc_info` gives, here as well.

        Returns:
            The entry ``("fail", "<class '...'>:...", record)``; what an override returns changes nothing.
        """
        return fail_entry(exception, record)

    @property
    def success_messages(self) -> list[Any]:  # type: ignore[override]  # read from the batch, not kept here
        """The raw records of the batch that succeeded, in its order."""
        return self._messages().succeeded

    @property
    def fail_messages(self) -> list[Any]:  # type: ignore[override]  # read from the batch, not kept here
        """The typed records of the batch that failed, in its order."""
        return self._messages().failed

    @property
    def exceptions(self) -> list[ExceptionInfo]:  # type: ignore[override]  # read from the batch, not kept here
        """What they failed with. Tracebacks are there until the batch is answered."""
        return self._messages().exceptions

    def _set_up(self, logger: logging.Logger | None) -> None:
        self.logger = logger

    def _run_sync(self, event: Any, record_handler: Callable[..., Any], context: Any) -> Invocation:
        invocation = self._begin(event, None, record_handler, context)
        invocation.entered = True
        if invocation.observing is not None:
            start(invocation)
        try:
            self._run_lanes(invocation)
        except BaseException:
            self._current.abandoned(invocation)
            raise
        self._current.ended(invocation)
        finish(invocation)
        return invocation

    def _run_async(self, event: Any, record_handler: Callable[..., Any], context: Any) -> Invocation:
        self._refuse_async()

    def _messages(self) -> Messages:
        invocation = self._current.get()
        from batchcore.messages import Messages

        if invocation is None:
            return Messages()
        if invocation.messages is None:
            invocation.messages = Messages()
        messages: Messages = invocation.messages
        return messages.up_to_date(invocation)

    def _handler_call(self, handler: Callable[..., Any], context: Any) -> Callable[[Any], Any]:
        known, binding = self._bound
        if binding is None or known is not handler:
            binding = self._binding_of(handler)
            self._bound = (handler, binding)  # set at once: threads may share the processor
        return binding.with_context(context) if binding.takes_context else binding.plain

    _bound: tuple[object, Binding | None] = (None, None)

    def _binding_of(self, handler: Callable[..., Any]) -> Binding:
        """Give the binding made before, where a plugin wraps handlers: it may keep something, and is asked once."""
        if not self._plugins.wrap_handler:
            return self._bind(handler)
        known: list[tuple[object, Binding]] = self.__dict__.setdefault("_wrapped_handlers", [])
        for seen, binding in known:
            if _is_same(seen, handler):
                return binding
        binding = self._bind(handler)
        known.append((handler, binding))
        del known[:-_WRAPPED_HANDLERS]
        return binding

    def _bind(self, handler: Callable[..., Any]) -> Binding:
        wrapped = handler
        for wrap in self._plugins.wrap_handler:
            wrapped = wrap(wrapped)
        binding = Binding(wrapped)
        self._check_handler(binding)
        return binding

    def _check_handler(self, binding: Binding) -> None:
        if binding.is_coroutine_function:
            raise HandlerSignatureError(
                f"{type(self).__name__} calls its handler synchronously and was given a coroutine function. Use "
                "AsyncBatchProcessor with async_process_partial_response()."
            )

    def _attach(self, invocation: Invocation) -> None:
        cls, own = type(self), self.__dict__
        if cls.success_handler is not _SUCCESS_HANDLER or "success_handler" in own:
            invocation.on_success = self.success_handler
        if cls.failure_handler is not _FAILURE_HANDLER or "failure_handler" in own:
            invocation.on_failure = self.failure_handler

    def _open(self, invocation: Invocation) -> None:
        invocation.entered = True
        start(invocation)

    def _close(self, invocation: Invocation, raising: bool = False) -> None:
        self._finish(invocation, raising)

    def _run_lanes(self, invocation: Invocation) -> None:
        if self.max_concurrency == 1:
            run_lanes(invocation)
        else:
            from batchcore import threads

            threads.run_lanes(invocation, self.max_concurrency)

    def _wait_for_lanes(self, invocation: Invocation) -> None:
        self._refuse_async()

    async def _await_lanes(self, invocation: Invocation, in_this_task: bool = False) -> None:
        self._refuse_async()

    def _refuse_async(self) -> NoReturn:
        raise ConfigurationError(
            f"{type(self).__name__} is called synchronously: use process_partial_response() or process(). For async "
            "handlers use AsyncBatchProcessor; it keeps a .fifo queue in order by itself."
        )

    def _entries(self, invocation: Invocation) -> list[Any]:
        records, failures = invocation.records, invocation.failures
        entries: list[Any] = []
        for position, value in enumerate(invocation.values):
            failure = failures.get(position)
            if failure is None:
                entries.append(("success", value, records[position]))
            else:
                entries.append(
                    fail_entry(
                        exception_info(invocation.failure(position, failure).exception), invocation.typed(position)
                    )
                )
        return entries


_WRAPPED_HANDLERS = 32  # a handler made anew for each batch must not be kept for good


def _is_same(handler: object, other: object) -> bool:
    """Say whether two are one handler: a bound method is a new object each time it is named."""
    if isinstance(handler, MethodType) and isinstance(other, MethodType):
        return handler.__self__ is other.__self__ and handler.__func__ is other.__func__
    return handler is other


_SUCCESS_HANDLER, _FAILURE_HANDLER = BatchProcessor.success_handler, BatchProcessor.failure_handler


class AsyncBatchProcessor(BatchProcessor):
    """Processes the records of a batch concurrently, as asyncio tasks, and reports those that failed.

    Use it with :func:`async_process_partial_response`, as a context manager with :meth:`async_process`, or inside a
    running event loop with :meth:`arun`. Lanes run side by side, each in its order: a ``.fifo`` queue stays in order.
    The handler may be a plain function as well; it blocks the loop while it runs.

    The arguments are those of :class:`BasePartialBatchProcessor`.
    """

    max_concurrency = 100

    def run(self, event: Any, record_handler: Callable[..., Any], context: Any = None) -> BatchResult:
        """Process a whole event on an event loop that lives as long as the process. See :meth:`BatchProcessor.run`."""
        return self._run_async(event, record_handler, context).result

    async def arun(self, event: Any, record_handler: Callable[..., Any], context: Any = None) -> BatchResult:
        """Process a whole event inside a running event loop. See :meth:`BatchProcessor.run`."""
        invocation = self._begin(event, None, record_handler, context)
        self._open(invocation)
        try:
            await self._await_lanes(invocation)
        except BaseException:
            self._current.abandoned(invocation)
            raise
        self._close(invocation)
        return invocation.result

    def _check_handler(self, binding: Binding) -> None:
        """Any handler will do."""

    def _run_async(self, event: Any, record_handler: Callable[..., Any], context: Any) -> Invocation:
        return self._through(self._begin(event, None, record_handler, context), self._wait_for_lanes)

    def _run_sync(self, event: Any, record_handler: Callable[..., Any], context: Any) -> Invocation:
        self._refuse_sync()

    def _run_lanes(self, invocation: Invocation) -> None:
        self._refuse_sync()

    def _refuse_sync(self) -> NoReturn:
        raise ConfigurationError(
            f"{type(self).__name__} is called asynchronously: use async_process_partial_response(), async_process() or "
            "`await processor.aprocess()`."
        )

    def _wait_for_lanes(self, invocation: Invocation) -> None:
        BasePartialProcessor._wait_for_lanes(self, invocation)

    async def _await_lanes(self, invocation: Invocation, in_this_task: bool = False) -> None:
        from batchcore import aio

        await aio.run_lanes(invocation, self.max_concurrency, in_this_task)


def _named(event_type: Any) -> tuple[str, object]:
    """Give the name and the source that an ``event_type`` means."""
    if isinstance(event_type, str):
        name = event_type.value if isinstance(event_type, Enum) else event_type
        return name, find_source(name)
    return _name_of(event_type), event_type


def _name_of(source: object) -> str:
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else type(source).__name__
