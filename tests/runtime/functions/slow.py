"""A function that keeps a second of its time. Each body says how many seconds its record takes."""

import asyncio
import os
import time
from typing import Any

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    LambdaContext,
    PartialItemFailureResponse,
    async_process_partial_response,
    process_partial_response,
)
from batchcore_sqs import SQSRecord

in_threads = BatchProcessor(event_type=EventType.SQS, max_concurrency=4, stop_before_timeout=1)
with_asyncio = AsyncBatchProcessor(event_type=EventType.SQS, stop_before_timeout=1)


def takes_its_time(record: SQSRecord) -> None:
    time.sleep(record.json_body)


async def waits(record: SQSRecord) -> None:
    try:
        await asyncio.sleep(record.json_body)
    except asyncio.CancelledError:
        await asyncio.sleep(record.json_body)  # it will not be stopped


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    response: PartialItemFailureResponse
    if os.environ["DRIVER"] == "threads":
        response = process_partial_response(event, takes_its_time, in_threads, context)
    else:
        response = async_process_partial_response(event, waits, with_asyncio, context)
    return response
