"""A processor is configuration: threads and tasks may share it, batches may nest, and its attributes show one's own."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    NoBatchError,
    async_process_partial_response,
    process_partial_response,
)
from tests.batches import PATIENCE, awaiting, batch_of, failed, handle


def bodies(records: list[Any]) -> list[str]:
    return [record["body"] for record in records]


def run_in_threads(*functions: Callable[[], None]) -> None:
    errors: list[BaseException] = []

    def guarded(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(function,)) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    if errors:
        raise errors[0]
    assert not any(thread.is_alive() for thread in threads)


@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_two_threads_sharing_a_processor_get_their_own_responses_and_attributes(
    make: Callable[..., BatchProcessor],
) -> None:
    processor = make("sqs")
    together = threading.Barrier(2, timeout=PATIENCE)
    call = process_partial_response if make is BatchProcessor else async_process_partial_response

    def worker(name: str) -> Callable[[], None]:
        def run() -> None:
            event = batch_of(f"{name} ok", "bad", f"{name} last")
            for record in event["Records"]:
                record["messageId"] = name + record["messageId"]

            def handler(record: Any) -> Any:
                together.wait()  # both batches are at the same record
                return handle(record)

            assert failed(call(event, handler, processor)) == [f"{name}m1"]
            together.wait()  # both batches are over
            assert bodies(processor.success_messages) == [f"{name} ok", f"{name} last"]
            assert [record["messageId"] for record in processor.fail_messages] == [f"{name}m1"]
            assert [str(error) for _, error, _ in processor.exceptions] == [f"{name}m1"]
            assert failed(processor.response()) == [f"{name}m1"]
            assert list(processor.records) == event["Records"]
            assert processor.handler is handler

        return run

    run_in_threads(worker("a"), worker("b"))


def test_two_context_managers_of_one_processor_in_two_threads_are_two_batches() -> None:
    processor = BatchProcessor("sqs")
    together = threading.Barrier(2, timeout=PATIENCE)
    responses: dict[str, list[str]] = {}

    def worker(name: str, *batch: str) -> Callable[[], None]:
        def run() -> None:
            with processor(batch_of(*batch)["Records"], handle, lambda_context=name):
                together.wait()  # both have begun
                entries = processor.process()
                assert processor.lambda_context == name
                together.wait()
            responses[name] = failed(processor.response())
            assert len(entries) == len(batch)

        return run

    run_in_threads(worker("a", "bad", "ok"), worker("b", "ok", "ok", "bad"))
    assert responses == {"a": ["m0"], "b": ["m2"]}


def test_two_tasks_sharing_a_processor_get_their_own_responses_and_attributes() -> None:
    processor = AsyncBatchProcessor("sqs")

    async def main() -> None:
        met = asyncio.Event()
        waiting: list[str] = []

        async def handler(record: Any) -> Any:
            waiting.append(record["body"])
            if len(waiting) == 4:
                met.set()
            await asyncio.wait_for(met.wait(), PATIENCE)  # all records of both batches are inside their handlers
            return handle(record)

        async def batch(*batch: str) -> tuple[list[str], list[str]]:
            result = await processor.arun(batch_of(*batch), handler)
            await asyncio.sleep(0)
            assert failed(result.response) == failed(processor.response())
            return failed(result.response), bodies(processor.success_messages)

        both = await asyncio.gather(batch("bad", "a"), batch("b", "bad"))
        assert both == [(["m0"], ["a"]), (["m1"], ["b"])]

    asyncio.run(main())


def test_two_context_managers_of_one_processor_in_two_tasks_are_two_batches() -> None:
    processor = AsyncBatchProcessor("sqs")

    async def batch(*batch: str) -> list[str]:
        with processor(batch_of(*batch)["Records"], awaiting(handle)):
            await asyncio.sleep(0)
            await processor.aprocess()
            await asyncio.sleep(0)
        return failed(processor.response())

    async def main() -> list[list[str]]:
        return list(await asyncio.gather(batch("bad", "a"), batch("b", "c", "bad")))

    assert asyncio.run(main()) == [["m0"], ["m2"]]


def test_thread_that_has_begun_no_batch_sees_the_last_one_finished() -> None:
    processor = BatchProcessor("sqs")
    seen: list[Any] = []
    process_partial_response(batch_of("a", "bad"), handle, processor)
    run_in_threads(lambda: seen.append((failed(processor.response()), bodies(processor.success_messages))))
    assert seen == [(["m1"], ["a"])]


def test_batch_of_another_thread_does_not_replace_ones_own() -> None:
    processor = BatchProcessor("sqs")
    process_partial_response(batch_of("mine", "bad"), handle, processor)
    run_in_threads(lambda: process_partial_response(batch_of("theirs"), handle, processor))
    assert bodies(processor.success_messages) == ["mine"]


def test_attributes_of_an_unused_processor_are_empty() -> None:
    processor = BatchProcessor("sqs")
    assert (processor.success_messages, processor.fail_messages, processor.exceptions) == ([], [], [])


def test_attributes_show_the_last_batch_and_nothing_of_the_one_before() -> None:
    processor = BatchProcessor("sqs")
    process_partial_response(batch_of("a", "bad"), handle, processor)
    process_partial_response(batch_of("b"), handle, processor)
    assert bodies(processor.success_messages) == ["b"]
    assert processor.fail_messages == []
    assert processor.exceptions == []


def test_attributes_grow_while_the_batch_runs() -> None:
    processor = BatchProcessor("sqs")
    seen: list[tuple[list[str], int]] = []

    def handler(record: Any) -> None:
        seen.append((bodies(processor.success_messages), len(processor.fail_messages)))
        handle(record)

    process_partial_response(batch_of("a", "bad", "c"), handler, processor)
    assert seen == [([], 0), (["a"], 0), (["a"], 1)]
    assert bodies(processor.success_messages) == ["a", "c"]


def test_lists_are_in_the_order_of_the_batch_whoever_ends_first() -> None:
    first = asyncio.Event()

    async def handler(record: Any) -> None:
        if record["messageId"] == "m0":
            await asyncio.wait_for(first.wait(), PATIENCE)
            assert processor.success_messages == [], "the first of the batch has not ended"
        first.set()

    processor = AsyncBatchProcessor("sqs")
    processor.run(batch_of("a", "b", "c"), handler)
    assert bodies(processor.success_messages) == ["a", "b", "c"]


def test_attributes_in_a_context_of_its_own_show_the_batch_begun_there() -> None:
    processor = BatchProcessor("sqs")

    def batches() -> None:
        for name in ("first", "second"):
            process_partial_response(batch_of(name), handle, processor)
            assert bodies(processor.success_messages) == [name]

    process_partial_response(batch_of("outside"), handle, processor)
    contextvars.Context().run(batches)
    assert bodies(processor.success_messages) == ["outside"]


def test_list_is_the_same_while_its_batch_is_shown() -> None:
    processor = BatchProcessor("sqs")
    with processor(batch_of("a", "bad")["Records"], handle):
        before = processor.fail_messages
        processor.process()
        assert processor.fail_messages is before
        assert len(before) == 1


def test_processor_that_is_gone_leaves_nothing_to_the_next() -> None:
    for _ in range(5):
        process_partial_response(batch_of("a"), handle, BatchProcessor("sqs"))
    gc.collect()
    with pytest.raises(NoBatchError):
        BatchProcessor("sqs").response()


def test_one_processor_serves_one_handler_after_the_other() -> None:
    processor = BatchProcessor("sqs")
    first = process_partial_response(batch_of("a", "bad"), handle, processor)
    second = process_partial_response(batch_of("a", "bad"), lambda record: None, processor)
    third = process_partial_response(batch_of("a", "bad"), handle, processor)
    assert [failed(response) for response in (first, second, third)] == [["m1"], [], ["m1"]]


def test_lambda_context_of_one_batch_is_not_the_next_ones() -> None:
    processor = BatchProcessor("sqs")
    seen: list[Any] = []

    def handler(record: Any, lambda_context: Any = None) -> None:
        seen.append(lambda_context)

    for context in ("first", None, "third"):
        process_partial_response(batch_of("a"), handler, processor, context)
        assert processor.lambda_context == context
    assert seen == ["first", None, "third"]
