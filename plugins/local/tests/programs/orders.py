"""Orders from a queue, with Powertools' logger, tracer and metrics."""

import os

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()
metrics = Metrics(namespace="orders")
tracer = Tracer(disabled=True)
processor = BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False)

LIMIT = int(os.environ.get("LIMIT", "10"))


class TooManyError(Exception):
    """More was ordered than there is."""


@tracer.capture_method
def record_handler(record: SQSRecord) -> int:
    order: dict[str, int] = record.json_body
    if order["quantity"] > LIMIT:
        raise TooManyError(record.message_id)
    metrics.add_metric(name="shipped", unit=MetricUnit.Count, value=order["quantity"])
    return order["quantity"]


@logger.inject_lambda_context
@metrics.log_metrics
@tracer.capture_lambda_handler
def lambda_handler(event: dict, context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
