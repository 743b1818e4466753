"""What still runs when the time is nearly up: threads are left behind, async handlers are cancelled first."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    DeadLetterRecord,
    DropRecord,
    OutOfTimeError,
    hookimpl,
    in_order,
)
from tests.batches import PATIENCE, batch_of, failed, handle, logger_with
from tests.clocks import MARGIN, Nearly, Spent

ONE_AFTER_THE_OTHER = in_order(on_failure="continue")


class Watcher:
    """Writes down all that it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.left: list[str] = []
        self.finished = 0

    @hookimpl
    def record_scope(self, record: Any) -> Any:
        watcher = self

        class Scope:
            def __enter__(self) -> None:
                pass

            def __exit__(self, *raised: object) -> None:
                watcher.left.append(record["messageId"])

        return Scope()

    @hookimpl
    def record_finished(self, outcome: Any) -> None:
        self.told.append((outcome.identifier, outcome.status))

    @hookimpl
    def batch_finished(self, result: Any) -> None:
        self.finished += 1


class Watching(BatchProcessor):
    """Writes down what its handlers of successes and failures are told."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.heard: list[tuple[str, str]] = []

    def success_handler(self, record: Any, result: Any) -> Any:
        self.heard.append(("success", record["messageId"]))
        return super().success_handler(record, result)

    def failure_handler(self, record: Any, exception: Any) -> Any:
        self.heard.append(("failure", record["messageId"]))
        return super().failure_handler(record, exception)


class SlowLog(logging.Handler):
    """A log in which the lines of workers take until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = None  # the thread of the batch logs, too
        self.go_on = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if threading.current_thread().name == "batchcore":
            self.go_on.wait(PATIENCE)


class Stuck:
    """A handler that is stuck with the body "stuck" until it is let go.

    Args:
        together: how many handlers have begun when the time begins to pass.
        end: what it does then.
    """

    def __init__(self, together: int, end: Callable[[Any], Any] = handle) -> None:
        self.context = Nearly()
        self.together = together
        self.end = end
        self.begun: list[str] = []
        self.release = threading.Event()

    def handle(self, record: Any) -> Any:
        self.begun.append(record["messageId"])
        if len(self.begun) == self.together:
            self.context.passes()
        if record["body"] != "stuck":
            return handle(record)
        assert self.release.wait(PATIENCE)
        return self.end(record)

    def let_go(self) -> None:
        """Let it end, and wait until its worker has ended as well."""
        workers = [thread for thread in threading.enumerate() if thread.name == "batchcore"]
        assert workers, "somebody was left behind"
        self.release.set()
        for worker in workers:
            worker.join(PATIENCE)


def fail_late(record: Any) -> None:
    raise ValueError(record["messageId"])


def drop_late(record: Any) -> None:
    raise DropRecord


