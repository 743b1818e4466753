"""What is no record's failure leaves the batch: interrupts, suspensions, the outcome of a test. No response is made."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from queue import SimpleQueue
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BasePartialProcessor,
    BatchProcessor,
    ConfigurationError,
    Disposition,
    by_key,
    hookimpl,
    in_order,
    process_partial_response,
)
from batchcore.errors import steering_in
from batchcore_sqs import SQSSource
from tests.batches import EXCEPTION_GROUP, PATIENCE, awaiting, batch_of, failed, handle
from tests.clocks import Spent
from tests.drivers import Way


class Suspended(BaseException):
    """As an SDK of durable functions raises it, to end the execution until it is resumed."""


class Interrupted(KeyboardInterrupt):
    """A KeyboardInterrupt of our own: pytest takes the plain one for the user's."""


STEERING: dict[str, Callable[[], BaseException]] = {
    "suspension": Suspended,
    "interrupt": Interrupted,
    "generator exit": GeneratorExit,
    "a test's failure": lambda: pytest.fail.Exception("no"),
    "a test that is skipped": lambda: pytest.skip.Exception("not here"),
}


@pytest.fixture(params=STEERING)
def steering(request: pytest.FixtureRequest) -> BaseException:
    return STEERING[request.param]()


def raising(error: BaseException, at: str = "c") -> Callable[[Any], Any]:
    def handler(record: Any) -> Any:
        if record["body"] == at:
            raise error
        return handle(record)

    return handler


def test_what_steers_leaves_the_batch(way: Way, steering: BaseException) -> None:
    with pytest.raises(type(steering)) as caught:
        way(batch_of("a", "bad", "c", "d"), raising(steering))
    assert caught.value is steering


def test_no_response_counts_a_record_that_was_not_done(opened: Way, steering: BaseException) -> None:
    processor = opened.processor()
    with pytest.raises(type(steering)):
        opened.call(processor, batch_of("a", "bad", "c", "d"), raising(steering))
    assert {"m1", "m2"} <= set(failed(processor.response()))


@pytest.mark.parametrize("depth", [1, 2])
def test_what_steers_leaves_out_of_a_group(way: Way, steering: BaseException, depth: int) -> None:
    if EXCEPTION_GROUP is None:
        pytest.skip("Python 3.10 has no groups")
    group: BaseException = steering
    for number in range(depth):
        group = BaseExceptionGroup(str(number), [ValueError(), group, SystemExit()])  # noqa: F821
    with pytest.raises(type(steering)) as caught:
        way(batch_of("a", "c"), raising(group))
    assert caught.value is steering


def test_group_of_nothing_but_failures_is_a_failure(driver: Way) -> None:
    if EXCEPTION_GROUP is None:
        pytest.skip("Python 3.10 has no groups")
    group = BaseExceptionGroup("all", [ValueError(), SystemExit(), asyncio.CancelledError()])  # noqa: F821
    assert failed(driver(batch_of("a", "c", "d"), raising(group))) == ["m1"]


@pytest.mark.parametrize("error", [SystemExit(1), asyncio.CancelledError(), ValueError()], ids=repr)
def test_exit_and_cancellation_are_failures_of_their_record(way: Way, error: BaseException) -> None:
    assert failed(way(batch_of("a", "c", "d"), raising(error))) == ["m1"]


@pytest.mark.parametrize("wait", ["task group", "gather", "task", "shield"])
def test_what_steers_in_a_task_of_the_handler_leaves_the_batch(wait: str) -> None:
    if wait == "task group" and not hasattr(asyncio, "TaskGroup"):
        pytest.skip("Python 3.10 has no task groups")

    async def suspend() -> None:
        await asyncio.sleep(0)
        raise Suspended

    async def handler(record: Any) -> None:
        if record["body"] != "c":
            return
        if wait == "task group":
            async with asyncio.TaskGroup() as group:
                group.create_task(suspend())
        elif wait == "gather":
            await asyncio.gather(suspend(), asyncio.sleep(0))
        elif wait == "task":
            await asyncio.create_task(suspend())
        else:
            await asyncio.shield(suspend())

    with pytest.raises(Suspended):
        AsyncBatchProcessor("sqs").run(batch_of("a", "c", "d"), handler)


