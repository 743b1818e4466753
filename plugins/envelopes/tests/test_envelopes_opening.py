"""What is inside a record, in any nesting, whatever the source: for views, raw records and models."""

from __future__ import annotations

import asyncio
import base64
import copy
import gzip
import io
import json
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

import batchcore_envelopes as envelopes
from batchcore import AsyncBatchProcessor, BatchProcessor, ConfigurationError, RecordView, hookimpl
from batchcore_envelopes import (
    CHANGES,
    EVENT_BRIDGE,
    GZIP,
    S3,
    SNS,
    Envelope,
    EventBridgeEvent,
    NotOpenedError,
    Place,
    inside,
)
from batchcore_sqs import SQSRecord
from batchcore_sqs.nested import S3Event, SNSMessage
from batchcore_testing import make_event, make_record

QUIET = {"raise_on_entire_batch_failure": False}


def notification(message: str, **fields: Any) -> str:
    return json.dumps({"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:1:t", "Message": message, **fields})


def bridged(detail: str) -> str:
    return '{"version": "0", "id": "e1", "detail-type": "Order", "source": "app", "detail": ' + detail + "}"


def squeezed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode())).decode()


def content(record: SQSRecord) -> str:
    return record.body


async def content_later(record: SQSRecord) -> str:
    return record.body


DRIVERS: list[Callable[..., Any]] = [
    lambda event, *plugins: BatchProcessor("sqs", plugins=plugins, **QUIET).run(event, content),
    lambda event, *plugins: BatchProcessor("sqs", plugins=plugins, max_concurrency=3, **QUIET).run(event, content),
    lambda event, *plugins: AsyncBatchProcessor("sqs", plugins=plugins, **QUIET).run(event, content_later),
]
every_driver = pytest.mark.parametrize("run", DRIVERS, ids=["one by one", "in threads", "as tasks"])


@every_driver
@pytest.mark.parametrize(
    ("names", "body"),
    [
        ((SNS,), notification("order")),
        ((SNS, SNS), notification(notification("order"))),
        ((EVENT_BRIDGE,), bridged('"order"')),
        ((SNS, EVENT_BRIDGE), notification(bridged('"order"'))),
        ((GZIP,), squeezed("order")),
        ((SNS, GZIP), notification(squeezed("order"))),
        ((GZIP, SNS), squeezed(notification("order"))),
        ((SNS, GZIP, EVENT_BRIDGE), notification(squeezed(bridged('"order"')))),
    ],
    ids=[
        "SNS",
        "SNS twice",
        "EventBridge",
        "EventBridge in SNS",
        "gzip",
        "gzip in SNS",
        "SNS in gzip",
        "EventBridge in gzip in SNS",
    ],
)
def test_any_nesting_that_is_named_is_opened(run: Any, names: Any, body: str) -> None:
    result = run(make_event("sqs", body), envelopes.open(*names))
    assert result.return_values == ['"order"' if EVENT_BRIDGE in names else "order"]


@every_driver
def test_a_record_that_is_something_else_costs_itself_alone(run: Any) -> None:
    bodies = [notification("1"), "text", "{}", "[]", "", notification("2"), '{"Message": 17, "Type": "Notification"}']
    result = run(make_event("sqs", *bodies), envelopes.open(SNS))
    assert [each.value for each in result.outcomes] == ["1", None, None, None, None, "2", None]
    assert all(isinstance(each.exception, ValueError) for each in result.failures)
    assert len(result.response["batchItemFailures"]) == 5


@every_driver
def test_each_record_gets_what_was_inside_of_it(run: Any) -> None:
    bodies = [str(number) for number in range(50)]
    result = run(make_event("sqs", *map(notification, bodies)), envelopes.open(SNS))
    assert result.return_values == bodies


def test_what_is_passed_on_is_what_was_sent_to_the_digit() -> None:
    detail = '{"price": 1.10, "big": 12345678901234567890.123, "text": "\\u00e9 \\" } {", "same": 1, "same": 2}'
    body = (
        ' {"detail-type" :"t",\n "first": [{"detail": 5}], "detail" : "not the last" ,"detail":'
        + detail
        + ' , "last":{}}'
    )
    assert DRIVERS[0](make_event("sqs", body), envelopes.open(EVENT_BRIDGE)).return_values == [detail]


def test_the_record_around_it_stays_as_it_was(sample: Any) -> None:
    event = sample("snsSqsEvent")
    before = json.dumps(event)
    (record,) = BatchProcessor("sqs", plugins=[envelopes.open(SNS)]).run(event, lambda record: record).return_values
    assert isinstance(record, SQSRecord)
    assert {**record, "body": None} == {**event["Records"][0], "body": None}
    assert json.dumps(event) == before, "nothing is written into the event"


