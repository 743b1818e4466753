"""Cancelling a batch ends its handlers and propagates; what a handler does to its own task costs itself alone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    hookimpl,
    in_order,
)
from tests.batches import PATIENCE, awaiting, batch_of, failed, handle


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Let coroutines that were broken off go here: Python 3.11 fails to compile what is imported while they do."""
    yield
    gc.collect()


def test_cancelling_propagates_and_ends_the_handlers() -> None:
    started, ended, later = [], [], []
    both = asyncio.Event()

    async def handler(record: Any) -> None:
        started.append(record["body"])
        if len(started) == 2:
            both.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            ended.append(record["body"])
            raise
        later.append(record["body"])

    async def main() -> None:
        processor = AsyncBatchProcessor("sqs", max_concurrency=2)
        task = asyncio.create_task(processor.arun(batch_of("a", "b", "c", "d"), handler))
        await asyncio.wait_for(both.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (sorted(started), sorted(ended), later) == (["a", "b"], ["a", "b"], [])
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_timeout_round_a_batch_ends_it() -> None:
    async def main() -> None:
        async def handler(record: Any) -> None:
            await asyncio.get_running_loop().create_future()

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(AsyncBatchProcessor("sqs").arun(batch_of("a", "b"), handler), 0.01)

    asyncio.run(main())


@pytest.mark.parametrize("swallow", [True, False])
def test_cancelled_batch_starts_no_record_more_whatever_a_handler_makes_of_it(swallow: bool) -> None:
    started: list[str] = []

    inside = asyncio.Event()

    async def handler(record: Any) -> None:
        started.append(record["body"])
        inside.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            if not swallow:
                raise ValueError from None

    async def main() -> None:
        processor = AsyncBatchProcessor("sqs", ordering=in_order(on_failure="continue"))
        task = asyncio.create_task(processor.arun(batch_of("a", "b", "c"), handler))
        await asyncio.wait_for(inside.wait(), PATIENCE)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=PATIENCE / 4)
        assert done, "it waits for a record that should not have started"
        assert task.cancelled()

    asyncio.run(main())
    assert started == ["a"]


def test_interrupted_batch_starts_no_record_more_even_where_a_handler_swallows_its_end() -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    def interrupt() -> None:
        raise Interrupted

    started: list[str] = []

    async def handler(record: Any) -> None:
        started.append(record["body"])
        asyncio.get_running_loop().call_soon(interrupt)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()

    for ordering in (in_order(on_failure="continue"), None):
        started.clear()
        processor = AsyncBatchProcessor("sqs", max_concurrency=1, ordering=ordering)
        with pytest.raises(Interrupted):
            processor.run(batch_of("a", "b", "c"), handler)
        assert started == ["a"]


def test_after_a_cancelled_batch_the_processor_is_as_good_as_new() -> None:
    async def main() -> None:
        async def handler(record: Any) -> None:
            await asyncio.get_running_loop().create_future()

        processor = AsyncBatchProcessor("sqs")
        task = asyncio.create_task(processor.arun(batch_of("a", "b"), handler))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert failed((await processor.arun(batch_of("a", "bad"), awaiting(handle))).response) == ["m1"]

    asyncio.run(main())


def test_context_manager_in_a_cancelled_task_reports_what_had_not_finished() -> None:
    responses: list[Any] = []
    quick: list[str] = []
    over = asyncio.Event()

    async def handler(record: Any) -> None:
        if record["body"] == "slow":
            await asyncio.get_running_loop().create_future()
        quick.append(record["messageId"])
        if len(quick) == 2:
            over.set()

    async def main() -> None:
        processor = AsyncBatchProcessor("sqs")

        async def batch() -> None:
            try:
                with processor(batch_of("quick", "slow", "quick")["Records"], handler):
                    await processor.aprocess()
            finally:
                responses.append(failed(processor.response()))

        task = asyncio.create_task(batch())
        await asyncio.wait_for(over.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert responses == [["m1"]]


def test_handler_that_cancels_its_own_task_costs_its_record() -> None:
    async def handler(record: Any) -> None:
        if record["body"] == "bad":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        await asyncio.sleep(0)

    result = AsyncBatchProcessor("sqs").run(batch_of("a", "bad", "c", "d"), handler)
    assert failed(result.response) == ["m1"]
    assert result.outcomes[1].status == "failed"
    assert isinstance(result.outcomes[1].exception, asyncio.CancelledError)


@pytest.mark.parametrize("cancels", ["a", "b", "d"])
@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("in_loop", [True, False])
def test_handler_that_cancels_its_own_task_and_returns_costs_nobody_else(
    cancels: str, waits: bool, limit: int, in_loop: bool
) -> None:
    async def handler(record: Any) -> None:
        if waits:
            await asyncio.sleep(0)
        if record["body"] == cancels:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            return
        await asyncio.sleep(0)

    processor = AsyncBatchProcessor("sqs", max_concurrency=limit)
    if in_loop:
        result = asyncio.run(processor.arun(batch_of(*"abcd"), handler))
    else:
        result = processor.run(batch_of(*"abcd"), handler)
    assert failed(result.response) == []


def test_timeout_inside_a_handler_costs_its_record() -> None:
    async def handler(record: Any) -> None:
        if record["body"] == "slow":
            await asyncio.wait_for(asyncio.get_running_loop().create_future(), 0.001)

    processor = AsyncBatchProcessor("sqs")
    assert failed(processor.run(batch_of("a", "slow", "c"), handler).response) == ["m1"]
    assert processor.exceptions[0][0] is asyncio.TimeoutError


def test_interrupt_finds_a_handler_that_has_cancelled_its_own_task() -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    def interrupt() -> None:
        raise Interrupted

    started: list[str] = []

    async def handler(record: Any) -> None:
        started.append(record["body"])
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        asyncio.get_running_loop().call_soon(interrupt)

    processor = AsyncBatchProcessor("sqs", max_concurrency=1)
    with pytest.raises(Interrupted):
        processor.run(batch_of("a", "b"), handler)
    assert started == ["a"]
    assert failed(processor.response()) == ["m1"]


def test_whoever_goes_on_waiting_for_an_interrupted_batch_hears_of_it() -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    async def handler(record: Any) -> None:
        await asyncio.sleep(0)
        raise Interrupted

    loop = asyncio.new_event_loop()
    processor = AsyncBatchProcessor("sqs")
    task = loop.create_task(processor.arun(batch_of("a"), handler))
    for _ in range(2):
        with pytest.raises(Interrupted):
            loop.run_until_complete(task)
    loop.close()


def test_batch_that_is_thrown_away_with_its_loop_is_no_success() -> None:
    ended: list[str] = []
    told: list[str] = []

    class Watch:
        @hookimpl
        def record_finished(self, outcome: Any) -> None:
            told.append(outcome.status)

    both = asyncio.Event()

    async def handler(record: Any) -> None:
        if record["body"] == "b":
            both.set()
        try:
            await asyncio.get_running_loop().create_future()
        except GeneratorExit:
            ended.append(record["body"])
            raise

    async def main() -> list[asyncio.Task[Any]]:
        tasks = [asyncio.create_task(AsyncBatchProcessor("sqs", plugins=[Watch()]).arun(batch_of("a", "b"), handler))]
        await asyncio.wait_for(both.wait(), PATIENCE)
        return [*tasks, *(task for task in asyncio.all_tasks() if task is not asyncio.current_task())]

    loop = asyncio.new_event_loop()
    for task in loop.run_until_complete(main()):
        coroutine: Any = task.get_coro()
        coroutine.close()  # as when it is collected
        task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    assert sorted(ended) == ["a", "b"]
    assert told == []
