"""Lambda events in AWS's shape."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def sqs_record(message_id: str, body: Any) -> dict[str, Any]:
    """Make one record of a standard queue; a body that is no string is written as JSON."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        "messageId": message_id,
        "receiptHandle": f"AQEB{message_id}",
        "body": text,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1545082649183",
            "SenderId": "AIDAIENQZJOLO23YVJ4VO",
            "ApproximateFirstReceiveTimestamp": "1545082649185",
        },
        "messageAttributes": {},
        "md5OfBody": hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:orders",
        "awsRegion": "eu-central-1",
    }


def sqs_event(**bodies: Any) -> dict[str, Any]:
    """Make an event of a standard queue: message ids to bodies."""
    return {"Records": [sqs_record(message_id, body) for message_id, body in bodies.items()]}


def dynamodb_event() -> dict[str, Any]:
    """Make an event of a table's stream, with one inserted item."""
    return {
        "Records": [
            {
                "eventID": "c81e728d9d4c2f636f067f89cc14862c",
                "eventName": "INSERT",
                "eventVersion": "1.1",
                "eventSource": "aws:dynamodb",
                "awsRegion": "eu-central-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": 1693997155.0,
                    "Keys": {"Id": {"N": "101"}},
                    "NewImage": {"Id": {"N": "101"}, "Message": {"S": "New item!"}},
                    "SequenceNumber": "4421584500000000017450439091",
                    "SizeBytes": 26,
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
                "eventSourceARN": "arn:aws:dynamodb:eu-central-1:123456789012:table/orders/stream/2026-06-27T00:48:05",
            }
        ]
    }


def failed(*message_ids: str) -> dict[str, Any]:
    """Give the response that names these messages as failed."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in message_ids]}
