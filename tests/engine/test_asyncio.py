"""The asyncio driver: inside a running loop, how many lanes run at a time, cancellation, context variables."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    ConfigurationError,
    async_process_partial_response,
    by_key,
    process_partial_response,
)
from tests.batches import PATIENCE, awaiting, batch_of, failed, handle
from tests.drivers import async_one_call

# -- Inside a running loop.


@pytest.mark.parametrize(
    "wait",
    [
        lambda processor: processor.run(batch_of("a"), awaiting(handle)),
        lambda processor: async_one_call(processor, batch_of("a"), handle),
        lambda processor: processor(batch_of("a")["Records"], awaiting(handle)).async_process(),
    ],
)
def test_waiting_inside_a_running_loop_is_an_error_that_names_the_awaitable_form(
    wait: Callable[[AsyncBatchProcessor], Any],
) -> None:
    async def main() -> None:
        with pytest.raises(ConfigurationError, match=r"await processor\.arun.*await processor\.aprocess"):
            wait(AsyncBatchProcessor("sqs"))

    asyncio.run(main())


def test_awaitable_form_runs_on_the_loop_that_is_running() -> None:
    async def main() -> None:
        loops: list[Any] = []

        async def handler(record: Any) -> None:
            loops.append(asyncio.get_running_loop())
            if record["body"] == "bad":
                raise ValueError

        result = await AsyncBatchProcessor("sqs").arun(batch_of("ok", "bad"), handler)
        assert failed(result.response) == ["m1"]
        assert loops == [asyncio.get_running_loop()] * 2

    asyncio.run(main())


def test_processors_refuse_each_others_calls_and_name_the_right_ones() -> None:
    event, records = batch_of("a"), batch_of("a")["Records"]
    handled: list[Any] = []
    with pytest.raises(ConfigurationError, match="async_process_partial_response"):
        process_partial_response(event, handled.append, AsyncBatchProcessor("sqs"))
    with pytest.raises(ConfigurationError, match="process_partial_response"):
        async_process_partial_response(event, handled.append, BatchProcessor("sqs"))
    with pytest.raises(ConfigurationError, match=r"aprocess"):
        AsyncBatchProcessor("sqs")(records, handled.append).process()
    with pytest.raises(ConfigurationError, match="AsyncBatchProcessor"):
        BatchProcessor("sqs")(records, handled.append).async_process()
    with pytest.raises(ConfigurationError, match="AsyncBatchProcessor"):
        asyncio.run(BatchProcessor("sqs")(records, handled.append).aprocess())
    assert handled == []


# -- How many at a time.


class Crowd:
    """Counts how many handlers run at a time, each until ``wanted`` of them have been there together."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.inside = self.most = 0
        self.full = asyncio.Event()

    async def handle(self, record: Any) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)
        if self.inside == self.wanted:
            self.full.set()
        await asyncio.wait_for(self.full.wait(), PATIENCE)
        for _ in range(5):  # whoever could start beside this one has started now
            await asyncio.sleep(0)
        self.inside -= 1


@pytest.mark.parametrize(("limit", "records", "together"), [(1, 5, 1), (3, 10, 3), (7, 4, 4), (None, 250, 100)])
def test_lanes_run_together_up_to_the_limit_and_no_more(limit: int | None, records: int, together: int) -> None:
    crowd = Crowd(together)
    processor = AsyncBatchProcessor("sqs", max_concurrency=limit)
    assert failed(processor.run(batch_of(*"a" * records), crowd.handle).response) == []
    assert crowd.most == together


def test_a_lane_that_ends_makes_room_for_the_next_one_while_others_wait() -> None:
    finished: list[str] = []
    others = asyncio.Event()

    async def handler(record: Any) -> None:
        if record["body"] == "slow":
            await asyncio.wait_for(others.wait(), PATIENCE)
        else:
            await asyncio.sleep(0)
        finished.append(record["body"])
        if len(finished) == 4:
            others.set()

    processor = AsyncBatchProcessor("sqs", max_concurrency=2)
    assert failed(processor.run(batch_of("slow", "a", "b", "c", "d"), handler).response) == []
    assert finished == ["a", "b", "c", "d", "slow"]


def test_plain_handlers_of_an_async_processor_run_one_after_the_other_in_order() -> None:
    handled: list[str] = []
    AsyncBatchProcessor("sqs").run(batch_of(*"abcde"), lambda record: handled.append(record["body"]))
    assert handled == list("abcde")


