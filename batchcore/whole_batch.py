"""The error of a batch of which no record is done."""

from __future__ import annotations

import builtins
import weakref

from batchcore.errors import BatchProcessingError
from batchcore.outcome import exception_info, release_frames
from batchcore.report import whole_batch_message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from batchcore.invocation import Invocation


def whole_batch_error(invocation: Invocation) -> BatchProcessingError:
    """Make the error, which alone keeps the frames alive: they go when it goes."""
    failures = sorted(invocation.failures.items())
    exceptions = [invocation.failure(position, failure).exception for position, failure in failures]
    error = BatchProcessingError(
        whole_batch_message(invocation, invocation.failures), [exception_info(e) for e in exceptions], invocation.result
    )
    error.__cause__ = _grouped(exceptions)

    def release(_: object) -> None:
        for exception in exceptions:
            release_frames(exception)

    invocation.error = weakref.ref(error, release)
    return error


def _grouped(exceptions: list[BaseException]) -> BaseException:
    """Group the records' exceptions where Python can; the first stands for all where it cannot (3.10)."""
    group: Any = getattr(builtins, "BaseExceptionGroup", None)
    return exceptions[0] if group is None else group("the records of the batch", exceptions)
