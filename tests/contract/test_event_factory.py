"""``event_factory``: what makes events of a source for tests. No function pays for it."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import BatchProcessor, ConfigurationError, hookimpl
from batchcore_testing import make_event, make_record

from .support import FullSource, Run, ShorterSource, ToyEvents, ToySource, play, toys


@pytest.mark.parametrize("source", [FullSource, ShorterSource])
def test_event_factory_makes_the_events_of_its_source(source: type, driver: Run) -> None:
    event = make_event(source(), "car", "ball")

    assert event == {"toys": [{"id": "car", "number": 1}, {"id": "ball", "number": 2}]}
    result = driver(source(), event, lambda toy, owner="nobody": play(toy))
    assert result.return_values == ["played with car", "played with ball"]


def test_event_factory_is_none_by_default_and_who_needs_one_is_told() -> None:
    with pytest.raises(ConfigurationError, match="The source 'toy' has no event factory"):
        make_record(ToySource(), "car")


def test_event_factory_is_never_called_by_a_function(driver: Run) -> None:
    class Untouched(ToySource):
        @hookimpl
        def event_factory(self) -> Any:
            raise AssertionError("it is for tests alone")

    assert driver(Untouched(), toys("car")).return_values == ["played with car"]


def test_event_factory_that_a_wrapper_loses_is_none() -> None:
    class Loses:
        @hookimpl(wrapper=True)
        def event_factory(self) -> Any:
            yield

    class Made(ToySource):
        @hookimpl
        def event_factory(self) -> ToyEvents:
            return ToyEvents()

    processor = BatchProcessor(Made(), plugins=[Loses()])

    assert processor.run(toys("car"), play).batch.settings.source.event_factory() is None
