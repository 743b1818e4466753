"""An asynchronous handler."""

import asyncio

import aws_lambda_powertools.utilities.batch as batching
from aws_lambda_powertools.utilities.data_classes import SQSRecord

processor = batching.AsyncBatchProcessor(event_type=batching.EventType.SQS)


async def fetch(record: SQSRecord) -> float:
    await asyncio.sleep(0)
    return 1 / int(record.body)


def lambda_handler(event, context):
    return batching.async_process_partial_response(
        event=event, record_handler=fetch, processor=processor, context=context
    )
