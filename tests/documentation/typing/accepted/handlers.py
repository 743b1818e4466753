"""A processor of a source is a processor of what its handlers get, and gives what they return."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

from pydantic import BaseModel
from typing_extensions import assert_type

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    BatchResult,
    EventType,
    LambdaContext,
    PartialItemFailureResponse,
    RecordsSource,
    RecordView,
    async_process_partial_response,
    batch_processor,
    process_partial_response,
)
from batchcore_dynamodb import DynamoDBRecord, DynamoDBStreams
from batchcore_kinesis import KinesisDataStreams, KinesisStreamRecord
from batchcore_sqs import SQS, SqsFifoPartialProcessor, SQSRecord

EVENT: dict[str, Any] = {"Records": []}


class Order(BaseModel):
    body: str


class Parcel(RecordView):
    """A view of a third package."""


class Parcels(RecordsSource[Parcel]):
    name = "parcels"
    service = "acme:parcels"
    identifier = ("id",)
    view = Parcel


processor = BatchProcessor(SQS)
async_processor = AsyncBatchProcessor(SQS, max_concurrency=10)

assert_type(processor, BatchProcessor[SQSRecord])
assert_type(async_processor, AsyncBatchProcessor[SQSRecord])
assert_type(BatchProcessor(KinesisDataStreams), BatchProcessor[KinesisStreamRecord])
assert_type(BatchProcessor(DynamoDBStreams, raise_on_entire_batch_failure=False), BatchProcessor[DynamoDBRecord])
assert_type(BatchProcessor(Parcels()), BatchProcessor[Parcel])
assert_type(SqsFifoPartialProcessor(), SqsFifoPartialProcessor[SQSRecord])
assert_type(SqsFifoPartialProcessor(skip_group_on_error=True), SqsFifoPartialProcessor[SQSRecord])

assert_type(BatchProcessor(SQS, model=Order), BatchProcessor[Order])
assert_type(BatchProcessor(EventType.SQS, Order), BatchProcessor[Order])
assert_type(BatchProcessor("kinesis", model=Order), BatchProcessor[Order])
assert_type(BatchProcessor("parcels", model=Order), BatchProcessor[Order])
assert_type(BatchProcessor(model=Order), BatchProcessor[Order])
assert_type(SqsFifoPartialProcessor(Order), SqsFifoPartialProcessor[Order])

# A name says nothing to a type checker: what the reference page has goes on untyped.
assert_type(BatchProcessor(event_type=EventType.SQS), BatchProcessor)
assert_type(BatchProcessor("sqs", None, False), BatchProcessor)
assert_type(BatchProcessor(), BatchProcessor[Any])


def record_handler(record: SQSRecord) -> int:
    return len(record.body)


def with_context(record: SQSRecord, lambda_context: LambdaContext) -> str:
    return f"{record.body} {lambda_context.aws_request_id}"


def with_default(record: SQSRecord, retries: int = 3) -> bytes:
    return record.body.encode() * retries


def of_table(table: str, record: SQSRecord) -> str:
    return table + record.body


def of_any_mapping(record: RecordView) -> int:
    return len(record)


def failing(record: SQSRecord) -> NoReturn:
    raise ValueError(record.message_id)


def of_window(record: KinesisStreamRecord, state: dict[str, int]) -> dict[str, int]:
    return state


def of_window_and_context(record: KinesisStreamRecord, state: Any, window: Any, lambda_context: LambdaContext) -> None:
    print(record, state, window, lambda_context)


def order_handler(record: Order) -> str:
    return record.body


async def async_handler(record: SQSRecord) -> bytes:
    return record.body.encode()


async def async_handler_with_context(record: SQSRecord, lambda_context: LambdaContext) -> bytes:
    return f"{record.body} {lambda_context.aws_request_id}".encode()


class Shop:
    def handle(self, record: SQSRecord) -> float:
        return float(record.body)

    def __call__(self, record: SQSRecord) -> float:
        return self.handle(record)


def what_is_returned(context: LambdaContext) -> None:
    assert_type(processor.run(EVENT, record_handler), BatchResult[int])
    assert_type(processor.run(EVENT, record_handler).return_values, list[int])
    assert_type(processor.run(EVENT, with_context, context), BatchResult[str])
    assert_type(processor.run(EVENT, with_default), BatchResult[bytes])
    assert_type(processor.run(EVENT, lambda record: record.body), BatchResult[str])
    assert_type(processor.run(EVENT, partial(of_table, "orders")), BatchResult[str])
    assert_type(processor.run(EVENT, of_any_mapping), BatchResult[int])
    assert_type(processor.run(EVENT, Shop().handle), BatchResult[float])
    assert_type(processor.run(EVENT, Shop()), BatchResult[float])
    assert_type(BatchProcessor("sqs").run(EVENT, record_handler), BatchResult[int])
    assert_type(BatchProcessor(SQS, model=Order).run(EVENT, order_handler), BatchResult[str])
    assert_type(SqsFifoPartialProcessor().run(EVENT, record_handler), BatchResult[int])
    assert_type(BatchProcessor(KinesisDataStreams).run(EVENT, of_window), BatchResult)
    assert_type(BatchProcessor(KinesisDataStreams).run(EVENT, of_window_and_context, context), BatchResult)
    assert_type(async_processor.run(EVENT, async_handler), BatchResult[bytes])
    assert_type(async_processor.run(EVENT, async_handler_with_context, context), BatchResult[bytes])
    assert_type(async_processor.run(EVENT, record_handler), BatchResult[int])


async def what_is_returned_in_a_loop(context: LambdaContext) -> None:
    assert_type(await async_processor.arun(EVENT, async_handler), BatchResult[bytes])
    assert_type(await async_processor.arun(EVENT, async_handler_with_context, context), BatchResult[bytes])
    assert_type(await async_processor.arun(EVENT, with_context, context), BatchResult[str])
    assert_type((await async_processor.arun(EVENT, record_handler)).return_values, list[int])


def the_response(event: dict[str, Any], context: LambdaContext) -> list[PartialItemFailureResponse]:
    with processor(event["Records"], record_handler, context) as batch:
        assert_type(batch, BatchProcessor[SQSRecord])
        batch.process()
    return [
        process_partial_response(event, record_handler, processor, context),
        process_partial_response(event, with_context, processor, context),
        process_partial_response(event, lambda record: record.body, processor, context),
        process_partial_response(event, failing, processor),
        process_partial_response(event, of_window, BatchProcessor(KinesisDataStreams)),
        process_partial_response(event, order_handler, BatchProcessor(model=Order)),
        process_partial_response(event, record_handler, BatchProcessor("sqs")),
        async_process_partial_response(event, async_handler, async_processor, context),
        async_process_partial_response(event, record_handler, async_processor, context),
    ]


@batch_processor(record_handler=with_context, processor=processor)
def decorated(event: dict[str, Any], context: LambdaContext) -> None: ...


class Watching(BatchProcessor[SQSRecord]):
    """A processor of one's own, of what its handlers get."""


class OfAnything(BatchProcessor):
    """One that says nothing of them."""


def with_what_a_hook_gives(record: SQSRecord, tenant: str) -> None:
    print(record, tenant)


handler: Callable[..., None] = with_what_a_hook_gives
Watching("sqs").run(EVENT, record_handler)
OfAnything(SQS).run(EVENT, record_handler)
processor.run(EVENT, handler)
