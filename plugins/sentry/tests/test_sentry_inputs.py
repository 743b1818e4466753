"""No body leaves the function unless that is asked for: neither by a stack frame, nor by an error that quotes it."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import sentry_sdk

from batchcore import BatchProcessor, hookimpl
from batchcore_sentry import SentryObserver
from batchcore_sqs import SQSRecord
from batchcore_testing import make_event

SECRET = "4111-1111"


def run(handler: Any, *bodies: Any, plugins: Any = (), send_bodies: bool = False, **options: Any) -> None:
    processor = BatchProcessor(
        "sqs",
        plugins=[SentryObserver(send_bodies=send_bodies), *plugins],
        raise_on_entire_batch_failure=False,
        **options,
    )
    processor.run(make_event("sqs", *bodies), handler)


def keeps_it_in_variables(record: SQSRecord) -> None:
    order = record.json_body
    number = order["card"]
    assert number == SECRET
    raise LookupError("no such card")


def test_variables_of_frames_are_not_sent(sentry: Any) -> None:
    run(keeps_it_in_variables, {"card": SECRET})
    assert len(sentry.events) == 1
    assert SECRET not in sentry.text


def test_the_sdk_alone_would_send_them(sentry: Any) -> None:
    def handler(record: SQSRecord) -> None:
        try:
            keeps_it_in_variables(record)
        except LookupError:
            sentry_sdk.capture_exception()
            raise

    run(handler, {"card": SECRET})
    (by_hand,) = sentry.events
    variables = by_hand["exception"]["values"][0]["stacktrace"]["frames"][-1]["vars"]
    assert SECRET in variables["record"]["body"]


def test_they_are_sent_with_the_body_where_that_is_asked_for(sentry: Any) -> None:
    run(keeps_it_in_variables, {"card": SECRET}, send_bodies=True)
    (reported,) = sentry.events
    assert json.loads(reported["contexts"]["message"]["body"]) == {"card": SECRET}
    variables = reported["exception"]["values"][0]["stacktrace"]["frames"][-1]["vars"]
    assert variables["number"] == f"'{SECRET}'"


def test_a_body_that_is_sent_is_cut(sentry: Any) -> None:
    run(keeps_it_in_variables, {"card": SECRET, "more": "x" * 50_000}, send_bodies=True)
    assert len(sentry.events[0]["contexts"]["message"]["body"]) == 8_192


def test_an_error_of_pydantic_is_sent_without_the_input_that_it_quotes(sentry: Any) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Order(pydantic.BaseModel):  # type: ignore[name-defined,misc]
        quantity: int

    def handler(record: SQSRecord) -> None:
        Order.model_validate(record.json_body)

    def chained(record: SQSRecord) -> None:
        try:
            handler(record)
        except ValueError as error:
            error_of_ours = RuntimeError("no order")
            if hasattr(error, "add_note"):
                error.add_note("asked for by nobody")
            raise error_of_ours from error

    for each in (handler, chained):
        run(each, {"quantity": SECRET})
    assert SECRET not in sentry.text
    alone, cause = (event["exception"]["values"][0] for event in sentry.events)
    assert alone["type"] == cause["type"] == "ValidationError"
    assert alone["value"].startswith("Order: quantity: Input should be a valid integer")
    assert cause["value"].startswith(alone["value"])
    assert sentry.events[1]["exception"]["values"][1]["value"] == "no order"


def test_an_error_of_pydantic_in_a_group_is_sent_without_the_input(sentry: Any) -> None:
    pydantic = pytest.importorskip("pydantic")
    group: Any = getattr(__import__("builtins"), "ExceptionGroup", None)
    if group is None:
        pytest.skip("Python has no exception groups before 3.11")

    def handler(record: SQSRecord) -> None:
        problems = []
        for _ in range(2):
            try:
                pydantic.TypeAdapter(int).validate_python(record.json_body["quantity"])
            except ValueError as error:
                problems.append(error)
        raise group("two of them", problems)

    run(handler, {"quantity": SECRET})
    assert SECRET not in sentry.text
    assert [each["type"] for each in sentry.events[0]["exception"]["values"]].count("ValidationError") == 2


def test_a_model_that_refuses_a_record_says_why_without_the_input(sentry: Any) -> None:
    pytest.importorskip("pydantic")
    from pydantic import BaseModel, Json

    from batchcore_sqs.models import SqsRecordModel

    class Order(BaseModel):
        quantity: int

    class Message(SqsRecordModel):
        body: Json[Order]

    run(lambda record: None, {"quantity": SECRET}, model=Message)
    assert SECRET not in sentry.text
    (reported,) = sentry.events
    assert "body.quantity: Input should be a valid integer" in reported["exception"]["values"][-1]["value"]


def test_an_error_that_batchcore_logs_of_something_else_holds_no_body(sentry: Any) -> None:
    class Broken:
        @hookimpl
        def record_finished(self, outcome: Any) -> None:
            held = outcome.record
            raise OSError("the disk is full") if held else AssertionError

    def handler(record: SQSRecord) -> None:
        raise ValueError

    logging.getLogger("batchcore").propagate = True
    run(handler, {"card": SECRET}, plugins=[Broken()])
    sentry_sdk.flush()
    told = {(each.get("exception") or {})["values"][-1]["type"] for each in sentry.events}
    assert told == {"OSError", "ValueError"}
    assert SECRET not in sentry.text


def test_a_failure_of_the_original_message_sends_no_body_and_loses_no_event(sentry: Any) -> None:
    class Unreadable:
        @hookimpl(wrapper=True)
        def original_message(self, record: Any) -> Any:
            yield
            raise LookupError("unreadable")

    run(keeps_it_in_variables, {"card": SECRET}, plugins=[Unreadable()], send_bodies=True)
    (reported,) = sentry.events
    assert reported["contexts"]["message"]["body"] is None
