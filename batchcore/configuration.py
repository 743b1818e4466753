"""What a batch processor is told: a source, a model, an ordering, plugins; and the base of those from scratch."""

from __future__ import annotations

from enum import Enum
from functools import partial

from batchcore.errors import ConfigurationError
from batchcore.invocation import Settings
from batchcore.partial import BasePartialProcessor
from batchcore.plugins import Plugins, find_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import Executor
    from datetime import timedelta
    from typing import Any, Literal, Protocol, TypedDict, TypeVar, overload

    from typing_extensions import Unpack

    from batchcore.disposition import Disposition
    from batchcore.ordering import Ordering
    from batchcore.source import Source
    from batchcore.types import Dispositions, PartialItemFailureResponse

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
        executor: Executor | None
        stop_before_timeout: float | timedelta | None
        dispositions: Dispositions | None
        dead_letter_after: int | None


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
        executor: whose threads run the lanes, for synchronous calls: a :class:`concurrent.futures.ThreadPoolExecutor`.
        stop_before_timeout: the time of the invocation to keep, in seconds or as a timedelta. With less than that left,
            no further record starts, async handlers are cancelled, and the answer goes out.
        dispositions: exception type to :class:`Disposition`; the nearest base class of the exception decides.
        dead_letter_after: from this delivery on, counting from 1, a record that would be retried is a dead letter.

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
        self._plugins = Plugins(plugins)
        if (
            ordering is not None
            or max_concurrency is not None
            or dispositions is not None
            or stop_before_timeout is not None
            or dead_letter_after is not None
            or executor is not None
        ):
            from batchcore import options

            self.max_concurrency = options.checked_concurrency(max_concurrency, self.max_concurrency)
            self._asked_concurrency = max_concurrency
            self.executor = self._checked_executor(executor, max_concurrency)
            self._ordering = options.checked_ordering(ordering)
            self._dispositions = options.checked_dispositions(dispositions or {}, self._plugins)
            self._dead_letter_after = options.checked_dead_letter_after(dead_letter_after, self._plugins)
            self._stop_before = options.checked_seconds(stop_before_timeout)
        if not self._awaits and self._plugins.acts:
            from batchcore.options import refuse_steps_to_await

            refuse_steps_to_await(self, self._plugins)
        if logger is not None and not hasattr(logger, "warning"):
            raise ConfigurationError(f"logger is a logger, as logging.getLogger() gives it, not {logger!r}.")
        if model is not None:
            from batchcore.models import check_model

            check_model(model)
        self._set_up(logger)
        self._settings = None if event_type is None else self._settings_of(self._resolved(*_named(event_type)))

    _awaits = False
    """Whether what is async is awaited."""

    executor: Executor | None = None
    _asked_concurrency: int | None = None
    _ordering: Ordering | None = None
    _dispositions: Mapping[type[BaseException], Disposition] | None = None
    _dead_letter_after: int | None = None
    _stop_before: float | None = None

    def _checked_executor(self, executor: Any, max_concurrency: int | None) -> Executor | None:
        from batchcore.options import checked_executor

        return checked_executor(executor)

    def _set_up(self, logger: logging.Logger | None) -> None:
        super().__init__(logger)

    def _settings_of(self, source: Source) -> Settings:
        model, validate = self.model, None
        if model is not None:
            from batchcore.models import check_source_of, validator_of

            check_source_of(model, source.name)
            validate = partial(validator_of, model)
        if self._dead_letter_after is not None:
            from batchcore.options import check_deliveries_are_counted

            check_deliveries_are_counted(source)
        return Settings(
            source,
            self._plugins,
            validate=validate,
            ordering=self._ordering,
            dispositions=self._dispositions,
            dead_letter_after=self._dead_letter_after,
            raise_on_entire_batch_failure=self.raise_on_entire_batch_failure,
            logger=self.logger,
            stop_before=self._stop_before,
        )

    @property
    def batch_response(self) -> PartialItemFailureResponse:
        """The same as :meth:`response`."""
        return self.response()

    def _to_batch_type(self, record: Any, event_type: Any = None, model: type[Any] | None = None) -> Any:
        """Give a raw record as its model or its source's typed view: for the ``_process_record()`` of a subclass."""
        invocation = self._now()
        if model is not None:
            from batchcore.models import validator_of

            return validator_of(model)(record)
        return invocation.settings.source.record_decoder(invocation)(record)


def _named(event_type: Any) -> tuple[str, object]:
    """Give the name and the source that an ``event_type`` means."""
    if isinstance(event_type, str):
        name = event_type.value if isinstance(event_type, Enum) else event_type
        return name, find_source(name)
    if event_type is EventType:
        raise ConfigurationError("event_type is one of EventType, such as EventType.SQS, not EventType itself.")
    return _name_of(event_type), event_type


def _name_of(source: object) -> str:
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else type(source).__name__
