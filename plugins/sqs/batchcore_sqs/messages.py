"""A record of SQS as the message that it was: for a dead-letter queue."""

from __future__ import annotations

from collections.abc import Mapping

from batchcore import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def original_message(record: Any, group: Any) -> Message:
    """Return body, message attributes, group and trace header of a record as the producer sent them."""
    attributes: Any = record.get("messageAttributes")
    named = attributes if isinstance(attributes, Mapping) else {}
    sent = {name: _sent_attribute(attribute) for name, attribute in named.items()}
    body = record.get("body")
    if not isinstance(body, str) or not body:
        body = _as_json(record)
    return Message(body, sent, group if isinstance(group, str) else None, _trace_header(record))


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
