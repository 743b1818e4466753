"""Look at every message after the batch, with a model: one that fits no model comes back as the plain typed record."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, EventType, PartialItemFailureResponse
from batchcore_sqs import SQSRecord
from batchcore_sqs.models import SqsRecordModel
from pydantic import BaseModel, Json


class Order(BaseModel):
    item: dict[str, str]


class OrderSqsRecord(SqsRecordModel):
    body: Json[Order]


class SoldOut(Exception):
    """The order is well formed, and cannot be met."""


processor = BatchProcessor(event_type=EventType.SQS, model=OrderSqsRecord)
tracer = Tracer()
logger = Logger()


@tracer.capture_method
def record_handler(record: OrderSqsRecord) -> list[str]:
    if "keyboard" in record.body.item:
        raise SoldOut("No keyboards left.")
    return list(record.body.item)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    with processor(records=event["Records"], handler=record_handler):
        processed = processor.process()

    for status, cause, record in processed:
        if status == "success":
            logger.info("Ordered", extra={"kinds": cause, "message_id": record["messageId"]})
        elif isinstance(record, SQSRecord):
            logger.warning("No order at all", extra={"message_id": record.message_id})
        else:
            logger.warning("Not to be had", extra={"message_id": record.messageId, "cause": cause})
    return processor.response()
