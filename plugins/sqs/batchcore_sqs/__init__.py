"""Amazon SQS as a source of batchcore. Importing this package offers the source ``sqs``."""

from __future__ import annotations

from batchcore import offer
from batchcore_sqs.hooks import SQSSource, source
from batchcore_sqs.record import SQSMessageAttribute, SQSMessageAttributes, SQSRecord, SQSRecordAttributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore_sqs.errors import SQSFifoCircuitBreakerError, SQSFifoMessageGroupCircuitBreakerError
    from batchcore_sqs.fifo import SqsFifoPartialProcessor

__all__ = [
    "SQSFifoCircuitBreakerError",
    "SQSFifoMessageGroupCircuitBreakerError",
    "SQSMessageAttribute",
    "SQSMessageAttributes",
    "SQSRecord",
    "SQSRecordAttributes",
    "SQSSource",
    "SqsFifoPartialProcessor",
    "source",
]

offer("sqs", source)


_LAZY = frozenset(__all__) - globals().keys()


def __getattr__(name: str) -> object:
    """Give what only FIFO queues need, when somebody asks for it."""
    if name not in _LAZY:
        raise AttributeError(f"module 'batchcore_sqs' has no attribute {name!r}")
    from importlib import import_module

    where = "fifo" if name == "SqsFifoPartialProcessor" else "errors"
    return getattr(import_module(f"batchcore_sqs.{where}"), name)
