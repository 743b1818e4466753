"""Orders as pydantic models, with the base class that the parser offers."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.parser import BaseModel
from aws_lambda_powertools.utilities.parser.models import SqsRecordModel
from pydantic import Json


class Order(BaseModel):
    quantity: int


class OrderRecord(SqsRecordModel):
    body: Json[Order]


processor = BatchProcessor(event_type=EventType.SQS, model=OrderRecord)
shipped = []


def ship(record: OrderRecord):
    if record.body.quantity > 10:
        raise ValueError(record.messageId)
    shipped.append(record.body.quantity)


def lambda_handler(event, context):
    return process_partial_response(event=event, record_handler=ship, processor=processor, context=context)
