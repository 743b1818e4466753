"""The source: what batchcore has to know of Amazon DynamoDB Streams."""

from __future__ import annotations

from batchcore import by_key
from batchcore.records import RecordsSource, is_object
from batchcore_dynamodb.record import DynamoDBRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from typing import Any, ClassVar, Literal


def item_key(record: Mapping[str, Any]) -> Hashable:
    """Return what tells one item from another: the stream, and the keys with their types; or None where it has none.

    Raises:
        ValueError: it is no record of DynamoDB Streams. None would make it a lane of its own, and order would be lost
            unseen.
    """
    payload = record.get("dynamodb")
    if not is_object(payload):
        raise ValueError("item_key() takes a record of DynamoDB Streams, which has an object dynamodb; this has none.")
    keys = payload.get("Keys")
    if not keys:
        return None
    return record.get("eventSourceARN"), frozenset(
        (name, *typed) for name, attribute in keys.items() for typed in attribute.items()
    )


KEY_ORDER = by_key(item_key, on_failure="continue")


class DynamoDBSource(RecordsSource[DynamoDBRecord]):
    """Amazon DynamoDB Streams. A batch is from one shard, in the order of the shard.

    Records of one item run in order; a failure stops nothing, for what follows the first failure is delivered again
    whatever became of it. To leave it alone, choose ``ordering=in_order()``. A batch of a tumbling window runs in order
    up to the first failure, always.

    A record without ``eventSource`` counts when it has an object ``dynamodb``: events that are written by hand, for a
    test, often have no more. What describes a record is never its item or key.

    AWS's side of it: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """

    name = "dynamodb"
    service = "aws:dynamodb"
    identifier = ("dynamodb", "SequenceNumber")
    view = DynamoDBRecord
    ordering = KEY_ORDER
    by_checkpoint = True
    windows = True
    description: ClassVar[Mapping[str, str | Callable[[Any], Any]]] = {
        "table": lambda record: record["eventSourceARN"].split("/")[1],
        "event_name": lambda record: str.__str__(record["eventName"]),  # what is no string is left out
    }

    def has_shape(self, record: Mapping[str, Any]) -> bool:
        """Whether a record without ``eventSource`` looks like one of a DynamoDB stream."""
        return is_object(record.get("dynamodb"))


if TYPE_CHECKING:

    class _Named(DynamoDBSource):
        """Tells the type checker its name, and so whose models a processor of it takes. A subclass may have another."""

        name: Literal["dynamodb"] = "dynamodb"  # pyright: ignore[reportIncompatibleVariableOverride]  # nobody sets it

else:
    _Named = DynamoDBSource

DynamoDBStreams = _Named()
"""The source that this package offers under the name ``dynamodb``."""
