# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""The typed view of an SQS message."""

from __future__ import annotations

from batchcore import RecordView
from batchcore.decoding import decode_json
from batchcore.view import once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from typing import Any

    from batchcore_sqs.nested import S3Event, SNSMessage

# Where the endpoints of a partition live. All others have the domain of the first one.
_DOMAINS = {
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


class SQSRecord(RecordView):
    """An SQS message, as Lambda delivers it.

    The record is a mapping too: ``record["body"]`` and ``record.body`` are the same. A field that the event lacks is
    None where AWS calls it optional, else a :class:`KeyError` that names it.
    """

    __slots__ = ("__dict__",)  # and no __init__: the core makes thousands of these, where nothing is to be prepared

    @property
    def message_id(self) -> str:
        """What SQS, and the answer to Lambda, name the message by."""
        return self.raw_event["messageId"]

    @property
    def receipt_handle(self) -> str:
        """What this delivery of the message is deleted by, or its visibility timeout changed."""
        return self.raw_event["receiptHandle"]

    @property
    def body(self) -> str:
        """The body, as it was sent."""
        return self.raw_event["body"]

    @once
    def json_body(self) -> Any:
        """The body, parsed as JSON: at the first use, then kept.

        Raises:
            json.JSONDecodeError: the body is not JSON. The error does not carry it.
        """
        return decode_json(self.raw_event["body"], "body")

    @property
    def attributes(self) -> SQSRecordAttributes:
        """What SQS itself says of the message; empty in an event without them."""
        return SQSRecordAttributes(self.raw_event.get("attributes") or {})

    @property
    def message_attributes(self) -> SQSMessageAttributes:
        """What the sender said of the message; empty in an event without them."""
        return SQSMessageAttributes(self.raw_event.get("messageAttributes") or {})

    @property
    def md5_of_body(self) -> str:
        """The MD5 digest of the body, in hexadecimal."""
        return self.raw_event["md5OfBody"]

    @property
    def md5_of_message_attributes(self) -> str | None:
        """The MD5 digest of the message attributes, in hexadecimal, or None."""
        return self.raw_event.get("md5OfMessageAttributes")

    @property
    def event_source(self) -> str:
        """``aws:sqs``."""
        return self.raw_event["eventSource"]

    @property
    def event_source_arn(self) -> str:
        """The ARN of the queue."""
        return self.raw_event["eventSourceARN"]

    @property
    def aws_region(self) -> str:
        """The region of the queue, such as ``eu-west-1``."""
        return self.raw_event["awsRegion"]

    @property
    def queue_url(self) -> str:
        """The URL of the queue, worked out from its ARN.

        Raises:
            ValueError: ``eventSourceARN`` is not the ARN of a queue.
        """
        arn: str = self.raw_event["eventSourceARN"]
        parts = arn.split(":")
        if len(parts) != 6:
            raise ValueError(f"eventSourceARN is not the ARN of a queue: {arn!r}.")
        _, partition, _, region, account, queue = parts
        return f"https://sqs.{region}.{_DOMAINS.get(partition, _DOMAINS['aws'])}/{account}/{queue}"

    @property
    def decoded_nested_sns_event(self) -> SNSMessage:
        """The SNS notification in the body: of a queue that subscribes to a topic without raw message delivery.

        Raises:
            ValueError: the body holds something else. The error says what, and what to read instead.
        """
        from batchcore_sqs.nested import SNSMessage

        return SNSMessage(_envelope(self, "SNS notification. With raw message delivery it is the message itself"))

    @property
    def decoded_nested_s3_event(self) -> S3Event:
        """The S3 event notification in the body: of a queue that a bucket notifies.

        Raises:
            ValueError: the body holds something else, such as the test event that S3 sends when a notification is set
                up. The error says what, and what to read instead.
        """
        from batchcore_sqs.nested import S3Event

        return S3Event(_envelope(self, "S3 event notification"))


def _envelope(record: SQSRecord, wanted: str) -> Mapping[str, Any]:
    """Return the body as the object of JSON that a nested event is.

    Raises:
        ValueError: it is none.
    """
    try:
        value = record.json_body
    except ValueError as error:
        error.args = (f"{error}. So it holds no {wanted}: read record.body.",)
        raise
    if isinstance(value, dict):
        return value  # pyright: ignore[reportUnknownVariableType]  # an object of JSON has strings for keys
    from batchcore.shapes import WrongShapeError, shape_of

    name, words = shape_of(value)
    twice = " It was encoded twice: read json.loads(record.json_body)." if name == "json" else ""
    raise WrongShapeError(f"body is JSON, but no object that could hold an event: it is {words}.{twice}")


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
