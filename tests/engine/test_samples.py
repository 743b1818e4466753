"""Every sample event through every processor, against the sample responses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchcore import BatchProcessor, EventType, UnexpectedBatchTypeError
from batchcore_sqs import SqsFifoPartialProcessor
from tests.batches import Event, Handler, Response, failed
from tests.drivers import DRIVERS, WAYS, Way, name_of, one_call

EVENTS = Path(__file__).parents[1] / "events"


def sample(name: str) -> Any:
    """Read a sample, a new one at each call."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


SAMPLES = sorted(path.stem for path in EVENTS.glob("*.json"))
OURS = {"aws:sqs": "sqs", "aws:kinesis": "kinesis", "aws:dynamodb": "dynamodb"}


def source_of(name: str) -> str | None:
    """Give the name of the source that a sample is from, if it is one of ours."""
    event = sample(name)
    return OURS.get(event["Records"][0].get("eventSource")) if "Records" in event else None


BY_SOURCE = {name: source for name in SAMPLES if (source := source_of(name))}
BY_HAND = "custom_partial_processor_payload"  # it names no source, and looks like messages of SQS
FOREIGN = [name for name in SAMPLES if not name.endswith("_response") and name not in {*BY_SOURCE, BY_HAND}]


def fifo(event_type: Any, **options: Any) -> BatchProcessor:
    return SqsFifoPartialProcessor(**options)


def fifo_by_group(event_type: Any, **options: Any) -> BatchProcessor:
    return SqsFifoPartialProcessor(skip_group_on_error=True, **options)


FIFO = [Way("fifo", fifo, one_call), Way("fifo by group", fifo_by_group, one_call)]


def identifiers_of(event: Event) -> list[str]:
    return [identifier_of(record) for record in event["Records"]]


def identifier_of(record: Any) -> str:
    payload = record.get("kinesis") or record.get("dynamodb") or {}
    identifier = record.get("messageId") or payload.get("sequenceNumber") or payload.get("SequenceNumber")
    return str(identifier)


def failing_on(*identifiers: str) -> Handler:
    def handler(record: Any) -> None:
        if identifier_of(record) in identifiers:
            raise ValueError

    return handler


def test_samples_of_every_source_are_there() -> None:
    assert set(BY_SOURCE.values()) == set(OURS.values())
    assert len(BY_SOURCE) > 10
    assert len(FOREIGN) > 5


@pytest.mark.parametrize("way", WAYS, ids=name_of)
@pytest.mark.parametrize("source", OURS.values())
def test_record_that_fails_gives_the_sample_response(way: Way, source: str) -> None:
    response: Response = sample(f"getting_started_{source}_response")
    handler = failing_on(*failed(response))
    assert way(sample(f"getting_started_{source}_event"), handler, event_type=source) == response


@pytest.mark.parametrize("way", [*DRIVERS, *FIFO], ids=name_of)
@pytest.mark.parametrize("name", BY_SOURCE)
def test_sample_event_is_processed_by_its_source(way: Way, name: str) -> None:
    if way in FIFO and BY_SOURCE[name] != "sqs":
        pytest.skip("a processor of SQS alone")
    event = sample(name)
    handled: list[str] = []
    assert way(event, lambda r: handled.append(identifier_of(r)), event_type=BY_SOURCE[name]) == {
        "batchItemFailures": []
    }
    assert sorted(handled) == sorted(identifiers_of(event))
    identifiers = identifiers_of(event)
    ordered = way in FIFO[:1] or event["Records"][0].get("eventSourceARN", "").endswith(".fifo")
    expected = identifiers if ordered or len(identifiers) == 1 else identifiers[:1]
    response = way(event, failing_on(identifiers[0]), event_type=BY_SOURCE[name], raise_on_entire_batch_failure=False)
    assert failed(response) == expected


@pytest.mark.parametrize("name", BY_SOURCE)
def test_source_of_a_sample_event_is_found_by_the_event(driver: Way, name: str) -> None:
    assert failed(driver(sample(name), lambda record: None, event_type=None)) == []


@pytest.mark.parametrize("way", [*DRIVERS, *FIFO], ids=name_of)
@pytest.mark.parametrize("name", [*BY_SOURCE, *FOREIGN])
def test_sample_event_is_refused_by_every_other_source(way: Way, name: str) -> None:
    handled: list[Any] = []
    for other in OURS.values() if way in DRIVERS else ["sqs"]:
        if BY_SOURCE.get(name) != other:
            with pytest.raises(UnexpectedBatchTypeError):
                way(sample(name), handled.append, event_type=other)
    assert handled == []


def test_names_of_sources_are_strings() -> None:
    assert {member.value for member in EventType} == {*OURS.values(), "kafka"}
    for member in EventType:
        empty = {"records": {}, "eventSource": "aws:kafka"} if member is EventType.Kafka else {"Records": []}
        assert BatchProcessor(member).run(empty, print).response == {"batchItemFailures": []}
        assert BatchProcessor(member.value).run(empty, print).response == {"batchItemFailures": []}
