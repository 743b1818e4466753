"""Report what failed to Sentry by an observer: with tags of each record, equal failures once, and no bodies."""

import os
from typing import Any

import sentry_sdk
from batchcore import BatchProcessor, EventType, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_sentry import SentryObserver
from batchcore_sqs import SQSRecord

sentry_sdk.init(dsn=os.environ.get("SENTRY_DSN"))
processor = BatchProcessor(event_type=EventType.SQS, plugins=[SentryObserver()])


def record_handler(record: SQSRecord) -> dict[str, Any]:
    order: dict[str, Any] = record.json_body
    return order


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
