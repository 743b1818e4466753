"""Process the changes of the stream of a DynamoDB table with the legacy decorator."""

import json
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, EventType, PartialItemFailureResponse, batch_processor
from batchcore_dynamodb import DynamoDBRecord

processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
tracer = Tracer()
logger = Logger()


@tracer.capture_method
def record_handler(record: DynamoDBRecord) -> dict[str, Any] | None:
    message = record.dynamodb.new_image.get("Message")
    if message is None:
        return None
    order: dict[str, Any] = json.loads(message)
    logger.info("Order received", extra={"order": order})
    return order


@logger.inject_lambda_context
@tracer.capture_lambda_handler
@batch_processor(record_handler=record_handler, processor=processor)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return processor.response()
