"""Each kind of envelope: what AWS puts into it, what else may be there, and what is said of that."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from datetime import datetime, timezone
from typing import Any

import pytest

import batchcore_envelopes as envelopes
from batchcore import BatchProcessor
from batchcore_envelopes import (
    CHANGES,
    EVENT_BRIDGE,
    GZIP,
    LOGS,
    S3,
    SNS,
    CloudWatchLogsData,
    EventBridgeEvent,
    LogsEnvelope,
    S3Envelope,
    TableChange,
    inside,
)
from batchcore_sqs.nested import S3Event
from batchcore_testing import make_event

QUIET = {"raise_on_entire_batch_failure": False}
TEST_EVENT = {
    "Service": "Amazon S3",
    "Event": "s3:TestEvent",
    "Time": "2026-11-01T10:00:00.000Z",
    "Bucket": "inbox",
    "RequestId": "R",
    "HostId": "H",
}
# What an event of EventBridge has, by AWS's page on its structure.
OBJECT_CREATED = {
    "version": "0",
    "id": "17793124-05d4-b198-2fde-7ededc63b103",
    "detail-type": "Object Created",
    "source": "aws.s3",
    "account": "111122223333",
    "time": "2026-11-12T00:00:00Z",
    "region": "eu-west-1",
    "resources": ["arn:aws:s3:::inbox"],
    "detail": {
        "version": "0",
        "bucket": {"name": "inbox"},
        "object": {"key": "in/red flower+1.csv", "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184"},
        "reason": "PutObject",
    },
}
CHANGE = {
    "awsRegion": "eu-west-1",
    "eventID": "68fd194b-c8ab-4b46-b42b-7ee0e4e4f1a2",
    "eventName": "MODIFY",
    "userIdentity": None,
    "recordFormat": "application/json",
    "tableName": "orders",
    "dynamodb": {
        "ApproximateCreationDateTime": 1795000000123,
        "Keys": {"id": {"S": "17"}},
        "NewImage": {"id": {"S": "17"}, "price": {"N": "1.10"}},
        "OldImage": {"id": {"S": "17"}, "price": {"N": "1.00"}},
        "SizeBytes": 40,
    },
    "eventSource": "aws:dynamodb",
}


def messages(*contents: Any) -> Any:
    return make_event("sqs", *(each if isinstance(each, str) else json.dumps(each) for each in contents))


def error_of(plugin: Any, event: Any, source: str = "sqs") -> str:
    (failure,) = BatchProcessor(source, plugins=[plugin], **QUIET).run(event, lambda record: None).failures
    assert isinstance(failure.exception, ValueError)
    return str(failure.exception)


# S3.


def objects(record: Any) -> list[str]:
    return [each.s3.object.decoded_key for each in inside(record, S3Event).records]


def test_all_objects_of_one_notification_are_there(sample: Any) -> None:
    notification = json.loads(sample("s3SqsEvent")["Records"][0]["body"])
    (first,) = notification["Records"]
    second = {**first, "s3": {**first["s3"], "object": {**first["s3"]["object"], "key": "in/red+flower%2B1.csv"}}}
    notification["Records"] = [first, second]
    result = BatchProcessor("sqs", plugins=[envelopes.open(S3)]).run(messages(notification), objects)
    assert result.return_values == [["test.pdf", "in/red flower+1.csv"]]


def test_the_test_event_of_s3_is_done_and_calls_no_handler(sample: Any) -> None:
    event = sample("s3SqsEvent")
    event["Records"] = [*messages(TEST_EVENT)["Records"], *event["Records"]]
    result = BatchProcessor("sqs", plugins=[envelopes.open(S3)]).run(event, objects)
    assert [(each.status, each.value) for each in result.outcomes] == [("dropped", None), ("succeeded", ["test.pdf"])]
    assert result.response == {"batchItemFailures": []}


def test_the_test_event_is_handled_where_that_is_asked_for() -> None:
    plugin = envelopes.open(SNS, S3Envelope(test_events="handle"))
    event = messages({"TopicArn": "t", "Message": json.dumps(TEST_EVENT)})
    result = BatchProcessor("sqs", plugins=[plugin]).run(event, lambda r: (objects(r), r.json_body["Event"]))
    assert result.return_values == [([], "s3:TestEvent")]


def test_what_is_no_notification_of_s3_is_named(sample: Any) -> None:
    sns = sample("snsSqsEvent")["Records"][0]["body"]
    assert error_of(envelopes.open(S3), messages(sns)) == (
        "body holds no S3 event notification: it is an SNS notification. Name SNS before it: open(SNS, ...)."
    )
    assert "Name EVENT_BRIDGE before it" in error_of(envelopes.open(S3), messages(OBJECT_CREATED))
    assert error_of(envelopes.open(EVENT_BRIDGE, S3), messages(OBJECT_CREATED)).startswith(
        "body.detail holds no S3 event notification: it is a JSON object that no known service of AWS writes. It is "
        "what S3 tells EventBridge"
    )
    assert "an event with 1 record of aws:sqs" in error_of(envelopes.open(S3), messages(messages("x")))
    assert error_of(envelopes.open(S3), messages("secret")) == "body holds no S3 event notification: it is text."


# SNS.


def test_what_is_no_notification_of_sns_is_named() -> None:
    raw = error_of(envelopes.open(SNS), messages({"order": "secret"}))
    assert raw == (
        "body holds no SNS notification: it is a JSON object that no known service of AWS writes. Where the "
        "subscription has raw message delivery, there is no notification around the message: leave SNS out of open()."
    )
    assert "it is the test event that S3 sends" in error_of(envelopes.open(SNS), messages(TEST_EVENT))
    twice = {"TopicArn": "t", "Message": "secret"}
    assert error_of(envelopes.open(SNS, SNS), messages(twice)).startswith("body.Message holds no SNS notification")


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_what_sns_sends_about_a_subscription_is_no_message_that_was_published(kind: str) -> None:
    """A queue of another account gets one: its ``Message`` is a text of SNS's own, and nobody's order."""
    about = {
        "Type": kind,
        "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
        "Token": "secret-token",
        "TopicArn": "arn:aws:sns:eu-west-1:123456789012:orders",
        "Message": "You have chosen to subscribe to the topic. Visit the SubscribeURL included in this message.",
        "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=secret-token",
    }
    said = error_of(envelopes.open(SNS), messages(about))
    assert said.startswith(
        f"body holds no SNS notification: it is what SNS sends about the subscription itself, {kind}. "
    )
    assert "SubscribeURL" in said
    assert "secret" not in said


def test_a_kind_of_message_that_is_not_known_is_quoted_nowhere() -> None:
    for kind in ("secret", 17, ["secret"], None):
        event = messages({"Type": kind, "TopicArn": "t", "Message": "m"})
        assert "secret" not in error_of(envelopes.open(SNS), event)


# EventBridge.


def test_an_event_of_eventbridge_is_read_in_a_queue_and_in_a_stream() -> None:
    def handler(record: Any) -> Any:
        event = inside(record, EventBridgeEvent)
        assert (event.version, event.account, event.region) == ("0", "111122223333", "eu-west-1")
        assert (event.time, event.resources, event.replay_name) == (
            "2026-11-12T00:00:00Z",
            ["arn:aws:s3:::inbox"],
            None,
        )
        assert event.id.startswith("17793124")
        content = record.json_body if source == "sqs" else record.kinesis.data_as_json()
        assert content == event.detail
        return event.source, event.detail_type, event.detail["object"]["key"]

    for source in ("sqs", "kinesis"):
        event = make_event(source, json.dumps(OBJECT_CREATED))
        result = BatchProcessor(source, plugins=[envelopes.open(EVENT_BRIDGE)]).run(event, handler)
        assert result.return_values == [("aws.s3", "Object Created", "in/red flower+1.csv")]


def test_what_is_no_event_of_eventbridge_is_named() -> None:
    said = error_of(envelopes.open(EVENT_BRIDGE), messages(OBJECT_CREATED["detail"]))
    assert said.startswith("body holds no EventBridge event: it is a JSON object")
    assert "Where the rule sends a part of the event" in said


# CloudWatch Logs.


def logs(kind: str = "DATA_MESSAGE", *texts: str) -> bytes:
    events = [{"id": str(at), "timestamp": 1795000000000 + at, "message": text} for at, text in enumerate(texts)]
    return gzip.compress(
        json.dumps(
            {
                "messageType": kind,
                "owner": "123456789012",
                "logGroup": "orders",
                "logStream": "s",
                "subscriptionFilters": ["f"],
                "logEvents": events,
            }
        ).encode()
    )


def test_log_events_of_aws_are_read(sample: Any) -> None:
    event = sample("kinesisStreamCloudWatchLogsEvent")

    def handler(record: Any) -> Any:
        data = inside(record, CloudWatchLogsData)
        assert record.kinesis.data_as_json() == dict(data)
        assert data.message_type == "DATA_MESSAGE"
        first = data.log_events[0]
        assert first.extracted_fields == {}
        assert data.policy_level is None
        return data.log_group, data.log_stream, data.owner, data.subscription_filters, len(data.log_events), first.id

    result = BatchProcessor("kinesis", plugins=[envelopes.open(LOGS)]).run(event, handler)
    for record, value in zip(event["Records"], result.return_values, strict=True):
        written = json.loads(gzip.decompress(base64.b64decode(record["kinesis"]["data"])))
        assert value == (
            written["logGroup"],
            written["logStream"],
            written["owner"],
            written["subscriptionFilters"],
            len(written["logEvents"]),
            written["logEvents"][0]["id"],
        )


def test_a_control_message_is_done_and_calls_no_handler() -> None:
    event = make_event("kinesis", logs("CONTROL_MESSAGE", "CWL CONTROL MESSAGE"), logs("DATA_MESSAGE", "a", "b"))

    def handler(record: Any) -> Any:
        return [(each.message, each.timestamp) for each in inside(record, CloudWatchLogsData).log_events]

    result = BatchProcessor("kinesis", plugins=[envelopes.open(LOGS)]).run(event, handler)
    assert [each.status for each in result.outcomes] == ["dropped", "succeeded"]
    assert result.return_values == [[("a", 1795000000000), ("b", 1795000000001)]]
    plugin = envelopes.open(LogsEnvelope(control_messages="handle"))
    result = BatchProcessor("kinesis", plugins=[plugin]).run(event, handler)
    assert len(result.return_values) == 2


def test_what_are_no_log_events_is_named() -> None:
    assert error_of(envelopes.open(LOGS), make_event("kinesis", gzip.compress(b"[]")), "kinesis") == (
        "kinesis.data holds no data of a subscription of CloudWatch Logs: it is a list of 0 items."
    )
    assert "is not compressed by gzip or zlib" in error_of(envelopes.open(LOGS), make_event("kinesis", "{}"), "kinesis")
    bounded = envelopes.open(LogsEnvelope(largest=50))
    assert "is more than 50 bytes when decompressed" in error_of(bounded, make_event("kinesis", logs()), "kinesis")


# Changes of a table.


def test_a_change_has_all_but_what_a_kinesis_stream_has_not() -> None:
    def handler(record: Any) -> Any:
        change = inside(record, TableChange)
        assert change.dynamodb.sequence_number is None
        assert change.dynamodb.stream_view_type is None
        assert change.event_source_arn is None
        assert change.dynamodb.approximate_creation_date_time == 1795000000
        assert change.record_format == "application/json"
        assert not change.user_identity
        return change.table_name, change.event_name, change.dynamodb.new_image, change.dynamodb.keys

    event = make_event("kinesis", json.dumps(CHANGE))
    ((table, name, image, keys),) = (
        BatchProcessor("kinesis", plugins=[envelopes.open(CHANGES)]).run(event, handler).return_values
    )
    assert (table, name.value, str(image["price"]), keys) == ("orders", "MODIFY", "1.10", {"id": "17"})


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (1795000000, "2026-11-18T11:06:40+00:00"),
        (1795000000.5, "2026-11-18T11:06:40.500000+00:00"),
        (1795000000123, "2026-11-18T11:06:40.123000+00:00"),
        (1795000000123456, "2026-11-18T11:06:40.123456+00:00"),
    ],
)
def test_the_time_of_a_change_is_exact(time: float, expected: str) -> None:
    change = TableChange({"dynamodb": {"ApproximateCreationDateTime": time}})
    assert change.created_at == datetime.fromisoformat(expected).astimezone(timezone.utc)


def test_a_time_that_is_none_is_none_and_a_wrong_one_an_error() -> None:
    assert TableChange({"dynamodb": {}}).created_at is None
    for wrong in ("soon", True):
        with pytest.raises(ValueError, match="is not a number, but of type"):
            _ = TableChange({"dynamodb": {"ApproximateCreationDateTime": wrong}}).created_at


def test_what_is_no_change_is_named() -> None:
    said = error_of(envelopes.open(CHANGES), make_event("kinesis", '{"order": "secret"}'), "kinesis")
    assert said == ("kinesis.data holds no change of a table: it is a JSON object that no known service of AWS writes.")
    squeezed = make_event("kinesis", gzip.compress(json.dumps(CHANGE).encode()))
    assert "Name GZIP before it: open(GZIP, ...)" in error_of(envelopes.open(CHANGES), squeezed, "kinesis")
    result = BatchProcessor("kinesis", plugins=[envelopes.open(GZIP, CHANGES)]).run(
        squeezed, lambda record: inside(record, TableChange).table_name
    )
    assert result.return_values == ["orders"]


# All of them.


@pytest.mark.parametrize("envelope", [SNS, S3, EVENT_BRIDGE, CHANGES], ids=repr)
def test_a_pointer_to_a_payload_that_nobody_reads_is_named(envelope: Any) -> None:
    pointer = ["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "secret", "s3Key": "secret"}]
    said = error_of(envelopes.open(envelope), messages(pointer))
    assert said.startswith(f"body holds no {envelope.name}: it is a pointer to a payload in S3. Name S3Payloads before")
    assert "secret" not in said


def test_a_byte_order_mark_is_no_reason_to_fail() -> None:
    marked = "\ufeff" + json.dumps(CHANGE)
    result = BatchProcessor("kinesis", plugins=[envelopes.open(CHANGES)]).run(
        make_event("kinesis", marked), lambda record: inside(record, TableChange).table_name
    )
    assert result.return_values == ["orders"]
    bridged = "\ufeff" + json.dumps(OBJECT_CREATED)
    result = BatchProcessor("sqs", plugins=[envelopes.open(EVENT_BRIDGE)]).run(
        messages(bridged), lambda record: record.json_body["reason"]
    )
    assert result.return_values == ["PutObject"]


def test_no_view_is_imported_before_it_is_asked_for() -> None:
    program = (
        "import sys, json, batchcore_envelopes as e\n"
        "from batchcore import BatchProcessor\n"
        "from batchcore_kinesis import KinesisStreamRecord\n"
        "BatchProcessor('kinesis', plugins=[e.open(e.SNS, e.S3)])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout)
    assert not {"batchcore_sqs", "batchcore_dynamodb", "botocore", "boto3", "pydantic", "asyncio"} & set(loaded)


def test_a_view_of_a_package_that_is_not_installed_names_the_package() -> None:
    program = (
        "import sys\n"
        "sys.modules['batchcore_dynamodb'] = sys.modules['batchcore_sqs'] = None\n"
        "import batchcore_envelopes as e\n"
        "for each in (e.SNS, e.S3, e.CHANGES):\n"
        "    try: each.view()\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
    )
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert said.splitlines() == [
        f"ConfigurationError This view is of {name}, which is not installed: pip install {name}."
        for name in ("batchcore-sqs", "batchcore-sqs", "batchcore-dynamodb")
    ]
