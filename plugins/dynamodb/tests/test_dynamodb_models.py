"""The pydantic models of a record of a DynamoDB stream."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

pytest.importorskip("pydantic")

from pydantic import BaseModel, Json, ValidationError, field_validator

from batchcore import BatchProcessor, ConfigurationError, EventType, process_partial_response
from batchcore_dynamodb import DynamoDBRecord
from batchcore_dynamodb.models import DynamoDBStreamChangedRecordModel, DynamoDBStreamRecordModel

Sample = Callable[[str], dict[str, Any]]
SAMPLES = ["dynamoStreamEvent", "getting_started_dynamodb_event", "pydantic_dynamodb_event"]


class Order(BaseModel):
    item: dict[str, str]


class OrderImage(BaseModel):
    Message: Order

    @field_validator("Message", mode="before")
    @classmethod
    def from_json(cls, value: str) -> Any:
        return json.loads(value)


class Change(DynamoDBStreamChangedRecordModel):
    NewImage: OrderImage | None = None
    OldImage: OrderImage | None = None


class OrderRecord(DynamoDBStreamRecordModel):
    dynamodb: Change


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_valid_and_its_images_deserialised(sample: Sample, name: str) -> None:
    for raw in sample(name)["Records"]:
        record = DynamoDBStreamRecordModel.model_validate(raw)
        view = DynamoDBRecord(raw).dynamodb
        assert isinstance(record.dynamodb, DynamoDBStreamChangedRecordModel)
        assert record.dynamodb.Keys == view.keys
        assert record.dynamodb.NewImage == view.new_image
        assert (record.dynamodb.OldImage or {}) == view.old_image
        assert record.dynamodb.SequenceNumber == view.sequence_number
        assert record.dynamodb.StreamViewType == view.stream_view_type
        same = record.model_dump(exclude={"dynamodb", "userIdentity"})
        assert same == {key: raw[key] for key in raw if key != "dynamodb"}


def test_the_time_of_the_change_is_a_datetime(sample: Sample) -> None:
    record = DynamoDBStreamRecordModel.model_validate(sample("dynamoStreamEvent")["Records"][0])
    assert record.dynamodb.ApproximateCreationDateTime == datetime(2023, 9, 6, 10, 45, 55, tzinfo=timezone.utc)
    assert record.dynamodb.Keys == {"Id": Decimal(101)}


def by_kinesis(time: Any, **change: Any) -> dict[str, Any]:
    """Make what DynamoDB writes to a Kinesis data stream: it lacks what the stream has by itself."""
    return {
        "awsRegion": "eu-west-1",
        "eventID": "0f6e4d5a",
        "eventName": "MODIFY",
        "userIdentity": None,
        "recordFormat": "application/json",
        "tableName": "orders",
        "dynamodb": {
            "ApproximateCreationDateTime": time,
            "Keys": {"Id": {"N": "101"}},
            "NewImage": {"Id": {"N": "101"}, "Message": {"S": '{"item": {"tea": "green"}}'}},
            "SizeBytes": 30,
            **change,
        },
        "eventSource": "aws:dynamodb",
    }


@pytest.mark.parametrize(
    ("time", "microsecond"),
    [
        (1795000000, 0),
        (1795000000.0, 0),
        (1795000000123, 123000),
        (1795000000123456, 123456),
        (1795000000999999, 999999),
        ("1795000000123456", 123456),
        (Decimal(1795000000123456), 123456),
        (1795000000123456789, 123456),
    ],
)
@pytest.mark.parametrize("precision", [None, "MILLISECOND", "MICROSECOND"])
def test_the_time_of_the_change_is_the_same_instant_whatever_its_precision(
    time: Any, microsecond: int, precision: str | None
) -> None:
    precise = {} if precision is None else {"ApproximateCreationDateTimePrecision": precision}
    raw = by_kinesis(time, **precise)
    model = DynamoDBStreamRecordModel.model_validate(raw)
    assert model.dynamodb.ApproximateCreationDateTime == datetime(
        2026, 11, 18, 11, 6, 40, microsecond, tzinfo=timezone.utc
    )
    seconds = DynamoDBRecord(raw).dynamodb.approximate_creation_date_time
    assert int(model.dynamodb.ApproximateCreationDateTime.timestamp()) == seconds == 1795000000


@pytest.mark.parametrize("time", ["soon", [1], float("nan"), float("inf"), 1e30, {}])
def test_a_time_that_is_none_is_not_valid_and_named(time: Any) -> None:
    with pytest.raises(ValidationError, match="ApproximateCreationDateTime"):
        DynamoDBStreamRecordModel.model_validate(by_kinesis(time))


def test_a_change_that_comes_by_kinesis_is_valid_and_lacks_what_the_stream_has_by_itself() -> None:
    record = OrderRecord.model_validate(by_kinesis(1795000000123))
    assert record.dynamodb.NewImage is not None
    assert record.dynamodb.NewImage.Message.item == {"tea": "green"}
    assert record.dynamodb.Keys == {"Id": Decimal(101)}
    assert record.dynamodb.SequenceNumber is record.dynamodb.StreamViewType is None
    assert record.eventVersion is record.eventSourceARN is record.userIdentity is None


def test_a_change_is_the_data_of_a_kinesis_record_as_json() -> None:
    class Carrier(BaseModel):
        data: Json[OrderRecord]

    record = Carrier.model_validate({"data": json.dumps(by_kinesis(1795000000123456)).encode()})
    assert record.data.dynamodb.NewImage is not None
    assert record.data.dynamodb.NewImage.Message.item == {"tea": "green"}
    assert record.data.dynamodb.ApproximateCreationDateTime is not None
    assert record.data.dynamodb.ApproximateCreationDateTime.microsecond == 123456


def test_an_item_that_expired_has_the_identity_of_dynamodb(sample: Sample) -> None:
    raw = sample("dynamoStreamEvent")["Records"][0]
    raw |= {"eventName": "REMOVE", "userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}}
    del raw["dynamodb"]["NewImage"]
    record = DynamoDBStreamRecordModel.model_validate(raw)
    assert record.userIdentity is not None
    assert record.userIdentity.principalId == "dynamodb.amazonaws.com"
    assert record.dynamodb.NewImage is None


def test_what_the_model_does_not_know_is_ignored(sample: Sample) -> None:
    raw = sample("dynamoStreamEvent")["Records"][0] | {"newField": 1}
    raw["dynamodb"]["newField"] = 1
    assert DynamoDBStreamRecordModel.model_validate(raw).eventID == "1"


def test_a_subclass_replaces_the_images_and_a_record_that_is_not_valid_costs_itself_alone(sample: Sample) -> None:
    def handle(record: OrderRecord) -> dict[str, str]:
        assert record.dynamodb.NewImage is not None
        return record.dynamodb.NewImage.Message.item

    processor = BatchProcessor(event_type=EventType.DynamoDBStreams, model=OrderRecord)
    event = sample("pydantic_dynamodb_event")
    result = processor.run(event, handle)
    assert result.return_values == [{"laptop": "amd"}]
    assert result.response == {"batchItemFailures": [{"itemIdentifier": "8640712661"}]}
    assert isinstance(processor.fail_messages[0], DynamoDBRecord)


def test_an_image_that_cannot_be_deserialised_costs_its_record_alone(sample: Sample) -> None:
    event = sample("dynamoStreamEvent")
    event["Records"][0]["dynamodb"]["NewImage"] = {"Id": {"N": "poison"}}
    processor = BatchProcessor(event_type=EventType.DynamoDBStreams, model=DynamoDBStreamRecordModel)
    response = process_partial_response(event, lambda record: record.eventID, processor)
    assert response == {"batchItemFailures": [{"itemIdentifier": "111"}]}


@pytest.mark.parametrize("field", ["Keys", "NewImage", "OldImage"])
def test_an_image_that_cannot_be_deserialised_is_not_valid_and_named(sample: Sample, field: str) -> None:
    raw = sample("dynamoStreamEvent")["Records"][1]["dynamodb"] | {field: {"Id": {"N": "poison"}}}
    with pytest.raises(ValidationError, match=rf"dynamodb\.{field}\['Id'\] is no value of DynamoDB"):
        DynamoDBStreamChangedRecordModel.model_validate(raw)


def test_an_image_that_is_a_model_already_is_left_as_it_is(sample: Sample) -> None:
    image = OrderImage(Message=json.dumps({"item": {"a": "b"}}))  # type: ignore[arg-type]  # its validator reads JSON
    raw = sample("dynamoStreamEvent")["Records"][0]["dynamodb"] | {"NewImage": image}
    assert Change.model_validate(raw).NewImage is image


def test_an_event_of_another_source_is_not_valid(sample: Sample) -> None:
    raw = sample("dynamoStreamEvent")["Records"][0] | {"eventSource": "aws:sqs"}
    with pytest.raises(ValidationError, match="eventSource"):
        DynamoDBStreamRecordModel.model_validate(raw)


def test_the_model_is_refused_by_a_processor_of_another_source() -> None:
    assert DynamoDBStreamRecordModel.__batch_source__ == OrderRecord.__batch_source__ == "dynamodb"
    with pytest.raises(ConfigurationError):
        BatchProcessor(event_type="sqs", model=OrderRecord)  # type: ignore[call-overload]  # what the test is about
