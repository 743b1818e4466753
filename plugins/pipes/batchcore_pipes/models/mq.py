"""The pydantic models of messages of Amazon MQ, as a pipe delivers them. Needs batchcore-mq."""

from __future__ import annotations

from typing import ClassVar, Literal

from batchcore_mq.models import ActiveMQMessageModel, RabbitMQMessageModel


class ActiveMQPipeMessageModel(ActiveMQMessageModel):
    """A message of ActiveMQ. ``data`` is decoded from base64."""

    __batch_source__: ClassVar[str] = "pipes-mq"

    eventSource: Literal["aws:amq", "aws:mq"]
    eventSourceArn: str


class RabbitMQPipeMessageModel(RabbitMQMessageModel):
    """A message of RabbitMQ, with its queue. ``data`` is decoded from base64."""

    __batch_source__: ClassVar[str] = "pipes-mq"

    eventSource: Literal["aws:rmq"]
    eventSourceArn: str
    eventSourceKey: str | None = None
