"""Functions that read a broker: the view is known from the source, the model from what was given."""

from typing import Any

from pydantic import BaseModel, Json

from batchcore import BatchProcessor, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_mq import ActiveMQ, ActiveMQMessage, RabbitMQ, RabbitMQMessage
from batchcore_mq.models import ActiveMQMessageModel, RabbitMQMessageModel


class Order(BaseModel):
    id: int


class OrderMessage(RabbitMQMessageModel):
    data: Json[Order]


class OtherMessage(ActiveMQMessageModel):
    data: Json[Order]


def handle_order(message: OrderMessage) -> int:
    return message.data.id


def handle_rabbit(message: RabbitMQMessage) -> str:
    return message.decoded_data


def handle_active(message: ActiveMQMessage) -> str | None:
    return message.destination_physicalname


processor = BatchProcessor("rabbitmq", model=OrderMessage)
BatchProcessor("activemq", model=OtherMessage)
of_rabbit: BatchProcessor[RabbitMQMessage] = BatchProcessor(RabbitMQ)
of_active: BatchProcessor[ActiveMQMessage] = BatchProcessor(ActiveMQ)
of_rabbit.run({}, handle_rabbit)
of_active.run({}, handle_active)
BatchProcessor("rabbitmq").run({}, handle_rabbit)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, handle_order, processor, context)
