"""Powertools' idempotency round handlers, with its table in DynamoDB."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

from batchcore import AsyncBatchProcessor, Batch, BatchProcessor, BatchResult, HandlerSignatureError, Outcome, hookimpl
from batchcore_testing import make_event

from .beside import PATIENCE, messages, named, numbers

PROCESSORS = {"one by one": BatchProcessor, "threads": lambda *a, **o: BatchProcessor(*a, max_concurrency=8, **o)}
each_plain_way = pytest.mark.parametrize("way", PROCESSORS)


class Context:
    """The context of an invocation with so much time left."""

    def __init__(self, left_ms: int = 60_000) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


class Store:
    """A table, and what makes a handler idempotent by it."""

    def __init__(self, table: Any, *, left_ms: int | None = 60_000, key: str = "messageId") -> None:
        self.table = table
        self.layer = DynamoDBPersistenceLayer(table_name=table.name)
        self.config = IdempotencyConfig(event_key_jmespath=key)
        if left_ms is not None:
            self.config.register_lambda_context(Context(left_ms))  # type: ignore[arg-type]  # what is asked of it

    def idempotent(self, handler: Callable[..., Any], name: str = "record") -> Callable[..., Any]:
        decorated: Callable[..., Any] = idempotent_function(
            handler, data_keyword_argument=name, config=self.config, persistence_store=self.layer
        )
        return decorated

    def statuses(self) -> list[str]:
        return sorted(row["status"] for row in self.table.scan()["Items"])


@pytest.fixture
def store(table: Callable[[str], Any]) -> Store:
    return Store(table("id"))


def run(way: str, handler: Callable[..., Any], event: Any, **options: Any) -> BatchResult:
    return PROCESSORS[way]("sqs", raise_on_entire_batch_failure=False, **options).run(event, handler, Context())


def failures(result: BatchResult) -> dict[str, str]:
    """Return the classes of what failed, by message."""
    return {str(each.identifier): type(each.exception).__name__ for each in result.failures}


@each_plain_way
def test_message_that_comes_again_is_answered_from_the_table(way: str, store: Store) -> None:
    handled: list[str] = []

    @store.idempotent
    def handler(record: Any) -> Any:
        handled.append(record.body)
        if record.body == "3" and handled.count("3") == 1:
            raise OSError
        return {"met": [record.body]}

    assert failures(run(way, handler, numbers(20))) == {"m3": "OSError"}
    assert store.statuses() == ["COMPLETED"] * 19  # what failed leaves no row, so it may be tried again
    again = run(way, handler, numbers(20))
    assert again.return_values == [{"met": [str(number)]} for number in range(20)]
    assert sorted(handled) == sorted([*map(str, range(20)), "3"])


@pytest.mark.parametrize("source", ["sqs", "kinesis", "dynamodb", "kafka"])
def test_record_of_any_source_is_known_again_by_its_raw_record(source: str, table: Callable[[str], Any]) -> None:
    keys = {"sqs": "messageId", "kinesis": "kinesis.sequenceNumber", "dynamodb": "eventID", "kafka": "[topic, offset]"}
    store = Store(table("id"), key=keys[source])
    handled: list[Any] = []

    @store.idempotent
    def handler(record: Any) -> None:
        handled.append(record)

    processor, event = BatchProcessor(source), make_event(source, "[1]", "[2]")
    for _ in range(2):
        assert processor.run(event, handler).counts() == {"succeeded": 2}
    assert len(handled) == 2


def test_model_is_known_again_by_its_fields(store: Store) -> None:
    pytest.importorskip("pydantic")
    from batchcore_sqs.models import SqsRecordModel

    handled: list[Any] = []

    @store.idempotent
    def handler(record: SqsRecordModel) -> None:
        handled.append(record.messageId)

    processor = BatchProcessor("sqs", model=SqsRecordModel)
    for _ in range(2):
        assert processor.run(numbers(2), handler).counts() == {"succeeded": 2}
    assert handled == ["m0", "m1"]


class ByPlugin:
    """Makes every handler of its processor idempotent."""

    def __init__(self, store: Store) -> None:
        self.store = store

    @hookimpl
    def wrap_handler(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        return self.store.idempotent(handler)

    @hookimpl
    def batch_started(self, batch: Batch) -> None:
        self.store.config.register_lambda_context(batch.context)


@each_plain_way
def test_plugin_makes_handlers_idempotent_and_registers_the_context(way: str, table: Callable[[str], Any]) -> None:
    store = Store(table("id"), left_ms=None)
    handled: list[str] = []

    def handler(record: Any, lambda_context: Any) -> int:
        handled.append(record.body)
        return int(lambda_context.left_ms)

    for _ in range(2):  # no warning of a context that was not registered: those are errors here
        result = run(way, handler, numbers(10), plugins=[ByPlugin(store)])
        assert result.return_values == [60_000] * 10
    assert sorted(handled) == sorted(map(str, range(10)))


@each_plain_way
def test_message_that_is_handled_elsewhere_fails_and_comes_again(way: str, store: Store) -> None:
    begun, go_on = threading.Event(), threading.Event()

    @store.idempotent
    def slow(record: Any) -> None:
        begun.set()
        assert go_on.wait(PATIENCE)

    elsewhere = threading.Thread(target=BatchProcessor("sqs").run, args=(numbers(1), slow))
    elsewhere.start()
    assert begun.wait(PATIENCE)
    assert failures(run(way, slow, numbers(1))) == {"m0": "IdempotencyAlreadyInProgressError"}
    go_on.set()
    elsewhere.join()
    assert run(way, slow, numbers(1)).counts() == {"succeeded": 1}


def test_two_messages_of_one_key_side_by_side_are_handled_once(table: Callable[[str], Any]) -> None:
    store = Store(table("id"), key="body")
    other_has_failed = threading.Event()
    handled: list[str] = []

    class Watches:
        @hookimpl
        def record_finished(self, outcome: Outcome) -> None:
            if outcome.status == "failed":
                other_has_failed.set()

    @store.idempotent
    def handler(record: Any) -> None:
        handled.append(record.message_id)
        assert other_has_failed.wait(PATIENCE)

    first = run("threads", handler, messages("same", "same"), plugins=[Watches()])
    assert list(failures(first).values()) == ["IdempotencyAlreadyInProgressError"]
    assert run("threads", handler, messages("same", "same")).counts() == {"succeeded": 2}
    assert len(handled) == 1


def test_what_json_cannot_hold_fails_a_message_that_was_handled(table: Callable[[str], Any]) -> None:
    """Its row stays in progress, until its invocation would have been ended: then it is handled once more."""
    store = Store(table("id"), left_ms=300)
    handled: list[str] = []

    @store.idempotent
    def handler(record: Any) -> Any:
        handled.append(record.body)
        return {"a set"}

    assert failures(run("one by one", handler, numbers(1))) == {"m0": "IdempotencyPersistenceLayerError"}
    assert store.statuses() == ["INPROGRESS"]
    store.config.register_lambda_context(Context(60_000))  # type: ignore[arg-type]
    time.sleep(0.4)
    assert failures(run("one by one", handler, numbers(1))) == {"m0": "IdempotencyPersistenceLayerError"}
    assert handled == ["0", "0"]


def test_answer_from_the_table_is_what_json_makes_of_it(store: Store) -> None:
    @store.idempotent
    def handler(record: Any) -> Any:
        return {1: ("a", None)}

    assert run("one by one", handler, numbers(1)).return_values == [{1: ("a", None)}]
    assert run("one by one", handler, numbers(1)).return_values == [{"1": ["a", None]}]


def test_handler_that_exits_leaves_its_message_in_progress(store: Store) -> None:
    @store.idempotent
    def handler(record: Any) -> None:
        sys.exit(1)

    assert failures(run("one by one", handler, numbers(1))) == {"m0": "SystemExit"}
    assert failures(run("one by one", handler, numbers(1))) == {"m0": "IdempotencyAlreadyInProgressError"}


def test_message_in_progress_is_refused_for_as_long_as_a_row_lasts_where_no_context_is_registered(
    table: Callable[[str], Any],
) -> None:
    store = Store(table("id"), left_ms=None)

    @store.idempotent
    def handler(record: Any) -> None:
        sys.exit(1)  # as an invocation ends that runs into its timeout: nobody removes the row

    for expected in ("SystemExit", "IdempotencyAlreadyInProgressError"):
        with pytest.warns(UserWarning, match="register_lambda_context"):
            assert failures(run("one by one", handler, numbers(1))) == {"m0": expected}
    (row,) = store.table.scan()["Items"]
    assert "in_progress_expiration" not in row
    assert 3_500 < int(row["expiration"]) - time.time() < 3_700


def test_record_in_a_parameter_of_another_name_fails_each_message_before_it_is_handled(store: Store) -> None:
    handled: list[Any] = []

    def handler(message: Any) -> None:
        handled.append(message)

    handler = store.idempotent(handler, name="message")
    assert failures(run("one by one", handler, numbers(2))) == dict.fromkeys(("m0", "m1"), "RuntimeError")
    assert handled == []


def test_coroutine_function_is_refused_before_the_first_record(store: Store) -> None:
    handled: list[Any] = []

    async def handler(record: Any) -> None:
        handled.append(record)

    for processor, given in (
        (AsyncBatchProcessor("sqs"), store.idempotent(handler)),
        (AsyncBatchProcessor("sqs", plugins=[ByPlugin(store)]), handler),
    ):
        with pytest.raises(HandlerSignatureError, match="plain decorator"):
            processor.run(numbers(1), given)
    assert (handled, store.statuses()) == ([], [])


def test_coroutine_function_and_a_processor_for_plain_ones_fail_each_message_unhandled(store: Store) -> None:
    handled: list[Any] = []
    coroutines: list[Any] = []

    async def handler(record: Any) -> None:
        handled.append(record)

    def calls(record: Any) -> Any:
        coroutines.append(handler(record))
        return coroutines[-1]

    assert failures(run("one by one", store.idempotent(calls), numbers(1))) == {
        "m0": "IdempotencyPersistenceLayerError"
    }
    assert (handled, store.statuses()) == ([], ["INPROGRESS"])
    coroutines[0].close()  # it was never awaited


def test_under_asyncio_a_plain_function_is_made_idempotent_and_called_in_a_thread(store: Store) -> None:
    handled: list[str] = []

    @store.idempotent
    def ship(record: Any) -> str:
        handled.append(record.body)
        return f"shipped {record.body}"

    async def handler(record: Any) -> str:
        shipped: str = await asyncio.to_thread(ship, record=record)
        return shipped

    for _ in range(2):
        result = AsyncBatchProcessor("sqs").run(numbers(10), handler)
        assert result.return_values == [f"shipped {number}" for number in range(10)]
    assert sorted(handled) == sorted(map(str, range(10)))


@pytest.fixture(params=["one store", "two stores"])
def stores(request: pytest.FixtureRequest, store: Store) -> tuple[Store, Store]:
    other = Store(store.table)
    if request.param == "one store":
        other.layer = store.layer
    return store, other


def test_idempotent_function_inside_of_another_needs_a_store_of_its_own(stores: tuple[Store, Store]) -> None:
    """A store writes by the name of the function that was called last: with one, the outer is never completed."""
    outer, inner = stores

    def ship(order: Any) -> None:
        pass

    shipped = inner.idempotent(ship, name="order")

    @outer.idempotent
    def handler(record: Any) -> None:
        shipped(order={"messageId": f"order {record.body}"})

    first, second = (run("one by one", handler, numbers(1)) for _ in range(2))
    assert first.counts() == {"succeeded": 1}
    if outer.layer is inner.layer:
        assert failures(second) == {"m0": "IdempotencyAlreadyInProgressError"}
    else:
        assert second.counts() == {"succeeded": 1}


def test_program_handles_each_message_once(
    load: Any, table: Callable[[str], Any], context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = table("id")
    program = load("beside/idempotency.py")
    event = messages(*({"id": number} for number in range(20)), "no JSON")
    for _ in range(2):
        assert program.module.lambda_handler(event, context) == named("m20")
    assert sorted(capsys.readouterr().out.split()) == sorted([*map(str, range(20)), *["shipped"] * 20])
    items = rows.scan()["Items"]
    assert {row["status"] for row in items} == {"COMPLETED"}
    assert len(items) == 20
