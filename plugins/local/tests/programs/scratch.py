"""A processor from scratch: what went well is written at the end."""

import sys

from aws_lambda_powertools.utilities.batch import BasePartialBatchProcessor, EventType, process_partial_response

written = []


class Writing(BasePartialBatchProcessor):
    def __init__(self):
        super().__init__(EventType.SQS)
        self.kept = []

    def _prepare(self):
        super()._prepare()
        self.kept = []

    def _clean(self):
        written.extend(self.kept)
        super()._clean()

    def _process_record(self, record):
        try:
            self.kept.append(self.handler(record))
            return self.success_handler(record, self.kept[-1])
        except ValueError:
            typed = self._to_batch_type(record, event_type=self.event_type)
            return self.failure_handler(typed, sys.exc_info())

    async def _async_process_record(self, record):
        raise NotImplementedError


processor = Writing()


def lambda_handler(event, context):
    return process_partial_response(event, lambda record: int(record["body"]), processor, context)
