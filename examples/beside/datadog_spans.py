"""A span for each message under the function's, with Datadog's library for Lambda."""

from typing import Any

from batchcore import BatchProcessor, EventType, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_sqs import SQSRecord
from datadog_lambda.wrapper import datadog_lambda_wrapper  # type: ignore[import-untyped]
from ddtrace.trace import tracer

processor = BatchProcessor(event_type=EventType.SQS, max_concurrency=8)


@tracer.wrap("order.ship")
def record_handler(record: SQSRecord) -> None:
    order: dict[str, Any] = record.json_body
    span = tracer.current_span()
    if span is not None:
        span.set_tag("order.id", order["id"])
    if order["quantity"] < 1:
        raise ValueError("nothing is ordered")


@datadog_lambda_wrapper  # type: ignore[untyped-decorator]
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
