"""The events that the factories make are those of AWS, field by field."""

from __future__ import annotations

import base64
import locale
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from batchcore_mq import ActiveMQMessage, RabbitMQMessage
from batchcore_mq.events import RabbitMQEvents
from batchcore_testing import event_from, make_event, make_record

Sample = Callable[[str], Any]

# What AWS's page on Amazon MQ lists, and what of it a message may have as null, or as a number or text.
ACTIVEMQ: dict[str, tuple[type, ...]] = {
    "messageID": (str,),
    "messageType": (str,),
    "deliveryMode": (int,),
    "replyTo": (str, type(None)),
    "type": (str, type(None)),
    "expiration": (str, int),
    "priority": (int,),
    "correlationId": (str,),
    "redelivered": (bool,),
    "destination": (dict,),
    "data": (str,),
    "timestamp": (int,),
    "brokerInTime": (int,),
    "brokerOutTime": (int,),
    "properties": (dict,),
}


def test_message_of_activemq_has_the_fields_of_aws_and_no_others() -> None:
    made = make_record("activemq", "hello")
    assert list(made) == list(ACTIVEMQ)
    assert {name: isinstance(made[name], kinds) for name, kinds in ACTIVEMQ.items()} == dict.fromkeys(ACTIVEMQ, True)
    assert made["destination"] == {"physicalName": "orders"}


def test_message_of_activemq_has_what_the_sample_has(sample: Sample) -> None:
    made, (expected, *_) = make_record("activemq", "hello"), sample("activeMQEvent")["messages"]
    common = made.keys() & expected.keys()
    assert {name: type(made[name]) for name in common} == {name: type(expected[name]) for name in common}
    assert expected.keys() - common == {"connectionId"}


def test_message_of_rabbitmq_has_the_fields_of_the_sample_and_no_others(sample: Sample) -> None:
    (expected,) = sample("rabbitMQEvent")["rmqMessagesByQueue"]["pizzaQueue::/"]
    made = make_record("rabbitmq", "hello", sent={"key": "c"})
    assert list(made) == list(expected)
    assert list(made["basicProperties"]) == list(expected["basicProperties"])
    for name, value in expected["basicProperties"].items():
        kinds = (type(value), type(None)) if value is not None else (str, type(None))
        assert isinstance(made["basicProperties"][name], kinds), name


def test_events_have_the_fields_of_the_samples(sample: Sample) -> None:
    for source, file in (("activemq", "activeMQEvent"), ("rabbitmq", "rabbitMQEvent")):
        made, expected = make_event(source, "a", "b"), sample(file)
        assert list(made) == list(expected)
        assert made["eventSourceArn"].startswith("arn:aws:mq:")
    assert list(make_event("rabbitmq", "a")["rmqMessagesByQueue"]) == ["orders::/"]
    assert make_event("rabbitmq", "a")["eventSource"] == "aws:rmq"


def test_queue_and_virtual_host_of_rabbitmq_are_those_of_the_factory() -> None:
    event = event_from(RabbitMQEvents("pizza", "shop"), [make_record("rabbitmq", "a")])
    assert list(event["rmqMessagesByQueue"]) == ["pizza::shop"]


@pytest.mark.parametrize("source", ["activemq", "rabbitmq"])
@pytest.mark.parametrize(
    ("content", "data"), [("text", b"text"), (b"\xff\x00", b"\xff\x00"), ({"order": 17}, b'{"order": 17}')]
)
def test_the_content_is_the_data(source: str, content: Any, data: bytes) -> None:
    assert base64.b64decode(make_record(source, content)["data"]) == data


def test_bytes_come_as_a_message_of_bytes() -> None:
    assert make_record("activemq", b"a")["messageType"] == "jms/bytes-message"
    assert make_record("activemq", "a")["messageType"] == "jms/text-message"
    assert make_record("rabbitmq", "aé")["basicProperties"]["bodySize"] == 3


def test_first_delivery_is_counted_by_rabbitmq_and_not_by_activemq() -> None:
    first, third = (make_record("rabbitmq", "a", sent={"attempt": attempt}) for attempt in (1, 3))
    assert [each["basicProperties"]["headers"]["x-delivery-count"] for each in (first, third)] == [0, 2]
    assert [each["redelivered"] for each in (first, third)] == [False, True]
    first, third = (make_record("activemq", "a", sent={"attempt": attempt}) for attempt in (1, 3))
    assert [each["properties"] for each in (first, third)] == [{}, {"JMSXDeliveryCount": "3"}]
    assert [each["redelivered"] for each in (first, third)] == [False, True]


def test_key_is_the_group_or_the_correlation() -> None:
    assert make_record("activemq", "a", sent={"key": "k"})["properties"] == {"JMSXGroupID": "k"}
    assert make_record("rabbitmq", "a", sent={"key": "k"})["basicProperties"]["correlationId"] == "k"


def test_messages_are_read_by_the_views() -> None:
    message = ActiveMQMessage(make_record("activemq", {"order": 17}))
    assert message.json_data == {"order": 17}
    assert message.expiration == 0
    rabbit = RabbitMQMessage(make_record("rabbitmq", {"order": 17}, sent={"number": 5}))
    assert rabbit.json_data == {"order": 17}
    assert rabbit.decoded_headers == {"producer": "orders", "number": 5, "x-delivery-count": 0}


@pytest.fixture
def another_locale() -> Iterator[None]:
    """A locale whose months are not English, where the machine has one."""
    before = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C"):
        try:
            locale.setlocale(locale.LC_ALL, name)
            break
        except locale.Error:
            continue
    yield
    locale.setlocale(locale.LC_ALL, before)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2021, "Jan 1, 1970, 12:33:41 AM"),
        (1764421509, "Nov 29, 2025, 1:05:09 PM"),
        (946641600, "Dec 31, 1999, 12:00:00 PM"),
        (951868799, "Feb 29, 2000, 11:59:59 PM"),
    ],
)
def test_time_is_written_as_aws_does_and_read_again(seconds: int, text: str, another_locale: None) -> None:
    record = make_record("rabbitmq", "a", sent={"sent_at": seconds})
    assert record["basicProperties"]["timestamp"] == text
    date = RabbitMQMessage(record).basic_properties.decoded_timestamp
    assert date is not None
    assert date.strftime("%H:%M:%S") == f"{seconds // 3600 % 24:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def test_messages_fit_the_models() -> None:
    pytest.importorskip("pydantic")
    from batchcore_mq.models import ActiveMQMessageModel, RabbitMQMessageModel

    assert ActiveMQMessageModel.model_validate(make_record("activemq", "a")).data == b"a"
    assert RabbitMQMessageModel.model_validate(make_record("rabbitmq", "a")).data == b"a"


def test_any_field_is_overridden() -> None:
    event = make_event("rabbitmq", "a", basicProperties={"headers": None}, redelivered=True)
    (message,) = event["rmqMessagesByQueue"]["orders::/"]
    assert message["basicProperties"]["headers"] is None
    assert message["redelivered"] is True
