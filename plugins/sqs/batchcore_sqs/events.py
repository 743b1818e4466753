"""Events of Amazon SQS for tests, in the shape in which Lambda delivers them."""

from __future__ import annotations

import hashlib
import json
import uuid
from base64 import b64encode
from typing import Any

from batchcore_testing import EventFactory, Sent

_FIRST_SEQUENCE_NUMBER = 18_850_496_460_000_000_000
_ACCOUNT = "123456789012"


class SQSEvents(EventFactory):
    """Makes messages of SQS.

    The content is the body: text as it is, anything else as JSON. A queue whose name ends in ``.fifo`` is a FIFO queue;
    the key of a message is its group.

    See "Using Lambda with Amazon SQS" in the AWS Lambda developer guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        body = sent.content if isinstance(sent.content, str) else json.dumps(sent.content)
        received_at = sent.sent_at if sent.first_received_at is None else sent.first_received_at
        attributes = {
            "ApproximateReceiveCount": str(sent.attempt),
            "SentTimestamp": _milliseconds(sent.sent_at),
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": _milliseconds(received_at),
        }
        if sent.resource.endswith(".fifo"):
            attributes |= {
                "SequenceNumber": str(_FIRST_SEQUENCE_NUMBER + 256 * sent.sequence),
                "MessageDeduplicationId": hashlib.sha256(f"{sent.number} {body}".encode()).hexdigest(),
            }
        if sent.key is not None:
            attributes["MessageGroupId"] = sent.key
        return {
            "messageId": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{sent.resource} {sent.number}")),
            "receiptHandle": b64encode(f"{sent.resource} {sent.number} {sent.attempt}".encode()).decode(),
            "body": body,
            "attributes": attributes,
            "messageAttributes": {},
            "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-west-1:{_ACCOUNT}:{sent.resource}",
            "awsRegion": "eu-west-1",
        }


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
