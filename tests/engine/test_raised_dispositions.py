"""A handler says by what it raises what becomes of its record."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import (
    BatchProcessingError,
    DeadLetterRecord,
    Disposition,
    DropRecord,
    RetryRecord,
    StopBatch,
    hookimpl,
    in_order,
)
from tests.batches import batch_of, failed
from tests.drivers import Way

RETRY, DROP, DEAD_LETTER, STOP = (
    Disposition.RETRY,
    Disposition.DROP,
    Disposition.DEAD_LETTER,
    Disposition.STOP_BATCH,
)
ONE_AFTER_THE_OTHER = in_order(on_failure="continue")


class OldOrder(DropRecord):
    """A subclass of one of the four."""


class VeryOldOrder(OldOrder):
    """A subclass of a subclass."""


class Mixed(ValueError, DropRecord):
    """One of the four, and something that may be mapped before it."""


class Letters:
    def __init__(self) -> None:
        self.sent: list[str] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        self.sent.append(outcome.identifier)


def statuses(way: Way, *raised: type[BaseException] | None, **options: Any) -> list[str]:
    """Run a batch of handlers that raise these, one by one; None for one that returns."""

    def handler(record: Any) -> None:
        kind = raised[int(record["body"])]
        if kind is not None:
            raise kind(record["body"])

    options = {"ordering": ONE_AFTER_THE_OTHER, "raise_on_entire_batch_failure": False, **options}
    event = batch_of(*(str(number) for number in range(len(raised))))
    return [outcome.status for outcome in way.processor(**options).run(event, handler).outcomes]


def test_record_that_asks_to_be_dropped_is_done(driver: Way) -> None:
    assert statuses(driver, None, DropRecord, None) == ["succeeded", "dropped", "succeeded"]


def test_record_that_asks_to_be_retried_has_failed(driver: Way) -> None:
    assert statuses(driver, None, RetryRecord, None) == ["succeeded", "failed", "succeeded"]


def test_record_that_asks_for_the_end_of_the_batch_has_failed_and_no_further_one_starts(driver: Way) -> None:
    assert statuses(driver, None, StopBatch, None) == ["succeeded", "failed", "not_attempted"]


def test_record_that_asks_to_be_a_dead_letter_is_done_once_it_is_delivered(driver: Way) -> None:
    letters = Letters()
    assert statuses(driver, None, DeadLetterRecord, None, plugins=[letters]) == [
        "succeeded",
        "dead_lettered",
        "succeeded",
    ]
    assert letters.sent == ["m1"]


def test_dead_letter_that_nobody_delivers_is_retried_and_an_error_logged(
    driver: Way, caplog: pytest.LogCaptureFixture
) -> None:
    assert statuses(driver, None, DeadLetterRecord) == ["succeeded", "failed"]
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert "nobody delivers dead letters" in errors[0]


def test_subclass_asks_for_the_same(driver: Way) -> None:
    assert statuses(driver, OldOrder, VeryOldOrder) == ["dropped", "dropped"]


def test_what_is_raised_is_named_in_every_way_of_calling(way: Way) -> None:
    def handler(record: Any) -> None:
        kinds: dict[str, type[Exception]] = {"drop": DropRecord, "retry": RetryRecord}
        if record["body"] in kinds:
            raise kinds[record["body"]]

    assert failed(way(batch_of("a", "drop", "retry"), handler)) == ["m2"]


def test_mapped_subclass_is_nearer_than_its_base(driver: Way) -> None:
    options = {"dispositions": {OldOrder: RETRY}}
    assert statuses(driver, DropRecord, OldOrder, VeryOldOrder, **options) == ["dropped", "failed", "failed"]


def test_one_of_the_four_is_nearer_than_a_mapped_base_of_all(driver: Way) -> None:
    options = {"dispositions": {Exception: DROP}}
    assert statuses(driver, ValueError, RetryRecord, OldOrder, **options) == ["dropped", "failed", "dropped"]


def test_one_of_the_four_may_be_mapped_to_something_else(driver: Way) -> None:
    assert statuses(driver, DropRecord, OldOrder, dispositions={DropRecord: RETRY}) == ["failed", "failed"]
    assert statuses(driver, RetryRecord, dispositions={RetryRecord: DROP}) == ["dropped"]


def test_first_base_of_two_decides(driver: Way) -> None:
    assert statuses(driver, Mixed) == ["dropped"], "nobody has mapped the first"
    assert statuses(driver, Mixed, dispositions={ValueError: RETRY}) == ["failed"]


def test_lane_that_stops_at_failures_goes_on_after_a_dropped_record_and_stops_at_a_retried_one(driver: Way) -> None:
    assert statuses(driver, DropRecord, None, RetryRecord, None, ordering=in_order()) == [
        "dropped",
        "succeeded",
        "failed",
        "not_attempted",
    ]


def test_batch_in_which_every_record_asked_to_be_retried_has_failed_whole(driver: Way) -> None:
    with pytest.raises(BatchProcessingError):
        statuses(driver, RetryRecord, raise_on_entire_batch_failure=True)


def test_what_was_raised_is_the_exception_of_its_outcome(driver: Way) -> None:
    def handler(record: Any) -> None:
        raise OldOrder("of last year")

    (outcome,) = driver.processor().run(batch_of("a"), handler).outcomes
    assert repr(outcome.exception) == "OldOrder('of last year')"
    assert outcome.done


def test_subclass_with_an_attribute_of_its_own_costs_its_record_alone(driver: Way) -> None:
    class Meant(DropRecord):
        disposition = "file it"

    assert statuses(driver, None, Meant, None)[::2] == ["succeeded", "succeeded"]