# -- What a handler may do with its task.


def test_task_group_and_timeouts_work_in_a_handler() -> None:
    async def handler(record: Any) -> str:
        first, second = await asyncio.gather(asyncio.sleep(0, record["body"]), asyncio.sleep(0, "!"))
        return await asyncio.wait_for(asyncio.shield(asyncio.sleep(0, first + second)), PATIENCE)

    assert AsyncBatchProcessor("sqs").run(batch_of(*"ab"), handler).return_values == ["a!", "b!"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.TaskGroup is of Python 3.11")
def test_task_group_that_fails_costs_its_record() -> None:
    async def part(body: str) -> str:
        await asyncio.sleep(0)
        return handle({"body": body, "messageId": ""})

    async def handler(record: Any) -> list[str]:
        async with asyncio.TaskGroup() as group:
            parts = [group.create_task(part(body)) for body in ("ok", record["body"])]
        return [part.result() for part in parts]

    for limit in (1, 100):
        result = AsyncBatchProcessor("sqs", max_concurrency=limit).run(batch_of("a", "bad", "c"), handler)
        assert result.return_values == [["OK", "A"], ["OK", "C"]]
        assert type(result.failures[0].exception).__name__ == "ExceptionGroup"


def test_exception_can_be_caught_where_a_handler_awaits() -> None:
    async def fails() -> None:
        await asyncio.sleep(0)
        raise LookupError

    async def handler(record: Any) -> str:
        try:
            await fails()
        except LookupError:
            await asyncio.sleep(0)
            return "caught"
        return "missed"

    assert AsyncBatchProcessor("sqs").run(batch_of("a"), handler).return_values == ["caught"]


def test_handlers_that_wait_for_one_another_meet() -> None:
    meeting: list[asyncio.Future[None]] = []

    async def handler(record: Any) -> None:
        if record["body"] == "first":
            meeting.append(asyncio.get_running_loop().create_future())
            await asyncio.wait_for(meeting[0], PATIENCE)
        else:
            meeting[0].set_result(None)

    assert failed(AsyncBatchProcessor("sqs").run(batch_of("first", "second"), handler).response) == []


def test_order_inside_a_lane_holds_while_lanes_interleave() -> None:
    log: list[str] = []

    async def handler(record: Any) -> None:
        log.append(f"{record['body']} begins")
        for _ in range(3 if record["body"].endswith("1") else 1):
            await asyncio.sleep(0)
        log.append(f"{record['body']} ends")

    processor = AsyncBatchProcessor("sqs", ordering=by_key(lambda record: record["body"][0]))
    processor.run(batch_of("a1", "b1", "a2", "b2"), handler)
    for lane in "ab":
        assert [line for line in log if line[0] == lane] == [
            f"{lane}{number} {what}" for number in (1, 2) for what in ("begins", "ends")
        ]
    assert log.index("b1 begins") < log.index("a1 ends"), "lanes run side by side"


def test_no_task_is_abandoned() -> None:
    async def main() -> int:
        await AsyncBatchProcessor("sqs").arun(batch_of("a", "bad", "c"), awaiting(handle))
        return len(asyncio.all_tasks())

    assert asyncio.run(main()) == 1


def test_async_generator_based_context_is_closed_by_the_handler_that_opened_it() -> None:
    async def handler(record: Any) -> None:
        async def numbers() -> Any:
            try:
                yield 1
                yield 2
            finally:
                closed.append(record["body"])

        generator = numbers()
        async for _ in generator:
            break
        await generator.aclose()

    closed: list[str] = []
    assert failed(AsyncBatchProcessor("sqs").run(batch_of("a", "b"), handler).response) == []
    assert sorted(closed) == ["a", "b"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout is of Python 3.11")
def test_asyncio_timeout_of_one_record_is_not_another_ones() -> None:
    async def handler(record: Any) -> str:
        if record["body"] == "slow":
            async with asyncio.timeout(0.001):
                await asyncio.get_running_loop().create_future()
        async with asyncio.timeout(PATIENCE):
            await asyncio.sleep(0)
        return str(record["body"])

    result = AsyncBatchProcessor("sqs", max_concurrency=1).run(batch_of("a", "slow", "c"), handler)
    assert result.return_values == ["a", "c"]
    assert [type(outcome.exception) for outcome in result.failures] == [TimeoutError]
