"""The same function on this project, which imports nothing of the source: it is found by its name."""

from batchcore import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.SQS)


def record_handler(record: object) -> None:
    pass


def lambda_handler(event: dict[str, object], context: object) -> object:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
