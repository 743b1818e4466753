"""Processors from scratch, in every way of calling: the answer comes from this batch's entries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchcore import (
    BasePartialProcessor,
    BatchProcessingError,
    EntryFailedError,
    async_process_partial_response,
    process_partial_response,
)

from .scratch import (
    ASYNC,
    SYNC,
    Call,
    Scratch,
    ScratchBatch,
    async_one_call,
    context_manager,
    one_call,
)
from .support import awaiting, batch_of, failed, handle

EVENTS = Path(__file__).parents[1] / "events"


@pytest.fixture(params=[*SYNC, *ASYNC])
def call(request: pytest.FixtureRequest) -> Call:
    """Every way of calling a processor from scratch."""
    chosen: Call = request.param
    return chosen


@pytest.mark.parametrize("make", [Scratch, ScratchBatch])
def test_answer_names_the_records_whose_entries_are_failures(call: Call, make: Callable[[], Any]) -> None:
    processor = make()
    event = batch_of("a", "bad", "c")
    assert failed(call(processor, event, handle)) == ["m1"]
    assert processor.success_messages == [event["Records"][0], event["Records"][2]]
    assert processor.fail_messages == [event["Records"][1]]
    assert [kind for kind, _, _ in processor.exceptions] == [ValueError]
    assert processor.log == ["prepare", "clean"]


@pytest.mark.parametrize("make", [Scratch, ScratchBatch])
def test_lists_kept_between_batches_change_no_answer(call: Call, make: Callable[[], Any]) -> None:
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

    answer = call(Entry(raising), batch_of("a", "odd", "c"), handle)
    assert failed(answer) == ["m1"]


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
