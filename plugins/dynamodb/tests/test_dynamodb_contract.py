"""The source for DynamoDB Streams keeps the contract of a source: with tumbling windows and without."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore_dynamodb import DynamoDBSource, DynamoDBStreams
from batchcore_testing import SourceContract, make_event

WINDOW = {
    "window": {"start": "2027-01-15T08:00:00Z", "end": "2027-01-15T08:02:00Z"},
    "state": {},
    "shardId": "shardId-000000000000",
    "eventSourceARN": "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/stream/2026-01-01T00:00:00.000",
    "isFinalInvokeForWindow": False,
    "isWindowTerminatedEarly": False,
}


def records(count: int) -> Any:
    """Make an event of records of two items."""
    return make_event("dynamodb", *({"order": 1000 + number} for number in range(count)), lanes=2)


class TestStream(SourceContract):
    @pytest.fixture
    def source(self) -> DynamoDBSource:
        return DynamoDBStreams

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return records


class TestTumblingWindow(TestStream):
    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: {**records(count), **WINDOW}
