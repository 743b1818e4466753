"""What the typed views give."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from typing_extensions import assert_type

from batchcore_dynamodb import DynamoDBRecord, DynamoDBRecordEventName
from batchcore_kinesis import KinesisStreamRecord
from batchcore_sqs import SQSRecord


def sqs(record: SQSRecord) -> None:
    assert_type(record.message_id, str)
    assert_type(record.body, str)
    assert_type(record.json_body, Any)
    assert_type(record.queue_url, str)
    assert_type(record.attributes.approximate_receive_count, str)
    assert_type(record.attributes.message_group_id, str | None)
    assert_type(record.message_attributes["weight"].value, str | int | Decimal | bytes)
    assert_type(record.raw_event, Mapping[str, Any])
    assert_type(record["body"], Any)
    assert_type(record.decoded_nested_sns_event.message, str)


def kinesis(record: KinesisStreamRecord) -> None:
    assert_type(record.kinesis.partition_key, str)
    assert_type(record.kinesis.data, str)
    assert_type(record.kinesis.data_as_bytes(), bytes)
    assert_type(record.kinesis.data_as_text(), str)
    assert_type(record.kinesis.data_as_json(), Any)
    assert_type(record.event_source_arn, str)


def dynamodb(record: DynamoDBRecord) -> None:
    assert_type(record.event_name, DynamoDBRecordEventName | None)
    assert_type(record.dynamodb.new_image, dict[str, Any])
    assert_type(record.user_identity.principal_id, str | None)


def every_view_is_a_mapping(record: SQSRecord | KinesisStreamRecord | DynamoDBRecord) -> Mapping[str, Any]:
    return record
