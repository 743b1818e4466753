"""Count the orders that were met and those that were not, by overriding what happens after each record."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import (
    BatchProcessor,
    EventType,
    ExceptionInfo,
    FailureResponse,
    PartialItemFailureResponse,
    SuccessResponse,
    process_partial_response,
)
from batchcore_sqs import SQSRecord

tracer = Tracer()
logger = Logger()
metrics = Metrics(namespace="Orders", service="orders")


class CountingProcessor(BatchProcessor):
    """A batch processor that adds one metric per record."""

    def success_handler(self, record: dict[str, Any], result: Any) -> SuccessResponse:
        """Count a message that succeeded: the raw message, as AWS sent it."""
        metrics.add_metric(name="OrdersMet", unit=MetricUnit.Count, value=1)
        return super().success_handler(record, result)

    def failure_handler(self, record: SQSRecord, exception: ExceptionInfo) -> FailureResponse:
        """Count a message that failed: typed, as the handler had it."""
        metrics.add_metric(name="OrdersFailed", unit=MetricUnit.Count, value=1)
        return super().failure_handler(record, exception)


processor = CountingProcessor(event_type=EventType.SQS)


@tracer.capture_method
def record_handler(record: SQSRecord) -> dict[str, Any]:
    order: dict[str, Any] = record.json_body
    return order


@metrics.log_metrics
@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
