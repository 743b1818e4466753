"""Records are joined to the spans that sent them, however these are told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import propagate, trace
from opentelemetry.propagators.composite import CompositePropagator
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from batchcore_kafka.events import signed_headers
from batchcore_otel.producers import x_ray_context
from batchcore_testing import event_from, make_event, make_record

Fixture = Any
X_RAY = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=53995c3f42cd8ad8;Sampled=1"
OF_X_RAY = (0x5BEF4DE7AD49B0E87F6EF6C87FC2E700, 0x53995C3F42CD8AD8)


def nothing(record: Any) -> None:
    pass


def test_a_message_of_sqs_is_linked_by_its_attributes(collected: Fixture) -> None:
    records = [make_record("sqs", sent={"number": n}, messageAttributes=collected.sent_by(n, n + 10)) for n in (1, 2)]
    collected.run("sqs", event_from("sqs", records), nothing)

    assert list(map(collected.linked, collected.records)) == [[(1, 11)], [(2, 12)]]
    assert collected.linked(collected.batch) == [(1, 11), (2, 12)]
    assert [link.attributes["messaging.message.id"] for link in collected.batch.links] == [
        record["messageId"] for record in records
    ]
    assert [span.parent for span in collected.records] == [collected.batch.context] * 2
    assert all(link.context.is_remote for link in collected.batch.links)


def test_the_state_of_a_trace_goes_with_its_link(collected: Fixture) -> None:
    attributes = collected.sent_by(1, 2, tracestate="vendor=value")
    collected.run("sqs", make_event("sqs", "a", messageAttributes=attributes), nothing)

    assert collected.records[0].links[0].context.trace_state.get("vendor") == "value"


def test_a_message_of_sqs_is_linked_by_its_trace_header(collected: Fixture) -> None:
    collected.run("sqs", make_event("sqs", "a", attributes={"AWSTraceHeader": X_RAY}), nothing)

    assert [collected.linked(span) for span in collected.spans] == [[OF_X_RAY], [OF_X_RAY]]
    assert collected.records[0].links[0].context.trace_flags.sampled


def test_a_message_that_has_both_is_linked_by_both(collected: Fixture) -> None:
    event = make_event("sqs", "a", attributes={"AWSTraceHeader": X_RAY}, messageAttributes=collected.sent_by(1, 2))
    collected.run("sqs", event, nothing)

    assert collected.linked(collected.records[0]) == [(1, 2), OF_X_RAY]


def test_the_same_span_told_twice_is_one_link(collected: Fixture) -> None:
    event = make_event("sqs", "a", attributes={"AWSTraceHeader": X_RAY}, messageAttributes=collected.sent_by(*OF_X_RAY))
    collected.run("sqs", event, nothing)

    assert collected.linked(collected.records[0]) == [OF_X_RAY]


@pytest.mark.parametrize(
    "header",
    [
        "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700",  # names a trace, and no span
        "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=0000000000000000",
        "Parent=53995c3f42cd8ad8",
        "Root=2-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=53995c3f42cd8ad8",
        "",
        ";;=;",
        "x" * 10_000,
        7,
        None,
    ],
)
def test_a_trace_header_that_names_no_span_is_none(header: Any) -> None:
    assert x_ray_context(header) is None


@pytest.mark.parametrize("more", ["", ";Lineage=a87bd80c:1|68fd508a:5", " ; Sampled=?", ";Self=1-2-3;Sampled=0"])
def test_what_else_is_in_a_trace_header_does_not_matter(more: str) -> None:
    context = x_ray_context(X_RAY.rpartition(";")[0] + more)
    assert context is not None
    assert (context.trace_id, context.span_id, context.trace_flags.sampled) == (*OF_X_RAY, False)


@pytest.mark.parametrize("source", ["kafka", "pipes-kafka"])
def test_a_record_of_kafka_is_linked_by_its_headers(collected: Fixture, source: str) -> None:
    older, newer = (collected.traceparent(n, n).encode() for n in (1, 2))
    headers = signed_headers([("naïve", "ü".encode()), ("traceparent", older), ("TraceParent", newer), ("x", None)])
    collected.run(source, make_event(source, "a", headers=headers), nothing)

    assert [collected.linked(span) for span in collected.spans] == [[(2, 2)], [(2, 2)]]


def test_a_message_of_rabbitmq_is_linked_by_its_headers(collected: Fixture) -> None:
    headers = {"traceparent": {"bytes": list(collected.traceparent(1, 2).encode())}, "count": 3, "n": None}
    collected.run("rabbitmq", make_event("rabbitmq", "a", basicProperties={"headers": headers}), nothing)

    assert collected.linked(collected.records[0]) == [(1, 2)]


def test_a_message_of_activemq_is_linked_by_its_properties(collected: Fixture) -> None:
    properties = {"traceparent": collected.traceparent(1, 2), "count": 3}
    collected.run("activemq", make_event("activemq", "a", properties=properties), nothing)

    assert collected.linked(collected.records[0]) == [(1, 2)]


def test_a_function_of_the_user_s_reads_headers_from_the_data(collected: Fixture) -> None:
    def carrier_of(record: Any) -> dict[str, str]:
        import base64
        import json

        found: dict[str, str] = json.loads(base64.b64decode(record["kinesis"]["data"]))["trace"]
        return found

    event = make_event("kinesis", {"trace": {"Traceparent": collected.traceparent(1, 2)}}, {}, "no JSON")
    collected.run("kinesis", event, nothing, observer={"carrier_of": carrier_of})
    assert list(map(collected.linked, collected.records)) == [[(1, 2)], [], []]


@pytest.mark.parametrize(
    "fields",
    [
        {"messageAttributes": None},
        {"messageAttributes": {"traceparent": None}},
        {"messageAttributes": {"traceparent": {"stringValue": 7}}},
        {"messageAttributes": {"traceparent": {"stringValue": "00-no-header-01"}}},
        {"messageAttributes": {"traceparent": {"stringValue": "0" * 100_000}}},
        {"messageAttributes": {7: {"stringValue": "x"}}},
        {"messageAttributes": [1, 2]},
        {"attributes": None},
        {"attributes": {"AWSTraceHeader": {}}},
    ],
)
def test_what_cannot_be_read_is_no_producer_and_costs_nothing(collected: Fixture, fields: Any) -> None:
    event = make_event("sqs", "a")
    event["Records"][0].update(fields)

    assert collected.run("sqs", event, nothing).response == {"batchItemFailures": []}
    assert [collected.linked(span) for span in collected.spans] == [[], []]


@pytest.mark.parametrize("headers", [None, 7, [7], [{"traceparent": [999]}], [{"traceparent": "text"}], [None]])
def test_headers_of_kafka_that_cannot_be_read_are_no_producer(collected: Fixture, headers: Any) -> None:
    event = make_event("kafka", "a")
    (record,) = event["records"]["orders-0"]
    record["headers"] = headers

    assert collected.run("kafka", event, nothing).response == {"batchItemFailures": []}
    assert [collected.linked(span) for span in collected.spans] == [[], []]


def test_the_links_of_a_batch_are_bounded_and_those_of_its_records_are_not(collected: Fixture) -> None:
    event = make_event("sqs", *["a"] * 200, messageAttributes=collected.sent_by(1, 2))
    collected.run("sqs", event, nothing)
    assert len(collected.batch.links) == 128
    assert {len(span.links) for span in collected.records} == {1}


@pytest.mark.parametrize("most_links", [0, 3])
def test_how_many_links_may_be_said(collected: Fixture, most_links: int) -> None:
    event = make_event("sqs", *["a"] * 5, messageAttributes=collected.sent_by(1, 2))
    collected.run("sqs", event, nothing, observer={"most_links": most_links})
    assert len(collected.batch.links) == most_links


# The producer as the parent.


def test_the_producer_may_be_the_parent(collected: Fixture) -> None:
    event = make_event("sqs", "a", messageAttributes=collected.sent_by(1, 2))
    seen: list[int] = []
    collected.run(
        "sqs",
        event,
        lambda record: seen.append(trace.get_current_span().get_span_context().trace_id),
        observer={"producers": "parent"},
    )
    batch, record = sorted(collected.spans, key=lambda span: span.start_time)
    assert (record.parent.trace_id, record.parent.span_id) == (1, 2)
    assert record.context.trace_id == 1
    assert seen == [1]
    assert collected.linked(record) == [(1, 2), (batch.context.trace_id, batch.context.span_id)]
    assert batch.parent is None


def test_a_record_that_has_no_producer_is_below_the_batch_all_the_same(collected: Fixture) -> None:
    collected.run("sqs", make_event("sqs", "a"), nothing, observer={"producers": "parent"})

    assert collected.records[0].parent == collected.batch.context


# The invocation.


class Context:
    def __init__(self, **fields: Any) -> None:
        self.fields = fields

    def w3c(self) -> dict[str, Any]:
        return self.fields


def test_the_context_of_an_invocation_is_the_parent_of_the_batch(collected: Fixture) -> None:
    collected.run("sqs", make_event("sqs", "a"), nothing, Context(traceparent=collected.traceparent(1, 2)))

    assert {span.context.trace_id for span in collected.spans} == {1}
    assert collected.batch.parent.span_id == 2


def test_a_span_of_the_function_s_own_comes_first(collected: Fixture) -> None:
    with collected.traces.get_tracer("user").start_as_current_span("the function") as function:
        collected.run("sqs", make_event("sqs", "a"), nothing, Context(traceparent=collected.traceparent(1, 2)))

    assert collected.spans[1].parent == function.get_span_context()


@pytest.mark.parametrize("context", [Context(), Context(traceparent=None), Context(traceparent="no"), object(), None])
def test_an_invocation_without_one_begins_a_trace(collected: Fixture, context: Any) -> None:
    collected.run("sqs", make_event("sqs", "a"), nothing, context)

    assert collected.batch.parent is None


def test_the_runtime_client_s_context_is_asked(collected: Fixture) -> None:
    lambda_context = pytest.importorskip("awslambdaric.lambda_context")
    context = lambda_context.LambdaContext(
        "id", {"w3c": {"traceparent": collected.traceparent(1, 2)}}, None, 1_900_000_000_000
    )
    collected.run("sqs", make_event("sqs", "a"), nothing, context)
    assert collected.batch.parent.span_id == 2


# Other propagators.


@pytest.fixture
def propagated_by(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Set the global propagator, in Lambda with tracing on; and set the one before, at the end."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", X_RAY)
    before = propagate.get_global_textmap()
    yield lambda *propagators: propagate.set_global_textmap(CompositePropagator(propagators))
    propagate.set_global_textmap(before)


def test_the_propagator_for_x_ray_reads_its_header_in_any_case(
    collected: Fixture, propagated_by: Callable[..., None]
) -> None:
    aws = pytest.importorskip("opentelemetry.propagators.aws.aws_xray_propagator")
    propagated_by(aws.AwsXRayPropagator())
    attributes = {"x-amzn-TRACE-id": {"stringValue": X_RAY, "dataType": "String"}}
    collected.run("sqs", make_event("sqs", "a", messageAttributes=attributes), nothing)
    assert collected.linked(collected.records[0]) == [OF_X_RAY]


@pytest.mark.parametrize("header", [None, "no header of a trace"])
def test_the_propagator_for_lambda_makes_the_invocation_a_parent_and_no_producer(
    collected: Fixture, propagated_by: Callable[..., None], header: str | None
) -> None:
    aws = pytest.importorskip("opentelemetry.propagators.aws.aws_xray_propagator")
    propagated_by(TraceContextTextMapPropagator(), aws.AwsXRayLambdaPropagator())
    attributes = {} if header is None else {"traceparent": {"stringValue": header, "dataType": "String"}}
    collected.run("sqs", make_event("sqs", "a", messageAttributes=attributes), nothing)
    assert [collected.linked(span) for span in collected.spans] == [[], []]
    assert (collected.batch.parent.trace_id, collected.batch.parent.span_id) == OF_X_RAY
