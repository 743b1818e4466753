"""The same function on this project, with one observer."""

from batchcore import BatchProcessor, BatchResult, EventType, hookimpl, process_partial_response
from batchcore_sqs import SQSRecord


class Counter:
    finished = 0

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None:
        self.finished += 1


processor = BatchProcessor(event_type=EventType.SQS, plugins=[Counter()])


def record_handler(record: SQSRecord) -> None:
    pass


def lambda_handler(event: dict[str, object], context: object) -> object:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
