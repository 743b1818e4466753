"""The envelopes: what each holds, and how it is told from something else."""

from __future__ import annotations

import re
from contextlib import contextmanager
from json import JSONDecoder

from batchcore import ConfigurationError
from batchcore.records import decode_json, decode_text, is_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Literal, TypeAlias

    from batchcore import RecordView

    Content: TypeAlias = str | bytes
    What: TypeAlias = Literal["drop", "handle"]


class Envelope:
    """One kind of envelope. Subclass it for one of your own.

    Attributes:
        name: what it is called in messages.
        holds_more: whether what is inside can be in a further envelope.
    """

    name: str = "envelope"
    holds_more = True

    def open(self, content: Content, field: str, around: Mapping[str, Any]) -> tuple[Content, Mapping[str, Any] | None]:
        """Return what is inside, as text or bytes, and what the envelope says; None where it says nothing.

        Args:
            content: the text or the bytes that are, or should be, the envelope.
            field: where they are from, for errors.
            around: the raw record or, inside another envelope, what that says.

        Raises:
            Exception: whatever the record is to fail with. ``DropRecord`` gives it up.
        """
        raise NotImplementedError

    def inside(self, field: str) -> str:
        """Name what is inside, for errors."""
        return field

    def view(self) -> type[RecordView]:
        """Return the class of the typed view of what the envelope says."""
        from batchcore import RecordView

        return RecordView

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class SNSEnvelope(Envelope):
    """A notification of SNS: what a queue gets that subscribes to a topic without raw message delivery."""

    name = "SNS notification"

    def open(self, content: Content, field: str, around: Mapping[str, Any]) -> tuple[Content, Mapping[str, Any]]:
        """Return the message that was published, and the notification."""
        value = object_in(content, field)
        message = value.get("Message") if is_object(value) else None
        if not isinstance(message, str) or not ("TopicArn" in value or "Type" in value):
            raise wrong(self, value, field)
        # Another type is about the subscription, and its message a text of SNS's own, which nobody has published.
        if value.get("Type", "Notification") != "Notification":
            raise wrong(self, value, field)
        return message, value

    def inside(self, field: str) -> str:
        """Name the message."""
        return f"{field}.Message"

    def view(self) -> type[RecordView]:
        """Return the view of a notification."""
        with _of_package("batchcore-sqs"):
            from batchcore_sqs.nested import SNSMessage

        return SNSMessage


class EventBridgeEnvelope(Envelope):
    """An event of EventBridge, as its rules send it to a queue, a stream or a topic."""

    name = "EventBridge event"

    def open(self, content: Content, field: str, around: Mapping[str, Any]) -> tuple[Content, Mapping[str, Any]]:
        """Return the detail, as it was sent, and the event."""
        value = object_in(content, field)
        if not is_object(value) or "detail" not in value or "detail-type" not in value:
            raise wrong(self, value, field)
        return _member(as_text(content, field), "detail"), value

    def inside(self, field: str) -> str:
        """Name the detail."""
        return f"{field}.detail"

    def view(self) -> type[RecordView]:
        """Return the view of an event."""
        from batchcore_envelopes.views import EventBridgeEvent

        return EventBridgeEvent


class S3Envelope(Envelope):
    """A notification of S3. One says of one or several objects what happened to them.

    Args:
        test_events: what becomes of the event that S3 sends when a notification is set up, in which nothing happened:
            ``drop``, its record is done and no handler called; or ``handle``, it is a notification without records.

    Raises:
        ConfigurationError: it is neither of the two.
    """

    name = "S3 event notification"
    holds_more = False

    def __init__(self, test_events: What = "drop") -> None:
        self._handles_tests = _handles("test_events", test_events)

    def open(self, content: Content, field: str, around: Mapping[str, Any]) -> tuple[Content, Mapping[str, Any]]:
        """Return the notification as it is, and what it says."""
        value = object_in(content, field)
        if is_object(value) and isinstance(value.get("Records"), list) and all(map(_is_of_s3, value["Records"])):
            return content, value
        if not is_object(value) or value.get("Event") != "s3:TestEvent":
            raise wrong(self, value, field)
        if not self._handles_tests:
            raise _dropped(
                "It is the event that S3 sends when a notification is set up: nothing happened in the bucket."
            )
        import json

        value = {**value, "Records": []}
        return json.dumps(value), value

    def view(self) -> type[RecordView]:
        """Return the view of a notification."""
        with _of_package("batchcore-sqs"):
            from batchcore_sqs.nested import S3Event

        return S3Event


