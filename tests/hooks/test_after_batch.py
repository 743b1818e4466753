"""``after_batch``: calls to the outside, after the response is ready. It never holds the response back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessingError, BatchProcessor, UnexpectedBatchTypeError

from .support import (
    Run,
    TimeLeft,
    ToySource,
    errors_of,
    failed,
    play,
    plugin_of,
    run,
    run_async,
    run_threads,
    source_with,
    toys,
)

EVENT = toys("car", "bad doll", "ball")


def flushing(hook: Callable[..., Any]) -> Any:
    return plugin_of(after_batch=hook)


def test_after_batch_gets_the_result_when_the_response_is_ready(driver: Run) -> None:
    seen: list[Any] = []

    result = driver(
        ToySource(), EVENT, plugins=[flushing(lambda result: seen.append((result.response, result.counts())))]
    )

    assert seen == [(result.response, {"succeeded": 2, "failed": 1})]
    assert failed(result) == ["bad doll"]


def test_after_batch_comes_once_after_batch_finished(driver: Run) -> None:
    calls: list[str] = []
    first = plugin_of(
        after_batch=lambda result: calls.append("a flushes"), batch_finished=lambda result: calls.append("a finished")
    )
    second = plugin_of(
        after_batch=lambda result: calls.append("b flushes"), batch_finished=lambda result: calls.append("b finished")
    )

    driver(ToySource(), EVENT, plugins=[first, second])

    assert calls == ["a finished", "b finished", "a flushes", "b flushes"]


def test_after_batch_comes_before_the_error_of_a_batch_that_failed(driver: Run) -> None:
    seen: list[Any] = []

    with pytest.raises(BatchProcessingError):
        driver(
            ToySource(),
            toys("bad"),
            plugins=[flushing(lambda result: seen.append(result.response))],
            raise_on_entire_batch_failure=True,
        )

    assert seen == [{"batchItemFailures": [{"itemIdentifier": "bad"}]}]


def test_after_batch_sees_tracebacks(driver: Run) -> None:
    seen: list[bool] = []

    driver(
        ToySource(),
        EVENT,
        plugins=[flushing(lambda result: seen.append(bool(result.failures[0].exception.__traceback__)))],
    )

    assert seen == [True]


def test_after_batch_is_called_for_an_empty_batch(driver: Run) -> None:
    seen: list[Any] = []

    driver(ToySource(), toys(), plugins=[flushing(lambda result: seen.append(result.response))])

    assert seen == [{"batchItemFailures": []}]


def test_after_batch_is_not_called_where_there_is_no_response(driver: Run) -> None:
    calls: list[str] = []
    plugin = flushing(lambda: calls.append("flushed"))

    def cannot(batch: Any, outcomes: Any) -> Any:
        raise LookupError("no response")

    with pytest.raises(UnexpectedBatchTypeError):
        driver(ToySource(), {}, plugins=[plugin])
    with pytest.raises(LookupError, match="no response"):
        driver(source_with(build_response=cannot), EVENT, plugins=[plugin])

    assert calls == []


@pytest.mark.parametrize("processor", [BatchProcessor, AsyncBatchProcessor])
@pytest.mark.parametrize("raises", [False, True])
def test_after_batch_is_called_at_the_end_of_a_context_manager(processor: type[BatchProcessor], raises: bool) -> None:
    seen: list[Any] = []
    plugin = flushing(lambda result: seen.append(result.response))

    try:
        with processor(ToySource(), plugins=[plugin])(records=EVENT["toys"], handler=play) as opened:
            opened.async_process() if processor is AsyncBatchProcessor else opened.process()
            assert seen == []
            if raises:
                raise LookupError
    except LookupError:
        pass

    assert seen == [{"batchItemFailures": [{"itemIdentifier": "bad doll"}]}]


def test_after_batch_may_name_no_argument(driver: Run) -> None:
    calls: list[str] = []

    driver(ToySource(), EVENT, plugins=[flushing(lambda: calls.append("flushed"))])

    assert calls == ["flushed"]


# -- Its time, and its thread.


def test_after_batch_that_does_not_end_does_not_hold_the_response_back(
    never: Callable[..., None], driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    result = driver(ToySource(), EVENT, plugins=[flushing(never)], context=TimeLeft(0.2))

    assert failed(result) == ["bad doll"]
    assert "The observer hook after_batch() raised OutsideCallError: It had not answered after 0.15 s" in errors_of(
        caplog
    )


def test_after_batch_shares_what_is_left_evenly(
    never: Callable[..., None], driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """Of what is left to the first of two it has a half; the time of this context does not pass."""
    driver(ToySource(), EVENT, plugins=[flushing(never), flushing(never)], context=TimeLeft(0.2))

    errors = errors_of(caplog).splitlines()
    assert ["after 0.075 s" in error for error in errors] == [True, False]
    assert ["after 0.15 s" in error for error in errors] == [False, True]


def test_after_batch_of_one_observer_is_called_though_that_of_another_does_not_end(
    never: Callable[..., None], driver: Run
) -> None:
    calls: list[str] = []

    driver(ToySource(), EVENT, plugins=[flushing(never), flushing(lambda: calls.append("b"))], context=TimeLeft(0.2))

    assert calls == ["b"]


def test_after_batch_is_not_called_where_no_time_is_left(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    calls: list[Any] = []

    result = driver(ToySource(), EVENT, plugins=[flushing(lambda: calls.append("flushed"))], context=TimeLeft(0))

    assert calls == []
    assert failed(result) == ["bad doll"]
    assert "after_batch() raised OutsideCallError: No time was left for it, so it was not called" in errors_of(caplog)


def test_after_batch_may_take_three_quarters_of_the_margin_where_the_processor_has_one(
    never: Callable[..., None], driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    driver(ToySource(), toys("car"), plugins=[flushing(never)], context=TimeLeft(0.2), stop_before_timeout=0.2)

    assert "It had not answered after 0.15 s" in errors_of(caplog)


def test_after_batch_runs_in_a_thread_of_its_own_where_the_context_tells_the_time(driver: Run) -> None:
    threads: list[threading.Thread] = []

    driver(
        ToySource(),
        EVENT,
        plugins=[flushing(lambda result: threads.append(threading.current_thread()))],
        context=TimeLeft(60),
    )

    (thread,) = threads
    assert thread is not threading.current_thread()
    assert thread.daemon, "the end of the process does not wait for it"


@pytest.mark.parametrize("context", [None, "no context", object(), {"remaining": 7}], ids=lambda c: type(c).__name__)
def test_after_batch_runs_in_this_thread_where_nobody_tells_the_time(context: Any, driver: Run) -> None:
    threads: list[threading.Thread] = []

    driver(
        ToySource(),
        EVENT,
        plugins=[flushing(lambda result: threads.append(threading.current_thread()))],
        context=context,
    )

    assert threads == [threading.current_thread()]


@pytest.mark.parametrize("context", [None, TimeLeft(60)], ids=["no clock", "a clock"])
def test_after_batch_sees_the_context_variables_of_the_batch(context: Any, driver: Run) -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    seen: list[str] = []
    token = variable.set("set")
    try:
        driver(ToySource(), EVENT, plugins=[flushing(lambda: seen.append(variable.get()))], context=context)
    finally:
        variable.reset(token)

    assert seen == ["set"]


# -- Its errors.


@pytest.mark.parametrize("context", [None, TimeLeft(60)], ids=["no clock", "a clock"])
@pytest.mark.parametrize("error", [ConnectionError, SystemExit, asyncio.CancelledError])
def test_after_batch_that_raises_is_logged_and_changes_nothing(
    error: type[BaseException], context: Any, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def flush(result: Any) -> None:
        raise error("no queue")

    result = driver(ToySource(), EVENT, plugins=[flushing(flush)], context=context)

    assert failed(result) == ["bad doll"]
    assert errors_of(caplog).count(f"The observer hook after_batch() raised {error.__name__}: no queue") == 1


def test_after_batch_that_must_be_awaited_is_logged(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def flush() -> None:
        raise AssertionError("nobody awaits it")

    result = driver(ToySource(), EVENT, plugins=[flushing(lambda result: flush())])

    assert failed(result) == ["bad doll"]
    assert "after_batch() raised UnawaitedResultError" in errors_of(caplog)


@pytest.mark.parametrize("hook", ["batch_started", "record_finished", "batch_finished"])
def test_after_batch_is_not_called_on_an_observer_that_raised_before(hook: str, driver: Run) -> None:
    calls: list[str] = []

    def breaks() -> None:
        raise LookupError

    plugin = plugin_of(**{hook: breaks, "after_batch": lambda: calls.append("flushed")})

    driver(ToySource(), EVENT, plugins=[plugin])

    assert calls == []


def test_after_batch_is_called_again_for_the_next_batch() -> None:
    calls: list[str] = []

    def flush(result: Any) -> None:
        calls.append("flushed")
        raise LookupError

    processor = BatchProcessor(ToySource(), plugins=[flushing(flush)])
    processor.run(EVENT, play)
    processor.run(EVENT, play)

    assert calls == ["flushed", "flushed"]


@pytest.mark.parametrize("context", [None, TimeLeft(60)], ids=["no clock", "a clock"])
def test_a_keyboard_interrupt_in_after_batch_propagates(context: Any, driver: Run) -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    def flush(result: Any) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        driver(ToySource(), EVENT, plugins=[flushing(flush)], context=context)


# -- Inside a running event loop.


@pytest.mark.parametrize("context", [None, TimeLeft(60)], ids=["no clock", "a clock"])
def test_arun_awaits_after_batch_and_does_not_hold_the_loop(context: Any) -> None:
    turned = threading.Event()
    seen: list[bool] = []

    async def main() -> Any:
        processor = AsyncBatchProcessor(ToySource(), plugins=[flushing(lambda: seen.append(turned.wait(20)))])
        running = asyncio.ensure_future(processor.arun(EVENT, play, context))
        while not running.done():
            await asyncio.sleep(0.001)
            turned.set()
        return running.result()

    assert failed(asyncio.run(main())) == ["bad doll"]
    assert seen == [True], "the loop had turned while it waited, and it was waited for"


def test_arun_does_not_wait_for_an_after_batch_that_does_not_end(
    never: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    processor = AsyncBatchProcessor(ToySource(), plugins=[flushing(never)])

    result = asyncio.run(processor.arun(EVENT, play, TimeLeft(0.2)))

    assert failed(result) == ["bad doll"]
    assert "It had not answered after 0.15 s" in errors_of(caplog)


def test_arun_calls_after_batch_before_it_raises() -> None:
    seen: list[Any] = []
    processor = AsyncBatchProcessor(ToySource(), plugins=[flushing(lambda result: seen.append(result.response))])

    with pytest.raises(BatchProcessingError):
        asyncio.run(processor.arun(toys("bad"), play))

    assert seen == [{"batchItemFailures": [{"itemIdentifier": "bad"}]}]


# -- What nobody asked for costs no thread.


@pytest.mark.parametrize("run", [run, run_threads, run_async])
def test_no_thread_is_started_after_a_batch_where_no_observer_makes_calls(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    start = threading.Thread.start

    def noted(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    seen: list[int] = []
    plugin = plugin_of(batch_finished=lambda result: seen.append(len(started)))
    monkeypatch.setattr(threading.Thread, "start", noted)

    run(ToySource(), EVENT, plugins=[plugin], context=TimeLeft(60))

    assert seen == [len(started)]
