"""The record handlers. The two libraries get the very same functions: their typed records have the same names."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64decode
from typing import Any

from benchmarks.events import POISON

WAIT_S = 0.001
"""How long a handler waits that waits a little."""


class PoisonError(Exception):
    """What a handler that fails raises."""


def nothing(record: Any) -> None:
    """Do nothing."""


def body(record: Any) -> Any:
    """Read the body of a message."""
    return record.body


def fails_on_poison(record: Any) -> None:
    """Fail on the body that is meant to fail."""
    if record.body == POISON:
        raise PoisonError("a poison message")


def payload(record: Any) -> Any:
    """Decode the JSON payload of a stream's record."""
    return record.kinesis.data_as_json()


def json_value(record: Any) -> Any:
    """Decode the JSON value of a record of Kafka."""
    return record.json_value


def image(record: Any) -> Any:
    """Deserialise the new image of an item."""
    return record.dynamodb.new_image


async def nothing_async(record: Any) -> None:
    """Do nothing, as a coroutine."""


def waits(record: Any) -> None:
    """Wait a little."""
    time.sleep(WAIT_S)


async def waits_async(record: Any) -> None:
    """Wait a little, as a coroutine."""
    await asyncio.sleep(WAIT_S)


def item_of_order(record: Any) -> Any:
    """Read the body that a model has validated."""
    return record.body.item


def fails_with_ten_kilobytes(record: Any) -> None:
    """Fail while a local variable holds 10 kB."""
    held = bytearray(10_000)
    raise PoisonError(f"failed while {len(held)} bytes were held")


def raw_body(record: dict[str, Any]) -> Any:
    """Read the body, for the bare loop."""
    return record["body"]


def raw_fails_on_poison(record: dict[str, Any]) -> None:
    """Fail on the body that is meant to fail, for the bare loop."""
    if record["body"] == POISON:
        raise PoisonError("a poison message")


async def raw_fails_on_poison_async(record: dict[str, Any]) -> None:
    """Fail on the body that is meant to fail, as a coroutine."""
    raw_fails_on_poison(record)


def raw_payload(record: dict[str, Any]) -> Any:
    """Decode the JSON payload, for the bare loop."""
    return json.loads(b64decode(record["kinesis"]["data"]))


def raw_json_value(record: dict[str, Any]) -> Any:
    """Decode the JSON value, for the bare loop."""
    return json.loads(b64decode(record["value"]))


def raw_image(record: dict[str, Any]) -> Any:
    """Read the new image as it comes: the bare loop deserialises nothing."""
    return record["dynamodb"]["NewImage"]


def raw_item_of_order(record: dict[str, Any]) -> Any:
    """Decode the order and read its item: the bare loop validates nothing."""
    return json.loads(record["body"])["item"]
