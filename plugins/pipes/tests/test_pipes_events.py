"""The events that the factories make are those of AWS, field by field."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import BatchProcessor
from batchcore_pipes.events import RabbitMQPipeEvents
from batchcore_testing import event_from, make_event, make_record

FACTORIES: dict[str, Any] = {
    "pipes-sqs": "pipes-sqs",
    "pipes-kinesis": "pipes-kinesis",
    "pipes-dynamodb": "pipes-dynamodb",
    "pipes-kafka": "pipes-kafka",
    "pipes-activemq": "pipes-mq",
    "pipes-rabbitmq": RabbitMQPipeEvents(),
}
every_factory = pytest.mark.parametrize(("name", "factory"), FACTORIES.items(), ids=FACTORIES)
CONTENT = ("headers", "NewImage", "messageAttributes")  # what a producer chooses the fields of
CHOSEN = {"pipes-dynamodb": {"Keys"}}


def shape(value: Any, skipped: set[str]) -> Any:
    """Give what fields a value has, and of what types they are."""
    if isinstance(value, dict):
        return {name: name if name in skipped else shape(inner, skipped) for name, inner in value.items()}
    return type(value).__name__


@every_factory
def test_a_record_has_the_fields_of_aws_and_no_others(name: str, factory: Any, sample: Callable[[str], Any]) -> None:
    skipped = {*CONTENT, *CHOSEN.get(name, ())}
    made = make_record(factory, {"order": 1}, sent={"key": "k"} if name == "pipes-kafka" else None)

    assert shape(made, skipped) == shape(sample(name)[0], skipped)


@every_factory
def test_an_event_is_a_bare_list_also_of_one_record(name: str, factory: Any) -> None:
    event = make_event(factory, "a")

    assert event == [make_record(factory, "a")]
    assert event_from(factory, event) == event


@pytest.mark.parametrize("name", ["pipes-kinesis", "pipes-kafka", "pipes-activemq", "pipes-rabbitmq"])
@pytest.mark.parametrize(
    ("content", "data"), [("text", b"text"), (b"\xff\x00", b"\xff\x00"), ({"order": 17}, b'{"order": 17}')]
)
def test_the_content_is_the_data(name: str, content: Any, data: bytes) -> None:
    record = make_record(FACTORIES[name], content)

    assert base64.b64decode(record["value" if name == "pipes-kafka" else "data"]) == data


def test_a_message_of_bytes_is_one_of_bytes() -> None:
    assert make_record("pipes-mq", b"x")["messageType"] == "jms/bytes-message"
    assert make_record("pipes-mq", "x")["messageType"] == "jms/text-message"


@every_factory
def test_any_field_is_overridden(name: str, factory: Any) -> None:
    assert make_event(factory, "a", eventSource="aws:other")[0]["eventSource"] == "aws:other"


@every_factory
def test_what_comes_again_says_so_where_the_service_does(name: str, factory: Any) -> None:
    first, again = (make_record(factory, "a", sent={"attempt": attempt}) for attempt in (1, 2))

    assert (first == again) is (name in ("pipes-kinesis", "pipes-dynamodb", "pipes-kafka"))


@every_factory
def test_a_batch_of_it_runs(name: str, factory: Any) -> None:
    source = factory if isinstance(factory, str) else "pipes-mq"

    assert BatchProcessor(source).run(make_event(factory, "a", "b"), str).response == {"batchItemFailures": []}


def test_records_of_two_partitions_may_have_the_same_offset() -> None:
    event = make_event("pipes-kafka", "a", "b", "c", "d", lanes=2)

    assert [(record["partition"], record["offset"]) for record in event] == [("0", 0), ("1", 0), ("0", 1), ("1", 1)]
    assert [record["eventSourceKey"] for record in event[:2]] == ["orders-0", "orders-1"]
