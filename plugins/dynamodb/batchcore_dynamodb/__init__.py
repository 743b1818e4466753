"""Amazon DynamoDB Streams as a source of batchcore. Importing this package offers the source ``dynamodb``."""

from __future__ import annotations

from batchcore import offer
from batchcore_dynamodb.hooks import DynamoDBSource, item_key, source
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
    "ItemKeys",
    "StreamRecord",
    "StreamViewType",
    "UserIdentity",
    "item_key",
    "source",
]

offer("dynamodb", source)
