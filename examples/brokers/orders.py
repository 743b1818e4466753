"""Orders from a queue of RabbitMQ: what fails three times becomes a dead letter, so that the others are acknowledged.

    python examples/brokers/orders.py

Amazon MQ takes no partial response. A message that fails brings its whole batch back, with what has succeeded, until
nothing fails any more. So the handler must bear to see an order twice, and something must give up what always fails.
Run by hand, the program is its own event source mapping: it delivers six orders, one of which is no order.
"""

import logging
from typing import Any

from batchcore import (
    BatchProcessor,
    LambdaContext,
    Outcome,
    PartialItemFailureResponse,
    hookimpl,
    process_partial_response,
)
from batchcore_mq import RabbitMQMessage

# Stands for a table with a condition on its key: an order that is in it is not shipped again.
SHIPPED: dict[int, str] = {}


class DeadLetters:
    """Keeps dead letters in a list. A real one sends them to a queue, as those of batchcore-deadletter do."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome) -> None:
        self.messages.append(RabbitMQMessage(outcome.record).decoded_data)


dead_letters = DeadLetters()
processor = BatchProcessor("rabbitmq", dead_letter_after=3, plugins=[dead_letters])


def record_handler(message: RabbitMQMessage) -> None:
    order: dict[str, Any] = message.json_data
    if order["id"] not in SHIPPED:
        SHIPPED[order["id"]] = message.decoded_headers["producer"]


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, record_handler, processor, context)


def main() -> None:
    from batchcore_testing import BrokerQueue, EventSourceMapping

    logging.getLogger("batchcore").setLevel(logging.CRITICAL)  # what fails here is meant to
    queue = BrokerQueue("rabbitmq")
    queue.send(*({"id": number} for number in (1, 2, 3)), "no order", *({"id": number} for number in (4, 5)))
    history = EventSourceMapping(queue, lambda_handler).drain()
    for invocation in history.invocations:
        response = invocation.complaint or f"it returned {invocation.response}"
        print(f"{len(invocation.items)} messages: {response}")
    print("shipped:     ", *SHIPPED)
    print("dead letters:", *dead_letters.messages)


if __name__ == "__main__":
    main()
