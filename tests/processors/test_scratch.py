"""Processors from scratch, in every way of calling: the response comes from this batch's entries.

Then what they need not define, and what they must.
"""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchcore import (
    AmbiguousSourceError,
    AsyncBatchProcessor,
    BasePartialBatchProcessor,
    BasePartialProcessor,
    BatchProcessingError,
    BatchProcessor,
    ConfigurationError,
    EntryFailedError,
    NoBatchError,
    UnexpectedBatchTypeError,
    async_process_partial_response,
    process_partial_response,
)
from tests.batches import Event, awaiting, batch_of, failed, handle

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

EVENTS = Path(__file__).parents[1] / "events"


@pytest.fixture(params=[*SYNC, *ASYNC])
def call(request: pytest.FixtureRequest) -> Call:
    """Every way of calling a processor from scratch."""
    chosen: Call = request.param
    return chosen


@pytest.mark.parametrize("make", [Scratch, ScratchBatch])
def test_response_names_the_records_whose_entries_are_failures(call: Call, make: Callable[[], Any]) -> None:
    processor = make()
    event = batch_of("a", "bad", "c")
    assert failed(call(processor, event, handle)) == ["m1"]
    assert processor.success_messages == [event["Records"][0], event["Records"][2]]
    assert processor.fail_messages == [event["Records"][1]]
    assert [kind for kind, _, _ in processor.exceptions] == [ValueError]
    assert processor.log == ["prepare", "clean"]


@pytest.mark.parametrize("make", [Scratch, ScratchBatch])
def test_lists_kept_between_batches_change_no_response(call: Call, make: Callable[[], Any]) -> None:
    processor = make()
    assert failed(call(processor, batch_of("a", "bad"), handle)) == ["m1"]
    assert failed(call(processor, batch_of("b", "c"), handle)) == []
    assert failed(call(processor, batch_of("bad", "d", "bad"), handle)) == ["m0", "m2"]
    assert len(processor.fail_messages) == 3
    assert len(processor.success_messages) == 4


def test_empty_batch_is_a_success(call: Call) -> None:
    for make in (Scratch, ScratchBatch):
        assert call(make(), {"Records": []}, handle) == {"batchItemFailures": []}


def test_whole_batch_that_failed_is_answered_by_the_base_and_raises_with_a_source(call: Call) -> None:
    assert failed(call(Scratch(), batch_of("bad", "bad"), handle)) == ["m0", "m1"]
    processor = ScratchBatch()
    with pytest.raises(BatchProcessingError, match="2 x EntryFailedError"):
        call(processor, batch_of("bad", "bad"), handle)
    assert failed(processor.response()) == ["m0", "m1"]
    assert failed(call(ScratchBatch(raise_on_entire_batch_failure=False), batch_of("bad", "bad"), handle)) == [
        "m0",
        "m1",
    ]


class Entry(Scratch):
    """Gives an entry that a test has chosen for a record whose body is "odd"."""

    def __init__(self, entry: Callable[[], Any]) -> None:
        self.entry = entry
        super().__init__()

    def _process_record(self, record: Any) -> Any:
        return self.entry() if record["body"] == "odd" else ("success", 1, record)

    async def _async_process_record(self, record: Any) -> Any:
        return self._process_record(record)


class Odd(tuple):  # noqa: SLOT001
    """A tuple that is nothing else."""


NO_SUCCESS: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "an empty tuple": lambda: (),
    "a list": lambda: ["success", 1, {}],
    "a word": lambda: "success",
    "true": lambda: True,
    "a failure": lambda: ("fail", "no", {}),
    "a short failure": lambda: ("fail",),
    "another word": lambda: ("succeeded", 1, {}),
    "the word elsewhere": lambda: (1, "success"),
    "bytes": lambda: (b"success", 1, {}),
    "an exception": ValueError,
    "a dictionary": lambda: {"success": 1},
}


@pytest.mark.parametrize("entry", NO_SUCCESS)
def test_entry_that_is_no_success_is_a_failure(call: Call, entry: str) -> None:
    assert failed(call(Entry(NO_SUCCESS[entry]), batch_of("a", "odd", "c"), handle)) == ["m1"]


@pytest.mark.parametrize("entry", [("success",), ("success", None, None), Odd(("success", 1, {}))])
def test_entry_that_begins_with_success_is_one(call: Call, entry: Any) -> None:
    assert failed(call(Entry(lambda: entry), batch_of("a", "odd"), handle)) == []


def test_entries_are_given_back_as_they_were_made() -> None:
    processor = Entry(lambda: ("fail", "mine", "record"))
    with processor(batch_of("a", "odd")["Records"], handle):
        entries = processor.process()
    assert entries == [("success", 1, batch_of("a")["Records"][0]), ("fail", "mine", "record")]


def test_entry_of_nothing_is_given_back_as_a_failure() -> None:
    processor = Entry(lambda: None)
    with processor(batch_of("odd")["Records"], handle):
        ((status, cause, record),) = processor.process()
    assert (status, record["messageId"]) == ("fail", "m0")
    assert cause == "<class 'batchcore.errors.EntryFailedError'>:no success: an entry of NoneType"


