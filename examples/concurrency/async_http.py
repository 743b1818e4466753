"""Process the messages of a batch side by side: each waits for an HTTP answer, and none waits for another."""

import os
from typing import Any

import httpx
from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import AsyncBatchProcessor, EventType, PartialItemFailureResponse, async_process_partial_response
from batchcore_sqs import SQSRecord

processor = AsyncBatchProcessor(event_type=EventType.SQS)
tracer = Tracer()
logger = Logger()


async def async_record_handler(record: SQSRecord) -> int:
    async with httpx.AsyncClient(base_url=os.environ["ORDERS_URL"]) as client:
        answer = await client.post("/orders", json=record.json_body)
    answer.raise_for_status()
    return answer.status_code


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return async_process_partial_response(
        event=event, record_handler=async_record_handler, processor=processor, context=context
    )
