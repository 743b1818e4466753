"""Amazon SQS as a source of batchcore. Importing this package offers the source ``sqs``."""

from __future__ import annotations

from batchcore import offer
from batchcore_sqs.hooks import SQS, SQSRecord, SQSSource, message_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore_sqs.attributes import SQSMessageAttribute, SQSMessageAttributes, SQSRecordAttributes
    from batchcore_sqs.backoff import VisibilityBackoff
    from batchcore_sqs.errors import (
        SQSFifoCircuitBreakerError,
        SQSFifoMessageGroupCircuitBreakerError,
        VisibilityNotChangedError,
    )
    from batchcore_sqs.fifo import SqsFifoPartialProcessor

__all__ = [
    "SQS",
    "SQSFifoCircuitBreakerError",
    "SQSFifoMessageGroupCircuitBreakerError",
    "SQSMessageAttribute",
    "SQSMessageAttributes",
    "SQSRecord",
    "SQSRecordAttributes",
    "SQSSource",
    "SqsFifoPartialProcessor",
    "VisibilityBackoff",
    "VisibilityNotChangedError",
    "message_group",
]

offer("sqs", SQS)


_LAZY = {
    "SQSFifoCircuitBreakerError": "errors",
    "SQSFifoMessageGroupCircuitBreakerError": "errors",
    "SQSMessageAttribute": "attributes",
    "SQSMessageAttributes": "attributes",
    "SQSRecordAttributes": "attributes",
    "SqsFifoPartialProcessor": "fifo",
    "VisibilityBackoff": "backoff",
    "VisibilityNotChangedError": "errors",
}

if not TYPE_CHECKING:  # a checker that saw it would take any name, and misspelt ones too

    def __getattr__(name: str) -> object:
        """Return what not every function needs, when somebody asks for it."""
        if name not in _LAZY:
            raise AttributeError(f"module 'batchcore_sqs' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"batchcore_sqs.{_LAZY[name]}"), name)
