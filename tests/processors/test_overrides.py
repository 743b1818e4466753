"""Overrides watch, and never decide outcomes; overrides of what is never called are refused."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    BatchResult,
    ConfigurationError,
    NotAttemptedError,
    RecordsSource,
    hookimpl,
    in_order,
    process_partial_response,
)
from batchcore_sqs import SQS, SqsFifoPartialProcessor, SQSRecord
from tests.batches import Handler, awaiting, batch_of, failed, handle
from tests.drivers import DRIVERS, Way, name_of


def watched(make: type[BatchProcessor], **methods: Callable[..., Any]) -> type[BatchProcessor]:
    """Give a subclass with these methods."""
    return type("Watched", (make,), methods)


def call(processor: BatchProcessor, *bodies: str, handler: Handler = handle) -> list[str]:
    return failed(
        processor.run(
            batch_of(*bodies), awaiting(handler) if isinstance(processor, AsyncBatchProcessor) else handler
        ).response
    )


@pytest.fixture(params=[BatchProcessor, AsyncBatchProcessor, SqsFifoPartialProcessor])
def make(request: pytest.FixtureRequest) -> type[BatchProcessor]:
    chosen: type[BatchProcessor] = request.param
    return chosen


def options_of(make: type[BatchProcessor]) -> dict[str, Any]:
    return {} if issubclass(make, SqsFifoPartialProcessor) else {"event_type": "sqs"}


def test_success_handler_gets_the_raw_record_and_the_result(make: type[BatchProcessor]) -> None:
    seen: list[Any] = []
    event = batch_of("a", "b")

    def success_handler(self: Any, record: Any, result: Any) -> Any:
        seen.append((record, result))
        return super(cls, self).success_handler(record, result)  # type: ignore[misc]

    cls = watched(make, success_handler=success_handler)
    cls(**options_of(make)).run(event, awaiting(handle) if make is AsyncBatchProcessor else handle)
    assert [(id(record), result) for record, result in seen] == [
        (id(record), record["body"].upper()) for record in event["Records"]
    ]
    assert all(type(record) is dict for record, _ in seen)


def test_failure_handler_gets_the_typed_record_while_its_exception_is_handled(make: type[BatchProcessor]) -> None:
    seen: list[Any] = []

    def failure_handler(self: Any, record: Any, exception: Any) -> Any:
        seen.append((record, exception, sys.exc_info()))
        return super(cls, self).failure_handler(record, exception)  # type: ignore[misc]

    cls = watched(make, failure_handler=failure_handler)
    call(cls(**options_of(make)), "a", "bad")
    ((record, exception, handled),) = seen
    assert isinstance(record, SQSRecord)
    assert record.message_id == "m1"
    assert exception == handled
    assert (exception[0], str(exception[1])) == (ValueError, "m1")
    assert exception[2] is not None, "with its traceback"


def test_failure_handler_is_told_of_records_not_attempted_too(driver: Way) -> None:
    seen: list[Any] = []

    def failure_handler(record: Any, exception: Any) -> None:
        assert exception == sys.exc_info()
        assert isinstance(record, SQSRecord)
        seen.append((record.message_id, exception[0]))

    processor = driver.processor(ordering=in_order())
    processor.failure_handler = failure_handler  # type: ignore[method-assign, assignment]
    driver.call(processor, batch_of("a", "bad", "c", "d"), handle)
    assert seen == [("m1", ValueError), ("m2", NotAttemptedError), ("m3", NotAttemptedError)]


def test_overrides_are_told_once_of_each_record(driver: Way) -> None:
    seen: list[str] = []
    processor = driver.processor()
    processor.success_handler = lambda record, result: seen.append(record["messageId"])  # type: ignore[assignment, method-assign, misc, return-value]
    processor.failure_handler = lambda record, exception: seen.append(record["messageId"])  # type: ignore[assignment, method-assign, misc, return-value]
    assert failed(driver.call(processor, batch_of("a", "bad", "c", "bad"), handle)) == ["m1", "m3"]
    assert sorted(seen) == ["m0", "m1", "m2", "m3"]


NONSENSE: dict[str, Callable[..., Any]] = {
    "nothing": lambda *arguments: None,
    "a success": lambda *arguments: ("success", 1, {}),
    "a failure": lambda *arguments: ("fail", "no", {}),
    "a number": lambda *arguments: 7,
    "an exception": lambda *arguments: ValueError(),
}


@pytest.mark.parametrize("returned", NONSENSE)
def test_what_overrides_return_and_whether_they_call_super_changes_nothing(driver: Way, returned: str) -> None:
    processor = driver.processor()
    processor.success_handler = NONSENSE[returned]  # type: ignore[method-assign]
    processor.failure_handler = NONSENSE[returned]  # type: ignore[method-assign]
    assert failed(driver.call(processor, batch_of("a", "bad", "c"), handle)) == ["m1"]
    assert [record["body"] for record in processor.success_messages] == ["a", "c"]
    assert len(processor.fail_messages) == len(processor.exceptions) == 1


@pytest.mark.parametrize("returned", NONSENSE)
def test_entries_are_what_happened_whatever_overrides_return(returned: str) -> None:
    processor = BatchProcessor("sqs")
    processor.success_handler = processor.failure_handler = NONSENSE[returned]  # type: ignore[method-assign, assignment]
    with processor(batch_of("a", "bad")["Records"], handle):
        entries = processor.process()
    assert [entry[:2] for entry in entries] == [("success", "A"), ("fail", "<class 'ValueError'>:m1")]


def test_what_overrides_do_to_the_lists_changes_no_response(driver: Way) -> None:
    def clear(*arguments: Any) -> None:
        for messages in (processor.success_messages, processor.fail_messages, processor.exceptions):
            messages.clear()

    def add(record: Any, *arguments: Any) -> None:
        processor.fail_messages.append(record)
        processor.success_messages.append(record)

    for override in (clear, add):
        processor = driver.processor()
        processor.success_handler = processor.failure_handler = override  # type: ignore[method-assign, assignment]
        assert failed(driver.call(processor, batch_of("a", "bad", "c"), handle)) == ["m1"]


@pytest.mark.parametrize("name", ["success_messages", "fail_messages", "exceptions", "batch_response"])
def test_list_cannot_be_replaced_by_another(name: str) -> None:
    processor = BatchProcessor("sqs")
    with pytest.raises(AttributeError):
        setattr(processor, name, [])


@pytest.mark.parametrize("error", [ValueError, SystemExit, StopIteration, asyncio.CancelledError])
def test_success_handler_that_raises_fails_its_record(driver: Way, error: type[BaseException]) -> None:
    failures: list[Any] = []

    def success_handler(record: Any, result: Any) -> None:
        if record["body"] == "b":
            raise error("of the override")

    processor = driver.processor()
    processor.success_handler = success_handler  # type: ignore[method-assign, assignment]
    processor.failure_handler = lambda record, exception: failures.append((record.body, exception[0]))  # type: ignore[assignment, method-assign, misc, return-value]
    assert failed(driver.call(processor, batch_of("a", "b", "c"), handle)) == ["m1"]
    assert failures == [("b", error)]
    assert [record["body"] for record in processor.success_messages] == ["a", "c"]


@pytest.mark.parametrize("error", [ValueError, SystemExit, StopIteration, asyncio.CancelledError])
def test_failure_handler_that_raises_is_logged_and_its_record_stays_failed(
    driver: Way, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def failure_handler(record: Any, exception: Any) -> None:
        raise error("of the override")

    processor = driver.processor()
    processor.failure_handler = failure_handler  # type: ignore[method-assign, assignment]
    assert failed(driver.call(processor, batch_of("a", "bad", "c", "bad"), handle)) == ["m1", "m3"]
    assert {kind for kind, _, _ in processor.exceptions} == {ValueError}
    logged = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(logged) == 2
    assert f"failure_handler() raised {error.__name__}: of the override; no outcome changes." in logged[0]


def test_failure_handler_cannot_turn_off_the_error_of_the_whole_batch(driver: Way) -> None:
    processor = driver.processor()
    processor.failure_handler = lambda record, exception: ("success", 1, record)  # type: ignore[assignment, method-assign, misc]
    with pytest.raises(BatchProcessingError):
        driver.call(processor, batch_of("bad", "bad"), handle)


def test_override_may_ask_for_the_response_of_its_own_batch(driver: Way) -> None:
    responses: list[list[str]] = []

    class Processor(driver.make if isinstance(driver.make, type) else BatchProcessor):  # type: ignore[misc]
        def failure_handler(self, record: Any, exception: Any) -> Any:
            responses.append(failed(self.response()))
            return super().failure_handler(record, exception)

    call(Processor("sqs", ordering=in_order(on_failure="continue")), "a", "bad", "c")
    assert responses == [["m1", "m2"]]


@pytest.mark.parametrize("before", [True, False])
def test_override_set_on_the_object_in_a_constructor_counts(before: bool) -> None:
    seen: list[Any] = []

    class Watched(BatchProcessor):
        def __init__(self) -> None:
            if before:
                self.success_handler = self.note  # type: ignore[method-assign]
            super().__init__(SQS)
            if not before:
                self.success_handler = self.note  # type: ignore[method-assign]

        def note(self, record: Any, result: Any) -> Any:
            seen.append(result)

    processor = Watched()
    call(processor, "a", "b", handler=lambda record: record.body)
    del processor.success_handler
    call(processor, "c", handler=lambda record: record.body)
    assert seen == ["a", "b"]


def test_override_on_the_class_after_the_fact_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    class Processor(BatchProcessor):
        pass

    processor = Processor("sqs")
    monkeypatch.setattr(Processor, "failure_handler", lambda self, record, exception: seen.append(record.message_id))
    call(processor, "a", "bad")
    assert seen == ["m1"]


def test_override_inherited_from_another_base_counts(driver: Way) -> None:
    class Watch:
        def success_handler(self, record: Any, result: Any) -> Any:
            seen.append(result)
            return super().success_handler(record, result)  # type: ignore[misc]

    seen: list[str] = []
    base: Any = AsyncBatchProcessor if driver.make is AsyncBatchProcessor else BatchProcessor
    processor = type("Processor", (Watch, base), {})("sqs")
    driver.call(processor, batch_of("a", "bad"), handle)
    assert seen == ["A"]


def test_handlers_of_the_base_give_entries_when_called_by_hand() -> None:
    processor, record = BatchProcessor("sqs"), batch_of("a")["Records"][0]
    assert processor.success_handler(record, 1) == ("success", 1, record)
    try:
        raise ValueError("no")
    except ValueError:
        assert processor.failure_handler(record, sys.exc_info()) == ("fail", "<class 'ValueError'>:no", record)


def test_interrupt_while_a_failed_record_is_decoded_for_an_override_propagates(driver: Way) -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def record_decoder(self, batch: Any) -> Any:
            return decode

    def decode(record: Any) -> Any:
        raise errors.pop(0)

    errors: list[BaseException] = [ValueError(), Interrupted()]
    processor = driver.processor(event_type=Source())
    processor.failure_handler = lambda record, exception: ("fail", "", record)  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        driver.call(processor, batch_of("a"), handle)
    assert failed(processor.response()) == ["m0"]


# -- What is never called.

NEVER_CALLED = {
    "_prepare": "batch_started",
    "_clean": "batch_finished",
    "_process_record": "wrap_handler",
    "_async_process_record": "wrap_handler",
    "_to_batch_type": "record_decoder",
    "_get_messages_to_report": "build_response",
    "_has_messages_to_report": "build_response",
    "_entire_batch_failed": "raise_on_entire_batch_failure=False",
    "_register_model_validation_error_record": "failure_handler",
    "_collect_sqs_failures": "identify_records",
    "_collect_kinesis_failures": "identify_records",
    "_collect_dynamodb_failures": "identify_records",
    "_collect_kafka_failures": "identify_records",
}


@pytest.mark.parametrize("name", NEVER_CALLED)
def test_override_of_a_method_that_is_never_called_is_refused_with_what_to_use(
    make: type[BatchProcessor], name: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        watched(make, **{name: lambda self, *arguments: None})
    assert str(caught.value).startswith(f"Watched overrides {name}(), which is never called. Instead: ")
    assert NEVER_CALLED[name] in str(caught.value)


def test_dead_override_from_a_mix_in_is_refused_too() -> None:
    class Mixin:
        def _prepare(self) -> None:
            raise AssertionError

    with pytest.raises(ConfigurationError, match="_prepare"):
        type("Mixed", (Mixin, BatchProcessor), {})


@pytest.mark.parametrize("name", ["success_handler", "failure_handler"])
def test_override_that_somebody_would_have_to_await_is_refused(make: type[BatchProcessor], name: str) -> None:
    async def override(self: Any, *arguments: Any) -> None:
        raise AssertionError

    with pytest.raises(ConfigurationError, match=rf"{name}\(\) of Watched is a coroutine function"):
        watched(make, **{name: override})


def test_methods_of_ones_own_are_nobody_elses_business() -> None:
    class Processor(BatchProcessor):
        def _my_helper(self) -> str:
            return "mine"

        def failure_handler(self, record: Any, exception: Any) -> Any:
            seen.append(self._my_helper())
            return super().failure_handler(record, exception)

    seen: list[str] = []
    call(Processor("sqs"), "ok", "bad")
    assert seen == ["mine"]


def test_subclass_may_have_a_response_of_its_own() -> None:
    class Processor(BatchProcessor):
        def response(self) -> Any:
            return {**super().response(), "mine": True}

    response = process_partial_response(batch_of("ok", "bad"), handle, Processor("sqs"))
    assert response == {"batchItemFailures": [{"itemIdentifier": "m1"}], "mine": True}


@pytest.mark.parametrize("driver", DRIVERS, ids=name_of)
def test_model_gets_to_failure_handler_once_it_is_valid_and_the_view_before(driver: Way) -> None:
    pydantic = pytest.importorskip("pydantic")
    model: Any = pydantic.create_model("Message", messageId=(str, ...), body=(int, ...))
    kinds: dict[str, type] = {}

    def fail(record: Any) -> None:
        if record.body == 2:
            raise LookupError

    processor = driver.processor(model=model)
    processor.failure_handler = lambda record, exception: kinds.update({exception[0].__name__: type(record)})  # type: ignore[assignment, method-assign, misc, return-value]
    assert failed(driver.call(processor, batch_of("1", "2", "poison"), fail)) == ["m1", "m2"]
    assert kinds["LookupError"] is model
    assert issubclass(kinds["ValidationError"], SQSRecord)
    assert isinstance(processor.fail_messages[0], model)
    assert isinstance(processor.fail_messages[1], SQSRecord)


def test_a_class_may_say_what_its_handlers_get() -> None:
    """To type checkers alone: at run time it is the same class. A source keeps it, so that a missing view is seen."""

    class Orders(AsyncBatchProcessor[SQSRecord]):
        pass

    assert BatchProcessor[SQSRecord] is BatchProcessor
    assert BatchResult[str] is BatchResult
    assert RecordsSource[SQSRecord].__origin__ is RecordsSource  # type: ignore[attr-defined]  # at run time it has
    assert Orders.__mro__[1] is AsyncBatchProcessor


class Proxy:
    """Passes itself off as the method that it stands round, as the wrappers of tracing tools do."""

    def __init__(self, wrapped: Any, before: Callable[..., None]) -> None:
        self.wrapped = wrapped
        self.before = before

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    def __call__(self, *arguments: Any) -> Any:
        self.before(*arguments)
        return self.wrapped(*arguments)


def test_proxy_round_a_handler_of_the_processors_own_is_called(driver: Way) -> None:
    notified: list[Any] = []
    processor = driver.processor()
    success = Proxy(processor.success_handler, lambda record, result: notified.append(record["body"]))
    failure = Proxy(processor.failure_handler, lambda record, exception: notified.append(exception[0]))
    processor.success_handler = success  # type: ignore[method-assign]
    processor.failure_handler = failure  # type: ignore[method-assign]
    driver.call(processor, batch_of("a", "bad"), handle, None)
    assert sorted(map(str, notified)) == sorted(["a", str(ValueError)])


def test_record_fails_whose_success_handler_raises_in_a_proxy() -> None:
    def refuse(record: Any, result: Any) -> None:
        raise ValueError("the index was not written")

    processor = BatchProcessor("sqs", raise_on_entire_batch_failure=False)
    processor.success_handler = Proxy(processor.success_handler, refuse)  # type: ignore[method-assign]
    assert call(processor, "a") == ["m0"]
