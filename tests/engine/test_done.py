"""Nothing is reported done that did not finish. Every record starts as not processed, which is a failure."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor, NoBatchError, process_partial_response
from tests.batches import Response, awaiting, batch_of, failed, handle
from tests.drivers import Way, async_one_call


class Interrupted(KeyboardInterrupt):
    """A KeyboardInterrupt of our own: pytest takes the plain one for the user's."""


ALL = ["m0", "m1", "m2"]


def test_response_names_exactly_the_records_that_failed_in_the_order_of_the_batch(way: Way) -> None:
    assert failed(way(batch_of("ok", "bad", "ok", "bad", "ok"))) == ["m1", "m3"]


def test_response_is_empty_when_every_record_succeeded(way: Way) -> None:
    assert way(batch_of("a", "b", "c")) == {"batchItemFailures": []}


def test_empty_batch_is_a_success(way: Way) -> None:
    assert way({"Records": []}) == {"batchItemFailures": []}


def test_handler_that_returns_none_has_succeeded(way: Way) -> None:
    assert failed(way(batch_of("a", "b"), lambda record: None)) == []


def test_each_record_is_handled_once(way: Way) -> None:
    handled: list[str] = []
    way(batch_of("a", "b", "c", "d"), lambda record: handled.append(record["body"]))
    assert sorted(handled) == ["a", "b", "c", "d"]


def test_positions_decide_where_two_records_share_an_identifier(way: Way) -> None:
    event = batch_of("ok", "bad", "ok")
    for record in event["Records"]:
        record["messageId"] = "same"
    assert failed(way(event)) == ["same"]


def test_each_of_two_failed_records_with_one_identifier_is_named(way: Way) -> None:
    event = batch_of("bad", "bad", "ok")
    for record in event["Records"]:
        record["messageId"] = "same"
    assert failed(way(event)) == ["same", "same"]


@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_forgotten_process_call_reports_every_record(make: Callable[..., BatchProcessor]) -> None:
    processor = make("sqs")
    with processor(records=batch_of("a", "b", "c")["Records"], handler=handle):
        pass
    assert failed(processor.response()) == ALL


@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_batch_that_was_only_begun_reports_every_record(make: Callable[..., BatchProcessor]) -> None:
    processor = make("sqs")
    processor(batch_of("a", "b", "c")["Records"], handle)
    assert failed(processor.response()) == ALL


def test_early_return_from_the_with_body_reports_every_record() -> None:
    processor = BatchProcessor("sqs")

    def lambda_handler() -> Response:
        with processor(batch_of("a", "b", "c")["Records"], handle):
            if processor.records:
                return processor.response()
            processor.process()  # never reached
        return None

    assert failed(lambda_handler()) == ALL
    assert failed(processor.response()) == ALL


def test_exception_in_the_with_body_propagates_and_reports_what_was_not_processed() -> None:
    processor = BatchProcessor("sqs")
    with pytest.raises(LookupError), processor(batch_of("a", "b", "c")["Records"], handle):
        raise LookupError
    assert failed(processor.response()) == ALL


def test_exception_after_the_records_propagates_and_leaves_their_outcomes() -> None:
    processor = BatchProcessor("sqs")
    with pytest.raises(LookupError), processor(batch_of("a", "bad", "c")["Records"], handle):
        processor.process()
        raise LookupError
    assert failed(processor.response()) == ["m1"]


def test_exception_in_the_with_body_wins_over_the_error_of_the_whole_batch() -> None:
    processor = BatchProcessor("sqs")
    with pytest.raises(LookupError), processor(batch_of("bad", "bad", "bad")["Records"], handle):
        processor.process()
        raise LookupError
    assert failed(processor.response()) == ALL


def test_response_can_be_had_inside_the_with_body(opened: Way) -> None:
    processor = BatchProcessor("sqs")
    with processor(batch_of("ok", "bad", "ok")["Records"], handle):
        assert failed(processor.response()) == ALL
        processor.process()
        assert failed(processor.response()) == ["m1"]
        assert processor.batch_response == processor.response()
    assert failed(processor.batch_response) == ["m1"]


