"""The pydantic models of an SQS message."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

pytest.importorskip("pydantic")

from pydantic import BaseModel, Json, ValidationError

from batchcore import BatchProcessor, ConfigurationError, EventType, process_partial_response
from batchcore_sqs import SQSRecord
from batchcore_sqs.models import SqsAttributesModel, SqsMsgAttributeModel, SqsRecordModel

Sample = Callable[[str], dict[str, Any]]
SAMPLES = [
    "getting_started_sqs_event",
    "pydantic_sqs_event",
    "s3SqsEvent",
    "snsSqsEvent",
    "snsSqsFifoEvent",
    "sqsDlqTriggerEvent",
    "sqsEvent",
]


class Order(BaseModel):
    item: dict[str, str]


class OrderRecord(SqsRecordModel):
    body: Json[Order]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_valid(sample: Sample, name: str) -> None:
    for raw in sample(name)["Records"]:
        record = SqsRecordModel.model_validate(raw)
        assert record.messageId == raw["messageId"]
        assert record.body == raw["body"]
        assert record.model_dump()["eventSourceARN"] == raw["eventSourceARN"]


def test_attributes_are_typed(sample: Sample) -> None:
    record = SqsRecordModel.model_validate(sample("snsSqsFifoEvent")["Records"][0])
    attributes = record.attributes
    assert isinstance(attributes, SqsAttributesModel)
    assert attributes.ApproximateReceiveCount == "1"
    assert attributes.SentTimestamp == datetime(2022, 10, 14, 13, 35, 25, 442000, tzinfo=timezone.utc)
    assert attributes.MessageGroupId == "powertools-test"
    assert attributes.AWSTraceHeader is None


def test_message_attributes_are_typed(sample: Sample) -> None:
    record = SqsRecordModel.model_validate(sample("sqsEvent")["Records"][0])
    one = record.messageAttributes["testAttr"]
    assert isinstance(one, SqsMsgAttributeModel)
    assert (one.dataType, one.stringValue, one.binaryValue) == ("Number", "100", "base64Str")
    assert (one.stringListValues, one.binaryListValues) == ([], [])


def test_what_the_model_does_not_know_is_ignored(sample: Sample) -> None:
    raw = sample("sqsEvent")["Records"][0] | {"newField": 1, "md5OfMessageAttributes": "00484c68"}
    raw["attributes"]["NewAttribute"] = "x"
    assert SqsRecordModel.model_validate(raw).md5OfMessageAttributes == "00484c68"


def test_an_event_of_another_source_is_not_valid(sample: Sample) -> None:
    raw = sample("sqsEvent")["Records"][0] | {"eventSource": "aws:kinesis"}
    with pytest.raises(ValidationError, match="eventSource"):
        SqsRecordModel.model_validate(raw)


def test_a_subclass_replaces_the_body(sample: Sample) -> None:
    def handle(record: OrderRecord) -> dict[str, str]:
        return record.body.item

    processor = BatchProcessor(event_type=EventType.SQS, model=OrderRecord)
    result = processor.run(sample("pydantic_sqs_event"), handle)
    assert result.return_values == [{"laptop": "amd"}, {"keyboard": "classic"}]


def test_a_message_that_is_not_valid_costs_itself_alone(sample: Sample) -> None:
    event = sample("pydantic_sqs_event")
    event["Records"][0]["body"] = "poison"
    processor = BatchProcessor(event_type=EventType.SQS, model=OrderRecord)
    answer = process_partial_response(event, lambda record: record.body.item, processor)
    assert answer == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    assert isinstance(processor.fail_messages[0], SQSRecord)


def test_the_model_is_refused_by_a_processor_of_another_source() -> None:
    assert SqsRecordModel.__batch_source__ == OrderRecord.__batch_source__ == "sqs"
    with pytest.raises(ConfigurationError):
        BatchProcessor(event_type="kinesis", model=OrderRecord)  # type: ignore[call-overload]  # what the test is about
