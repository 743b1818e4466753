"""A span says what became of its record, which its handler alone does not decide."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    DeadLetterRecord,
    Disposition,
    DropRecord,
    Outcome,
    WholeBatchRetry,
    hookimpl,
    in_order,
)
from batchcore_testing import SimulatedContext, make_event

Fixture = Any
OK = ("UNSET", None)
FAILED = ("ERROR", "ValueError")


def fails_with_x(record: Any) -> None:
    if record.body == "x":
        raise ValueError("no x here")


class Delivers:
    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome) -> None:
        if self.error is not None:
            raise self.error


def test_a_record_that_failed(collected: Fixture, run: Callable[..., Any]) -> None:
    run([collected.observer()], make_event("sqs", "a", "x", "b"), fails_with_x)

    assert sorted(collected.statuses) == [FAILED, OK, OK]
    (failed,) = (span for span in collected.records if collected.status(span) == FAILED)
    assert failed.status.description == "no x here"
    assert failed.attributes["batchcore.record.status"] == "failed"
    (event,) = failed.events
    assert event.name == "exception"
    assert (event.attributes["exception.type"], event.attributes["exception.message"]) == ("ValueError", "no x here")
    assert collected.status(collected.batch) == OK  # the rest of it is done
    assert collected.batch.attributes["batchcore.records.failed"] == 1


def test_a_stack_trace_begins_with_the_handler(collected: Fixture) -> None:
    collected.run("sqs", make_event("sqs", "x"), fails_with_x)

    (event,) = collected.records[0].events
    lines = event.attributes["exception.stacktrace"].splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith("in fails_with_x")
    assert lines[-1] == "ValueError: no x here"


def test_ten_failures_of_a_batch_have_a_stack_trace(collected: Fixture) -> None:
    collected.run("sqs", make_event("sqs", *["x"] * 12), fails_with_x)

    events = [event for span in collected.records for event in span.events]
    assert ["exception.stacktrace" in event.attributes for event in events] == [True] * 10 + [False] * 2


def test_exceptions_are_no_events_where_they_are_to_be_log_records(
    collected: Fixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "http, logs")
    collected.run("sqs", make_event("sqs", "x"), fails_with_x)

    assert collected.statuses == [FAILED]
    assert collected.records[0].events == ()


def test_the_input_that_a_model_refused_is_not_told(collected: Fixture) -> None:
    pydantic = pytest.importorskip("pydantic")
    models = pytest.importorskip("batchcore_sqs.models")

    class Order(models.SqsRecordModel):  # type: ignore[misc, name-defined]  # both may be missing
        body: pydantic.Json[int]  # type: ignore[name-defined]

    collected.run("sqs", make_event("sqs", "1", "a secret"), lambda record: None, model=Order)
    _, refused = collected.records
    assert collected.status(refused) == ("ERROR", "pydantic_core._pydantic_core.ValidationError")
    assert refused.end_time == refused.start_time  # its handler was not called
    assert "a secret" not in refused.to_json()
    assert "body" in refused.status.description


def test_a_batch_of_which_nothing_is_done_is_an_error(collected: Fixture) -> None:
    def fails(record: Any) -> None:
        raise KeyError(record.body)

    processor = BatchProcessor("sqs", plugins=[collected.observer()])
    with pytest.raises(BatchProcessingError):
        processor.run(make_event("sqs", "a", "b"), fails)
    assert collected.status(collected.batch) == ("ERROR", "KeyError")
    assert collected.batch.status.description == "2 of 2 records are not done."


def test_a_batch_that_failed_for_several_reasons_has_no_type_of_them(collected: Fixture) -> None:
    def fails(record: Any) -> None:
        raise KeyError if record.body == "a" else ValueError

    collected.run("sqs", make_event("sqs", "a", "b"), fails)
    assert collected.status(collected.batch) == ("ERROR", "_OTHER")


def test_a_batch_that_comes_again_whole_is_an_error(collected: Fixture) -> None:
    def fails(record: Any) -> None:
        if record.get("messageID") == second:
            raise KeyError

    event = make_event("activemq", "a", "b")
    second = event["messages"][1]["messageID"]
    with pytest.raises(WholeBatchRetry):
        collected.run("activemq", event, fails)
    assert collected.status(collected.batch) == ("ERROR", "KeyError")
    assert collected.statuses == [OK, ("ERROR", "KeyError")]


def test_a_batch_that_time_alone_stopped_is_no_error(collected: Fixture) -> None:
    context = SimulatedContext(timeout=10)
    collected.run("sqs", make_event("sqs", "a"), print, context, stop_before_timeout=20)

    (span,) = collected.spans  # what was not attempted has none
    assert collected.status(span) == OK
    assert span.attributes["batchcore.records.not_attempted"] == 1


def test_what_was_not_attempted_has_no_span(collected: Fixture) -> None:
    collected.run("sqs", make_event("sqs", "a", "x", "b", "c"), fails_with_x, ordering=in_order())

    assert collected.statuses == [OK, FAILED]
    assert collected.batch.attributes["batchcore.records.not_attempted"] == 2


def test_a_record_that_is_dropped_is_no_error_and_says_why(collected: Fixture, run: Callable[..., Any]) -> None:
    def drops(record: Any) -> None:
        raise DropRecord(f"{record.body} is old")

    run([collected.observer()], make_event("sqs", "a"), drops)
    (span,) = collected.records
    assert collected.status(span) == OK
    assert span.attributes["batchcore.record.status"] == "dropped"
    assert span.events[0].attributes["exception.message"] == "a is old"
    assert collected.status(collected.batch) == OK


@pytest.mark.parametrize("options", [{}, {"ordering": in_order()}], ids=["at the end", "in its lane"])
def test_a_dead_letter_is_an_error_of_its_record(collected: Fixture, options: dict[str, Any]) -> None:
    def fails(record: Any) -> None:
        if record.body == "x":
            raise DeadLetterRecord("for somebody to look at")

    result = collected.run("sqs", make_event("sqs", "a", "x", "b"), fails, plugins=[Delivers()], **options)
    assert result.response == {"batchItemFailures": []}
    assert collected.statuses == [OK, ("ERROR", "batchcore.dispositions.DeadLetterRecord"), OK]
    assert collected.records[1].attributes["batchcore.record.status"] == "dead_lettered"
    assert len(collected.records[1].events) == 1
    assert collected.status(collected.batch) == OK


def test_a_dead_letter_that_is_not_delivered_has_failed(collected: Fixture) -> None:
    collected.run(
        "sqs",
        make_event("sqs", "x"),
        fails_with_x,
        plugins=[Delivers(OSError("no queue"))],
        dispositions={ValueError: Disposition.DEAD_LETTER},
    )
    (span,) = collected.records
    assert (collected.status(span), span.attributes["batchcore.record.status"]) == (FAILED, "failed")


def test_a_record_that_a_batch_hook_undoes_has_failed(collected: Fixture, run: Callable[..., Any]) -> None:
    class Writes:
        @hookimpl
        def after_records(self, outcomes: Sequence[Outcome], fail: Any) -> None:
            for outcome in outcomes:
                if outcome.value == "b":
                    fail(outcome, OSError("the table is full"))

    def handler(record: Any) -> str:
        time.sleep(0.002)
        body: str = record.body
        return body

    run([collected.observer(), Writes()], make_event("sqs", "a", "b"), handler)
    ok, undone = sorted(collected.records, key=lambda span: span.status.status_code.value)
    assert collected.status(ok) == OK
    assert collected.status(undone) == ("ERROR", "OSError")
    assert undone.status.description == "the table is full"
    assert undone.events == ()  # it was not raised there
    assert undone.end_time <= collected.batch.end_time
    (event,) = collected.batch.events
    assert event.attributes["exception.message"] == "the table is full"
    assert collected.batch.attributes["batchcore.records.failed"] == 1


def test_what_undoes_all_records_is_told_once(collected: Fixture) -> None:
    class Writes:
        @hookimpl
        def after_records(self) -> None:
            raise OSError("no table")

    collected.run("sqs", make_event("sqs", *"abc"), lambda record: None, plugins=[Writes()])
    assert collected.statuses == [("ERROR", "OSError")] * 3
    assert len(collected.batch.events) == 1
    assert collected.status(collected.batch) == ("ERROR", "OSError")


def test_a_record_that_a_batch_hook_fails_before_its_handler_has_a_span(collected: Fixture) -> None:
    class Looks:
        @hookimpl
        def before_records(self, fail: Any) -> None:
            fail(1, LookupError("unknown"))

    collected.run("sqs", make_event("sqs", "a", "b"), lambda record: None, plugins=[Looks()])
    assert collected.statuses == [OK, ("ERROR", "LookupError")]


def test_a_record_that_no_response_can_hold_has_failed(collected: Fixture) -> None:
    collected.run("firehose", make_event("firehose", "a", "b"), lambda record: object())

    assert {code for code, _ in collected.statuses} == {"ERROR"}


class Short:
    """A source of somebody else's that fails a record when it makes the response."""

    name = "acme-short"

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

    @hookimpl
    def build_response(self, outcomes: Sequence[Outcome], fail: Any) -> dict[str, int]:
        fail(outcomes[0], ValueError("too long"))
        return {"lines": 1}


