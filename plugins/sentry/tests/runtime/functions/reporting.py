"""A function that reports to Sentry, with the integration for AWS Lambda or without."""

import os
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.aws_lambda import AwsLambdaIntegration

from batchcore import BatchProcessor, EventType, process_partial_response
from batchcore_sentry import SentryObserver
from batchcore_sqs import SQSRecord

sentry_sdk.init(
    dsn=os.environ["DSN"],
    integrations=[AwsLambdaIntegration()] if "INTEGRATION" in os.environ else [],
    traces_sample_rate=1.0 if "TRACES" in os.environ else None,
    shutdown_timeout=float(os.environ.get("SHUTDOWN_TIMEOUT", "2")),
)
processor = BatchProcessor(
    event_type=EventType.SQS,
    plugins=[SentryObserver(flush_timeout=float(os.environ.get("FLUSH_TIMEOUT", "10")))],
    max_concurrency=int(os.environ.get("CONCURRENCY", "1")),
)


def record_handler(record: SQSRecord) -> None:
    sentry_sdk.set_tag("order", record.body)
    sentry_sdk.add_breadcrumb(message=record.body)
    if record.body.startswith("bad"):
        raise ValueError(record.body.partition(" ")[0] if "ALIKE" in os.environ else record.body)


def lambda_handler(event: Any, context: Any) -> Any:
    return process_partial_response(event, record_handler, processor, context)
