"""A failure is reported once, though batchcore logs it and raises, and Sentry's integrations see both."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import pytest
import sentry_sdk
from sentry_sdk.integrations.logging import LoggingIntegration

from batchcore import AsyncBatchProcessor, BatchProcessingError, BatchProcessor, Disposition, hookimpl
from batchcore_sentry import SentryObserver
from batchcore_sqs import SQSRecord
from batchcore_testing import make_event


class Opens:
    """Fails the record whose body is "bad" before it has a scope."""

    @hookimpl(wrapper=True)
    def record_preparer(self, batch: Any) -> Any:
        yield

        def prepare(record: Any) -> Any:
            if record["body"].startswith("bad"):
                raise LookupError(record["body"])
            return record

        return prepare


def fails(record: SQSRecord) -> None:
    sentry_sdk.add_breadcrumb(category="order", message=record.body)
    logging.getLogger("shop").info("order %s", record.body)
    raise ValueError(record.body)


def run(*bodies: str, **options: Any) -> None:
    plugins = [Opens(), SentryObserver()]
    options = {"raise_on_entire_batch_failure": False, **options}
    BatchProcessor("sqs", plugins=plugins, **options).run(make_event("sqs", *bodies), fails)


def frames_of(event: Any) -> list[Any]:
    return [
        frame for each in event["exception"]["values"] for frame in (each.get("stacktrace") or {}).get("frames", ())
    ]


def values(receiver: Any) -> list[str]:
    return [each["exception"]["values"][-1]["value"] for each in receiver.events]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody listens to the log: only then is anything logged."""
    caplog.set_level(logging.INFO)


@pytest.mark.parametrize("level", [None, logging.ERROR, logging.WARNING])
def test_a_line_of_a_failure_is_no_event_whatever_level_is_reported(
    init: Any, receiver: Any, logged: None, level: int | None
) -> None:
    init(integrations=[LoggingIntegration(event_level=level)])
    run("a", "bad 1", "b", "bad 1", "c")
    assert sorted(values(receiver)) == ["a", "b", "bad 1", "c"]


def test_lines_of_others_are_events_as_before(init: Any, receiver: Any, logged: None) -> None:
    init(integrations=[LoggingIntegration(event_level=logging.WARNING)])
    run("a")
    logging.getLogger("shop").warning("nearly sold out")
    sentry_sdk.flush()
    assert receiver.events[-1]["logentry"]["message"] == "nearly sold out"


def test_no_event_lists_the_failures_before_it(sentry: Any, logged: None) -> None:
    run("bad 1", "a", "bad 2", "b")
    run("c", "bad 3")
    crumbs = {
        each["exception"]["values"][-1]["value"]: [crumb["message"] for crumb in each["breadcrumbs"]["values"]]
        for each in sentry.events
    }
    assert crumbs == {
        "bad 1": [],
        "bad 2": [],
        "bad 3": [],
        "a": ["a", "order a"],
        "b": ["b", "order b"],
        "c": ["c", "order c"],
    }


def test_breadcrumbs_from_before_the_batch_are_kept(sentry: Any, logged: None) -> None:
    sentry_sdk.add_breadcrumb(message="the function has started")
    run("bad 1", "a")
    first = [each["breadcrumbs"]["values"][0]["message"] for each in sentry.events]
    assert first == ["the function has started"] * 2


def test_log_items_of_the_sdk_hold_no_body(init: Any, receiver: Any, logged: None) -> None:
    init(enable_logs=True)
    body = str(4711 * 4711)  # a frame shows lines of this file
    event = make_event("sqs", body)

    def handler(record: SQSRecord) -> None:
        raise ValueError

    BatchProcessor("sqs", plugins=[SentryObserver()], raise_on_entire_batch_failure=False).run(event, handler)
    (items,) = receiver.of("log")
    assert len(receiver.events) == 1
    assert [item["level"] for item in items["items"]] == ["warn", "info"]  # the failure, the summary of the batch
    assert body not in receiver.text


@pytest.mark.parametrize("kind", [BatchProcessor, AsyncBatchProcessor])
def test_the_error_of_a_batch_that_was_reported_is_no_event_of_an_integration(sentry: Any, kind: Any) -> None:
    event = make_event("sqs", *"abc")
    with pytest.raises(BatchProcessingError) as raised:
        kind("sqs", plugins=[SentryObserver()]).run(event, fails)
    captured_as_by_an_integration(raised.value)
    assert sorted(values(sentry)) == ["a", "b", "c"]
    assert all(each["contexts"]["batch"]["wholly_failed"] for each in sentry.events)


