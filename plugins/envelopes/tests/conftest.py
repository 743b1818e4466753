"""What the tests share: the sample events, aggregated records, and services of AWS on a local server."""

from __future__ import annotations

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from batchcore_local.server import LocalAws, local_aws

EVENTS = Path(__file__).resolve().parents[3] / "tests" / "events"


@pytest.fixture(scope="session")
def sample() -> Callable[[str], dict[str, Any]]:
    """Give the function that reads a sample event, a new one at each call."""

    def read(name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
        return event

    return read


@pytest.fixture(scope="session")
def written_by_aws() -> dict[str, bytes]:
    """The data of aggregated records that AWS's own library for Python, aws-kinesis-agg 1.2.3, has written."""
    written = json.loads(Path(__file__).with_name("aggregates.json").read_text(encoding="utf-8"))
    return {name: b64decode(each["data"]) for name, each in written.items()}


def varint(number: int) -> bytes:
    written = b""
    while number > 127:
        written += bytes([number & 127 | 128])
        number >>= 7
    return written + bytes([number])


def field(number: int, value: int | bytes) -> bytes:
    """Write a field of Protocol Buffers."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def sealed(message: bytes) -> bytes:
    """Put what is around a message of the Kinesis Producer Library around any message."""
    return b"\xf3\x89\x9a\xc2" + message + hashlib.md5(message, usedforsecurity=False).digest()


def aggregate(*records: tuple[Any, ...]) -> bytes:
    """Aggregate records: partition key, data and, of some, an explicit hash key."""
    keys = list(dict.fromkeys(record[0] for record in records))
    hash_keys = list(dict.fromkeys(record[2] for record in records if len(record) > 2))
    message = b"".join(field(1, key.encode()) for key in keys)
    message += b"".join(field(2, key.encode()) for key in hash_keys)
    for key, data, *rest in records:
        own = field(1, keys.index(key))
        own += b"".join(field(2, hash_keys.index(each)) for each in rest)
        message += field(3, own + field(3, data))
    return sealed(message)


class Kpl(NamedTuple):
    """Writes what the Kinesis Producer Library writes, and what it does not."""

    aggregate: Callable[..., bytes] = aggregate
    field: Callable[[int, int | bytes], bytes] = field
    sealed: Callable[[bytes], bytes] = sealed


@pytest.fixture(scope="session")
def kpl() -> Kpl:
    return Kpl()


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """Run one local server for the tests of a file."""
    with local_aws() as connection:
        yield connection


@pytest.fixture
def _aws_environment(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send the clients that are made by the code under test to the local server."""
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
