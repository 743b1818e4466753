"""Messages of a real ActiveMQ: sent by STOMP, received by JMS as Lambda does, in the form that AWS gives them."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import Callable
from itertools import count
from typing import Any, Protocol

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor, hookimpl
from batchcore_mq import ActiveMQMessage
from batchcore_mq.events import ActiveMQEvents

stomp = pytest.importorskip("stomp")

MOST_INVOCATIONS = 20
QUIET_MS = 500  # after so long without a message there is none
names = map("orders-{}".format, count())


class Ports(Protocol):
    @property
    def stomp(self) -> int: ...


class JMS(Protocol):
    def ask(self, *words: object) -> Any: ...


def send(broker: Ports, queue: str, *bodies: bytes | str, as_text: bool = False, **headers: str) -> None:
    """Send messages. By STOMP a length makes a message of bytes, and the client sends one unless it is told not to."""
    connection = stomp.Connection12([("127.0.0.1", broker.stomp)], auto_content_length=not as_text)
    connection.connect(wait=True)
    for body in bodies:
        connection.send(f"/queue/{queue}", body, headers=headers)
    connection.disconnect(receipt="bye")
    until = time.monotonic() + 20
    while connection.is_connected():
        assert time.monotonic() < until
        time.sleep(0.01)


def invoke(jms: JMS, queue: str, function: Callable[[Any, Any], Any], most: int = 10) -> bool:
    """Do what AWS does with a batch: acknowledge all of it, or return all of it. Give whether there was one."""
    batch = jms.ask("receive", queue, most, QUIET_MS)
    if not batch:
        return False
    try:
        function(ActiveMQEvents().event(batch), None)
    except Exception:
        jms.ask("recover")
    else:
        jms.ask("acknowledge")
    return True


def drain(jms: JMS, queue: str, function: Callable[[Any, Any], Any], most: int = 10) -> int:
    """Invoke a function until the queue is empty, and give how often."""
    for invocations in range(MOST_INVOCATIONS):
        if not invoke(jms, queue, function, most):
            return invocations
    pytest.fail(f"not drained after {MOST_INVOCATIONS} invocations")


def test_every_order_is_done_and_the_queue_is_empty(activemq: Ports, jms: JMS) -> None:
    queue = next(names)
    send(activemq, queue, *(json.dumps({"id": number}) for number in range(25)))
    processor = BatchProcessor("activemq", raise_on_entire_batch_failure=False)
    came: dict[int, list[Any]] = {}
    done: list[int] = []

    def record_handler(message: ActiveMQMessage) -> None:
        number = message.json_data["id"]
        seen = came.setdefault(number, [])
        seen.append((message.redelivered, message.properties.get("JMSXDeliveryCount")))
        if number in (3, 17) and len(seen) < 3:
            raise ConnectionError("not yet")
        done.append(number)

    invocations = drain(jms, queue, lambda event, context: processor.run(event, record_handler, context))

    assert invocations >= 5
    assert set(done) == set(range(25))
    assert came[3] == came[17] == [(False, None), (True, "2"), (True, "3")]
    assert came[24] == [(False, None)]
    assert done.count(4) == 3, "what succeeds beside a failure is done again"


def test_poison_message_becomes_a_dead_letter_and_the_rest_is_acknowledged(activemq: Ports, jms: JMS) -> None:
    queue = next(names)
    send(activemq, queue, '{"id": 1}', "no JSON", '{"id": 2}')
    letters: list[Any] = []
    counted: list[Any] = []

    class Letters:
        @hookimpl
        def batch_started(self, batch: Any) -> None:
            counted.append([batch.delivery_attempt(record) for record in batch.records])

        @hookimpl
        def deliver_dead_letter(self, outcome: Any, batch: Any) -> None:
            letters.append(json.loads(batch.original_message(outcome.record).body)["data"])

    processor = BatchProcessor("activemq", dead_letter_after=3, plugins=[Letters()])
    drain(jms, queue, lambda event, context: processor.run(event, lambda message: message.json_data["id"], context))
    assert counted == [[None] * 3, [2] * 3, [3] * 3], "of the first delivery nobody says that it is the first"
    assert letters == [b64encode(b"no JSON").decode()]


@pytest.mark.parametrize(("as_text", "kind"), [(False, "jms/bytes-message"), (True, "jms/text-message")])
def test_text_is_read_whatever_type_of_message_it_became(activemq: Ports, jms: JMS, as_text: bool, kind: str) -> None:
    queue = next(names)
    send(activemq, queue, '{"größe": "€"}', as_text=as_text)
    kept: list[ActiveMQMessage] = []
    drain(jms, queue, lambda event, context: BatchProcessor("activemq").run(event, kept.append))
    (message,) = kept
    assert message.message_type == kind
    assert message.decoded_data == '{"größe": "€"}'
    assert message.json_data == {"größe": "€"}


def test_fields_come_through(activemq: Ports, jms: JMS) -> None:
    queue = next(names)
    expires = str(round(time.time() * 1000) + 600_000)
    headers = {"correlation-id": "c", "type": "order", "priority": "7", "persistent": "true", "expires": expires}
    send(activemq, queue, b"\xff\x00", own="é", number="7", **headers)
    kept: list[ActiveMQMessage] = []
    drain(jms, queue, lambda event, context: BatchProcessor("activemq").run(event, kept.append))
    (message,) = kept
    assert message["replyTo"] == "null"
    assert message.reply_to is None
    assert message.data_as_bytes == b"\xff\x00"
    assert message.message_id is not None
    assert message.message_id.startswith("ID:")
    assert message.correlation_id == "c"
    assert message.type == "order"
    assert message.priority == 7
    assert message.delivery_mode == 2
    assert message.expiration == int(expires)
    assert message.destination_physicalname == queue
    assert message.properties == {"own": "é", "number": "7"}
    for at in (message.timestamp, message.broker_in_time, message.broker_out_time):
        assert at is not None
        assert abs(at / 1000 - time.time()) < 600


def test_answer_is_expected_where_the_producer_said(activemq: Ports, jms: JMS) -> None:
    queue = next(names)
    send(activemq, queue, "a", **{"reply-to": "/queue/answers"})
    kept: list[ActiveMQMessage] = []
    drain(jms, queue, lambda event, context: BatchProcessor("activemq").run(event, kept.append))
    assert kept[0].reply_to == "queue://answers"


def test_messages_of_a_group_are_in_order_however_many_run_at_a_time(activemq: Ports, jms: JMS) -> None:
    queue = next(names)
    for number in range(8):
        send(activemq, queue, str(number), JMSXGroupID=f"customer-{number % 2}")
    done: dict[str, list[int]] = {}

    async def record_handler(message: ActiveMQMessage) -> None:
        number = int(message.decoded_data)
        await asyncio.sleep(0.01 * (8 - number))
        done.setdefault(message.properties["JMSXGroupID"], []).append(number)

    processor = AsyncBatchProcessor("activemq")
    assert drain(jms, queue, lambda event, context: processor.run(event, record_handler)) == 1
    assert done == {"customer-0": [0, 2, 4, 6], "customer-1": [1, 3, 5, 7]}
