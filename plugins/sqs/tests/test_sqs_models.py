"""The pydantic models of an SQS message."""

from __future__ import annotations

import base64
import dataclasses
import json
import sys
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Annotated, Any, Generic, Literal, Optional, TypeVar

import pytest

pydantic = pytest.importorskip("pydantic")

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    Json,
    PlainValidator,
    RootModel,
    ValidationError,
    WrapValidator,
    create_model,
    model_validator,
)
from typing_extensions import TypedDict

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
    response = process_partial_response(event, lambda record: record.body.item, processor)
    assert response == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["messageId"]}]}
    assert isinstance(processor.fail_messages[0], SQSRecord)


# -- A body that is not parsed.


@dataclasses.dataclass
class PlainOrder:
    item: dict[str, str]


class TypedOrder(TypedDict):
    item: dict[str, str]


class Parses(BaseModel):
    """A model that parses text by itself."""

    item: dict[str, str]

    @model_validator(mode="before")
    @classmethod
    def parse(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value


class MadeOfText(BaseModel):
    """A model with a way of its own to be made."""

    item: dict[str, str]

    def __init__(self, text: str = "{}", **fields: Any) -> None:
        super().__init__(**json.loads(text) | fields)


class Linked(BaseModel):
    """A model that holds another of itself."""

    item: dict[str, str]
    before: Linked | None = None


class Sold(BaseModel):
    kind: Literal["sold"]


class Given(BaseModel):
    kind: Literal["given"]


T = TypeVar("T")


class AnyBody(SqsRecordModel, Generic[T]):
    body: T


def with_body(kind: Any) -> type[SqsRecordModel]:
    return create_model("Record", __base__=SqsRecordModel, body=(kind, ...))


NEVER_MADE_OF_TEXT = [
    (Order, "Order"),
    (Order | None, "Order | None"),
    (Optional[Order], "Optional[Order]" if sys.version_info < (3, 14) else "Order | None"),  # noqa: UP045 - as many write it
    (list[Order], "list[Order]"),
    (dict[str, Any], "dict[str, Any]"),
    (tuple[int, ...], "tuple[int, ...]"),
    (set[str], "set[str]"),
    (PlainOrder, "PlainOrder"),
    (TypedOrder, "TypedOrder"),
    (pydantic.dataclasses.dataclass(PlainOrder), "PlainOrder"),
    (RootModel[Order], "RootModel[Order]"),
    (Linked, "Linked"),
    (Sold | Given, "Sold | Given"),
    (Annotated[Sold | Given, Field(discriminator="kind")], "Sold | Given"),
    (Annotated[Order, AfterValidator(lambda order: order)], "Order"),
    (Annotated[Order, Field(description="what was ordered")], "Order"),
]


@pytest.mark.parametrize(("kind", "name"), NEVER_MADE_OF_TEXT, ids=lambda each: each if isinstance(each, str) else "")
def test_a_body_that_is_never_made_of_text_is_refused_and_the_way_named(kind: Any, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Record\.body is given the text that was sent") as caught:
        BatchProcessor("sqs", model=with_body(kind))
    assert f"Declare it as body: Json[{name}]" in str(caught.value)


@pytest.mark.parametrize(("kind", "name"), NEVER_MADE_OF_TEXT, ids=lambda each: each if isinstance(each, str) else "")
def test_what_is_refused_would_have_failed_every_record_and_is_right_with_json(
    kind: Any, name: str, sample: Sample
) -> None:
    record, _ = sample("pydantic_sqs_event")["Records"]
    for body in ('{"item": {"a": "b"}, "kind": "sold"}', "[]", '[{"item": {}}]', "x", "", "null"):
        with pytest.raises(ValidationError):
            with_body(kind).model_validate({**record, "body": body})
    BatchProcessor("sqs", model=with_body(Json[kind]))


@pytest.mark.parametrize(
    "kind",
    [
        str,
        bytes,
        Any,
        object,
        int,
        datetime,
        uuid.UUID,
        Literal["a"],
        Json,
        Json[Order],
        Json[Order] | None,
        Order | str,
        Order | Json[Order],
        Parses,
        MadeOfText,
        RootModel[str],
        RootModel[Json[Order]],
        Annotated[Order, BeforeValidator(json.loads)],
        Annotated[Order, PlainValidator(json.loads)],
        Annotated[Order, WrapValidator(lambda value, handler: handler(json.loads(value)))],
    ],
)
def test_a_body_that_may_be_made_of_text_is_not_refused(kind: Any) -> None:
    BatchProcessor("sqs", model=with_body(kind))


def test_a_body_with_a_type_to_be_filled_in_is_refused_by_what_it_is_filled_with(sample: Sample) -> None:
    with pytest.raises(ConfigurationError, match=r"body: Json\[Order\]"):
        BatchProcessor("sqs", model=AnyBody[Order])
    result = BatchProcessor("sqs", model=AnyBody[Json[Order]]).run(
        sample("pydantic_sqs_event"), lambda record: record.body.item
    )
    assert result.return_values == [{"laptop": "amd"}, {"keyboard": "classic"}]


def test_a_union_of_records_is_refused_only_if_none_of_them_can_be_right() -> None:
    with pytest.raises(ConfigurationError, match=r"Json\[Sold\]"):
        BatchProcessor("sqs", model=RootModel[with_body(Sold) | with_body(Given)])  # type: ignore[misc]  # made here
    BatchProcessor("sqs", model=RootModel[with_body(Sold) | with_body(Json[Given])])  # type: ignore[misc]  # made here


def test_a_model_that_validates_in_its_own_way_is_not_refused(sample: Sample) -> None:
    class Own(SqsRecordModel):
        body: Order

        @classmethod
        def model_validate(cls, obj: Any, **options: Any) -> Any:
            return super().model_validate({**obj, "body": json.loads(obj["body"])}, **options)

    result = BatchProcessor("sqs", model=Own).run(sample("pydantic_sqs_event"), lambda record: record.body.item)
    assert result.return_values == [{"laptop": "amd"}, {"keyboard": "classic"}]


def test_a_body_by_another_name_is_not_looked_at() -> None:
    class Elsewhere(SqsRecordModel):
        body: Order = Field(alias="order")

    BatchProcessor("sqs", model=Elsewhere)


# -- What the error of one record says.


class JustTheBody(BaseModel):
    body: Order


class JsonBody(BaseModel):
    body: Json[Order]


@pytest.mark.parametrize(
    ("model", "body", "says"),
    [
        (JustTheBody, '{"item": {}}', "It is JSON. Text of JSON is parsed where the field is declared as Json[Order]"),
        (JustTheBody, "hunter", "declared as Json[Order]"),
        (OrderRecord, "{'item': {}}", "It is what Python's str() makes of a dictionary or list"),
        (OrderRecord, base64.b64encode(b'{"item": {}}').decode(), "It is base64 of JSON"),
        (OrderRecord, json.dumps('{"item": {}}'), "it was encoded twice"),
        (OrderRecord, "<item/>", "It is XML or HTML"),
        (OrderRecord, '{"item": "{}"}', "It is JSON. Text of JSON is parsed where the field is declared as Json[...]"),
    ],
)
def test_the_error_of_a_record_says_what_its_text_is(
    model: Any, body: str, says: str, sample: Sample, caplog: pytest.LogCaptureFixture
) -> None:
    event = sample("pydantic_sqs_event")
    event["Records"][0]["body"] = body
    result = BatchProcessor("sqs", model=model, raise_on_entire_batch_failure=False).run(event, lambda record: record)
    error = result.outcomes[0].exception
    assert isinstance(error, ValidationError)
    assert says in str(error)
    assert says in caplog.text
    assert body not in caplog.text
    assert error.__context__ is None


@pytest.mark.parametrize("model", [OrderRecord, JsonBody])
def test_a_byte_order_mark_before_the_json_of_a_body_is_skipped(model: Any, sample: Sample) -> None:
    event = sample("pydantic_sqs_event")
    event["Records"][0]["body"] = "\ufeff" + event["Records"][0]["body"]
    result = BatchProcessor("sqs", model=model).run(event, lambda record: record.body.item)
    assert result.return_values == [{"laptop": "amd"}, {"keyboard": "classic"}]
    assert event["Records"][0]["body"][0] == "\ufeff", "the event is as it was"


def test_what_is_wrong_behind_a_byte_order_mark_is_said(sample: Sample) -> None:
    event = sample("pydantic_sqs_event")
    event["Records"][0]["body"] = '\ufeff{"item": 7}'
    (failure,) = BatchProcessor("sqs", model=OrderRecord).run(event, lambda record: None).failures
    assert "body.item" in str(failure.exception)


def test_the_model_is_refused_by_a_processor_of_another_source() -> None:
    assert SqsRecordModel.__batch_source__ == OrderRecord.__batch_source__ == "sqs"
    with pytest.raises(ConfigurationError):
        BatchProcessor(event_type="kinesis", model=OrderRecord)  # type: ignore[call-overload]  # what the test is about
