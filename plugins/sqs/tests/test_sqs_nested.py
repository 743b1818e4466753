"""Bodies that hold what another service wrote, and bodies that do not: those are named, with what to read instead."""

from __future__ import annotations

import base64
import copy
import json
import pickle
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest

from batchcore import BatchProcessor
from batchcore_sqs import SQSRecord
from batchcore_sqs.nested import S3Event, S3EventRecord, S3Message, SNSMessage

Sample = Callable[[str], dict[str, Any]]
SECRET = "hunter2"


def s3_event(*keys: str, source: str = "aws:s3") -> dict[str, Any]:
    bucket = {"name": "inbox", "ownerIdentity": {"principalId": "X"}, "arn": "arn:aws:s3:::inbox"}
    return {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": source,
                "awsRegion": "eu-west-1",
                "eventTime": "2026-11-01T10:00:00.000Z",
                "eventName": "ObjectCreated:Put",
                "s3": {"bucket": bucket, "object": {"key": key, "size": 3, "eTag": "e", "sequencer": "00"}},
            }
            for key in keys
        ]
    }


def notification(message: str) -> dict[str, Any]:
    arn = "arn:aws:sns:eu-west-1:123456789012:t"
    return {"Type": "Notification", "MessageId": "n1", "TopicArn": arn, "Message": message, "Timestamp": "2026"}


TEST_EVENT = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2026", "Bucket": SECRET, "HostId": "H"}
CREATED = {"version": "0", "detail-type": "Object Created", "source": "aws.s3", "detail": {"object": {"key": SECRET}}}
SCHEDULED = {"version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
TO_A_FUNCTION = {"Records": [{"EventSource": "aws:sns", "EventVersion": "1.0", "Sns": notification(SECRET)}]}
QUEUED = {"messageId": "1", "receiptHandle": "r", "body": SECRET, "eventSource": "aws:sqs"}
CHANGE = {"eventID": "1", "eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": {"Keys": {}}}
DISCARDED = {"version": "1.0", "requestContext": {"condition": "RetryAttemptsExhausted"}, "KinesisBatchInfo": {}}


def as_sns(body: str) -> Any:
    return SQSRecord({"body": body}).decoded_nested_sns_event.message


def as_s3(body: str) -> Any:
    return [each.s3.object.key for each in SQSRecord({"body": body}).decoded_nested_s3_event.records]


NEITHER = [
    (json.dumps(TEST_EVENT), "the test event that S3 sends .* s3:TestEvent.* return where the event"),
    (json.dumps(CREATED), r'an event of S3 that came by EventBridge.* [Rr]ead record.json_body\["detail"\]'),
    (json.dumps(SCHEDULED), "an EventBridge event"),
    (json.dumps(DISCARDED), "what Lambda sends to a destination"),
    (json.dumps(QUEUED), "a record of aws:sqs"),
    (json.dumps([QUEUED, QUEUED]), "a list of 2 records of aws:sqs, as EventBridge Pipes gives it"),
    (json.dumps(CHANGE), "a record of aws:dynamodb"),
    (json.dumps({"order": SECRET}), "a JSON object that no known service of AWS writes.* [Rr]ead record.json_body"),
    ("{}", "a JSON object that no known service"),
    ("[]", "a list of 0 items"),
    ("7", "body is JSON, but no object that could hold an event: it is a number"),
    ("null", "body is JSON, but no object that could hold an event: it is None, null in JSON"),
    (json.dumps(SECRET), "body is JSON, but no object that could hold an event: it is text"),
    (SECRET, "body is not JSON: .* read record.body"),
    ("", "body is not JSON: .* read record.body"),
    (f"<order>{SECRET}</order>", "It is XML or HTML.* read record.body"),
    (base64.b64encode(json.dumps(CREATED).encode()).decode(), "It is base64 of JSON of an event of S3"),
    (json.dumps(json.dumps(CREATED)), r"JSON of an event of S3.* encoded twice: read json.loads\(record.json_body\)"),
]
NO_NOTIFICATION = [
    *NEITHER,
    (json.dumps(s3_event(SECRET)), "an event with 1 record of aws:s3.* read record.decoded_nested_s3_event"),
    (json.dumps(s3_event(SECRET)["Records"][0]), "a record of aws:s3"),
    (json.dumps(TO_A_FUNCTION), "an event with 1 record of aws:sns"),
    (json.dumps(TO_A_FUNCTION["Records"][0]), r'SNSMessage\(record\["Sns"\]\)'),
    (json.dumps({"order": SECRET}), "raw message delivery"),
    (SECRET, "raw message delivery"),
]
NO_S3_EVENT = [
    *NEITHER,
    (json.dumps(notification(SECRET)), r"an SNS notification.* S3Event\(json.loads\(.*sns_event.message\)\)"),
    (json.dumps(notification(json.dumps(s3_event(SECRET)))), r"an SNS notification.* S3Event\(json.loads"),
    (json.dumps(notification(json.dumps(TEST_EVENT))), "an SNS notification"),
    (json.dumps(TO_A_FUNCTION), "a record of aws:sns"),
    (json.dumps({"Records": [QUEUED]}), "a record of aws:sqs"),
    (json.dumps({"Records": [s3_event(SECRET)["Records"][0], CHANGE]}), "a record of aws:dynamodb"),
    (json.dumps(s3_event(SECRET)["Records"][0]), r"It is one record of such an event: S3EventRecord\("),
    (json.dumps({"Records": SECRET}), "This is not an S3 event notification"),
    (json.dumps({"Records": None}), "This is not an S3 event notification"),
    (json.dumps({"Records": [SECRET]}), "S3EventRecord shows a mapping, and this is none: it is text"),
    (json.dumps({"Records": [None]}), "S3EventRecord shows a mapping, and this is none"),
]


@pytest.mark.parametrize(
    ("read", "body", "says"),
    [(as_sns, *case) for case in NO_NOTIFICATION] + [(as_s3, *case) for case in NO_S3_EVENT],
)
def test_a_body_that_holds_something_else_is_a_value_error_that_says_what_and_quotes_nothing(
    read: Callable[[str], Any], body: str, says: str
) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        read(body)

    assert SECRET not in str(caught.value)
    for twin in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):
        assert (type(twin), str(twin)) == (type(caught.value), str(caught.value))


