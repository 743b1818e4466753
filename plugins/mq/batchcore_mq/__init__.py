"""Amazon MQ as sources of batchcore. Importing this package offers the sources ``activemq`` and ``rabbitmq``."""

from __future__ import annotations

from batchcore import offer
from batchcore_mq.gson import decode_date, decode_headers
from batchcore_mq.hooks import ActiveMQ, ActiveMQSource, RabbitMQ, RabbitMQSource, message_group
from batchcore_mq.message import ActiveMQMessage, RabbitMQBasicProperties, RabbitMQMessage

__all__ = [
    "ActiveMQ",
    "ActiveMQMessage",
    "ActiveMQSource",
    "RabbitMQ",
    "RabbitMQBasicProperties",
    "RabbitMQMessage",
    "RabbitMQSource",
    "decode_date",
    "decode_headers",
    "message_group",
]

offer("activemq", ActiveMQ)
offer("rabbitmq", RabbitMQ)
