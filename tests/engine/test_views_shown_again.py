"""A typed record that a handler keeps stays that record, whatever the engine does with those that nobody keeps."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import BatchProcessor, RecordView, by_key, process_partial_response
from batchcore_sqs import SQSRecord
from tests.batches import batch_of

BODIES = [f'"{number}"' for number in range(12)]


def kept_by(keep: Callable[[Any], Any], every: int = 1) -> list[Any]:
    """Return what a handler has kept of every so many records of a batch."""
    kept: list[Any] = []

    def handler(record: Any) -> None:
        if len(seen) % every == 0:
            kept.append(keep(record))
        seen.append(record.body)

    seen: list[str] = []
    process_partial_response(batch_of(*BODIES), handler, BatchProcessor("sqs"))
    assert seen == BODIES
    return kept


@pytest.mark.parametrize("every", [1, 2, 3])
def test_kept_records_are_each_their_own(every: int) -> None:
    kept = kept_by(lambda record: record, every)
    assert [record.body for record in kept] == BODIES[::every]
    assert len({id(record) for record in kept}) == len(kept)


KEPT_IN: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "a closure": (lambda record: lambda: record.body, lambda kept: kept()),
    "a bound method": (lambda record: record.get, lambda kept: kept("body")),
    "its values": (lambda record: record.values(), lambda kept: kept._mapping.body),
    "an exception": (ValueError, lambda kept: kept.args[0].body),
    "a tuple": (lambda record: (record,), lambda kept: kept[0].body),
    "a generator": (lambda record: (each for each in [record]), lambda kept: next(kept).body),
}


@pytest.mark.parametrize("name", KEPT_IN)
def test_record_that_is_kept_inside_of_something_stays_that_record(name: str) -> None:
    keep, body = KEPT_IN[name]
    assert [body(kept) for kept in kept_by(keep)] == BODIES


def test_what_was_decoded_of_one_record_is_not_shown_for_another() -> None:
    decoded: list[Any] = []
    process_partial_response(
        batch_of(*BODIES), lambda record: decoded.append((record.json_body, record.json_body)), BatchProcessor("sqs")
    )
    assert decoded == [(str(number), str(number)) for number in range(12)]


def test_record_that_another_thread_still_reads_stays_that_record() -> None:
    go_on, read = threading.Event(), dict[int, str]()
    threads: list[threading.Thread] = []

    def later(number: int, record: Any) -> None:
        go_on.wait(20)
        read[number] = record.body

    def handler(record: Any) -> None:
        threads.append(threading.Thread(target=later, args=(len(threads), record)))
        threads[-1].start()

    process_partial_response(batch_of(*BODIES), handler, BatchProcessor("sqs"))
    go_on.set()
    for thread in threads:
        thread.join()
    assert [read[number] for number in range(12)] == BODIES


def test_record_that_the_handler_returned_stays_that_record() -> None:
    result = BatchProcessor("sqs").run(batch_of(*BODIES), lambda record: record)
    assert [record.body for record in result.return_values] == BODIES


def test_failed_records_are_shown_as_they_were() -> None:
    processor = BatchProcessor("sqs", raise_on_entire_batch_failure=False)
    kept: list[BaseException] = []

    def handler(record: Any) -> None:
        if int(record.json_body) % 2:
            kept.append(KeyError(record))
            raise kept[-1]

    process_partial_response(batch_of(*BODIES), handler, processor)
    assert [record.body for record in processor.fail_messages] == BODIES[1::2]
    assert [error.args[0].body for error in kept] == BODIES[1::2]


class Marked(SQSRecord):
    """A view to which something can be added."""


class Slotted(SQSRecord):
    """A view with a place of its own."""

    __slots__ = ("mark",)


@pytest.mark.parametrize("view", [Marked, Slotted])
def test_what_is_added_to_a_record_is_not_shown_on_another(view: type[RecordView]) -> None:
    from batchcore import hookimpl

    class Decoding:
        @hookimpl(wrapper=True)
        def record_decoder(self, batch: Any) -> Any:
            yield
            return view

    marks: list[Any] = []

    def handler(record: Any) -> None:
        marks.append(getattr(record, "mark", None))
        record.mark = "marked"

    process_partial_response(batch_of(*BODIES), handler, BatchProcessor("sqs", plugins=[Decoding()]))
    assert marks == [None] * 12


def test_frames_that_were_looked_at_keep_no_view_from_being_its_own() -> None:
    """What looks at frames, as an error tracker does, holds what stands in them: here before the first record."""
    looked: list[bool] = []

    def key(record: Any) -> str:
        if not looked:
            looked.append(True)
            frame: Any = sys._getframe()
            while frame is not None:
                _ = frame.f_locals
                frame = frame.f_back
        return "lane"

    kept: list[Any] = []
    process_partial_response(batch_of(*BODIES), kept.append, BatchProcessor("sqs", ordering=by_key(key)))
    assert [record.body for record in kept] == BODIES


def test_record_that_stands_twice_in_an_event_is_decoded_twice() -> None:
    event = batch_of('{"n": 0}')
    event["Records"] *= 2
    decoded: list[Any] = []
    process_partial_response(
        event, lambda record: decoded.append(record.json_body.pop("n", None)), BatchProcessor("sqs")
    )
    assert decoded == [0, 0]
