"""Orders on a Kinesis stream whose producers use the Kinesis Producer Library, aggregation and all.

Each order has an outcome of its own. The response names the record that carried it.
"""

from typing import Any

from batchcore import BatchProcessor, EventType, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_envelopes import UserRecords
from batchcore_kinesis import KinesisStreamRecord

processor = BatchProcessor(event_type=EventType.KinesisDataStreams, plugins=[UserRecords()])


def record_handler(record: KinesisStreamRecord) -> tuple[str, int]:
    order: dict[str, int] = record.kinesis.data_as_json()
    # Names the order for good: where its record is delivered again, an order that is done can be left alone by it.
    name = f"{record.kinesis.sequence_number}/{record.kinesis.get('subSequenceNumber', 0)}"
    return name, order["order"]


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
