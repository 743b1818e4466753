"""The asyncio driver: inside a running loop, how many lanes run at a time, cancellation, context variables."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
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
    in_order,
    process_partial_response,
)

from .support import PATIENCE, Way, async_one_call, awaiting, batch_of, failed, handle

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


# -- Cancellation.


def test_cancelling_propagates_and_ends_the_handlers() -> None:
    started, ended, later = [], [], []

    both = asyncio.Event()

    async def handler(record: Any) -> None:
        started.append(record["body"])
        if len(started) == 2:
            both.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            ended.append(record["body"])
            raise
        later.append(record["body"])

    async def main() -> None:
        processor = AsyncBatchProcessor("sqs", max_concurrency=2)
        task = asyncio.create_task(processor.arun(batch_of("a", "b", "c", "d"), handler))
        await asyncio.wait_for(both.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert (sorted(started), sorted(ended), later) == (["a", "b"], ["a", "b"], [])


def test_timeout_round_a_batch_ends_it() -> None:
    async def main() -> None:
        async def handler(record: Any) -> None:
            await asyncio.get_running_loop().create_future()

        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(AsyncBatchProcessor("sqs").arun(batch_of("a", "b"), handler), 0.01)

    asyncio.run(main())


@pytest.mark.parametrize("swallow", [True, False])
def test_cancelled_batch_starts_no_record_more_whatever_a_handler_makes_of_it(swallow: bool) -> None:
    started: list[str] = []

    inside = asyncio.Event()

    async def handler(record: Any) -> None:
        started.append(record["body"])
        inside.set()
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            if not swallow:
                raise ValueError from None

    async def main() -> None:
        processor = AsyncBatchProcessor("sqs", ordering=in_order(on_failure="continue"))
        task = asyncio.create_task(processor.arun(batch_of("a", "b", "c"), handler))
        await asyncio.wait_for(inside.wait(), PATIENCE)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=PATIENCE / 4)
        assert done, "it waits for a record that should not have started"
        assert task.cancelled()

    asyncio.run(main())
    assert started == ["a"]


def test_interrupted_batch_starts_no_record_more_even_where_a_handler_swallows_its_end() -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    def interrupt() -> None:
        raise Interrupted

    started: list[str] = []

    async def handler(record: Any) -> None:
        started.append(record["body"])
        asyncio.get_running_loop().call_soon(interrupt)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.get_running_loop().create_future()

    for ordering in (in_order(on_failure="continue"), None):
        started.clear()
        processor = AsyncBatchProcessor("sqs", max_concurrency=1, ordering=ordering)
        with pytest.raises(Interrupted):
            processor.run(batch_of("a", "b", "c"), handler)
        assert started == ["a"]


def test_after_a_cancelled_batch_the_processor_is_as_good_as_new() -> None:
    async def main() -> None:
        async def handler(record: Any) -> None:
            await asyncio.get_running_loop().create_future()

        processor = AsyncBatchProcessor("sqs")
        task = asyncio.create_task(processor.arun(batch_of("a", "b"), handler))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert failed((await processor.arun(batch_of("a", "bad"), awaiting(handle))).response) == ["m1"]

    asyncio.run(main())


def test_context_manager_in_a_cancelled_task_reports_what_had_not_finished() -> None:
    answers: list[Any] = []

    async def handler(record: Any) -> None:
        if record["body"] == "slow":
            await asyncio.get_running_loop().create_future()

    async def main() -> None:
        processor = AsyncBatchProcessor("sqs")

        async def batch() -> None:
            try:
                with processor(batch_of("quick", "slow", "quick")["Records"], handler):
                    await processor.aprocess()
            finally:
                answers.append(failed(processor.response()))

        task = asyncio.create_task(batch())
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert answers == [["m1"]]


def test_handler_that_cancels_its_own_task_costs_its_record() -> None:
    async def handler(record: Any) -> None:
        if record["body"] == "bad":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        await asyncio.sleep(0)

    assert failed(AsyncBatchProcessor("sqs").run(batch_of("a", "bad", "c", "d"), handler).response) == ["m1"]


@pytest.mark.parametrize("cancels", ["a", "b", "d"])
@pytest.mark.parametrize("waits", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 100])
@pytest.mark.parametrize("in_loop", [True, False])
def test_handler_that_cancels_its_own_task_and_returns_costs_nobody_else(
    cancels: str, waits: bool, limit: int, in_loop: bool
) -> None:
    async def handler(record: Any) -> None:
        if waits:
            await asyncio.sleep(0)
        if record["body"] == cancels:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            return
        await asyncio.sleep(0)

    processor = AsyncBatchProcessor("sqs", max_concurrency=limit)
    if in_loop:
        result = asyncio.run(processor.arun(batch_of(*"abcd"), handler))
    else:
        result = processor.run(batch_of(*"abcd"), handler)
    assert failed(result.response) == []


def test_timeout_inside_a_handler_costs_its_record() -> None:
    async def handler(record: Any) -> None:
        if record["body"] == "slow":
            await asyncio.wait_for(asyncio.get_running_loop().create_future(), 0.001)

    processor = AsyncBatchProcessor("sqs")
    assert failed(processor.run(batch_of("a", "slow", "c"), handler).response) == ["m1"]
    assert processor.exceptions[0][0] is asyncio.TimeoutError


# -- Context variables.

VARIABLE: contextvars.ContextVar[Any] = contextvars.ContextVar("variable", default="unset")


class NeverCompared:
    """A value whose comparison is an error, as an array's is."""

    def __eq__(self, other: object) -> bool:
        raise ValueError("ambiguous")

    __hash__ = None  # type: ignore[assignment]


