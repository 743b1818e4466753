"""Wrong types of responses and results. Each marked line is an error to both checkers."""

from __future__ import annotations

from typing import Any, TypedDict

from batchcore import (
    BatchProcessor,
    BatchResult,
    Disposition,
    LambdaContext,
    PartialItemFailureResponse,
    batch_processor,
    process_partial_response,
)
from batchcore_sqs import SqsFifoPartialProcessor, SQSRecord
from batchcore_testing import SimulatedContext

processor = BatchProcessor("sqs")


class TransformedRecords(TypedDict):
    records: list[Any]


def record_handler(record: SQSRecord) -> str:
    return record.body


def of_another_shape(event: dict[str, Any], context: LambdaContext) -> TransformedRecords:
    return process_partial_response(event, record_handler, processor, context)  # refused


def of_a_dictionary(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    with processor(event["Records"], record_handler, context):
        processor.process()
    return processor.response()  # refused


def of_a_result(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return processor.run(event, record_handler, context)  # refused


def of_a_coroutine(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return processor.aprocess()  # refused


def of_entries(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    with processor(event["Records"], record_handler, context):
        return processor.process()  # refused


@batch_processor(record_handler=record_handler, processor=processor)
def decorated(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return {"batchItemFailure": []}  # refused


decorated({}, None)  # refused
decorated({}, SimulatedContext())["failures"]  # refused


class OfItsOwn(BatchProcessor):
    def response(self) -> dict[str, str]:  # refused
        return {}


def what_is_in_it(result: BatchResult, context: LambdaContext) -> None:
    print(result.response["batchItemFailure"])  # refused
    print(result.response["batchItemFailures"][0]["identifier"])  # refused
    print(result.response.batchItemFailures)  # refused
    print(result.failures[0].stauts)  # refused
    print([outcome.status == "done" for outcome in result.outcomes])  # refused
    print(result.counts()["failed"].title())  # refused
    print(context.request_id)  # refused
    context.aws_request_id = "another"  # refused


BatchProcessor("sqs", dispositions={"ValueError": Disposition.DROP})  # refused
BatchProcessor("sqs", dispositions={ValueError: "drop"})  # refused
BatchProcessor("sqs", dispositions=[ValueError])  # refused
SqsFifoPartialProcessor(dispositions={int: Disposition.DROP})  # refused
