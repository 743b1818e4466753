"""The source: what batchcore has to know of Amazon SQS."""

from __future__ import annotations

from collections.abc import Mapping

from batchcore import hookimpl, in_order, unordered
from batchcore.records import claim, identify
from batchcore_sqs.record import SQSRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from batchcore import Batch, Message, Ordering

EVENT_SOURCE = "aws:sqs"


def _not_attempted() -> Exception:
    from batchcore_sqs.errors import SQSFifoCircuitBreakerError  # its import is paid by those who need it

    return SQSFifoCircuitBreakerError()


STRICT_ORDER = in_order(not_attempted=_not_attempted)


class SQSSource:
    """Amazon SQS, standard and FIFO queues.

    AWS's side of it: https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
    """

    name = "sqs"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Say whether every record of the event is an SQS message.

        A record without ``eventSource`` counts when it has a ``messageId`` and a ``body``: events that are written by
        hand, for a test, often have no more.
        """
        return _claims(event)

    @hookimpl
    def extract_records(self, event: Mapping[str, Any]) -> Sequence[Any]:
        """Give the list ``Records``."""
        records: list[Any] = event["Records"]
        return records

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[str]:
        """Give each record's ``messageId``.

        Raises:
            RecordIdentityError: a record has none, or an empty one. AWS would take the whole answer for a failure.
        """
        return _identifiers(records)

    @hookimpl
    def record_decoder(self, batch: Batch) -> Callable[[Any], SQSRecord]:
        """Give :class:`SQSRecord`."""
        return SQSRecord

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Run the messages of a FIFO queue in order, up to the first failure; those of a standard queue in any.

        The queue's name says which it is. A ``MessageGroupId`` does not: messages of a standard queue may have one.
        """
        arn = batch.records[0].get("eventSourceARN") if batch.records else None
        return STRICT_ORDER if isinstance(arn, str) and arn.endswith(".fifo") else unordered

    @hookimpl
    def acknowledgement(self) -> Literal["record", "checkpoint"]:
        """Each message is deleted, or delivered again, by itself."""
        return "record"

    @hookimpl
    def delivery_attempt(self, record: Any) -> int | None:
        """Give ``ApproximateReceiveCount`` as a number, or None where there is no such number."""
        try:
            count = int(record["attributes"]["ApproximateReceiveCount"])
        except Exception:
            return None
        return count if count > 0 else None

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        """Give the queue's name and the message group, where the record has them."""
        description: dict[str, Any] = {}
        arn = record.get("eventSourceARN")
        if isinstance(arn, str):
            description["queue"] = arn.rpartition(":")[2]
        attributes = record.get("attributes")
        if isinstance(attributes, Mapping) and attributes.get("MessageGroupId") is not None:
            description["message_group_id"] = attributes["MessageGroupId"]
        return description

    @hookimpl
    def original_message(self, record: Any) -> Message:
        """Return body, message attributes, group and trace header as the producer sent them.

        A record that is broken can be sent on too: without a body it is its own JSON, and an attribute that SQS would
        not take is one of type String, with its JSON.
        """
        from batchcore import Message

        attributes: Any = record.get("messageAttributes")
        named = attributes if isinstance(attributes, Mapping) else {}
        sent = {name: _sent_attribute(attribute) for name, attribute in named.items()}
        body, group = record.get("body"), message_group(record)
        if not isinstance(body, str) or not body:
            body = _as_json(record)
        return Message(body, sent, group if isinstance(group, str) else None, _trace_header(record))


def message_group(record: Mapping[str, Any]) -> Any:
    """Give a raw record's ``MessageGroupId``, or None where it has none: ``ordering=by_key(message_group)``.

    Raises:
        ValueError: it is no record of SQS. None would make it a lane of its own, and order would be lost unseen.
    """
    try:
        return record["attributes"]["MessageGroupId"]
    except (KeyError, TypeError):
        if "messageId" not in record:
            raise ValueError("message_group() takes a record of SQS, which has a messageId; this has none.") from None
        return None


def _trace_header(record: Mapping[str, Any]) -> Any:
    attributes = record.get("attributes")
    return attributes.get("AWSTraceHeader") if isinstance(attributes, Mapping) else None


def _sent_attribute(attribute: Any) -> dict[str, Any]:
    """Return a message attribute in the form in which it is sent. Its lists are reserved by SQS, and empty."""
    try:
        kind, text, data = attribute["dataType"], attribute.get("stringValue"), attribute.get("binaryValue")
        if isinstance(kind, str) and isinstance(text, str) and data is None:
            return {"DataType": kind, "StringValue": text}
        if isinstance(kind, str) and isinstance(data, str) and text is None:
            from batchcore.binary import decode_base64

            return {"DataType": kind, "BinaryValue": decode_base64(data, "binaryValue of a message attribute")}
    except (AttributeError, KeyError, TypeError, ValueError):
        pass
    return {"DataType": "String", "StringValue": _as_json(attribute)}


def _as_json(value: Any) -> str:
    import json

    return json.dumps(value, default=dict)


def _has_shape(record: Mapping[str, Any]) -> bool:
    return "messageId" in record and "body" in record


_claims = claim(EVENT_SOURCE, _has_shape)
_identifiers = identify("messageId")

source = SQSSource()
"""The source that this package offers under the name ``sqs``."""
