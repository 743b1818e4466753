"""``stop_before_timeout``: what starts, what ends, and what is said of the rest when the time is nearly up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    BatchResult,
    ConfigurationError,
    Disposition,
    OutOfTimeError,
    in_order,
)
from tests.batches import awaiting, batch_of, failed, handle
from tests.clocks import Spent
from tests.drivers import Way

ONE_AFTER_THE_OTHER = in_order(on_failure="continue")


def spending(context: Spent, seconds: float, begun: list[str]) -> Callable[[Any], str]:
    """Give a handler that takes some of the time."""

    def handler(record: Any) -> str:
        begun.append(record["messageId"])
        context.spend(seconds)
        return handle(record)

    return handler


def run(way: Way, *bodies: str, seconds: float, each: float, **options: Any) -> tuple[BatchResult, list[str]]:
    """Run a batch of handlers that take some of the time each; give its result and what has begun."""
    context, begun = Spent(seconds), []
    processor = way.processor(stop_before_timeout=4, ordering=ONE_AFTER_THE_OTHER, **options)
    handler = spending(context, each, begun)
    result = processor.run(batch_of(*bodies), awaiting(handler) if way.name.startswith("async") else handler, context)
    return result, begun


# -- What has not started.


def test_no_record_starts_when_less_than_that_is_left(way: Way) -> None:
    context, begun = Spent(10), []
    response = way(
        batch_of(*"abcde"),
        spending(context, 3, begun),
        context,
        stop_before_timeout=4,
        ordering=ONE_AFTER_THE_OTHER,
    )
    assert begun == ["m0", "m1", "m2"], "with 10, 7 and 4 s left"
    assert failed(response) == ["m3", "m4"], "all that is left is named"


def test_record_starts_when_exactly_that_is_left(driver: Way) -> None:
    assert failed(driver(batch_of("a"), handle, Spent(4), stop_before_timeout=4)) == []


def test_record_that_did_not_start_is_not_attempted_and_says_that_the_time_was_up(driver: Way) -> None:
    result, _ = run(driver, *"abc", seconds=6, each=3)
    assert [outcome.status for outcome in result.outcomes] == ["succeeded", "not_attempted", "not_attempted"]
    assert [type(outcome.exception) for outcome in result.outcomes] == [type(None), OutOfTimeError, OutOfTimeError]
    assert "not started" in str(result.outcomes[1].exception)


def test_time_is_given_as_a_timedelta_as_well(driver: Way) -> None:
    context, begun = Spent(10), []
    options = {"stop_before_timeout": timedelta(seconds=8), "ordering": ONE_AFTER_THE_OTHER}
    assert failed(driver(batch_of(*"abc"), spending(context, 1.5, begun), context, **options)) == ["m2"]


def test_clock_that_breaks_off_leaves_no_time(driver: Way) -> None:
    class Breaking(Spent):
        def get_remaining_time_in_millis(self) -> int:
            if begun:
                raise ConnectionError
            return 10_000

    begun: list[str] = []
    context = Breaking(10)
    options = {"stop_before_timeout": 4, "ordering": ONE_AFTER_THE_OTHER}
    assert failed(driver(batch_of(*"abc"), spending(context, 0, begun), context, **options)) == ["m1", "m2"]


def test_without_the_option_records_start_as_long_as_there_are_any(way: Way) -> None:
    context, begun = Spent(1), []
    assert failed(way(batch_of(*"abc"), spending(context, 1, begun), context)) == []


def test_plain_handler_in_this_thread_is_waited_for() -> None:
    context = Spent(5)
    processor = BatchProcessor("sqs", stop_before_timeout=4)
    result = processor.run(batch_of("a", "b"), spending(context, 5, []), context)
    assert [outcome.status for outcome in result.outcomes] == ["succeeded", "not_attempted"]


# -- What is raised, and refused.


def test_batch_stopped_by_time_alone_does_not_raise(way: Way) -> None:
    assert failed(way(batch_of("a", "b"), handle, Spent(3), stop_before_timeout=4)) == ["m0", "m1"]


def test_batch_in_which_a_handler_failed_as_well_raises(driver: Way) -> None:
    with pytest.raises(BatchProcessingError) as caught:
        run(driver, "bad", "b", seconds=5, each=3)
    result: Any = caught.value.result
    assert failed(result.response) == ["m0", "m1"]


@pytest.mark.parametrize("returned", [None, "soon", True, float("nan")])
def test_context_that_tells_no_time_is_refused_before_the_first_record(way: Way, returned: Any) -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> Any:
            return returned

    begun: list[str] = []
    with pytest.raises(ConfigurationError, match="get_remaining_time_in_millis"):
        way(batch_of("a"), spending(Spent(10), 0, begun), Context(), stop_before_timeout=4)
    assert begun == []


@pytest.mark.parametrize("context", [None, object()])
def test_call_without_a_usable_context_is_refused_before_the_first_record(way: Way, context: Any) -> None:
    begun: list[str] = []
    with pytest.raises(ConfigurationError, match="Pass the context on"):
        way(batch_of("a"), spending(Spent(10), 0, begun), context, stop_before_timeout=4)
    assert begun == []


@pytest.mark.parametrize(
    "wrong", [0, -1, "3", True, float("nan"), float("inf"), 5400, timedelta(0), timedelta(hours=2)]
)
@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_what_is_no_time_of_a_function_is_refused_at_once(make: Callable[..., Any], wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="stop_before_timeout"):
        make("sqs", stop_before_timeout=wrong)


# -- Beside others.


def test_time_that_is_up_ends_no_batch_that_has_stopped_by_itself(driver: Way) -> None:
    def handler(record: Any) -> None:
        raise ValueError

    options = {"dispositions": {ValueError: Disposition.STOP_BATCH}, "raise_on_entire_batch_failure": False}
    processor = driver.processor(stop_before_timeout=4, ordering=ONE_AFTER_THE_OTHER, **options)
    result = processor.run(batch_of("a", "b"), handler, Spent(10))
    assert [type(outcome.exception).__name__ for outcome in result.outcomes] == ["ValueError", "NotAttemptedError"]


def test_context_of_a_durable_function_is_refused_with_the_one_that_tells_the_time(driver: Way) -> None:
    class DurableContext:
        lambda_context = Spent(10)

    with pytest.raises(ConfigurationError, match=r"tells none, and its lambda_context does.*context\.lambda_context"):
        driver(batch_of("a"), context=DurableContext(), stop_before_timeout=1)