def test_other_plugins_and_dead_letters_have_the_raw_record() -> None:
    sent: list[str] = []

    class Letters:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any, batch: Any) -> None:
            sent.append(batch.original_message(outcome.record).body)

    from batchcore import DeadLetterRecord

    def handler(record: SQSRecord) -> None:
        raise DeadLetterRecord

    body = notification("hello")
    processor = BatchProcessor("sqs", plugins=[envelopes.open(SNS), Letters()])
    result = processor.run(make_event("sqs", body), handler)
    assert sent == [body]
    assert result.batch.records[0]["body"] == body


# The typed views.


def test_each_envelope_has_its_typed_view(sample: Any) -> None:
    event = sample("snsSqsEvent")
    outer = json.loads(event["Records"][0]["body"])
    outer["Message"] = sample("s3SqsEvent")["Records"][0]["body"]
    event["Records"][0]["body"] = json.dumps(outer)

    def handler(record: SQSRecord) -> tuple[Any, ...]:
        s3, sns = inside(record, S3Event), inside(record, SNSMessage)
        assert inside(record) == s3
        assert inside(record, RecordView) == s3
        return s3.bucket_name, s3.object_key, sns.topic_arn, record.message_id

    result = BatchProcessor("sqs", plugins=[envelopes.open(SNS, S3)]).run(event, handler)
    assert result.return_values == [("xxx", "test.pdf", outer["TopicArn"], event["Records"][0]["messageId"])]


def test_of_two_envelopes_of_a_kind_the_inner_one_is_shown() -> None:
    body = notification(notification("x", Subject="inner"), Subject="outer")
    result = BatchProcessor("sqs", plugins=[envelopes.open(SNS, SNS)]).run(
        make_event("sqs", body), lambda record: inside(record, SNSMessage).subject
    )
    assert result.return_values == ["inner"]


def test_a_raw_record_shows_them_too() -> None:
    class Plain(RecordView):
        pass

    source = Lines()
    processor = BatchProcessor(source, plugins=[envelopes.open(EVENT_BRIDGE, place=Place("line"))])
    result = processor.run(
        {"lines": [{"line": bridged("[1]")}]}, lambda r: (r["line"], inside(r, EventBridgeEvent).source)
    )
    assert result.return_values == [("[1]", "app")]


class Lines:
    name = "lines"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return "lines" in event

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["lines"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [f"line {number}" for number, _ in enumerate(records)]


def test_what_was_not_opened_is_not_shown() -> None:
    (record,) = make_event("sqs", "x")["Records"]
    with pytest.raises(NotOpenedError, match=r"plugins=\[open\(\.\.\.\)\]"):
        inside(SQSRecord(record))
    opened: list[Any] = []
    BatchProcessor("sqs", plugins=[envelopes.open(SNS)]).run(make_event("sqs", notification("x")), opened.append)
    BatchProcessor("sqs", plugins=[envelopes.open(GZIP)]).run(make_event("sqs", squeezed("x")), opened.append)
    with pytest.raises(NotOpenedError, match=r"in no envelope whose view is S3Event\. It was in: SNS notification"):
        inside(opened[0], S3Event)
    with pytest.raises(NotOpenedError, match="says nothing of itself"):
        inside(opened[1])
    with pytest.raises(LookupError, match="nothing that says anything"):
        inside(opened[1], S3Event)


# Of any source.


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({"body": "{}"}, ("body",)),
        ({"kinesis": {"data": "{}", "sequenceNumber": "1"}, "eventID": "e"}, ("kinesis", "data")),
        ({"data": "{}", "sequenceNumber": "1"}, ("data",)),
        ({"recordId": "1", "data": "{}"}, ("data",)),
        ({"topic": "t", "value": "{}", "key": None}, ("value",)),
        ({"recordId": "1", "kafkaRecordValue": "{}"}, ("kafkaRecordValue",)),
    ],
    ids=["SQS", "Kinesis", "Kinesis by a pipe", "Firehose", "Kafka", "Firehose from Kafka"],
)
def test_the_content_is_found_where_the_services_of_aws_have_it(record: dict[str, Any], path: tuple[str, ...]) -> None:
    def at(value: Any) -> Any:
        for key in path:
            value = value[key]
        return value

    coded = path != ("body",)
    body = notification("héllo")
    holder = record if len(path) == 1 else record[path[0]]
    holder[path[-1]] = base64.b64encode(body.encode()).decode() if coded else body
    before = json.dumps(record)
    result = BatchProcessor(Lines(), plugins=[envelopes.open(SNS)]).run({"lines": [record]}, at)
    (found,) = result.return_values
    assert (base64.b64decode(found).decode() if coded else found) == "héllo"
    assert json.dumps(record) == before


