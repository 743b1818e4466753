"""Context variables: records see the caller's, and none sees another's."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
)

from .support import Way, batch_of, failed

VARIABLE: contextvars.ContextVar[Any] = contextvars.ContextVar("variable", default="unset")


class NeverCompared:
    """A value whose comparison is an error, as an array's is."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("ambiguous")

    __hash__ = None  # type: ignore[assignment]


class EqualToAll:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


@pytest.mark.parametrize("make", [object, NeverCompared, EqualToAll])
@pytest.mark.parametrize("waits", ["before", "after", "both", "never"])
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_no_record_sees_the_context_variables_that_another_has_set(
    make: Callable[[], object], waits: str, limit: int
) -> None:
    outside = make()
    seen: list[bool] = []

    async def handler(record: Any) -> None:
        if waits in ("before", "both"):
            await asyncio.sleep(0)
        seen.append(VARIABLE.get() is outside)
        VARIABLE.set(make())
        if waits in ("after", "both"):
            await asyncio.sleep(0)

    def batch() -> None:
        VARIABLE.set(outside)
        processor = AsyncBatchProcessor("sqs", max_concurrency=limit)
        assert failed(processor.run(batch_of(*"abcdef"), handler).response) == []
        assert VARIABLE.get() is outside

    contextvars.copy_context().run(batch)
    assert seen == [True] * 6


def test_records_see_the_context_variables_of_the_caller(driver: Way) -> None:
    seen: list[Any] = []

    def batch() -> None:
        VARIABLE.set("caller's")
        driver(batch_of("a", "b"), lambda record: seen.append(VARIABLE.get()))

    contextvars.copy_context().run(batch)
    assert seen == ["caller's"] * 2


def test_handler_that_waits_has_its_own_context_throughout() -> None:
    seen: list[bool] = []

    async def handler(record: Any) -> None:
        VARIABLE.set(record["body"])
        for _ in range(3):
            await asyncio.sleep(0)
            seen.append(VARIABLE.get() == record["body"])

    AsyncBatchProcessor("sqs").run(batch_of(*"abc"), handler)
    assert seen == [True] * 9
