"""``result.explain()``: of each record, whether AWS delivers it again, and why."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    DeadLetterRecord,
    Disposition,
    DropRecord,
    StopBatch,
    hookimpl,
    in_order,
    unordered,
)
from batchcore.results import Explanation
from batchcore_sqs import SQS
from tests.batches import batch_of
from tests.clocks import MARGIN, Nearly, Spent

RAISED: dict[str, tuple[type[Exception], str]] = {
    "bad": (ValueError, "no stock"),
    "drop": (DropRecord, "old"),
    "dead": (DeadLetterRecord, "odd"),
    "stop": (StopBatch, "no database"),
}


class Checkpointed(type(SQS)):  # type: ignore[misc]  # a class made of an object
    """SQS messages, as if a checkpoint acknowledged them."""

    @hookimpl
    def acknowledgement(self) -> str:
        return "checkpoint"


class Letters:
    """Delivers, or does not."""

    def __init__(self, problem: BaseException | None = None) -> None:
        self.problem = problem

    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        if self.problem is not None:
            raise self.problem


def handler(record: Any) -> None:
    if record["body"] in RAISED:
        kind, text = RAISED[record["body"]]
        raise kind(text)


def explained(*bodies: str, event_type: Any = "sqs", **options: Any) -> list[Explanation]:
    processor = BatchProcessor(event_type, raise_on_entire_batch_failure=False, **options)
    return processor.run(batch_of(*bodies), handler).explain()


def texts(*bodies: str, **options: Any) -> list[str]:
    return [str(explanation) for explanation in explained(*bodies, **options)]


def test_record_that_failed_comes_again_and_its_neighbours_do_not() -> None:
    assert texts("a", "bad", "c") == [
        "m0: done; the handler returned",
        "m1: delivered again; failed: ValueError: no stock",
        "m2: done; the handler returned",
    ]


def test_each_explanation_has_its_outcome_and_the_reason_apart() -> None:
    explanations = explained("a", "bad")
    assert [explanation.outcome.identifier for explanation in explanations] == ["m0", "m1"]
    assert [explanation.delivered_again for explanation in explanations] == [False, True]
    assert explanations[1].reason == "failed: ValueError: no stock"


def test_record_behind_a_failure_of_its_lane_was_not_attempted() -> None:
    text = texts("bad", "b", ordering=in_order())[1]
    assert text.startswith("m1: delivered again; not attempted: ")
    assert text.endswith("An earlier record of its lane failed, so it was not attempted")


def test_record_behind_the_stop_of_its_batch_was_not_attempted() -> None:
    stop, behind = texts("stop", "b")
    assert stop == "m0: delivered again; failed: StopBatch: no database"
    assert behind.startswith("m1: delivered again; not attempted: ")
    assert behind.endswith("An earlier failure stopped the batch, so it was not attempted")


def test_dropped_record_is_done() -> None:
    assert texts("drop") == ["m0: done; dropped: DropRecord: old"]
    mapped = texts("bad", dispositions={ValueError: Disposition.DROP})
    assert mapped == ["m0: done; dropped: ValueError: no stock"]


def test_dead_letter_that_was_delivered_is_done() -> None:
    assert texts("dead", plugins=[Letters()]) == [
        "m0: done; delivered elsewhere as a dead letter: DeadLetterRecord: odd"
    ]


@pytest.mark.parametrize("ordering", [in_order(), unordered])
def test_dead_letter_that_was_not_delivered_comes_again(ordering: Any) -> None:
    (text,) = texts("dead", plugins=[Letters(ConnectionError("no queue"))], ordering=ordering)
    assert text.startswith("m0: delivered again; failed: DeadLetterRecord: odd; ")
    assert text.endswith("a dead letter that was not delivered: ConnectionError: no queue")


@pytest.mark.parametrize("ordering", [in_order(on_failure="continue"), unordered])
def test_dead_letter_above_one_that_comes_again_is_not_one_yet(ordering: Any) -> None:
    assert texts("bad", "dead", plugins=[Letters()], ordering=ordering, event_type=Checkpointed())[1] == (
        "m1: delivered again; failed: DeadLetterRecord: odd; to be a dead letter once no other brings it back; "
        "m0 before it is not done, and everything from there on comes again"
    )


def test_record_that_had_no_time_was_not_attempted() -> None:
    processor = BatchProcessor("sqs", stop_before_timeout=4)
    (explanation,) = processor.run(batch_of("a"), handler, Spent(3)).explain()
    assert str(explanation).startswith("m0: delivered again; not attempted: ")
    assert str(explanation).endswith("The time of the invocation was nearly up, so it was not started")


def test_record_whose_handler_was_cancelled_ran_out_of_time() -> None:
    context = Nearly()

    async def waits(record: Any) -> None:
        import asyncio

        context.passes()
        await asyncio.Event().wait()

    processor = AsyncBatchProcessor("sqs", stop_before_timeout=MARGIN)
    (explanation,) = processor.run(batch_of("a"), waits, context).explain()
    assert str(explanation) == (
        "m0: delivered again; out of time: "
        "OutOfTimeError: It was cancelled when the time of the invocation was nearly up"
    )


@pytest.mark.parametrize("event_type", ["sqs", Checkpointed()])
def test_whole_batch_that_is_done_comes_not_again(event_type: Any) -> None:
    assert [explanation.delivered_again for explanation in explained("a", "drop", event_type=event_type)] == [False] * 2


def test_on_a_stream_all_from_the_lowest_failure_on_comes_again() -> None:
    behind = "m1 before it is not done, and everything from there on comes again"
    assert texts("a", "bad", "c", "bad", event_type=Checkpointed()) == [
        "m0: done; the handler returned",
        "m1: delivered again; failed: ValueError: no stock",
        f"m2: delivered again; the handler returned; {behind}",
        f"m3: delivered again; failed: ValueError: no stock; {behind}",
    ]


@pytest.mark.parametrize("event_type", ["sqs", Checkpointed()])
def test_what_is_explained_is_what_comes_again(event_type: Any) -> None:
    processor = BatchProcessor(event_type, plugins=[Letters()])
    result = processor.run(batch_of("a", "bad", "drop", "dead", "c"), handler)
    again = [explanation.outcome.position for explanation in result.explain() if explanation.delivered_again]
    assert again == [outcome.position for outcome in result.delivered_again]


def test_record_that_nobody_can_name_is_named_by_its_position() -> None:
    class Nameless(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def identify_records(self, records: Any) -> list[None]:
            return [None for _ in records]

        @hookimpl
        def build_response(self, batch: Any, outcomes: Any) -> str:
            return "answer"

    assert texts("a", event_type=Nameless()) == ["at position 0: done; the handler returned"]


def test_body_of_a_record_is_in_no_explanation() -> None:
    assert "secret" not in " ".join(texts("secret", "bad", "secret", ordering=in_order()))
    assert "secret" not in repr(explained("secret", "bad", "secret"))
