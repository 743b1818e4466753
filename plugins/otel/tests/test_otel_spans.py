"""A span per batch, and one per record below it, as the conventions have them."""

from __future__ import annotations

import gc
import logging
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import SpanKind

from batchcore import AsyncBatchProcessor, BatchProcessor, Outcome, hookimpl
from batchcore.types import Record
from batchcore_testing import event_from, make_event, make_record

Fixture = Any
OF_SQS = {
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
    "messaging.system": "aws_sqs",
    "messaging.destination.name": "orders",
    "faas.trigger": "pubsub",
}


def attributes(span: Any) -> dict[str, Any]:
    return dict(span.attributes)


def test_a_batch_of_sqs(collected: Fixture) -> None:
    event = make_event("sqs", "a", "b", sent={"attempt": 3})
    collected.run("sqs", event, lambda record: None)

    assert {(span.name, span.kind) for span in collected.spans} == {("process orders", SpanKind.CONSUMER)}
    assert attributes(collected.batch) == {
        **OF_SQS,
        "messaging.batch.message_count": 2,
        "batchcore.records.succeeded": 2,
    }
    assert [attributes(span) for span in collected.records] == [
        {**OF_SQS, "messaging.message.id": record["messageId"], "batchcore.record.attempt": 3}
        for record in event["Records"]
    ]
    assert collected.batch.parent is None
    assert [span.parent for span in collected.records] == [collected.batch.context] * 2
    assert {span.instrumentation_scope.schema_url for span in collected.spans} == {
        "https://opentelemetry.io/schemas/1.44.0"
    }


def test_a_span_of_a_single_message_has_no_count(collected: Fixture) -> None:
    collected.run("sqs", make_event("sqs", "a"), lambda record: None)

    assert [span for span in collected.spans if "messaging.batch.message_count" in span.attributes] == []


def test_an_empty_batch_has_a_span(collected: Fixture) -> None:
    collected.run("sqs", {"Records": []}, lambda record: None)

    (span,) = collected.spans
    assert (span.name, attributes(span)["messaging.batch.message_count"]) == ("process", 0)


def test_a_batch_of_kinesis(collected: Fixture) -> None:
    collected.run("kinesis", make_event("kinesis", "a", "b"), lambda record: None)

    assert collected.batch.name == "process orders"
    assert attributes(collected.batch)["messaging.system"] == "aws_kinesis"  # the conventions have no name for it
    for span in collected.spans:
        assert attributes(span)["messaging.destination.name"] == "orders"
        assert attributes(span)["messaging.destination.partition.id"] == "shardId-000000000000"
        assert "batchcore.record.attempt" not in span.attributes


def test_a_batch_of_dynamodb(collected: Fixture) -> None:
    event = make_event("dynamodb", {"id": "1"})
    collected.run("dynamodb", event, lambda record: None)

    (record,) = collected.records
    assert (record.name, attributes(record)["messaging.system"]) == ("process orders", "aws_dynamodb_streams")
    assert attributes(record)["messaging.message.id"] == event["Records"][0]["dynamodb"]["SequenceNumber"]


def test_a_batch_of_kafka_from_two_partitions(collected: Fixture) -> None:
    event = make_event("kafka", "a", None, "c", lanes=2)
    collected.run("kafka", event, lambda record: None)

    assert attributes(collected.batch) == {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.system": "kafka",
        "messaging.destination.name": "orders",  # and no partition: it is not the same for all
        "messaging.batch.message_count": 3,
        "batchcore.records.succeeded": 3,
    }
    of_kafka = ("messaging.destination.partition.id", "messaging.kafka.offset", "messaging.kafka.message.tombstone")
    assert [tuple(map(span.attributes.get, of_kafka)) for span in collected.records] == [
        ("0", 0, None),
        ("0", 1, None),
        ("1", 0, True),
    ]
    assert "messaging.message.id" not in collected.records[0].attributes  # an offset is not one


