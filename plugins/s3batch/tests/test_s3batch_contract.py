"""The source for S3 Batch Operations keeps the contract of a source, in both schemas of its events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore_s3batch import S3Batch, S3BatchSource
from batchcore_s3batch.events import S3BatchEvents
from batchcore_testing import SourceContract, make_event


class TestSchema1(SourceContract):
    @pytest.fixture
    def source(self) -> S3BatchSource:
        return S3Batch

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda count: make_event("s3batch", *(f"orders/{number} \u00e4.json" for number in range(count)))


class TestSchema2(TestSchema1):
    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        events = S3BatchEvents("2.0", {"target": "archive"})
        return lambda count: make_event(events, *({"origKey": f"{number}.json"} for number in range(count)))
