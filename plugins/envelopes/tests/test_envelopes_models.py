"""The pydantic models of what is inside, opened by a plugin or by the model itself."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("pydantic")

from pydantic import BaseModel, Json, ValidationError

import batchcore_envelopes as envelopes
from batchcore import AsyncBatchProcessor, BatchProcessor, ConfigurationError
from batchcore_envelopes import EVENT_BRIDGE, GZIP, LOGS, S3, SNS, Envelope, S3Envelope
from batchcore_envelopes.change_models import TableChangedModel, TableChangeModel
from batchcore_envelopes.models import (
    CloudWatchLogsModel,
    EventBridgeModel,
    S3Model,
    S3ObjectModel,
    SnsNotificationModel,
)
from batchcore_kinesis.models import KinesisDataStreamRecord, KinesisDataStreamRecordPayload
from batchcore_sqs.models import SqsRecordModel
from batchcore_testing import make_event

Sample = Callable[[str], dict[str, Any]]
QUIET = {"raise_on_entire_batch_failure": False}


class Order(BaseModel):
    id: int
    price: Decimal


class S3InSqs(SqsRecordModel):
    body: Json[S3Model]


class OrderInSqs(SqsRecordModel):
    body: Json[Order]


def test_a_notification_of_s3_is_the_model_of_a_body(sample: Sample) -> None:
    result = BatchProcessor("sqs", model=S3InSqs).run(
        sample("s3SqsEvent"), lambda record: [each.s3.object.decoded_key for each in record.body.Records]
    )
    assert result.return_values == [["test.pdf"]]


def test_what_a_plugin_has_opened_is_validated(sample: Sample) -> None:
    event = sample("snsSqsEvent")
    outer = json.loads(event["Records"][0]["body"])
    bodies = [sample("s3SqsEvent")["Records"][0]["body"], '{"Records": [{}]}', json.dumps({"Event": "s3:TestEvent"})]
    event["Records"] = [
        {**event["Records"][0], "messageId": f"m{at}", "body": json.dumps({**outer, "Message": body})}
        for at, body in enumerate(bodies)
    ]

    def handler(record: S3InSqs) -> str:
        name: str = record.body.Records[0].s3.bucket.name
        return name

    result = BatchProcessor("sqs", model=S3InSqs, plugins=[envelopes.open(SNS, S3)], **QUIET).run(event, handler)
    assert [(each.status, each.value) for each in result.outcomes] == [
        ("succeeded", "xxx"),
        ("failed", None),
        ("dropped", None),
    ]
    plugin = envelopes.open(SNS, S3Envelope(test_events="handle"))
    result = BatchProcessor("sqs", model=S3InSqs, plugins=[plugin], **QUIET).run(
        event, lambda record: len(record.body.Records)
    )
    assert result.return_values == [1, 0]


def test_numbers_are_validated_as_they_were_sent() -> None:
    def handler(record: OrderInSqs) -> str:
        return str(record.body.price)

    body = '{"detail-type": "Order", "detail": {"id": 1, "price": "1.10"}}'
    event = make_event("sqs", body, body.replace('"1.10"', '"no price"'))
    result = BatchProcessor("sqs", model=OrderInSqs, plugins=[envelopes.open(EVENT_BRIDGE)]).run(event, handler)
    assert [each.value for each in result.outcomes] == ["1.10", None]
    assert isinstance(result.failures[0].exception, ValidationError)


@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_a_byte_order_mark_inside_is_no_reason_to_be_refused_or_opened_twice(make: Any) -> None:
    opened: list[int] = []

    class Counts(Envelope):
        def open(self, content: Any, field: str, around: Any) -> Any:
            opened.append(1)
            return content, None

    body = json.dumps({"TopicArn": "t", "Message": '\ufeff{"id": 17, "price": 1}'})
    processor = make("sqs", model=OrderInSqs, plugins=[envelopes.open(SNS, Counts())], **QUIET)
    result = processor.run(make_event("sqs", body), lambda record: record.body.id)
    assert (result.return_values, opened) == ([17], [1])


def test_without_a_plugin_a_model_opens_a_notification_of_sns(sample: Sample) -> None:
    class Uploaded(SnsNotificationModel):
        Message: Json[S3Model]

    class Record(SqsRecordModel):
        body: Json[Uploaded]

    event = sample("snsSqsEvent")
    outer = json.loads(event["Records"][0]["body"])
    outer["Message"] = sample("s3SqsEvent")["Records"][0]["body"]
    event["Records"][0]["body"] = json.dumps(outer)

    def handler(record: Any) -> Any:
        return record.body.TopicArn, record.body.Message.Records[0].eventName

    result = BatchProcessor("sqs", model=Record).run(event, handler)
    assert result.return_values == [(outer["TopicArn"], "ObjectCreated:Put")]


@pytest.mark.parametrize("name", ["snsSqsEvent", "snsSqsFifoEvent"])
def test_the_notifications_of_aws_are_valid(sample: Sample, name: str) -> None:
    body = sample(name)["Records"][0]["body"]
    model = SnsNotificationModel.model_validate_json(body)
    assert model.Message == json.loads(body)["Message"]
    assert set(json.loads(body)) <= {*SnsNotificationModel.model_fields}


def test_a_message_as_a_model_without_json_is_refused() -> None:
    class Wrong(SnsNotificationModel):
        Message: Order

    class Record(SqsRecordModel):
        body: Json[Wrong]

    with pytest.raises(ConfigurationError, match=r"Message: Json\[Order\]"):
        BatchProcessor("sqs", model=Wrong)


def test_an_object_that_was_deleted_has_no_size(sample: Sample) -> None:
    body = json.loads(sample("s3SqsEvent")["Records"][0]["body"])
    body["Records"][0]["eventName"] = "ObjectRemoved:Delete"
    body["Records"][0]["s3"]["object"] = {"key": "a+b%2Bc", "sequencer": "0055AED6DCD90281E5"}
    (record,) = S3Model.model_validate(body).Records
    assert (record.s3.object.size, record.s3.object.eTag, record.s3.object.decoded_key) == (None, None, "a b+c")


def test_a_key_that_is_no_key_is_an_error() -> None:
    with pytest.raises(ValueError, match="decoded, it is not UTF-8"):
        _ = S3ObjectModel(key="%ff").decoded_key


def test_an_event_of_eventbridge_has_a_detail_of_ones_own() -> None:
    class Ordered(EventBridgeModel):
        detail: Order

    class Payload(KinesisDataStreamRecordPayload):
        data: Json[Ordered]

    class Record(KinesisDataStreamRecord):
        kinesis: Payload

    event = {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Order",
        "source": "app",
        "account": "111122223333",
        "time": "2026-11-12T00:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {"id": 17, "price": "1.10"},
    }

    def handler(record: Any) -> Any:
        inner = record.kinesis.data
        return inner.detailType, inner.time, inner.detail.id, inner.replayName

    result = BatchProcessor("kinesis", model=Record).run(make_event("kinesis", event), handler)
    assert result.return_values == [("Order", datetime(2026, 11, 12, tzinfo=timezone.utc), 17, None)]


def test_log_events_are_validated_once_they_are_decompressed(sample: Sample) -> None:
    class Payload(KinesisDataStreamRecordPayload):
        data: Json[CloudWatchLogsModel]

    class Record(KinesisDataStreamRecord):
        kinesis: Payload

    event = sample("kinesisStreamCloudWatchLogsEvent")
    for plugin in (envelopes.open(LOGS), envelopes.open(GZIP)):
        result = BatchProcessor("kinesis", model=Record, plugins=[plugin]).run(
            event, lambda record: (record.kinesis.data.messageType, record.kinesis.data.logEvents[0].timestamp.tzinfo)
        )
        assert {value for value, _ in result.return_values} == {"DATA_MESSAGE"}


def test_changes_of_a_table_lack_what_a_kinesis_stream_lacks() -> None:
    class Changed(TableChangedModel):
        NewImage: Order | None = None

    class Change(TableChangeModel):
        dynamodb: Changed

    class Payload(KinesisDataStreamRecordPayload):
        data: Json[Change]

    class Record(KinesisDataStreamRecord):
        kinesis: Payload

    change = {
        "awsRegion": "eu-west-1",
        "eventID": "68fd194b",
        "eventName": "MODIFY",
        "userIdentity": None,
        "recordFormat": "application/json",
        "tableName": "orders",
        "dynamodb": {
            "ApproximateCreationDateTime": 1795000000123456,
            "ApproximateCreationDateTimePrecision": "MICROSECOND",
            "Keys": {"id": {"N": "17"}},
            "NewImage": {"id": {"N": "17"}, "price": {"N": "1.10"}},
            "SizeBytes": 40,
        },
        "eventSource": "aws:dynamodb",
    }

    def handler(record: Any) -> Any:
        inner = record.kinesis.data
        assert (inner.eventSourceARN, inner.dynamodb.SequenceNumber, inner.dynamodb.StreamViewType) == (
            None,
            None,
            None,
        )
        return inner.tableName, inner.dynamodb.NewImage.price, inner.dynamodb.ApproximateCreationDateTime.microsecond

    squeezed = gzip.compress(json.dumps(change).encode())
    processor = BatchProcessor("kinesis", model=Record, plugins=[envelopes.open(GZIP)])
    assert processor.run(make_event("kinesis", squeezed), handler).return_values == [
        ("orders", Decimal("1.10"), 123456)
    ]


def test_the_test_event_of_s3_is_a_notification_without_records() -> None:
    event = make_event("sqs", json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "inbox"}), "{}")
    result = BatchProcessor("sqs", model=S3InSqs).run(event, lambda record: record.body.Records)
    assert [(each.status, each.value) for each in result.outcomes] == [("succeeded", []), ("failed", None)]
