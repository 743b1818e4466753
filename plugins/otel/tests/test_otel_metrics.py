"""What is counted of batches, with attributes of few values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore import DeadLetterRecord, Disposition, DropRecord, Outcome, hookimpl, in_order
from batchcore_otel.metrics import MOST_VALUES
from batchcore_testing import SimulatedContext, event_from, make_event, make_record

Fixture = Any
SQS = {"messaging.system": "aws_sqs", "messaging.destination.name": "orders"}
PROCESS = {**SQS, "messaging.operation.name": "process"}


def key(*parts: dict[str, Any], **more: Any) -> tuple[tuple[str, Any], ...]:
    merged: dict[str, Any] = {}
    for part in parts:
        merged |= part
    return tuple(sorted((merged | more).items()))


class Delivers:
    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome) -> None:
        pass


def varied(record: Any) -> None:
    match record.body:
        case "failed":
            raise ValueError
        case "dropped":
            raise DropRecord
        case "dead":
            raise DeadLetterRecord
        case "stop":
            raise KeyError


def test_records_are_counted_by_what_became_of_them(collected: Fixture) -> None:
    event = make_event("sqs", "ok", "ok", "dropped", "dead", "stop", "rest", "rest")
    options: dict[str, Any] = {"dispositions": {KeyError: Disposition.STOP_BATCH}, "plugins": [Delivers()]}
    collected.run("sqs", event, varied, **options)

    status = "batchcore.record.status"
    assert collected.points("batchcore.records") == {
        key(SQS, {status: "succeeded"}): 2,
        key(SQS, {status: "dropped"}): 1,
        key(SQS, {status: "dead_lettered", "error.type": "batchcore.dispositions.DeadLetterRecord"}): 1,
        key(SQS, {status: "failed", "error.type": "KeyError"}): 1,
        key(SQS, {status: "not_attempted", "error.type": "batchcore.errors.NotAttemptedError"}): 2,
    }
    assert collected.points("messaging.client.consumed.messages") == {
        key(PROCESS): 3,
        key(PROCESS, {"error.type": "batchcore.dispositions.DeadLetterRecord"}): 1,
        key(PROCESS, {"error.type": "KeyError"}): 1,
        key(PROCESS, {"error.type": "batchcore.errors.NotAttemptedError"}): 2,
    }


def test_a_duration_is_that_of_the_span(collected: Fixture, run: Callable[..., Any]) -> None:
    run([collected.observer()], make_event("sqs", "ok", "failed"), varied)

    points = collected.points("messaging.process.duration")
    assert points.keys() == {key(PROCESS), key(PROCESS, {"error.type": "ValueError"})}
    lasted = {collected.status(span)[1]: (span.end_time - span.start_time) / 1e9 for span in collected.records}
    assert points[key(PROCESS)].sum == pytest.approx(lasted[None])
    assert points[key(PROCESS, {"error.type": "ValueError"})].sum == pytest.approx(lasted["ValueError"])
    assert points[key(PROCESS)].explicit_bounds[0] == 0.005


def test_attempts_are_known_of_those_that_were_not_attempted_too(collected: Fixture) -> None:
    records = [make_record("sqs", "failed", sent={"number": n, "attempt": n}) for n in (1, 2, 3)]
    collected.run("sqs", event_from("sqs", records), varied, ordering=in_order())

    (point,) = collected.points("batchcore.record.attempts").values()
    assert (point.count, point.sum, dict(point.attributes)) == (3, 6, SQS)


def test_no_attempts_are_claimed_where_nobody_counts_them(collected: Fixture) -> None:
    collected.run("kinesis", make_event("kinesis", "a"), lambda record: None)

    assert collected.points("batchcore.record.attempts") == {}


def test_the_time_that_is_left(collected: Fixture) -> None:
    context = SimulatedContext(timeout=30)
    collected.run("sqs", make_event("sqs", "a"), lambda record: context.advance(10), context)

    (point,) = collected.points("batchcore.batch.time_left").values()
    assert (point.count, point.sum, dict(point.attributes)) == (1, 20, {"messaging.system": "aws_sqs"})


@pytest.mark.parametrize("context", [None, object()])
def test_no_time_is_claimed_where_nobody_tells_it(collected: Fixture, context: Any) -> None:
    collected.run("sqs", make_event("sqs", "a"), lambda record: None, context)

    assert collected.points("batchcore.batch.time_left") == {}


def test_two_topics_are_counted_apart_and_partitions_together(collected: Fixture) -> None:
    records = [
        make_record("kafka", "a", sent={"resource": name, "shard": shard})
        for name in ("orders", "payments")
        for shard in (0, 1)
    ]
    collected.run("kafka", event_from("kafka", records), lambda record: None)
    assert sorted(dict(each)["messaging.destination.name"] for each in collected.points("batchcore.records")) == [
        "orders",
        "payments",
    ]
    assert set(collected.points("batchcore.records").values()) == {2}


def test_no_attribute_names_a_record_or_its_group(collected: Fixture) -> None:
    event = make_event("sqs", "ok", "failed", sent={"key": "customer-1", "resource": "orders.fifo"})
    collected.run("sqs", event, varied, SimulatedContext())

    names = ("messaging.process.duration", "messaging.client.consumed.messages", "batchcore.records")
    names += ("batchcore.record.attempts", "batchcore.batch.time_left")
    found = {attribute for name in names for point in collected.points(name) for attribute in point}
    assert {name for name, _ in found} == {
        "messaging.system",
        "messaging.destination.name",
        "messaging.operation.name",
        "batchcore.record.status",
        "error.type",
    }
    assert not any("customer-1" in str(value) or value == event["Records"][0]["messageId"] for _, value in found)


def test_error_types_are_bounded(collected: Fixture) -> None:
    def fails(record: Any) -> None:
        raise type(f"Made{record.body}Error", (Exception,), {})

    collected.run("sqs", make_event("sqs", *map(str, range(MOST_VALUES + 50))), fails)
    types = {dict(each)["error.type"] for each in collected.points("messaging.client.consumed.messages")}
    assert len(types) == MOST_VALUES + 1
    assert "_OTHER" in types


def test_destinations_are_bounded(collected: Fixture) -> None:
    records = [make_record("kafka", "a", sent={"resource": f"topic-{n}"}) for n in range(MOST_VALUES + 50)]
    collected.run("kafka", event_from("kafka", records), lambda record: None)

    counts = collected.points("batchcore.records")
    assert len(counts) == MOST_VALUES + 1
    assert sum(counts.values()) == MOST_VALUES + 50


def test_metrics_alone(collected: Fixture, run: Callable[..., Any]) -> None:
    """Without a provider of traces, what is current stays so in the handler."""
    from opentelemetry import trace
    from opentelemetry.trace import NoOpTracerProvider

    from batchcore_otel import OpenTelemetryObserver

    observer = OpenTelemetryObserver(tracer_provider=NoOpTracerProvider(), meter_provider=collected.meters)
    seen: list[object] = []

    def handler(record: Any) -> None:
        seen.append(trace.get_current_span())
        varied(record)

    with collected.traces.get_tracer("user").start_as_current_span("the function") as function:
        run([observer], make_event("sqs", "ok", "failed"), handler)
        assert seen == [function, function]
    (span,) = collected.spans
    assert (span.name, span.status.status_code.name, span.events) == ("the function", "UNSET", ())
    assert sum(collected.points("batchcore.records").values()) == 2
    assert sum(point.count for point in collected.points("messaging.process.duration").values()) == 2


def test_an_example_of_a_duration_leads_to_its_span(collected: Fixture) -> None:
    # A flush would have the reader take what is there, and this one keeps it nowhere.
    collected.run("sqs", make_event("sqs", "ok"), varied, observer={"flush_timeout": 0})

    (point,) = collected.points("messaging.process.duration").values()
    (exemplar,) = point.exemplars
    assert exemplar.span_id == collected.records[0].context.span_id
