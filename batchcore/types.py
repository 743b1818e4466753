"""Names for the type checker: records, identifiers, the shapes of a response, the Lambda context.

The core reads this file only while types are checked; importing it costs ``typing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Any, Protocol, TypeAlias, TypedDict, TypeVar

Record: TypeAlias = Any
"""One raw record, as AWS delivered it: for the sources here a mapping of strings."""

Identifier: TypeAlias = str | Mapping[str, Any] | None
"""What AWS names a record by: a string, an object, or None where the source has no identity."""

ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
"""What :func:`sys.exc_info` gives while an exception is being handled."""

SuccessResponse: TypeAlias = tuple[str, Any, Any]
"""``("success", what the handler returned, the raw record)``."""

FailureResponse: TypeAlias = tuple[str, str, Any]
"""``("fail", "<class 'ValueError'>:the message", the typed record)``."""


class PartialItemFailures(TypedDict):
    """One failed record in a response."""

    itemIdentifier: Any


class PartialItemFailureResponse(TypedDict):
    """The response that Lambda reads when ``ReportBatchItemFailures`` is set on the event source mapping.

    The type of every response here, because it is that of nearly every source. A window's has ``state`` besides. Where
    a source's response has another shape, the Lambda function says so: ``cast(ItsResponse, result.response)``.
    """

    batchItemFailures: list[PartialItemFailures]


class RecordFacts(Protocol):
    """What a batch asks of its source about single records: hooks, as plain callables."""

    name: str
    by_checkpoint: bool
    delivery_attempt: Callable[[Record], int | None]
    describe_record: Callable[[Record], Mapping[str, Any]]
    original_message: Callable[[Record], Any]


class DeadLetterBook(Protocol):
    """What the ledger of a batch writes down of its dead letters: see :mod:`batchcore._extensions.dead_letters`."""

    @property
    def in_lanes(self) -> AbstractSet[int]:
        """Positions whose lanes wait for their delivery."""
        ...

    @property
    def problems(self) -> Mapping[int, BaseException]:
        """Position to what kept it from being delivered."""
        ...

    def add(self, position: int) -> None:
        """Take a dead letter."""
        ...

    def ended(self, position: int, problem: BaseException | None) -> None:
        """Note what became of one."""
        ...

    def without_lanes(self) -> DeadLetterBook:
        """Return those that can still be delivered when workers are abandoned."""
        ...


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
        """Whether an event is this source's."""
        ...

    @property
    def extract_records(self) -> Callable[..., Any]:
        """Give the records of an event."""
        ...

    @property
    def identify_records(self) -> Callable[..., Any]:
        """Give an identifier per record."""
        ...


class LambdaContext(Protocol):
    """The Lambda context, as AWS describes it for Python. Annotate with it what Lambda calls, and handlers.

    See "Using the Lambda context object to retrieve Python function information" in the AWS Lambda developer guide.
    batchcore itself reads the time that is left, where a context tells it, and nothing else.
    """

    @property
    def function_name(self) -> str:
        """The name of the function."""
        ...

    @property
    def function_version(self) -> str:
        """The version of the function."""
        ...

    @property
    def invoked_function_arn(self) -> str:
        """The ARN by which the function was invoked; it tells whether a version or an alias was named."""
        ...

    @property
    def memory_limit_in_mb(self) -> str | int:
        """The memory of the function, in MB. The runtime of AWS has it as a string."""
        ...

    @property
    def aws_request_id(self) -> str:
        """The identifier of the invocation."""
        ...

    @property
    def log_group_name(self) -> str:
        """The log group of the function."""
        ...

    @property
    def log_stream_name(self) -> str:
        """The log stream of the execution environment."""
        ...

    @property
    def identity(self) -> Any:
        """The Cognito identity that authorized the request, if any."""
        ...

    @property
    def client_context(self) -> Any:
        """What a client application sent along, if anything."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before Lambda ends the invocation."""
        ...
