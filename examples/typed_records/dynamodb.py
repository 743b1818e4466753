"""A pydantic model of the change: the image's message is an order in JSON, and a change without one fails."""

import json
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, EventType, PartialItemFailureResponse, process_partial_response
from batchcore_dynamodb.models import DynamoDBStreamChangedRecordModel, DynamoDBStreamRecordModel
from pydantic import BaseModel, field_validator


class Order(BaseModel):
    item: dict[str, str]


class OrderDynamoDB(BaseModel):
    Message: Order

    @field_validator("Message", mode="before")
    @classmethod
    def decode(cls, value: str | dict[str, Any]) -> Any:
        """The images arrive as plain Python values; this one is a string that holds JSON."""
        return json.loads(value) if isinstance(value, str) else value


class OrderDynamoDBChangeRecord(DynamoDBStreamChangedRecordModel):
    NewImage: OrderDynamoDB | None = None
    OldImage: OrderDynamoDB | None = None


class OrderDynamoDBRecord(DynamoDBStreamRecordModel):
    dynamodb: OrderDynamoDBChangeRecord


processor = BatchProcessor(event_type=EventType.DynamoDBStreams, model=OrderDynamoDBRecord)
tracer = Tracer()
logger = Logger()


@tracer.capture_method
def record_handler(record: OrderDynamoDBRecord) -> dict[str, str] | None:
    image = record.dynamodb.NewImage
    if image is None:
        return None
    logger.info("Order received", extra={"item": image.Message.item})
    return image.Message.item


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
