"""This project, used the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Json

import batchcore_dynamodb  # noqa: F401 - imported, it offers its source, as the import of its typed record does
import batchcore_kafka  # noqa: F401
import batchcore_kinesis  # noqa: F401
from batchcore import (
    AsyncBatchProcessor,
    BasePartialBatchProcessor,
    BatchProcessor,
    EventType,
    async_process_partial_response,
    process_partial_response,
)
from batchcore_sqs import SqsFifoPartialProcessor
from batchcore_sqs.models import SqsRecordModel
from benchmarks.orders import Order
from benchmarks.sides import CONTEXT

if TYPE_CHECKING:
    import logging

    from benchmarks.events import Event
    from benchmarks.rows import Row
    from benchmarks.sides import Process

EVENT_TYPES = {"kinesis": EventType.KinesisDataStreams, "dynamodb": EventType.DynamoDBStreams, "kafka": "kafka"}


class OrderRecord(SqsRecordModel):
    """A message whose body is an order."""

    body: Json[Order]


def prepare(row: Row, logger: logging.Logger | None = None) -> Process:
    """Make the function for a row."""
    handler = row.handler
    if row.kind == "async":
        async_processor = AsyncBatchProcessor(event_type=EventType.SQS, logger=logger)
        return lambda event: async_process_partial_response(event, handler, async_processor, CONTEXT)
    processor = _processor(row, logger)

    def process(event: Event) -> Any:
        return process_partial_response(event=event, record_handler=handler, processor=processor, context=CONTEXT)

    return process


def _processor(row: Row, logger: logging.Logger | None) -> BasePartialBatchProcessor:
    if row.kind in ("fifo", "groups"):
        return SqsFifoPartialProcessor(skip_group_on_error=row.kind == "groups", logger=logger)
    if row.kind == "model":
        return BatchProcessor(event_type=EventType.SQS, model=OrderRecord, logger=logger)
    event_type = EVENT_TYPES.get(row.kind, EventType.SQS)
    return BatchProcessor(event_type=event_type, logger=logger)
