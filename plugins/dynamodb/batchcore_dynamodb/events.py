"""Events of Amazon DynamoDB Streams for tests, in the shape in which Lambda delivers them."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from batchcore_testing import EventFactory, Sent

_FIRST_SEQUENCE_NUMBER = 111_100_000_000_000_000_000_000
_BETWEEN_SHARDS = 10**21
_ACCOUNT = "123456789012"


class DynamoDBEvents(EventFactory):
    """Makes records of DynamoDB Streams: each the insertion of an item.

    The content is the item, as a mapping of Python values; anything else becomes its attribute ``content``. The key of
    a record is the item's partition key ``id``; without one, what the item has there, else the record's number.

    See "Using Lambda with DynamoDB" in the AWS Lambda developer guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        item: dict[str, Any] = dict(sent.content) if isinstance(sent.content, Mapping) else {"content": sent.content}
        if sent.key is not None:
            item["id"] = sent.key
        item.setdefault("id", str(sent.number))
        image = {name: attribute_value(value) for name, value in item.items()}
        return {
            "eventID": hashlib.md5(f"{sent.resource} {sent.number}".encode(), usedforsecurity=False).hexdigest(),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "eu-west-1",
            "dynamodb": {
                "ApproximateCreationDateTime": float(int(sent.sent_at)),
                "Keys": {"id": image["id"]},
                "NewImage": image,
                "SequenceNumber": str(_FIRST_SEQUENCE_NUMBER + _BETWEEN_SHARDS * sent.shard + sent.sequence),
                "SizeBytes": len(json.dumps(image)),
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
            "eventSourceARN": (
                f"arn:aws:dynamodb:eu-west-1:{_ACCOUNT}:table/{sent.resource}/stream/2026-01-01T00:00:00.000"
            ),
        }


def attribute_value(value: Any) -> dict[str, Any]:
    """Return a Python value as an attribute value of DynamoDB.

    Raises:
        TypeError: DynamoDB has no such type.
    """
    for kinds, give in _ATTRIBUTES:
        if isinstance(value, kinds):
            return give(value)
    raise TypeError(f"DynamoDB has no type for {type(value).__name__}.")


def _set_value(values: AbstractSet[Any]) -> dict[str, Any]:
    typed = [attribute_value(value) for value in values]
    kinds = {kind for each in typed for kind in each}
    if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
        raise TypeError("A set of DynamoDB has members of one kind: text, numbers or bytes; and at least one.")
    (kind,) = kinds
    return {f"{kind}S": sorted(each[kind] for each in typed)}


_ATTRIBUTES: tuple[tuple[Any, Callable[[Any], dict[str, Any]]], ...] = (
    (type(None), lambda _: {"NULL": True}),
    (bool, lambda value: {"BOOL": value}),  # before int, of which it is one
    ((int, float, Decimal), lambda value: {"N": str(value)}),
    (str, lambda value: {"S": value}),
    ((bytes, bytearray), lambda value: {"B": b64encode(value).decode()}),
    (Mapping, lambda value: {"M": {str(name): attribute_value(inner) for name, inner in value.items()}}),
    (AbstractSet, _set_value),
    (Sequence, lambda value: {"L": [attribute_value(inner) for inner in value]}),
)
