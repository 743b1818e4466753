"""Errors of this package. Branches of the core's tree::

    batchcore.BatchcoreError
    ├── VisibilityNotChangedError                    back-off could not hide some of the messages that failed
    └── batchcore.NotAttemptedError
        ├── SQSFifoCircuitBreakerError               an earlier message of the batch failed
        └── SQSFifoMessageGroupCircuitBreakerError   an earlier message of the same message group failed

A message that was not attempted is a failure to AWS, and delivered again.
"""

from __future__ import annotations

from batchcore import BatchcoreError, NotAttemptedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from batchcore.types import Identifier


class SQSFifoCircuitBreakerError(NotAttemptedError):
    """An earlier message of a FIFO batch failed, so this one was not attempted.

    AWS asks for it: a function that reads a FIFO queue stops at the first failure, and reports that message and all
    that follow. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html

    Args:
        message: the text of the error.
    """

    def __init__(self, message: str = "A previous record failed processing.") -> None:
        super().__init__(message)


class SQSFifoMessageGroupCircuitBreakerError(NotAttemptedError):
    """An earlier message of the same message group failed, so this one was not attempted.

    Args:
        message: the text of the error.
    """

    def __init__(self, message: str = "A previous record from this message group failed processing.") -> None:
        super().__init__(message)


class VisibilityNotChangedError(BatchcoreError):
    """The visibility timeout of some messages could not be changed. They come back after the queue's own.

    Args:
        unchanged: the identifier of each, and why.
        total: how many were to be changed.

    Attributes:
        reasons: the argument ``unchanged``.
    """

    def __init__(self, unchanged: Sequence[tuple[Identifier, str]], total: int) -> None:
        super().__init__(unchanged, total)
        self.reasons = list(unchanged)
        self._total = total

    def __str__(self) -> str:
        counts: dict[str, int] = {}
        for _, reason in self.reasons:
            counts[reason] = counts.get(reason, 0) + 1
        seen = "; ".join(f"{reason} ({count} x)" for reason, count in counts.items())
        need = " The function needs the permission sqs:ChangeMessageVisibility." if "AccessDenied" in seen else ""
        return (
            f"The visibility timeout of {len(self.reasons)} of {self._total} messages was not changed; "
            f"they come back after the queue's own.{need} {seen}"
        )
