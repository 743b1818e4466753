"""Batches that are broken off, and handlers that exit, cancel and promise: nothing counts as done that is not."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    Disposition,
    hookimpl,
    in_order,
    unordered,
)
from tests.batches import PATIENCE, batch_of, failed, handle
from tests.drivers import Way


class Writes:
    """Writes all successes at once, or is broken off in doing so."""

    def __init__(self, act: Callable[[], Any] = lambda: None) -> None:
        self.act = act
        self.written: list[str] = []

    @hookimpl
    def after_records(self, outcomes: Any) -> None:
        self.act()
        self.written += [outcome.identifier for outcome in outcomes]


def interrupts(record: Any = None) -> None:
    if record is None or record["body"] == "interrupt":
        raise KeyboardInterrupt


@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_record_whose_write_was_never_begun_is_not_done(make: Any) -> None:
    writes = Writes()
    processor = make("sqs", plugins=[writes])
    with pytest.raises(KeyboardInterrupt):
        processor.run(batch_of("a", "b", "interrupt"), interrupts)
    assert writes.written == []
    assert failed(processor.response()) == ["m0", "m1", "m2"]


def test_record_whose_write_was_interrupted_is_not_done() -> None:
    processor = BatchProcessor("sqs", plugins=[Writes(interrupts)])
    with pytest.raises(KeyboardInterrupt):
        processor.run(batch_of("a", "b"), handle)
    assert failed(processor.response()) == ["m0", "m1"]


def test_record_whose_write_was_cancelled_is_not_done() -> None:
    class Hangs:
        @hookimpl
        async def after_records(self, outcomes: Any) -> None:
            await asyncio.Event().wait()

    processor = AsyncBatchProcessor("sqs", plugins=[Hangs()])

    async def main() -> Any:
        event = batch_of("a", "b")
        with processor(event["Records"], handle), contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(processor.aprocess(), 0.02)
        return processor.response()

    assert failed(asyncio.run(main())) == ["m0", "m1"]


def test_record_whose_handler_gave_a_promise_is_not_done(driver: Way) -> None:
    response = driver(batch_of("a"), lambda record: Future(), raise_on_entire_batch_failure=False)
    assert failed(response) == ["m0"]


def test_record_that_made_an_error_of_its_cancellation_had_no_time() -> None:
    class Nearly:
        left = 4_000

        def get_remaining_time_in_millis(self) -> int:
            return self.left

    async def handler(record: Any) -> None:
        Nearly.left = 90
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError as cancelled:
            raise ValueError("the service was left") from cancelled

    processor = AsyncBatchProcessor(
        "sqs", stop_before_timeout=3.9, dispositions={Exception: Disposition.DROP}, raise_on_entire_batch_failure=False
    )
    result = processor.run(batch_of("a"), handler, Nearly())
    assert [outcome.status for outcome in result.outcomes] == ["failed"]
    assert isinstance(result.outcomes[0].exception, BaseException)
    assert isinstance(result.outcomes[0].exception.__cause__, ValueError)


def test_batch_that_an_observer_runs_within_another_leaves_the_response_of_the_other() -> None:
    class Nests:
        nested = False

        @hookimpl
        def batch_finished(self, result: Any) -> None:
            if not self.nested:
                self.nested = True
                processor.run(batch_of("a"), handle)

    processor = BatchProcessor("sqs", plugins=[Nests()])
    with processor(batch_of("a", "bad")["Records"], handle):
        processor.process()
    assert failed(processor.response()) == ["m1"]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="asyncio starts tasks at once from Python 3.12 on")
def test_records_that_wait_are_done_on_a_loop_that_starts_its_tasks_at_once() -> None:
    inside = most = 0

    async def handler(record: Any) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0.001)
        inside -= 1

    async def main() -> Any:
        loop: Any = asyncio.get_running_loop()
        loop.set_task_factory(getattr(asyncio, "eager_task_factory"))  # noqa: B009 - not on every Python
        return await AsyncBatchProcessor("sqs", max_concurrency=4).arun(batch_of(*"abcdefghij"), handler)

    assert failed(asyncio.run(main()).response) == []
    assert most == 4


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("ordering", [unordered, in_order(on_failure="continue")])
@pytest.mark.parametrize("waits", [True, False])
def test_handler_that_cancels_its_own_task_costs_its_own_record(times: int, ordering: Any, waits: bool) -> None:
    async def handler(record: Any) -> None:
        if record["body"] == "cancels":
            for _ in range(times):
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            if waits:
                await asyncio.sleep(0)
                raise AssertionError("it is cancelled here")
        await asyncio.sleep(0)

    processor = AsyncBatchProcessor("sqs", ordering=ordering)
    result = processor.run(batch_of("a", "cancels", "c", "d"), handler)
    assert failed(result.response) == ["m1"]


def test_exit_in_a_task_of_the_handler_costs_its_own_record() -> None:
    async def exits() -> None:
        sys.exit(3)

    async def handler(record: Any) -> None:
        await asyncio.sleep(0)
        if record["body"] == "exit":
            await asyncio.gather(exits())

    assert failed(AsyncBatchProcessor("sqs").run(batch_of("a", "exit", "c"), handler).response) == ["m1"]


def test_batch_hooks_that_had_no_time_raise_nothing() -> None:
    class Over:
        def get_remaining_time_in_millis(self) -> int:
            return 0

    result = BatchProcessor("sqs", plugins=[Writes()]).run(batch_of("a", "b"), handle, Over())
    assert failed(result.response) == ["m0", "m1"]


@pytest.mark.parametrize("endless", [float("inf"), sys.maxsize, 10**30])
@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_clock_that_knows_no_end_will_do(endless: float, make: Any) -> None:
    class Endless:
        def get_remaining_time_in_millis(self) -> float:
            return endless

    processor = make("sqs", stop_before_timeout=5, max_concurrency=2)
    assert failed(processor.run(batch_of("a", "bad"), handle, Endless()).response) == ["m1"]


def test_exceptions_around_the_batch_keep_their_traceback() -> None:
    tracebacks: list[Any] = []
    try:
        raise LookupError("around")
    except LookupError as around:
        BatchProcessor("sqs").run(batch_of("a", "bad"), handle)
        tracebacks.append(around.__traceback__)
    assert tracebacks != [None]


@pytest.mark.parametrize(
    ("call", "kept_out"),
    [
        (lambda record, fail: fail(record, ValueError()), "secret"),
        (lambda record, fail: fail(0, record), "secret"),
    ],
)
def test_what_a_batch_hook_calls_fail_with_wrongly_is_not_quoted(call: Any, kept_out: str) -> None:
    class Hook:
        @hookimpl
        def before_records(self, batch: Any, fail: Any) -> None:
            call(batch.records[0], fail)

    with pytest.raises(BatchProcessingError) as caught:
        BatchProcessor("sqs", plugins=[Hook()]).run(batch_of("secret"), handle)
    assert kept_out not in str(caught.value)
    assert "fail() takes" in str(caught.value)
