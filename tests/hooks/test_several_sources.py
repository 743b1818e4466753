"""One function, several sources: the source of each event is found among all that are installed, or two are named."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

import pytest

from batchcore import AmbiguousSourceError, BatchProcessor, UnexpectedBatchTypeError, hookimpl, offer
from batchcore.source import offered
from batchcore_testing import make_event

NAMES = sorted(
    entry.name
    for entry in entry_points(group="batchcore.sources")
    if entry.dist is not None and entry.dist.name.startswith("batchcore-")
)
SOURCES: dict[str, Any] = {
    entry.name: entry.load() for entry in entry_points(group="batchcore.sources") if entry.name in NAMES
}
BY_NAME = [name for name in NAMES if getattr(SOURCES[name], "only_by_name", False)]
BY_EVENT = [name for name in NAMES if name not in BY_NAME]


def event_of(name: str) -> Any:
    return make_event(name, {"order": 1}, {"order": 2})


@pytest.fixture
def twin(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of another source that claims whatever one source claims."""
    original = SOURCES[request.param]

    class Twin:
        name = "twin"

        @hookimpl
        def claims_event(self, event: Any) -> bool:
            return bool(original.claims_event(event))

        @hookimpl
        def extract_records(self, event: Any) -> Any:
            return original.extract_records(event)

        @hookimpl
        def identify_records(self, records: Any) -> Any:
            return original.identify_records(records)

    offer(request.param, original)
    offer("twin", Twin())
    yield request.param
    offered().pop("twin")


def test_there_are_sources_of_either_kind() -> None:
    assert {"dynamodb", "kinesis", "sqs"} <= set(BY_EVENT)
    assert {"pipes-dynamodb", "pipes-kafka", "pipes-kinesis", "pipes-mq", "pipes-sqs"} <= set(BY_NAME)


@pytest.mark.parametrize("name", BY_EVENT)
def test_the_source_of_an_event_is_found_among_all(name: str) -> None:
    assert BatchProcessor().run(event_of(name), lambda record: None).batch.source == name


def test_one_processor_serves_all_of_them_in_turn() -> None:
    processor = BatchProcessor()

    for name in [*BY_EVENT, *reversed(BY_EVENT)]:
        result = processor.run(event_of(name), lambda record: type(record).__name__)
        named = BatchProcessor(name).run(event_of(name), lambda record: type(record).__name__)
        assert (result.batch.source, result.return_values) == (name, named.return_values)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_source_that_is_found_by_name_alone_is_found_by_that(name: str) -> None:
    with pytest.raises(UnexpectedBatchTypeError):
        BatchProcessor().run(event_of(name), lambda record: None)
    assert BatchProcessor(name).run(event_of(name), lambda record: None).batch.source == name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("other", NAMES)
def test_no_source_claims_an_event_of_another(name: str, other: str) -> None:
    assert bool(SOURCES[other].claims_event(event_of(name))) is (name == other)


@pytest.mark.parametrize("twin", BY_EVENT, indirect=True)
def test_two_that_claim_an_event_are_an_error_that_names_both(twin: str) -> None:
    handled: list[Any] = []

    with pytest.raises(AmbiguousSourceError, match=f"Several sources claim.*: {twin}, twin. Name one") as caught:
        BatchProcessor().run(event_of(twin), handled.append)

    assert handled == []
    assert "event_type" in str(caught.value)
    assert BatchProcessor(twin).run(event_of(twin), lambda record: None).batch.source == twin


def test_what_nobody_claims_is_refused_with_all_their_names() -> None:
    with pytest.raises(UnexpectedBatchTypeError) as caught:
        BatchProcessor().run({"boxes": [1]}, print)

    assert all(name in str(caught.value) for name in NAMES)
