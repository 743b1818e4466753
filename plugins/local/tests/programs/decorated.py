"""The decorator of old."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, batch_processor

processor = BatchProcessor(event_type=EventType.SQS)


def record_handler(record):
    return int(record.body)


@batch_processor(record_handler=record_handler, processor=processor)
def lambda_handler(event, context):
    assert len(processor.exceptions) == len(processor.fail_messages)
    return processor.response()
