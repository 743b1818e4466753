"""What a processor does with a deliverer."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor, Disposition
from batchcore_deadletter import SQSDeadLetters

EVENTS = Path(__file__).resolve().parents[3] / "tests" / "events"
Fixture = Callable[..., Any]

DEAD_LETTERS: dict[type[BaseException], Disposition] = {ValueError: Disposition.DEAD_LETTER}


def refuse(record: Any) -> None:
    if record["body"] != "good":
        raise ValueError("no such customer")


@pytest.mark.parametrize("concurrency", [None, 4])
def test_records_that_failed_for_good_arrive_and_are_done(
    make_queue: Fixture, arrived: Fixture, letters: Fixture, make_letter: Fixture, concurrency: int | None
) -> None:
    url = make_queue()
    processor = BatchProcessor(
        letters(), dispositions=DEAD_LETTERS, plugins=[SQSDeadLetters(url)], max_concurrency=concurrency
    )
    bodies = ["good", *(f"bad {number:02}" for number in range(12))]
    event = {"letters": [make_letter(f"m{number}", body) for number, body in enumerate(bodies)]}
    result = processor.run(event, refuse)
    assert result.response == {"batchItemFailures": []}
    assert result.counts() == {"succeeded": 1, "dead_lettered": 12}
    assert [message["Body"] for message in arrived(url)] == bodies[1:]


def test_those_of_an_unordered_batch_are_sent_ten_at_a_time(
    make_queue: Fixture, letters: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    processor = BatchProcessor(letters(), dispositions=DEAD_LETTERS, plugins=[SQSDeadLetters(make_queue())])
    processor.run({"letters": [make_letter(f"m{number}", "bad") for number in range(12)]}, refuse)
    assert [request.entries for request in proxy.requests] == [10, 2]


def test_they_arrive_under_asyncio(
    make_queue: Fixture, arrived: Fixture, letters: Fixture, make_letter: Fixture
) -> None:
    async def refuse_later(record: Any) -> None:
        refuse(record)

    url = make_queue()
    processor = AsyncBatchProcessor(letters(), dispositions=DEAD_LETTERS, plugins=[SQSDeadLetters(url)])
    event = {"letters": [make_letter("m1", "good"), make_letter("m2", "bad")]}
    assert processor.run(event, refuse_later).counts() == {"succeeded": 1, "dead_lettered": 1}
    assert [message["Body"] for message in arrived(url)] == ["bad"]


def test_a_record_that_cannot_be_delivered_is_retried_and_logged_without_its_body(
    make_queue: Fixture, arrived: Fixture, letters: Fixture, make_letter: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    url = make_queue()
    processor = BatchProcessor(letters(), dispositions=DEAD_LETTERS, plugins=[SQSDeadLetters(url)])
    event = {"letters": [make_letter("m1", "secret\x00"), make_letter("m2", "bad")]}
    with caplog.at_level(logging.WARNING, logger="batchcore"):
        result = processor.run(event, refuse)
    assert result.response == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert [message["Body"] for message in arrived(url)] == ["bad"]
    assert "U+0000 at position 6 of body" in caplog.text
    assert "secret" not in caplog.text


def test_records_of_a_stream_arrive_as_json(make_queue: Fixture, arrived: Fixture) -> None:
    url = make_queue()
    event = json.loads((EVENTS / "kinesisStreamEvent.json").read_text())

    def fails(record: Any) -> None:
        raise ValueError("no such customer")

    processor = BatchProcessor("kinesis", dispositions=DEAD_LETTERS, plugins=[SQSDeadLetters(url)])
    assert processor.run(event, fails).response == {"batchItemFailures": []}
    assert [json.loads(message["Body"]) for message in arrived(url)] == event["Records"]


def test_a_message_of_a_queue_arrives_as_it_was_sent(make_queue: Fixture, arrived: Fixture) -> None:
    url = make_queue(".fifo")
    record = {
        "messageId": "m1",
        "body": "bad",
        "attributes": {"MessageGroupId": "ann"},
        "messageAttributes": {
            "trace": {"stringValue": "1-5759e988", "dataType": "String", "stringListValues": []},
            "image": {"binaryValue": "AP+A", "dataType": "Binary", "binaryListValues": []},
        },
    }
    processor = BatchProcessor("sqs", dispositions=DEAD_LETTERS, plugins=[SQSDeadLetters(url)])
    assert processor.run({"Records": [record]}, refuse).counts() == {"dead_lettered": 1}
    (message,) = arrived(url)
    assert message["Body"] == "bad"
    assert message["Attributes"]["MessageGroupId"] == "ann"
    assert message["MessageAttributes"] == {
        "trace": {"DataType": "String", "StringValue": "1-5759e988"},
        "image": {"DataType": "Binary", "BinaryValue": b"\x00\xff\x80"},
        "DeadLetterReason": {"DataType": "String", "StringValue": "ValueError: no such customer"},
        "DeadLetterIdentifier": {"DataType": "String", "StringValue": "m1"},
    }
