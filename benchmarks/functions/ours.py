"""The same function on this project."""

from batchcore import BatchProcessor, EventType, process_partial_response
from batchcore_sqs import SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)


def record_handler(record: SQSRecord) -> None:
    pass


def lambda_handler(event: dict[str, object], context: object) -> object:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