def test_the_error_of_another_batch_is_an_event(sentry: Any) -> None:
    with pytest.raises(BatchProcessingError) as raised:
        BatchProcessor("sqs").run(make_event("sqs", "a"), fails)
    run("b")
    captured_as_by_an_integration(raised.value)
    assert len(sentry.events) == 2


def test_the_error_of_a_batch_that_the_code_captures_itself_is_an_event(sentry: Any) -> None:
    with pytest.raises(BatchProcessingError) as raised:
        BatchProcessor("sqs", plugins=[SentryObserver()]).run(make_event("sqs", "a"), fails)
    sentry_sdk.capture_exception(raised.value)
    sentry_sdk.flush()
    assert sentry.events[-1]["exception"]["values"][-1]["type"] == "BatchProcessingError"


def captured_as_by_an_integration(error: BaseException) -> None:
    from sentry_sdk.utils import event_from_exception

    mechanism = {"type": "aws_lambda", "handled": False}
    event, hint = event_from_exception(error, sentry_sdk.get_client().options, mechanism)
    sentry_sdk.capture_event(event, hint)
    sentry_sdk.flush()


# -- Lines that the function's own code logs with an exception.

LOG = logging.getLogger("shop")


def logs_and_raises(record: SQSRecord) -> None:
    try:
        raise ValueError("no such customer")
    except ValueError:
        LOG.exception("order %s", record.body)
        raise


def logs_and_raises_another(record: SQSRecord) -> None:
    try:
        raise ValueError("no such customer")
    except ValueError as error:
        LOG.exception("order %s", record.body)
        raise LookupError("no order") from error


def logs_and_goes_on(record: SQSRecord) -> None:
    try:
        raise ValueError("no such customer")
    except ValueError:
        LOG.exception("order %s", record.body)


WAYS: dict[str, Any] = {
    "one by one": BatchProcessor,
    "threads": partial(BatchProcessor, max_concurrency=4),
    "asyncio": AsyncBatchProcessor,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("handler", [logs_and_raises, logs_and_raises_another])
def test_a_failure_that_the_handler_logs_is_reported_once_and_without_its_body(
    init: Any, receiver: Any, way: str, handler: Any
) -> None:
    init()
    processor = WAYS[way]("sqs", plugins=[SentryObserver()], raise_on_entire_batch_failure=False)
    processor.run(make_event("sqs", *["4929"] * 30), handler)

    (event,) = receiver.events
    assert event["tags"]["failed_alike"] == "30"
    assert "no such customer" in [each["value"] for each in event["exception"]["values"]]
    assert [frame for frame in frames_of(event) if "vars" in frame] == []
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == ["order 4929"], "the line is there"


def test_a_failure_that_a_failure_handler_logs_is_reported_once(init: Any, receiver: Any) -> None:
    class Logs(BatchProcessor):
        def failure_handler(self, record: Any, exception: Any) -> Any:
            LOG.error("record failed", exc_info=exception)
            return super().failure_handler(record, exception)

    init()
    Logs("sqs", plugins=[SentryObserver()]).run(make_event("sqs", "a", "b", "{}"), lambda record: record.json_body)
    (event,) = receiver.events
    assert event["tags"]["failed_alike"] == "2"


@pytest.mark.parametrize("way", WAYS)
def test_what_a_handler_logs_and_deals_with_is_an_event_of_its_own(init: Any, receiver: Any, way: str) -> None:
    init()
    WAYS[way]("sqs", plugins=[SentryObserver()]).run(make_event("sqs", "a", "b"), logs_and_goes_on)
    assert sorted(event["logentry"]["formatted"] for event in receiver.events) == ["order a", "order b"]
    for event in receiver.events:
        assert event["tags"]["batch_source"] == "sqs"
        assert len(event["breadcrumbs"]["values"]) == len({str(crumb) for crumb in event["breadcrumbs"]["values"]})


def test_a_line_of_a_record_that_is_dropped_is_an_event(init: Any, receiver: Any) -> None:
    """There is none of the record itself, by default."""
    init()
    processor = BatchProcessor("sqs", plugins=[SentryObserver()], dispositions={ValueError: Disposition.DROP})
    processor.run(make_event("sqs", "a"), logs_and_raises)
    assert [event["logentry"]["formatted"] for event in receiver.events] == ["order a"]


def test_the_logged_error_of_a_whole_batch_holds_no_body(init: Any, receiver: Any) -> None:
    init()
    try:
        BatchProcessor("sqs", plugins=[SentryObserver()]).run(make_event("sqs", "4929"), fails)
    except BatchProcessingError:
        LOG.exception("all failed")
    sentry_sdk.flush()
    assert len(receiver.events) == 2
    assert [frame for event in receiver.events for frame in frames_of(event) if "vars" in frame] == []
