"""The source: what batchcore has to know of Amazon Kinesis Data Streams."""

from __future__ import annotations

from collections.abc import Mapping

from batchcore import by_key, hookimpl
from batchcore.records import batch_item_failures, claim, identify, is_object, is_windowed
from batchcore_kinesis.record import KinesisStreamRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from batchcore import Batch, Ordering, Outcomes

EVENT_SOURCE = "aws:kinesis"


class KinesisSource:
    """Amazon Kinesis Data Streams. A batch is from one shard, in the order of the shard.

    AWS's side of it: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """

    name = "kinesis"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Say whether every record of the event is from a Kinesis data stream.

        A record without ``eventSource`` counts when it has an object ``kinesis``: events that are written by hand, for
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
        """Give each record's ``kinesis.sequenceNumber``.

        Raises:
            RecordIdentityError: a record has none, or an empty one. AWS would take the whole answer for a failure.
        """
        return _identifiers(records)

    @hookimpl
    def record_decoder(self, batch: Batch) -> Callable[[Any], KinesisStreamRecord]:
        """Give :class:`KinesisStreamRecord`."""
        return KinesisStreamRecord

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Run the records of one partition key in order; a failure stops nothing.

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
        """Give the stream's name, the shard and the partition key, where the record has them."""
        description: dict[str, Any] = {}
        arn, event_id = record.get("eventSourceARN"), record.get("eventID")
        if isinstance(arn, str) and "/" in arn:
            description["stream"] = arn.split("/")[1]  # a consumer's ARN goes on after it
        if isinstance(event_id, str):
            description["shard_id"] = event_id.partition(":")[0]
        payload = record.get("kinesis")
        if is_object(payload) and payload.get("partitionKey") is not None:
            description["partition_key"] = payload["partitionKey"]
        return description


def partition_key(record: Mapping[str, Any]) -> Any:
    """Give a raw record's ``kinesis.partitionKey``, or None where it has none: ``ordering=by_key(partition_key)``.

    Raises:
        ValueError: it is no record of Kinesis. None would make it a lane of its own, and order would be lost unseen.
    """
    payload = record.get("kinesis")
    if not is_object(payload):
        raise ValueError("partition_key() takes a record of Kinesis, which has an object kinesis; this one has none.")
    return payload.get("partitionKey")


def _has_shape(record: Mapping[str, Any]) -> bool:
    return is_object(record.get("kinesis"))


_claims = claim(EVENT_SOURCE, _has_shape, windows=True)
_identifiers = identify("kinesis", "sequenceNumber")

KEY_ORDER = by_key(partition_key, on_failure="continue")

source = KinesisSource()
"""The source that this package offers under the name ``kinesis``."""