@pytest.mark.parametrize("body", [TEST_EVENT, CREATED, s3_event("a"), {"order": 1}, TO_A_FUNCTION])
@pytest.mark.parametrize("name", [name for name, kind in vars(SNSMessage).items() if isinstance(kind, property)])
def test_no_property_of_a_notification_is_read_from_something_else(body: dict[str, Any], name: str) -> None:
    with pytest.raises(ValueError, match="This is not an SNS notification"):
        getattr(SQSRecord({"body": json.dumps(body)}).decoded_nested_sns_event, name)


@pytest.mark.parametrize("body", [TEST_EVENT, CREATED, notification("a"), {"order": 1}, [QUEUED]])
@pytest.mark.parametrize("name", [name for name, kind in vars(S3Event).items() if isinstance(kind, property)])
def test_no_property_of_an_s3_event_is_read_from_something_else(body: Any, name: str) -> None:
    with pytest.raises(ValueError, match=r"not an S3 event notification|no object that could hold an event"):
        getattr(SQSRecord({"body": json.dumps(body)}).decoded_nested_s3_event, name)


@pytest.mark.parametrize("name", ["record", "bucket_name", "object_key"])
def test_an_s3_event_without_records_has_no_first_one(name: str) -> None:
    event = S3Event({"Records": []})
    assert list(event.records) == []
    with pytest.raises(ValueError, match="an empty list of records"):
        getattr(event, name)


def test_one_wrong_body_costs_its_message_alone() -> None:
    bodies = [json.dumps(s3_event("a")), json.dumps(TEST_EVENT), json.dumps(s3_event("b", "c"))]
    template = {"eventSource": "aws:sqs", "attributes": {}, "messageAttributes": {}}
    event = {"Records": [{**template, "messageId": f"m{n}", "body": body} for n, body in enumerate(bodies, 1)]}
    result = BatchProcessor("sqs").run(
        event, lambda record: [each.s3.object.decoded_key for each in record.decoded_nested_s3_event.records]
    )
    assert [outcome.value for outcome in result.outcomes] == [["a"], None, ["b", "c"]]
    assert result.response == {"batchItemFailures": [{"itemIdentifier": "m2"}]}


