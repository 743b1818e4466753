"""Handlers that do not fit their processor. Each marked line is an error to both checkers."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    LambdaContext,
    PartialItemFailureResponse,
    RecordsSource,
    RecordView,
    batch_processor,
    process_partial_response,
)
from batchcore_kinesis import KinesisDataStreams, KinesisStreamRecord
from batchcore_sqs import SQS, SqsFifoPartialProcessor, SQSRecord

EVENT: dict[str, Any] = {"Records": []}


class Order(BaseModel):
    body: str


class Parcel(RecordView): ...


class Parcels(RecordsSource[Parcel]):
    name = "parcels"
    service = "acme:parcels"
    identifier = ("id",)
    view = SQSRecord  # refused


processor = BatchProcessor(SQS)
untyped = BatchProcessor(EventType.SQS)
async_processor = AsyncBatchProcessor(SQS)
orders = BatchProcessor(SQS, model=Order)


def record_handler(record: SQSRecord) -> int:
    return len(record.body)


def of_two(record: SQSRecord, table: str) -> int:
    return len(record.body + table)


def of_none() -> int:
    return 1


def of_dict(record: dict[str, Any]) -> int:
    return len(record)


def of_kinesis(record: KinesisStreamRecord) -> str:
    return record.kinesis.data


def of_kinesis_with_context(record: KinesisStreamRecord, lambda_context: LambdaContext) -> str:
    return record.kinesis.data + lambda_context.aws_request_id


async def async_handler(record: SQSRecord) -> int:
    return len(record.body)


async def async_handler_with_context(record: SQSRecord, lambda_context: LambdaContext) -> str:
    return record.body + lambda_context.aws_request_id


processor.run(EVENT, of_two)  # refused
processor.run(EVENT, of_none)  # refused
processor.run(EVENT, of_dict)  # refused
processor.run(EVENT, of_kinesis)  # refused
processor.run(EVENT, of_kinesis_with_context)  # refused
processor.run(EVENT, lambda record: record.boddy)  # refused
untyped.run(EVENT, of_two)  # refused
untyped.run(EVENT, of_none)  # refused
orders.run(EVENT, record_handler)  # refused
SqsFifoPartialProcessor().run(EVENT, of_kinesis)  # refused
SqsFifoPartialProcessor(Order).run(EVENT, record_handler)  # refused
BatchProcessor(KinesisDataStreams).run(EVENT, record_handler)  # refused
BatchProcessor("sqs", model=Order).run(EVENT, record_handler)  # refused
BatchProcessor(Parcels()).run(EVENT, record_handler)  # refused
async_processor.run(EVENT, of_two)  # refused
async_processor.run(EVENT, of_kinesis)  # refused
processor(EVENT["Records"], of_kinesis)  # refused
processor(EVENT["Records"], of_two)  # refused
batch_processor(record_handler=of_kinesis, processor=processor)  # refused
batch_processor(record_handler=of_two, processor=processor)  # refused

process_partial_response(EVENT, of_two, processor)  # refused
process_partial_response(EVENT, of_none, untyped)  # refused
process_partial_response(EVENT, of_kinesis, processor)  # refused
process_partial_response(EVENT, of_kinesis_with_context, processor)  # refused
process_partial_response(EVENT, record_handler, orders)  # refused
process_partial_response(EVENT, record_handler, BatchProcessor(KinesisDataStreams))  # refused


async def in_a_loop() -> None:
    await async_processor.arun(EVENT, of_two)  # refused
    await async_processor.arun(EVENT, of_kinesis)  # refused


# A coroutine function has no response but that of an AsyncBatchProcessor.
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, async_handler, processor, context)  # refused


def of_name(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, async_handler, untyped, context)  # refused


def of_context(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, async_handler_with_context, processor, context)  # refused


print(processor.run(EVENT, async_handler).response)  # refused
print(untyped.run(EVENT, async_handler_with_context).return_values)  # refused
length: str = processor.run(EVENT, record_handler).return_values[0]  # refused
