# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""The typed views of messages of Amazon MQ.

A field that a message lacks is None: brokers, and AWS's own samples, leave out what they do not know.
"""

from __future__ import annotations

from collections.abc import Mapping

from batchcore import RecordView
from batchcore.binary import decode_base64
from batchcore.records import decode_json, decode_text, once
from batchcore_mq.gson import decode_date, decode_headers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any


class _Message(RecordView):
    """What messages of both brokers have. Each is a mapping, too: ``message["data"]`` is ``message.data``."""

    __slots__ = ()  # and no __init__: the core makes thousands of these, where nothing is to be prepared

    @property
    def data(self) -> str:
        """The content, in base64 as the event has it.

        Raises:
            ValueError: it is no message of a broker.
        """
        try:
            return self.raw_event["data"]
        except KeyError:
            pass
        from batchcore.shapes import WrongShapeError, shape_of

        raise WrongShapeError(
            f"A message of a broker has data, and this has none: it is {shape_of(self.raw_event)[1]}."
        )

    @property
    def data_as_bytes(self) -> bytes:
        """The content, decoded from base64.

        Raises:
            binascii.Error: it is not base64.
        """
        return decode_base64(self.data, "data")

    @property
    def decoded_data(self) -> str:
        """The content as text, whatever type of message it came in.

        Raises:
            ValueError: it is not UTF-8 in base64. The error says what it is, where that is known.
        """
        return decode_text(decode_base64(self.data, "data"), "data")

    @once
    def json_data(self) -> Any:
        """The content, parsed as JSON.

        Raises:
            json.JSONDecodeError: it is not JSON. The error does not carry it.
            ValueError: it is not even text.
        """
        return decode_json(self.decoded_data, "data")

    @property
    def redelivered(self) -> bool | None:
        """Whether the broker has delivered it before."""
        return self.raw_event.get("redelivered")


class ActiveMQMessage(_Message):
    """A message of ActiveMQ, as Lambda delivers it."""

    __slots__ = ()

    @property
    def message_id(self) -> str | None:
        """The id that the producer's client gave it. AWS's own samples have one id several times in an event."""
        return self.raw_event.get("messageID")

    @property
    def message_type(self) -> str | None:
        """``jms/text-message`` or ``jms/bytes-message``: how it was sent. Text that was sent by STOMP may be either."""
        return self.raw_event.get("messageType")

    @property
    def delivery_mode(self) -> int | None:
        """1 for a message that need not survive a failure of the broker, 2 for one that must."""
        return self.raw_event.get("deliveryMode")

    @property
    def persistent(self) -> bool | None:
        """Whether it survives a failure of the broker."""
        return self.raw_event.get("persistent")

    @property
    def reply_to(self) -> str | None:
        """Where an answer is expected. The text ``null``, which AWS writes where there is no such place, is None."""
        value = self.raw_event.get("replyTo")
        return None if value == "null" else value

    @property
    def type(self) -> str | None:
        """The JMS type that the producer gave it."""
        return self.raw_event.get("type")

    @property
    def expiration(self) -> int | None:
        """When it expires, in milliseconds as the event has them, be it as a number or as text; 0 for never.

        Raises:
            ValueError: the event has no number there.
        """
        value = self.raw_event.get("expiration")
        return None if value is None else _whole(value, "expiration")

    @property
    def priority(self) -> int | None:
        """From 0 to 9. Messages of a higher priority may come before those that were sent earlier."""
        return self.raw_event.get("priority")

    @property
    def correlation_id(self) -> str | None:
        """What it belongs to, by its producer: ``correlationID`` of the event, or ``correlationId``."""
        return self.raw_event.get("correlationID", self.raw_event.get("correlationId"))

    @property
    def connection_id(self) -> str | None:
        """The connection by which it was sent."""
        return self.raw_event.get("connectionId")

    @property
    def destination_physicalname(self) -> str | None:
        """The name of the queue: ``physicalName`` of the event's ``destination``, or ``physicalname``."""
        destination = self.raw_event.get("destination")
        if not isinstance(destination, Mapping):
            return None
        return destination.get("physicalName", destination.get("physicalname"))

    @property
    def timestamp(self) -> int | None:
        """When it was sent, in milliseconds since the epoch."""
        return self.raw_event.get("timestamp")

    @property
    def broker_in_time(self) -> int | None:
        """When the broker got it, in milliseconds since the epoch."""
        return self.raw_event.get("brokerInTime")

    @property
    def broker_out_time(self) -> int | None:
        """When the broker gave it to Lambda, in milliseconds since the epoch."""
        return self.raw_event.get("brokerOutTime")

    @property
    def properties(self) -> Mapping[str, Any]:
        """What the producer said of it beside its content. What was sent by STOMP is text here, whatever it was."""
        return self.raw_event.get("properties") or {}


