"""A message becomes the record that Lambda would make of it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchcore_local import Reading, SqsPoller, lambda_record
from batchcore_local.server import LocalAws

EVENTS = Path(__file__).parents[3] / "tests" / "events"

ARN = "arn:aws:sqs:us-east-2:123456789012:my-queue"

# A record as the AWS Lambda developer guide shows it, and the message it must have been.
AWS_SAMPLE = {
    "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
    "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
    "body": "Test message.",
    "attributes": {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1545082649183",
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": "1545082649185",
    },
    "messageAttributes": {
        "myAttribute": {
            "stringValue": "myValue",
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        }
    },
    "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
    "eventSource": "aws:sqs",
    "eventSourceARN": ARN,
    "awsRegion": "us-east-2",
}
MESSAGE: dict[str, Any] = {
    "MessageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
    "ReceiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
    "Body": "Test message.",
    "Attributes": {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1545082649183",
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": "1545082649185",
    },
    "MessageAttributes": {"myAttribute": {"StringValue": "myValue", "DataType": "String"}},
    "MD5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
}


def test_a_record_equals_awss_own_sample() -> None:
    assert lambda_record(MESSAGE, ARN) == AWS_SAMPLE


def message_of(record: dict[str, Any]) -> dict[str, Any]:
    """Undo the reshaping, by hand: the message that must have become this record."""
    return {
        "MessageId": record["messageId"],
        "ReceiptHandle": record["receiptHandle"],
        "Body": record["body"],
        "Attributes": record["attributes"],
        "MD5OfBody": record["md5OfBody"],
    }


@pytest.mark.parametrize("name", ["sqsEvent", "snsSqsEvent", "snsSqsFifoEvent", "sqsDlqTriggerEvent"])
def test_a_record_equals_the_samples_of_awss_events(name: str) -> None:
    records: list[dict[str, Any]] = json.loads((EVENTS / f"{name}.json").read_text())["Records"]
    for record in records:
        plain = {**record, "messageAttributes": {}}  # the sample with attributes has lists left out and no base64
        assert lambda_record(message_of(record), record["eventSourceARN"]) == plain


def test_a_message_with_nothing_but_a_body_has_empty_attributes() -> None:
    bare = {key: value for key, value in MESSAGE.items() if "Attributes" not in key}
    record = lambda_record(bare, ARN)
    assert record["attributes"] == {}
    assert record["messageAttributes"] == {}
    assert "md5OfMessageAttributes" not in record


def test_lists_of_values_are_carried_over() -> None:
    lists = {"StringListValues": ["a"], "BinaryListValues": [b"\x00\xff"], "DataType": "String"}
    record = lambda_record({**MESSAGE, "MessageAttributes": {"lists": lists}}, ARN)
    assert record["messageAttributes"]["lists"] == {
        "stringListValues": ["a"],
        "binaryListValues": ["AP8="],
        "dataType": "String",
    }


def receive(aws: LocalAws, url: str, **options: Any) -> Any:
    return SqsPoller(aws, url, wait_seconds=0, **options).receive()


def test_a_message_with_attributes_of_all_types_arrives_in_lambdas_shape(
    aws: LocalAws, sqs: Any, make_queue: Callable[..., str]
) -> None:
    url = make_queue()
    body = '{"naïve": "✓"}'
    sent = sqs.send_message(
        QueueUrl=url,
        MessageBody=body,
        MessageAttributes={
            "text": {"DataType": "String.name", "StringValue": "tea"},
            "number": {"DataType": "Number", "StringValue": "1.50"},
            "bytes": {"DataType": "Binary", "BinaryValue": bytes(range(256))},
        },
        MessageSystemAttributes={
            "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793"}
        },
    )
    (record,) = receive(aws, url).event["Records"]

    assert json.loads(json.dumps(record)) == record  # nothing but JSON values
    assert record["messageId"] == sent["MessageId"]
    assert record["body"] == body
    assert record["md5OfBody"] == hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()
    assert record["md5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert record["messageAttributes"] == {
        "text": {"stringValue": "tea", "stringListValues": [], "binaryListValues": [], "dataType": "String.name"},
        "number": {"stringValue": "1.50", "stringListValues": [], "binaryListValues": [], "dataType": "Number"},
        "bytes": {
            "binaryValue": base64.b64encode(bytes(range(256))).decode(),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "Binary",
        },
    }
    assert record["attributes"].keys() == {*AWS_SAMPLE["attributes"], "AWSTraceHeader"}
    assert all(isinstance(value, str) for value in record["attributes"].values())
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"].endswith(url.rpartition("/")[2])
    assert record["awsRegion"] == aws.region


def test_a_record_has_the_keys_of_awss_sample(aws: LocalAws, sqs: Any, make_queue: Callable[..., str]) -> None:
    url = make_queue()
    sqs.send_message(QueueUrl=url, MessageBody="x")
    (record,) = receive(aws, url).event["Records"]
    assert record.keys() == AWS_SAMPLE.keys()
    assert record["attributes"].keys() == AWS_SAMPLE["attributes"].keys()


def test_a_message_of_a_fifo_queue_says_its_group(aws: LocalAws, sqs: Any, make_queue: Callable[..., str]) -> None:
    url = make_queue(suffix=".fifo", FifoQueue="true")
    sqs.send_message(QueueUrl=url, MessageBody="x", MessageGroupId="red", MessageDeduplicationId="1")
    (record,) = receive(aws, url).event["Records"]
    assert record["attributes"]["MessageGroupId"] == "red"
    assert record["attributes"]["MessageDeduplicationId"] == "1"
    assert record["attributes"]["SequenceNumber"].isdigit()
    assert record["eventSourceARN"].endswith(".fifo")


def test_an_empty_queue_gives_nothing(aws: LocalAws, make_queue: Callable[..., str]) -> None:
    assert receive(aws, make_queue()) is None


def test_a_batch_is_no_larger_than_was_asked_for(aws: LocalAws, sqs: Any, make_queue: Callable[..., str]) -> None:
    url = make_queue(VisibilityTimeout="30")
    for number in range(4):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    assert [len(receive(aws, url, batch_size=3).identifiers) for _ in range(2)] == [3, 1]


@pytest.mark.parametrize("size", [0, 11])
def test_a_batch_size_that_sqs_refuses_is_refused_here(aws: LocalAws, size: int) -> None:
    with pytest.raises(ValueError, match="choose 1 to 10"):
        SqsPoller(aws, "http://127.0.0.1/no-queue", batch_size=size)


def test_settling_deletes_what_did_not_fail_and_leaves_what_did(
    aws: LocalAws, sqs: Any, make_queue: Callable[..., str]
) -> None:
    url = make_queue()
    poller = SqsPoller(aws, url, wait_seconds=0)
    for number in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=str(number))
    delivery = poller.receive()
    assert delivery is not None
    assert delivery.redelivered == 0
    failed = delivery.identifiers[1]
    poller.settle(delivery, Reading(frozenset({failed})))

    again = poller.receive()
    assert again is not None
    assert again.identifiers == [failed]
    assert again.redelivered == 1


def test_depth_counts_visible_messages_those_in_flight_and_delayed_ones(
    aws: LocalAws, sqs: Any, make_queue: Callable[..., str]
) -> None:
    url = make_queue(VisibilityTimeout="30")
    poller = SqsPoller(aws, url, batch_size=1, wait_seconds=0)
    sqs.send_message(QueueUrl=url, MessageBody="in flight")
    assert poller.receive() is not None
    sqs.send_message(QueueUrl=url, MessageBody="visible")
    sqs.send_message(QueueUrl=url, MessageBody="delayed", DelaySeconds=60)
    assert poller.depth() == 3
