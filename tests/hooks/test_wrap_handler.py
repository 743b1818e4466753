"""``wrap_handler``: an ordinary decorator round the record handler, asked for once per processor and handler."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency import IdempotencyConfig, idempotent_function
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer, DataRecord

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    HandlerSignatureError,
    PluginError,
    async_process_partial_response,
    hookimpl,
    process_partial_response,
)

from .support import Run, ToySource, failed, play, run, run_async, toys


class Wraps:
    """An extension whose decorator is given."""

    def __init__(self, decorate: Callable[[Any], Any]) -> None:
        self.decorate = decorate
        self.wrapped: list[Any] = []

    @hookimpl
    def wrap_handler(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        self.wrapped.append(handler)
        decorated: Callable[..., Any] = self.decorate(handler)
        return decorated


def says(word: str) -> Wraps:
    """Put a word round what the handler returned."""

    def decorate(handler: Any) -> Any:
        @functools.wraps(handler)
        def call(record: Any) -> Any:
            return f"{word}({handler(record)})"

        return call

    return Wraps(decorate)


def retrying(times: int) -> Wraps:
    """Call the handler again when it raises, in the process: a decorator as any retry library has one."""

    def decorate(handler: Any) -> Any:
        @functools.wraps(handler)
        def call(*args: Any, **kwargs: Any) -> Any:
            for _ in range(times - 1):
                try:
                    return handler(*args, **kwargs)
                except ConnectionError:
                    continue
            return handler(*args, **kwargs)

        @functools.wraps(handler)
        async def call_async(*args: Any, **kwargs: Any) -> Any:
            for _ in range(times - 1):
                try:
                    return await handler(*args, **kwargs)
                except ConnectionError:
                    await asyncio.sleep(0)
            return await handler(*args, **kwargs)

        return call_async if inspect.iscoroutinefunction(handler) else call

    return Wraps(decorate)


def test_wrap_handler_gives_what_is_called_instead(driver: Run) -> None:
    result = driver(ToySource(), toys("car"), plugins=[says("gladly")])

    assert result.return_values == ["gladly(played with car)"]


def test_several_wrap_one_another_the_first_named_innermost(driver: Run) -> None:
    result = driver(ToySource(), toys("car"), plugins=[says("a"), says("b"), says("c")])

    assert result.return_values == ["c(b(a(played with car)))"]


def test_wrap_handler_is_asked_once_for_many_records_and_batches(driver: Run) -> None:
    plugin = says("a")
    processor = BatchProcessor(ToySource(), plugins=[plugin])

    for _ in range(3):
        processor.run(toys("car", "ball"), play)
    driver(ToySource(), toys("car", "ball"), plugins=[other := says("b")])

    assert plugin.wrapped == [play]
    assert other.wrapped == [play]


def test_wrap_handler_is_asked_once_per_handler_however_they_take_turns() -> None:
    plugin = says("a")
    processor = BatchProcessor(ToySource(), plugins=[plugin])

    for _ in range(3):
        processor.run(toys("car"), str)
        processor.run(toys("car"), repr)

    assert plugin.wrapped == [str, repr]


def test_a_bound_method_is_one_handler_however_often_it_is_named() -> None:
    class Player:
        def play(self, toy: Any) -> str:
            return play(toy)

    plugin = says("a")
    processor = BatchProcessor(ToySource(), plugins=[plugin])
    player, other = Player(), Player()

    for _ in range(2):
        processor.run(toys("car"), player.play)
        processor.run(toys("car"), other.play)

    assert plugin.wrapped == [player.play, other.play]


def test_a_handler_made_anew_for_each_batch_is_not_kept_for_good() -> None:
    class Unchanged:
        @hookimpl
        def wrap_handler(self, handler: Any) -> Any:
            return handler

    processor = BatchProcessor(ToySource(), plugins=[Unchanged()])
    handlers: list[weakref.ref[Any]] = []
    for _ in range(200):
        handler = functools.partial(play)
        handlers.append(weakref.ref(handler))
        processor.run(toys("car"), handler)
    del handler

    gc.collect()

    assert sum(reference() is not None for reference in handlers) < 50


def test_each_processor_asks_for_itself() -> None:
    plugin = says("a")

    for _ in range(2):
        BatchProcessor(ToySource(), plugins=[plugin]).run(toys("car"), play)

    assert plugin.wrapped == [play, play]


def test_a_retry_decorator_succeeds_within_one_batch(driver: Run) -> None:
    calls: list[str] = []

    def flaky(toy: Any) -> str:
        calls.append(toy["id"])
        if calls.count(toy["id"]) < 3 and toy["id"] != "car":
            raise ConnectionError
        return "done"

    result = driver(ToySource(), toys("car", "ball", "doll"), flaky, plugins=[retrying(3)])

    assert failed(result) == []
    assert sorted(calls) == ["ball"] * 3 + ["car"] + ["doll"] * 3


def test_a_retry_decorator_round_an_async_handler_succeeds_within_one_batch() -> None:
    calls: list[str] = []

    async def flaky(toy: Any) -> str:
        calls.append(toy["id"])
        await asyncio.sleep(0)
        if calls.count(toy["id"]) < 2:
            raise ConnectionError
        return "done"

    result = run_async(ToySource(), toys("car", "ball"), flaky, plugins=[retrying(2)])

    assert result.return_values == ["done", "done"]
    assert sorted(calls) == ["ball", "ball", "car", "car"]


def test_a_retry_that_gives_up_fails_its_record_alone(driver: Run) -> None:
    def flaky(toy: Any) -> str:
        if toy["id"] == "ball":
            raise ConnectionError("no line")
        return "done"

    result = driver(ToySource(), toys("car", "ball"), flaky, plugins=[retrying(2)])

    assert failed(result) == ["ball"]
    assert isinstance(result.outcomes[1].exception, ConnectionError)


def test_a_wrapper_may_be_given_the_lambda_context(driver: Run) -> None:
    def wants_context(handler: Any) -> Any:
        def call(record: Any, lambda_context: Any = None) -> Any:
            return lambda_context, handler(record)

        return call

    context = object()

    result = BatchProcessor(ToySource(), plugins=[Wraps(wants_context)]).run(toys("car"), play, context)

    assert result.return_values == [(context, "played with car")]


def test_a_wrapper_that_takes_no_record_is_refused_before_the_first_one(driver: Run) -> None:
    with pytest.raises(HandlerSignatureError, match="takes no record"):
        driver(ToySource(), toys("car"), plugins=[Wraps(lambda handler: lambda: handler)])


@pytest.mark.parametrize("given", [None, "a text", 7])
def test_a_wrapper_that_gives_no_handler_is_refused_and_named(given: object, driver: Run) -> None:
    plugin = Wraps(lambda handler: given)

    with pytest.raises(PluginError, match=r"wrap_handler\(\) of Wraps gives the handler to call instead") as caught:
        driver(ToySource(), toys("car"), plugins=[plugin])

    assert repr(given) in str(caught.value)
    assert (caught.value.plugin, caught.value.hook) == (plugin, "wrap_handler")


def test_a_wrapper_that_raises_refuses_the_batch(driver: Run) -> None:
    def raises(handler: Any) -> Any:
        raise LookupError("no table")

    handled: list[Any] = []

    with pytest.raises(LookupError, match="no table"):
        driver(ToySource(), toys("car"), handled.append, plugins=[Wraps(raises)])

    assert handled == []


def test_an_async_wrapper_round_a_handler_called_synchronously_is_refused() -> None:
    def make_async(handler: Any) -> Any:
        async def call(record: Any) -> Any:
            return handler(record)

        return call

    with pytest.raises(HandlerSignatureError, match="AsyncBatchProcessor"):
        run(ToySource(), toys("car"), plugins=[Wraps(make_async)])
    assert run_async(ToySource(), toys("car"), plugins=[Wraps(make_async)]).return_values == ["played with car"]


def test_a_plain_wrapper_that_forgets_to_await_gives_the_handlers_awaitable_on() -> None:
    async def handler(toy: Any) -> str:
        return play(toy)

    def passes(inner: Any) -> Any:
        def call(record: Any) -> Any:
            return inner(record)

        return call

    assert run_async(ToySource(), toys("car"), handler, plugins=[Wraps(passes)]).return_values == ["played with car"]


# -- Powertools' own idempotency, as a plugin.


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 30_000


class InMemory(BasePersistenceLayer):
    """A store of what was done, in this process."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, DataRecord] = {}

    def _get_record(self, idempotency_key: str) -> DataRecord:
        return self.kept[idempotency_key]

    def _put_record(self, data_record: DataRecord) -> None:
        if data_record.idempotency_key in self.kept:
            raise IdempotencyItemAlreadyExistsError
        self.kept[data_record.idempotency_key] = data_record

    def _update_record(self, data_record: DataRecord) -> None:
        self.kept[data_record.idempotency_key] = data_record

    def _delete_record(self, data_record: DataRecord) -> None:
        self.kept.pop(data_record.idempotency_key, None)


