"""Wrong calls. Each marked line is an error to both checkers."""

from __future__ import annotations

from typing import Any

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    async_process_partial_response,
    batch_processor,
    process_partial_response,
)
from batchcore_sqs import SqsFifoPartialProcessor, SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)
EVENT: dict[str, Any] = {"Records": []}


def record_handler(record: SQSRecord) -> int:
    return record.boddy  # refused


def typed_record_handler(record: SQSRecord) -> int:
    return record.body  # refused


process_partial_response(EVENT, "record_handler", processor)  # refused
process_partial_response(EVENT, record_handler, BatchProcessor)  # refused
process_partial_response(EVENT, record_handler)  # refused
process_partial_response(EVENT, processor, record_handler)  # refused
async_process_partial_response(EVENT, None, AsyncBatchProcessor("sqs"))  # refused
batch_processor(record_handler, processor)  # refused
processor(EVENT["Records"])  # refused
processor.arun(EVENT, record_handler)  # refused

BatchProcessor(event_type=1)  # refused
BatchProcessor(event_type=EventType.Sqs)  # refused
BatchProcessor(EventType.SQS, plugins=7)  # refused
BatchProcessor(EventType.SQS, ordering="by_key")  # refused
BatchProcessor(EventType.SQS, max_concurrency="ten")  # refused
BatchProcessor(EventType.SQS, skip_group_on_error=True)  # refused
SqsFifoPartialProcessor(EventType.SQS)  # refused
