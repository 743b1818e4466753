"""``deliver_dead_letter``: a record is done once it is delivered elsewhere, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    Batch,
    BatchProcessor,
    ConfigurationError,
    Disposition,
    DuplicateHookError,
    Outcome,
    PluginError,
    hookimpl,
    in_order,
)

from .support import FullSource, Run, ToySource, failed, run, statuses, toys

TO_DEAD_LETTER = {ValueError: Disposition.DEAD_LETTER}


class Delivers:
    """A deliverer: it keeps what it is given, or does what it is told."""

    def __init__(self, act: Callable[[Outcome], Any] | None = None) -> None:
        self.delivered: list[tuple[str, Any, str]] = []
        self.act = act

    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome) -> Any:
        if self.act is not None:
            return self.act(outcome)
        self.delivered.append((outcome.record["id"], outcome.identifier, repr(outcome.exception)))
        return None


def test_deliver_dead_letter_makes_a_record_done(driver: Run) -> None:
    plugin = Delivers()

    result = driver(ToySource(), toys("car", "bad doll"), plugins=[plugin], dispositions=TO_DEAD_LETTER)

    assert failed(result) == []
    assert statuses(result) == ["succeeded", "dead_lettered"]
    assert plugin.delivered == [("bad doll", "bad doll", "ValueError('it is broken')")]
    assert result.outcomes[1].done
    assert result.failures == []


def test_a_delivery_that_raises_means_the_record_is_retried(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    def raises(outcome: Outcome) -> None:
        raise ConnectionError("no queue")

    result = driver(ToySource(), toys("car", "bad doll"), plugins=[Delivers(raises)], dispositions=TO_DEAD_LETTER)

    assert failed(result) == ["bad doll"]
    assert statuses(result) == ["succeeded", "failed"]
    assert isinstance(result.outcomes[1].exception, ValueError), "the record's own exception"
    assert "deliver_dead_letter() raised ConnectionError: no queue; record bad doll of toy is retried." in caplog.text


@pytest.mark.parametrize("error", [SystemExit, asyncio.CancelledError, RecursionError])
def test_whatever_a_delivery_raises_the_record_is_retried(error: type[BaseException], driver: Run) -> None:
    def raises(outcome: Outcome) -> None:
        raise error

    result = driver(ToySource(), toys("bad doll", "car"), plugins=[Delivers(raises)], dispositions=TO_DEAD_LETTER)

    assert statuses(result) == ["failed", "succeeded"]


def test_a_delivery_that_would_have_to_be_awaited_is_none(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def deliver() -> None:
        raise AssertionError("nobody awaits it")

    plugin = Delivers(lambda outcome: deliver())

    result = driver(ToySource(), toys("bad doll"), plugins=[plugin], dispositions=TO_DEAD_LETTER)

    assert failed(result) == ["bad doll"]
    assert "deliver_dead_letter() of Delivers gives nothing, and is not awaited" in caplog.text


def test_a_delivery_that_gives_an_awaitable_of_another_kind_is_none(driver: Run) -> None:
    class Awaitable:
        def __await__(self) -> Any:
            yield

    plugin = Delivers(lambda outcome: Awaitable())

    assert failed(driver(ToySource(), toys("bad"), plugins=[plugin], dispositions=TO_DEAD_LETTER)) == ["bad"]


@pytest.mark.parametrize("returned", [None, True, {"MessageId": "1"}, "sent", 0], ids=repr)
def test_what_a_delivery_returns_when_it_is_done_is_of_no_matter(returned: Any, driver: Run) -> None:
    plugin = Delivers(lambda outcome: returned)

    assert failed(driver(ToySource(), toys("bad"), plugins=[plugin], dispositions=TO_DEAD_LETTER)) == []


@pytest.mark.parametrize(
    "returned",
    [lambda: False, lambda: ConnectionError("no queue"), lambda: (letter for letter in "x"), Future],
    ids=["False", "an exception", "a generator", "a future"],
)
def test_a_delivery_that_gives_what_is_no_delivery_is_none(returned: Any, driver: Run) -> None:
    plugin = Delivers(lambda outcome: returned())

    assert failed(driver(ToySource(), toys("bad"), plugins=[plugin], dispositions=TO_DEAD_LETTER)) == ["bad"]


def test_only_the_exceptions_that_are_mapped_are_delivered(driver: Run) -> None:
    plugin = Delivers()

    def handler(toy: Any) -> None:
        raise {"a": ValueError, "b": KeyError, "c": UnicodeError}[toy["id"]]

    result = driver(ToySource(), toys("a", "b", "c"), handler, plugins=[plugin], dispositions=TO_DEAD_LETTER)

    assert failed(result) == ["b"]
    assert sorted(record for record, *_ in plugin.delivered) == ["a", "c"], "a subclass counts as its base"


def test_a_lane_goes_on_after_a_dead_letter(driver: Run) -> None:
    result = driver(
        ToySource(), toys("bad 1", "car"), plugins=[Delivers()], dispositions=TO_DEAD_LETTER, ordering=in_order()
    )

    assert statuses(result) == ["dead_lettered", "succeeded"]


def test_a_lane_stops_after_a_dead_letter_that_was_not_delivered(driver: Run) -> None:
    def raises(outcome: Outcome) -> None:
        raise ConnectionError

    result = driver(
        ToySource(), toys("bad 1", "car"), plugins=[Delivers(raises)], dispositions=TO_DEAD_LETTER, ordering=in_order()
    )

    assert statuses(result) == ["failed", "not_attempted"]


def test_a_batch_of_dead_letters_alone_is_no_failed_batch() -> None:
    processor = BatchProcessor(ToySource(), plugins=[Delivers()], dispositions=TO_DEAD_LETTER)

    def handler(toy: Any) -> None:
        raise ValueError

    assert processor.run(toys("car", "ball"), handler).response == {"batchItemFailures": []}


def test_a_deliverer_gets_the_batch_as_well(driver: Run) -> None:
    seen: list[Any] = []

    class Sends:
        @hookimpl
        def deliver_dead_letter(self, outcome: Outcome, batch: Batch) -> None:
            seen.append((batch.source, batch.describe_record(outcome.record), batch.delivery_attempt(outcome.record)))
            seen.append(batch)

    result = driver(FullSource(), toys("bad"), plugins=[Sends()], dispositions=TO_DEAD_LETTER)

    assert seen[0] == ("toy", {"shelf": "shelf of bad"}, 3)
    assert list(seen[1].records) == list(result.batch.records) == [{"id": "bad"}]


def test_a_deliverer_may_have_a_shorter_argument_list() -> None:
    calls: list[str] = []

    class Counts:
        @hookimpl
        def deliver_dead_letter(self) -> None:
            calls.append("one")

    with pytest.raises(TypeError):
        Counts.deliver_dead_letter()  # type: ignore[call-arg]
    assert failed(run(ToySource(), toys("bad"), plugins=[Counts()], dispositions=TO_DEAD_LETTER)) == []
    assert calls == ["one"]


@pytest.mark.parametrize("processor", [BatchProcessor, AsyncBatchProcessor])
def test_a_dead_letter_that_nobody_delivers_is_an_error_at_construction(processor: type[BatchProcessor]) -> None:
    with pytest.raises(ConfigurationError, match=r"nobody delivers them. Pass a plugin that implements deliver_dead"):
        processor(ToySource(), dispositions=TO_DEAD_LETTER)


def test_two_deliverers_are_refused() -> None:
    second = Delivers()

    with pytest.raises(
        DuplicateHookError, match=r"Delivers and Delivers both deliver dead letters\. Pass one of them"
    ) as caught:
        BatchProcessor(ToySource(), plugins=[Delivers(), second])

    assert (caught.value.plugin, caught.value.hook) == (second, "deliver_dead_letter")
    assert isinstance(caught.value, PluginError)


def test_a_deliverer_that_is_not_needed_is_not_called(driver: Run) -> None:
    plugin = Delivers()

    result = driver(ToySource(), toys("bad"), plugins=[plugin])

    assert failed(result) == ["bad"]
    assert plugin.delivered == []
