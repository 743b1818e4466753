"""The sources: what batchcore has to know of Amazon MQ."""

from __future__ import annotations

from batchcore import by_key, hookimpl
from batchcore.records import is_object
from batchcore_mq.message import ActiveMQMessage, RabbitMQMessage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal

    from batchcore import Batch, Ordering


def message_group(record: Any) -> str | None:
    """Return a raw message's ``JMSXGroupID``, or None where it is of no group: ``ordering=by_key(message_group)``."""
    group = _at(record, "properties", "JMSXGroupID")
    return group if isinstance(group, str) else None


GROUP_ORDER = by_key(message_group, on_failure="continue")


class _Broker:
    """What the sources of both brokers have.

    Amazon MQ takes no partial response: messages come again only when the function fails, and then all of the batch
    does. So all of it is tried, and any message that is not done fails the invocation. Nobody names a message, and no
    broker names each of its messages once.

    AWS's side of it: https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html
    """

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[None]:
        """Return None for each: there is nobody to name it to."""
        return [None] * len(records)

    @hookimpl
    def acknowledgement(self) -> Literal["batch"]:
        """Say that AWS acknowledges the whole batch."""
        return "batch"


class ActiveMQSource(_Broker):
    """Amazon MQ for ActiveMQ. Messages of one ``JMSXGroupID`` run in order; a failure stops nothing."""

    name = "activemq"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Whether the event is of ActiveMQ, by either name that AWS has for it."""
        return _at(event, "eventSource") in ("aws:mq", "aws:amq") and isinstance(event.get("messages"), list)

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        """Return the list ``messages``."""
        return list(event["messages"])

    @hookimpl
    def record_decoder(self, batch: Batch) -> type[ActiveMQMessage]:
        """Return the view of a message."""
        return ActiveMQMessage

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Return the order of message groups."""
        return GROUP_ORDER

    @hookimpl
    def delivery_attempt(self, record: Any) -> int | None:
        """Return ``JMSXDeliveryCount``, a number or text, which counts from 1; None where it is not there."""
        return _counted(_at(record, "properties", "JMSXDeliveryCount"), first=1)

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        """Return what a message is called, and its queue."""
        message = ActiveMQMessage(record)
        return {"message_id": message.message_id, "queue": message.destination_physicalname}


class RabbitMQSource(_Broker):
    """Amazon MQ for RabbitMQ. Messages are unordered: for their order in the queue, choose ``ordering=in_order()``."""

    name = "rabbitmq"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Whether the event is of RabbitMQ: lists of messages by their queues."""
        queues = _at(event, "rmqMessagesByQueue") if _at(event, "eventSource") == "aws:rmq" else None
        return is_object(queues) and all(isinstance(messages, list) for messages in queues.values())

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        """Return the messages of all queues, one queue after the other."""
        return [message for messages in event["rmqMessagesByQueue"].values() for message in messages]

    @hookimpl
    def record_decoder(self, batch: Batch) -> type[RabbitMQMessage]:
        """Return the view of a message."""
        return RabbitMQMessage

    @hookimpl
    def delivery_attempt(self, record: Any) -> int | None:
        """Return one more than ``x-delivery-count``, which quorum queues count from 0; None where it is not there."""
        return _counted(_at(record, "basicProperties", "headers", "x-delivery-count"), first=0)


def _at(value: Any, *path: str) -> Any:
    for key in path:
        value = value.get(key) if is_object(value) else None
    return value


def _counted(count: Any, first: int) -> int | None:
    number = int(count) if isinstance(count, str) and count.isdecimal() else count
    return number - first + 1 if type(number) is int and number >= first else None


ActiveMQ = ActiveMQSource()
"""The source that this package offers under the name ``activemq``."""

RabbitMQ = RabbitMQSource()
"""The source that this package offers under the name ``rabbitmq``."""
