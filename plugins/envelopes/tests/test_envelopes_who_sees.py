"""Who sees a record opened, and who as it was delivered: the same with a view and with a model, whatever fails."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest

pytest.importorskip("pydantic")

from pydantic import BaseModel, Json

import batchcore_envelopes as envelopes
from batchcore import BatchProcessor, DeadLetterRecord, by_key, hookimpl
from batchcore_envelopes import SNS, UserRecords
from batchcore_sqs import SQSRecord
from batchcore_sqs.models import SqsRecordModel
from batchcore_testing import make_event

Seen = dict[str, set[str]]


class Body(BaseModel):
    text: str


class Message(SqsRecordModel):
    body: Json[Body]


def published(text: Any) -> str:
    return json.dumps({"TopicArn": "t", "Message": json.dumps({"text": text})})


def form_of(record: Any) -> str:
    """Tell what somebody was given: the class of it, and whether it was opened."""
    body = record.body if isinstance(record, Message) else record["body"]
    is_opened = not isinstance(body, str) or "TopicArn" not in body
    return f"{type(record).__name__}, {'opened' if is_opened and body != 'no notification' else 'as delivered'}"


class Everybody:
    """Notes what each hook is given of a record."""

    def __init__(self, form: Any = form_of) -> None:
        self.seen: Seen = {}
        self.form = form

    def note(self, who: str, record: Any) -> None:
        self.seen.setdefault(who, set()).add(self.form(record))

    def key(self, record: Any) -> None:
        self.note("ordering", record)

    @hookimpl
    def wrap_handler(self, handler: Any) -> Any:
        def wrapped(record: Any) -> Any:
            self.note("wrap_handler", record)
            return handler(record)

        return wrapped

    @hookimpl
    def before_records(self, batch: Any, fail: Any) -> None:
        self.note("before_records", batch.records[0])

    @hookimpl
    def after_records(self, batch: Any, outcomes: Any, fail: Any) -> None:
        for outcome in outcomes:
            self.note("after_records", outcome.record)

    @hookimpl
    def deliver_dead_letter(self, outcome: Any, batch: Any) -> None:
        self.note("deliver_dead_letter", outcome.record)
        message = batch.original_message(outcome.record)
        self.note("original_message", {"body": message.body} if self.form is form_of else json.loads(message.body))

    @hookimpl(wrapper=True)
    def handler_arguments(self, batch: Any) -> Any:
        given = yield

        def extra(record: Any) -> AbstractContextManager[int]:
            self.note("handler_arguments", record)
            return nullcontext(1)

        return {**(given or {}), "extra": extra}

    @hookimpl(wrapper=True)
    def describe_record(self, record: Any) -> Any:
        described = yield
        self.note("describe_record", record)
        return described

    @hookimpl
    def record_scope(self, record: Any) -> AbstractContextManager[None]:
        self.note("record_scope", record)
        return nullcontext()

    @hookimpl
    def record_finished(self, outcome: Any) -> None:
        self.note("record_finished", outcome.record)

    @hookimpl
    def batch_finished(self, result: Any) -> None:
        for outcome in result.outcomes:
            self.note("batch_finished", outcome.record)


class Watching(BatchProcessor):
    """A processor whose own methods are notified, too."""

    everybody: Everybody

    def success_handler(self, record: Any, result: Any) -> Any:
        self.everybody.note("success_handler", record)
        return super().success_handler(record, result)

    def failure_handler(self, record: Any, exception: Any) -> Any:
        self.everybody.note(f"failure_handler, {exception[0].__name__}", record)
        return super().failure_handler(record, exception)


AS_DELIVERED = {
    "ordering", "before_records", "after_records", "deliver_dead_letter", "original_message", "describe_record",
    "record_scope", "record_finished", "batch_finished", "success_handler", "success_messages",
}  # fmt: skip


@pytest.mark.parametrize("model", [None, Message], ids=["view", "model"])
def test_the_handler_sees_it_opened_and_who_stands_around_it_as_it_was_delivered(model: Any) -> None:
    everybody = Everybody()
    processor = Watching(
        "sqs",
        model=model,
        plugins=[envelopes.open(SNS), everybody],
        ordering=by_key(everybody.key),
        raise_on_entire_batch_failure=False,
    )
    processor.everybody = everybody

    def handler(record: Any) -> None:
        everybody.note("handler", record)
        text = record.body.text if isinstance(record, Message) else record.json_body["text"]
        if text == "bad":
            raise KeyError(text)
        if text == "dead":
            raise DeadLetterRecord(text)

    bodies = [published("good"), published("bad"), published("dead"), "no notification", published(17)]
    processor.run(make_event("sqs", *bodies), handler)
    for message in processor.success_messages:
        everybody.note("success_messages", message)
    for message in processor.fail_messages:
        everybody.note("fail_messages", message)

    kind = "SQSRecord" if model is None else "Message"
    expected: Seen = {
        **{key: {f"{kind}, opened"} for key in ("handler", "wrap_handler")},
        **{key: {f"{kind}, opened"} for key in ("failure_handler, KeyError", "failure_handler, DeadLetterRecord")},
        "failure_handler, WrongShapeError": {"SQSRecord, as delivered"},
        "fail_messages": {f"{kind}, opened", "SQSRecord, as delivered"},
        **{key: {"dict, as delivered"} for key in AS_DELIVERED},
    }
    if model is not None:
        expected["failure_handler, ValidationError"] = {"SQSRecord, as delivered"}
    assert everybody.seen == expected


def test_what_gives_a_handler_more_than_the_record_sees_it_as_it_was_delivered() -> None:
    everybody = Everybody()

    class Gives:
        handler_arguments = Everybody.handler_arguments
        note, seen, form = everybody.note, everybody.seen, form_of

    def handler(record: SQSRecord, extra: int) -> str:
        return f"{form_of(record)}, {extra}"

    processor = BatchProcessor("sqs", plugins=[envelopes.open(SNS), Gives()])
    assert processor.run(make_event("sqs", published("x")), handler).return_values == ["SQSRecord, opened, 1"]
    assert everybody.seen == {"handler_arguments": {"dict, as delivered"}}


def test_records_of_users_are_what_everybody_sees(kpl: Any) -> None:
    """They are the records of the batch: only its event has the records that carried them."""
    everybody = Everybody(lambda record: record["kinesis"]["partitionKey"])
    processor = Watching("kinesis", plugins=[UserRecords(), everybody], ordering=by_key(everybody.key))
    processor.everybody = everybody

    def handler(record: Any) -> None:
        everybody.note("handler", record)
        if record.kinesis.partition_key == "cy":
            raise DeadLetterRecord

    event = make_event("kinesis", kpl.aggregate(("ann", b"1"), ("ben", b"2"), ("cy", b"3")))
    result = processor.run(event, handler)
    assert result.counts() == {"succeeded": 2, "dead_lettered": 1}
    assert result.batch.event is event
    everything = set().union(*everybody.seen.values())
    assert everything == {"ann", "ben", "cy"}
    assert everybody.seen["deliver_dead_letter"] == everybody.seen["original_message"] == {"cy"}
    assert everybody.seen["handler"] == everybody.seen["ordering"] == everybody.seen["record_scope"] == everything
