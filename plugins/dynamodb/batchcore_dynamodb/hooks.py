"""The source: what batchcore has to know of Amazon DynamoDB Streams."""

from __future__ import annotations

from collections.abc import Mapping

from batchcore import by_key, hookimpl
from batchcore.records import batch_item_failures, claim, identify, is_object, is_windowed
from batchcore_dynamodb.record import DynamoDBRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from typing import Any, Literal

    from batchcore import Batch, Ordering, Outcomes

EVENT_SOURCE = "aws:dynamodb"


class DynamoDBSource:
    """Amazon DynamoDB Streams. A batch is from one shard, in the order of the shard.

    AWS's side of it: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
    """

    name = "dynamodb"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Say whether every record of the event is from a DynamoDB stream.

        A record without ``eventSource`` counts when it has an object ``dynamodb``: events that are written by hand, for
        a test, often have no more.
        """
        return _claims(event)

    @hookimpl
    def extract_records(self, event: Mapping[str, Any]) -> Sequence[Any]:
        """Give the list ``Records``."""
        records: list[Any] = event["Records"]
        return records

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[str]:
        """Give each record's ``dynamodb.SequenceNumber``.

        Raises:
            RecordIdentityError: a record has none, or an empty one. AWS would take the whole answer for a failure.
        """
        return _identifiers(records)

    @hookimpl
    def record_decoder(self, batch: Batch) -> Callable[[Any], DynamoDBRecord]:
        """Give :class:`DynamoDBRecord`."""
        return DynamoDBRecord

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Run the records of one item in order; a failure stops nothing.

        What follows the first failure is delivered again whatever became of it. To leave it alone, choose
        ``ordering=in_order()``. A batch of a tumbling window runs in order up to the first failure, always.
        """
        if is_windowed(batch.event):
            from batchcore.windows import WINDOW_ORDER

            return WINDOW_ORDER
        return KEY_ORDER

    @hookimpl
    def handler_arguments(self, batch: Batch) -> Mapping[str, Any]:
        """Give ``state`` and ``window`` where the batch belongs to a tumbling window."""
        if not is_windowed(batch.event):
            return {}
        from batchcore.windows import arguments

        return arguments(batch)

    @hookimpl
    def build_response(self, batch: Batch, outcomes: Outcomes) -> Any:
        """Name the records that are not done; with the state, where the batch belongs to a tumbling window."""
        if not is_windowed(batch.event):
            return batch_item_failures(batch, outcomes)
        from batchcore.windows import response

        return response(batch, outcomes)

    @hookimpl
    def acknowledgement(self) -> Literal["record", "checkpoint"]:
        """A shard has a checkpoint: everything from the lowest failed record on is delivered again."""
        return "checkpoint"

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        """Give the table's name and the name of the event, where the record has them; never the item or its key."""
        description: dict[str, Any] = {}
        arn, event_name = record.get("eventSourceARN"), record.get("eventName")
        if isinstance(arn, str) and "/" in arn:
            description["table"] = arn.split("/")[1]
        if isinstance(event_name, str):
            description["event_name"] = event_name
        return description


def item_key(record: Mapping[str, Any]) -> Hashable:
    """Give what tells one item from another: the stream, and the keys with their types; or None where it has none.

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


def _has_shape(record: Mapping[str, Any]) -> bool:
    return is_object(record.get("dynamodb"))


_claims = claim(EVENT_SOURCE, _has_shape, windows=True)
_identifiers = identify("dynamodb", "SequenceNumber")

KEY_ORDER = by_key(item_key, on_failure="continue")

source = DynamoDBSource()
"""The source that this package offers under the name ``dynamodb``."""