def test_a_batch_of_two_topics_has_no_destination(collected: Fixture) -> None:
    records = [make_record("kafka", "a", sent={"resource": name}) for name in ("orders", "payments")]
    collected.run("kafka", event_from("kafka", records), lambda record: None)

    assert collected.batch.name == "process"
    assert "messaging.destination.name" not in collected.batch.attributes
    assert [span.name for span in collected.records] == ["process orders", "process payments"]


def test_a_batch_of_rabbitmq(collected: Fixture) -> None:
    collected.run("rabbitmq", make_event("rabbitmq", "a", "b"), lambda record: None)

    assert {(span.name, attributes(span)["messaging.system"]) for span in collected.spans} == {
        ("process orders", "rabbitmq")
    }


def test_a_batch_of_activemq(collected: Fixture) -> None:
    event = make_event("activemq", "a")
    collected.run("activemq", event, lambda record: None)

    (record,) = collected.records
    assert (record.name, attributes(record)["messaging.system"]) == ("process orders", "activemq")
    assert attributes(record)["messaging.message.id"] == event["messages"][0]["messageID"]


@pytest.mark.parametrize(
    ("source", "system"),
    [
        ("firehose", "aws_firehose"),
        ("s3batch", "aws_s3_batch"),
        ("pipes-sqs", "aws_sqs"),
        ("pipes-kinesis", "aws_kinesis"),
        ("pipes-dynamodb", "aws_dynamodb_streams"),
        ("pipes-kafka", "kafka"),
    ],
)
def test_the_system_of_other_sources(collected: Fixture, source: str, system: str) -> None:
    collected.run(source, make_event(source, {"id": "1"}), lambda record: None)

    assert {span.attributes["messaging.system"] for span in collected.spans} == {system}


def test_a_pipe_from_a_broker_is_of_that_broker(collected: Fixture) -> None:
    collected.run("pipes-mq", make_event("pipes-mq", "a"), lambda record: None)

    assert {span.attributes["messaging.system"] for span in collected.spans} <= {"rabbitmq", "activemq"}


class Lines:
    """A source of somebody else's, that says little of its records."""

    name = "acme-lines"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "lines" in event

    @hookimpl
    def extract_records(self, event: Any) -> list[str]:
        lines: list[str] = event["lines"]
        return lines

    @hookimpl
    def identify_records(self, records: list[str]) -> list[str]:
        return [f"line {number}" for number, _ in enumerate(records, 1)]


def test_a_source_that_nobody_has_named_is_its_own_system(collected: Fixture) -> None:
    collected.run(Lines(), {"lines": ["a"]}, lambda line: None)

    (record,) = collected.records
    assert record.name == "process"
    assert attributes(record) == {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.system": "acme-lines",
        "messaging.message.id": "line 1",
    }


# What is current.


