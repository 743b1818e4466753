#!/usr/bin/env bash
# moto 5.2.5 (boto3 1.44.8): a FIFO queue with one group, A0 to A5, and a consumer that takes three at a time. Its visibility
# timeout runs out with nothing deleted. One would guess that the three come again, in order. What comes first is the last of
# the three with what lies behind it: A2 A3 A4, then A4 A5, then A5; A0 and A1 are passed over. Set back to a visibility of
# 0 by hand the three come again rightly, so it is the time running out alone. A consumer that is tested against it sees its
# order broken after a failed batch, and its author looks for the fault in the consumer.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install 'moto[sqs]==5.2.5' boto3==1.44.8

export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=eu-west-1
"$folder/env/bin/python" - <<'PROGRAM'
import time

import boto3
from moto import mock_aws


def received(name, again):
    """Return the bodies of three receives of up to three messages, of which nothing is deleted."""
    options = {"FifoQueue": "true", "ContentBasedDeduplication": "true", "VisibilityTimeout": "3"}
    queue = sqs.create_queue(QueueName=f"{name}.fifo", Attributes=options)["QueueUrl"]
    for number in range(6):
        sqs.send_message(QueueUrl=queue, MessageBody=f"A{number}", MessageGroupId="A")
    batches = []
    for _ in range(3):
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=3).get("Messages", [])
        assert sqs.receive_message(QueueUrl=queue).get("Messages", []) == []  # the group is blocked meanwhile
        batches.append(" ".join(each["Body"] for each in messages))
        again(queue, messages)
    return batches


def wait(queue, messages):
    time.sleep(3.5)


def set_back(queue, messages):
    for each in messages:
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0)


with mock_aws():
    sqs = boto3.client("sqs")
    assert received("by-hand", set_back) == ["A0 A1 A2"] * 3
    seen = received("by-time", wait)
    assert seen == ["A0 A1 A2", "A2 A3 A4", "A4 A5"], seen
PROGRAM
echo "As seen: once their time is over, A0 A1 A2 are followed by A2 A3 A4 and A4 A5."
