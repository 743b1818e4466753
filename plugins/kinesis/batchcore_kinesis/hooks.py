"""The source: what batchcore has to know of Amazon Kinesis Data Streams."""

from __future__ import annotations

from batchcore import by_key
from batchcore.records import RecordsSource, is_object
from batchcore_kinesis.record import KinesisStreamRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar, Literal


def partition_key(record: Mapping[str, Any]) -> Any:
    """Return a raw record's ``kinesis.partitionKey``, or None where it has none: ``ordering=by_key(partition_key)``.

    Raises:
        ValueError: it is no record of Kinesis. None would make it a lane of its own, and order would be lost unseen.
    """
    payload = record.get("kinesis")
    if not is_object(payload):
        raise ValueError("partition_key() takes a record of Kinesis, which has an object kinesis; this one has none.")
    return payload.get("partitionKey")


KEY_ORDER = by_key(partition_key, on_failure="continue")


class KinesisSource(RecordsSource[KinesisStreamRecord]):
    """Amazon Kinesis Data Streams. A batch is from one shard, in the order of the shard.

    Records of one partition key run in order; a failure stops nothing, for what follows the first failure is delivered
    again whatever became of it. To leave it alone, choose ``ordering=in_order()``. A batch of a tumbling window runs in
    order up to the first failure, always.

    A record without ``eventSource`` counts when it has an object ``kinesis``: events that are written by hand, for a
    test, often have no more.

    AWS's side of it: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """

    name = "kinesis"
    service = "aws:kinesis"
    identifier = ("kinesis", "sequenceNumber")
    view = KinesisStreamRecord
    ordering = KEY_ORDER
    by_checkpoint = True
    windows = True
    description: ClassVar[Mapping[str, str | Callable[[Any], Any]]] = {
        "stream": lambda record: record["eventSourceARN"].split("/")[1],  # a consumer's ARN goes on after it
        "shard_id": lambda record: record["eventID"].partition(":")[0],
        "partition_key": "kinesis.partitionKey",
    }

    def has_shape(self, record: Mapping[str, Any]) -> bool:
        """Whether a record without ``eventSource`` looks like one of Kinesis."""
        return is_object(record.get("kinesis"))


if TYPE_CHECKING:

    class _Named(KinesisSource):
        """Tells the type checker its name, and so whose models a processor of it takes. A subclass may have another."""

        name: Literal["kinesis"] = "kinesis"  # pyright: ignore[reportIncompatibleVariableOverride]  # nobody sets it

else:
    _Named = KinesisSource

KinesisDataStreams = _Named()
"""The source that this package offers under the name ``kinesis``."""
