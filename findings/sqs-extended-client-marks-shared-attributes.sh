#!/usr/bin/env bash
# amazon-sqs-extended-client 1.0.1 (boto3 1.44.8, moto 5.2.5): a body that is too large for SQS goes to S3, and the attribute
# ExtendedPayloadSize marks that message. One would guess in a copy. The client writes the mark into the caller's own
# dictionary, so all messages that share it bear the mark, also the small ones, which point to nothing in S3.
# receive_message then raises JSONDecodeError for the whole request: none of up to ten messages comes back, each time again,
# until the queue's redrive policy moves them away. And the next large message with these attributes is refused.
# Whoever forwards records with common attributes must give each a copy of its own.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install \
    amazon-sqs-extended-client==1.0.1 boto3==1.44.8 'moto[s3,sqs]==5.2.5'

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
"$folder/env/bin/python" - <<'PROGRAM'
import json

from moto import mock_aws
from sqs_extended_client import SQSExtendedClientSession
from sqs_extended_client.exceptions import SQSExtendedClientException

LARGE = "x" * 300_000


def attributes():
    return {"shop": {"DataType": "String", "StringValue": "north"}}


def send(queue, *pairs):
    entries = [
        {"Id": str(number), "MessageBody": body, "MessageAttributes": common} for number, (body, common) in enumerate(pairs)
    ]
    sqs.send_message_batch(QueueUrl=queue, Entries=entries)


with mock_aws():
    session = SQSExtendedClientSession()
    session.client("s3").create_bucket(Bucket="orders")
    sqs = session.client("sqs")
    sqs.large_payload_support = "orders"

    queue = sqs.create_queue(QueueName="apart")["QueueUrl"]
    send(queue, (LARGE, attributes()), ("small", attributes()))
    received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert sorted(len(each["Body"]) for each in received) == [5, 300_000]

    queue = sqs.create_queue(QueueName="shared", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    common = attributes()
    send(queue, (LARGE, common), ("small", common))
    assert common["ExtendedPayloadSize"]["StringValue"] == "300000", common
    for _ in range(3):
        try:
            sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        except json.JSONDecodeError:
            continue
        raise AssertionError("the messages were received")
    try:
        sqs.send_message(QueueUrl=queue, MessageBody=LARGE, MessageAttributes=common)
    except SQSExtendedClientException as error:
        assert "reserved" in str(error), error
    else:
        raise AssertionError("a second large message was sent")
PROGRAM
echo "As seen: a large and a small message that share their attributes cannot be received, those with two copies can."
