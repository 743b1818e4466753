"""An SQS function that logs, and whose plugins are named by its environment alone."""

import logging
from typing import Any

from batchcore import BatchProcessor, EventType, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_sqs import SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)
logger = logging.getLogger("shop.orders")


def record_handler(record: SQSRecord) -> None:
    logger.warning("shipping %s", record.message_id)
    if record.json_body["does"] == "fail":
        raise ValueError("no tea left")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    logger.warning("an event has come")
    response: PartialItemFailureResponse = process_partial_response(event, record_handler, processor, context)
    return response
