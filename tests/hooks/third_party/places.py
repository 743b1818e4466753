"""Where a raw record holds what its producer sent, for the sources that these extensions know."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any, NamedTuple

Record = Mapping[str, Any]


class Place(NamedTuple):
    """How to read the payload of a raw record, and how to make a record with another one in its place."""

    read: Callable[[Record], str]
    put: Callable[[Record, str], Record]


def _put_data(record: Record, text: str) -> Record:
    return {**record, "kinesis": {**record["kinesis"], "data": b64encode(text.encode()).decode()}}


def _put_attribute(record: Record, text: str) -> Record:
    image = {**record["dynamodb"]["NewImage"], "payload": {"S": text}}
    return {**record, "dynamodb": {**record["dynamodb"], "NewImage": image}}


PLACES = {
    "sqs": Place(lambda record: record["body"], lambda record, text: {**record, "body": text}),
    "kinesis": Place(lambda record: b64decode(record["kinesis"]["data"]).decode(), _put_data),
    "dynamodb": Place(lambda record: record["dynamodb"]["NewImage"]["payload"]["S"], _put_attribute),
}


def after(inner: Callable[[Record], Any], step: Callable[[Record], Record]) -> Callable[[Record], Any]:
    """Put a step after a preparer, which may be a coroutine function: then so is the result."""
    if not iscoroutinefunction(inner):
        return lambda record: step(inner(record))

    async def prepare(record: Record) -> Record:
        return step(await inner(record))

    return prepare
