"""A handler that has a parameter named lambda_context is given it, if the context manager was."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, EventType, PartialItemFailureResponse
from batchcore_sqs import SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)
tracer = Tracer()
logger = Logger()


@tracer.capture_method
def record_handler(record: SQSRecord, lambda_context: LambdaContext | None = None) -> int | None:
    order: dict[str, Any] = record.json_body
    if lambda_context is None:
        return None
    remaining = lambda_context.get_remaining_time_in_millis()
    logger.info("Order received", extra={"order": order, "milliseconds_left": remaining})
    return remaining


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    batch = event["Records"]
    with processor(records=batch, handler=record_handler, lambda_context=context):
        processed = processor.process()
    logger.info("Batch processed", extra={"milliseconds_left": [cause for _, cause, _ in processed]})
    return processor.response()
