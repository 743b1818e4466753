"""Pydantic models, by inheritance from a source's models or of one's own."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Json
from typing_extensions import assert_type

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    ExceptionInfo,
    FailureResponse,
    LambdaContext,
    PartialItemFailureResponse,
    async_process_partial_response,
    process_partial_response,
)
from batchcore_dynamodb import DynamoDBStreams
from batchcore_dynamodb.models import DynamoDBStreamChangedRecordModel, DynamoDBStreamRecordModel
from batchcore_kinesis import KinesisDataStreams
from batchcore_kinesis.models import KinesisDataStreamRecord, KinesisDataStreamRecordPayload
from batchcore_sqs import SQS, SqsFifoPartialProcessor, SQSRecord
from batchcore_sqs.hooks import SQSSource
from batchcore_sqs.models import SqsRecordModel


class Order(BaseModel):
    item: str


class OrderSqsRecord(SqsRecordModel):
    body: Json[Order]


class OrderKinesisPayload(KinesisDataStreamRecordPayload):
    data: Json[Order]


class OrderKinesisRecord(KinesisDataStreamRecord):
    kinesis: OrderKinesisPayload


class OrderChange(DynamoDBStreamChangedRecordModel):
    NewImage: Order | None = None
    OldImage: Order | None = None


class OrderDynamoDBRecord(DynamoDBStreamRecordModel):
    dynamodb: OrderChange


class OfNoSource(BaseModel):
    """Any other pydantic model: identity is the raw record's."""

    body: str


BatchProcessor(EventType.SQS, OrderSqsRecord)
BatchProcessor(event_type=EventType.SQS, model=SqsRecordModel)
BatchProcessor("sqs", model=OrderSqsRecord)
BatchProcessor(event_type=EventType.KinesisDataStreams, model=OrderKinesisRecord)
BatchProcessor("kinesis", model=OrderKinesisRecord)
BatchProcessor(event_type=EventType.DynamoDBStreams, model=OrderDynamoDBRecord)
BatchProcessor("dynamodb", model=OrderDynamoDBRecord)
AsyncBatchProcessor(event_type=EventType.SQS, model=OrderSqsRecord)
SqsFifoPartialProcessor(model=OrderSqsRecord)
SqsFifoPartialProcessor(OrderSqsRecord, skip_group_on_error=True)

BatchProcessor(SQS, OrderSqsRecord)
BatchProcessor(event_type=KinesisDataStreams, model=OrderKinesisRecord)
AsyncBatchProcessor(DynamoDBStreams, model=OrderDynamoDBRecord)
for source in (SQS, KinesisDataStreams, DynamoDBStreams):
    BatchProcessor(source, model=OfNoSource)


class OtherQueues(SQSSource):
    """A source may be derived from one here, and have another name."""

    name = "other-queues"


class Nameless:
    def claims_event(self, event: Any) -> bool:
        return True

    def extract_records(self, event: Any) -> list[Any]:
        return []

    def identify_records(self, records: Any) -> list[str]:
        return []


class CalledSqs(Nameless):
    name = "sqs"


BatchProcessor(OtherQueues(), model=OfNoSource)
BatchProcessor(Nameless(), OfNoSource)
BatchProcessor(CalledSqs(), model=OrderSqsRecord)
assert_type(BatchProcessor(SQS, OrderSqsRecord), BatchProcessor[OrderSqsRecord])

BatchProcessor(event_type=EventType.SQS, model=OfNoSource)
BatchProcessor(event_type=EventType.KinesisDataStreams, model=OfNoSource)
BatchProcessor(event_type=EventType.DynamoDBStreams, model=OfNoSource)
BatchProcessor(event_type="a-source-of-a-third-package", model=OfNoSource)
BatchProcessor(model=OfNoSource)
SqsFifoPartialProcessor(model=OfNoSource)


def record_handler(record: OrderSqsRecord) -> str:
    return record.body.item


def stream_handler(record: OrderDynamoDBRecord) -> str:
    return record.dynamodb.NewImage.item if record.dynamodb.NewImage else record.eventID


async def async_handler(record: OrderKinesisRecord, lambda_context: LambdaContext) -> tuple[str, str]:
    return record.kinesis.data.item, lambda_context.aws_request_id


class Watching(BatchProcessor):
    def failure_handler(self, record: OrderSqsRecord | SQSRecord, exception: ExceptionInfo) -> FailureResponse:
        print(record.message_id if isinstance(record, SQSRecord) else record.messageId)
        return super().failure_handler(record, exception)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, record_handler, Watching("sqs", OrderSqsRecord), context)


def stream_lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    processor = AsyncBatchProcessor("kinesis", OrderKinesisRecord)
    return async_process_partial_response(event, async_handler, processor, context)
