"""A function whose code says nothing of Sentry."""

from typing import Any

from batchcore import BatchProcessor, EventType, process_partial_response
from batchcore_sqs import SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)


def record_handler(record: SQSRecord) -> None:
    if record.body.startswith("bad"):
        raise ValueError(record.body)


def lambda_handler(event: Any, context: Any) -> Any:
    return process_partial_response(event, record_handler, processor, context)
