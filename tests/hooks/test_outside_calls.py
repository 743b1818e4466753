"""Calls to the outside at their worst: whatever they raise, whenever they end, whoever else is at work."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, DeadLetterRecord, StopBatch, by_key, in_order

from .support import (
    CheckpointSource,
    TimeLeft,
    ToySource,
    failed,
    plugin_of,
    run,
    run_async,
    run_threads,
    statuses,
    toys,
)


def give_up(toy: Any) -> None:
    raise DeadLetterRecord(toy["id"])


def within(seconds: float, function: Any) -> Any:
    """Fail instead of hanging."""
    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(function()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert result, "it hangs"
    return result[0]


@pytest.mark.parametrize("hook", ["deliver_dead_letter", "deliver_dead_letters", "after_records", "after_batch"])
def test_a_call_to_the_outside_that_raises_stop_iteration_does_not_hang_the_batch(hook: str) -> None:
    def call(*arguments: Any) -> None:
        next(iter(()))

    # .arun(), for run() calls after_batch without asyncio.
    processor = AsyncBatchProcessor(
        ToySource(), plugins=[plugin_of(**{hook: call})], raise_on_entire_batch_failure=False
    )
    handler = give_up if hook.startswith("deliver") else len

    result = within(5, lambda: asyncio.run(processor.arun(toys("car"), handler)))

    assert failed(result) == ([] if hook == "after_batch" else ["car"])


def test_a_record_whose_delivery_in_a_lane_was_abandoned_is_told_of(
    never: Any, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []
    context = TimeLeft(0.6)

    def deliver(outcome: Any) -> None:
        context.seconds = 0.25  # less than 3/4 of 0.4: what runs is given up
        never()

    plugin = plugin_of(
        deliver_dead_letter=deliver, record_finished=lambda outcome: told.append((outcome.identifier, outcome.status))
    )

    result = run_threads(
        ToySource(),
        toys("car", "ball"),
        give_up,
        plugins=[plugin],
        ordering=in_order(),
        context=context,
        stop_before_timeout=0.4,
    )

    assert statuses(result) == ["failed", "not_attempted"]
    assert sorted(told) == [("ball", "not_attempted"), ("car", "failed")]
    assert any(record.levelname == "ERROR" for record in caplog.records)


def test_a_task_that_was_abandoned_delivers_nothing() -> None:
    delivered: list[str] = []
    context = TimeLeft(0.25)

    async def main() -> Any:
        go_on = asyncio.Event()

        async def handler(toy: Any) -> None:
            context.seconds = 0.1
            while not go_on.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await go_on.wait()
            raise DeadLetterRecord

        processor = AsyncBatchProcessor(
            ToySource(),
            plugins=[plugin_of(deliver_dead_letter=lambda outcome: delivered.append(outcome.identifier))],
            ordering=in_order(),
            stop_before_timeout=0.2,
            raise_on_entire_batch_failure=False,
        )
        result = await processor.arun(toys("car"), handler, context)
        go_on.set()
        await asyncio.sleep(0.05)
        return result

    result = asyncio.run(main())

    assert failed(result) == ["car"]
    assert delivered == []


def test_a_dead_letter_that_waits_when_another_lane_stops_the_batch_is_settled() -> None:
    told: list[Any] = []
    delivered: list[Any] = []
    stopped, failed_b = threading.Event(), threading.Event()

    class Listens(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "Record b " in record.getMessage():
                failed_b.set()

    def finished(outcome: Any) -> None:
        told.append((outcome.identifier, outcome.status))
        if outcome.identifier == "c":
            stopped.set()

    def handler(toy: Any) -> None:
        if toy["id"] == "a":
            assert failed_b.wait(20)
            time.sleep(0.05)
        elif toy["id"] == "b":
            assert stopped.wait(20)
            raise DeadLetterRecord
        else:
            raise StopBatch

    logger = logging.getLogger("batchcore.bugs")
    logger.addHandler(Listens())
    plugin = plugin_of(
        deliver_dead_letter=lambda outcome: delivered.append(outcome.identifier), record_finished=finished
    )

    result = run(
        CheckpointSource(),
        toys("a", "b", "c"),
        handler,
        plugins=[plugin],
        max_concurrency=3,
        logger=logger,
        ordering=by_key(lambda toy: toy["id"]),
    )

    assert sorted(name for name, _ in told) == ["a", "b", "c"]
    assert delivered == ["b"]
    assert statuses(result) == ["succeeded", "dead_lettered", "failed"]


@pytest.mark.parametrize("hook", ["before_records", "after_records"])
def test_an_awaited_batch_hook_that_raises_system_exit_fails_every_record(hook: str) -> None:
    async def call(batch: Any) -> None:
        raise SystemExit(3)

    assert failed(run_async(ToySource(), toys("car"), len, plugins=[plugin_of(**{hook: call})])) == ["car"]


@pytest.mark.parametrize("which", [[1], {"id": 1}], ids=str)
def test_fail_says_what_it_takes_whatever_it_is_given(which: Any) -> None:
    def hook(batch: Any, fail: Any) -> None:
        fail(which, ValueError())

    result = run(ToySource(), toys("car"), len, plugins=[plugin_of(before_records=hook)])

    assert "fail() takes the outcome of a record of this hook" in str(result.outcomes[0].exception)


def test_awaitables_in_a_result_are_closed(recwarn: pytest.WarningsRecorder) -> None:
    async def deliver() -> None:
        pass

    plugin = plugin_of(deliver_dead_letters=lambda outcomes: [deliver() for _ in outcomes])

    assert failed(run(ToySource(), toys("car"), give_up, plugins=[plugin])) == ["car"]
    assert [str(warning.message) for warning in recwarn.list] == []


def test_a_dead_letter_without_a_lane_does_not_withhold_those_above_it() -> None:
    def key(toy: Any) -> str:
        if toy["id"] == "a":
            raise DeadLetterRecord
        return "lane"

    result = run(
        CheckpointSource(),
        toys("a", "b"),
        give_up,
        plugins=[plugin_of(deliver_dead_letter=lambda outcome: None)],
        ordering=by_key(key),
    )

    assert statuses(result) == ["dead_lettered", "dead_lettered"]


def test_a_letter_that_was_just_delivered_does_not_come_again_for_another_thread(monkeypatch: Any) -> None:
    from batchcore._extensions.dead_letters import DeadLetters

    inside, looked = threading.Event(), threading.Event()
    ended, has_ended = DeadLetters.ended, DeadLetters.everything_before_has_ended

    def slow(self: Any, position: int, problem: Any) -> None:
        ended(self, position, problem)
        if position == 0:
            inside.set()
            looked.wait(1)  # any thread switch at this place does it

    def look(self: Any, batch: Any, ledger: Any, position: int) -> bool:
        if position == 0:
            assert waiting.wait(20)
            return has_ended(self, batch, ledger, position)
        waiting.set()
        assert inside.wait(20)
        ended = has_ended(self, batch, ledger, position)
        looked.set()
        return ended

    waiting = threading.Event()
    monkeypatch.setattr(DeadLetters, "ended", slow)
    monkeypatch.setattr(DeadLetters, "everything_before_has_ended", look)

    result = run_threads(
        CheckpointSource(),
        toys("a", "b"),
        give_up,
        plugins=[plugin_of(deliver_dead_letter=lambda outcome: None)],
        ordering=by_key(lambda toy: toy["id"]),
    )

    assert statuses(result) == ["dead_lettered", "dead_lettered"]
