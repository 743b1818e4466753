"""What services of AWS, on a local server, put into one another's records, on the whole way to a handler."""

from __future__ import annotations

import json
import time
import uuid
from base64 import b64encode
from typing import Any

import pytest

import batchcore_envelopes as envelopes
from batchcore import BatchProcessor
from batchcore_envelopes import (
    EVENT_BRIDGE,
    GZIP,
    LOGS,
    S3,
    SNS,
    CloudWatchLogsData,
    EventBridgeEvent,
    S3Payloads,
    inside,
)
from batchcore_local import lambda_record
from batchcore_local.server import LocalAws
from batchcore_sqs import SQSRecord
from batchcore_sqs.nested import S3Event, SNSMessage
from batchcore_testing import make_event

pytestmark = pytest.mark.usefixtures("_aws_environment")


class Way:
    """A queue at the end of it, and what stands before that."""

    def __init__(self, clients: dict[str, Any]) -> None:
        self.name = f"n-{uuid.uuid4()}"
        self.sqs, self.sns, self.s3, self.events = (clients[name] for name in ("sqs", "sns", "s3", "events"))
        self.url = self.sqs.create_queue(QueueName=self.name)["QueueUrl"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])
        self.arn = attributes["Attributes"]["QueueArn"]

    def topic(self) -> str:
        """Make a topic that the queue subscribes to."""
        arn: str = self.sns.create_topic(Name=self.name)["TopicArn"]
        self.sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=self.arn)
        return arn

    def event(self) -> dict[str, Any]:
        """Take all there is, and make the event of it that Lambda would make."""
        messages = self.sqs.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=10,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return {"Records": [lambda_record(message, self.arn) for message in messages]}

    def run(self, handler: Any, *opened: Any) -> Any:
        event = self.event()
        return BatchProcessor("sqs", plugins=[envelopes.open(*opened)]).run(event, handler)


@pytest.fixture(scope="module")
def clients(aws: LocalAws) -> dict[str, Any]:
    return {name: aws.client(name) for name in ("sqs", "sns", "s3", "events")}


@pytest.fixture
def way(clients: dict[str, Any]) -> Way:
    return Way(clients)


def test_a_message_that_was_published(way: Way) -> None:
    topic = way.topic()
    way.sns.publish(TopicArn=topic, Message="héllo", Subject="greeting")
    result = way.run(lambda record: (record.body, inside(record, SNSMessage).subject), SNS)
    assert result.return_values == [("héllo", "greeting")]


def test_objects_that_a_bucket_tells_a_queue_and_a_topic_of(way: Way) -> None:
    way.s3.create_bucket(Bucket=way.name)
    for target, opened in (({"QueueArn": way.arn}, (S3,)), ({"TopicArn": way.topic()}, (SNS, S3))):
        kind = "QueueConfigurations" if "QueueArn" in target else "TopicConfigurations"
        configuration = {kind: [{**target, "Events": ["s3:ObjectCreated:*"]}]}
        way.s3.put_bucket_notification_configuration(Bucket=way.name, NotificationConfiguration=configuration)
        way.s3.put_object(Bucket=way.name, Key="in/red flower+é.csv", Body=b"12345")

        def handler(record: SQSRecord) -> Any:
            return [(each.s3.object.decoded_key, each.s3.object.size) for each in inside(record, S3Event).records]

        result = way.run(handler, *opened)
        assert result.counts() == {"dropped": 1, "succeeded": 1}, "the test event of S3 among them"
        assert result.return_values == [[("in/red flower+é.csv", 5)]]


def test_an_event_that_a_rule_sends_to_a_queue(way: Way) -> None:
    pytest.importorskip("jsonpath_ng")  # which moto's EventBridge needs, and its pins for Python 3.15 leave out
    way.events.put_rule(Name=way.name, EventPattern=json.dumps({"source": [way.name]}))
    way.events.put_targets(Rule=way.name, Targets=[{"Id": "1", "Arn": way.arn}])
    detail = json.dumps({"order": 17})
    way.events.put_events(Entries=[{"Source": way.name, "DetailType": "Order", "Detail": detail}])
    result = way.run(lambda record: (record.json_body, inside(record, EventBridgeEvent).detail_type), EVENT_BRIDGE)
    assert result.return_values == [({"order": 17}, "Order")]


def test_log_events_that_a_subscription_writes_to_a_stream(way: Way, aws: LocalAws) -> None:
    kinesis, logs = aws.client("kinesis"), aws.client("logs")
    kinesis.create_stream(StreamName=way.name, ShardCount=1)
    stream = kinesis.describe_stream(StreamName=way.name)["StreamDescription"]
    logs.create_log_group(logGroupName=way.name)
    logs.create_log_stream(logGroupName=way.name, logStreamName="s")
    logs.put_subscription_filter(
        logGroupName=way.name,
        filterName="all",
        filterPattern="",
        destinationArn=stream["StreamARN"],
        roleArn="arn:aws:iam::123456789012:role/r",
    )
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": "first"}, {"timestamp": now + 1, "message": "sécond"}]
    logs.put_log_events(logGroupName=way.name, logStreamName="s", logEvents=events)
    first = kinesis.get_shard_iterator(
        StreamName=way.name, ShardId=stream["Shards"][0]["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    written = [record["Data"] for record in kinesis.get_records(ShardIterator=first)["Records"]]

    def handler(record: Any) -> Any:
        data = inside(record, CloudWatchLogsData)
        return data.log_group, [event.message for event in data.log_events]

    result = BatchProcessor("kinesis", plugins=[envelopes.open(LOGS)]).run(make_event("kinesis", *written), handler)
    assert result.return_values == [(way.name, ["first", "sécond"])]


def test_all_at_once_a_compressed_payload_in_s3_of_a_message_that_was_published(way: Way) -> None:
    import gzip

    topic = way.topic()
    way.s3.create_bucket(Bucket=way.name)
    for number in range(3):
        squeezed = b64encode(gzip.compress(f"order {number}".encode()))
        way.s3.put_object(Bucket=way.name, Key=str(number), Body=squeezed)
        body = [
            "software.amazon.payloadoffloading.PayloadS3Pointer",
            {"s3BucketName": way.name, "s3Key": str(number)},
        ]
        size = {"ExtendedPayloadSize": {"DataType": "Number", "StringValue": str(len(squeezed))}}
        way.sns.publish(TopicArn=topic, Message=json.dumps(body), MessageAttributes=size)
    result = way.run(lambda record: record.body, SNS, S3Payloads([way.name], delete=True), GZIP)
    assert sorted(result.return_values) == ["order 0", "order 1", "order 2"]
    assert way.s3.list_objects_v2(Bucket=way.name).get("KeyCount") == 0
