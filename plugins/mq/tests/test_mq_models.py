"""The pydantic models of messages of Amazon MQ."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("pydantic")

from pydantic import BaseModel, Json, ValidationError

from batchcore import BatchProcessor, ConfigurationError, WholeBatchRetry
from batchcore_mq.models import ActiveMQMessageModel, RabbitMQBasicPropertiesModel, RabbitMQMessageModel
from batchcore_testing import make_event, make_record

Sample = Callable[[str], Any]


class Order(BaseModel):
    id: int


class OrderMessage(ActiveMQMessageModel):
    data: Json[Order]


class RabbitOrder(RabbitMQMessageModel):
    data: Json[Order]


MODELS: list[tuple[str, Any]] = [("activemq", OrderMessage), ("rabbitmq", RabbitOrder)]
each_model = pytest.mark.parametrize(("source", "model"), MODELS)


def test_messages_of_the_samples_are_read(sample: Sample) -> None:
    text, _, of_bytes = map(ActiveMQMessageModel.model_validate, sample("activeMQEvent")["messages"])
    assert text.data == b"ABC:AAAA"
    assert text.destination is not None
    assert text.destination.physicalName == "testQueue"
    assert text.properties == {"testKey": "testValue"}
    assert of_bytes.persistent is False
    assert of_bytes.redelivered is None
    (raw,) = sample("rabbitMQEvent")["rmqMessagesByQueue"]["pizzaQueue::/"]
    rabbit = RabbitMQMessageModel.model_validate(raw)
    assert rabbit.basicProperties is not None
    assert rabbit.basicProperties.headers == {"header1": "value1", "header2": "value2", "numberInHeader": 10}
    assert rabbit.basicProperties.expiration == "60000"


def test_both_spellings_are_read() -> None:
    for queue, correlation in (("physicalName", "correlationID"), ("physicalname", "correlationId")):
        message = ActiveMQMessageModel.model_validate({"data": "", "destination": {queue: "q"}, correlation: "c"})
        assert message.destination is not None
        assert message.destination.physicalName == "q"
        assert message.correlationID == "c"


@pytest.mark.parametrize("value", ["60000", 60000])
def test_expiration_may_be_a_number_or_text(value: Any) -> None:
    assert ActiveMQMessageModel.model_validate({"data": "", "expiration": value}).expiration == 60000
    assert RabbitMQBasicPropertiesModel.model_validate({"expiration": value}).expiration == "60000"


def test_reply_to_that_is_the_text_null_is_none() -> None:
    assert ActiveMQMessageModel.model_validate({"data": "", "replyTo": "null"}).replyTo is None
    assert ActiveMQMessageModel.model_validate({"data": "", "replyTo": "queue://a"}).replyTo == "queue://a"


@each_model
def test_data_alone_is_required(source: str, model: Any) -> None:
    data = base64.b64encode(b'{"id": 1}').decode()
    assert model.model_validate({"data": data}).data == Order(id=1)
    with pytest.raises(ValidationError, match="data\n  Field required"):
        model.model_validate({})


@pytest.mark.parametrize("value", [None, {}, {"headers": None}])
def test_message_without_properties_fits(value: Any) -> None:
    message = RabbitMQMessageModel.model_validate({"data": "", "basicProperties": value})
    assert message.basicProperties is None or message.basicProperties.headers is None


@each_model
def test_data_is_parsed_where_it_is_replaced(source: str, model: Any) -> None:
    ids: list[int] = []
    event = make_event(source, {"id": 1}, '\ufeff{"id": 2}')
    BatchProcessor(source, model=model).run(event, lambda message: ids.append(message.data.id))
    assert ids == [1, 2]


def test_byte_order_mark_is_part_of_data_that_is_not_parsed() -> None:
    assert ActiveMQMessageModel.model_validate(make_record("activemq", "\ufeffa")).data == "\ufeffa".encode()


@each_model
@pytest.mark.parametrize("content", ["no JSON", {"id": "secret"}, b"\xff"])
def test_message_that_does_not_fit_fails_alone(
    source: str, model: Any, content: Any, caplog: pytest.LogCaptureFixture
) -> None:
    ids: list[int] = []
    event = make_event(source, {"id": 1}, content, {"id": 3})
    with pytest.raises(WholeBatchRetry, match=r"^1 of 3") as caught:
        BatchProcessor(source, model=model).run(event, lambda message: ids.append(message.data.id))
    assert ids == [1, 3]
    assert "secret" not in f"{caught.value}{caplog.text}"


@each_model
def test_data_that_is_a_model_without_json_is_refused(source: str, model: Any) -> None:
    base: Any = model.__base__

    class Wrong(base):
        data: Order

    with pytest.raises(ConfigurationError, match="Json"):
        BatchProcessor(source, model=Wrong)


def test_model_of_the_other_broker_is_refused() -> None:
    for source, model in (("activemq", RabbitOrder), ("rabbitmq", OrderMessage)):
        with pytest.raises(ConfigurationError, match=r"activemq|rabbitmq"):
            BatchProcessor(source, model=model)
