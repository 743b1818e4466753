"""A processor that counts, by the two handlers that may be overridden."""

from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    ExceptionInfo,
    FailureResponse,
    SuccessResponse,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

counts = {"good": 0, "bad": 0}


class Counting(BatchProcessor):
    def success_handler(self, record: dict[str, Any], result: Any) -> SuccessResponse:
        counts["good"] += 1
        return super().success_handler(record, result)

    def failure_handler(self, record: SQSRecord, exception: ExceptionInfo) -> FailureResponse:
        counts["bad"] += len(record.body)
        return super().failure_handler(record, exception)


processor = Counting(event_type=EventType.SQS)


def record_handler(record: SQSRecord) -> None:
    int(record.body)


def lambda_handler(event, context):
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
