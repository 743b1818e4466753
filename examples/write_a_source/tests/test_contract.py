from collections.abc import Callable
from typing import Any

import pytest
from batchcore_testing import SourceContract, make_event

from acme_kafka import KafkaSource


class TestKafkaSource(SourceContract):
    @pytest.fixture
    def source(self) -> KafkaSource:
        return KafkaSource()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda n: make_event("acme-kafka", *range(n), lanes=2)  # in two partitions
