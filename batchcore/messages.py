"""The lists ``success_messages``, ``fail_messages`` and ``exceptions``."""

from __future__ import annotations

from batchcore.outcome import NOT_PROCESSED, exception_info

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from batchcore.invocation import Invocation
    from batchcore.types import ExceptionInfo


class Messages:
    """The lists that a processor's attributes show, brought up to date when they are asked for."""

    __slots__ = ("_position", "exceptions", "failed", "succeeded")

    def __init__(self) -> None:
        self.succeeded: list[Any] = []
        self.failed: list[Any] = []
        self.exceptions: list[ExceptionInfo] = []
        self._position = 0

    def up_to_date(self, invocation: Invocation) -> Messages:
        """Add the records that have ended since, in the order of the batch, up to the first that has not."""
        values, failures, records = invocation.values, invocation.failures, invocation.records
        for position in range(self._position, len(values)):
            failure = failures.get(position)
            if failure is not None:
                self.failed.append(invocation.typed(position))
                self.exceptions.append(exception_info(invocation.failure(position, failure).exception))
            elif values[position] is not NOT_PROCESSED:
                self.succeeded.append(records[position])
            elif not invocation.finished:
                break
            self._position = position + 1
        return self
