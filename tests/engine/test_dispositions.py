"""What becomes of a record that failed: retried, dropped, a dead letter, or the end of the batch."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    ConfigurationError,
    Disposition,
    Outcome,
    by_key,
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


class Poison(ValueError):
    pass


def raise_named(record: Any) -> str:
    """Raise the exception that the body names."""
    kind = {"value": ValueError, "poison": Poison, "key": KeyError, "exit": SystemExit}.get(record["body"])
    if kind is not None:
        raise kind(record["messageId"])
    return str(record["body"])


class Letters:
    """Delivers dead letters to a list."""

    def __init__(self, fail: Callable[[Outcome], Any] = lambda outcome: None) -> None:
        self.outcomes: list[Outcome] = []
        self.fail = fail

    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome) -> None:
        self.fail(outcome)
        self.outcomes.append(outcome)


def statuses(way: Way, *bodies: str, **options: Any) -> list[str]:
    processor = way.processor(raise_on_entire_batch_failure=False, **options)
    return [outcome.status for outcome in processor.run(batch_of(*bodies), raise_named).outcomes]


def test_dropped_record_is_done(driver: Way) -> None:
    assert failed(driver(batch_of("a", "value", "key"), raise_named, dispositions={ValueError: DROP})) == ["m2"]
    assert statuses(driver, "a", "value", "key", dispositions={ValueError: DROP}) == ["succeeded", "dropped", "failed"]


def test_dropped_record_is_no_success_to_see(driver: Way) -> None:
    processor = driver.processor(dispositions={ValueError: DROP})
    result = processor.run(batch_of("a", "value"), raise_named)
    assert result.return_values == ["a"]
    assert result.outcomes[1].done
    assert isinstance(result.outcomes[1].exception, ValueError)
    assert [record["body"] for record in processor.success_messages] == ["a"]
    assert [kind for kind, _, _ in processor.exceptions] == [ValueError]


def test_nearest_base_class_of_the_exception_decides(driver: Way) -> None:
    assert statuses(driver, "value", "poison", dispositions={ValueError: RETRY, Poison: DROP}) == ["failed", "dropped"]
    assert statuses(driver, "value", "poison", dispositions={ValueError: DROP, Poison: RETRY}) == ["dropped", "failed"]
    assert statuses(driver, "key", "poison", dispositions={Exception: DROP, Poison: RETRY}) == ["dropped", "failed"]
    assert statuses(driver, "exit", dispositions={Exception: DROP}) == ["failed"]
    assert statuses(driver, "exit", dispositions={BaseException: DROP}) == ["dropped"]


@pytest.mark.parametrize("ordering", [in_order(), by_key(lambda record: "lane")])
def test_lane_goes_on_after_a_dropped_record_and_stops_at_one_to_retry(driver: Way, ordering: Any) -> None:
    options = {"ordering": ordering, "dispositions": {ValueError: DROP}}
    assert statuses(driver, "a", "value", "b", "key", "c", **options) == [
        "succeeded",
        "dropped",
        "succeeded",
        "failed",
        "not_attempted",
    ]


def test_dead_letter_that_was_delivered_is_done_and_its_lane_goes_on(driver: Way) -> None:
    letters = Letters()
    options: dict[str, Any] = {"plugins": [letters], "ordering": in_order(), "dispositions": {ValueError: DEAD_LETTER}}
    assert statuses(driver, "a", "value", "b", **options) == ["succeeded", "dead_lettered", "succeeded"]
    (outcome,) = letters.outcomes
    assert (outcome.position, outcome.identifier, outcome.record["body"]) == (1, "m1", "value")
    assert isinstance(outcome.exception, ValueError)
    assert outcome.status == "failed", "until it was delivered"


@pytest.mark.parametrize("error", [ConnectionError, SystemExit])
def test_dead_letter_that_was_not_delivered_is_retried_and_its_lane_stops(
    driver: Way, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(outcome: Outcome) -> None:
        raise error("no queue")

    options: dict[str, Any] = {"ordering": in_order(), "dispositions": {ValueError: DEAD_LETTER}}
    assert statuses(driver, "a", "value", "b", plugins=[Letters(refuse)], **options) == [
        "succeeded",
        "failed",
        "not_attempted",
    ]
    assert f"deliver_dead_letter() raised {error.__name__}: no queue; record m1 of sqs is retried." in caplog.text


def test_dead_letter_is_delivered_before_the_next_record_of_its_lane_starts(driver: Way) -> None:
    log: list[str] = []
    letters = Letters(lambda outcome: log.append("delivered"))

    def handler(record: Any) -> None:
        log.append(record["body"])
        raise_named(record)

    driver(
        batch_of("a", "value", "b"),
        handler,
        plugins=[letters],
        ordering=in_order(),
        dispositions={ValueError: DEAD_LETTER},
    )
    assert log == ["a", "value", "delivered", "b"]


def test_interrupt_while_a_dead_letter_is_delivered_propagates_and_the_record_is_not_done(driver: Way) -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    def interrupt(outcome: Outcome) -> None:
        raise Interrupted

    processor = driver.processor(plugins=[Letters(interrupt)], dispositions={ValueError: DEAD_LETTER})
    with pytest.raises(Interrupted):
        driver.call(processor, batch_of("value"), raise_named)
    assert failed(processor.response()) == ["m0"]


def test_stop_starts_no_further_record(driver: Way) -> None:
    handled: list[str] = []

    def handler(record: Any) -> None:
        handled.append(record["body"])
        raise_named(record)

    response = driver(
        batch_of("a", "value", "b", "c"),
        handler,
        max_concurrency=1 if driver.name == "threads" else None,
        ordering=in_order(on_failure="continue"),
        dispositions={ValueError: STOP},
    )
    assert failed(response) == ["m1", "m2", "m3"]
    assert handled == ["a", "value"]


def test_stop_starts_no_further_record_of_an_unordered_batch(driver: Way) -> None:
    handled: list[str] = []

    def handler(record: Any) -> None:
        handled.append(record["body"])
        raise_named(record)

    with ThreadPoolExecutor(1) as one_thread:
        at_a_time: dict[str, Any] = {"executor": one_thread} if driver.name == "threads" else {"max_concurrency": 1}
        response = driver(batch_of("a", "value", "b", "c"), handler, dispositions={ValueError: STOP}, **at_a_time)
    assert failed(response) == ["m1", "m2", "m3"]
    assert handled == ["a", "value"]


def test_stop_starts_no_further_record_in_a_task_that_has_waited_for_nothing() -> None:
    handled: list[str] = []

    def handler(record: Any) -> None:
        handled.append(record["body"])
        raise_named(record)

    processor = AsyncBatchProcessor("sqs", dispositions={ValueError: STOP})
    assert failed(processor.run(batch_of("a", "value", "b", "c"), handler).response) == ["m1", "m2", "m3"]
    assert handled == ["a", "value"]


def test_what_was_not_started_after_a_stop_is_not_attempted(driver: Way) -> None:
    options: dict[str, Any] = {"dispositions": {ValueError: STOP}, "ordering": by_key(lambda record: record["body"])}
    assert statuses(driver, "value", "value", "value", **options) == ["failed", "not_attempted", "not_attempted"]


def test_stop_at_the_first_record_is_a_whole_batch(driver: Way) -> None:
    with pytest.raises(BatchProcessingError):
        driver(batch_of("value"), raise_named, dispositions={ValueError: STOP})


@pytest.mark.parametrize(
    ("dispositions", "message"),
    [
        ({"ValueError": DROP}, "'ValueError' is no exception type"),
        ({int: DROP}, "is no exception type"),
        ({ValueError(): DROP}, "is no exception type"),
        ({ValueError: "drop"}, r"dispositions\[ValueError\] is a Disposition, such as Disposition\.DROP, not 'drop'"),
        ({ValueError: DEAD_LETTER}, "nobody delivers them"),
    ],
)
def test_dispositions_that_cannot_work_are_refused_when_the_processor_is_made(dispositions: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        BatchProcessor("sqs", dispositions=dispositions)


def test_dispositions_are_those_of_the_time_the_processor_was_made() -> None:
    dispositions = {ValueError: DROP}
    processor = BatchProcessor("sqs", dispositions=dispositions)
    dispositions.clear()
    assert failed(processor.run(batch_of("a", "value"), raise_named).response) == []


def test_record_that_cannot_be_decoded_is_disposed_of_as_well(driver: Way) -> None:
    pydantic = pytest.importorskip("pydantic")
    model: Any = pydantic.create_model("Message", body=(int, ...))
    response = driver(
        batch_of("1", "poison"), lambda record: None, model=model, dispositions={pydantic.ValidationError: DROP}
    )
    assert failed(response) == []


def test_record_whose_key_raises_is_disposed_of_as_well(driver: Way) -> None:
    ordering = by_key(lambda record: {"a": 1}[record["body"]])
    assert statuses(driver, "a", "b", ordering=ordering, dispositions={KeyError: DROP}) == ["succeeded", "dropped"]


def test_key_that_cannot_be_had_stops_the_batch_where_it_is_told_to() -> None:
    handled: list[str] = []
    ordering = by_key(lambda record: {"a": 1, "c": 2, "d": 3}[record["body"]])
    processor = BatchProcessor("sqs", ordering=ordering, dispositions={KeyError: STOP})
    result = processor.run(batch_of("a", "b", "c", "d"), lambda record: handled.append(record["body"]))
    assert handled == ["a"]
    assert [outcome.status for outcome in result.outcomes][1:] == ["failed", "not_attempted", "not_attempted"]
