"""The typed views of messages of Amazon MQ."""

from __future__ import annotations

import base64
import binascii
import copy
import gzip
import json
import pickle
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from batchcore import BatchProcessor
from batchcore_mq import ActiveMQMessage, RabbitMQBasicProperties, RabbitMQMessage

Sample = Callable[[str], Any]

VIEWS = [ActiveMQMessage, RabbitMQMessage]


def rabbit(sample: Sample) -> Any:
    (message,) = sample("rabbitMQEvent")["rmqMessagesByQueue"]["pizzaQueue::/"]
    return message


def with_data(view: Any, data: bytes) -> Any:
    return view({"data": base64.b64encode(data).decode()})


# ActiveMQ.

DOCUMENTED = {
    "messageID": "ID:b-1.mq.us-west-2.amazonaws.com-37557-1234520418293-4:1:1:1:1",
    "messageType": "jms/text-message",
    "deliveryMode": 1,
    "persistent": False,
    "replyTo": "queue://answers",
    "type": "order",
    "expiration": "60000",
    "priority": 1,
    "correlationId": "myJMSCoID",
    "connectionId": "ID:1",
    "redelivered": False,
    "destination": {"physicalName": "testQueue"},
    "data": "QUJDOkFBQUE=",
    "timestamp": 1598827811958,
    "brokerInTime": 1598827811959,
    "brokerOutTime": 1598827811960,
    "properties": {"index": "1", "doAlarm": "false"},
}


def test_every_field_of_a_message_of_activemq_is_a_property() -> None:
    message = ActiveMQMessage(DOCUMENTED)
    assert message.message_id == DOCUMENTED["messageID"]
    assert message.message_type == "jms/text-message"
    assert message.delivery_mode == 1
    assert message.persistent is False
    assert message.reply_to == "queue://answers"
    assert message.type == "order"
    assert message.expiration == 60000
    assert message.priority == 1
    assert message.correlation_id == "myJMSCoID"
    assert message.connection_id == "ID:1"
    assert message.redelivered is False
    assert message.destination_physicalname == "testQueue"
    assert message.data == "QUJDOkFBQUE="
    assert message.data_as_bytes == b"ABC:AAAA"
    assert message.decoded_data == "ABC:AAAA"
    assert message.timestamp == 1598827811958
    assert message.broker_in_time == 1598827811959
    assert message.broker_out_time == 1598827811960
    assert message.properties == {"index": "1", "doAlarm": "false"}
    assert message == DOCUMENTED


def test_both_spellings_of_a_queue_and_of_a_correlation_are_read() -> None:
    for name in ("physicalName", "physicalname"):
        assert ActiveMQMessage({"destination": {name: "testQueue"}}).destination_physicalname == "testQueue"
    for name in ("correlationID", "correlationId"):
        assert ActiveMQMessage({name: "c"}).correlation_id == "c"


@pytest.mark.parametrize("value", ["60000", 60000])
def test_expiration_is_a_number_whatever_the_event_has(value: Any) -> None:
    assert ActiveMQMessage({"expiration": value}).expiration == 60000