class LogsEnvelope(Envelope):
    """What a subscription of CloudWatch Logs writes to a Kinesis stream or to Firehose: log events, compressed by gzip.

    Args:
        control_messages: what becomes of a message by which CloudWatch Logs tries whether it can write: ``drop``, its
            record is done and no handler called; or ``handle``, it is handled like the others.
        largest: how many bytes may come out of one record.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    name = "data of a subscription of CloudWatch Logs"
    holds_more = False

    def __init__(self, control_messages: What = "drop", *, largest: int | None = None) -> None:
        self._handles_control = _handles("control_messages", control_messages)
        self._gzip = GzipEnvelope(largest)

    def open(self, content: Content, field: str, around: Mapping[str, Any]) -> tuple[Content, Mapping[str, Any]]:
        """Return the log events decompressed, and what they say."""
        text, _ = self._gzip.open(content, field, around)
        value = object_in(text, field)
        if not is_object(value) or not isinstance(value.get("logEvents"), list) or "messageType" not in value:
            raise wrong(self, value, field)
        if value["messageType"] == "CONTROL_MESSAGE" and not self._handles_control:
            raise _dropped("By this message CloudWatch Logs has tried whether it can write: it is no log event.")
        return text, value

    def view(self) -> type[RecordView]:
        """Return the view of the data."""
        from batchcore_envelopes.views import CloudWatchLogsData

        return CloudWatchLogsData


class ChangesEnvelope(Envelope):
    """A change of a DynamoDB table, as the table writes it to a Kinesis stream."""

    name = "change of a table"
    holds_more = False

    def open(self, content: Content, field: str, around: Mapping[str, Any]) -> tuple[Content, Mapping[str, Any]]:
        """Return the change as it is, and what it says."""
        value = object_in(content, field)
        if not is_object(value) or not is_object(value.get("dynamodb")):
            raise wrong(self, value, field)
        return content, value

    def view(self) -> type[RecordView]:
        """Return the view of a change."""
        with _of_package("batchcore-dynamodb"):
            from batchcore_envelopes.changes import TableChange

        return TableChange


class GzipEnvelope(Envelope):
    """Data compressed by gzip or zlib; where it is in text, in base64.

    Args:
        largest: how many bytes may come out of one record; None for 64 MiB.

    Raises:
        ConfigurationError: ``largest`` is no number of bytes.
    """

    name = "data compressed by gzip"

    def __init__(self, largest: int | None = None) -> None:
        self._largest = None if largest is None else checked_size(largest)

    def open(self, content: Content, field: str, around: Mapping[str, Any]) -> tuple[Content, None]:
        """Return the data decompressed."""
        from batchcore_envelopes.compressed import LARGEST, decompressed

        if isinstance(content, str):
            from batchcore.binary import decode_base64

            content = decode_base64(content, field)
        return decompressed(content, field, LARGEST if self._largest is None else self._largest), None


# -- For envelopes of your own.


def as_text(content: Content, field: str) -> str:
    """Return content as text. A byte order mark before it is left out.

    Raises:
        UnicodeDecodeError: it is bytes that are not UTF-8. The error does not carry them.
    """
    text = content if isinstance(content, str) else decode_text(content, field)
    return text[1:] if text[:1] == "\ufeff" else text


def object_in(content: Content, field: str) -> Any:
    """Return what content is as JSON; the content itself where it is none, for :func:`wrong` to name."""
    try:
        return decode_json(as_text(content, field), field)
    except ValueError:
        return content


def wrong(envelope: Envelope, value: Any, field: str) -> Exception:
    """Return the error of content that is not in the envelope that was named: it says what it is, and what to do."""
    from batchcore_envelopes.instead import wrong_shape

    return wrong_shape(envelope.name, value, field)


def checked_size(largest: Any) -> int:
    """Return a number of bytes.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(largest, int) or isinstance(largest, bool) or largest < 1:
        raise ConfigurationError(f"largest is a number of bytes from 1 on, not {largest!r}.")
    return largest


@contextmanager
def _of_package(name: str) -> Iterator[None]:
    """Say which package a view is of, where that is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"This view is of {name}, which is not installed: pip install {name}.") from error


def _handles(option: str, what: Any) -> bool:
    if what not in ("drop", "handle"):
        raise ConfigurationError(f"{option} is 'drop' or 'handle', not {what!r}.")
    return bool(what == "handle")


def _is_of_s3(record: Any) -> bool:
    return is_object(record) and ("s3" in record or record.get("eventSource") == "aws:s3")


def _dropped(why: str) -> Exception:
    from batchcore import DropRecord

    return DropRecord(why)


_decode = JSONDecoder().raw_decode
_OPENS: Any = re.compile(r"\s*{\s*")
_SEPARATES: Any = re.compile(r"\s*[:,]?\s*")


def _member(text: str, name: str) -> str:
    """Return the text of one member of an object of JSON, whose text is right. The last of several counts.

    It is passed on as it was sent: parsed and written again, a number such as 1.10 would be another one.
    """
    found, at = "", _OPENS.match(text).end()
    while text[at] != "}":
        key, at = _decode(text, at)
        start = _SEPARATES.match(text, at).end()
        _, at = _decode(text, start)
        if key == name:
            found = text[start:at]
        at = _SEPARATES.match(text, at).end()
    return found


SNS = SNSEnvelope()
"""A notification of SNS."""

EVENT_BRIDGE = EventBridgeEnvelope()
"""An event of EventBridge."""

S3 = S3Envelope()
"""A notification of S3. Its test events are dropped."""

LOGS = LogsEnvelope()
"""Log events of CloudWatch Logs. Its control messages are dropped."""

CHANGES = ChangesEnvelope()
"""A change of a DynamoDB table on a Kinesis stream."""

GZIP = GzipEnvelope()
"""Data compressed by gzip or zlib, of which no more than 64 MiB come out."""
