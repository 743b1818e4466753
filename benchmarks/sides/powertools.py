"""Powertools for Python, used as its documentation shows."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.shared.version import VERSION
from aws_lambda_powertools.utilities.batch import (
    AsyncBatchProcessor,
    BasePartialBatchProcessor,
    BatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    async_process_partial_response,
    process_partial_response,
)
from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from pydantic import Json

from benchmarks.orders import Order
from benchmarks.sides import CONTEXT

if TYPE_CHECKING:
    import logging

    from benchmarks.events import Event
    from benchmarks.rows import Row
    from benchmarks.sides import Process

# Outside of Lambda its asynchronous processor makes an event loop per batch, inside it keeps one. Measure the latter.
os.environ.setdefault("LAMBDA_TASK_ROOT", "/var/task")

EVENT_TYPES = {
    "kinesis": EventType.KinesisDataStreams,
    "dynamodb": EventType.DynamoDBStreams,
    "kafka": EventType.Kafka,
}

__all__ = ["VERSION", "prepare"]


class OrderRecord(SqsRecordModel):
    """A message whose body is an order."""

    body: Json[Order]


def prepare(row: Row, logger: logging.Logger | None = None) -> Process:
    """Make the function for a row."""
    handler = row.handler
    if row.kind == "async":
        asyncio.set_event_loop(asyncio.new_event_loop())
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
