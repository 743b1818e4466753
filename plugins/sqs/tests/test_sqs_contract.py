"""The source for SQS keeps the contract of a source: standard queues and FIFO queues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore_sqs import SQS, SQSSource
from batchcore_testing import SourceContract, make_event


def messages(count: int, *, groups: int = 0, queue: str = "orders") -> Any:
    """Make an event of messages, each another order."""
    orders = ({"order": 1000 + number} for number in range(count))
    return make_event("sqs", *orders, lanes=groups, sent={"resource": queue})


class TestStandardQueue(SourceContract):
    @pytest.fixture
    def source(self) -> SQSSource:
        return SQS

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return messages


class TestFifoQueue(TestStandardQueue):
    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: messages(count, groups=2, queue="orders.fifo")


class TestFairQueue(TestStandardQueue):
    """A standard queue whose messages have groups, which order nothing."""

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: messages(count, groups=2)