def idempotent(store: InMemory) -> Wraps:
    def decorate(handler: Any) -> Any:
        config = IdempotencyConfig(event_key_jmespath="id")
        config.register_lambda_context(Context())  # type: ignore[arg-type]
        return idempotent_function(handler, data_keyword_argument="record", persistence_store=store, config=config)

    return Wraps(decorate)


def test_powertools_idempotency_round_the_handler_does_work_once() -> None:
    done: list[str] = []

    def record_handler(record: Any) -> dict[str, str]:
        done.append(record["id"])
        if record["id"] == "bad":
            raise ValueError
        return {"played": record["id"]}

    plugin = idempotent(InMemory())
    processor = BatchProcessor(ToySource(), plugins=[plugin])

    first = process_partial_response(toys("car", "bad", "ball"), record_handler, processor)
    second = process_partial_response(toys("car", "bad", "ball"), record_handler, processor)

    assert first == second == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert done == ["car", "bad", "ball", "bad"], "what failed is not remembered as done"


def test_powertools_idempotency_gives_the_first_result_again() -> None:
    def record_handler(record: Any) -> dict[str, str]:
        return {"played": record["id"]}

    processor = BatchProcessor(ToySource(), plugins=[idempotent(InMemory())])

    results = [processor.run(toys("car"), record_handler).return_values for _ in range(2)]

    assert results == [[{"played": "car"}], [{"played": "car"}]]


def test_wrap_handler_works_through_the_one_call_functions_alike() -> None:
    plugin = says("a")
    processor = AsyncBatchProcessor(ToySource(), plugins=[plugin])

    response = async_process_partial_response(toys("car", "bad"), play, processor)

    assert response == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert plugin.wrapped == [play]
