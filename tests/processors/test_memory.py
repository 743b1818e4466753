"""What is kept after a response holds no frames: what a failed handler held is free."""

from __future__ import annotations

import contextvars
import gc
import logging
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    Disposition,
    NoBatchError,
    RecordView,
    async_process_partial_response,
    hookimpl,
    in_order,
)
from batchcore_sqs import SQS
from tests.batches import EXCEPTION_GROUP, awaiting, batch_of, failed, handle
from tests.drivers import Way

pytestmark = pytest.mark.usefixtures("nobody_listens")


class Big:
    """Stands for what a handler holds in a local variable."""


class Watched:
    """A handler that fails, in several ways, and knows whether what it held is still there."""

    def __init__(self) -> None:
        self.held: list[weakref.ref[Big]] = []

    def hold(self) -> Big:
        big = Big()
        self.held.append(weakref.ref(big))
        return big

    def kept(self) -> int:
        gc.collect()
        return sum(reference() is not None for reference in self.held)

    def __call__(self, record: Any) -> None:
        big = self.hold()
        if record["body"] == "chained":
            self.chain()
        if record["body"] == "grouped" and EXCEPTION_GROUP is not None:
            self.group()
        if record["body"] != "ok":
            raise ValueError(record["body"])
        del big

    def chain(self) -> None:
        try:
            big = self.hold()
            raise LookupError
        except LookupError as error:
            del big
            inner = self.hold()
            raise ValueError(str(inner)) from error

    def group(self) -> None:
        errors: list[Exception] = []
        for _ in range(2):
            try:
                self.fail_holding()
            except LookupError as error:
                errors.append(error)
        raise EXCEPTION_GROUP("several", errors)

    def fail_holding(self) -> None:
        big = self.hold()
        raise LookupError(str(big))


BODIES = ("ok", "plain", "chained", "grouped", "ok")


def test_failed_handlers_frames_are_freed_once_the_batch_is_answered(way: Way) -> None:
    handler, processor = Watched(), way.processor()
    assert failed(way.call(processor, batch_of(*BODIES), handler)) == ["m1", "m2", "m3"]
    assert handler.held
    assert handler.kept() == 0
    assert [trace for _, _, trace in processor.exceptions] == [None] * 3
    assert [exception.__traceback__ for _, exception, _ in processor.exceptions if exception] == [None] * 3


def test_frames_are_freed_whatever_has_been_logged(driver: Way, printing: logging.Logger) -> None:
    handler = Watched()
    driver(batch_of(*BODIES), handler, logger=printing)
    stream: Any = printing.handlers[0]
    assert "ValueError: plain" in stream.stream.getvalue()
    assert handler.kept() == 0


def test_result_that_is_kept_keeps_no_frames(driver: Way) -> None:
    handler = Watched()
    result = driver.processor().run(batch_of(*BODIES), handler)
    assert [type(outcome.exception).__name__ for outcome in result.failures][:2] == ["ValueError", "ValueError"]
    assert handler.kept() == 0
    assert "ValueError" in repr(result.failures[0].exception)


def test_frames_live_as_long_as_the_error_of_the_whole_batch_and_no_longer(driver: Way) -> None:
    handler, processor = Watched(), driver.processor()
    with pytest.raises(BatchProcessingError) as caught:
        driver.call(processor, batch_of("plain", "chained"), handler)
    assert handler.kept() > 0, "tracebacks can be read while the error lives"
    assert caught.value.child_exceptions[0][2] is not None
    del caught
    assert handler.kept() == 0
    assert processor.response() is not None
    assert [trace for _, _, trace in processor.exceptions] == [None] * 2


def test_frames_of_the_error_go_without_the_cycle_collector(driver: Way) -> None:
    handler, processor = Watched(), driver.processor()
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(BatchProcessingError):
            driver.call(processor, batch_of("plain", "plain"), handler)
        kept = processor.exceptions
        assert [trace for _, _, trace in kept] == [None] * 2
    finally:
        gc.enable()


def test_entries_of_a_context_manager_keep_no_frames(opened: Way) -> None:
    handler, entries = Watched(), []
    processor = opened.processor()
    event = batch_of("ok", "plain")
    with processor(event["Records"], handler if not isinstance(processor, AsyncBatchProcessor) else awaiting(handler)):
        entries += processor.async_process() if isinstance(processor, AsyncBatchProcessor) else processor.process()
    assert [entry[0] for entry in entries] == ["success", "fail"]
    assert handler.kept() == 0


def test_tracebacks_are_shown_until_the_batch_is_answered() -> None:
    processor = BatchProcessor("sqs")
    with processor(batch_of("ok", "bad")["Records"], handle):
        processor.process()
        assert [trace is not None for _, _, trace in processor.exceptions] == [True]
        assert processor.exceptions[0][1].__traceback__ is not None  # type: ignore[union-attr]
    assert [trace for _, _, trace in processor.exceptions] == [None]


