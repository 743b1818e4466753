"""A record as a message: what a deliverer of dead letters sends elsewhere."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from batchcore.types import Record


class Message:
    """What a record was before it was a record: the text to send on, and what travelled beside it.

    Attributes:
        body: the text, as the producer sent it, or the record itself as JSON where it was no message.
        attributes: name to attribute, in the form that SQS and SNS take: ``{"DataType": "String", "StringValue": ...}``
            or ``{"DataType": "Binary", "BinaryValue": ...}``.
        group: what it was ordered by, such as its message group, or None.
        trace_header: the header of AWS X-Ray that travelled with it, such as ``Root=1-5759e988-...``, or None.
    """

    __slots__ = ("attributes", "body", "group", "trace_header")

    def __init__(
        self,
        body: str,
        attributes: Mapping[str, Mapping[str, Any]] | None = None,
        group: str | None = None,
        trace_header: str | None = None,
    ) -> None:
        self.body = body
        self.attributes: Mapping[str, Mapping[str, Any]] = {} if attributes is None else attributes
        self.group = group
        self.trace_header = trace_header

    def __repr__(self) -> str:
        return f"<Message of {len(self.body)} characters, {len(self.attributes)} attributes>"


def record_as_json(record: Record) -> Message:
    """Give a record as the JSON that Lambda delivered. The default of ``original_message``."""
    import json

    return Message(json.dumps(record))
