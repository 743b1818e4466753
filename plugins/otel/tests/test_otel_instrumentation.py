"""Beside OpenTelemetry's own instrumentation for Lambda: what it makes is not made twice."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.trace import SpanKind

from batchcore import BatchProcessor, process_partial_response
from batchcore_testing import SimulatedContext, make_event

Fixture = Any
FUNCTION = "function_of_a_test"


@pytest.fixture
def instrumented(collected: Fixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Give a function that makes an instrumented Lambda function of a processor and a handler, and calls it."""
    aws_lambda = pytest.importorskip("opentelemetry.instrumentation.aws_lambda")
    module: Any = ModuleType(FUNCTION)
    monkeypatch.setitem(sys.modules, FUNCTION, module)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")
    monkeypatch.setenv("_HANDLER", f"{FUNCTION}.lambda_handler")
    instrumentor = aws_lambda.AwsLambdaInstrumentor()

    def call(source: str, event: Any, handler: Callable[..., Any], **options: Any) -> Any:
        processor = BatchProcessor(source, plugins=[collected.observer(**options.pop("observer", {}))], **options)

        def lambda_handler(event: Any, context: Any) -> Any:
            return process_partial_response(event, handler, processor, context)

        module.lambda_handler = lambda_handler
        instrumentor.instrument(tracer_provider=collected.traces, meter_provider=collected.meters)
        return module.lambda_handler(event, SimulatedContext())

    yield call
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()


def shapes(collected: Fixture) -> list[tuple[str, SpanKind, str | None]]:
    """Give of each span its name, kind, and the name of the scope that made its parent, in order of their start."""
    spans = sorted(collected.spans, key=lambda span: span.start_time)
    scopes = {span.context.span_id: span.instrumentation_scope.name.rpartition(".")[2] for span in spans}
    return [(span.name, span.kind, scopes[span.parent.span_id] if span.parent else None) for span in spans]


def fails_with_x(record: Any) -> None:
    if record.body == "x":
        raise ValueError


def test_of_sqs_the_span_of_the_batch_is_there_already(collected: Fixture, instrumented: Fixture) -> None:
    event = make_event("sqs", "a", "x", messageAttributes=collected.sent_by(1, 2))
    assert len(instrumented("sqs", event, fails_with_x)["batchItemFailures"]) == 1

    assert shapes(collected) == [
        ("function", SpanKind.SERVER, None),
        ("process orders", SpanKind.CONSUMER, "aws_lambda"),
        ("process orders", SpanKind.CONSUMER, "aws_lambda"),
        ("process orders", SpanKind.CONSUMER, "aws_lambda"),
    ]
    theirs, ok, failed = sorted(collected.spans, key=lambda span: span.start_time)[1:]
    assert {ok.parent.span_id, failed.parent.span_id} == {theirs.context.span_id}
    assert [collected.status(span) for span in (theirs, ok, failed)] == [
        ("UNSET", None),
        ("UNSET", None),
        ("ERROR", "ValueError"),
    ]
    assert [collected.linked(span) for span in (theirs, ok, failed)] == [[(1, 2), (1, 2)], [(1, 2)], [(1, 2)]]
    assert not any(name.startswith("batchcore") for name in theirs.attributes)  # it is not ours
    assert sum(collected.points("batchcore.records").values()) == 2


def test_a_trace_header_that_it_does_not_read_is_a_link_of_its_record(
    collected: Fixture, instrumented: Fixture
) -> None:
    header = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=53995c3f42cd8ad8;Sampled=1"
    instrumented("sqs", make_event("sqs", "a", attributes={"AWSTraceHeader": header}), fails_with_x)

    _, theirs, record = sorted(collected.spans, key=lambda span: span.start_time)
    assert collected.linked(theirs) == []
    assert collected.linked(record) == [(0x5BEF4DE7AD49B0E87F6EF6C87FC2E700, 0x53995C3F42CD8AD8)]


def test_the_producer_may_be_the_parent_here_too(collected: Fixture, instrumented: Fixture) -> None:
    event = make_event("sqs", "a", messageAttributes=collected.sent_by(1, 2))
    instrumented("sqs", event, fails_with_x, observer={"producers": "parent"})

    _, theirs, record = sorted(collected.spans, key=lambda span: span.start_time)
    assert record.parent.span_id == 2
    assert collected.linked(record) == [(1, 2), (theirs.context.trace_id, theirs.context.span_id)]


@pytest.mark.parametrize("source", ["kinesis", "dynamodb", "kafka"])
def test_of_other_sources_it_is_ours_below_that_of_the_function(
    collected: Fixture, instrumented: Fixture, source: str
) -> None:
    instrumented(source, make_event(source, {"id": "1"}), lambda record: None)

    assert shapes(collected) == [
        ("function", SpanKind.SERVER, None),
        ("process orders", SpanKind.CONSUMER, "aws_lambda"),
        ("process orders", SpanKind.CONSUMER, "batchcore_otel"),
    ]


def test_a_batch_within_a_record_has_a_span_of_its_own(collected: Fixture, instrumented: Fixture) -> None:
    inner = BatchProcessor("sqs", plugins=[collected.observer()])

    def handler(record: Any) -> None:
        inner.run(make_event("sqs", "b", sent={"resource": "inner"}), lambda record: None)

    instrumented("sqs", make_event("sqs", "a"), handler)
    assert [name for name, _, _ in shapes(collected)] == [
        "function",
        "process orders",
        "process orders",
        "process inner",
        "process inner",
    ]


def test_a_consumer_span_of_another_system_is_not_the_batch_s(collected: Fixture) -> None:
    tracer = collected.traces.get_tracer("user")
    attributes = {"messaging.system": "kafka", "messaging.operation.type": "process"}
    with tracer.start_as_current_span("process topic", kind=SpanKind.CONSUMER, attributes=attributes):
        collected.run("sqs", make_event("sqs", "a"), lambda record: None)
    assert len(collected.spans) == 3