@pytest.mark.parametrize("end", [handle, fail_late, drop_late])
def test_what_a_thread_does_after_the_response_changes_nothing(
    end: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    stuck, watcher = Stuck(2, end), Watcher()
    processor = Watching("sqs", stop_before_timeout=MARGIN, max_concurrency=2, plugins=[watcher])
    result = processor.run(batch_of("a", "stuck"), stuck.handle, stuck.context)
    before = (failed(result.response), [o.status for o in result.outcomes], list(watcher.told), list(processor.heard))
    assert before[0] == ["m1"]
    assert before[1] == ["succeeded", "failed"]
    assert isinstance(result.outcomes[1].exception, OutOfTimeError)
    assert sorted(before[2]) == [("m0", "succeeded"), ("m1", "failed")]
    assert sorted(before[3]) == [("failure", "m1"), ("success", "m0")]
    assert watcher.left == ["m0"]
    caplog.clear()
    stuck.let_go()
    after = (failed(result.response), [o.status for o in result.outcomes], watcher.told, processor.heard)
    assert after == before
    assert watcher.left == ["m0", "m1"], "a scope that was entered is left"
    assert caplog.text == ""
    assert watcher.finished == 1


def test_record_that_has_failed_is_told_once_though_its_line_in_the_log_is_late() -> None:
    stuck, watcher, log = Stuck(2, fail_late), Watcher(), SlowLog()
    stuck.release.set()
    processor = Watching(
        "sqs", logger=logger_with(log), stop_before_timeout=MARGIN, max_concurrency=2, plugins=[watcher]
    )
    result = processor.run(batch_of("a", "stuck"), stuck.handle, stuck.context)
    assert isinstance(result.outcomes[1].exception, ValueError)
    for told in (watcher.told, processor.heard):
        assert len(told) == 2
    assert sorted(watcher.told) == [("m0", "succeeded"), ("m1", "failed")]
    workers = [thread for thread in threading.enumerate() if thread.name == "batchcore"]
    log.go_on.set()
    for worker in workers:
        worker.join(PATIENCE)
    assert (len(watcher.told), len(processor.heard)) == (2, 2)


def test_late_thread_does_not_change_the_time_that_is_said_of_its_record() -> None:
    stuck = Stuck(2)
    processor = BatchProcessor("sqs", stop_before_timeout=MARGIN, max_concurrency=2)
    result = processor.run(batch_of("a", "stuck"), stuck.handle, stuck.context)
    duration = result.outcomes[1].duration
    stuck.let_go()
    assert result.outcomes[1].duration == duration


def test_late_thread_starts_no_further_record_of_its_lane() -> None:
    stuck = Stuck(2)
    processor = BatchProcessor("sqs", stop_before_timeout=MARGIN, max_concurrency=2, ordering=ONE_AFTER_THE_OTHER)
    result = processor.run(batch_of("a", "stuck", "c"), stuck.handle, stuck.context)
    assert [outcome.status for outcome in result.outcomes] == ["succeeded", "failed", "not_attempted"]
    stuck.let_go()
    assert stuck.begun == ["m0", "m1"]


def test_late_thread_starts_no_further_lane() -> None:
    stuck = Stuck(2)
    processor = BatchProcessor("sqs", stop_before_timeout=MARGIN, max_concurrency=2)
    result = processor.run(batch_of("stuck", "stuck", "c"), stuck.handle, stuck.context)
    assert [outcome.status for outcome in result.outcomes] == ["failed", "failed", "not_attempted"]
    stuck.let_go()
    assert sorted(stuck.begun) == ["m0", "m1"]


def test_batch_of_which_all_are_out_of_time_does_not_raise() -> None:
    stuck = Stuck(2)
    processor = BatchProcessor("sqs", stop_before_timeout=MARGIN, max_concurrency=2)
    assert failed(processor.run(batch_of("stuck", "stuck"), stuck.handle, stuck.context).response) == ["m0", "m1"]
    stuck.let_go()


def test_handlers_that_ended_late_are_counted_in_the_next_summary(caplog: pytest.LogCaptureFixture) -> None:
    stuck = Stuck(3)
    processor = BatchProcessor("sqs", stop_before_timeout=MARGIN, max_concurrency=3)
    processor.run(batch_of("a", "stuck", "stuck"), stuck.handle, stuck.context)
    stuck.let_go()
    caplog.clear()
    processor.run(batch_of("a"), handle, Spent(10))
    (record,) = caplog.records
    line: Any = record
    assert (line.levelname, line.ended_late) == ("WARNING", 2)
    assert "2 handlers of earlier batches ended after the response" in line.getMessage()
    caplog.clear()
    processor.run(batch_of("a"), handle, Spent(10))
    assert caplog.records == [], "once"


def test_async_handler_is_cancelled_and_may_clean_up() -> None:
    cleaned, context = [], Nearly()

    async def handler(record: Any) -> str:
        if record["body"] == "stuck":
            context.passes()
            try:
                await asyncio.sleep(PATIENCE)
            finally:
                cleaned.append(record["messageId"])
        return "done"

    processor = AsyncBatchProcessor("sqs", stop_before_timeout=MARGIN)
    result = processor.run(batch_of("a", "b", "stuck"), handler, context)
    assert [outcome.status for outcome in result.outcomes] == ["succeeded", "succeeded", "failed"]
    assert cleaned == ["m2"]
    assert isinstance(result.outcomes[2].exception, OutOfTimeError)
    assert "cancelled" in str(result.outcomes[2].exception)


def test_async_records_that_wait_for_their_turn_do_not_start_when_others_are_cancelled() -> None:
    begun, context = [], Nearly()

    async def handler(record: Any) -> None:
        begun.append(record["messageId"])
        if len(begun) == 2:
            context.passes()
        await asyncio.sleep(PATIENCE)

    processor = AsyncBatchProcessor("sqs", stop_before_timeout=MARGIN, max_concurrency=2)
    result = processor.run(batch_of(*"abcd"), handler, context)
    assert [outcome.status for outcome in result.outcomes] == ["failed", "failed", "not_attempted", "not_attempted"]
    assert begun == ["m0", "m1"]


class Deaf:
    """An async handler that does not hear its cancellation, with the body "stuck", until it is let go."""

    def __init__(self, end: Callable[[Any], Any] = handle) -> None:
        self.context = Nearly()
        self.end = end
        self.release = asyncio.Event()
        self.ended = asyncio.Event()

    async def handle(self, record: Any) -> Any:
        if record["body"] != "stuck":
            return handle(record)
        self.context.passes()
        while not self.release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await self.release.wait()
        self.ended.set()
        return self.end(record)

    async def let_go(self) -> None:
        self.release.set()
        await asyncio.wait_for(self.ended.wait(), PATIENCE)
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.mark.parametrize("end", [handle, fail_late, drop_late])
def test_coroutine_that_swallows_its_cancellation_is_abandoned(
    end: Callable[[Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        deaf, watcher = Deaf(end), Watcher()
        processor = AsyncBatchProcessor("sqs", stop_before_timeout=MARGIN, plugins=[watcher])
        result = await processor.arun(batch_of("a", "stuck"), deaf.handle, deaf.context)
        before = (failed(result.response), [outcome.status for outcome in result.outcomes], list(watcher.told))
        assert before == (["m1"], ["succeeded", "failed"], [("m0", "succeeded"), ("m1", "failed")])
        assert isinstance(result.outcomes[1].exception, OutOfTimeError)
        await deaf.let_go()
        assert (failed(result.response), [outcome.status for outcome in result.outcomes], watcher.told) == before
        caplog.clear()
        await processor.arun(batch_of("a"), deaf.handle, Spent(10))
        assert "1 handler of earlier batches ended after the response" in caplog.text

    asyncio.run(main())


def test_coroutine_that_was_abandoned_delivers_nothing() -> None:
    class Letters:
        def __init__(self) -> None:
            self.sent: list[str] = []

        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            self.sent.append(outcome.identifier)

    def dead(record: Any) -> None:
        raise DeadLetterRecord

    async def main() -> None:
        deaf, letters = Deaf(dead), Letters()
        processor = AsyncBatchProcessor(
            "sqs", stop_before_timeout=MARGIN, plugins=[letters], ordering=in_order(), dead_letter_after=1
        )
        result = await processor.arun(batch_of("stuck", "b"), deaf.handle, deaf.context)
        then = failed(result.response), list(letters.sent)
        assert then == (["m1"], ["m0"]), "it has hung in its last delivery"
        deaf.context.end = None  # it is not for want of time that nothing is sent
        await deaf.let_go()
        await asyncio.sleep(0.1)  # somebody who delivers does so in a thread
        assert (failed(result.response), letters.sent) == then

    asyncio.run(main())


@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_record_that_is_out_of_time_is_never_a_dead_letter(make: Callable[..., Any]) -> None:
    sent: list[str] = []

    class Letters:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            sent.append(outcome.identifier)

    processor = make("sqs", stop_before_timeout=4, plugins=[Letters()], dead_letter_after=1)
    result = processor.run(batch_of("a", "b"), handle, Spent(3.5))
    assert [outcome.status for outcome in result.outcomes] == ["not_attempted", "not_attempted"]
    assert sent == []


def test_record_that_hangs_in_its_last_delivery_is_a_dead_letter() -> None:
    stuck, sent = Stuck(1), []

    class Letters:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            sent.append((outcome.identifier, type(outcome.exception)))

    processor = BatchProcessor(
        "sqs", stop_before_timeout=MARGIN, plugins=[Letters()], dead_letter_after=1, max_concurrency=2
    )
    result = processor.run(batch_of("stuck"), stuck.handle, stuck.context)
    stuck.let_go()
    assert [outcome.status for outcome in result.outcomes] == ["dead_lettered"]
    assert sent == [("m0", OutOfTimeError)]


def test_interpreter_exits_although_a_worker_is_stuck() -> None:
    program = """
        import threading, time
        from batchcore import BatchProcessor

        class Context:
            left = lambda self: 0.45
            def get_remaining_time_in_millis(self):
                return self.left() * 1000

        def handler(record):
            if record["body"] == "b":
                end = time.monotonic() + 0.35
                context.left = lambda: end - time.monotonic()
                threading.Event().wait()

        context, processor = Context(), BatchProcessor("sqs", stop_before_timeout=0.4, max_concurrency=2)
        event = {"Records": [{"messageId": name, "body": name, "eventSource": "aws:sqs"} for name in "ab"]}
        print(processor.run({"Records": event["Records"][:1]}, handler, context).response)
        print(processor.run({"Records": event["Records"][1:]}, handler, context).response)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["{'batchItemFailures': []}", "{'batchItemFailures': [{'itemIdentifier': 'b'}]}"]