def test_a_test_event_is_known_from_the_body_itself() -> None:
    record = SQSRecord({"body": json.dumps(TEST_EVENT)})
    assert record.json_body.get("Event") == "s3:TestEvent"


def test_an_s3_event_inside_a_notification_is_read_as_the_error_says() -> None:
    record = SQSRecord({"body": json.dumps(notification(json.dumps(s3_event("a+b"))))})
    assert S3Event(json.loads(record.decoded_nested_sns_event.message)).object_key == "a b"


def test_a_notification_as_a_function_gets_it_is_read_as_the_error_says() -> None:
    assert SNSMessage(TO_A_FUNCTION["Records"][0]["Sns"]).message == SECRET


@pytest.mark.parametrize(
    "raw", [{"Message": "m"}, {"Type": "Notification"}, {"TopicArn": "arn"}, {"Message": None, "anything": 1}]
)
def test_a_notification_that_was_written_by_hand_needs_not_have_all(raw: dict[str, Any]) -> None:
    assert SNSMessage(raw) == raw
    assert SNSMessage(MappingProxyType(raw)).subject is None


def test_a_field_that_a_right_body_lacks_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="Timestamp"):
        _ = SNSMessage({"Message": "m"}).timestamp
    with pytest.raises(KeyError, match="object"):
        _ = S3Message({}).object


class S3EventOfChalice:
    """An event object of another library: no mapping."""

    def to_dict(self) -> dict[str, Any]:
        return s3_event("a")


@pytest.mark.parametrize("view", [SQSRecord, SNSMessage, S3Event, S3EventRecord, S3Message])
@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            S3EventOfChalice(),
            r"an object of the class S3EventOfChalice; pass the dictionary that its to_dict\(\) gives",
        ),
        (None, "it is None"),
        (json.dumps(s3_event(SECRET)), "it is JSON of an event with 1 record of aws:s3"),
        ([QUEUED], "it is a list of 1 record of aws:sqs"),
        (f"Records Message s3 {SECRET}", "it is text"),
    ],
)
def test_what_is_no_mapping_is_refused_by_every_view(view: Any, given: Any, says: str) -> None:
    with pytest.raises(ValueError, match=rf"{view.__name__} shows a mapping, and this is none: .*{says}") as caught:
        view(given)
    assert SECRET not in str(caught.value)


def test_the_dictionary_of_an_event_object_is_read_as_the_error_says() -> None:
    assert S3Event(S3EventOfChalice().to_dict()).object_key == "a"


# -- Keys.


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("a.txt", "a.txt"),
        ("in/red+flower%2B1.csv", "in/red flower+1.csv"),
        ("year%3D2026/%C3%BCber+%281%29.csv", "year=2026/über (1).csv"),
        ("%E2%82%AC/100%25", "€/100%"),
        ("a%20b", "a b"),
        ("a%2520b", "a%20b"),
        ("100%", "100%"),
    ],
)
def test_the_key_of_every_record_is_decoded(encoded: str, key: str) -> None:
    event = SQSRecord({"body": json.dumps(s3_event("first", encoded))}).decoded_nested_s3_event
    first, second = event.records
    assert (first.s3.object.key, first.s3.object.decoded_key, event.object_key) == ("first", "first", "first")
    assert (second.s3.object.key, second.s3.object.decoded_key) == (encoded, key)
    assert second.s3.get_object.decoded_key == key


def test_the_key_of_an_event_of_intelligent_tiering_is_decoded() -> None:
    assert S3Message({"get_object": {"key": "a+b"}}).object.decoded_key == "a b"


@pytest.mark.parametrize("key", ["%FF", "%E2%82", "a%C3", None, 7])
def test_a_key_that_s3_did_not_encode_is_an_error_and_no_other_key(key: Any) -> None:
    with pytest.raises(ValueError, match=r"s3\.object\.key is no text that S3 encoded"):
        _ = S3Message({"object": {"key": key}}).object.decoded_key


# -- JSON bodies.


@pytest.mark.parametrize("body", ['\ufeff{"a": 1}', '\ufeff {"a": 1}'])
def test_a_byte_order_mark_before_json_is_skipped(body: str) -> None:
    assert SQSRecord({"body": body}).json_body == {"a": 1}


def test_a_nested_event_may_have_a_byte_order_mark() -> None:
    assert as_sns("\ufeff" + json.dumps(notification("hi"))) == "hi"