def test_failed_entry_is_what_its_outcome_says() -> None:
    outcome = Scratch().run(batch_of("ok", "bad"), handle).failures[0]
    assert isinstance(outcome.exception, EntryFailedError)
    assert str(outcome.exception) == "<class 'ValueError'>:m1"
    assert outcome.exception.entry[0] == "fail"


@pytest.mark.parametrize("error", [ValueError, SystemExit, asyncio.CancelledError, StopIteration])
def test_processing_method_that_raises_fails_its_record_alone(call: Call, error: type[BaseException]) -> None:
    def raising() -> Any:
        raise error

    response = call(Entry(raising), batch_of("a", "odd", "c"), handle)
    assert failed(response) == ["m1"]


def test_coroutine_as_an_entry_is_no_success() -> None:
    class Mixed(Scratch):
        _process_record = Scratch._async_process_record  # type: ignore[assignment]  # forgotten to be awaited

    assert failed(process_partial_response(batch_of("a"), awaiting(handle), Mixed())) == ["m0"]


# -- _prepare() and _clean().


def test_prepare_and_clean_run_once_round_the_records(call: Call) -> None:
    class Logging(Scratch):
        def _process_record(self, record: Any) -> Any:
            self.log.append(record["body"])
            return super()._process_record(record)

        async def _async_process_record(self, record: Any) -> Any:
            self.log.append(record["body"])
            return await super()._async_process_record(record)

    processor = Logging()
    call(processor, batch_of("a", "b"), handle)
    assert processor.log == ["prepare", "a", "b", "clean"]


def test_clean_that_raises_makes_every_record_failed(call: Call) -> None:
    class Unclean(Scratch):
        def _clean(self) -> None:
            raise LookupError("not written")

    processor = Unclean()
    with pytest.raises(LookupError, match="not written"):
        call(processor, batch_of("a", "b", "c"), handle)
    assert failed(processor.response()) == ["m0", "m1", "m2"]


def test_clean_that_raises_wins_over_the_error_of_the_whole_batch() -> None:
    class Unclean(ScratchBatch):
        def _clean(self) -> None:
            raise LookupError

    processor = Unclean()
    with pytest.raises(LookupError):
        process_partial_response(batch_of("bad", "bad"), handle, processor)
    assert failed(processor.response()) == ["m0", "m1"]


def test_clean_runs_when_the_with_body_raises() -> None:
    processor = Scratch()
    with pytest.raises(LookupError), processor(batch_of("a")["Records"], handle):
        raise LookupError
    assert processor.log == ["prepare", "clean"]
    assert failed(processor.response()) == ["m0"]


@pytest.mark.parametrize("call", [one_call, context_manager, async_one_call])
def test_prepare_that_raises_lets_no_record_start(call: Call) -> None:
    class Unprepared(Scratch):
        def _prepare(self) -> None:
            raise LookupError

    processor = Unprepared()
    handled: list[Any] = []
    with pytest.raises(LookupError):
        call(processor, batch_of("a", "b"), handled.append)
    assert handled == []
    assert failed(processor.response()) == ["m0", "m1"]


def test_clean_sees_what_the_records_have_left() -> None:
    written: list[Any] = []

    class Writing(Scratch):
        def _prepare(self) -> None:
            self.success_messages.clear()

        def _clean(self) -> None:
            written.append([record["body"] for record in self.success_messages])

    processor = Writing()
    for bodies in (("a", "bad", "c"), ("d",)):
        process_partial_response(batch_of(*bodies), handle, processor)
    assert written == [["a", "c"], ["d"]]


def test_entry_of_a_success_that_holds_a_coroutine_is_no_success() -> None:
    class Forgets(BasePartialProcessor):
        def _process_record(self, record: Any) -> Any:
            return self.success_handler(record, self.handler(record))

        async def _async_process_record(self, record: Any) -> Any:
            return self.success_handler(record, self.handler(record))

    async def handler(record: Any) -> None:
        raise AssertionError("nobody awaits this")

    for call in (process_partial_response, async_process_partial_response):
        processor = Forgets()
        assert failed(call(batch_of("a", "b"), handler, processor)) == ["m0", "m1"]


# What they need not define, and what they must.


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
def test_response_of_ones_own_is_the_response(call: Call) -> None:
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


class Flushes(BasePartialBatchProcessor):
    def _process_record(self, record: Any) -> Any:
        return "success", self.handler(record), record

    def flush(self) -> None:
        raise OSError("flush failed")


class Mixin:
    """A class that does not pass on that it has a subclass."""

    def __init_subclass__(cls, **options: Any) -> None:
        pass


class CleansBehindAMixin(Mixin, Flushes):
    _clean = Flushes.flush


def cleans_by_its_class() -> Any:
    made = type("Cleans", (Flushes,), {})
    made._clean = Flushes.flush
    return made("sqs")


def cleans_by_itself() -> Any:
    processor = Flushes("sqs")
    processor._clean = processor.flush
    return processor


@pytest.mark.parametrize("make", [lambda: CleansBehindAMixin("sqs"), cleans_by_its_class, cleans_by_itself])
def test_clean_that_raises_leaves_nothing_done_however_it_was_defined(make: Callable[[], Any]) -> None:
    processor = make()
    with pytest.raises(OSError, match="flush failed"):
        process_partial_response(batch_of("a"), handle, processor)
    assert failed(processor.response()) == ["m0"]
