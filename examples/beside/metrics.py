"""Count messages that are handled in threads, and what is in them: when all have ended, by one thread."""

from collections import Counter
from typing import Any

from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import (
    BatchProcessor,
    BatchResult,
    EventType,
    PartialItemFailureResponse,
    hookimpl,
    process_partial_response,
)
from batchcore_sqs import SQSRecord

metrics = Metrics(namespace="Orders", service="orders")


class Counts:
    """Adds a metric for each status, and one for each article, with the article as its dimension."""

    @hookimpl
    def batch_finished(self, result: BatchResult[Counter[str]]) -> None:
        for status, count in result.counts().items():
            metrics.add_metric(name=f"Orders_{status}", unit=MetricUnit.Count, value=count)
        pieces = Counter[str]()
        for counted in result.return_values:
            pieces.update(counted)
        for article, count in pieces.items():
            with single_metric(name="Pieces", unit=MetricUnit.Count, value=count, namespace="Orders") as metric:
                metric.add_dimension(name="article", value=article)


processor = BatchProcessor(event_type=EventType.SQS, max_concurrency=8, plugins=[Counts()])


def record_handler(record: SQSRecord) -> Counter[str]:
    order: dict[str, Any] = record.json_body
    return Counter({order["article"]: order["quantity"]})  # what is to be counted of it


@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