def test_what_steers_leaves_also_when_another_record_hangs_until_the_time_is_up() -> None:
    clock, hangs, others = Spent(5), threading.Event(), SimpleQueue[threading.Thread]()

    def handler(record: Any) -> None:
        if record["body"] == "hangs":
            others.get(timeout=PATIENCE).join(PATIENCE)
            clock.spend(4.9)
            hangs.wait(PATIENCE)
        others.put(threading.current_thread())
        raise Suspended

    try:
        with pytest.raises(Suspended):
            BatchProcessor("sqs", max_concurrency=2, stop_before_timeout=1).run(batch_of("hangs", "c"), handler, clock)
    finally:
        hangs.set()


def test_async_handler_that_steers_when_the_time_is_up_leaves_the_batch() -> None:
    clock = Spent(1.01)

    async def handler(record: Any) -> None:
        clock.spend(0.1)
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:
            raise Suspended from None

    with pytest.raises(Suspended):
        AsyncBatchProcessor("sqs", stop_before_timeout=1).run(batch_of("a"), handler, clock)


def test_threads_of_an_executor_pass_on_what_steers() -> None:
    with ThreadPoolExecutor(2) as pool, pytest.raises(Suspended):
        BatchProcessor("sqs", executor=pool).run(batch_of("a", "c", "d"), raising(Suspended()))


@pytest.mark.parametrize("ordering", [in_order(), in_order(on_failure="continue"), by_key(lambda record: 1)])
def test_what_steers_leaves_lanes(driver: Way, ordering: Any) -> None:
    with pytest.raises(Suspended):
        driver(batch_of("a", "c", "d"), raising(Suspended()), ordering=ordering)


def test_key_function_that_steers_leaves_the_batch(driver: Way) -> None:
    with pytest.raises(Suspended):
        driver(batch_of("a", "c"), ordering=by_key(raising(Suspended())))


class Steers:
    """Steers from one of its hooks."""

    def __init__(self, hook: str) -> None:
        self.hook = hook

    def at(self, hook: str) -> None:
        if hook == self.hook:
            raise Suspended

    @hookimpl
    def batch_started(self) -> None:
        self.at("batch_started")

    @hookimpl
    def record_scope(self) -> Any:
        self.at("record_scope")

        @contextmanager
        def scope() -> Iterator[None]:
            self.at("scope entered")
            try:
                yield
            finally:
                self.at("scope left")

        return scope()

    @hookimpl
    def record_finished(self) -> None:
        self.at("record_finished")

    @hookimpl
    def batch_finished(self) -> None:
        self.at("batch_finished")

    @hookimpl
    def after_batch(self) -> None:
        self.at("after_batch")

    @hookimpl
    def before_records(self) -> None:
        self.at("before_records")

    @hookimpl
    def after_records(self) -> None:
        self.at("after_records")

    @hookimpl
    def deliver_dead_letter(self) -> None:
        self.at("deliver_dead_letter")

    @hookimpl(wrapper=True)
    def record_decoder(self) -> Any:
        inner = yield

        def decode(record: Any) -> Any:
            self.at("decoder")
            return inner(record)

        return decode

    @hookimpl(wrapper=True)
    def delivery_attempt(self) -> Any:
        attempt = yield
        self.at("delivery_attempt")
        return attempt

    @hookimpl(wrapper=True)
    def describe_record(self) -> Any:
        description = yield
        self.at("describe_record")
        return description


@pytest.mark.parametrize(
    "hook",
    [
        "batch_started",
        "record_scope",
        "scope entered",
        "scope left",
        "record_finished",
        "batch_finished",
        "after_batch",
        "before_records",
        "after_records",
        "deliver_dead_letter",
        "decoder",
        "delivery_attempt",
        "describe_record",
    ],
)
def test_hook_that_steers_leaves_the_batch(hook: str, way: Way) -> None:
    with pytest.raises(Suspended):
        way(batch_of("a", "bad", "c"), plugins=[Steers(hook)], dispositions={ValueError: Disposition.DEAD_LETTER})


@pytest.mark.parametrize("method", ["success_handler", "failure_handler"])
def test_override_that_steers_leaves_the_batch(method: str, driver: Way) -> None:
    def suspend(*arguments: Any) -> Any:
        raise Suspended

    processor = driver.processor()
    setattr(processor, method, suspend)
    with pytest.raises(Suspended):
        driver.call(processor, batch_of("a", "bad", "c"), handle)


