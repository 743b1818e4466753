"""A failed record is one event, with what is known of the record and with nothing of another."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
import sentry_sdk

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    DeadLetterRecord,
    DropRecord,
    hookimpl,
    in_order,
)
from batchcore_sentry import SentryObserver
from batchcore_sqs import SqsFifoPartialProcessor, SQSRecord
from batchcore_testing import make_event

Run = Callable[..., Any]
WAYS = ["one by one", "threads", "asyncio"]


def run(way: str, event: Any, handler: Any, *, plugin: Any = None, **options: Any) -> Any:
    """Run a batch one of three ways, with the observer."""
    options = {"plugins": [plugin or SentryObserver()], "raise_on_entire_batch_failure": False, **options}
    if way == "asyncio":

        async def awaiting(record: Any) -> Any:
            await asyncio.sleep(0.001)
            value = handler(record)
            await asyncio.sleep(0.001)
            return value

        return AsyncBatchProcessor("sqs", **options).run(event, awaiting)
    return BatchProcessor("sqs", max_concurrency=8 if way == "threads" else 1, **options).run(event, handler)


def test_an_event_has_what_is_known_of_its_record(sentry: Any) -> None:
    def handler(record: SQSRecord) -> None:
        raise KeyError(record.body)

    event = make_event("sqs", "a")
    run("one by one", event, handler)
    (reported,) = sentry.events
    (exception,) = reported["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("KeyError", "'a'")
    assert exception["mechanism"] == {"type": "batchcore", "handled": True}
    identifier = event["Records"][0]["messageId"]
    queue = event["Records"][0]["eventSourceARN"].rpartition(":")[2]
    assert reported["tags"] == {
        "batch_source": "sqs",
        "item_identifier": identifier,
        "delivery_attempt": "1",
        "queue": queue,
        "failed_alike": "1",
    }
    assert reported["contexts"]["batch"] == {"source": "sqs", "records": 1, "failed": 1, "wholly_failed": True}
    record = reported["contexts"]["record"]
    assert (record["position"], record["status"], record["identifiers"]) == (0, "failed", [identifier])
    frames = exception["stacktrace"]["frames"]
    assert frames[-1]["function"] == "handler"
    assert [frame["module"] for frame in frames if frame["in_app"]] == [frames[-1]["module"]]


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("sqs", {"queue", "message_group_id", "delivery_attempt", "item_identifier"}),
        ("kinesis", {"stream", "shard_id", "partition_key", "item_identifier"}),
        ("dynamodb", {"table", "event_name", "item_identifier"}),
        ("kafka", {"topic", "partition", "item_identifier"}),
    ],
)
def test_tags_say_where_a_record_of_any_source_is_from(sentry: Any, source: str, named: set[str]) -> None:
    def handler(record: Any) -> None:
        raise ValueError

    processor = BatchProcessor(source, plugins=[SentryObserver()], raise_on_entire_batch_failure=False)
    processor.run(make_event(source, {"order": 1}, lanes=1), handler)
    (reported,) = sentry.events
    assert reported["tags"].keys() == {*named, "batch_source", "failed_alike"}
    assert all(isinstance(value, str) and "\n" not in value for value in reported["tags"].values())
    assert reported["tags"]["batch_source"] == source
    if source == "kafka":
        assert '"offset":' in reported["tags"]["item_identifier"]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_that_a_handler_sets_is_on_the_event_of_another_record(sentry: Any, way: str) -> None:
    barrier = threading.Barrier(8)

    def handler(record: SQSRecord) -> None:
        number = int(record.body)
        sentry_sdk.set_tag("order", record.body)
        if number % 2:
            sentry_sdk.set_tag("odd", "yes")
        sentry_sdk.set_user({"id": record.body})
        sentry_sdk.get_current_scope().set_tag("current", record.body)
        sentry_sdk.add_breadcrumb(category="order", message=record.body)
        if way == "threads":
            barrier.wait(20)
        raise ValueError(f"order {number}")

    event = make_event("sqs", *map(str, range(16)))
    run(way, event, handler, plugin=SentryObserver(most_events=16))
    assert len(sentry.events) == 16
    for reported in sentry.events:
        number = reported["exception"]["values"][0]["value"].removeprefix("order ")
        tags = reported["tags"]
        assert (tags["order"], tags["current"], reported["user"]["id"]) == (number, number, number)
        assert ("odd" in tags) == (int(number) % 2 == 1)
        assert [crumb["message"] for crumb in reported["breadcrumbs"]["values"]] == [number]
        assert tags["item_identifier"] == event["Records"][int(number)]["messageId"]
    sentry_sdk.capture_message("afterwards")
    sentry_sdk.flush()
    assert not {"order", "odd", "current", "item_identifier"} & sentry.events[-1].get("tags", {}).keys()
    assert sentry.events[-1]["breadcrumbs"]["values"] == []


@pytest.mark.parametrize("way", WAYS)
def test_what_a_handler_captures_itself_has_the_tags_of_its_record(sentry: Any, way: str) -> None:
    def handler(record: SQSRecord) -> None:
        sentry_sdk.capture_message(f"odd {record.body}")

    event = make_event("sqs", *"abcd")
    run(way, event, handler)
    told = {each["message"]: each["tags"]["item_identifier"] for each in sentry.events}
    assert told == {f"odd {record['body']}": record["messageId"] for record in event["Records"]}


def test_a_tag_that_the_handler_sets_is_not_replaced(sentry: Any) -> None:
    def handler(record: SQSRecord) -> None:
        sentry_sdk.set_tag("queue", "mine")
        raise ValueError

    run("one by one", make_event("sqs", "a"), handler)
    assert sentry.events[0]["tags"]["queue"] == "mine"


@pytest.mark.parametrize("way", WAYS)
def test_an_exception_that_the_handler_has_captured_is_not_reported_again(sentry: Any, way: str) -> None:
    def handler(record: SQSRecord) -> None:
        try:
            raise ValueError(record.body)
        except ValueError as error:
            sentry_sdk.capture_exception(error)
            raise

    run(way, make_event("sqs", *"abc"), handler)
    assert sorted(each["exception"]["values"][0]["value"] for each in sentry.events) == ["a", "b", "c"]


def test_an_exception_raised_after_another_was_captured_is_reported(sentry: Any) -> None:
    def handler(record: SQSRecord) -> None:
        try:
            raise ValueError("first")
        except ValueError as error:
            sentry_sdk.capture_exception(error)
        raise ValueError("second")

    run("one by one", make_event("sqs", "a"), handler)
    assert [each["exception"]["values"][-1]["value"] for each in sentry.events] == ["first", "second"]


@pytest.mark.parametrize("way", WAYS)
def test_a_record_that_cannot_be_decoded_is_reported_with_its_tags(sentry: Any, way: str) -> None:
    class Opens:
        @hookimpl(wrapper=True)
        def record_preparer(self, batch: Any) -> Any:
            yield

            def prepare(record: Any) -> Any:
                if record["body"] == "bad":
                    raise LookupError("no such envelope")
                return record

            return prepare

    event = make_event("sqs", "good", "bad", "good")
    run(way, event, lambda record: None, plugins=[Opens(), SentryObserver()])
    (reported,) = sentry.events
    assert reported["exception"]["values"][-1]["type"] == "LookupError"
    assert reported["tags"]["item_identifier"] == event["Records"][1]["messageId"]
    assert reported["contexts"]["batch"] == {
        "source": "sqs",
        "records": 3,
        "succeeded": 2,
        "failed": 1,
        "wholly_failed": False,
    }


def test_records_that_are_not_attempted_are_counted_and_no_events(sentry: Any) -> None:
    def handler(record: SQSRecord) -> None:
        raise ValueError

    processor = SqsFifoPartialProcessor(plugins=[SentryObserver()], raise_on_entire_batch_failure=False)
    processor.run(make_event("sqs", *"abc", lanes=1), handler)
    (reported,) = sentry.events
    assert reported["contexts"]["batch"]["not_attempted"] == 2
    assert reported["exception"]["values"][-1]["type"] == "ValueError"


def test_a_batch_without_failures_sends_nothing(sentry: Any) -> None:
    run("one by one", make_event("sqs", "a"), lambda record: None)
    sentry_sdk.flush()
    assert sentry.items == []


class Deliverer:
    @hookimpl
    def deliver_dead_letters(self, outcomes: Any) -> list[None]:
        return [None for _ in outcomes]


def raises_what_it_is_told(record: SQSRecord) -> None:
    sentry_sdk.set_tag("order", record.body)
    if record.body == "drop":
        raise DropRecord("not ours")
    if record.body == "letter":
        raise DeadLetterRecord("never")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("ordered", [False, True])
def test_a_dead_letter_is_an_event_with_the_tags_of_its_handler_and_what_is_dropped_is_none(
    sentry: Any, way: str, ordered: bool
) -> None:
    options: dict[str, Any] = {"ordering": in_order()} if ordered else {}
    plugins = [SentryObserver(), Deliverer()]
    run(way, make_event("sqs", "a", "letter", "drop", "b"), raises_what_it_is_told, plugins=plugins, **options)
    (reported,) = sentry.events
    assert reported["contexts"]["record"]["status"] == "dead_lettered"
    assert reported["tags"]["order"] == "letter"
    assert (reported["contexts"]["batch"]["dropped"], reported["contexts"]["batch"]["dead_lettered"]) == (1, 1)


@pytest.mark.parametrize(
    ("statuses", "told"), [(["dropped"], ["dropped"]), (["failed"], []), (["failed", "dropped", "dead_lettered"], None)]
)
def test_of_which_outcomes_there_are_events_can_be_chosen(sentry: Any, statuses: Any, told: Any) -> None:
    plugins = [SentryObserver(statuses=statuses), Deliverer()]
    run("one by one", make_event("sqs", "letter", "drop"), raises_what_it_is_told, plugins=plugins)
    found = sorted(each["contexts"]["record"]["status"] for each in sentry.events)
    assert found == (["dead_lettered", "dropped"] if told is None else told)


def test_before_send_gets_the_outcome_and_may_drop_the_event(init: Any, receiver: Any) -> None:
    seen: list[Any] = []

    def before_send(event: Any, hint: Any) -> Any:
        seen.append(hint["outcome"].record["body"])
        return None if hint["outcome"].record["body"] == "a" else event

    def handler(record: SQSRecord) -> None:
        raise ValueError(record.body)

    init(before_send=before_send)
    run("one by one", make_event("sqs", *"ab"), handler)
    assert seen == ["a", "b"]
    assert [each["exception"]["values"][-1]["value"] for each in receiver.events] == ["b"]


def test_a_class_of_exceptions_that_the_sdk_ignores_is_not_reported(init: Any, receiver: Any) -> None:
    def handler(record: SQSRecord) -> None:
        raise {"a": ValueError, "b": LookupError}[record.body]

    init(ignore_errors=[LookupError])
    run("one by one", make_event("sqs", *"ab"), handler)
    assert [each["exception"]["values"][-1]["type"] for each in receiver.events] == ["ValueError"]


@pytest.mark.parametrize("way", WAYS)
def test_two_batches_side_by_side_share_an_observer(init: Any, receiver: Any, way: str) -> None:
    init()
    observer = SentryObserver()
    started = threading.Barrier(2)

    def batch(name: str) -> None:
        def handler(record: SQSRecord) -> None:
            if record.body == f"{name}0":
                started.wait(20)
            sentry_sdk.set_tag("batch", name)
            raise ValueError(record.body)

        run(way, make_event("sqs", *(f"{name}{number}" for number in range(4))), handler, plugin=observer)

    threads = [threading.Thread(target=batch, args=(name,)) for name in "xy"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    found = sorted((each["tags"]["batch"], each["exception"]["values"][-1]["value"]) for each in receiver.events)
    assert found == [(name, f"{name}{number}") for name in "xy" for number in range(4)]


def test_two_observers_of_a_batch_report_once(sentry: Any) -> None:
    def handler(record: SQSRecord) -> None:
        sentry_sdk.set_tag("order", record.body)
        raise ValueError

    run("one by one", make_event("sqs", "a"), handler, plugins=[SentryObserver(), SentryObserver()])
    (reported,) = sentry.events
    assert reported["tags"]["order"] == "a"


def test_the_event_is_of_the_time_of_the_failure(sentry: Any) -> None:
    passed = threading.Event()

    def handler(record: SQSRecord) -> None:
        if record.body == "a":
            raise ValueError
        passed.wait(0.3)
        sentry_sdk.capture_message("later")

    run("one by one", make_event("sqs", *"ab"), handler)
    times = {each.get("message", "failure"): each["timestamp"] for each in sentry.events}
    assert times["failure"] < times["later"]


def test_nothing_is_held_of_a_batch_that_is_broken_off(sentry: Any) -> None:
    observer = SentryObserver()
    nobody = logging.Logger("nobody")  # noqa: LOG001 - pytest would keep the tracebacks, which lead to the batch
    nobody.disabled = True

    def handler(record: SQSRecord) -> None:
        sentry_sdk.set_tag("order", record.body)
        if record.body == "b":
            raise KeyboardInterrupt
        raise ValueError

    with contextlib.suppress(KeyboardInterrupt):
        run("one by one", make_event("sqs", *"abc"), handler, plugin=observer, logger=nobody)
    run("one by one", make_event("sqs", "d"), lambda record: None, plugin=observer)  # which is shown in its place
    gc.collect()
    assert len(observer._reports) == 0
    sentry_sdk.capture_message("afterwards")
    sentry_sdk.flush()
    assert "order" not in sentry.events[-1].get("tags", {})


def test_nothing_is_logged_of_the_observer(sentry: Any, caplog: pytest.LogCaptureFixture) -> None:
    def handler(record: SQSRecord) -> None:
        raise ValueError

    with caplog.at_level(logging.ERROR):
        run("one by one", make_event("sqs", "a"), handler)
    assert caplog.records == []
