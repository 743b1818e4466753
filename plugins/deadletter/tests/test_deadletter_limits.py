"""What AWS would not take is not sent, and costs its own record alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore import BatchcoreError
from batchcore_deadletter import DeadLetterError, MessageLimitError, SQSDeadLetters

Fixture = Callable[..., Any]

MAXIMUM = 1_048_576
REASON = len("DeadLetterReason" + "String" + "ValueError: no such customer")
IDENTIFIER = len("DeadLetterIdentifier" + "String" + "m1")
OURS = REASON + IDENTIFIER


def some_attributes(count: int) -> dict[str, Any]:
    return {f"a{number}": {"DataType": "String", "StringValue": "x"} for number in range(count)}


def problem_of(deliverer: SQSDeadLetters, records: Any) -> MessageLimitError:
    """Deliver a batch of one, which is not to be sent."""
    (problem,) = deliverer.deliver_dead_letters(records.outcomes, records.batch)
    assert isinstance(problem, MessageLimitError)
    return problem


def test_an_error_is_one_of_batchcore() -> None:
    assert issubclass(MessageLimitError, DeadLetterError)
    assert issubclass(DeadLetterError, BatchcoreError)


# How many attributes.


def test_eight_attributes_leave_room_for_reason_and_identifier(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    records = failed(make_letter(attributes=some_attributes(8)))
    SQSDeadLetters(url).deliver_dead_letter(records.outcomes[0], records.batch)
    (message,) = arrived(url)
    names = {*some_attributes(8), "DeadLetterReason", "DeadLetterIdentifier"}
    assert message["MessageAttributes"].keys() == names


def test_nine_attributes_leave_room_for_the_reason(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    records = failed(make_letter(attributes=some_attributes(9)))
    SQSDeadLetters(url).deliver_dead_letter(records.outcomes[0], records.batch)
    (message,) = arrived(url)
    assert message["MessageAttributes"].keys() == {*some_attributes(9), "DeadLetterReason"}


def test_ten_attributes_leave_no_room(make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any) -> None:
    records = failed(make_letter("m1", attributes=some_attributes(10)))
    problem = problem_of(SQSDeadLetters(make_queue()), records)
    assert (problem.identifier, problem.limit, problem.seen, problem.allowed) == ("m1", "attributes", 11, 10)
    assert "m1 has 11 attributes" in str(problem)
    assert "the record is retried" in str(problem)
    assert proxy.requests == []


def test_ten_attributes_of_which_one_is_an_old_reason_have_room(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    old = {"DeadLetterReason": {"DataType": "String", "StringValue": "old"}}
    records = failed(make_letter(attributes={**some_attributes(9), **old}))
    SQSDeadLetters(url).deliver_dead_letter(records.outcomes[0], records.batch)
    (message,) = arrived(url)
    assert message["MessageAttributes"]["DeadLetterReason"]["StringValue"] == "ValueError: no such customer"


# How many bytes.


def test_a_message_may_have_as_many_bytes_as_fit(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    records = failed(make_letter("m1", "x" * (MAXIMUM - OURS)))
    SQSDeadLetters(url).deliver_dead_letter(records.outcomes[0], records.batch)
    (message,) = arrived(url)
    assert len(message["Body"]) == MAXIMUM - OURS


def test_a_message_may_not_have_one_byte_more(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    problem = problem_of(SQSDeadLetters(make_queue()), failed(make_letter("m1", "x" * (MAXIMUM - OURS + 1))))
    assert (problem.identifier, problem.limit, problem.seen, problem.allowed) == ("m1", "size", MAXIMUM + 1, MAXIMUM)
    assert "1,048,577 bytes" in str(problem)
    assert "1,048,576 fit" in str(problem)
    assert proxy.requests == []


@pytest.mark.parametrize(
    ("body", "attributes", "size"),
    [
        ("é", {}, 2),
        ("\U0001f4ec", {}, 4),
        ("x", {"name": {"DataType": "String", "StringValue": "é"}}, 1 + 4 + 6 + 2),
        ("x", {"name": {"DataType": "Binary.gif", "BinaryValue": b"\x00\xff\x80"}}, 1 + 4 + 10 + 3),
    ],
)
def test_bytes_are_counted_of_body_and_attributes(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, body: str, attributes: Any, size: int
) -> None:
    url, records = make_queue(), failed(make_letter("m1", body, attributes=attributes))
    problem = problem_of(SQSDeadLetters(url, maximum_size=size + OURS - 1), records)
    assert problem.seen == size + OURS
    SQSDeadLetters(url, maximum_size=size + OURS).deliver_dead_letter(records.outcomes[0], records.batch)


def test_messages_that_do_not_fit_one_request_go_in_several(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    url = make_queue()
    sizes = [600_000, 400_000, 600_000, 10, 10]
    records = failed(*(make_letter(f"m{n}", str(n) * size) for n, size in enumerate(sizes)))
    problems = SQSDeadLetters(url).deliver_dead_letters(records.outcomes, records.batch)
    assert list(problems) == [None] * 5
    assert [len(message["Body"]) for message in arrived(url)] == sizes
    assert [request.entries for request in proxy.requests] == [2, 3]


# Which characters.


@pytest.mark.parametrize(
    "character", ["\x00", "\x08", "\x0b", "\x0c", "\x0e", "\x1f", "\ud800", chr(0xDFFF), "\ufffe", "\uffff"]
)
@pytest.mark.parametrize("place", ["body", "value", "name"])
def test_a_character_that_aws_refuses_is_not_sent(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any, character: str, place: str
) -> None:
    texts = {"body": "b", "value": "v", "name": "n", place: f"12{character}"}
    attributes = {texts["name"]: {"DataType": "String", "StringValue": texts["value"]}}
    records = failed(make_letter("m1", texts["body"], attributes=attributes))
    problem = problem_of(SQSDeadLetters(make_queue()), records)
    assert (problem.limit, problem.seen) == ("characters", ord(character))
    assert f"U+{ord(character):04X} at position 2 of {'body' if place == 'body' else 'an attribute'}" in str(problem)
    assert proxy.requests == []


def test_the_characters_beside_those_are_sent(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    body = "\t\n\r\x20\x7f\x85\ud7ff\ue000\ufffd\U00010000\U0010ffff"
    records = failed(make_letter("m1", body))
    SQSDeadLetters(url).deliver_dead_letter(records.outcomes[0], records.batch)
    (message,) = arrived(url)
    assert message["Body"] == body


@pytest.mark.parametrize(
    ("body", "attributes", "seen"),
    [
        ("", {}, "body that is empty"),
        (None, {}, "body that is of type NoneType"),
        (b"secret", {}, "body that is of type bytes"),
        ("x", {"a": {"DataType": "String"}}, "an attribute that is of type NoneType"),
        ("x", {"a": {"DataType": "String", "StringValue": ""}}, "an attribute that is empty"),
        ("x", {"a": {"StringValue": "secret"}}, "an attribute that is of type NoneType"),
        ("x", {"a": {"DataType": "Number", "StringValue": 17}}, "an attribute that is of type int"),
        ("x", {17: {"DataType": "String", "StringValue": "secret"}}, "an attribute that is of type int"),
    ],
)
def test_what_boto3_does_not_take_is_not_sent(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any, body: Any, attributes: Any, seen: str
) -> None:
    problem = problem_of(SQSDeadLetters(make_queue()), failed(make_letter("m1", body, attributes=attributes)))
    assert problem.limit == "form"
    assert seen in str(problem)
    assert proxy.requests == []


# One among others.


@pytest.mark.parametrize(
    "bad",
    [
        {"body": "secret\x00"},
        {"body": "secret" * 200_000},
        {"body": "secret", "attributes": some_attributes(10)},
        {"body": "", "attributes": {"a": {"DataType": "String", "StringValue": "secret"}}},
    ],
)
def test_one_bad_among_ten_costs_itself_alone_and_is_not_quoted(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any, bad: dict[str, Any]
) -> None:
    url = make_queue()
    good = [make_letter(f"m{number}", f"good {number}") for number in range(9)]
    records = failed(*good[:4], make_letter("bad", **bad), *good[4:])
    problems = list(SQSDeadLetters(url).deliver_dead_letters(records.outcomes, records.batch))
    problem = problems.pop(4)
    assert problems == [None] * 9
    assert isinstance(problem, MessageLimitError)
    assert problem.identifier == "bad"
    assert "secret" not in f"{problem} {problem!r}"
    assert [message["Body"] for message in arrived(url)] == [f"good {number}" for number in range(9)]
    assert [request.entries for request in proxy.requests] == [9]


def test_a_record_that_its_source_cannot_read_costs_itself_alone(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    records = failed(make_letter("m1", unreadable="no body"), make_letter("m2", "two"))
    first, second = SQSDeadLetters(url).deliver_dead_letters(records.outcomes, records.batch)
    assert isinstance(first, LookupError)
    assert second is None
    assert [message["Body"] for message in arrived(url)] == ["two"]


def test_one_alone_raises_what_kept_it(make_queue: Fixture, failed: Fixture, make_letter: Fixture) -> None:
    records = failed(make_letter("m1", ""))
    with pytest.raises(MessageLimitError, match="body that is empty"):
        SQSDeadLetters(make_queue()).deliver_dead_letter(records.outcomes[0], records.batch)


def test_a_record_without_identity_is_named_by_its_position(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    records = failed(make_letter(None, "good"), make_letter(None, ""))
    _, problem = SQSDeadLetters(make_queue()).deliver_dead_letters(records.outcomes, records.batch)
    assert "The dead letter of record at position 1 has body that is empty" in str(problem)
