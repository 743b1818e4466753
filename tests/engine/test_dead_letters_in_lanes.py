"""Dead letters of a stream whose lanes run side by side: each waits until everything before it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor, DeadLetterRecord, StopBatch, by_key, hookimpl
from batchcore_sqs import SQS
from tests.batches import PATIENCE, batch_of, failed
from tests.clocks import MARGIN, Nearly

EACH_A_LANE = by_key(lambda record: record["body"][0], on_failure="continue")


class Stream(type(SQS)):  # type: ignore[misc]  # a class made of an object
    """SQS messages, as if a checkpoint acknowledged them."""

    @hookimpl
    def acknowledgement(self) -> str:
        return "checkpoint"


class Letters:
    """Delivers to a list, and writes down what it is told."""

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.told: list[tuple[str, str]] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        self.log.append(f"{outcome.record['body']} delivered")

    @hookimpl
    def record_finished(self, outcome: Any) -> None:
        self.told.append((outcome.record["body"], outcome.status))


class Telling(BatchProcessor):
    """Does something whenever a record has failed: its disposition is in force by then."""

    when_failed: Callable[[BaseException], object]

    def failure_handler(self, record: Any, exception: Any) -> Any:
        self.when_failed(exception[1])
        return super().failure_handler(record, exception)


def run_within_patience(processor: BatchProcessor, event: Any, handler: Any, context: Any = None) -> Any:
    """Run a batch in a thread that may be stuck for good."""
    results: list[Any] = []

    def run() -> None:
        with contextlib.suppress(SystemExit):
            results.append(processor.run(event, handler, context))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE / 4)
    if not results:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
    assert results, "it ends"
    return results[0]


def test_lane_of_a_thread_waits_and_then_goes_on() -> None:
    log: list[str] = []
    second = threading.Event()

    def handler(record: Any) -> None:
        if record["body"] == "a1":
            assert second.wait(PATIENCE)
        log.append(record["body"])
        if record["body"] == "b1":
            raise DeadLetterRecord
        if record["body"] == "c1":
            second.set()

    processor = BatchProcessor(Stream(), max_concurrency=2, plugins=[Letters(log)], ordering=EACH_A_LANE)
    result = processor.run(batch_of("a1", "b1", "b2", "c1"), handler)
    assert [outcome.status for outcome in result.outcomes] == ["succeeded", "dead_lettered", "succeeded", "succeeded"]
    assert log == ["b1", "c1", "a1", "b1 delivered", "b2"], "another lane runs while it waits"


@pytest.mark.parametrize("cancels", [False, True])
def test_lane_that_waits_for_an_executor_that_is_shut_down_is_not_attempted(
    cancels: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Other records of the batch are done by then, so the response is made, and names those that got no thread."""
    log: list[str] = []
    second = threading.Event()
    pool = ThreadPoolExecutor(2)

    def handler(record: Any) -> None:
        if record["body"] == "a1":
            assert second.wait(PATIENCE)
            pool.shutdown(wait=False, cancel_futures=cancels)
        log.append(record["body"])
        if record["body"] == "b1":
            raise DeadLetterRecord
        if record["body"] == "c1":
            second.set()

    letters = Letters(log)
    processor = BatchProcessor(Stream(), executor=pool, max_concurrency=2, plugins=[letters], ordering=EACH_A_LANE)
    result = processor.run(batch_of("a1", "b1", "b2", "b3", "c1"), handler)
    statuses = ["succeeded", "dead_lettered", "not_attempted", "not_attempted", "succeeded"]
    assert [outcome.status for outcome in result.outcomes] == statuses
    assert failed(result.response) == ["m2", "m3"]
    assert ("b2", "not_attempted") in letters.told
    assert "No thread could be had" in str(result.explain()[2])
    (line,) = [record.getMessage() for record in caplog.records if "takes no more work" in record.getMessage()]
    assert "after shutdown" in line
    assert "It and 1 more were not attempted" in line


def test_lane_of_a_task_waits_and_then_goes_on() -> None:
    log: list[str] = []

    async def main() -> Any:
        second = asyncio.Event()

        async def handler(record: Any) -> None:
            if record["body"] == "a1":
                await asyncio.wait_for(second.wait(), PATIENCE)
            log.append(record["body"])
            if record["body"] == "b1":
                raise DeadLetterRecord
            if record["body"] == "c1":
                second.set()

        processor = AsyncBatchProcessor(Stream(), max_concurrency=2, plugins=[Letters(log)], ordering=EACH_A_LANE)
        return await processor.arun(batch_of("a1", "b1", "b2", "c1"), handler)

    result = asyncio.run(main())
    assert [outcome.status for outcome in result.outcomes] == ["succeeded", "dead_lettered", "succeeded", "succeeded"]
    assert log == ["b1", "c1", "a1", "b1 delivered", "b2"]


