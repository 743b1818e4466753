"""What a processor from scratch need not define, and what it must."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from batchcore import (
    AmbiguousSourceError,
    AsyncBatchProcessor,
    BasePartialBatchProcessor,
    BasePartialProcessor,
    BatchProcessor,
    ConfigurationError,
    NoBatchError,
    UnexpectedBatchTypeError,
    process_partial_response,
)

from .scratch import (
    ASYNC,
    SYNC,
    Call,
    Scratch,
    ScratchBatch,
    async_context_manager,
    async_decorator,
    async_one_call,
    context_manager,
    decorator,
    in_running_loop,
    one_call,
    run,
)
from .support import Event, batch_of, failed, handle

EVENTS = Path(__file__).parents[1] / "events"


@pytest.fixture(params=[*SYNC, *ASYNC])
def call(request: pytest.FixtureRequest) -> Call:
    """Every way of calling a processor from scratch."""
    chosen: Call = request.param
    return chosen


def test_without_super_init_it_works_with_lists_of_its_own(call: Call) -> None:
    class Own(BasePartialProcessor):
        def __init__(self) -> None:
            self.done: list[Any] = []

        def _process_record(self, record: Any) -> Any:
            self.done.append(self.handler(record) if not inspect.iscoroutinefunction(self.handler) else record)
            return "success", None, record

        async def _async_process_record(self, record: Any) -> Any:
            await self.handler(record)
            return "success", None, record

    assert failed(call(Own(), batch_of("a", "bad"), handle)) == ["m1"]


@pytest.mark.parametrize("call", [way for way in [*SYNC, *ASYNC] if way is not run])
def test_response_of_ones_own_is_the_answer(call: Call) -> None:
    class Own(Scratch):
        def response(self) -> Any:
            return {"failed": [record["messageId"] for record in self.fail_messages]}

    assert call(Own(), batch_of("a", "bad"), handle) == {"failed": ["m1"]}


def test_with_a_response_of_its_own_it_takes_records_that_nobody_recognises() -> None:
    class Own(Scratch):
        def response(self) -> Any:
            return {"failed": self.fail_messages}

    event: Event = {"Records": [{"id": 1, "body": "a"}, {"id": 2, "body": "bad", "messageId": 2}]}
    for call in (context_manager, async_context_manager):
        assert call(Own(), event, handle) == {"failed": [event["Records"][1]]}


def test_without_a_response_of_its_own_records_that_nobody_recognises_are_refused() -> None:
    event: Event = {"Records": [{"id": 1}]}
    for call in (one_call, context_manager):
        processor = Scratch()
        with pytest.raises(UnexpectedBatchTypeError, match=r"these records|this event"):
            call(processor, event, handle)
        assert processor.log == []


def test_payload_of_the_reference_page_is_processed(call: Call) -> None:
    event = json.loads((EVENTS / "custom_partial_processor_payload.json").read_text())

    class Own(Scratch):
        def response(self) -> Any:
            return {"done": len(self.success_messages)}

    if call in (context_manager, async_context_manager, in_running_loop):
        assert call(Own(), event, lambda record: record) == {"done": 2}


@pytest.mark.parametrize("name", ["sqs", "kinesis", "dynamodb"])
def test_source_is_found_by_the_event_or_the_records(call: Call, name: str) -> None:
    event = json.loads((EVENTS / f"getting_started_{name}_event.json").read_text())
    identifiers = {
        "sqs": lambda record: record["messageId"],
        "kinesis": lambda record: record["kinesis"]["sequenceNumber"],
        "dynamodb": lambda record: record["dynamodb"]["SequenceNumber"],
    }
    second = identifiers[name](event["Records"][1])

    def handler(record: Any) -> None:
        if identifiers[name](record) == second:
            raise ValueError

    assert failed(call(Scratch(), event, handler)) == [second]


def test_records_that_two_sources_recognise_are_refused_unless_it_answers_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = {**batch_of("a")["Records"][0], "kinesis": {"sequenceNumber": "1", "data": "", "partitionKey": "k"}}
    json_event = {"Records": [both]}
    for name in ("sqs", "kinesis"):
        BatchProcessor(name)  # both have been loaded
    processor = Scratch()
    with pytest.raises(AmbiguousSourceError, match="kinesis, sqs"):
        context_manager(processor, json_event, handle)
    assert processor.log == []


def test_processor_that_lacks_the_method_of_a_call_is_refused_before_the_first_side_effect() -> None:
    class OnlyAsync(Scratch):
        _process_record = BasePartialProcessor._process_record

    class OnlySync(Scratch):
        _async_process_record = BasePartialProcessor._async_process_record

    for call in (one_call, run, decorator):
        processor: Any = OnlyAsync()
        with pytest.raises(ConfigurationError, match=r"OnlyAsync defines no _process_record\(\)"):
            call(processor, batch_of("a", "b"), handle)
        assert processor.log == []
    for call in (async_one_call, async_decorator):
        processor = OnlySync()
        with pytest.raises(ConfigurationError, match=r"OnlySync defines no _async_process_record\(\)"):
            call(processor, batch_of("a", "b"), handle)
        assert processor.log == []
    for call, make in ((context_manager, OnlyAsync), (async_context_manager, OnlySync), (in_running_loop, OnlySync)):
        processor = make()
        with pytest.raises(ConfigurationError, match="defines no"):
            call(processor, batch_of("a", "b"), handle)
        assert failed(processor.response()) == ["m0", "m1"]


def test_handler_that_cannot_be_called_is_refused(call: Call) -> None:
    processor = Scratch()
    with pytest.raises(ConfigurationError, match="function of one record, not 'handle'"):
        processor.run(batch_of("a"), "handle")  # type: ignore[arg-type]
    with pytest.raises(NoBatchError):
        processor.response()
    assert processor.log == []


def test_handler_and_context_of_the_batch_are_there_to_be_used() -> None:
    seen: list[Any] = []

    class Using(Scratch):
        def _process_record(self, record: Any) -> Any:
            seen.append((self.handler, self.lambda_context, len(self.records)))
            return "success", None, record

    process_partial_response(batch_of("a", "b"), handle, Using(), "context")
    assert seen == [(handle, "context", 2)] * 2


def test_record_can_be_had_as_its_sources_view_or_a_model() -> None:
    pydantic = pytest.importorskip("pydantic")
    model: Any = pydantic.create_model("Message", body=(str, ...))
    seen: list[Any] = []

    class Typed(ScratchBatch):
        def _process_record(self, record: Any) -> Any:
            seen.extend((self._to_batch_type(record, None), self._to_batch_type(record, "sqs", model)))
            return "success", None, record

    process_partial_response(batch_of("a"), handle, Typed())
    assert (seen[0].body, seen[1].body) == ("a", "a")
    assert isinstance(seen[1], model)


def test_records_run_in_order_where_the_source_has_one() -> None:
    processor = Scratch()
    assert failed(process_partial_response(batch_of("a", "bad", "c", fifo=True), handle, processor)) == ["m1", "m2"]
    assert [record["body"] for record in processor.success_messages] == ["a"]


def test_event_may_be_anything_with_a_batch_processor_from_scratch_that_names_its_source() -> None:
    with pytest.raises(UnexpectedBatchTypeError, match="'sqs' does not claim"):
        process_partial_response({"Records": [{"eventSource": "aws:kinesis"}]}, handle, ScratchBatch())


def test_base_classes_are_no_processors_by_themselves() -> None:
    for make in (BasePartialProcessor, lambda: BasePartialBatchProcessor("sqs")):
        with pytest.raises(ConfigurationError, match="defines no _process_record"):
            process_partial_response(batch_of("a"), handle, make())
    assert issubclass(AsyncBatchProcessor, BasePartialBatchProcessor)


def test_base_method_that_a_subclass_calls_fails_the_record(call: Call) -> None:
    class Calling(Scratch):
        def _process_record(self, record: Any) -> Any:
            return BasePartialProcessor._process_record(self, record)

        async def _async_process_record(self, record: Any) -> Any:
            return await BasePartialProcessor._async_process_record(self, record)

    assert failed(call(Calling(), batch_of("a"), handle)) == ["m0"]
