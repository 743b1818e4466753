"""One bad record costs one record, whatever raises and whatever it raises."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    NotAttemptedError,
    RecordError,
    UnawaitedResultError,
    async_process_partial_response,
    by_key,
    hookimpl,
    in_order,
)
from batchcore.ledger import Skipped
from batchcore_sqs import SQS, SQSRecord
from tests.batches import Handler, batch_of, failed, handle
from tests.drivers import Way


class StrRaises(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class StrExits(Exception):
    def __str__(self) -> str:
        raise SystemExit(1)


class StrIsNoText(Exception):
    def __str__(self) -> str:
        return None  # type: ignore[return-value]  # what the test is about


class ReprRaises(Exception):
    def __repr__(self) -> str:
        raise RuntimeError("no repr")


@dataclass(frozen=True)
class Frozen(Exception):
    """Refuses the assignment of any attribute, its traceback included."""

    code: int = 1


class EqualToNothing(Exception):
    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not to be compared")

    __hash__ = None  # type: ignore[assignment]


class Falsy(Exception):
    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0


class SaysItWasSkipped(Exception):
    """Says that it is what a ledger keeps of records that were skipped."""

    @property
    def __class__(self) -> Any:
        return Skipped


def recursive() -> BaseException:
    def deeper() -> None:
        deeper()

    try:
        deeper()
    except RecursionError as error:
        return error
    raise AssertionError


def chained_in_a_circle() -> BaseException:
    first, second = ValueError("first"), ValueError("second")
    first.__context__, second.__context__ = second, first
    return first


EXCEPTIONS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("no"),
    "without arguments": ValueError,
    "SystemExit": lambda: SystemExit(3),
    "StopIteration": lambda: StopIteration(1),
    "StopAsyncIteration": StopAsyncIteration,
    "CancelledError": asyncio.CancelledError,
    "thread pool's CancelledError": concurrent.futures.CancelledError,
    "TimeoutError": TimeoutError,
    "RecursionError": recursive,
    "MemoryError": MemoryError,
    "AssertionError": AssertionError,
    "str() raises": StrRaises,
    "str() exits": StrExits,
    "str() gives no text": StrIsNoText,
    "repr() raises": ReprRaises,
    "frozen": Frozen,
    "not comparable": EqualToNothing,
    "falsy": Falsy,
    "lies about its class": SaysItWasSkipped,
    "chained in a circle": chained_in_a_circle,
    "NotAttemptedError": NotAttemptedError,
    "of the library's own": lambda: RecordError("mine"),
}


def raises(make: Callable[[], BaseException]) -> Handler:
    def handler(record: Any) -> Any:
        if record["body"] == "bad":
            raise make()
        return record["body"]

    return handler


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_handler_may_raise_anything(driver: Way, kind: str) -> None:
    processor = driver.processor()
    response = driver.call(processor, batch_of("a", "bad", "c"), raises(EXCEPTIONS[kind]))
    assert failed(response) == ["m1"]
    assert [record["messageId"] for record in processor.success_messages] == ["m0", "m2"]
    assert [record["messageId"] for record in processor.fail_messages] == ["m1"]
    assert len(processor.exceptions) == 1


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_whole_batch_may_fail_with_anything(driver: Way, kind: str) -> None:
    response = driver(batch_of("bad", "bad"), raises(EXCEPTIONS[kind]), raise_on_entire_batch_failure=False)
    assert failed(response) == ["m0", "m1"]


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_whole_batch_that_raises_says_so_whatever_it_failed_with(driver: Way, kind: str) -> None:
    with pytest.raises(Exception, match="All records failed processing") as caught:
        driver(batch_of("bad", "bad"), raises(EXCEPTIONS[kind]))
    assert failed(caught.value.result.response) == ["m0", "m1"]


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_entries_can_be_had_whatever_the_record_failed_with(kind: str) -> None:
    processor = BatchProcessor("sqs")
    with processor(batch_of("a", "bad")["Records"], raises(EXCEPTIONS[kind])):
        entries = processor.process()
    assert [entry[0] for entry in entries] == ["success", "fail"]
    assert entries[1][1].startswith("<class ")


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_exception_raised_while_awaiting_is_the_records_own(kind: str) -> None:
    async def handler(record: Any) -> None:
        await asyncio.sleep(0)
        raises(EXCEPTIONS[kind])(record)

    processor = AsyncBatchProcessor("sqs")
    assert failed(async_process_partial_response(batch_of("a", "bad", "c"), handler, processor)) == ["m1"]


def test_handlers_own_exception_is_the_one_shown(driver: Way) -> None:
    mine = ValueError("mine")

    def handler(record: Any) -> None:
        if record["body"] == "bad":
            raise mine

    processor = driver.processor()
    driver.call(processor, batch_of("a", "bad"), handler)
    assert processor.exceptions[0][:2] == (ValueError, mine)


def test_record_that_cannot_be_decoded_costs_itself(driver: Way) -> None:
    class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def record_decoder(self, batch: Any) -> Callable[[Any], Any]:
            return decode

    def decode(record: Any) -> Any:
        if record["body"] == "bad":
            raise SystemExit("not decoded")
        return record["body"]

    processor = driver.processor(event_type=Source())
    response = driver.call(processor, batch_of("a", "bad", "c"), lambda body: body.upper())
    assert failed(response) == ["m1"]
    assert processor.fail_messages == [batch_of("a", "bad", "c")["Records"][1]]


def test_record_that_cannot_be_prepared_costs_itself(driver: Way) -> None:
    class Open:
        @hookimpl(wrapper=True)
        def record_preparer(self, batch: Any) -> Any:
            yield
            return prepare

    def prepare(record: Any) -> Any:
        if record["body"] == "bad":
            raise LookupError("no payload")
        return {**record, "body": f"opened {record['body']}"}

    bodies: list[str] = []
    processor = driver.processor(plugins=[Open()])
    response = driver.call(processor, batch_of("a", "bad", "c"), lambda record: bodies.append(record.body))
    assert failed(response) == ["m1"]
    assert sorted(bodies) == ["opened a", "opened c"]
    assert processor.fail_messages == [batch_of("a", "bad", "c")["Records"][1]]
    assert processor.success_messages[0]["body"] == "a", "successes are shown raw"


def preparer_of(prepare: Callable[[Any], Any]) -> object:
    class Open:
        @hookimpl(wrapper=True)
        def record_preparer(self, batch: Any) -> Any:
            yield
            return prepare

    return Open()


def test_async_preparer_is_awaited_under_asyncio_and_costs_the_record_elsewhere(driver: Way) -> None:
    async def prepare(record: Any) -> Any:
        await asyncio.sleep(0)
        return {**record, "body": "opened"}

    bodies: list[str] = []
    processor = driver.processor(plugins=[preparer_of(prepare)], raise_on_entire_batch_failure=False)
    response = driver.call(processor, batch_of("a", "b"), lambda record: bodies.append(record.body))
    if isinstance(processor, AsyncBatchProcessor):
        assert (failed(response), bodies) == ([], ["opened", "opened"])
    else:
        assert (failed(response), bodies) == (["m0", "m1"], [])
        assert {kind for kind, _, _ in processor.exceptions} == {UnawaitedResultError}


@pytest.mark.parametrize("ordering", [in_order(on_failure="continue"), by_key(lambda record: 1, on_failure="continue")])
@pytest.mark.parametrize("kind", ["SystemExit", "CancelledError", "StopIteration"])
def test_lane_goes_on_after_any_exception(driver: Way, ordering: Any, kind: str) -> None:
    response = driver(batch_of("a", "bad", "c", "bad", "e"), raises(EXCEPTIONS[kind]), ordering=ordering)
    assert failed(response) == ["m1", "m3"]


@pytest.mark.parametrize("on_failure", ["stop", "continue"])
@pytest.mark.parametrize("make", [lambda: KeyError("k"), lambda: SystemExit(1), lambda: StopIteration(1)])
def test_key_function_that_raises_fails_its_record_alone(
    driver: Way, make: Callable[[], BaseException], on_failure: Any
) -> None:
    def key(record: Any) -> str:
        if record["body"] == "odd":
            raise make()
        return "lane"

    handled: list[str] = []
    processor = driver.processor(ordering=by_key(key, on_failure=on_failure))
    response = driver.call(processor, batch_of("a", "odd", "c"), lambda record: handled.append(record["body"]))
    assert failed(response) == ["m1"]
    assert handled == ["a", "c"]
    assert isinstance(processor.exceptions[0][1], type(make()))


def test_key_that_cannot_be_hashed_fails_its_record_alone(driver: Way) -> None:
    ordering = by_key(lambda record: [] if record["body"] == "odd" else "lane")
    processor = driver.processor(ordering=ordering)
    assert failed(driver.call(processor, batch_of("a", "odd", "c"), handle)) == ["m1"]
    assert processor.exceptions[0][0] is TypeError
    assert isinstance(processor.fail_messages[0], SQSRecord)


def test_handler_that_changes_its_record_changes_no_identifier(way: Way) -> None:
    def handler(record: Any) -> None:
        record.raw_event["messageId"] = "changed"
        if record["body"] == "bad":
            record.raw_event.clear()
            raise ValueError

    assert failed(way(batch_of("a", "bad", "c"), handler)) == ["m1"]


@pytest.mark.parametrize("change", [lambda records: records.pop(0), lambda records: records.append(records[0])])
def test_handler_that_changes_the_list_of_records_moves_no_outcome(
    way: Way, change: Callable[[list[Any]], object]
) -> None:
    event = batch_of("a", "bad", "c", "d")
    records = list(event["Records"])
    handled: list[str] = []

    def handler(record: Any) -> None:
        handled.append(record["messageId"])
        if len(event["Records"]) in range(2, 8):
            change(event["Records"])
        if record["body"] == "bad":
            raise ValueError

    processor = way.processor()
    assert failed(way.call(processor, event, handler)) == ["m1"]
    assert sorted(handled) == ["m0", "m1", "m2", "m3"]
    assert list(processor.records) == records


def test_source_is_asked_for_identifiers_once_before_the_first_handler(driver: Way) -> None:
    asked: list[str] = []

    class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def identify_records(self, records: Any) -> Any:
            asked.append("identify")
            return super().identify_records(records)

    driver(batch_of("a", "bad", "c"), lambda record: asked.append("handle"), event_type=Source())
    assert asked == ["identify", "handle", "handle", "handle"]


def test_typed_view_that_a_handler_gets_is_of_its_own_record(way: Way) -> None:
    event = batch_of("a", "b")
    views: list[Any] = []
    way(event, views.append)
    assert sorted(view.body for view in views) == ["a", "b"]
    assert all(isinstance(view, SQSRecord) for view in views)
    assert {id(view.raw_event) for view in views} == {id(record) for record in event["Records"]}
