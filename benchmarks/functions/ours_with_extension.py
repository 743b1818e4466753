"""The same function on this project, with one extension."""

from batchcore import BatchProcessor, EventType, hookimpl, process_partial_response
from batchcore_sqs import SQSRecord


class Counter:
    handlers = 0

    @hookimpl
    def wrap_handler(self, handler: object) -> object:
        self.handlers += 1
        return handler


processor = BatchProcessor(event_type=EventType.SQS, plugins=[Counter()])


def record_handler(record: SQSRecord) -> None:
    pass


def lambda_handler(event: dict[str, object], context: object) -> object:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
