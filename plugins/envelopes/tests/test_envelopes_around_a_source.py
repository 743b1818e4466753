"""A source keeps the contract with ``UserRecords`` round it, which changes nothing that is not aggregated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore_kinesis import KinesisDataStreams, KinesisSource
from batchcore_testing import SourceContract, make_event


class TestStreamWithUserRecords(SourceContract):
    @pytest.fixture(autouse=True)
    def _every_processor_has_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BATCHCORE_PLUGINS", "user-records")

    @pytest.fixture
    def source(self) -> KinesisSource:
        return KinesisDataStreams

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: make_event("kinesis", *({"order": 1000 + number} for number in range(count)), lanes=2)
