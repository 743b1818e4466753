"""What arrives at a queue that subscribes to a topic."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from batchcore_deadletter import MessageLimitError, NotDeliveredError, SNSDeadLetters

Fixture = Callable[..., Any]

ATTRIBUTES = {
    "trace": {"DataType": "String", "StringValue": "1-5759e988"},
    "price": {"DataType": "Number", "StringValue": "17.50"},
    "image": {"DataType": "Binary", "BinaryValue": b"\x00\xff\x80"},
}
LARGE = 262_144


def deliver(topic: str, records: Any) -> None:
    problems = SNSDeadLetters(topic).deliver_dead_letters(records.outcomes, records.batch)
    assert list(problems) == [None] * len(records.outcomes)


def test_body_attributes_reason_and_identifier_arrive_raw(
    make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    topic, url = make_topic()
    kept = {name: value for name, value in ATTRIBUTES.items() if name != "image"}  # moto sends base64 text of it on
    deliver(topic, failed(make_letter("m1", "naïve", attributes=kept)))
    (message,) = arrived(url)
    assert message["Body"] == "naïve"
    assert message["MessageAttributes"] == {
        **kept,
        "DeadLetterReason": {"DataType": "String", "StringValue": "ValueError: no such customer"},
        "DeadLetterIdentifier": {"DataType": "String", "StringValue": "m1"},
    }


def test_they_arrive_in_the_envelope_of_sns(
    make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    topic, url = make_topic(raw=False)
    deliver(topic, failed(make_letter("m1", "naïve", attributes=ATTRIBUTES)))
    (message,) = arrived(url)
    envelope = json.loads(message["Body"])
    assert envelope["Message"] == "naïve"
    assert envelope["MessageAttributes"] == {
        "trace": {"Type": "String", "Value": "1-5759e988"},
        "price": {"Type": "Number", "Value": "17.50"},
        "image": {"Type": "Binary", "Value": base64.b64encode(b"\x00\xff\x80").decode()},
        "DeadLetterReason": {"Type": "String", "Value": "ValueError: no such customer"},
        "DeadLetterIdentifier": {"Type": "String", "Value": "m1"},
    }


def test_one_alone_arrives(make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture) -> None:
    topic, url = make_topic()
    records = failed(make_letter("m1", "one"), make_letter("m2", "two"))
    SNSDeadLetters(topic).deliver_dead_letter(records.outcomes[1], records.batch)
    assert [message["Body"] for message in arrived(url)] == ["two"]


def test_eleven_arrive_with_two_requests(
    make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    topic, url = make_topic()
    bodies = [f"body {number:02}" for number in range(11)]
    deliver(topic, failed(*(make_letter(f"m{number}", body) for number, body in enumerate(bodies))))
    assert [message["Body"] for message in arrived(url)] == bodies
    assert [(request.operation, request.entries) for request in proxy.requests] == [
        ("PublishBatch", 10),
        ("PublishBatch", 1),
    ]


def test_a_fifo_topic_gets_identifier_and_group(
    make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    topic, url = make_topic(".fifo")
    deliver(topic, failed(make_letter("m1", "one", group="ann"), make_letter("m2", "two")))
    ids = [
        (message["Attributes"]["MessageDeduplicationId"], message["Attributes"]["MessageGroupId"])
        for message in arrived(url)
    ]
    assert ids == [("m1", "ann"), ("m2", "m2")]


def test_a_fifo_topic_gets_a_record_once_that_is_delivered_twice(
    make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    topic, url = make_topic(".fifo")
    for _ in range(2):
        deliver(topic, failed(make_letter()))
    assert len(arrived(url)) == 1


def test_a_standard_topic_gets_no_group(
    make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    topic, url = make_topic()
    deliver(topic, failed(make_letter(group="ann")))  # with a deduplication id it would be refused
    (message,) = arrived(url)
    assert "MessageGroupId" not in message["Attributes"]


def test_a_message_of_more_than_256_kib_is_not_sent(
    make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    topic, url = make_topic()
    records = failed(make_letter("m1", "x" * LARGE), make_letter("m2", "small"))
    first, second = SNSDeadLetters(topic).deliver_dead_letters(records.outcomes, records.batch)
    assert isinstance(first, MessageLimitError)
    assert (first.limit, first.allowed) == ("size", LARGE)
    assert second is None
    assert [message["Body"] for message in arrived(url)] == ["small"]
    assert [request.entries for request in proxy.requests] == [1]


def test_a_message_that_sns_refuses_costs_itself_alone(
    make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    """A topic whose limit is lower than what the deliverer was told."""
    topic, url = make_topic()
    records = failed(make_letter("m1", "one"), make_letter("m2", "x" * (LARGE + 1)), make_letter("m3", "three"))
    deliverer = SNSDeadLetters(topic, maximum_size=1_048_576)
    first, second, third = deliverer.deliver_dead_letters(records.outcomes, records.batch)
    assert (first, third) == (None, None)
    assert isinstance(second, NotDeliveredError)
    assert (second.identifier, second.code, second.sender_fault) == ("m2", "InvalidParameter", True)
    assert [message["Body"] for message in arrived(url)] == ["one", "three"]
    assert len(proxy.requests) == 1


def test_a_topic_that_is_not_there_delivers_nothing(failed: Fixture, make_letter: Fixture, proxy: Any) -> None:
    records = failed(make_letter("m1"), make_letter("m2"))
    deliverer = SNSDeadLetters("arn:aws:sns:us-east-1:123456789012:nowhere")
    problems = deliverer.deliver_dead_letters(records.outcomes, records.batch)
    refused = [problem for problem in problems if isinstance(problem, NotDeliveredError)]
    assert [(problem.identifier, problem.code) for problem in refused] == [("m1", "NotFound"), ("m2", "NotFound")]
    assert len(proxy.requests) == 1
    with pytest.raises(NotDeliveredError, match="m1 was not delivered"):
        deliverer.deliver_dead_letter(records.outcomes[0], records.batch)


def test_a_throttled_request_is_tried_again(
    make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    topic, url = make_topic()
    error = (
        b'<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
        b"<Code>Throttling</Code><Message>Rate exceeded</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
    proxy.faults.append(lambda forward: (400, {"Content-Type": "text/xml"}, error))
    deliver(topic, failed(make_letter("m1", "one"), make_letter("m2", "two")))
    assert [message["Body"] for message in arrived(url)] == ["one", "two"]
    assert [request.entries for request in proxy.requests] == [2, 2]