def test_batch_told_not_to_raise_keeps_no_frames(driver: Way) -> None:
    handler = Watched()
    processor = driver.processor(raise_on_entire_batch_failure=False)
    driver.call(processor, batch_of("plain", "plain"), handler)
    assert handler.kept() == 0


def test_failures_of_overrides_and_observers_keep_no_frames(driver: Way) -> None:
    held = Watched()

    def broken(*arguments: Any) -> None:
        big = held.hold()
        raise ValueError(str(big))

    class Broken:
        @hookimpl
        def record_finished(self, outcome: Any) -> None:
            broken()

    processor = driver.processor(plugins=[Broken()])
    processor.failure_handler = broken  # type: ignore[method-assign, assignment]
    driver.call(processor, batch_of("ok", "bad"), handle)
    assert held.held
    assert held.kept() == 0


def test_what_was_decoded_of_a_failed_record_is_not_kept(driver: Way) -> None:
    held = Watched()

    class Decoding(RecordView):
        __slots__ = ("decoded",)

    class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def record_decoder(self, batch: Any) -> Any:
            return Decoding

    def handler(record: Decoding) -> None:
        record.decoded = held.hold()
        raise ValueError

    processor = driver.processor(event_type=Source(), raise_on_entire_batch_failure=False)
    event = batch_of("a", "b")
    driver.call(processor, event, handler)
    assert [type(view).__name__ for view in processor.fail_messages] == ["Decoding"] * 2
    assert processor.fail_messages == event["Records"]
    assert held.kept() == 0


def test_batch_is_freed_with_the_next_one() -> None:
    processor = BatchProcessor("sqs")
    seen = [weakref.ref(processor.run(batch_of("a", "bad"), handle).batch) for _ in range(3)]
    gc.collect()
    assert [reference() is not None for reference in seen] == [False, False, True]


def test_processor_is_freed_when_nobody_uses_it_and_its_result_lives_on(driver: Way) -> None:
    processor = driver.processor()
    result = processor.run(batch_of("a", "bad"), handle)
    reference = weakref.ref(processor)
    del processor
    gc.collect()
    assert reference() is None
    assert failed(result.response) == ["m1"]


