"""The source for Firehose keeps the contract of a source, whatever its stream gets its records from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore_firehose import Firehose, FirehoseSource
from batchcore_firehose.events import FirehoseEvents
from batchcore_testing import SourceContract, make_event


def orders(count: int) -> list[Any]:
    return [{"order": 1000 + number} for number in range(count)]


class TestDirectPut(SourceContract):
    @pytest.fixture
    def source(self) -> FirehoseSource:
        return Firehose

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: make_event("firehose", *orders(count))


class TestKinesis(TestDirectPut):
    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: make_event(FirehoseEvents("kinesis"), *orders(count), lanes=2)


class TestMSK(TestDirectPut):
    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: make_event(FirehoseEvents("msk"), *orders(count), lanes=2)


class TestWithoutArn(TestDirectPut):
    """An event that a tool made, which names no stream."""

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        def event_of(count: int) -> Any:
            event = make_event("firehose", *orders(count))
            return {name: value for name, value in event.items() if name != "deliveryStreamArn"}

        return event_of