def test_a_record_without_content_fails_and_says_so(sample: Any) -> None:
    event = sample("getting_started_dynamodb_event")
    result = BatchProcessor("dynamodb", plugins=[envelopes.open(SNS)], **QUIET).run(event, lambda record: None)
    assert "it is a record of aws:dynamodb. Say where it is: open(..., place=" in str(result.failures[0].exception)
    plugin = envelopes.open(SNS, place=Place("line"))
    result = BatchProcessor(Lines(), plugins=[plugin], **QUIET).run(
        {"lines": [{"line": 17}, {}, 5]}, lambda record: None
    )
    assert [str(each.exception) for each in result.failures] == [
        f"line is not text, so nothing can be opened: it is of type {kind}." for kind in ("int", "NoneType", "NoneType")
    ]


def test_bytes_that_are_no_text_cannot_be_where_a_record_has_text() -> None:
    body = base64.b64encode(gzip.compress(b"\xff\xfe\xfd secret")).decode()
    (failure,) = DRIVERS[0](make_event("sqs", body), envelopes.open(GZIP)).failures
    assert str(failure.exception).startswith("What is inside body is not UTF-8")
    event = make_event("kinesis", gzip.compress(b"\xff\xfe\xfd"))
    result = BatchProcessor("kinesis", plugins=[envelopes.open(GZIP)]).run(event, lambda r: r.kinesis.data_as_bytes())
    assert result.return_values == [b"\xff\xfe\xfd"]


def test_what_another_plugin_prepares_is_opened() -> None:
    class Reverse:
        @hookimpl(wrapper=True)
        def record_preparer(self, batch: Any) -> Any:
            prepare = yield
            return lambda record: {**prepare(record), "body": record["body"][::-1]}

    class ReverseLater:
        @hookimpl(wrapper=True)
        def record_preparer(self, batch: Any) -> Any:
            prepare = yield

            async def later(record: Any) -> Any:
                await asyncio.sleep(0)
                return {**prepare(record), "body": record["body"][::-1]}

            return later

    event = make_event("sqs", notification("x")[::-1])
    assert DRIVERS[0](event, Reverse(), envelopes.open(SNS)).return_values == ["x"]
    assert DRIVERS[2](event, ReverseLater(), envelopes.open(SNS)).return_values == ["x"]


def test_what_one_plugin_has_opened_another_goes_on_with() -> None:
    seen: list[Any] = []

    class Inner(Envelope):
        def open(self, content: Any, field: str, around: Any) -> Any:
            seen.append(around)
            return content, {"inner": True}

    body = notification(bridged("[1]"), Subject="s")
    plugins = [envelopes.open(SNS), envelopes.open(EVENT_BRIDGE, Inner())]

    def handler(record: SQSRecord) -> Any:
        return inside(record, SNSMessage).subject, inside(record, EventBridgeEvent).source, dict(inside(record))

    result = BatchProcessor("sqs", plugins=plugins).run(make_event("sqs", body), handler)
    assert result.return_values == [("s", "app", {"inner": True})]
    processor = BatchProcessor("sqs", plugins=[envelopes.open(SNS), envelopes.open(Inner())])
    processor.run(make_event("sqs", body), lambda record: None)
    assert [max(each) for each in seen] == ["version", "Type"], "around it is what the plugin before it opened"


@pytest.mark.parametrize("value", [{"value": None}, {}], ids=["null", "missing"])
def test_a_tombstone_of_kafka_has_nothing_inside_and_is_passed_on(value: dict[str, Any]) -> None:
    event: dict[str, Any] = make_event("kafka", notification("x"), notification("y"))
    (records,) = event["records"].values()
    del records[0]["value"]
    records[0].update(value)
    for place in (None, Place("value", base64=True)):
        plugin = envelopes.open(SNS, place=place)
        result = BatchProcessor("kafka", plugins=[plugin]).run(event, lambda record: record.decoded_value)
        assert result.return_values == [None, b"y"]
    processor = BatchProcessor("kafka", plugins=[envelopes.open(SNS)], **QUIET)
    failure, _ = processor.run(event, lambda record: inside(record, SNSMessage)).failures
    assert isinstance(failure.exception, NotOpenedError)


def test_a_record_that_was_opened_can_be_copied_and_sent_to_another_process() -> None:
    plugin = envelopes.open(SNS, envelopes.S3Payloads(["inbox"], client=OneClient(), marked=False))

    def handler(record: SQSRecord) -> list[Any]:
        copies = copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))
        return [(each.body, inside(each, SNSMessage).message) for each in copies]

    body = notification(json.dumps([S3_POINTER, {"s3BucketName": "inbox", "s3Key": "k"}]))
    result = BatchProcessor("sqs", plugins=[plugin]).run(make_event("sqs", body), handler)
    assert result.return_values == [[("payload", json.loads(body)["Message"])] * 3]


