"""The source for SQS keeps the contract of a source: standard queues and FIFO queues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore.testing import SourceContract, event_of, make_record
from batchcore_sqs import SQSSource, source


def messages(count: int, **sent: Any) -> Any:
    """Make an event of messages of two groups, or of none."""
    groups = ("customer-1", "customer-2") if sent else (None, None)
    return event_of(
        "sqs",
        [
            make_record(
                "sqs",
                {"order": 1000 + number, "customer": f"customer-{number % 2}"},
                sent={"number": number + 1, "sequence": number, "key": groups[number % 2], **sent},
            )
            for number in range(count)
        ],
    )


class TestStandardQueue(SourceContract):
    @pytest.fixture
    def source(self) -> SQSSource:
        return source

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return messages


class TestFifoQueue(TestStandardQueue):
    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: messages(count, resource="orders.fifo")


class TestFairQueue(TestStandardQueue):
    """A standard queue whose messages have groups, which order nothing."""

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: messages(count, resource="orders")