def test_str_of_an_exception_that_steers_leaves_the_batch(driver: Way) -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise Suspended

    with pytest.raises(Suspended):
        driver(batch_of("a", "c"), raising(Odd()))


@pytest.mark.parametrize("asynchronous", [False, True])
def test_scopes_and_arguments_are_closed_and_hide_nothing(asynchronous: bool) -> None:
    events: list[str] = []

    class Scope:
        @hookimpl
        def record_scope(self) -> Any:
            return watched("scope")

    @contextmanager
    def watched(name: str) -> Iterator[str]:
        events.append(f"{name} entered")
        try:
            yield name
        except BaseException as error:
            events.append(f"{name} left by {type(error).__name__}")
            raise ValueError("while leaving") from error

    class Giving(SQSSource):
        @hookimpl
        def handler_arguments(self, batch: Any) -> Mapping[str, Any]:
            return {"thing": lambda record: watched("argument"), "other": lambda record: nullcontext()}

    def handler(record: Any, thing: str, other: Any) -> None:
        raise Suspended

    async def async_handler(record: Any, thing: str, other: Any) -> None:
        await asyncio.sleep(0)
        raise Suspended

    with pytest.raises(Suspended):
        if asynchronous:
            AsyncBatchProcessor(Giving(), plugins=[Scope()]).run(batch_of("a"), async_handler)
        else:
            BatchProcessor(Giving(), plugins=[Scope()]).run(batch_of("a"), handler)
    assert events == [
        "scope entered",
        "argument entered",
        "argument left by Suspended",
        "scope left by Suspended",
    ]


def test_processor_from_scratch_passes_on_what_steers() -> None:
    class Scratch(BasePartialProcessor):
        def _process_record(self, record: Any) -> Any:
            try:
                return self.success_handler(record, self.handler(record))
            except Exception:
                return self.failure_handler(record, sys.exc_info())

    with pytest.raises(Suspended):
        process_partial_response(batch_of("a", "bad", "c"), raising(Suspended()), Scratch())


def test_next_batch_of_the_processor_is_right(driver: Way, steering: BaseException) -> None:
    processor = driver.processor()
    with suppress(type(steering)):
        driver.call(processor, batch_of("a", "c"), raising(steering))
    assert failed(driver.call(processor, batch_of("a", "bad"), handle)) == ["m1"]
    assert failed(processor.response()) == ["m1"]


def test_pytest_fails_a_test_whose_handler_fails_it(driver: Way) -> None:
    def handler(record: Any) -> None:
        pytest.fail("the handler says so")

    with pytest.raises(pytest.fail.Exception, match="the handler says so"):
        driver(batch_of("a"), handler)


def test_cancelling_the_batch_ends_it_and_a_handlers_own_cancellation_does_not() -> None:
    """Cancelling the task of arun() cancels it, and a handler's own cancellation does not."""

    async def main() -> None:
        started = asyncio.Event()

        async def handler(record: Any) -> None:
            started.set()
            await asyncio.sleep(20)

        task = asyncio.ensure_future(AsyncBatchProcessor("sqs").arun(batch_of("a"), handler))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    result = AsyncBatchProcessor("sqs").run(batch_of("a", "c"), awaiting(raising(asyncio.CancelledError())))
    assert failed(result.response) == ["m1"]


@pytest.mark.parametrize("kind", [Suspended, KeyboardInterrupt, GeneratorExit])
def test_disposition_of_what_no_record_fails_with_is_refused(kind: type[BaseException]) -> None:
    with pytest.raises(ConfigurationError, match=f"{kind.__name__}, which no record fails with"):
        BatchProcessor("sqs", dispositions={kind: Disposition.DROP})


@pytest.mark.parametrize("kind", [BaseException, SystemExit, asyncio.CancelledError, ValueError])
def test_disposition_of_what_a_record_fails_with_is_taken(kind: type[BaseException]) -> None:
    assert BatchProcessor("sqs", dispositions={kind: Disposition.DROP}).run(batch_of("a"), handle).failures == []


def test_steering_is_found_without_recursion() -> None:
    if EXCEPTION_GROUP is None:
        pytest.skip("Python 3.10 has no groups")
    error: BaseException = Suspended()
    for _ in range(5_000):
        error = BaseExceptionGroup("", [error])  # noqa: F821
    assert isinstance(steering_in(error), Suspended)
