"""Clicks from a stream: the context manager, and what each record gave."""

from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes import kinesis_stream_event as stream_events
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

processor = BatchProcessor(EventType["KinesisDataStreams"])
seen = []


def click(record: KinesisStreamRecord, lambda_context: LambdaContext) -> str:
    data = record.kinesis.data_as_json()
    return data["page"]


def lambda_handler(event: dict, context: LambdaContext) -> dict:
    records = event["Records"]
    with processor(records=records, handler=click, lambda_context=context):
        for status, cause, record in processor.process():
            page = cause if status == "success" else record.kinesis.data_as_text()
            seen.append((status, page))
    assert stream_events.KinesisStreamEvent(event).raw_event is event
    return processor.response()