def test_of_a_source_that_nobody_knows_the_batch_says_so(collected: Fixture) -> None:
    collected.run(Short(), {"lines": ["a", "b"]}, str)

    assert len(collected.records) == 2
    assert collected.batch.attributes["batchcore.records.failed"] == 1
    assert collected.batch.events[0].attributes["exception.message"] == "too long"


class Passing:
    """A context whose time begins to pass when it is told to."""

    def __init__(self, left_s: float) -> None:
        self.left_s, self.end = left_s, 0.0

    def passes(self) -> None:
        self.end = self.end or time.monotonic() + 0.95 * self.left_s

    def get_remaining_time_in_millis(self) -> float:
        return 1000 * (1.1 * self.left_s if not self.end else max(0.0, self.end - time.monotonic()))


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Release handlers that hang, at the end."""
    release = threading.Event()
    yield release
    release.set()
    for thread in threading.enumerate():
        if thread.name == "batchcore":
            thread.join(30)


def test_a_handler_that_is_abandoned_has_failed_and_its_span_ends_with_the_batch(
    collected: Fixture, released: threading.Event
) -> None:
    context, both = Passing(0.4), threading.Barrier(2)

    def handler(record: Any) -> None:
        both.wait(30)
        context.passes()
        if record.body == "stuck":
            released.wait(30)
            raise ValueError("late")

    collected.run(
        "sqs", make_event("sqs", "stuck", "quick"), handler, context, max_concurrency=2, stop_before_timeout=0.4
    )
    spans = {span.attributes["messaging.message.id"]: span for span in collected.records}
    statuses = sorted(map(collected.status, spans.values()))
    assert statuses == [("ERROR", "batchcore.errors.OutOfTimeError"), OK]
    before = [span.to_json() for span in collected.spans]
    released.set()
    for thread in threading.enumerate():
        if thread.name == "batchcore":
            thread.join(30)
    assert [span.to_json() for span in collected.spans] == before


def test_a_handler_that_is_cancelled_has_failed(collected: Fixture) -> None:
    context = Passing(0.4)

    async def handler(record: Any) -> None:
        context.passes()
        await asyncio.sleep(30)

    processor = AsyncBatchProcessor("sqs", plugins=[collected.observer()], stop_before_timeout=0.4)
    result = processor.run(make_event("sqs", "a"), handler, context)
    assert result.counts() == {"failed": 1}
    assert collected.statuses == [("ERROR", "batchcore.errors.OutOfTimeError")]


def test_an_observer_that_breaks_costs_no_record(collected: Fixture, caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def start_span(self, *arguments: Any, **options: Any) -> Any:
            raise OSError("no span")

    class Provider:
        def get_tracer(self, *arguments: Any, **options: Any) -> Broken:
            return Broken()

    result = collected.run(
        "sqs", make_event("sqs", "a", "b"), lambda record: None, observer={"tracer_provider": Provider()}
    )
    assert result.response == {"batchItemFailures": []}
    assert [record.levelname for record in caplog.records] == ["ERROR"]
