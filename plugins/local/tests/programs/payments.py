"""Payments from a FIFO queue: a group that fails stops, the others go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,  # for queues that are not FIFO
    EventType,
    SqsFifoPartialProcessor,  # noqa: F401 - chosen by name
    process_partial_response,
)
from aws_lambda_powertools.utilities.batch.exceptions import (
    BatchProcessingError,
    SQSFifoMessageGroupCircuitBreakerError,
)

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord, SQSRecordAttributes

PROCESSORS = {
    False: BatchProcessor(event_type=EventType.SQS),
    True: SqsFifoPartialProcessor(skip_group_on_error=True),
}
paid: list[str] = []


def group_of(attributes: SQSRecordAttributes) -> str:
    return attributes.message_group_id or ""


def pay(record: SQSRecord) -> None:
    if record.body == "refused":
        raise ValueError(group_of(record.attributes))
    paid.append(record.body)


def lambda_handler(event, context):
    processor = PROCESSORS[event["Records"][0]["eventSourceARN"].endswith(".fifo")]
    try:
        return process_partial_response(event, pay, processor, context)
    except BatchProcessingError as error:
        waiting = [kind for kind, _, _ in error.child_exceptions if kind is SQSFifoMessageGroupCircuitBreakerError]
        return {"failed": len(error.child_exceptions), "waiting": len(waiting)}
