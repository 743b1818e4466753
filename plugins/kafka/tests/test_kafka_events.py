"""The events that the factory makes are those of AWS, field by field."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from batchcore_kafka import KafkaRecord
from batchcore_kafka.events import KafkaEvents, SelfManagedKafkaEvents, signed_headers
from batchcore_testing import event_from, make_event, make_record


def shape(value: Any) -> Any:
    """Give what fields a value has, and of what types they are."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize(
    ("name", "factory"),
    [("kafkaEventMsk", KafkaEvents()), ("kafkaEventSelfManaged", SelfManagedKafkaEvents()), ("kafkaEventMsk", "kafka")],
)
def test_an_event_has_the_fields_of_aws_and_no_others(sample: Callable[[str], Any], name: str, factory: Any) -> None:
    expected = sample(name)
    headers = signed_headers([("headerKey", b"headerValue")])
    record = make_record(
        factory, {"key": "value"}, sent={"key": "k", "resource": "mytopic", "sequence": 15}, headers=headers
    )
    made = event_from(factory, [record])

    assert shape(made) == shape(expected)
    assert list(made["records"]) == list(expected["records"])
    assert made["records"]["mytopic-0"][0]["headers"] == expected["records"]["mytopic-0"][0]["headers"]


@pytest.mark.parametrize(
    ("content", "value"), [("text", b"text"), (b"\xff\x00", b"\xff\x00"), ({"order": 17}, b'{"order": 17}'), ("", b"")]
)
def test_the_content_is_the_value(content: Any, value: bytes) -> None:
    assert base64.b64decode(make_record("kafka", content)["value"]) == value


def test_none_is_a_tombstone_and_no_key_is_none() -> None:
    record = make_record("kafka", None)

    assert "value" not in record
    assert "key" not in record
    assert KafkaRecord(record).decoded_value is None


def test_bytes_of_headers_are_signed_in_their_order_and_may_be_null() -> None:
    assert signed_headers([("a", b"v\xdc\x00\x7f\x80"), ("a", None), ("", b"")]) == [
        {"a": [118, -36, 0, 127, -128]},
        {"a": None},
        {"": []},
    ]


def test_records_stand_under_their_partitions_which_count_by_themselves() -> None:
    event = make_event("kafka", *"abcde", lanes=2)

    assert {name: [record["offset"] for record in records] for name, records in event["records"].items()} == {
        "orders-0": [0, 1, 2],
        "orders-1": [0, 1],
    }
