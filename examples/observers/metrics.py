"""Metrics of each batch for CloudWatch, and what its orders are worth, beside Metrics of Powertools."""

from typing import Any

from aws_lambda_powertools import Metrics
from batchcore import BatchProcessor, BatchResult, EventType, LambdaContext, PartialItemFailureResponse
from batchcore import process_partial_response
from batchcore_emf import CloudWatchMetrics
from batchcore_sqs import SQSRecord

metrics = Metrics(namespace="Orders", service="shipping")


def worth(result: BatchResult[float]) -> dict[str, float]:
    return {"Worth": sum(result.return_values)}


of_batches = CloudWatchMetrics("Orders", {"service": "shipping"}, of_batch=worth)
processor = BatchProcessor(event_type=EventType.SQS, plugins=[of_batches])


def record_handler(record: SQSRecord) -> float:
    order: dict[str, Any] = record.json_body
    if order.get("express"):
        metrics.add_metric(name="ExpressOrders", unit="Count", value=1)
    return float(order["worth"])


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, record_handler, processor, context)
