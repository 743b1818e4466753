"""The first function of Powertools' documentation, without what it does to a record."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)


def record_handler(record: SQSRecord) -> None:
    pass


def lambda_handler(event: dict[str, object], context: object) -> object:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)  # type: ignore[arg-type]  # passed on
