# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""The typed view of a record of a Kinesis data stream."""

from __future__ import annotations

from batchcore import RecordView
from batchcore.binary import decode_base64
from batchcore.records import decode_json, decode_text, once
from batchcore_kinesis.inflate import inflated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DATA = "kinesis.data"


class KinesisStreamRecordPayload(RecordView):
    """What the producer wrote, and where it lies in the stream.

    The data is decoded at the first call of each method, then kept.
    """

    __slots__ = ("__dict__",)

    _bytes: bytes | None = None
    _inflated_json: Any = None
    _json: Any = None
    _text: str | None = None

    @property
    def approximate_arrival_timestamp(self) -> float:
        """When the record arrived, in seconds since the epoch.

        Raises:
            ValueError: the event has no number there.
        """
        value = self.raw_event["approximateArrivalTimestamp"]
        try:
            return float(value)
        except (TypeError, ValueError):
            pass
        raise ValueError(f"kinesis.approximateArrivalTimestamp is not a number, but of type {type(value).__name__}.")

    @property
    def data(self) -> str:
        """The data, in base64 as the event has it."""
        return self.raw_event["data"]

    @property
    def encryption_type(self) -> str | None:
        """``NONE`` or ``KMS``, or None where the event does not say."""
        return self.raw_event.get("encryptionType")

    @property
    def kinesis_schema_version(self) -> str:
        """The version of the record's shape."""
        return self.raw_event["kinesisSchemaVersion"]

    @property
    def partition_key(self) -> str:
        """The key that chose the shard. Records of one key are in order."""
        return self.raw_event["partitionKey"]

    @property
    def sequence_number(self) -> str:
        """What the response to Lambda names the record by; rising within a shard."""
        return self.raw_event["sequenceNumber"]

    def data_as_bytes(self) -> bytes:
        """Return the data, decoded from base64.

        Raises:
            binascii.Error: the data is not base64.
        """
        value = self._bytes
        if value is None:
            value = self._bytes = decode_base64(self.raw_event["data"], _DATA)
        return value

    def data_as_text(self) -> str:
        """Return the data as text.

        Raises:
            ValueError: the data is not UTF-8 in base64. The error says what it is, where that is known: compressed, or
                several records that the Kinesis Producer Library aggregated.
        """
        value = self._text
        if value is None:
            value = self._text = decode_text(self.data_as_bytes(), _DATA)
        return value

    def data_as_json(self) -> Any:
        """Return the data, parsed as JSON.

        Raises:
            json.JSONDecodeError: the data is not JSON. The error does not carry it.
            ValueError: it is not even text.
        """
        value = self._json
        if value is None:
            if self._text is None:  # the whole way at once: what most handlers ask for, and nothing else
                self._bytes = data = decode_base64(self.raw_event["data"], _DATA)
                self._text = decode_text(data, _DATA)
            value = self._json = decode_json(self._text, _DATA)
        return value

    def data_zlib_compressed_as_json(self) -> Any:
        """Return the data, decompressed and parsed as JSON, as CloudWatch Logs writes it.

        All members of data that was compressed in parts are read, and are one text of JSON together.

        Raises:
            zlib.error: the data was not compressed by zlib or gzip, is damaged or cut off, has something behind its
                last member, or is more than 64 MiB when decompressed.
            ValueError: it is not base64, or not JSON when decompressed.
        """
        value = self._inflated_json
        if value is None:
            text = decode_text(inflated(self.data_as_bytes(), _DATA), _DATA)
            value = self._inflated_json = decode_json(text, _DATA)
        return value


class KinesisStreamRecord(RecordView):
    """A record of a Kinesis data stream, as Lambda delivers it.

    The record is a mapping too: ``record["kinesis"]["data"]`` and ``record.kinesis.data`` are the same. A field that
    the event lacks is None where AWS calls it optional, else a :class:`KeyError` that names it.
    """

    __slots__ = ()  # and no __init__: the core makes thousands of these, where nothing is to be prepared

    @once
    def kinesis(self) -> KinesisStreamRecordPayload:
        """What the producer wrote, and where it lies in the stream.

        Raises:
            ValueError: it is not a record of Kinesis.
        """
        try:
            return KinesisStreamRecordPayload(self.raw_event["kinesis"])
        except (KeyError, TypeError):
            pass
        raise _no_record(self.raw_event)

    @property
    def aws_region(self) -> str:
        """The region of the stream, such as ``eu-west-1``."""
        return self.raw_event["awsRegion"]

    @property
    def event_id(self) -> str:
        """The shard's id, a colon, and the sequence number."""
        return self.raw_event["eventID"]

    @property
    def event_name(self) -> str:
        """``aws:kinesis:record``."""
        return self.raw_event["eventName"]

    @property
    def event_source(self) -> str:
        """``aws:kinesis``."""
        return self.raw_event["eventSource"]

    @property
    def event_source_arn(self) -> str:
        """The ARN of the stream, or of the consumer with enhanced fan-out."""
        return self.raw_event["eventSourceARN"]

    @property
    def event_version(self) -> str:
        """The version of the event's shape."""
        return self.raw_event["eventVersion"]

    @property
    def invoke_identity_arn(self) -> str:
        """The ARN of the role that the function is invoked with."""
        return self.raw_event["invokeIdentityArn"]


def _no_record(raw_event: Any) -> Exception:
    from batchcore.shapes import WrongShapeError, shape_of

    words = shape_of(raw_event)[1]
    return WrongShapeError(f"A record of Kinesis has an object kinesis, and this has none: it is {words}.")
