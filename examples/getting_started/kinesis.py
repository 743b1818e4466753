"""Process the records of a Kinesis stream: only those that fail are reported."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, EventType, PartialItemFailureResponse, process_partial_response
from batchcore_kinesis import KinesisStreamRecord

processor = BatchProcessor(event_type=EventType.KinesisDataStreams)
tracer = Tracer()
logger = Logger()


@tracer.capture_method
def record_handler(record: KinesisStreamRecord) -> dict[str, Any]:
    order: dict[str, Any] = record.kinesis.data_as_json()
    logger.info("Order received", extra={"order": order})
    return order


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