class Knows:
    """An observer that knows its processor."""

    processor: BatchProcessor

    @hookimpl
    def batch_started(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("by", ["handler", "plugin"])
def test_processors_that_their_batches_lead_to_are_freed_though_each_call_makes_one(driver: Way, by: str) -> None:
    def call() -> weakref.ref[BatchProcessor]:
        knows = Knows()
        processor = knows.processor = driver.processor(plugins=[knows] if by == "plugin" else [])

        def handler(record: Any) -> Any:
            return processor

        driver.call(processor, batch_of("a"), handler if by == "handler" else lambda record: None)
        assert len(processor.success_messages) == 1
        return weakref.ref(processor)

    made = [call() for _ in range(6)]
    gc.collect()

    # An event loop keeps the context in which it was made, and with it the first; a context keeps the last.
    assert [reference() is not None for reference in made[1:-1]] == [False] * 4


def test_each_of_several_processors_goes_on_showing_the_last_batch_of_this_thread() -> None:
    processors = [BatchProcessor("sqs") for _ in range(4)]
    for turn in range(3):
        for number, processor in enumerate(processors):
            processor.run(batch_of(f"{turn} of {number}"), handle)
    thread = threading.Thread(target=lambda: [each.run(batch_of("of another thread"), handle) for each in processors])
    thread.start()
    thread.join()

    gc.collect()

    assert [processor.success_messages[0]["body"] for processor in processors] == [f"2 of {n}" for n in range(4)]


@pytest.mark.parametrize("ordering", [None, in_order()])
def test_handlers_that_succeeded_leave_only_what_they_returned(driver: Way, ordering: Any) -> None:
    handler = Watched()
    processor = driver.processor(ordering=ordering)
    driver.call(processor, batch_of("ok", "ok", "ok"), handler)
    assert len(handler.held) == 3
    assert handler.kept() == 0


def test_async_handler_that_is_awaited_leaves_no_frames() -> None:
    handler = Watched()

    def call(wrap: Callable[[Any], Any]) -> None:
        processor = AsyncBatchProcessor("sqs")
        assert failed(async_process_partial_response(batch_of(*BODIES), wrap, processor)) == ["m1", "m2", "m3"]

    call(awaiting(handler))
    assert handler.kept() == 0


class Kept:
    """Knows the records of its batch, weakly."""

    def __init__(self) -> None:
        self.seen: list[weakref.ref[Any]] = []

    @hookimpl
    def batch_started(self, batch: Any) -> None:
        self.seen.append(weakref.ref(batch))

    def alive(self) -> list[bool]:
        gc.collect()
        return [reference() is not None for reference in self.seen]


@pytest.mark.parametrize("held", ["processor", "nothing"])
def test_thread_that_has_ended_keeps_no_batch(driver: Way, held: str) -> None:
    """From Python 3.14 on it keeps its context."""
    kept = Kept()
    processors = [driver.processor(plugins=[kept])]

    def run() -> None:
        driver.call(processors[0], batch_of("a", "bad"), handle)
        BatchProcessor("sqs").run(batch_of("of another processor"), handle)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join()
    driver.call(processors[0], batch_of("the last one"), handle)
    if held == "nothing":
        processors.clear()
        BatchProcessor("sqs").run(batch_of("another"), handle)
    assert kept.alive() == [False, False, False, held == "processor"]
    assert not any(thread.is_alive() for thread in threads)


def test_pool_that_was_shut_down_keeps_no_batch(driver: Way) -> None:
    kept = Kept()
    processor = driver.processor(plugins=[kept])
    pool = ThreadPoolExecutor(2)
    for _ in range(4):
        pool.submit(driver.call, processor, batch_of("a", "bad"), handle).result()
    pool.shutdown()
    driver.call(processor, batch_of("the last one"), handle)
    assert kept.alive() == [False] * 4 + [True]


def test_copy_of_a_context_that_a_handler_has_made_keeps_no_batch(driver: Way) -> None:
    """As timers and tasks of clients keep one."""
    kept, contexts = Kept(), []
    processor = driver.processor(plugins=[kept])
    driver.call(processor, batch_of("a", "b"), lambda record: contexts.append(contextvars.copy_context()))
    driver.call(processor, batch_of("the last one"), handle)
    assert kept.alive() == [False, True]
    with pytest.raises(NoBatchError, match="has ended"):
        contexts[0].run(processor.response)


def test_batch_that_was_interrupted_when_it_started_is_gone(way: Way) -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    class Interrupts(Kept):
        @hookimpl
        def batch_started(self, batch: Any) -> None:
            super().batch_started(batch)
            if len(self.seen) == 1:
                raise Interrupted

    kept = Interrupts()
    processor = way.processor(plugins=[kept])
    with pytest.raises(Interrupted):
        way.call(processor, batch_of("a"), handle)
    assert failed(way.call(processor, batch_of("b", "bad"), handle)) == ["m1"]
    assert failed(processor.response()) == ["m1"]
    assert [record["body"] for record in processor.success_messages] == ["b"]
    assert kept.alive() == [False, True]


def test_contexts_that_nested_batches_leave_keep_none(driver: Way) -> None:
    kept, contexts = Kept(), []
    processor = driver.processor(plugins=[kept])

    def handler(record: Any) -> None:
        if record["body"] == "nests":
            run = threading.Thread(
                target=contextvars.copy_context().run, args=(driver.call, processor, batch_of("x"), handler)
            )
            run.start()
            run.join()
        contexts.append(contextvars.copy_context())

    driver.call(processor, batch_of("nests", "b"), handler)
    driver.call(processor, batch_of("the last one"), handle)
    assert kept.alive() == [False, False, True]


def test_context_that_a_decorated_function_keeps_leads_to_no_batch_that_has_ended() -> None:
    kept, contexts = Kept(), []
    processor = BatchProcessor("sqs", plugins=[kept])

    def nests(record: Any) -> None:
        if record["body"] == "nests":
            assert failed(processor.run(batch_of("bad", "x"), handle).response) == ["m0"]
            contexts.append(contextvars.copy_context())

    with processor(batch_of("nests", "b")["Records"], nests):
        processor.process()
    contexts.append(contextvars.copy_context())
    processor.run(batch_of("the last one"), handle)
    del contexts[-1]
    assert kept.alive() == [False, False, True]


def test_processor_keeps_no_frame_of_a_dead_letter_that_was_not_delivered() -> None:
    watched = Watched()

    class Deliverer:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            big = watched.hold()
            raise ValueError("not delivered", type(big))

    processor = BatchProcessor("sqs", plugins=[Deliverer()], dispositions={KeyError: Disposition.DEAD_LETTER})

    def handler(record: Any) -> None:
        raise KeyError(record.body)

    with pytest.raises(BatchProcessingError):
        processor.run(batch_of("a", "b"), handler)
    assert watched.kept() == 0


def test_processor_keeps_nothing_that_a_batch_hook_gave_or_failed_with() -> None:
    watched = Watched()

    class Prepares:
        @hookimpl
        def before_records(self, batch: Any, fail: Any) -> Any:
            big = watched.hold()
            try:
                raise ValueError(type(big))
            except ValueError as error:
                fail(0, error)
            return {"table": watched.hold()}

    processor = BatchProcessor("sqs", plugins=[Prepares()])
    processor.run(batch_of("a", "b"), lambda record, table: None)
    assert watched.kept() == 0