def test_letter_is_deferred_when_one_before_it_has_failed_meanwhile_and_its_lane_goes_on() -> None:
    log: list[str] = []
    second = threading.Event()

    def handler(record: Any) -> None:
        if record["body"] == "a1":
            assert second.wait(PATIENCE)
            raise ValueError
        log.append(record["body"])
        if record["body"] == "b1":
            raise DeadLetterRecord
        if record["body"] == "c1":
            second.set()

    letters = Letters(log)
    processor = BatchProcessor(Stream(), max_concurrency=2, plugins=[letters], ordering=EACH_A_LANE)
    result = processor.run(batch_of("a1", "b1", "b2", "c1"), handler)
    assert [outcome.status for outcome in result.outcomes] == ["failed", "failed", "succeeded", "succeeded"]
    assert log == ["b1", "c1", "b2"]
    assert sorted(letters.told) == [("a1", "failed"), ("b1", "failed"), ("b2", "succeeded"), ("c1", "succeeded")]


def test_batch_that_is_stopped_while_letters_wait_ends() -> None:
    blocked, stopped, failing = threading.Event(), threading.Event(), threading.Event()

    def handler(record: Any) -> None:
        if record["body"] == "a":
            assert failing.wait(PATIENCE)
            threading.Event().wait(0.2)  # its letter is waiting, once it has failed
        elif record["body"] == "b":
            assert stopped.wait(PATIENCE)
            failing.set()
            raise DeadLetterRecord
        elif record["body"] == "c":
            blocked.set()
            raise DeadLetterRecord
        else:
            assert blocked.wait(PATIENCE)
            raise StopBatch

    letters = Letters([])
    processor = Telling(Stream(), max_concurrency=4, plugins=[letters], ordering=EACH_A_LANE)
    processor.when_failed = lambda error: isinstance(error, StopBatch) and stopped.set()
    result = run_within_patience(processor, batch_of("a", "b", "c", "d"), handler)
    assert sorted(letters.told) == [(outcome.record["body"], outcome.status) for outcome in result.outcomes]
    assert [outcome.status for outcome in result.outcomes] == ["succeeded", "dead_lettered", "dead_lettered", "failed"]


def test_letter_that_waits_when_the_batch_is_stopped_is_settled_and_told() -> None:
    stopped, failing = threading.Event(), threading.Event()

    def handler(record: Any) -> None:
        if record["body"] == "a":
            assert failing.wait(PATIENCE)
            threading.Event().wait(0.2)  # its letter is waiting, once it has failed
        elif record["body"] == "b":
            assert stopped.wait(PATIENCE)
            failing.set()
            raise DeadLetterRecord
        else:
            raise StopBatch

    letters = Letters([])
    processor = Telling(Stream(), max_concurrency=3, plugins=[letters], ordering=EACH_A_LANE)
    processor.when_failed = lambda error: isinstance(error, StopBatch) and stopped.set()
    result = run_within_patience(processor, batch_of("a", "b", "c"), handler)
    assert sorted(letters.told) == [(outcome.record["body"], outcome.status) for outcome in result.outcomes]
    assert result.outcomes[1].status == "dead_lettered"


def test_letter_that_waits_for_one_that_is_abandoned_is_retried_and_told() -> None:
    release, context, log = threading.Event(), Nearly(), []

    def handler(record: Any) -> None:
        if record["body"] == "b":
            raise DeadLetterRecord
        if record["body"] == "c":
            context.passes()
        elif not release.wait(PATIENCE):
            raise AssertionError

    letters = Letters(log)
    options = {"max_concurrency": 2, "stop_before_timeout": MARGIN, "raise_on_entire_batch_failure": False}
    processor = BatchProcessor(Stream(), plugins=[letters], ordering=EACH_A_LANE, **options)
    result = processor.run(batch_of("a", "b", "c"), handler, context)
    release.set()
    assert failed(result.response) == ["m0", "m1"]
    assert log == []
    assert sorted(letters.told) == [("a", "failed"), ("b", "failed"), ("c", "succeeded")]
