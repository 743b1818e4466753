"""A dead letter: what is sent of a failed record, checked against AWS's limits."""

from __future__ import annotations

import re

from batchcore_deadletter.errors import MessageLimitError
from batchcore_deadletter.reason import REFUSED, fitted, reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from batchcore import Batch, Message, Outcome

REASON = "DeadLetterReason"
IDENTIFIER = "DeadLetterIdentifier"

MOST_ATTRIBUTES = 10
"""A message of SQS has no more. One of SNS may, and then a queue that subscribes with raw message delivery loses it."""

# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader: fields in any order.
_TRACE_HEADER = re.compile("(?=[ -~]{1,1000}$)(?:.*; ?)?Root=1-[0-9A-Fa-f]{8}-[0-9A-Fa-f]{24}(?:;.*)?")

_TOKEN = re.compile("[!-~]{1,128}")  # letters, digits and punctuation: what AWS takes as an id of a FIFO message


class Letter:
    """What is sent of one record.

    Attributes:
        identifier: the identifier of the record.
        record: how errors name the record.
        body: the body.
        attributes: the attributes of the message, and ours.
        size: how many bytes of AWS's limit it takes.
        fifo: the parameters that a FIFO target needs besides; empty for others.
        trace_header: the trace header to send, or None. AWS does not count it into the size.
    """

    __slots__ = ("attributes", "body", "fifo", "identifier", "record", "size", "trace_header")

    def __init__(self, outcome: Outcome, batch: Batch, *, fifo: bool, maximum_size: int, traced: bool) -> None:
        """Make it of an outcome.

        Args:
            outcome: the outcome of a record that failed.
            batch: its batch.
            fifo: whether it is for a FIFO target.
            maximum_size: how many bytes fit.
            traced: whether it is for a target that takes trace headers.

        Raises:
            MessageLimitError: AWS would refuse it.
            Exception: whatever the source raises for a record that it cannot read.
        """
        message = batch.original_message(outcome.record)
        self.identifier = outcome.identifier
        self.record = f"at position {outcome.position}" if outcome.identifier is None else f"{outcome.identifier}"
        self.body = message.body
        self.attributes = _with_ours(message.attributes, outcome)
        self._check_count()
        self.size = self._checked_size()
        self._check_size(maximum_size)
        self.fifo = _fifo_parameters(outcome, batch, message.body, message.group) if fifo else {}
        self.trace_header = _trace_header(message) if traced else None

    def _check_count(self) -> None:
        count = len(self.attributes)
        if count > MOST_ATTRIBUTES:
            raise MessageLimitError(
                f"The dead letter of record {self.record} has {count} attributes with {REASON}, and AWS takes "
                f"{MOST_ATTRIBUTES}. It was not sent; the record is retried.",
                identifier=self.identifier,
                limit="attributes",
                seen=count,
                allowed=MOST_ATTRIBUTES,
            )

    def _checked_size(self) -> int:
        """Count the bytes of body and attributes, each name, type and value, and check each on the way."""
        size = self._size_of_text(self.body, "body")
        for name, attribute in self.attributes.items():
            where = "an attribute"
            size += self._size_of_text(name, where)
            size += self._size_of_text(attribute.get("DataType"), where)
            binary = attribute.get("BinaryValue")
            if isinstance(binary, (bytes, bytearray)):
                size += len(binary)
            else:
                size += self._size_of_text(attribute.get("StringValue"), where)
        return size

    def _size_of_text(self, text: object, where: str) -> int:
        if not isinstance(text, str) or not text:
            seen = "empty" if text == "" else f"of type {type(text).__name__}"
            raise MessageLimitError(
                f"The dead letter of record {self.record} has {where} that is {seen}, and AWS takes text of at "
                "least one character. It was not sent; the record is retried.",
                identifier=self.identifier,
                limit="form",
            )
        refused = REFUSED.search(text)
        if refused is not None:
            raise MessageLimitError(
                f"The dead letter of record {self.record} has U+{ord(refused[0]):04X} at position "
                f"{refused.start()} of {where}. AWS takes the characters of XML 1.0: U+0009, U+000A, U+000D, and from "
                "U+0020 on all but surrogates, U+FFFE and U+FFFF. It was not sent; the record is retried.",
                identifier=self.identifier,
                limit="characters",
                seen=ord(refused[0]),
            )
        return len(text.encode())

    def _check_size(self, maximum_size: int) -> None:
        if self.size > maximum_size:
            raise MessageLimitError(
                f"The dead letter of record {self.record} has {self.size:,} bytes, its attributes counted, and "
                f"{maximum_size:,} fit. It was not sent; the record is retried.",
                identifier=self.identifier,
                limit="size",
                seen=self.size,
                allowed=maximum_size,
            )


def _with_ours(original: Mapping[str, Mapping[str, Any]], outcome: Outcome) -> dict[str, Mapping[str, Any]]:
    """Return the attributes of a message with the reason, and the identifier where there is one and room for it."""
    attributes = {name: value for name, value in original.items() if name not in (REASON, IDENTIFIER)}
    attributes[REASON] = string_attribute(reason_of(outcome.exception))
    if outcome.identifier is not None and len(attributes) < MOST_ATTRIBUTES:
        attributes[IDENTIFIER] = string_attribute(fitted(_text_of(outcome.identifier)))
    return attributes


def _trace_header(message: Message) -> str | None:
    """Return the trace header of a message, or None where AWS would refuse it, and the dead letter with it."""
    header = getattr(message, "trace_header", None)  # a source's own kind of message may lack the attribute
    return header if isinstance(header, str) and _TRACE_HEADER.fullmatch(header) else None


def string_attribute(text: str) -> Mapping[str, Any]:
    """Return a text as the value of an attribute."""
    return {"DataType": "String", "StringValue": text}


def _text_of(identifier: Any) -> str:
    """Return an identifier as a string: an object as JSON, compact and sorted."""
    if isinstance(identifier, str):
        return identifier
    import json

    return json.dumps(identifier, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=dict)


def _fifo_parameters(outcome: Outcome, batch: Batch, body: str, group: str | None) -> dict[str, str]:
    """Return the two ids of a message of a FIFO target.

    A message that comes twice within five minutes is recognised by its deduplication id and not delivered. So the id
    must be the same for the same record, and never for two: what names no single record is no deduplication id.
    """
    identifier = outcome.identifier
    if identifier is None:
        import uuid

        deduplication_id = str(uuid.uuid4())
    elif list(batch.identifiers).count(identifier) > 1:
        deduplication_id = _digest(f"{_text_of(identifier)}\n{body}")
    elif isinstance(identifier, str):
        deduplication_id = _token(identifier)
    else:
        deduplication_id = _digest(_text_of(identifier))
    return {
        "MessageDeduplicationId": deduplication_id,
        "MessageGroupId": _token(group) if group else deduplication_id,
    }


def _token(text: str) -> str:
    """Return a text as an id: itself where AWS takes it as one, else its digest."""
    return text if _TOKEN.fullmatch(text) else _digest(text)


def _digest(text: str) -> str:
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
