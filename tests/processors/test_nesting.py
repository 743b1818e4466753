"""Batches inside batches of the same processor: each has its own response, and no inner one covers an outer one."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import (
    BasePartialProcessor,
    BatchProcessor,
    HandlerSignatureError,
    NoBatchError,
    process_partial_response,
)
from tests.batches import batch_of, failed, handle


def bodies(records: list[Any]) -> list[str]:
    return [record["body"] for record in records]


def test_batch_of_another_processor_inside_a_handler_changes_nothing() -> None:
    outer, inner = BatchProcessor("sqs"), BatchProcessor("sqs")

    def handler(record: Any) -> str:
        assert failed(process_partial_response(batch_of("x", "bad"), handle, inner)) == ["m1"]
        return handle(record)

    with outer(batch_of("a", "bad", "c")["Records"], handler):
        entries = outer.process()
    assert [entry[0] for entry in entries] == ["success", "fail", "success"]
    assert failed(outer.response()) == ["m1"]
    assert bodies(outer.success_messages) == ["a", "c"]
    assert bodies(inner.success_messages) == ["x"]


def test_response_of_a_batch_is_its_own_when_a_handler_used_the_same_processor() -> None:
    processor = BatchProcessor("sqs")

    def handler(record: Any) -> str:
        assert failed(process_partial_response(batch_of("x"), handle, processor)) == []
        return handle(record)

    assert failed(process_partial_response(batch_of("a", "bad"), handler, processor)) == ["m1"]
    assert failed(processor.run(batch_of("a", "bad"), handler).response) == ["m1"]


def test_context_manager_answers_for_its_own_batch_when_a_handler_used_the_same_processor() -> None:
    processor = BatchProcessor("sqs")

    def handler(record: Any) -> str:
        process_partial_response(batch_of("x"), handle, processor)
        return handle(record)

    with processor(batch_of("a", "bad")["Records"], handler):
        entries = processor.process()
    assert [entry[0] for entry in entries] == ["success", "fail"]
    assert failed(processor.response()) == ["m1"]


def test_context_manager_inside_another_of_the_same_processor_leaves_it_its_batch() -> None:
    processor = BatchProcessor("sqs")
    with processor(batch_of("a", "bad", "c")["Records"], handle):
        with processor(batch_of("x")["Records"], handle):
            processor.process()
        assert failed(processor.response()) == ["m0", "m1", "m2"], "of the outer batch no record has been processed"
        processor.process()
    assert failed(processor.response()) == ["m1"]


def test_forgotten_process_call_of_an_outer_batch_is_never_covered_by_an_inner_one() -> None:
    processor = BatchProcessor("sqs")
    with processor(batch_of("a", "b")["Records"], handle):
        process_partial_response(batch_of("x"), handle, processor)
    assert failed(processor.response()) == ["m0", "m1"]


def test_context_manager_of_a_processor_from_scratch_may_hold_another_batch_of_it() -> None:
    class Scratch(BasePartialProcessor):
        def _process_record(self, record: Any) -> Any:
            return self.success_handler(record, self.handler(record))

    processor = Scratch()

    def handler(record: Any) -> str:
        if record["body"] == "nests":
            assert failed(process_partial_response(batch_of("bad"), lambda record: record["no"], processor)) == ["m0"]
        return "done"

    with processor(batch_of("nests", "b")["Records"], handler):
        processor.process()
    assert failed(processor.response()) == []


@pytest.mark.parametrize("inside", [False, True])
def test_batch_keeps_its_place_when_others_of_several_processors_ran_inside_it(inside: bool) -> None:
    processor, other = BatchProcessor("sqs"), BatchProcessor("sqs")

    def use_both() -> None:
        process_partial_response(batch_of("x"), handle, other)
        process_partial_response(batch_of("x"), handle, processor)
        process_partial_response(batch_of("x"), handle, other)

    def handler(record: Any) -> str:
        if inside:
            use_both()
        return handle(record)

    with processor(batch_of("a", "bad")["Records"], handler):
        if not inside:
            use_both()
        assert failed(processor.response()) == ["m0", "m1"]
        processor.process()
        assert failed(processor.response()) == ["m1"]
    assert failed(processor.response()) == ["m1"]
    assert bodies(processor.success_messages) == ["a"]


def test_batches_may_nest_three_deep() -> None:
    processor, other = BatchProcessor("sqs"), BatchProcessor("sqs")
    responses: list[list[str]] = []
    with processor(batch_of("bad", "a", "b")["Records"], handle):
        with processor(batch_of("c", "bad", "d")["Records"], handle):
            with processor(batch_of("e", "f", "bad")["Records"], handle):
                process_partial_response(batch_of("x"), handle, other)
                processor.process()
                responses.append(failed(processor.response()))
            processor.process()
            process_partial_response(batch_of("x"), handle, other)
            responses.append(failed(processor.response()))
        processor.process()
    assert [*responses, failed(processor.response())] == [["m2"], ["m1"], ["m0"]]


def test_teardown_that_raises_undoes_the_batch_it_belongs_to() -> None:
    class Unclean(BasePartialProcessor):
        def _process_record(self, record: Any) -> Any:
            return "success", None, record

        def _clean(self) -> None:
            raise LookupError

    processor = Unclean()
    with pytest.raises(LookupError), processor(batch_of("a", "b")["Records"], handle):
        processor.process()
        processor(batch_of("x")["Records"], handle)  # begun, and left
    assert failed(processor.response()) == ["m0", "m1"]


def test_batch_that_was_refused_inside_another_leaves_it_its_place() -> None:
    processor = BatchProcessor("sqs")
    with processor(batch_of("a", "bad")["Records"], handle):
        with pytest.raises(ValueError, match="claim"):
            process_partial_response({}, handle, processor)
        assert failed(processor.response()) == ["m0", "m1"]
        processor.process()
    assert failed(processor.response()) == ["m1"]


def test_batch_that_was_interrupted_inside_another_leaves_it_its_place() -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    def interrupt(record: Any) -> None:
        raise Interrupted

    processor = BatchProcessor("sqs")
    with processor(batch_of("a", "bad")["Records"], handle):
        with pytest.raises(Interrupted):
            process_partial_response(batch_of("x"), interrupt, processor)
        entries = processor.process()
    assert [entry[2]["body"] for entry in entries] == ["a", "bad"]
    assert failed(processor.response()) == ["m1"]


def test_batch_that_was_only_begun_inside_another_does_not_take_its_end() -> None:
    processor = BatchProcessor("sqs")
    with processor(batch_of("a", "bad", "c")["Records"], handle):
        processor.process()
        processor(batch_of("x")["Records"], handle)
    assert failed(processor.response()) == ["m1"]


def test_batch_that_was_begun_and_left_does_not_come_back() -> None:
    processor = BatchProcessor("sqs")
    processor(batch_of("left")["Records"], handle)
    with processor(batch_of("a", "bad")["Records"], handle):
        processor.process()
    assert failed(processor.response()) == ["m1"]
    assert failed(processor.run(batch_of("bad", "b"), handle).response) == ["m0"]
    assert failed(processor.response()) == ["m0"]


def test_records_of_a_batch_cannot_be_started_by_its_own_handler() -> None:
    """A second run of them would write its outcomes behind those of the first."""
    processor = BatchProcessor("sqs", raise_on_entire_batch_failure=False)
    refused: list[NoBatchError] = []

    def handler(record: Any) -> str:
        if not refused:
            with pytest.raises(NoBatchError) as caught:
                processor.process()
            refused.append(caught.value)
        return handle(record)

    assert failed(process_partial_response(batch_of("a", "bad", "c"), handler, processor)) == ["m1"]
    assert "have been processed" in str(refused[0])


def test_handlers_of_one_function_are_read_by_what_they_are() -> None:
    """A bound method takes a record; the function that it is of takes the object before it."""

    class Handles:
        def handle(self, record: Any = None) -> None:
            seen.append(None if record is None else record["body"])

    seen: list[Any] = []
    processor = BatchProcessor("sqs")
    process_partial_response(batch_of("a"), Handles().handle, processor)
    process_partial_response(batch_of("b"), Handles().handle, processor)
    process_partial_response(batch_of("c"), Handles.handle.__get__(Handles()), processor)
    assert seen == ["a", "b", "c"]
    with pytest.raises(HandlerSignatureError):
        process_partial_response(batch_of("d"), Handles.handle, processor)
    assert seen == ["a", "b", "c"]
