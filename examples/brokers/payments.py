"""Payments from a queue of ActiveMQ: in order for each customer, and what no retry mends becomes a dead letter at once.

    python examples/brokers/payments.py

Messages of one group, JMSXGroupID, are handled one after the other, up to the first that fails; those of several side
by side. Whether Lambda is told how often ActiveMQ delivered a message is not documented, so that nothing is given up by
a count: what is no payment is, whenever it comes. A bank that does not answer is worth another try, and the batch comes
again, with what has succeeded. Run by hand, the program is its own event source mapping, and the bank does not answer
the first call.
"""

import logging
from typing import Any

from batchcore import (
    BatchProcessor,
    Disposition,
    LambdaContext,
    Outcome,
    PartialItemFailureResponse,
    by_key,
    hookimpl,
    process_partial_response,
)
from batchcore_mq import ActiveMQMessage, message_group

# Stands for a table with a condition on its key: a payment that is in it is not booked again.
BOOKED: dict[int, str] = {}
BANK = {"answers": True}


class BankError(Exception):
    pass


class DeadLetters:
    """Keeps dead letters in a list. A real one sends them to a queue, as those of batchcore-deadletter do."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome) -> None:
        self.messages.append(ActiveMQMessage(outcome.record).decoded_data)


dead_letters = DeadLetters()
processor = BatchProcessor(
    "activemq",
    ordering=by_key(message_group),
    max_concurrency=4,
    dispositions={ValueError: Disposition.DEAD_LETTER},
    plugins=[dead_letters],
)


def record_handler(message: ActiveMQMessage) -> None:
    payment: dict[str, Any] = message.json_data
    if payment["id"] in BOOKED:
        return
    if not BANK["answers"]:
        BANK["answers"] = True
        raise BankError("the bank does not answer")
    BOOKED[payment["id"]] = message.properties["JMSXGroupID"]


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, record_handler, processor, context)


def main() -> None:
    from batchcore_testing import BrokerQueue, EventSourceMapping

    logging.getLogger("batchcore").setLevel(logging.CRITICAL)  # what fails here is meant to
    queue = BrokerQueue("activemq")
    queue.send({"id": 1}, {"id": 2}, key="ann")
    BANK["answers"] = False
    for invocation in EventSourceMapping(queue, lambda_handler).drain().invocations:
        response = invocation.complaint or f"it returned {invocation.response}"
        print(f"{len(invocation.items)} messages: {response}")
    queue.send("no payment", {"id": 3}, key="bob")
    for invocation in EventSourceMapping(queue, lambda_handler).drain().invocations:
        print(f"{len(invocation.items)} messages: it returned {invocation.response}")
    print("booked:      ", *BOOKED)
    print("dead letters:", *dead_letters.messages)


if __name__ == "__main__":
    main()
