"""What a processor is told is checked when it is made; orderings are made by three names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BasePartialBatchProcessor,
    BatchProcessor,
    ConfigurationError,
    Disposition,
    NotAttemptedError,
    Ordering,
    by_key,
    in_order,
    unordered,
)
from batchcore.options import INSTEAD_OF

from .support import Run, ToySource, failed, run, statuses, toys


@pytest.fixture(params=[BatchProcessor, AsyncBatchProcessor, BasePartialBatchProcessor])
def processor(request: pytest.FixtureRequest) -> type[BatchProcessor]:
    """Every class with options."""
    chosen: type[BatchProcessor] = request.param
    return chosen


# -- Orderings.


def test_an_ordering_says_what_it_is() -> None:
    assert repr(unordered) == "unordered"
    assert repr(in_order()) == "in_order(on_failure='stop')"
    assert repr(in_order(on_failure="continue")) == "in_order(on_failure='continue')"
    assert repr(by_key(len)) == "by_key(on_failure='stop')"
    assert repr(by_key(len, on_failure="continue")) == "by_key(on_failure='continue')"
    assert all(isinstance(ordering, Ordering) for ordering in (unordered, in_order(), by_key(len)))


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        (unordered, ["failed", "succeeded", "succeeded", "succeeded"]),
        (in_order(), ["failed", "not_attempted", "not_attempted", "not_attempted"]),
        (in_order(on_failure="continue"), ["failed", "succeeded", "succeeded", "succeeded"]),
        (by_key(lambda toy: toy["shelf"]), ["failed", "succeeded", "not_attempted", "succeeded"]),
        (by_key(lambda toy: toy["shelf"], on_failure="continue"), ["failed", "succeeded", "succeeded", "succeeded"]),
        (by_key(lambda toy: None), ["failed", "succeeded", "succeeded", "succeeded"]),
    ],
    ids=["unordered", "in order", "in order, continue", "by key", "by key, continue", "lanes of their own"],
)
def test_an_ordering_decides_what_a_failure_touches(ordering: Any, expected: list[str], driver: Run) -> None:
    event = {"toys": [{"id": n, "shelf": s} for n, s in (("bad", 1), ("car", 2), ("ball", 1), ("doll", 2))]}

    assert statuses(driver(ToySource(), event, ordering=ordering)) == expected


@pytest.mark.parametrize("order", [in_order, lambda **options: by_key(len, **options)], ids=["in_order", "by_key"])
@pytest.mark.parametrize("given", ["skip", "", None, True, "Stop"])
def test_on_failure_is_stop_or_continue(order: Callable[..., Any], given: Any) -> None:
    with pytest.raises(ConfigurationError, match="on_failure is 'stop' or 'continue', not ") as caught:
        order(on_failure=given)

    assert repr(given) in str(caught.value)


@pytest.mark.parametrize("key", [None, "group", 7, ["group"]])
def test_by_key_takes_a_function(key: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"by_key\(\) takes a function from a raw record to its key, not"):
        by_key(key)


def test_by_key_takes_no_coroutine_function() -> None:
    async def key(record: Any) -> str:
        return "never"

    with pytest.raises(ConfigurationError, match="coroutine"):
        by_key(key)


def test_a_key_that_cannot_be_had_costs_its_record_alone(driver: Run) -> None:
    event = {"toys": [{"id": "a", "shelf": 1}, {"id": "b"}, {"id": "c", "shelf": [1]}, {"id": "d", "shelf": 1}]}

    result = driver(ToySource(), event, id, ordering=by_key(lambda toy: toy["shelf"]))

    assert failed(result) == ["b", "c"]
    assert [type(result.outcomes[n].exception) for n in (1, 2)] == [KeyError, TypeError]


class Skipped(Exception):
    """What a record that is not attempted fails with, where somebody said so."""


@pytest.mark.parametrize("order", [in_order, lambda **o: by_key(lambda toy: 1, **o)], ids=["in_order", "by_key"])
def test_not_attempted_makes_the_exception_of_what_is_skipped(order: Callable[..., Any], driver: Run) -> None:
    result = driver(ToySource(), toys("bad", "car"), ordering=order(not_attempted=Skipped))
    usual = driver(ToySource(), toys("bad", "car"), ordering=order())

    assert isinstance(result.outcomes[1].exception, Skipped)
    assert isinstance(usual.outcomes[1].exception, NotAttemptedError)


@pytest.mark.parametrize("order", [in_order, lambda **o: by_key(len, **o)], ids=["in_order", "by_key"])
@pytest.mark.parametrize("given", [Skipped("an exception, not what makes one"), None, "text"])
def test_not_attempted_is_a_callable(order: Callable[..., Any], given: Any) -> None:
    with pytest.raises(ConfigurationError, match="not_attempted"):
        order(not_attempted=given)


@pytest.mark.parametrize("given", ["unordered", in_order, by_key, 7, True, object()])
def test_what_is_no_ordering_is_refused(processor: type[BatchProcessor], given: Any) -> None:
    with pytest.raises(ConfigurationError, match="ordering is unordered, in_order"):
        processor(ToySource(), ordering=given)


# -- Numbers.


@pytest.mark.parametrize("given", [0, -1, 1.5, "2", True, False, float("inf"), [2]])
def test_max_concurrency_is_a_whole_number_from_one_on(processor: type[BatchProcessor], given: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_concurrency is a whole number from 1 on, not ") as caught:
        processor(ToySource(), max_concurrency=given)

    assert repr(given) in str(caught.value)


@pytest.mark.parametrize(("processor", "default"), [(BatchProcessor, 1), (AsyncBatchProcessor, 100)])
def test_max_concurrency_has_a_default(processor: type[BatchProcessor], default: int) -> None:
    assert processor(ToySource()).max_concurrency == default
    assert processor(ToySource(), max_concurrency=None).max_concurrency == default
    assert processor(ToySource(), max_concurrency=7).max_concurrency == 7


# -- Dispositions.


@pytest.mark.parametrize("kind", ["ValueError", 7, ValueError("one"), int, None, (ValueError,)])
def test_dispositions_are_of_exception_types(processor: type[BatchProcessor], kind: Any) -> None:
    with pytest.raises(ConfigurationError, match="is no exception type") as caught:
        processor(ToySource(), dispositions={kind: Disposition.DROP})

    assert repr(kind) in str(caught.value)


@pytest.mark.parametrize("disposition", ["drop", None, True, Disposition])
def test_dispositions_are_dispositions(processor: type[BatchProcessor], disposition: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"dispositions\[ValueError\] is a Disposition, such as Disposition.DROP, not "
    ):
        processor(ToySource(), dispositions={ValueError: disposition})


@pytest.mark.parametrize("given", [[ValueError], "drop", 7, Disposition.DROP, ValueError, {ValueError}])
def test_dispositions_are_a_mapping(processor: type[BatchProcessor], given: Any) -> None:
    with pytest.raises(ConfigurationError, match="dispositions maps exception types"):
        processor(ToySource(), dispositions=given)


@pytest.mark.parametrize("given", [None, {}])
def test_dispositions_may_be_none(given: Any, driver: Run) -> None:
    assert failed(driver(ToySource(), toys("bad"), dispositions=given)) == ["bad"]


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (Disposition.RETRY, ["failed", "succeeded"]),
        (Disposition.DROP, ["dropped", "succeeded"]),
        (Disposition.STOP_BATCH, ["failed", "not_attempted"]),
    ],
)
def test_a_disposition_decides_what_becomes_of_a_record(disposition: Disposition, expected: list[str]) -> None:
    result = run(ToySource(), toys("bad", "car"), dispositions={Exception: disposition})

    assert statuses(result) == expected


def test_what_was_told_may_change_afterwards_without_effect(driver: Run) -> None:
    dispositions: dict[type[BaseException], Disposition] = {ValueError: Disposition.DROP}
    processor = BatchProcessor(ToySource(), dispositions=dispositions)
    dispositions.clear()

    assert statuses(processor.run(toys("bad"), lambda toy: int("no number"))) == ["dropped"]


# -- What is told by position, and what must be named.


def test_options_beyond_the_four_that_users_know_are_named() -> None:
    with pytest.raises(TypeError):
        BatchProcessor(ToySource(), None, True, None, ())  # type: ignore[misc]


def test_an_option_that_does_not_exist_is_refused(processor: type[BatchProcessor]) -> None:
    with pytest.raises(TypeError, match="max_workers"):
        processor(ToySource(), max_workers=3)


# -- Overrides that would never be called.


@pytest.mark.parametrize("name", INSTEAD_OF)
@pytest.mark.parametrize("base", [BatchProcessor, AsyncBatchProcessor])
def test_an_override_that_would_never_be_called_is_refused_with_what_to_do_instead(
    name: str, base: type[BatchProcessor]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        type("Special", (base,), {name: lambda self: None})

    assert f"Special overrides {name}(), which is never called. Instead: {INSTEAD_OF[name]}." in str(caught.value)


def test_a_subclass_of_a_subclass_is_looked_at_too() -> None:
    class Own(BatchProcessor):
        def success_handler(self, record: Any, result: Any) -> Any:
            return super().success_handler(record, result)

    with pytest.raises(ConfigurationError, match=r"overrides _clean\(\)"):
        type("Special", (Own,), {"_clean": lambda self: None})


def test_an_override_by_a_mix_in_is_refused_too() -> None:
    class Cleans:
        def _clean(self) -> None: ...

    with pytest.raises(ConfigurationError, match=r"Special overrides _clean\(\)"):
        type("Special", (Cleans, BatchProcessor), {})


def test_other_methods_of_a_subclass_are_its_own(driver: Run) -> None:
    class Special(BatchProcessor):
        def _clean_the_shelf(self) -> None: ...

        def helper(self) -> str:
            return "helps"

    assert Special(ToySource()).helper() == "helps"


def test_a_base_of_scratch_processors_may_override_everything() -> None:
    for name in INSTEAD_OF:
        type("Scratch", (BasePartialBatchProcessor,), {name: lambda self: None})