@pytest.mark.parametrize("value", ["secret", [], {}])
def test_expiration_that_is_no_number_is_an_error_that_does_not_show_it(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^expiration is not a whole number, but of type") as caught:
        _ = ActiveMQMessage({"expiration": value}).expiration
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(("in_the_event", "read"), [("null", None), (None, None), ("", ""), ("queue://a", "queue://a")])
def test_reply_to_that_is_the_text_null_is_none(in_the_event: Any, read: Any) -> None:
    message = ActiveMQMessage({"replyTo": in_the_event})
    assert message.reply_to == read
    assert message["replyTo"] == in_the_event


@pytest.mark.parametrize("kind", ["jms/text-message", "jms/bytes-message"])
def test_text_is_text_whatever_type_of_message_it_came_in(kind: str) -> None:
    """A client that speaks STOMP sends text as a message of bytes."""
    data = base64.b64encode('{"größe": 1}'.encode()).decode()
    message = ActiveMQMessage({"messageType": kind, "data": data})
    assert message.decoded_data == '{"größe": 1}'
    assert message.json_data == {"größe": 1}


def test_messages_of_the_sample_are_read(sample: Sample) -> None:
    text, of_json, of_bytes = map(ActiveMQMessage, sample("activeMQEvent")["messages"])
    assert text.decoded_data == "ABC:AAAA"
    assert of_json.json_data == {"timeout": 0, "data": "CZrmf0Gw8Ov4bqLQxD4E"}
    assert len(of_bytes.data_as_bytes) == 20
    with pytest.raises(UnicodeDecodeError, match=r"^data is not UTF-8"):
        _ = of_bytes.decoded_data
    assert of_bytes.redelivered is None
    assert text.message_id == of_json.message_id == of_bytes.message_id


# RabbitMQ.


def test_every_field_of_a_message_of_rabbitmq_is_a_property(sample: Sample) -> None:
    raw = rabbit(sample)
    message = RabbitMQMessage(raw)
    assert message.redelivered is False
    assert message.json_data == {"timeout": 0, "data": "CZrmf0Gw8Ov4bqLQxD4E"}
    properties = message.basic_properties
    assert type(properties) is RabbitMQBasicProperties
    assert properties == raw["basicProperties"]
    assert properties.content_type == "text/plain"
    assert properties.content_encoding is None
    assert properties.headers == raw["basicProperties"]["headers"]
    assert properties.decoded_headers == {"header1": "value1", "header2": "value2", "numberInHeader": 10}
    assert message.decoded_headers == properties.decoded_headers
    assert properties.delivery_mode == 1
    assert properties.priority == 34
    assert properties.expiration == "60000"
    assert properties.timestamp == "Jan 1, 1970, 12:33:41 AM"
    assert properties.decoded_timestamp == datetime(1970, 1, 1, 0, 33, 41)  # noqa: DTZ001
    assert properties.user_id == "AIDACKCEVSQ6C2EXAMPLE"
    assert properties.body_size == 80


def test_each_text_of_basic_properties_is_its_own() -> None:
    fields = {
        "contentEncoding": "content_encoding",
        "correlationId": "correlation_id",
        "replyTo": "reply_to",
        "messageId": "message_id",
        "type": "type",
        "appId": "app_id",
        "clusterId": "cluster_id",
    }
    properties = RabbitMQBasicProperties({name: f"of {name}" for name in fields})
    assert {name: getattr(properties, attribute) for name, attribute in fields.items()} == properties.raw_event


def test_expiration_of_rabbitmq_is_text_whatever_the_event_has() -> None:
    assert RabbitMQBasicProperties({"expiration": 60000}).expiration == "60000"
    assert RabbitMQBasicProperties({"expiration": "60000"}).expiration == "60000"


@pytest.mark.parametrize("raw", [{}, {"basicProperties": None}, {"basicProperties": {"headers": None}}])
def test_message_without_properties_has_none(raw: Any) -> None:
    message = RabbitMQMessage(raw)
    assert message.decoded_headers == {}
    assert message.basic_properties.headers is None
    assert message.basic_properties.decoded_timestamp is None
    assert message.basic_properties.expiration is None


def test_properties_that_are_no_object_are_an_error() -> None:
    with pytest.raises(ValueError, match="shows a mapping"):
        _ = RabbitMQMessage({"basicProperties": "text"}).basic_properties


# Both.


@pytest.mark.parametrize("view", [*VIEWS, RabbitMQBasicProperties])
def test_field_that_a_message_lacks_is_none(view: Any) -> None:
    message = view({"other": 1})
    for name in vars(view):
        if isinstance(vars(view)[name], property) and name not in ("properties", "basic_properties", "decoded_headers"):
            assert getattr(message, name) is None, name
    assert getattr(message, "properties", {}) == {}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("data", ["secret", "c2VjcmV0!", "c2Vj\ncmV0", None, 7])
def test_data_that_is_not_base64_is_an_error_without_the_data(view: Any, data: object) -> None:
    for name in ("data_as_bytes", "decoded_data", "json_data"):
        with pytest.raises(binascii.Error, match=r"^data is not base64: ") as caught:
            getattr(view({"data": data}), name)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("view", VIEWS)
def test_data_that_is_no_json_is_an_error_that_says_what_it_is(view: Any) -> None:
    with pytest.raises(json.JSONDecodeError, match=r"^data is not JSON: .*It is XML") as caught:
        _ = with_data(view, b"<secret/>").json_data
    assert "secret" not in str(caught.value)
    with pytest.raises(UnicodeDecodeError, match="It is data compressed by gzip; decompress it first"):
        _ = with_data(view, gzip.compress(b"{}")).json_data


@pytest.mark.parametrize("view", VIEWS)
def test_empty_data_is_empty_text_and_no_json(view: Any) -> None:
    """Messages of JMS that are maps or objects come without content."""
    assert with_data(view, b"").decoded_data == ""
    with pytest.raises(json.JSONDecodeError):
        _ = with_data(view, b"").json_data


@pytest.mark.parametrize("view", VIEWS)
def test_message_of_something_else_is_a_value_error_that_says_what_it_is(view: Any) -> None:
    with pytest.raises(ValueError, match="has data, and this has none: it is a record of aws:sqs"):
        _ = view({"messageId": "1", "eventSource": "aws:sqs"}).decoded_data


@pytest.mark.parametrize("view", VIEWS)
def test_json_is_parsed_once(view: Any) -> None:
    message = with_data(view, b'{"a": []}')
    message.json_data["a"].append(1)
    assert message.decoded_data == '{"a": []}'
    assert message.json_data == {"a": [1]}


@pytest.mark.parametrize("view", VIEWS)
def test_message_can_be_pickled_and_copied_decoded_or_not(view: Any) -> None:
    message = with_data(view, b'{"a": 1}')
    for _ in range(2):
        for twin in (pickle.loads(pickle.dumps(message)), copy.copy(message), copy.deepcopy(message)):
            assert type(twin) is view
            assert twin == message
            assert twin.json_data == {"a": 1}
        _ = message.json_data


@pytest.mark.parametrize(("source", "view"), [("activemq", ActiveMQMessage), ("rabbitmq", RabbitMQMessage)])
def test_handlers_get_the_view_and_may_keep_it(source: str, view: Any) -> None:
    from batchcore_testing import make_event

    kept: list[Any] = []
    BatchProcessor(source).run(make_event(source, {"n": 1}, {"n": 2}, {"n": 3}), kept.append)
    assert all(isinstance(message, view) for message in kept)
    assert [message.json_data["n"] for message in kept] == [1, 2, 3]
