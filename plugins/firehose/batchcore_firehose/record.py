# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""The typed view of a record that Firehose wants transformed."""

from __future__ import annotations

from batchcore import RecordView
from batchcore.binary import decode_base64
from batchcore.records import decode_json, decode_text, is_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FROM_MSK = "kafkaRecordValue"


def content_field(record: Any) -> str:
    """Return where a raw record, and its result, have the data: records from Amazon MSK elsewhere than all others."""
    if not is_object(record) or "data" in record:
        return "data"
    return FROM_MSK if FROM_MSK in record or "mskRecordMetadata" in record else "data"


class KinesisRecordMetadata(RecordView):
    """Where in a Kinesis data stream a record was, of a Firehose stream that reads one."""

    __slots__ = ()

    @property
    def shard_id(self) -> str:
        """The shard, such as ``shardId-000000000000``."""
        return self.raw_event["shardId"]

    @property
    def partition_key(self) -> str:
        """The key that chose the shard."""
        return self.raw_event["partitionKey"]

    @property
    def sequence_number(self) -> str:
        """The number in the stream, rising within a shard."""
        return self.raw_event["sequenceNumber"]

    @property
    def subsequence_number(self) -> int | None:
        """The number among records that were aggregated into one; None where the event has none, or an empty one.

        Raises:
            ValueError: it is no number.
        """
        value = self.raw_event.get("subsequenceNumber")
        return None if value in (None, "") else _number(value, "kinesisRecordMetadata.subsequenceNumber")

    @property
    def approximate_arrival_timestamp(self) -> int:
        """When the record arrived in the stream, in milliseconds since 1970.

        Raises:
            ValueError: the event has no time there.
        """
        return milliseconds(self.raw_event["approximateArrivalTimestamp"], "kinesisRecordMetadata.")


class MSKRecordMetadata(RecordView):
    """Where in a topic a record was, of a Firehose stream that reads Amazon MSK."""

    __slots__ = ()

    @property
    def offset(self) -> int:
        """The offset in the partition. The event has it as text.

        Raises:
            ValueError: it is no number.
        """
        return _number(self.raw_event["offset"], "mskRecordMetadata.offset")

    @property
    def partition_id(self) -> int:
        """The partition. The event has it as text.

        Raises:
            ValueError: it is no number.
        """
        return _number(self.raw_event["partitionId"], "mskRecordMetadata.partitionId")

    @property
    def approximate_arrival_timestamp(self) -> int:
        """When the record arrived in the topic, in milliseconds since 1970.

        Raises:
            ValueError: the event has no time there.
        """
        return milliseconds(self.raw_event["approximateArrivalTimestamp"], "mskRecordMetadata.")


class FirehoseRecord(RecordView):
    """A record to transform, as Firehose hands it to a function.

    The record is a mapping too: ``record["recordId"]`` and ``record.record_id`` are the same. A field that the event
    lacks is None where AWS calls it optional, else a :class:`KeyError` that names it. The data is decoded at the first
    call of each method, then kept. From Amazon MSK it lies under ``kafkaRecordValue``, and is read from there.
    """

    __slots__ = ("__dict__",)

    _bytes: bytes | None = None
    _json: Any = None
    _text: str | None = None

    @property
    def record_id(self) -> str:
        """What Firehose names the record by."""
        return self.raw_event["recordId"]

    @property
    def approximate_arrival_timestamp(self) -> int:
        """When the record arrived at Firehose, in milliseconds since 1970.

        Raises:
            ValueError: the event has no time there.
        """
        return milliseconds(self.raw_event["approximateArrivalTimestamp"])

    @property
    def data(self) -> str:
        """The data, in base64 as the event has it."""
        return self.raw_event[content_field(self.raw_event)]

    @property
    def kinesis_record_metadata(self) -> KinesisRecordMetadata | None:
        """Where in a Kinesis data stream the record was; None where Firehose reads none."""
        value = self.raw_event.get("kinesisRecordMetadata")
        return None if value is None else KinesisRecordMetadata(value)

    @property
    def msk_record_metadata(self) -> MSKRecordMetadata | None:
        """Where in a topic of Amazon MSK the record was; None where Firehose reads none."""
        value = self.raw_event.get("mskRecordMetadata")
        return None if value is None else MSKRecordMetadata(value)

    def data_as_bytes(self) -> bytes:
        """Return the data, decoded from base64.

        Raises:
            binascii.Error: the data is not base64.
        """
        value = self._bytes
        if value is None:
            value = self._bytes = decode_base64(self.data, content_field(self.raw_event))
        return value

    def data_as_text(self) -> str:
        """Return the data as text.

        Raises:
            ValueError: the data is not UTF-8 in base64. The error says what it is, where that is known.
        """
        value = self._text
        if value is None:
            value = self._text = decode_text(self.data_as_bytes(), content_field(self.raw_event))
        return value

    def data_as_json(self) -> Any:
        """Return the data, parsed as JSON.

        Raises:
            json.JSONDecodeError: the data is not JSON. The error does not carry it.
            ValueError: it is not even text.
        """
        value = self._json
        if value is None:
            text = self.data_as_text().removesuffix("\n")  # of what is to be a line of a file: read faster without
            value = self._json = decode_json(text, content_field(self.raw_event))
        return value


def _number(value: Any, field: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"{field} is no number, but of type {type(value).__name__}.")


def milliseconds(value: Any, where: str = "") -> int:
    """Return an arrival time in milliseconds: a number in the events of Firehose, a date in some that tools make up.

    Raises:
        ValueError: it is none.
    """
    try:
        return int(value)
    except (TypeError, ValueError):
        pass
    if isinstance(value, str):
        from contextlib import suppress
        from datetime import datetime

        with suppress(ValueError):
            when = datetime.fromisoformat(value.replace("Z", "+00:00"))
            if when.tzinfo is not None:
                return round(when.timestamp() * 1000)
    raise ValueError(f"{where}approximateArrivalTimestamp is no time, but of type {type(value).__name__}.")