def test_response_asked_for_by_a_handler_names_all_that_have_not_returned() -> None:
    processor = BatchProcessor("sqs")
    seen: list[list[str]] = []
    process_partial_response(
        batch_of("a", "b", "c"), lambda record: seen.append(failed(processor.response())), processor
    )
    assert seen == [ALL, ALL[1:], ALL[2:]]


@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_there_is_no_response_without_a_batch(make: Callable[..., BatchProcessor]) -> None:
    processor = make("sqs")
    for ask in (
        processor.response,
        lambda: processor.batch_response,
        processor.process,
        processor.async_process,
        lambda: asyncio.run(processor.aprocess()),
        processor.__enter__,
        lambda: processor.records,
        lambda: processor.handler,
        lambda: processor.lambda_context,
    ):
        with pytest.raises(NoBatchError, match="There is no batch"):
            ask()


REFUSED: list[Callable[[BatchProcessor], Any]] = [
    lambda processor: processor.run({"Records": [{"eventSource": "aws:kinesis"}]}, handle),
    lambda processor: processor.run({}, handle),
    lambda processor: processor.run(batch_of("a"), lambda: None),
    lambda processor: processor([{"messageId": ""}], handle),
    lambda processor: processor(None, handle),  # type: ignore[arg-type]  # what the test is about
    lambda processor: processor(batch_of("a")["Records"], "handle"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("refused", REFUSED)
def test_refused_batch_leaves_no_earlier_response_to_be_given_for_it(refused: Callable[[BatchProcessor], Any]) -> None:
    processor = BatchProcessor("sqs")
    processor.run(batch_of("a", "b"), handle)
    assert processor.response() == {"batchItemFailures": []}
    with pytest.raises((TypeError, ValueError)):
        refused(processor)
    with pytest.raises(NoBatchError):
        processor.response()
    assert (processor.success_messages, processor.fail_messages, processor.exceptions) == ([], [], [])


def test_batch_after_a_refused_one_is_answered() -> None:
    processor = BatchProcessor("sqs")
    with pytest.raises(ValueError, match="claim"):
        processor.run({}, handle)
    assert failed(processor.run(batch_of("a", "bad"), handle).response) == ["m1"]
    assert failed(processor.response()) == ["m1"]


def test_records_are_processed_once_per_batch(opened: Way) -> None:
    handled: list[str] = []
    processor = opened.processor()
    opened.call(processor, batch_of("a", "b"), lambda record: handled.append(record["body"]))
    for again in (processor.process, processor.async_process, lambda: asyncio.run(processor.aprocess())):
        with pytest.raises(NoBatchError, match="have been processed"):
            again()
    with pytest.raises(NoBatchError, match="Begin another"), processor:
        pass
    assert sorted(handled) == ["a", "b"]


def test_second_process_call_inside_the_with_body_is_an_error_and_runs_nothing_again() -> None:
    handled: list[str] = []
    processor = BatchProcessor("sqs")
    with processor(batch_of("a", "b")["Records"], lambda record: handled.append(record["body"])):
        processor.process()
        with pytest.raises(NoBatchError):
            processor.process()
    assert handled == ["a", "b"]
    assert failed(processor.response()) == []


def test_process_without_with_reports_what_failed() -> None:
    processor = BatchProcessor("sqs")
    entries = processor(batch_of("ok", "bad")["Records"], handle).process()
    assert [entry[0] for entry in entries] == ["success", "fail"]
    assert failed(processor.response()) == ["m1"]


def interrupt_at(body: str, handled: list[str]) -> Callable[[Any], None]:
    def handler(record: Any) -> None:
        if record["body"] == body:
            raise Interrupted
        handled.append(record["body"])

    return handler


def test_keyboard_interrupt_propagates_and_what_had_not_returned_is_no_success(way: Way) -> None:
    handled: list[str] = []
    processor = way.processor()
    with pytest.raises(Interrupted):
        way.call(processor, batch_of("a", "b", "c", "d", "e"), interrupt_at("c", handled))
    if way.name == "running loop":  # its task is gone, and no batch of it has ended
        with pytest.raises(NoBatchError):
            processor.response()
        return
    named = failed(processor.response())
    done = {f"m{position}" for position, body in enumerate("abcde") if body in handled}
    assert {"m0", "m1", "m2", "m3", "m4"} - set(named) <= done
    assert "m2" in named


def test_keyboard_interrupt_one_by_one_leaves_the_rest_alone() -> None:
    handled: list[str] = []
    processor = BatchProcessor("sqs")
    with pytest.raises(Interrupted):
        processor.run(batch_of("a", "b", "c", "d"), interrupt_at("c", handled))
    assert handled == ["a", "b"]
    assert failed(processor.response()) == ["m2", "m3"]
    assert [record["body"] for record in processor.success_messages] == ["a", "b"]


def test_interrupt_by_a_signal_leaves_the_rest_alone() -> None:
    handled: list[str] = []

    def handler(record: Any) -> None:
        if record["body"] == "b":
            signal.raise_signal(signal.SIGUSR1)
        handled.append(record["body"])

    def interrupt(number: int, frame: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, interrupt)
    processor = BatchProcessor("sqs")
    try:
        with pytest.raises(Interrupted):
            processor.run(batch_of("a", "b", "c"), handler)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert handled == ["a"]
    assert failed(processor.response()) == ["m1", "m2"]


def test_interrupt_from_an_override_propagates(driver: Way) -> None:
    def interrupt(*arguments: Any) -> None:
        raise Interrupted

    for name in ("success_handler", "failure_handler"):
        processor = driver.processor()
        setattr(processor, name, interrupt)
        with pytest.raises(Interrupted):
            driver.call(processor, batch_of("ok", "bad"), handle)
        assert "m1" in failed(processor.response())


def test_after_an_interrupt_the_next_batch_is_whole(driver: Way) -> None:
    processor = driver.processor()
    with pytest.raises(Interrupted):
        driver.call(processor, batch_of("a", "b", "c"), interrupt_at("b", []))
    assert failed(driver.call(processor, batch_of("ok", "bad", "ok"), handle)) == ["m1"]


def test_keyboard_interrupt_ends_the_other_handlers_and_starts_no_more() -> None:
    running, started = [0], [0]
    ended: list[str] = []

    async def handler(record: Any) -> None:
        started[0] += 1
        running[0] += 1
        if running[0] == 10:  # all the others wait
            raise Interrupted
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(record["messageId"])

    processor = AsyncBatchProcessor("sqs", max_concurrency=10)
    with pytest.raises(Interrupted):
        processor.run(batch_of(*"a" * 30), handler)
    assert started == [10]
    assert len(ended) == 9
    assert len(failed(processor.response())) == 30


def test_interrupt_while_all_handlers_wait_ends_them_and_starts_no_more() -> None:
    started: list[str] = []
    ended: list[str] = []

    def interrupt() -> None:
        raise Interrupted

    async def handler(record: Any) -> None:
        started.append(record["messageId"])
        if len(started) == 10:
            asyncio.get_running_loop().call_soon(interrupt)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.append(record["messageId"])

    processor = AsyncBatchProcessor("sqs", max_concurrency=10)
    with pytest.raises(Interrupted):
        processor.run(batch_of(*"a" * 30), handler)
    assert (len(started), len(ended)) == (10, 10)
    assert len(failed(processor.response())) == 30


def test_async_handler_whose_process_was_interrupted_is_not_met_by_the_next_batch() -> None:
    left: list[str] = []

    async def handler(record: Any) -> None:
        if record["body"] == "stop":
            raise Interrupted
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        left.append(record["body"])

    processor = AsyncBatchProcessor("sqs")
    with pytest.raises(Interrupted):
        processor.run(batch_of("slow", "stop"), handler)
    assert failed(async_one_call(processor, batch_of("ok"), handle)) == []
    assert left == []


def test_entries_are_one_per_record_in_the_order_of_the_batch(opened: Way) -> None:
    processor = opened.processor()
    records = batch_of("a", "bad", "c")["Records"]
    if isinstance(processor, AsyncBatchProcessor):
        with processor(records, awaiting(handle)):
            entries = processor.async_process()
    else:
        with processor(records, handle):
            entries = processor.process()
    assert entries == [
        ("success", "A", records[0]),
        ("fail", "<class 'ValueError'>:m1", records[1]),
        ("success", "C", records[2]),
    ]
    assert entries[0][2] is records[0]
    assert type(entries[1][2]) is not dict, "a failed record is typed"
