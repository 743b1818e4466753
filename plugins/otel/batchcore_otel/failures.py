"""What is said of a failure on spans and metrics, without the input that a model refused."""

from __future__ import annotations

import traceback

from batchcore.failures import summary_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from batchcore import Outcome

MOST_TRACEBACKS = 10
"""Exceptions of one batch that are told with a stack trace: to write one takes as long as ten spans."""

OTHER = "_OTHER"
"""The ``error.type`` of the conventions for what has no name of its own."""


class Failure:
    """What became of a record that did not succeed. It keeps no exception, which would keep the batch.

    Attributes:
        status: the status of its outcome.
        error_type: ``error.type`` of it; None where that is no error: a record that is dropped is done, as it was told.
        description: the text of the exception.
    """

    __slots__ = ("description", "error_type", "status")

    def __init__(self, status: str, exception: BaseException | None) -> None:
        self.status = status
        self.error_type = None if status == "dropped" else error_type_of(exception)
        self.description = "" if exception is None else summary_of(exception).partition(": ")[2]


def failure_of(outcome: Outcome) -> Failure | None:
    """Return what an outcome says of a failure; None where its record succeeded."""
    return None if outcome.status == "succeeded" else Failure(outcome.status, outcome.exception)


def error_type_of(exception: BaseException | None) -> str:
    """Return the class of an exception with its module, those of Python itself without."""
    if exception is None:
        return OTHER
    kind = type(exception)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def exception_event(exception: BaseException, with_traceback: bool) -> dict[str, Any]:
    """Return the attributes of an event ``exception``. The lines of code of its traceback hold no values."""
    summary = summary_of(exception)
    event: dict[str, Any] = {
        "exception.type": error_type_of(exception),
        "exception.message": summary.partition(": ")[2],
    }
    if with_traceback and exception.__traceback__ is not None:
        frames = "".join(traceback.format_tb(_frames_of_users(exception.__traceback__)))
        event["exception.stacktrace"] = f"Traceback (most recent call last):\n{frames}{summary}\n"
    return event


def _frames_of_users(found: TracebackType) -> TracebackType:
    """Return a traceback without the frames of the core that it begins with, where there are others."""
    current: TracebackType | None = found
    while current is not None:
        module = current.tb_frame.f_globals.get("__name__")
        if not isinstance(module, str) or module.partition(".")[0] != "batchcore":
            return current
        current = current.tb_next
    return found
