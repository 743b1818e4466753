"""Tasks that an async handler starts and does not await: they are told of, by name."""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor
from tests.batches import batch_of

shows_contexts = pytest.mark.skipif(sys.version_info < (3, 12), reason="Python shows no context of a task before 3.12")


class Starts:
    """A handler that starts tasks and keeps them."""

    def __init__(self, tasks: int = 1) -> None:
        self.tasks = tasks
        self.kept: list[asyncio.Task[None]] = []

    async def __call__(self, record: Any) -> None:
        for _ in range(self.tasks):
            self.kept.append(asyncio.create_task(write()))

    async def awaiting(self, record: Any) -> None:
        await self(record)
        await asyncio.gather(*self.kept)

    def end(self) -> None:
        loop = self.kept[0].get_loop()
        if not loop.is_closed():
            loop.run_until_complete(asyncio.gather(*self.kept))


async def write() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.parametrize("limit", [1, 100])
def test_task_that_a_handler_left_is_told_of_by_name(limit: int, caplog: pytest.LogCaptureFixture) -> None:
    handler = Starts()
    AsyncBatchProcessor("sqs", max_concurrency=limit).run(batch_of("a", "b"), handler)
    (line,) = lines(caplog)
    assert line.startswith(
        "Handlers of sqs returned before 2 tasks had ended that they had started: write (test_tasks_"
    )
    assert caplog.records[-1].tasks_left == [line.partition("write")[1] + line.partition("write")[2].split(",")[0]] * 2  # type: ignore[attr-defined]
    handler.end()


def test_many_tasks_are_a_short_line(caplog: pytest.LogCaptureFixture) -> None:
    handler = Starts(tasks=500)
    AsyncBatchProcessor("sqs").run(batch_of("a"), handler)
    (line,) = lines(caplog)
    assert "500 tasks" in line
    assert ", and 490 more." in line
    assert len(line) < 1_500
    handler.end()


def test_task_that_is_awaited_is_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    AsyncBatchProcessor("sqs").run(batch_of("a", "b"), Starts().awaiting)
    assert lines(caplog) == []


def test_task_of_an_earlier_batch_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    handler, processor = Starts(), AsyncBatchProcessor("sqs")

    async def does_nothing(record: Any) -> None:
        """Leave nothing."""

    processor.run(batch_of("a"), handler)
    processor.run(batch_of("a"), does_nothing)
    assert len(lines(caplog)) == 1
    handler.end()


@shows_contexts
def test_task_is_told_of_inside_a_running_loop(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        handler = Starts()
        await AsyncBatchProcessor("sqs").arun(batch_of("a"), handler)
        await asyncio.gather(*handler.kept)

    asyncio.run(main())
    assert len(lines(caplog)) == 1


def test_tasks_of_the_rest_of_the_program_are_not_told_of(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        started = asyncio.Event()
        others: list[Any] = []

        async def serve() -> None:
            await started.wait()
            others.append(asyncio.create_task(write()))

        async def handler(record: Any) -> None:
            started.set()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

        serving = asyncio.create_task(serve())
        await asyncio.sleep(0)
        await AsyncBatchProcessor("sqs").arun(batch_of("a"), handler)
        await asyncio.gather(serving, *others)

    asyncio.run(main())
    assert lines(caplog) == []


def test_record_counts_as_done() -> None:
    handler = Starts()
    result = AsyncBatchProcessor("sqs").run(batch_of("a"), handler)
    assert result.failures == []
    handler.end()


def test_name_of_a_task_is_told_and_one_that_was_cancelled_is_not(caplog: pytest.LogCaptureFixture) -> None:
    kept: list[asyncio.Task[None]] = []

    async def handler(record: Any) -> None:
        kept.append(asyncio.create_task(write(), name="job 1"))
        cancelled = asyncio.create_task(write())
        cancelled.cancel()
        kept.append(cancelled)

    AsyncBatchProcessor("sqs").run(batch_of("a"), handler)
    (line,) = lines(caplog)
    assert "job 1: write (test_tasks_left.py" in line
    assert ("a task had ended" in line) or sys.version_info < (3, 11)
    kept[0].get_loop().run_until_complete(asyncio.gather(*kept, return_exceptions=True))
