"""Batches that a hook runs on the processor it serves: the outer batch's response is the outer batch's."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    Disposition,
    async_process_partial_response,
    hookimpl,
    process_partial_response,
)
from batchcore_sqs import SQSSource
from tests.batches import batch_of, failed, handle
from tests.drivers import Way, decorator, one_call

OUTER = ("a", "bad", "c", "bad")
HOOKS = [
    "batch_started",
    "record_scope",
    "record_finished",
    "batch_finished",
    "after_batch",
    "wrap_handler",
    "before_records",
    "after_records",
    "deliver_dead_letter",
    "success_handler",
    "failure_handler",
    "claims_event",
    "extract_records",
    "identify_records",
    "ordering_policy",
    "record_decoder",
    "record_preparer",
    "build_response",
    "delivery_attempt",
    "describe_record",
]


class Nests:
    """Runs a batch of nothing but successes on the processor, once, from one of the hooks."""

    def __init__(self, hook: str) -> None:
        self.hook = hook
        self.processor: Any = None
        self.ran = False

    def at(self, hook: str) -> None:
        if hook != self.hook or self.ran:
            return
        self.ran = True
        inner = self.run_async if isinstance(self.processor, AsyncBatchProcessor) else self.run_sync
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            inner()
        else:  # the loop cannot be waited for here: another thread can
            thread = threading.Thread(target=contextvars.copy_context().run, args=(inner,))
            thread.start()
            thread.join()

    def run_sync(self) -> None:
        assert failed(process_partial_response(batch_of("x", "y"), handle, self.processor)) == []

    def run_async(self) -> None:
        assert failed(async_process_partial_response(batch_of("x", "y"), handle, self.processor)) == []


def plugin_of(nests: Nests) -> Any:  # noqa: C901 - a hook each
    class Plugin:
        @hookimpl
        def batch_started(self, batch: Any) -> None:
            nests.at("batch_started")

        @hookimpl
        def record_scope(self, record: Any) -> Any:
            @contextmanager
            def scope() -> Iterator[None]:
                nests.at("record_scope")
                yield

            return scope()

        @hookimpl
        def record_finished(self, outcome: Any) -> None:
            nests.at("record_finished")

        @hookimpl
        def batch_finished(self, result: Any) -> None:
            nests.at("batch_finished")

        @hookimpl
        def after_batch(self, result: Any) -> None:
            nests.at("after_batch")

        @hookimpl
        def wrap_handler(self, handler: Callable[..., Any]) -> Callable[..., Any]:
            nests.at("wrap_handler")
            return handler

        @hookimpl
        def before_records(self, batch: Any, fail: Any) -> None:
            nests.at("before_records")

        @hookimpl
        def after_records(self, batch: Any, outcomes: Any, fail: Any) -> None:
            nests.at("after_records")

        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            nests.at("deliver_dead_letter")
            raise ConnectionError  # it is retried: the record stays in the response

    return Plugin()


def source_of(nests: Nests) -> Any:
    class Source(SQSSource):
        @hookimpl
        def claims_event(self, event: Any) -> bool:
            nests.at("claims_event")
            return bool(super().claims_event(event))

        @hookimpl
        def extract_records(self, event: Any) -> Any:
            nests.at("extract_records")
            return super().extract_records(event)

        @hookimpl
        def identify_records(self, records: Any) -> Any:
            nests.at("identify_records")
            return super().identify_records(records)

        @hookimpl
        def ordering_policy(self, batch: Any) -> Any:
            nests.at("ordering_policy")
            return super().ordering_policy(batch)

        @hookimpl
        def record_decoder(self, batch: Any) -> Any:
            nests.at("record_decoder")
            return super().record_decoder(batch)

        @hookimpl
        def record_preparer(self, batch: Any) -> Any:
            nests.at("record_preparer")
            return lambda record: record

        @hookimpl
        def build_response(self, batch: Any, outcomes: Any) -> Any:
            nests.at("build_response")
            return {"batchItemFailures": [{"itemIdentifier": outcome.identifier} for outcome in outcomes.unfinished()]}

        @hookimpl
        def delivery_attempt(self, record: Any) -> Any:
            nests.at("delivery_attempt")
            return super().delivery_attempt(record)

        @hookimpl
        def describe_record(self, record: Any) -> Any:
            nests.at("describe_record")
            return super().describe_record(record)

    return Source()


def processor_of(way: Way, nests: Nests) -> Any:
    """Make a processor that makes the response itself, of what its attributes show."""
    made = way.processor()

    class Own(type(made)):  # type: ignore[misc]  # a class made of an object
        def success_handler(self, record: Any, result: Any) -> Any:
            nests.at("success_handler")
            return super().success_handler(record, result)

        def failure_handler(self, record: Any, exception: Any) -> Any:
            nests.at("failure_handler")
            return super().failure_handler(record, exception)

        def response(self) -> Any:
            nests.at("response")
            return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in self.fail_messages]}

    processor = nests.processor = Own(
        source_of(nests),
        plugins=[plugin_of(nests)],
        max_concurrency=made.max_concurrency,
        dispositions={KeyError: Disposition.DEAD_LETTER, ValueError: Disposition.DEAD_LETTER},
        raise_on_entire_batch_failure=False,
    )
    return processor


@pytest.mark.parametrize("hook", HOOKS)
def test_response_is_of_its_own_batch_whatever_hook_has_run_another(hook: str, way: Way) -> None:
    if hook in ("claims_event", "extract_records") and "context manager" in way.name:
        pytest.skip("only records are given")
    nests = Nests(hook)
    processor = processor_of(way, nests)
    assert failed(way.call(processor, batch_of(*OUTER), handle)) == ["m1", "m3"]
    assert nests.ran
    assert [record["body"] for record in processor.success_messages] == ["a", "c"]
    assert failed(processor.response()) == ["m1", "m3"]


def test_response_method_may_run_another_batch(way: Way) -> None:
    if "context manager" in way.name or "run" in way.name:
        pytest.skip("batchcore does not call it there")
    processor = processor_of(way, Nests("response"))
    assert failed(way.call(processor, batch_of(*OUTER), handle)) == ["m1", "m3"]


@pytest.mark.parametrize("hook", ["batch_finished", "success_handler"])
def test_inner_batch_with_a_response_of_the_processors_own_answers_for_itself(hook: str, way: Way) -> None:
    """Inside a handler, each inner call is right, whatever its own hooks run."""
    if "context manager" in way.name or "running loop" in way.name:
        pytest.skip("inside `with` the outer batch is shown; a running loop cannot be waited for")
    nests = Nests(hook)
    processor = processor_of(way, nests)
    inner: list[list[str]] = []

    def handler(record: Any) -> str:
        if record["body"] == "c":
            nests.ran = False
            run = threading.Thread(
                target=contextvars.copy_context().run,
                args=(lambda: inner.append(failed(way.call(processor, batch_of("x", "bad", "y"), handle))),),
            )
            run.start()
            run.join()
        return handle(record)

    assert failed(way.call(processor, batch_of(*OUTER), handler)) == ["m1", "m3"]
    assert inner == [["m1"]]


@pytest.mark.parametrize("decorated", [False, True])
def test_inner_batch_of_the_same_thread_answers_for_itself(decorated: bool) -> None:
    class Own(BatchProcessor):
        def response(self) -> Any:
            return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in self.fail_messages]}

    processor, inner = Own("sqs"), []

    def handler(record: Any) -> str:
        if record["body"] == "c":
            call = decorator if decorated else one_call
            inner.append(failed(call(processor, batch_of("x", "y", "bad"), handle)))
        return handle(record)

    assert failed(one_call(processor, batch_of(*OUTER), handler)) == ["m1", "m3"]
    assert inner == [["m2"]]