def test_the_span_of_a_record_is_current_in_its_handler(collected: Fixture, run: Callable[..., Any]) -> None:
    tracer = collected.traces.get_tracer("user")
    seen: dict[str, Any] = {}

    def handler(record: Any) -> None:
        seen[record.message_id] = trace.get_current_span().get_span_context()
        with tracer.start_as_current_span("of the user"):
            pass

    run([collected.observer()], make_event("sqs", *"abcdefgh"), handler)
    names = {span.context.span_id: span for span in collected.spans}
    of_users = [span for span in collected.spans if span.name == "of the user"]
    of_records = {
        span.attributes["messaging.message.id"]: span
        for span in collected.spans
        if "messaging.message.id" in span.attributes
    }

    assert {each: span.context.span_id for each, span in of_records.items()} == {
        each: found.span_id for each, found in seen.items()
    }
    assert sorted(span.parent.span_id for span in of_users) == sorted(found.span_id for found in seen.values())
    assert {names[span.parent.span_id].name for span in of_records.values()} == {"process orders"}
    assert {span.context.trace_id for span in collected.spans} == {collected.batch.context.trace_id}
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_failure_is_logged_inside_the_span_of_its_record(
    collected: Fixture, run: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[int] = []

    class Watches(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(trace.get_current_span().get_span_context().span_id)

    def fails(record: Any) -> None:
        raise ValueError(record.body)

    watching = Watches()
    logging.getLogger("batchcore").addHandler(watching)
    try:
        run([collected.observer()], make_event("sqs", "a", "b"), fails)
    finally:
        logging.getLogger("batchcore").removeHandler(watching)
    first, the_count = seen  # of the second there is no line: it is counted, at the end of the batch
    assert first in {span.context.span_id for span in collected.records}
    assert the_count == 0


def test_two_batches_side_by_side_keep_their_records_apart(collected: Fixture) -> None:
    both = threading.Barrier(2, timeout=30)
    processor = BatchProcessor("sqs", plugins=[collected.observer()])

    def handler(record: Any) -> None:
        both.wait()

    threads = [
        threading.Thread(target=processor.run, args=(make_event("sqs", *"ab", sent={"resource": name}), handler))
        for name in ("orders", "payments")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batches = {span.context.span_id: span.name for span in collected.spans if span.parent is None}
    assert sorted(batches.values()) == ["process orders", "process payments"]
    records = [span for span in collected.spans if span.parent is not None]
    assert len(records) == 4
    assert all(batches[span.parent.span_id] == span.name for span in records)


def test_a_batch_that_a_handler_processes_has_a_span_below_that_of_the_record(collected: Fixture) -> None:
    inner = BatchProcessor("sqs", plugins=[collected.observer()])

    def handler(record: Any) -> None:
        inner.run(make_event("sqs", "b", sent={"resource": "inner"}), lambda record: None)

    collected.run("sqs", make_event("sqs", "a"), handler)
    inner_record, inner_batch, record, batch = collected.spans
    assert [span.parent for span in (inner_record, inner_batch, record, batch)] == [
        inner_batch.context,
        record.context,
        batch.context,
        None,
    ]


def test_the_batch_is_below_a_span_of_the_function_s_own(collected: Fixture) -> None:
    with collected.traces.get_tracer("user").start_as_current_span("the function") as function:
        collected.run("sqs", make_event("sqs", "a"), lambda record: None)
        assert trace.get_current_span() is function
    record, batch, _ = collected.spans
    assert (record.parent, batch.parent) == (batch.context, function.get_span_context())


def test_a_value_of_another_observer_s_scope_stays_in_the_context(collected: Fixture) -> None:
    from opentelemetry import baggage, context

    class Baggage:
        @hookimpl
        @contextmanager
        def record_scope(self, record: Record) -> Iterator[None]:
            token = context.attach(baggage.set_baggage("customer", "ann"))
            try:
                yield
            finally:
                context.detach(token)

    seen: list[object] = []
    processor = BatchProcessor("sqs", plugins=[Baggage(), collected.observer()])
    processor.run(make_event("sqs", "a"), lambda record: seen.append(baggage.get_baggage("customer")))
    assert seen == ["ann"]


def test_a_scope_that_was_opened_before_sees_no_span_when_it_is_left(
    collected: Fixture, run: Callable[..., Any]
) -> None:
    seen: list[bool] = []

    class Outer:
        @hookimpl
        @contextmanager
        def record_scope(self) -> Iterator[None]:
            try:
                yield
            finally:
                seen.append(trace.get_current_span().get_span_context().is_valid)

    def handler(record: Any) -> None:
        if record.body == "b":
            raise ValueError

    run([Outer(), collected.observer()], make_event("sqs", "a", "b"), handler)
    assert seen == [False, False]


# What ends a batch without a response.


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, GeneratorExit])
def test_an_interrupt_leaves_nothing_attached_and_all_spans_end(
    collected: Fixture, caplog: pytest.LogCaptureFixture, interrupt: type[BaseException]
) -> None:
    def handler(record: Any) -> None:
        if record.body == "b":
            raise interrupt

    with pytest.raises(interrupt):
        collected.run("sqs", make_event("sqs", *"abc"), handler)
    assert not trace.get_current_span().get_span_context().is_valid
    assert "batchcore.records.succeeded" not in collected.batch.attributes
    first, second = collected.records
    assert collected.status(first) == ("UNSET", None)
    assert collected.status(second) == ("ERROR", interrupt.__name__)
    assert collected.batch.end_time >= second.end_time
    collected.run("sqs", {"Records": []}, print)
    gc.collect()  # the batch is gone
    assert "ended span" not in caplog.text


@pytest.mark.parametrize("how", ["threads", "tasks"])
def test_an_interrupt_beside_other_records_leaves_nothing_attached(collected: Fixture, how: str) -> None:
    def handler(record: Any) -> None:
        raise KeyboardInterrupt

    async def awaiting(record: Any) -> None:
        raise KeyboardInterrupt

    processor: Any
    if how == "threads":
        processor = BatchProcessor("sqs", plugins=[collected.observer()], max_concurrency=2)
    else:
        processor = AsyncBatchProcessor("sqs", plugins=[collected.observer()])
    with pytest.raises(KeyboardInterrupt):
        processor.run(make_event("sqs", *"ab"), handler if how == "threads" else awaiting)
    assert not trace.get_current_span().get_span_context().is_valid


def test_a_batch_that_was_broken_off_does_not_live_on(collected: Fixture) -> None:
    seen: list[Any] = []

    def handler(record: Any) -> None:
        if record.body == "c":
            raise KeyboardInterrupt
        raise ValueError(record.body)

    class Sees:
        @hookimpl
        def record_finished(self, outcome: Outcome, batch: Any) -> None:
            seen.append(weakref.ref(batch))

    silent = logging.getLogger("of a test that keeps no exceptions")
    silent.disabled = True
    with suppress(KeyboardInterrupt):
        collected.run("sqs", make_event("sqs", *"abc"), handler, plugins=[Sees()], logger=silent)
    collected.run("sqs", {"Records": []}, handler)  # the attributes of a processor show this one from now on
    gc.collect()
    assert [reference() for reference in seen] == [None, None]


def test_spans_that_nobody_ended_end_when_their_batch_is_gone(collected: Fixture) -> None:
    class Interrupts:
        @hookimpl
        def after_records(self, outcomes: Sequence[Outcome]) -> None:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        collected.run("sqs", make_event("sqs", "a"), lambda record: None, plugins=[Interrupts()])
    assert collected.spans == ()  # the record could still have failed
    collected.run("sqs", {"Records": []}, print)
    gc.collect()
    assert sorted(span.name for span in collected.spans) == ["process", "process orders", "process orders"]


# What a batch has only once.


def test_a_second_observer_of_the_same_batch_adds_nothing(collected: Fixture) -> None:
    started: list[str] = []

    class Started(SpanProcessor):
        def on_start(self, span: Any, parent_context: Any = None) -> None:
            started.append(span.name)

    collected.traces.add_span_processor(Started())
    collected.run("sqs", make_event("sqs", "a"), lambda record: None, plugins=[collected.observer()])
    assert started == ["process orders"] * 2
    assert len(collected.spans) == 2
    assert sum(collected.points("batchcore.records").values()) == 1


def test_an_unsampled_batch_makes_no_spans_and_says_so_downstream(collected: Fixture) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    unsampled = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    seen: list[Any] = []

    def handler(record: Any) -> None:
        seen.append(trace.get_current_span().get_span_context())

    collected.run("sqs", make_event("sqs", "a"), handler, observer={"tracer_provider": unsampled})
    assert collected.spans == ()
    assert seen[0].is_valid
    assert not seen[0].trace_flags.sampled
