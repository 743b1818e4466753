"""Events of Amazon Kinesis Data Streams for tests, in the shape in which Lambda delivers them."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from batchcore_testing import EventFactory, Sent

_FIRST_SEQUENCE_NUMBER = 49_590_338_271_490_256_608_559_692_538_361_571_095_921_575_989_136_588_898
_BETWEEN_SHARDS = 10**50
_ACCOUNT = "123456789012"


class KinesisEvents(EventFactory):
    """Makes records of Kinesis.

    The content is the data: bytes and text as they are, anything else as JSON. The key of a record is its partition
    key; without one, its number.

    See "Using Lambda with Kinesis" in the AWS Lambda developer guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        shard_id = f"shardId-{sent.shard:012}"
        number = str(_FIRST_SEQUENCE_NUMBER + _BETWEEN_SHARDS * sent.shard + 16 * sent.sequence)
        return {
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": str(sent.number) if sent.key is None else sent.key,
                "sequenceNumber": number,
                "data": b64encode(_data(sent.content)).decode(),
                "approximateArrivalTimestamp": round(sent.sent_at, 3),
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": f"{shard_id}:{number}",
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": f"arn:aws:iam::{_ACCOUNT}:role/lambda-role",
            "awsRegion": "eu-west-1",
            "eventSourceARN": f"arn:aws:kinesis:eu-west-1:{_ACCOUNT}:stream/{sent.resource}",
        }


def _data(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()
