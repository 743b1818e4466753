"""A source that is no part of the first ones: its view, its object, its models."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Json
from typing_extensions import assert_type

from batchcore import BatchProcessor, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_kafka import Kafka, KafkaRecord, KafkaSource
from batchcore_kafka.avro import AvroValues
from batchcore_kafka.models import KafkaRecordModel


class Order(BaseModel):
    id: int


class OrderRecord(KafkaRecordModel):
    value: Json[Order] | None = None


def record_handler(record: KafkaRecord) -> int:
    assert_type(record.partition, int)
    assert_type(record.decoded_value, bytes | None)
    assert_type(record.header_pairs, list[tuple[str, bytes | None]])
    assert_type(record.decoded_headers, dict[str, bytes | None])
    return record.offset


def of_a_model(record: OrderRecord) -> None:
    assert_type(record.headers, list[tuple[str, bytes | None]])


stream, queue = BatchProcessor(Kafka), BatchProcessor(KafkaSource(mode="queue"))
assert_type(stream, BatchProcessor[KafkaRecord])
assert_type(queue, BatchProcessor[KafkaRecord])
by_name = BatchProcessor("kafka")
validated = BatchProcessor(Kafka, model=OrderRecord)
assert_type(validated, BatchProcessor[OrderRecord])
orders = AvroValues({17: {"type": "record", "name": "Order", "fields": []}}, "glue")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    process_partial_response(event, record_handler, stream, context)
    process_partial_response(event, of_a_model, validated, context)
    return process_partial_response(event, record_handler, by_name, context)