class RabbitMQBasicProperties(RecordView):
    """What the producer of a message of RabbitMQ, and the broker, said of it beside its content."""

    __slots__ = ()

    @property
    def content_type(self) -> str | None:
        """The media type of the content."""
        return self.raw_event.get("contentType")

    @property
    def content_encoding(self) -> str | None:
        """How the content is encoded, such as ``gzip``. It is given as it came."""
        return self.raw_event.get("contentEncoding")

    @property
    def headers(self) -> Mapping[str, Any] | None:
        """The headers as AWS writes them: see :attr:`decoded_headers`."""
        return self.raw_event.get("headers")

    @property
    def decoded_headers(self) -> dict[str, Any]:
        """The headers, with text as text: see :func:`decode_headers`. Empty where there are none."""
        return decode_headers(self.raw_event.get("headers"))

    @property
    def delivery_mode(self) -> int | None:
        """1 for a message that need not survive a restart of the broker, 2 for one that must."""
        return self.raw_event.get("deliveryMode")

    @property
    def priority(self) -> int | None:
        """Its priority in a queue that has priorities."""
        return self.raw_event.get("priority")

    @property
    def correlation_id(self) -> str | None:
        """What it belongs to, by its producer."""
        return self.raw_event.get("correlationId")

    @property
    def reply_to(self) -> str | None:
        """The queue in which an answer is expected."""
        return self.raw_event.get("replyTo")

    @property
    def expiration(self) -> str | None:
        """After how many milliseconds in a queue it expires, as text: the form of the protocol."""
        value = self.raw_event.get("expiration")
        return value if value is None else str(value)

    @property
    def message_id(self) -> str | None:
        """An id, where the producer gave it one. Most do not, and nobody sees to it that it names one message."""
        return self.raw_event.get("messageId")

    @property
    def timestamp(self) -> str | None:
        """When the producer says that it was sent, as text without a zone: see :attr:`decoded_timestamp`."""
        return self.raw_event.get("timestamp")

    @property
    def decoded_timestamp(self) -> datetime | None:
        """The timestamp, to the second and without a zone, for the text has none: see :func:`decode_date`.

        Raises:
            ValueError: it is no date as AWS writes it.
        """
        value = self.raw_event.get("timestamp")
        return None if value is None else decode_date(str(value))

    @property
    def type(self) -> str | None:
        """What kind of message it is, by its producer."""
        return self.raw_event.get("type")

    @property
    def user_id(self) -> str | None:
        """The user of the broker who sent it."""
        return self.raw_event.get("userId")

    @property
    def app_id(self) -> str | None:
        """The application that sent it."""
        return self.raw_event.get("appId")

    @property
    def cluster_id(self) -> str | None:
        """A field of the protocol that nobody uses."""
        return self.raw_event.get("clusterId")

    @property
    def body_size(self) -> int | None:
        """How many bytes the content has."""
        return self.raw_event.get("bodySize")


class RabbitMQMessage(_Message):
    """A message of RabbitMQ, as Lambda delivers it. Its queue stands in the event alone."""

    __slots__ = ()

    @property
    def basic_properties(self) -> RabbitMQBasicProperties:
        """What the producer, and the broker, said of it beside its content.

        Raises:
            ValueError: they are no object.
        """
        properties = self.raw_event.get("basicProperties")
        return RabbitMQBasicProperties({} if properties is None else properties)

    @property
    def decoded_headers(self) -> dict[str, Any]:
        """The headers, with text as text: those of :attr:`basic_properties`."""
        return self.basic_properties.decoded_headers


def _whole(value: Any, field: str) -> int:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    raise ValueError(f"{field} is not a whole number, but of type {type(value).__name__}.")
