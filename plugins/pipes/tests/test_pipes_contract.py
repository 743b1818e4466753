"""The sources of pipes keep the contract of a source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore_pipes import PipesDynamoDB, PipesKafka, PipesKinesis, PipesMQ, PipesSQS
from batchcore_pipes.events import RabbitMQPipeEvents
from batchcore_testing import SourceContract, make_event


def listed(source: object, count: int, *, lanes: int = 0, resource: str = "orders") -> Any:
    """Make an event with records of a pipe, each another order."""
    orders = ({"order": 1000 + number} for number in range(count))
    return make_event(source, *orders, lanes=lanes, sent={"resource": resource})


class TestQueue(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return PipesSQS

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: listed("pipes-sqs", count)


class TestFifoQueue(TestQueue):
    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: listed("pipes-sqs", count, lanes=2, resource="orders.fifo")


class TestKinesis(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return PipesKinesis

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: listed("pipes-kinesis", count, lanes=2)


class TestDynamoDB(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return PipesDynamoDB

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: listed("pipes-dynamodb", count, lanes=2)


class TestKafka(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return PipesKafka

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: listed("pipes-kafka", count, lanes=2)


class TestActiveMQ(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return PipesMQ

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: listed("pipes-mq", count)


class TestRabbitMQ(TestActiveMQ):
    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: listed(RabbitMQPipeEvents(), count)
