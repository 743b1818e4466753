"""What Firehose makes of the responses, over several invocations."""

from __future__ import annotations

import json
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor, Disposition, process_partial_response
from batchcore_firehose import FirehoseRecord
from batchcore_firehose.events import FirehoseEvents
from batchcore_testing import DeliveryStream, EventSourceMapping, Simulator


def shout(record: FirehoseRecord) -> Any:
    order = record.data_as_json()
    if order["id"] < 0:
        raise ValueError("no order")
    return {**order, "seen": True}


def contents(items: Any) -> list[Any]:
    return [item.content for item in items]


@pytest.mark.parametrize("origin", ["put", "kinesis", "msk"])
def test_what_the_handler_returns_is_delivered_and_what_failed_put_aside(origin: Any) -> None:
    stream = DeliveryStream(source=FirehoseEvents(origin))
    stream.send({"id": 1}, {"id": -1}, {"id": 2}, "no JSON")
    processor = BatchProcessor("firehose")

    history = EventSourceMapping(stream, processor=processor, record_handler=shout).drain()

    history.check()
    assert [json.loads(data) for _, data in stream.delivered] == [{"id": 1, "seen": True}, {"id": 2, "seen": True}]
    assert contents(stream.processing_failed) == [{"id": -1}, "no JSON"]
    assert len(history.invocations) == 1


def test_what_is_dropped_is_dropped() -> None:
    stream = DeliveryStream()
    stream.send({"id": 1}, {"id": -1})
    processor = BatchProcessor("firehose", dispositions={ValueError: Disposition.DROP})

    EventSourceMapping(stream, processor=processor, record_handler=shout).drain().check()

    assert contents(stream.dropped) == [{"id": -1}]
    assert contents(stream.processing_failed) == []


@pytest.mark.parametrize("kind", [BatchProcessor, AsyncBatchProcessor])
def test_what_there_was_no_time_for_is_sent_again_and_put_aside_by_nobody(kind: Any) -> None:
    simulator = Simulator()
    stream = simulator.delivery_stream()
    stream.send({"id": 1}, {"id": 2}, {"id": 3})
    slowness = [20.0, 20.0]

    def slow(record: FirehoseRecord) -> Any:
        simulator.clock.advance(slowness.pop() if slowness else 1)
        return shout(record)

    processor = kind("firehose", stop_before_timeout=5, max_concurrency=1)
    history = simulator.mapping(stream, processor=processor, record_handler=slow, timeout=42).drain()

    history.check(allow=["done_twice"])
    assert [invocation.complaint is None for invocation in history.invocations] == [False, True]
    assert "were not tried" in str(history.complaint)
    assert len(stream.delivered) == 3
    assert stream.processing_failed == []


def test_a_batch_that_was_stopped_is_sent_again() -> None:
    stream = DeliveryStream()
    stream.send({"id": 1}, {"id": 2}, {"id": 3})
    down = [1, 2]

    def handler(record: FirehoseRecord) -> Any:
        if record.data_as_json()["id"] == 2 and down:
            down.pop()
            raise ConnectionError
        return shout(record)

    processor = BatchProcessor("firehose", dispositions={ConnectionError: Disposition.STOP_BATCH})
    history = EventSourceMapping(
        stream, lambda event, context: process_partial_response(event, handler, processor, context)
    ).drain()

    assert len(history.invocations) == 3
    assert len(stream.delivered) == 3
    assert stream.processing_failed == []


def test_what_grows_too_large_is_put_aside_and_the_others_are_delivered() -> None:
    stream = DeliveryStream()
    stream.send({"id": 1}, {"id": 2}, {"id": 3})

    def grow(record: FirehoseRecord) -> Any:
        order = record.data_as_json()
        return "x" * (5_000_000 if order["id"] == 2 else 100)

    EventSourceMapping(stream, processor=BatchProcessor("firehose"), record_handler=grow).drain()

    assert contents(stream.processing_failed) == [{"id": 2}]
    assert [len(data) for _, data in stream.delivered] == [100, 100]
