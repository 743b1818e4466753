"""Source, identifier, attempt and order on each line of the log, with Logger of Powertools, eight records at a time."""

import json
from typing import Any

from aws_lambda_powertools import Logger
from batchcore import BatchProcessor, EventType, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_logs import LogContext, bind
from batchcore_sqs import SQSRecord

logger = Logger(service="shipping")


def order_of(record: dict[str, Any]) -> dict[str, Any]:
    return {"order": json.loads(record["body"])["order"]}


processor = BatchProcessor(event_type=EventType.SQS, max_concurrency=8, plugins=[LogContext(fields=order_of)])


def record_handler(record: SQSRecord) -> None:
    order: dict[str, Any] = record.json_body
    logger.info("order received")
    bind(warehouse=order["warehouse"])
    if order["warehouse"] == "closed":
        raise RuntimeError("the warehouse is closed")
    logger.info("order shipped")


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, record_handler, processor, context)
