"""A pydantic model of the record: its data is an order, and a record whose data is none fails."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, EventType, PartialItemFailureResponse, process_partial_response
from batchcore_kinesis.models import KinesisDataStreamRecord, KinesisDataStreamRecordPayload
from pydantic import BaseModel, Json


class Order(BaseModel):
    item: dict[str, str]


class OrderKinesisPayloadRecord(KinesisDataStreamRecordPayload):
    data: Json[Order]


class OrderKinesisRecord(KinesisDataStreamRecord):
    kinesis: OrderKinesisPayloadRecord


processor = BatchProcessor(event_type=EventType.KinesisDataStreams, model=OrderKinesisRecord)
tracer = Tracer()
logger = Logger()


@tracer.capture_method
def record_handler(record: OrderKinesisRecord) -> dict[str, str]:
    logger.info("Order received", extra={"item": record.kinesis.data.item})
    return record.kinesis.data.item


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
