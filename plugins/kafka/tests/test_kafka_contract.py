"""The source for Kafka keeps the contract of a source: in stream mode and in queue mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore_kafka import Kafka, KafkaSource
from batchcore_kafka.events import KafkaEvents, SelfManagedKafkaEvents
from batchcore_testing import SourceContract, make_event
from batchcore_testing.services import KAFKA_QUEUE, Service


class TestStream(SourceContract):
    @pytest.fixture
    def source(self) -> KafkaSource:
        return Kafka

    @pytest.fixture
    def event_factory(self) -> KafkaEvents:
        return KafkaEvents()

    @pytest.fixture
    def event_of(self, event_factory: KafkaEvents) -> Callable[[int], Any]:
        """Records of two partitions."""
        return lambda count: make_event(event_factory, *({"order": 1000 + n} for n in range(count)), lanes=2)


class TestQueue(TestStream):
    """In queue mode, which no event tells. It is of clusters of one's own."""

    @pytest.fixture
    def source(self) -> KafkaSource:
        return KafkaSource(mode="queue")

    @pytest.fixture
    def event_factory(self) -> KafkaEvents:
        return SelfManagedKafkaEvents()

    @pytest.fixture
    def service(self) -> Service:
        return KAFKA_QUEUE
