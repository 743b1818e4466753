# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""What batchcore has to know of Amazon SQS, and the typed view of a message."""

from __future__ import annotations

from batchcore import RecordView, hookimpl, in_order, unordered
from batchcore.records import RecordsSource, decode_json, once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, ClassVar, Literal

    from batchcore import Batch, Message, Ordering
    from batchcore_sqs.attributes import SQSMessageAttributes, SQSRecordAttributes
    from batchcore_sqs.nested import S3Event, SNSMessage


class SQSRecord(RecordView):
    """An SQS message, as Lambda delivers it.

    The record is a mapping too: ``record["body"]`` and ``record.body`` are the same. A field that the event lacks is
    None where AWS calls it optional, else a :class:`KeyError` that names it.
    """

    __slots__ = ()  # and no __init__: the core makes thousands of these, where nothing is to be prepared

    @property
    def message_id(self) -> str:
        """What SQS, and the response to Lambda, name the message by."""
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
        from batchcore_sqs.attributes import SQSRecordAttributes

        return SQSRecordAttributes(self.raw_event.get("attributes") or {})

    @property
    def message_attributes(self) -> SQSMessageAttributes:
        """What the sender said of the message; empty in an event without them."""
        from batchcore_sqs.attributes import SQSMessageAttributes

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
        from batchcore_sqs.attributes import DOMAINS

        arn: str = self.raw_event["eventSourceARN"]
        parts = arn.split(":")
        if len(parts) != 6:
            raise ValueError(f"eventSourceARN is not the ARN of a queue: {arn!r}.")
        _, partition, _, region, account, queue = parts
        return f"https://sqs.{region}.{DOMAINS.get(partition, DOMAINS['aws'])}/{account}/{queue}"

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


def _not_attempted() -> Exception:
    from batchcore_sqs.errors import SQSFifoCircuitBreakerError  # its import is paid by those who need it

    return SQSFifoCircuitBreakerError()


STRICT_ORDER = in_order(not_attempted=_not_attempted)


class SQSSource(RecordsSource[SQSRecord]):
    """Amazon SQS, standard and FIFO queues. Each message is deleted, or delivered again, by itself.

    A record without ``eventSource`` is a message when it has a ``messageId`` and a ``body``: events that are written by
    hand, for a test, often have no more.

    AWS's side of it: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """

    name = "sqs"
    service = "aws:sqs"
    identifier = ("messageId",)
    view = SQSRecord
    description: ClassVar[Mapping[str, str | Callable[[Any], Any]]] = {
        "queue": lambda record: record["eventSourceARN"].rpartition(":")[2],
        "message_group_id": "attributes.MessageGroupId",
    }

    def has_shape(self, record: Mapping[str, Any]) -> bool:
        """Whether a record without ``eventSource`` looks like a message."""
        return "messageId" in record and "body" in record

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Run the messages of a FIFO queue in order, up to the first failure; those of a standard queue in any.

        The queue's name says which it is. A ``MessageGroupId`` does not: messages of a standard queue may have one.
        """
        try:
            return STRICT_ORDER if batch.records[0]["eventSourceARN"].endswith(".fifo") else unordered
        except Exception:  # no record, or one of an event written by hand
            return unordered

    @hookimpl
    def delivery_attempt(self, record: Any) -> int | None:
        """Return ``ApproximateReceiveCount`` as a number, or None where there is no such number."""
        try:
            count = int(record["attributes"]["ApproximateReceiveCount"])
        except Exception:
            return None
        return count if count > 0 else None

    @hookimpl
    def original_message(self, record: Any) -> Message:
        """Return body, message attributes, group and trace header as the producer sent them.

        A record that is broken can be sent on too: without a body it is its own JSON, and an attribute that SQS would
        not take is one of type String, with its JSON.
        """
        from batchcore_sqs.messages import original_message

        return original_message(record, message_group(record))


def message_group(record: Mapping[str, Any]) -> Any:
    """Return a raw record's ``MessageGroupId``, or None where it has none: ``ordering=by_key(message_group)``.

    Raises:
        ValueError: it is no record of SQS. None would make it a lane of its own, and order would be lost unseen.
    """
    try:
        return record["attributes"]["MessageGroupId"]
    except (KeyError, TypeError):
        if "messageId" not in record:
            raise ValueError("message_group() takes a record of SQS, which has a messageId; this has none.") from None
        return None


if TYPE_CHECKING:

    class _Named(SQSSource):
        """Tells the type checker its name, and so whose models a processor of it takes. A subclass may have another."""

        name: Literal["sqs"] = "sqs"  # pyright: ignore[reportIncompatibleVariableOverride]  # nobody sets it

else:
    _Named = SQSSource

SQS = _Named()
"""The source that this package offers under the name ``sqs``."""
