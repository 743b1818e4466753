"""Context variables: records see the caller's, and none sees another's."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    by_key,
    hookimpl,
    in_order,
)
from tests.batches import batch_of, failed, handle, logger_with
from tests.drivers import Way

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


def keys_of_records(seen: list[tuple[Any, Any]]) -> Callable[[Any], Any]:
    """A handler that binds a key to the log, as structlog's context variables do."""

    def handler(record: Any) -> str:
        seen.append((record["body"], VARIABLE.get()))
        VARIABLE.set(record["body"])
        return handle(record)

    return handler


@pytest.mark.parametrize("ordering", [None, in_order(on_failure="continue"), by_key(lambda record: "lane")])
def test_what_a_record_sets_is_seen_by_no_other_record_nor_after_the_batch(way: Way, ordering: Any) -> None:
    bodies = ("a", "b", "c") if ordering is not None and ordering.stops else ("a", "bad", "c")
    seen: list[tuple[Any, Any]] = []

    def batch() -> None:
        VARIABLE.set("caller's")
        way(batch_of(*bodies), keys_of_records(seen), ordering=ordering)
        assert VARIABLE.get() == "caller's"

    contextvars.copy_context().run(batch)
    assert sorted(seen) == [(body, "caller's") for body in sorted(bodies)]


def test_hooks_of_a_record_see_what_its_handler_has_set(driver: Way) -> None:
    seen: list[tuple[str, Any, Any]] = []

    class Watches:
        @hookimpl
        def record_finished(self, outcome: Any) -> None:
            seen.append(("record_finished", outcome.record["body"], VARIABLE.get()))

    class Lines(logging.Handler):
        def emit(self, record: Any) -> None:
            if record.levelno == logging.WARNING:
                seen.append(("line", "bad", VARIABLE.get()))

    processor = driver.processor(plugins=[Watches()], logger=logger_with(Lines()))
    processor.failure_handler = lambda record, info: seen.append(("failure_handler", record["body"], VARIABLE.get()))  # type: ignore[method-assign, assignment, func-returns-value, return-value]
    processor.success_handler = lambda record, result: seen.append(("success_handler", record["body"], VARIABLE.get()))  # type: ignore[method-assign, assignment, func-returns-value, return-value]
    driver.call(processor, batch_of("a", "bad"), keys_of_records([]))
    assert sorted(seen) == [
        ("failure_handler", "bad", "bad"),
        ("line", "bad", "bad"),
        ("record_finished", "a", "a"),
        ("record_finished", "bad", "bad"),
        ("success_handler", "a", "a"),
    ]


def test_what_an_observer_sets_when_the_batch_starts_is_seen_by_every_record(driver: Way) -> None:
    seen: list[Any] = []

    class Binds:
        @hookimpl
        def batch_started(self) -> None:
            VARIABLE.set("the batch's")

    def batch() -> None:
        driver(batch_of("a", "b"), lambda record: seen.append(VARIABLE.get()), plugins=[Binds()])

    contextvars.copy_context().run(batch)
    assert seen == ["the batch's"] * 2


@pytest.mark.parametrize("make", [NeverCompared, EqualToAll])
def test_values_that_cannot_be_told_apart_cost_no_record(driver: Way, make: Callable[[], object]) -> None:
    """A value of the caller's that a handler replaces is compared with the new one, which may be an array."""
    seen: list[object] = []

    def handler(record: Any) -> None:
        seen.append(VARIABLE.get())
        VARIABLE.set(make())

    def call() -> Any:
        VARIABLE.set(make())
        return driver(batch_of("a", "b", "c"), handler)

    response = contextvars.copy_context().run(call)
    assert failed(response) == []
    assert len(seen) == 3


class ExitsWhenCompared:
    def __eq__(self, other: object) -> bool:
        raise SystemExit(3)

    __hash__ = None  # type: ignore[assignment]


def test_value_that_exits_when_it_is_compared_costs_no_record(driver: Way) -> None:
    def call() -> Any:
        VARIABLE.set(ExitsWhenCompared())
        return driver(batch_of("a", "b"), lambda record: VARIABLE.set(ExitsWhenCompared()))

    assert failed(contextvars.copy_context().run(call)) == []
