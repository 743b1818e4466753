"""What arrives at a queue."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchcore import Outcome
from batchcore_deadletter import SQSDeadLetters

EVENTS = Path(__file__).resolve().parents[3] / "tests" / "events"
Fixture = Callable[..., Any]

ATTRIBUTES = {
    "trace": {"DataType": "String", "StringValue": "1-5759e988"},
    "price": {"DataType": "Number.EUR", "StringValue": "17.50"},
    "image": {"DataType": "Binary", "BinaryValue": b"\x00\xff\x80"},
}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def deliver(url: str, records: Any) -> None:
    """Deliver all of a batch, and see to it that all of it counts as delivered."""
    problems = SQSDeadLetters(url).deliver_dead_letters(records.outcomes, records.batch)
    assert list(problems) == [None] * len(records.outcomes)


def text_of(message: dict[str, Any], name: str) -> str:
    value: str = message["MessageAttributes"][name]["StringValue"]
    return value


def test_body_and_attributes_arrive_as_they_were(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    body = 'naïve "text" \t\r\n <&> \U0001f4ec'
    deliver(url, failed(make_letter(body=body, attributes=ATTRIBUTES)))
    (message,) = arrived(url)
    assert message["Body"] == body
    assert {name: message["MessageAttributes"][name] for name in ATTRIBUTES} == ATTRIBUTES


def test_the_reason_and_the_identifier_arrive_beside_them(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    deliver(url, failed(make_letter("m1"), error=KeyError("customer")))
    (message,) = arrived(url)
    assert message["MessageAttributes"] == {
        "DeadLetterReason": {"DataType": "String", "StringValue": "KeyError: 'customer'"},
        "DeadLetterIdentifier": {"DataType": "String", "StringValue": "m1"},
    }


def test_the_attributes_of_an_earlier_dead_letter_are_replaced(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    deliver(url, failed(make_letter("first")))
    (message,) = arrived(url)
    deliver(url, failed(make_letter("second", attributes=message["MessageAttributes"]), error=KeyError("again")))
    (message,) = arrived(url)
    assert text_of(message, "DeadLetterReason") == "KeyError: 'again'"
    assert text_of(message, "DeadLetterIdentifier") == "second"


def test_a_record_without_identity_gets_none(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    old = {"DeadLetterIdentifier": {"DataType": "String", "StringValue": "of another record"}}
    deliver(url, failed(make_letter(None, attributes=old)))
    (message,) = arrived(url)
    assert message["MessageAttributes"].keys() == {"DeadLetterReason"}


def test_an_object_for_an_identifier_arrives_as_compact_sorted_json(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    deliver(url, failed(make_letter({"partition": "bestellungen-ü-0", "offset": 17})))
    (message,) = arrived(url)
    assert text_of(message, "DeadLetterIdentifier") == '{"offset":17,"partition":"bestellungen-ü-0"}'


def test_an_identifier_that_no_attribute_could_hold_is_made_to_fit(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    deliver(url, failed(make_letter("\x00" + "n" * 2_000)))
    (message,) = arrived(url)
    assert text_of(message, "DeadLetterIdentifier") == "\ufffd" + "n" * 996 + "..."


def test_a_record_that_was_no_message_arrives_as_json(make_queue: Fixture, arrived: Fixture, failed: Fixture) -> None:
    url = make_queue()
    event = json.loads((EVENTS / "kinesisStreamEvent.json").read_text())
    deliver(url, failed(source="kinesis", event=event))
    bodies = [json.loads(message["Body"]) for message in arrived(url)]
    assert sorted(bodies, key=lambda body: str(body["kinesis"]["sequenceNumber"])) == event["Records"]


def test_one_alone_arrives(make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture) -> None:
    url = make_queue()
    records = failed(make_letter("m1", "one"), make_letter("m2", "two"))
    SQSDeadLetters(url).deliver_dead_letter(records.outcomes[1], records.batch)
    (message,) = arrived(url)
    assert message["Body"] == "two"
    assert text_of(message, "DeadLetterIdentifier") == "m2"


def test_eleven_arrive_with_two_requests(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    url = make_queue()
    bodies = [f"body {number:02}" for number in range(11)]
    deliver(url, failed(*(make_letter(f"m{number}", body) for number, body in enumerate(bodies))))
    assert [message["Body"] for message in arrived(url)] == bodies
    assert [request.entries for request in proxy.requests] == [10, 1]


def test_none_need_no_request(make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any) -> None:
    assert list(SQSDeadLetters(make_queue()).deliver_dead_letters([], failed(make_letter()).batch)) == []
    assert proxy.requests == []


def test_a_standard_queue_gets_no_group(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    deliver(url, failed(make_letter(group="ann")))
    (message,) = arrived(url)
    assert {"MessageGroupId", "MessageDeduplicationId"} & message["Attributes"].keys() == set()


def test_a_standard_queue_gets_a_record_as_often_as_it_is_delivered(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    for _ in range(2):
        deliver(url, failed(make_letter()))
    assert len(arrived(url)) == 2


# FIFO queues.


def test_a_fifo_queue_gets_identifier_and_group(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue(".fifo")
    deliver(url, failed(make_letter("m1", group="ann")))
    (message,) = arrived(url)
    assert message["Attributes"]["MessageDeduplicationId"] == "m1"
    assert message["Attributes"]["MessageGroupId"] == "ann"


@pytest.mark.parametrize("group", [None, ""])
def test_without_a_group_a_record_is_a_group_of_its_own(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, group: str | None
) -> None:
    url = make_queue(".fifo")
    deliver(url, failed(make_letter("m1", "one", group=group), make_letter("m2", "two", group=group)))
    assert [message["Attributes"]["MessageGroupId"] for message in arrived(url)] == ["m1", "m2"]


PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a" * 128, "a" * 128),
        ("a" * 129, digest("a" * 129)),
        (PUNCTUATION + "aZ09", PUNCTUATION + "aZ09"),
        ("with space", digest("with space")),
        ("ünicode", digest("ünicode")),
        ("line\n", digest("line\n")),
    ],
)
def test_what_is_no_valid_id_of_a_fifo_queue_is_replaced_by_its_digest(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, text: str, expected: str
) -> None:
    url = make_queue(".fifo")
    deliver(url, failed(make_letter(text, "by identifier"), make_letter("m", "by group", group=text)))
    by_group, by_identifier = arrived(url)
    assert by_identifier["Attributes"]["MessageDeduplicationId"] == expected
    assert by_group["Attributes"]["MessageGroupId"] == expected


def test_the_digest_of_an_object_is_that_of_its_json(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue(".fifo")
    deliver(url, failed(make_letter({"partition": "orders-0", "offset": 17})))
    (message,) = arrived(url)
    expected = digest('{"offset":17,"partition":"orders-0"}')
    assert message["Attributes"]["MessageDeduplicationId"] == expected


@pytest.mark.parametrize("identifier", ["m1", "with space", {"partition": "orders-0", "offset": 17}])
def test_a_fifo_queue_gets_a_record_once_that_is_delivered_twice(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, identifier: Any
) -> None:
    url = make_queue(".fifo")
    for _ in range(2):
        deliver(url, failed(make_letter(identifier)))
    assert len(arrived(url)) == 1


def test_two_records_with_one_identifier_both_arrive(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue(".fifo")
    for _ in range(2):
        deliver(url, failed(make_letter("m1", "one"), make_letter("m1", "two")))
    assert [message["Body"] for message in arrived(url)] == ["one", "two"]


def test_records_without_identity_all_arrive(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue(".fifo")
    deliver(url, failed(make_letter(None, "tick"), make_letter(None, "tick")))
    assert [message["Body"] for message in arrived(url)] == ["tick", "tick"]


def test_an_outcome_is_not_changed(make_queue: Fixture, failed: Fixture, make_letter: Fixture) -> None:
    records = failed(make_letter(attributes=ATTRIBUTES))
    before: Outcome = records.outcomes[0]
    deliver(make_queue(), records)
    assert before.record == make_letter(attributes=ATTRIBUTES)
    assert before.status == "failed"
