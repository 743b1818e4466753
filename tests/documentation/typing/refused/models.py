"""A model of another source is refused where the processor is made. Each marked line is an error to both checkers."""

from __future__ import annotations

from batchcore import AsyncBatchProcessor, BatchProcessor, EventType
from batchcore_dynamodb import DynamoDBStreams
from batchcore_dynamodb.models import DynamoDBStreamRecordModel
from batchcore_kinesis import KinesisDataStreams
from batchcore_kinesis.models import KinesisDataStreamRecord
from batchcore_sqs import SQS, SqsFifoPartialProcessor, SQSRecord
from batchcore_sqs.models import SqsRecordModel


class OfSqs(SqsRecordModel): ...


class OfKinesis(KinesisDataStreamRecord): ...


class OfDynamoDB(DynamoDBStreamRecordModel): ...


BatchProcessor(event_type=EventType.SQS, model=OfKinesis)  # refused
BatchProcessor(event_type=EventType.SQS, model=OfDynamoDB)  # refused
BatchProcessor(event_type=EventType.KinesisDataStreams, model=OfSqs)  # refused
BatchProcessor(event_type=EventType.KinesisDataStreams, model=OfDynamoDB)  # refused
BatchProcessor(event_type=EventType.DynamoDBStreams, model=OfSqs)  # refused
BatchProcessor(event_type=EventType.DynamoDBStreams, model=OfKinesis)  # refused

BatchProcessor("sqs", OfKinesis)  # refused
BatchProcessor("kinesis", OfDynamoDB)  # refused
BatchProcessor("dynamodb", OfSqs)  # refused

AsyncBatchProcessor(EventType.SQS, OfKinesis)  # refused
AsyncBatchProcessor(EventType.KinesisDataStreams, OfSqs)  # refused
AsyncBatchProcessor(EventType.DynamoDBStreams, OfSqs)  # refused

BatchProcessor(SQS, model=OfKinesis)  # refused
BatchProcessor(SQS, OfDynamoDB)  # refused
BatchProcessor(KinesisDataStreams, model=OfSqs)  # refused
BatchProcessor(event_type=KinesisDataStreams, model=OfDynamoDB)  # refused
BatchProcessor(DynamoDBStreams, OfSqs)  # refused
AsyncBatchProcessor(DynamoDBStreams, model=OfKinesis)  # refused

SqsFifoPartialProcessor(model=OfKinesis)  # refused
SqsFifoPartialProcessor(OfDynamoDB, skip_group_on_error=True)  # refused

BatchProcessor(event_type=EventType.SQS, model=OfSqs.model_construct())  # refused
SqsFifoPartialProcessor(model=SQSRecord)  # refused


class NamesItsKeysWrong(SqsRecordModel):
    def record_handler(self) -> str:
        return self.message_id  # refused
