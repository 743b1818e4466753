"""Amazon DynamoDB Streams as a source of batchcore. Importing this package offers the source ``dynamodb``."""

from __future__ import annotations

from batchcore import offer
from batchcore_dynamodb.hooks import DynamoDBSource, DynamoDBStreams, item_key
from batchcore_dynamodb.record import (
    DynamoDBRecord,
    DynamoDBRecordEventName,
    ItemKeys,
    StreamRecord,
    StreamViewType,
    UserIdentity,
)

__all__ = [
    "DynamoDBRecord",
    "DynamoDBRecordEventName",
    "DynamoDBSource",
    "DynamoDBStreams",
    "ItemKeys",
    "StreamRecord",
    "StreamViewType",
    "UserIdentity",
    "item_key",
]

offer("dynamodb", DynamoDBStreams)
