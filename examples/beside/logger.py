"""Keys of one message on the lines of that message alone, with Powertools' Logger and several messages at a time."""

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, EventType, PartialItemFailureResponse, process_partial_response
from batchcore_sqs import SQSRecord

logger = Logger()
# The lines of failed messages have the form, the level and the keys of the function's own.
copy_config_to_registered_loggers(source_logger=logger, include={"batchcore"})
processor = BatchProcessor(event_type=EventType.SQS, max_concurrency=8)


def record_handler(record: SQSRecord) -> None:
    logger.thread_safe_append_keys(message_id=record.message_id)  # append_keys() would add it to everybody's lines
    order: dict[str, Any] = record.json_body
    logger.thread_safe_append_keys(order=order["id"])
    logger.info("Order received")
    if order["quantity"] < 1:
        raise ValueError(f"nothing is ordered with {order['id']}")


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
