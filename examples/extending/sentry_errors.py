"""Send the exception of each failed record to Sentry, though none of them leaves the function."""

import os
from typing import Any

import sentry_sdk
from batchcore import (
    BatchProcessor,
    EventType,
    ExceptionInfo,
    FailureResponse,
    LambdaContext,
    PartialItemFailureResponse,
    process_partial_response,
)
from batchcore_sqs import SQSRecord

sentry_sdk.init(dsn=os.environ.get("SENTRY_DSN"))


class SentryProcessor(BatchProcessor):
    """A batch processor that reports what its handler raised."""

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        """Report the exception that is being handled at this moment: it need not be named."""
        sentry_sdk.capture_exception()
        return super().failure_handler(record, exception)


processor = SentryProcessor(event_type=EventType.SQS)


def record_handler(record: SQSRecord) -> dict[str, Any]:
    order: dict[str, Any] = record.json_body
    return order


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
