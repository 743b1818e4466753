"""Amazon SQS as a source of batchcore. Importing this package offers the source ``sqs``."""

from __future__ import annotations

from batchcore import offer
from batchcore_sqs.errors import SQSFifoCircuitBreakerError, SQSFifoMessageGroupCircuitBreakerError
from batchcore_sqs.fifo import SqsFifoPartialProcessor
from batchcore_sqs.hooks import SQSSource, source
from batchcore_sqs.record import SQSMessageAttribute, SQSMessageAttributes, SQSRecord, SQSRecordAttributes

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
