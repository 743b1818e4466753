"""Any exception fails its own message and no other: one of your own is as good as a built-in one."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, EventType, PartialItemFailureResponse, process_partial_response
from batchcore_sqs import SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)
tracer = Tracer()
logger = Logger()


class InvalidOrder(Exception):
    """The order misses what it must have."""


@tracer.capture_method
def record_handler(record: SQSRecord) -> dict[str, Any]:
    if not record.body:
        raise InvalidOrder("A message without a body.")
    order: dict[str, Any] = record.json_body
    if "Message" not in order:
        raise InvalidOrder("An order without a message.")
    logger.info("Order received", extra={"order": order})
    return order


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