class EqualToAll:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


@pytest.mark.parametrize("make", [object, NeverCompared, EqualToAll])
@pytest.mark.parametrize("waits", ["before", "after", "both", "never"])
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_no_record_sees_the_context_variables_that_another_has_set(
    make: Callable[[], object], waits: str, limit: int
) -> None:
    outside = make()
    seen: list[bool] = []

    async def handler(record: Any) -> None:
        if waits in ("before", "both"):
            await asyncio.sleep(0)
        seen.append(VARIABLE.get() is outside)
        VARIABLE.set(make())
        if waits in ("after", "both"):
            await asyncio.sleep(0)

    def batch() -> None:
        VARIABLE.set(outside)
        processor = AsyncBatchProcessor("sqs", max_concurrency=limit)
        assert failed(processor.run(batch_of(*"abcdef"), handler).response) == []
        assert VARIABLE.get() is outside

    contextvars.copy_context().run(batch)
    assert seen == [True] * 6


def test_records_see_the_context_variables_of_the_caller(driver: Way) -> None:
    seen: list[Any] = []

    def batch() -> None:
        VARIABLE.set("caller's")
        driver(batch_of("a", "b"), lambda record: seen.append(VARIABLE.get()))

    contextvars.copy_context().run(batch)
    assert seen == ["caller's"] * 2


def test_handler_that_waits_has_its_own_context_throughout() -> None:
    seen: list[bool] = []

    async def handler(record: Any) -> None:
        VARIABLE.set(record["body"])
        for _ in range(3):
            await asyncio.sleep(0)
            seen.append(VARIABLE.get() == record["body"])

    AsyncBatchProcessor("sqs").run(batch_of(*"abc"), handler)
    assert seen == [True] * 9


# -- What a handler may do with its task.


def test_task_group_and_timeouts_work_in_a_handler() -> None:
    async def handler(record: Any) -> str:
        first, second = await asyncio.gather(asyncio.sleep(0, record["body"]), asyncio.sleep(0, "!"))
        return await asyncio.wait_for(asyncio.shield(asyncio.sleep(0, first + second)), PATIENCE)

    assert AsyncBatchProcessor("sqs").run(batch_of(*"ab"), handler).return_values == ["a!", "b!"]


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


def test_no_task_is_left_behind() -> None:
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
