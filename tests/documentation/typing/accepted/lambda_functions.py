"""A Lambda function by each way to a response, annotated as its author does. Each has the type that AWS reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext as ContextOfPowertools
from typing_extensions import assert_type

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    BatchResult,
    EventType,
    FailureResponse,
    LambdaContext,
    PartialItemFailureResponse,
    SuccessResponse,
    async_batch_processor,
    async_process_partial_response,
    batch_processor,
    process_partial_response,
)
from batchcore_dynamodb import DynamoDBRecord
from batchcore_kinesis import KinesisStreamRecord
from batchcore_sqs import SqsFifoPartialProcessor, SQSRecord
from batchcore_testing import SimulatedContext, make_event

processor = BatchProcessor(event_type=EventType.SQS)
fifo = SqsFifoPartialProcessor(skip_group_on_error=True)
async_processor = AsyncBatchProcessor(event_type=EventType.SQS)
of_kinesis = BatchProcessor(event_type=EventType.KinesisDataStreams)
of_dynamodb = BatchProcessor("dynamodb")


def record_handler(record: SQSRecord) -> str:
    return record.body


async def async_record_handler(record: SQSRecord) -> str:
    return record.body


def kinesis_handler(record: KinesisStreamRecord) -> object:
    return record.kinesis.data_as_json()


def dynamodb_handler(record: DynamoDBRecord, lambda_context: LambdaContext) -> dict[str, Any]:
    return record.dynamodb.new_image | {"by": lambda_context.aws_request_id}


def one_call(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)


def one_call_of_fifo(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, record_handler, fifo, context)


def one_call_of_kinesis(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, kinesis_handler, of_kinesis, context)


def one_call_of_dynamodb(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, dynamodb_handler, of_dynamodb, context)


def async_call(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return async_process_partial_response(
        event=event, record_handler=async_record_handler, processor=async_processor, context=context
    )


def context_manager(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    with processor(records=event["Records"], handler=record_handler, lambda_context=context) as batch:
        assert_type(batch.process(), list[SuccessResponse | FailureResponse])
    return processor.response()


def context_manager_of_fifo(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    with fifo(event["Records"], record_handler, context) as batch:
        failed: list[str] = [record.message_id for status, _, record in batch.process() if status == "fail"]
    print(failed)
    return fifo.batch_response


def async_context_manager(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    with async_processor(event["Records"], async_record_handler, context):
        entries: list[SuccessResponse | FailureResponse] = async_processor.async_process()
    print([cause for _, cause, _ in entries])
    return async_processor.response()


def result(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return processor.run(event, record_handler, context).response


def async_result(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return async_processor.run(event, async_record_handler, context).response


async def in_a_running_loop(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    with async_processor(event["Records"], async_record_handler, context):
        assert_type(await async_processor.aprocess(), list[SuccessResponse | FailureResponse])
    return (await async_processor.arun(event, async_record_handler, context)).response


@batch_processor(record_handler=record_handler, processor=processor)
def decorated(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return processor.response()


@async_batch_processor(record_handler=async_record_handler, processor=async_processor)
def async_decorated(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return async_processor.response()


def after_failure(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    try:
        return one_call(event, context)
    except BatchProcessingError as error:
        for kind, exception, traceback in error.child_exceptions:
            print(kind, exception, traceback)
        return error.result.response


def after_failure_that_may_be_made_by_hand(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    try:
        return one_call(event, context)
    except BatchProcessingError as error:
        return {"batchItemFailures": []} if error.result is None else error.result.response


def as_any_mapping(event: dict[str, Any], context: LambdaContext) -> Mapping[str, Any]:
    return one_call(event, context)


def what_is_in_it(result: BatchResult) -> None:
    assert_type(result.response, PartialItemFailureResponse)
    failed: list[str] = [item["itemIdentifier"] for item in result.response["batchItemFailures"]]
    counts: Mapping[str, int] = result.counts()
    print(failed, counts.get("failed", 0), result.counts()["succeeded"], sum(result.counts().values()))
    assert_type([outcome.status == "dead_lettered" for outcome in result.failures], list[bool])
    assert_type(result.outcomes[1:][0].done, bool)
    assert_type(result.batch.source, str)
    assert_type(result.delivered_again[0].exception, BaseException | None)


def of_the_context(context: LambdaContext) -> None:
    print(context.function_name, context.function_version, context.invoked_function_arn, context.aws_request_id)
    print(context.log_group_name, context.log_stream_name, int(context.memory_limit_in_mb) * 1024)
    print(context.identity, context.client_context, context.get_remaining_time_in_millis() / 1000)


def other_contexts_are_contexts(event: dict[str, Any], context: ContextOfPowertools) -> PartialItemFailureResponse:
    of_the_context(context)
    return one_call(event, context)


def test_one_call(lambda_context: SimulatedContext) -> None:
    assert one_call(make_event("sqs", "{}"), lambda_context) == {"batchItemFailures": []}
    assert decorated(make_event("sqs", "{}"), lambda_context)["batchItemFailures"] == []
