"""Names for the type checker: records, identifiers, the shapes of an answer, the Lambda context.

The core reads this file only while types are checked; importing it costs ``typing``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypedDict

if TYPE_CHECKING:
    from batchcore.disposition import Disposition
    from batchcore.outcome import Outcome

Record: TypeAlias = Any
"""One raw record, as AWS delivered it: for the sources here a mapping of strings."""

Identifier: TypeAlias = str | Mapping[str, Any] | None
"""What AWS names a record by: a string, an object, or None where the source has no identity."""

ExceptionInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
"""What :func:`sys.exc_info` gives while an exception is being handled."""

Fail: TypeAlias = "Callable[[Outcome | int, BaseException], None]"
"""Fails one record, named by its outcome or its position in the batch, with an exception."""

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


class Dispositions(Protocol):
    """A mapping of exception types to what becomes of their records.

    No ``Mapping[type[BaseException], Disposition]``: type checkers would refuse a dictionary of ``ValueError`` alone,
    because the type of a mapping's keys is invariant.
    """

    def items(self) -> Collection[tuple[type[BaseException], Disposition]]:
        """Return each exception type with its disposition."""
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