S3_POINTER = "software.amazon.payloadoffloading.PayloadS3Pointer"


class OneClient:
    def __init__(self) -> None:
        self.lock = threading.Lock()  # as a client of boto3 has some, and cannot be copied

    def get_object(self, **arguments: Any) -> Any:
        return {"Body": io.BytesIO(b"payload"), "ContentLength": 7}


def test_in_asyncio_records_are_opened_in_threads_where_that_is_asked_for() -> None:
    together = threading.Barrier(3, timeout=20)

    class Slow(Envelope):
        def open(self, content: Any, field: str, around: Any) -> Any:
            together.wait()  # breaks unless three records are opened at a time
            return content.upper(), None

    plugin = envelopes.open(Slow(), asynchronous=True)
    assert DRIVERS[2](make_event("sqs", "a", "b", "c"), plugin).return_values == ["A", "B", "C"]


def test_without_an_event_loop_none_is_opened_in_a_thread_of_one_and_it_says_so() -> None:
    called: list[Any] = []
    processor = BatchProcessor("sqs", plugins=[envelopes.open(SNS, asynchronous=True)], **QUIET)
    (failure,) = processor.run(make_event("sqs", notification("x")), called.append).failures
    assert isinstance(failure.exception, ConfigurationError)
    assert "is for AsyncBatchProcessor" in str(failure.exception)
    assert called == []


def test_text_that_no_utf_8_can_hold_costs_its_record_and_is_in_no_error() -> None:
    event = make_event("kinesis", json.dumps({"TopicArn": "t", "Message": "secret \ud800"}), notification("x"))
    result = BatchProcessor("kinesis", plugins=[envelopes.open(SNS)], **QUIET).run(
        event, lambda record: record.kinesis.data_as_text()
    )
    assert [each.status for each in result.outcomes] == ["failed", "succeeded"]
    error: Any = result.failures[0].exception
    assert str(error) == "What is inside kinesis.data has half of a surrogate pair, which no UTF-8 can hold."
    assert "secret" not in repr((error.args, error.__context__, error.__cause__))
    same = DRIVERS[0](make_event("sqs", json.dumps({"TopicArn": "t", "Message": "\ud800"})), envelopes.open(SNS))
    assert same.return_values == ["\ud800"], "Python's text can"


# Envelopes of one's own, and wrong use.


def test_an_envelope_of_ones_own_knows_what_is_around_it() -> None:
    class Letter(RecordView):
        pass

    class Reversed(Envelope):
        name = "text that is reversed"

        def open(self, content: Any, field: str, around: Any) -> Any:
            return content[::-1], {"field": field, "around": sorted(around)[:2], "subject": around.get("Subject")}

        def view(self) -> type[RecordView]:
            return Letter

    body = notification("olleh", Subject="s")
    result = BatchProcessor("sqs", plugins=[envelopes.open(SNS, Reversed())]).run(
        make_event("sqs", body), lambda record: (record.body, dict(inside(record, Letter)))
    )
    assert result.return_values == [
        ("hello", {"field": "body.Message", "around": ["Message", "Subject"], "subject": "s"})
    ]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (envelopes.open, "the outermost first: open"),
        (lambda: envelopes.open("SNS"), "not 'SNS'"),
        (lambda: envelopes.open(envelopes.S3Envelope), r"Make one of it: S3Envelope\(\.\.\.\)"),
        (lambda: envelopes.open(S3, SNS), "inside of S3 event notification"),
        (lambda: envelopes.open(CHANGES, GZIP), "inside of change of a table"),
        (lambda: envelopes.open(SNS, place="body"), r"place is a Place, such as Place\('kinesis'"),
        (lambda: envelopes.S3Envelope("keep"), "test_events is 'drop' or 'handle', not 'keep'"),
        (lambda: envelopes.LogsEnvelope("keep"), "control_messages is 'drop' or 'handle'"),
        (lambda: envelopes.GzipEnvelope(0), "largest is a number of bytes"),
        (lambda: envelopes.GzipEnvelope(True), "largest is a number of bytes"),
        (lambda: envelopes.LogsEnvelope(largest=-1), "largest is a number of bytes"),
    ],
)
def test_wrong_use_is_refused_when_it_is_made(make: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        make()


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'open_all'"):
        envelopes.open_all  # noqa: B018 - the access is what is tested


def test_it_says_what_it_is() -> None:
    assert repr(envelopes.open(SNS, S3)) == "<open(SNS notification, S3 event notification)>"
    assert repr(SNS) == "<SNSEnvelope>"
    assert repr(Place("kinesis", "data", base64=True)) == "Place('kinesis', 'data', base64=True)"
    assert make_record("sqs")["body"] == "{}"
