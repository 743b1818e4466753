"""What a handler gives to be run later has not been done: awaitables and generators that nobody runs."""

from __future__ import annotations

import asyncio
import functools
import types
from collections.abc import Callable, Generator
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    HandlerSignatureError,
    UnawaitedResultError,
)
from tests.batches import Handler, batch_of, failed
from tests.drivers import ASYNC_WAYS, SYNC_WAYS, THREAD_WAYS, Way, name_of


async def nothing() -> None:
    """Do nothing, when awaited."""


class Later:
    """Awaitable, and nothing else."""

    def __await__(self) -> Generator[Any, None, None]:
        yield from ()


@types.coroutine
def old_style() -> Generator[None, None, None]:
    yield


def generating(record: Any = None) -> Generator[int, None, None]:
    yield 1


async def generating_async(record: Any = None) -> Any:
    yield 1


NOT_RUN: dict[str, Callable[[], Any]] = {
    "coroutine": nothing,
    "object": Later,
    "generator-based coroutine": old_style,
    "future": lambda: asyncio.Future(loop=LOOP),
    "generator": generating,
    "asynchronous generator": generating_async,
}
LOOP = asyncio.new_event_loop()
LOOP.close()


@pytest.mark.parametrize("kind", NOT_RUN)
@pytest.mark.parametrize("way", [*SYNC_WAYS, *THREAD_WAYS], ids=name_of)
def test_plain_handler_that_returns_an_awaitable_has_failed(way: Way, kind: str) -> None:
    processor = way.processor()
    response = way.call(processor, batch_of("a", "bad", "c"), lambda r: NOT_RUN[kind]() if r["body"] == "bad" else 1)
    assert failed(response) == ["m1"]
    assert [error for error, _, _ in processor.exceptions] == [UnawaitedResultError]
    assert "AsyncBatchProcessor" in str(processor.exceptions[0][1])


@pytest.mark.parametrize("kind", NOT_RUN)
@pytest.mark.parametrize("way", [way for way in ASYNC_WAYS if way.name != "plain handler"], ids=name_of)
def test_async_handler_that_gives_an_awaitable_instead_of_awaiting_it_has_failed(way: Way, kind: str) -> None:
    response = way(batch_of("a", "bad", "c"), lambda record: NOT_RUN[kind]() if record["body"] == "bad" else 1)
    assert failed(response) == ["m1"]


@pytest.mark.parametrize("kind", ["coroutine", "object"])
def test_async_processor_awaits_what_a_plain_handler_gives(kind: str) -> None:
    awaited: list[int] = []

    async def work() -> str:
        awaited.append(1)
        return "worked"

    class Work:
        def __await__(self) -> Generator[Any, None, str]:
            return work().__await__()

    make: Callable[[], Any] = {"coroutine": work, "object": Work}[kind]
    result = AsyncBatchProcessor("sqs").run(batch_of("a", "b"), lambda record: make())
    assert result.return_values == ["worked", "worked"]
    assert awaited == [1, 1]


@pytest.mark.parametrize("handler", [generating, generating_async, functools.partial(generating)])
def test_generator_function_as_a_handler_is_refused(way: Way, handler: Handler) -> None:
    with pytest.raises(HandlerSignatureError, match="has a yield in it, so calling it runs nothing"):
        way.processor().run(batch_of("a", "b"), handler)
