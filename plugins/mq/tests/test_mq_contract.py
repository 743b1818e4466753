"""The sources for Amazon MQ keep the contract of a source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore_mq import ActiveMQ, ActiveMQSource, RabbitMQ, RabbitMQSource
from batchcore_mq.events import RabbitMQEvents
from batchcore_testing import SourceContract, make_event


def orders(count: int) -> list[dict[str, int]]:
    return [{"order": 1000 + number} for number in range(count)]


class TestActiveMQ(SourceContract):
    @pytest.fixture
    def source(self) -> ActiveMQSource:
        return ActiveMQ

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: make_event("activemq", *orders(count), lanes=2)


class TestActiveMQByItsOtherName(TestActiveMQ):
    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: {**make_event("activemq", *orders(count), lanes=2), "eventSource": "aws:amq"}


class TestMessagesWithOneId(TestActiveMQ):
    """As in AWS's samples."""

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: make_event("activemq", *orders(count), messageID="ID:one")


class TestRabbitMQ(SourceContract):
    @pytest.fixture
    def source(self) -> RabbitMQSource:
        return RabbitMQ

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: make_event("rabbitmq", *orders(count))


class TestTwoQueues(TestRabbitMQ):
    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        def event(count: int) -> Any:
            made = make_event("rabbitmq", *orders(count))
            other = make_event(RabbitMQEvents("others", "/"), *orders(count))
            (messages,), (name,) = made["rmqMessagesByQueue"].values(), other["rmqMessagesByQueue"]
            made["rmqMessagesByQueue"] = {"orders::/": messages[: count // 2], name: messages[count // 2 :]}
            return made

        return event
