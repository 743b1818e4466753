"""Events of Amazon MQ for tests, in the shape in which Lambda delivers them."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from batchcore_testing import EventFactory, Sent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batchcore.types import Record

_BROKER = "arn:aws:mq:eu-west-1:123456789012:broker:orders:b-0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d"
_HOST = "b-0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d-1.mq.eu-west-1.amazonaws.com"


class ActiveMQEvents(EventFactory):
    """Makes messages of ActiveMQ.

    The content is the message's: text and what can be JSON make a text message, bytes a bytes message. The key of a
    message is its group, ``JMSXGroupID``. From the second delivery on it has ``JMSXDeliveryCount``, as
    a client of JMS gets it.

    See "Using Lambda with Amazon MQ" in the AWS Lambda developer guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw message."""
        properties: dict[str, Any] = {} if sent.key is None else {"JMSXGroupID": sent.key}
        if sent.attempt > 1:
            properties["JMSXDeliveryCount"] = str(sent.attempt)
        at = round(sent.sent_at * 1000)
        return {
            "messageID": f"ID:{_HOST}-37557-1234520418293-4:1:1:1:{sent.number}",
            "messageType": "jms/bytes-message" if isinstance(sent.content, bytes) else "jms/text-message",
            "deliveryMode": 2,
            "replyTo": None,
            "type": None,
            "expiration": "0",
            "priority": 4,
            "correlationId": f"order-{sent.number}",
            "redelivered": sent.attempt > 1,
            "destination": {"physicalName": sent.resource},
            "data": b64encode(_data(sent.content)).decode(),
            "timestamp": at,
            "brokerInTime": at,
            "brokerOutTime": at + 1,
            "properties": properties,
        }

    def event(self, records: Sequence[Record]) -> Any:
        """Make an event."""
        return {"eventSource": "aws:mq", "eventSourceArn": _BROKER, "messages": list(records)}


class RabbitMQEvents(EventFactory):
    """Makes messages of a quorum queue of RabbitMQ, whose header ``x-delivery-count`` counts what came before, from 0.

    The content is the message's: bytes and text as they are, anything else as JSON. A message says nothing of its
    queue, so the event has the one that is named here. The key of a message is its ``correlationId``.

    Args:
        queue: the name of the queue.
        vhost: the virtual host that it is in.

    See "Using Lambda with Amazon MQ" in the AWS Lambda developer guide.
    """

    def __init__(self, queue: str = "orders", vhost: str = "/") -> None:
        self.queue = queue
        self.vhost = vhost

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw message."""
        data = _data(sent.content)
        return {
            "basicProperties": {
                "contentType": "application/octet-stream" if isinstance(sent.content, bytes) else "text/plain",
                "contentEncoding": None,
                "headers": {
                    "producer": {"bytes": list(b"orders")},
                    "number": sent.number,
                    "x-delivery-count": sent.attempt - 1,
                },
                "deliveryMode": 2,
                "priority": None,
                "correlationId": sent.key,
                "replyTo": None,
                "expiration": None,
                "messageId": None,
                "timestamp": _date(sent.sent_at),
                "type": None,
                "userId": None,
                "appId": None,
                "clusterId": None,
                "bodySize": len(data),
            },
            "redelivered": sent.attempt > 1,
            "data": b64encode(data).decode(),
        }

    def event(self, records: Sequence[Record]) -> Any:
        """Make an event: the messages of the queue under its name and that of its virtual host."""
        queues = {f"{self.queue}::{self.vhost}": list(records)}
        return {"eventSource": "aws:rmq", "eventSourceArn": _BROKER, "rmqMessagesByQueue": queues}


def _data(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()


_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


def _date(seconds: float) -> str:
    """Write a time as AWS does, with the clock of UTC, and in English whatever the locale."""
    at = time.gmtime(seconds)
    month = _MONTHS[3 * at.tm_mon - 3 : 3 * at.tm_mon]
    hour, half = (at.tm_hour - 1) % 12 + 1, "PM" if at.tm_hour >= 12 else "AM"
    return f"{month} {at.tm_mday}, {at.tm_year}, {hour}:{at.tm_min:02}:{at.tm_sec:02} {half}"
