"""Amazon DynamoDB Streams as a source of batchcore. Importing this package offers the source ``dynamodb``."""

from __future__ import annotations

from batchcore import offer
from batchcore_dynamodb.hooks import DynamoDBSource, source
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
    "source",
]

offer("dynamodb", source)
