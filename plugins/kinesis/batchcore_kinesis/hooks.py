"""The source: what batchcore has to know of Amazon Kinesis Data Streams."""

from __future__ import annotations

from collections.abc import Mapping

from batchcore import RecordIdentityError, by_key, hookimpl
from batchcore_kinesis.record import KinesisStreamRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal, TypeGuard

    from batchcore import Batch, Ordering

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
        try:
            records = event.get("Records") if _is_object(event) else None
            return _is_list(records) and (_all_say_so(records) or all(map(_is_stream_record, records)))
        except Exception:  # noqa: BLE001 - whatever it is made of, an event of another source is not an error here
            return False

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
        try:
            identifiers = [record["kinesis"]["sequenceNumber"] for record in records]
            if all(identifiers) and set(map(type, identifiers)) <= {str}:
                return identifiers
        except Exception:  # noqa: BLE001 - found again below, with its position
            pass
        return [_identify(position, record) for position, record in enumerate(records)]

    @hookimpl
    def record_decoder(self, batch: Batch) -> Callable[[Any], KinesisStreamRecord]:
        """Give :class:`KinesisStreamRecord`."""
        return KinesisStreamRecord

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Run the records of one partition key in order; a failure stops nothing.

        What follows the first failure is delivered again whatever became of it. To leave it alone, choose
        ``ordering=in_order()``.
        """
        return KEY_ORDER

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
        key = partition_key(record)
        if key is not None:
            description["partition_key"] = key
        return description


def partition_key(record: Mapping[str, Any]) -> Any:
    """Give a raw record's ``kinesis.partitionKey``, or None where it has none."""
    payload = record.get("kinesis")
    return payload.get("partitionKey") if _is_object(payload) else None


def _is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _all_say_so(records: list[Any]) -> bool:
    """Ask the records for their ``eventSource`` alone: what an event of AWS needs, and quick."""
    try:
        return {record["eventSource"] for record in records} <= {EVENT_SOURCE}
    except Exception:  # noqa: BLE001 - one lacks it: to be looked at one by one
        return False


def _is_stream_record(record: object) -> bool:
    if not _is_object(record):
        return False
    if "eventSource" in record:
        return bool(record["eventSource"] == EVENT_SOURCE)
    return _is_object(record.get("kinesis"))


def _identify(position: int, record: object) -> str:
    payload = record.get("kinesis") if _is_object(record) else None
    if not _is_object(record):
        seen = f"is no object but of type {type(record).__name__}"
    elif not _is_object(payload):
        seen = "has no object kinesis"
    elif "sequenceNumber" not in payload:
        seen = "has no kinesis.sequenceNumber"
    else:
        number = payload["sequenceNumber"]
        if isinstance(number, str) and number:
            return number
        which = "that is empty" if number == "" else f"of type {type(number).__name__}"
        seen = f"has a kinesis.sequenceNumber {which}"
    raise RecordIdentityError(
        f"Record {position} of the batch, counting from 0, {seen}. The answer names a record by its sequence number, a "
        "string that is not empty.",
        position=position,
    )


KEY_ORDER = by_key(partition_key, on_failure="continue")

source = KinesisSource()
"""The source that this package offers under the name ``kinesis``."""
