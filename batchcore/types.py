"""Names for the type checker: records, identifiers, the shapes of an answer, the Lambda context.

The core reads this file only while types are checked; importing it costs ``typing``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypedDict

if TYPE_CHECKING:
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
    """One failed record in an answer."""

    itemIdentifier: Any


class PartialItemFailureResponse(TypedDict):
    """The answer that Lambda reads when ``ReportBatchItemFailures`` is set on the event source mapping."""

    batchItemFailures: list[PartialItemFailures]


class LambdaContext(Protocol):
    """The part of the Lambda context that batchcore itself reads."""

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds left before Lambda ends the invocation."""
        ...
