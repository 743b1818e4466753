# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""The attributes of an SQS message: what SQS says of it, and what its sender does. Loaded when they are asked for."""

from __future__ import annotations

from batchcore import RecordView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from decimal import Decimal

# Where the endpoints of a partition live. All others have the domain of the first one.
DOMAINS = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
}


class SQSRecordAttributes(RecordView):
    """What SQS itself says of a message. All values are strings, as in the event; timestamps are milliseconds."""

    __slots__ = ()

    @property
    def approximate_receive_count(self) -> str:
        """How often the message has been received, this time included."""
        return self.raw_event["ApproximateReceiveCount"]

    @property
    def sent_timestamp(self) -> str:
        """When the message was sent, in milliseconds since the epoch."""
        return self.raw_event["SentTimestamp"]

    @property
    def sender_id(self) -> str:
        """The id of the IAM user or role that sent it, or the address of an anonymous sender."""
        return self.raw_event["SenderId"]

    @property
    def approximate_first_receive_timestamp(self) -> str:
        """When the message was first received, in milliseconds since the epoch."""
        return self.raw_event["ApproximateFirstReceiveTimestamp"]

    @property
    def sequence_number(self) -> str | None:
        """The number that a FIFO queue gave the message, or None."""
        return self.raw_event.get("SequenceNumber")

    @property
    def message_group_id(self) -> str | None:
        """The message group, or None. Messages of a standard queue may have one too (fair queues)."""
        return self.raw_event.get("MessageGroupId")

    @property
    def message_deduplication_id(self) -> str | None:
        """The token by which a FIFO queue recognises a message that was sent twice, or None."""
        return self.raw_event.get("MessageDeduplicationId")

    @property
    def aws_trace_header(self) -> str | None:
        """The X-Ray trace header of the sender, or None."""
        return self.raw_event.get("AWSTraceHeader")

    @property
    def dead_letter_queue_source_arn(self) -> str | None:
        """The queue that the message came from, when this queue is its dead-letter queue; else None."""
        return self.raw_event.get("DeadLetterQueueSourceArn")


class SQSMessageAttribute(RecordView):
    """One message attribute that the sender set."""

    __slots__ = ()

    @property
    def data_type(self) -> str:
        """``String``, ``Number`` or ``Binary``, perhaps with a label of the sender's, as in ``Number.float``."""
        return self.raw_event["dataType"]

    @property
    def string_value(self) -> str | None:
        """The value of a ``String`` or ``Number``, as it was sent; else None."""
        return self.raw_event.get("stringValue")

    @property
    def binary_value(self) -> str | None:
        """The value of a ``Binary``, in base64 as the event has it; else None."""
        return self.raw_event.get("binaryValue")

    @property
    def string_list_values(self) -> list[str]:
        """Reserved by SQS; empty."""
        return self.raw_event.get("stringListValues") or []

    @property
    def binary_list_values(self) -> list[str]:
        """Reserved by SQS; empty."""
        return self.raw_event.get("binaryListValues") or []

    @property
    def value(self) -> str | int | Decimal | bytes:
        """The value as its data type says: ``str``, ``int`` where a number is whole, else ``Decimal``, or ``bytes``.

        Raises:
            ValueError: the value is missing, or is not what its data type says.
        """
        kind = self.data_type.partition(".")[0]
        if kind == "Binary":
            from batchcore.binary import decode_base64

            return decode_base64(self.binary_value, "binaryValue of a message attribute")
        text = self.string_value
        if not isinstance(text, str):
            raise ValueError(f"A message attribute of type {self.data_type} has no stringValue.")
        if kind == "Number":
            return _number(text)
        if kind == "String":
            return text
        raise ValueError(f"A message attribute is of type String, Number or Binary, not {self.data_type}.")


class SQSMessageAttributes(RecordView):
    """The message attributes that the sender set, by name."""

    __slots__ = ()

    def __getitem__(self, key: str) -> SQSMessageAttribute:
        return SQSMessageAttribute(self.raw_event[key])


def _number(text: str) -> int | Decimal:
    from decimal import Decimal, InvalidOperation

    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise ValueError("stringValue of a message attribute of type Number is not a number.")
    return number
