"""An order in records of three sources, as models."""

from __future__ import annotations

from pydantic import BaseModel, Json

from batchcore_dynamodb.models import DynamoDBStreamChangedRecordModel, DynamoDBStreamRecordModel
from batchcore_kinesis.models import KinesisDataStreamRecord, KinesisDataStreamRecordPayload
from batchcore_sqs.models import SqsRecordModel


class Order(BaseModel):
    """What is inside of it all."""

    order: str
    quantity: int


class OrderMessage(SqsRecordModel):
    """An SQS message with an order."""

    body: Json[Order]


class OrderData(KinesisDataStreamRecordPayload):
    """Kinesis data that is an order."""

    data: Json[Order]


class OrderRecord(KinesisDataStreamRecord):
    """A Kinesis record with an order."""

    kinesis: OrderData


class OrderItem(BaseModel):
    """An item of a table with an order as an attribute."""

    payload: Json[Order]


class OrderChange(DynamoDBStreamChangedRecordModel):
    """A change of such an item."""

    NewImage: OrderItem | None = None


class OrderStreamRecord(DynamoDBStreamRecordModel):
    """A record of a table of orders."""

    dynamodb: OrderChange
