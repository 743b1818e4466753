"""The three ways to call, sync and async, as their readers write them."""

from __future__ import annotations

from functools import partial
from typing import Any

from typing_extensions import assert_type

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    BatchResult,
    EventType,
    LambdaContext,
    PartialItemFailureResponse,
    async_batch_processor,
    async_process_partial_response,
    batch_processor,
    process_partial_response,
)
from batchcore_sqs import SqsFifoPartialProcessor, SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)
async_processor = AsyncBatchProcessor(event_type="sqs", max_concurrency=10)
fifo = SqsFifoPartialProcessor(skip_group_on_error=True)


def record_handler(record: SQSRecord) -> str:
    return record.body


def record_handler_with_context(record: SQSRecord, lambda_context: LambdaContext | None = None) -> int:
    return lambda_context.get_remaining_time_in_millis() if lambda_context else 0


async def async_record_handler(record: SQSRecord) -> str:
    return record.body


class Shop:
    def handle(self, record: SQSRecord) -> None: ...

    def __call__(self, message: SQSRecord) -> None: ...


def tenant_handler(tenant: str, record: SQSRecord) -> None: ...


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    process_partial_response(event, record_handler, processor)
    process_partial_response(event, record_handler_with_context, fifo, context)
    process_partial_response(event, Shop().handle, processor, context)
    process_partial_response(event, Shop(), processor, context)
    process_partial_response(event, partial(tenant_handler, "blue"), processor, context)
    async_process_partial_response(event, async_record_handler, async_processor, context)
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)


def lambda_handler_with_context_manager(event: dict[str, Any], context: LambdaContext) -> Any:
    with processor(records=event["Records"], handler=record_handler, lambda_context=context) as batch:
        assert_type(batch, BatchProcessor)
        for entry in batch.process():
            assert_type(entry, tuple[str, Any, Any] | tuple[str, str, Any])
    return processor.response()


def lambda_handler_with_async_context_manager(event: dict[str, Any], context: LambdaContext) -> Any:
    with async_processor(event["Records"], async_record_handler, context):
        async_processor.async_process()
    return async_processor.response()


@batch_processor(record_handler=record_handler, processor=processor)
def decorated(event: dict[str, Any], context: LambdaContext) -> int:
    return 1


@async_batch_processor(record_handler=async_record_handler, processor=async_processor)
def decorated_async(event: dict[str, Any], context: LambdaContext) -> int:
    return 1


def a_decorated_handler_keeps_its_type(event: dict[str, Any], context: LambdaContext) -> None:
    assert_type(decorated(event, context), int)
    assert_type(decorated_async(event, context), int)


async def inside_a_running_loop(event: dict[str, Any], context: LambdaContext) -> None:
    result = await async_processor.arun(event, async_record_handler, context)
    for outcome in result.outcomes:
        assert_type(outcome.done, bool)
        assert_type(outcome.position, int)
    assert_type(result.response, PartialItemFailureResponse)


def run(event: dict[str, Any], context: LambdaContext) -> BatchResult:
    return processor.run(event, record_handler, context)
