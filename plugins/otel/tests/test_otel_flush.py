"""What has ended is sent before the response, which a collector that takes nothing holds up no longer than said."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from batchcore import BatchProcessor
from batchcore_otel import OpenTelemetryObserver
from batchcore_testing import SimulatedContext, make_event

Fixture = Any
WIDE = 4.0  # seconds; a flush without a limit takes 7 to 10
FAILED = {"batchItemFailures": [{"itemIdentifier": "x"}]}


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep what the SDK logs of collectors that are down out of the way."""
    logger = logging.getLogger("opentelemetry")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    yield
    logger.setLevel(before)


@pytest.fixture
def closed_port() -> str:
    """An address where nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def run(options: dict[str, Any], context: Any = None, **more: Any) -> tuple[dict[str, Any], float]:
    """Run a batch of which a record fails; give its response, and the seconds that it took."""
    event = make_event("sqs", "a", "x")
    event["Records"][1]["messageId"] = "x"

    def handler(record: Any) -> None:
        if record.body == "x":
            raise ValueError

    processor = BatchProcessor("sqs", plugins=[OpenTelemetryObserver(**options, **more)])
    started = time.monotonic()
    response: Any = processor.run(event, handler, context).response
    return response, time.monotonic() - started


@pytest.mark.parametrize("context", [None, SimulatedContext()], ids=["no context", "a context"])
def test_what_has_ended_has_come_when_the_response_goes_out(
    receiver: Fixture, exporting: Fixture, context: Any
) -> None:
    response, _ = run(exporting(), context, flush_timeout=20)

    assert response == FAILED
    assert [span.name for span in receiver.spans] == ["process orders"] * 3
    statuses = [span.status.code for span in receiver.spans]
    assert sorted(statuses) == [0, 0, 2]
    (scope,) = {scope.schema_url for r in receiver.traces for s in r.resource_spans for scope in s.scope_spans}
    assert scope == "https://opentelemetry.io/schemas/1.44.0"
    assert {"messaging.process.duration", "messaging.client.consumed.messages"} <= receiver.metric_names


def test_nothing_is_sent_where_somebody_else_does_that(receiver: Fixture, exporting: Fixture) -> None:
    run(exporting(), flush_timeout=0)

    assert receiver.requests == 0


def test_a_collector_that_is_down(closed_port: str, exporting: Fixture) -> None:
    response, seconds = run(exporting(closed_port), flush_timeout=0.2)

    assert response == FAILED
    assert 0.2 <= seconds < WIDE


def test_a_collector_that_never_answers(receiver: Fixture, exporting: Fixture) -> None:
    receiver.silence = threading.Event()
    response, seconds = run(exporting(), flush_timeout=0.2)

    assert response == FAILED
    assert seconds < WIDE


@pytest.mark.parametrize("status", [400, 401, 429, 503])
def test_a_collector_that_refuses(receiver: Fixture, exporting: Fixture, status: int) -> None:
    receiver.status = status
    response, seconds = run(exporting(), flush_timeout=0.2)

    assert response == FAILED
    assert seconds < WIDE


def test_at_most_a_quarter_of_what_is_left_is_taken(receiver: Fixture, exporting: Fixture) -> None:
    receiver.silence = threading.Event()
    response, seconds = run(exporting(), SimulatedContext(timeout=1), flush_timeout=20)

    assert response == FAILED
    assert seconds < WIDE


def test_a_flush_that_hangs_is_not_begun_a_second_time(
    receiver: Fixture, exporting: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.silence = threading.Event()
    observer = OpenTelemetryObserver(**exporting(), flush_timeout=0.1)
    processor = BatchProcessor("sqs", plugins=[observer])
    for _ in range(5):
        processor.run(make_event("sqs", "a"), lambda record: None)
    flushing = [thread for thread in threading.enumerate() if thread.name == "batchcore_otel"]
    assert len(flushing) == 2  # of traces, of metrics
    assert all(thread.daemon for thread in flushing)  # the interpreter does not wait for them at its exit
    said = [record for record in caplog.records if record.name == "batchcore_otel"]
    assert [record.levelname for record in said] == ["WARNING"]  # once, as long as it lasts


def test_what_could_not_be_sent_comes_later(receiver: Fixture, exporting: Fixture) -> None:
    receiver.silence = threading.Event()
    observer = OpenTelemetryObserver(**exporting(), flush_timeout=0.1)
    processor = BatchProcessor("sqs", plugins=[observer])
    processor.run(make_event("sqs", "a"), lambda record: None)
    receiver.silence.set()
    receiver.silence = None
    for thread in threading.enumerate():
        if thread.name == "batchcore_otel":
            thread.join(30)
    other = OpenTelemetryObserver(
        tracer_provider=observer._tracer_provider, meter_provider=observer._meter_provider, flush_timeout=20
    )
    BatchProcessor("sqs", plugins=[other]).run(make_event("sqs", "b"), lambda record: None)
    assert len(receiver.spans) >= 2  # those of the second batch at least; the receiver had dropped what it kept waiting


def test_a_flush_that_raises_is_logged_and_changes_nothing(
    collected: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    class Raises(type(collected.traces)):  # type: ignore[misc]  # a provider of the SDK
        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            raise OSError("no disk")

    provider = Raises(shutdown_on_exit=False)
    response, _ = run({"tracer_provider": provider, "meter_provider": collected.meters})
    assert response == FAILED
    assert [record.levelname for record in caplog.records if record.name == "batchcore_otel"] == ["WARNING"]


def test_a_flush_gets_its_limit_in_milliseconds(collected: Fixture) -> None:
    asked: list[float] = []

    class Asked(type(collected.traces)):  # type: ignore[misc]  # a provider of the SDK
        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            asked.append(timeout_millis)
            return True

    options = {"tracer_provider": Asked(shutdown_on_exit=False), "meter_provider": collected.meters}
    run(options)
    run(options, SimulatedContext(timeout=2))
    assert asked == [1000, 500]


def test_an_asynchronous_batch_does_not_block_its_loop(receiver: Fixture, exporting: Fixture) -> None:
    import asyncio

    from batchcore import AsyncBatchProcessor

    receiver.silence = threading.Event()
    processor = AsyncBatchProcessor("sqs", plugins=[OpenTelemetryObserver(**exporting(), flush_timeout=0.3)])
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.02)
            ticks += 1

    async def handler(record: Any) -> None:
        pass

    async def both() -> Any:
        ticking = asyncio.ensure_future(tick())
        result = await processor.arun(make_event("sqs", "a"), handler)
        ticking.cancel()
        return result.response

    assert asyncio.run(both()) == {"batchItemFailures": []}
    assert ticks >= 3


def test_a_dead_collector_adds_no_time_to_records(
    collected: Fixture, closed_port: str, exporting: Callable[..., dict[str, Any]]
) -> None:
    """A processor of the SDK that exports in batches waits for nobody when a span ends."""
    options = exporting(closed_port)
    started = time.monotonic()
    processor = BatchProcessor("sqs", plugins=[OpenTelemetryObserver(**options, flush_timeout=0)])
    processor.run(make_event("sqs", *["a"] * 100), lambda record: None)
    assert time.monotonic() - started < WIDE
