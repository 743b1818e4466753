"""Messages of a real RabbitMQ, published and received by a real client, in the form that AWS gives them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from batchcore import BatchProcessor, WholeBatchRetry, hookimpl
from batchcore_mq import RabbitMQMessage, decode_date
from batchcore_mq.events import RabbitMQEvents

pika = pytest.importorskip("pika")

MOST_INVOCATIONS = 20
names = map("orders-{}".format, count())


@pytest.fixture
def channel(rabbitmq: int) -> Iterator[Any]:
    """A channel of a client."""
    connection = pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", rabbitmq))
    channel = connection.channel()
    channel.confirm_delivery()
    yield channel
    connection.close()


# What AWS makes of a message.


def signed(data: bytes) -> list[int]:
    return [byte - 256 if byte > 127 else byte for byte in data]


def date(at: datetime) -> str:
    return at.strftime("%b X%d, %Y, X%I:%M:%S %p").replace("X0", "").replace("X", "")


def of_gson(value: Any) -> Any:
    """Write a value of a header as Gson writes what the Java client has in its place."""
    if isinstance(value, dict):
        return {name: of_gson(each) for name, each in value.items()}
    if isinstance(value, list):
        return [of_gson(each) for each in value]
    if isinstance(value, str):
        return {"bytes": signed(value.encode())}
    if isinstance(value, bytes):
        return signed(value)
    if isinstance(value, Decimal):
        return float(value)
    return date(value) if isinstance(value, datetime) else value


def of_aws(method: Any, properties: Any, body: bytes) -> dict[str, Any]:
    """Make AWS's message of what the client has received."""
    sent_at = properties.timestamp
    return {
        "basicProperties": {
            "contentType": properties.content_type,
            "contentEncoding": properties.content_encoding,
            "headers": None if properties.headers is None else of_gson(properties.headers),
            "deliveryMode": properties.delivery_mode,
            "priority": properties.priority,
            "correlationId": properties.correlation_id,
            "replyTo": properties.reply_to,
            "expiration": properties.expiration,
            "messageId": properties.message_id,
            "timestamp": None if sent_at is None else date(datetime.fromtimestamp(sent_at, timezone.utc)),
            "type": properties.type,
            "userId": properties.user_id,
            "appId": properties.app_id,
            "clusterId": properties.cluster_id,
            "bodySize": len(body),
        },
        "redelivered": method.redelivered,
        "data": b64encode(body).decode(),
    }


def declared(channel: Any, **arguments: Any) -> str:
    """Declare a quorum queue, or another, and give its name."""
    name = next(names)
    channel.queue_declare(name, durable=True, arguments={"x-queue-type": "quorum", **arguments})
    return name


def publish(channel: Any, queue: str, *bodies: bytes | str, **properties: Any) -> None:
    for body in bodies:
        channel.basic_publish("", queue, body, pika.BasicProperties(**properties), mandatory=True)


def received(channel: Any, queue: str, most: int) -> list[tuple[Any, Any, bytes]]:
    """Receive what is there, up to so many messages."""
    messages: list[tuple[Any, Any, bytes]] = []
    while len(messages) < most:
        method, properties, body = channel.basic_get(queue)
        if method is None:
            break
        messages.append((method, properties, body))
    return messages


def invoke(channel: Any, queue: str, function: Callable[[Any, Any], Any], most: int = 10) -> bool:
    """Do what AWS does with a batch: acknowledge all of it, or return all of it. Give whether there was one."""
    batch = received(channel, queue, most)
    if not batch:
        return False
    event = RabbitMQEvents(queue).event([of_aws(*each) for each in batch])
    try:
        function(json.loads(json.dumps(event)), None)
    except Exception:
        channel.basic_nack(batch[-1][0].delivery_tag, multiple=True, requeue=True)
    else:
        channel.basic_ack(batch[-1][0].delivery_tag, multiple=True)
    return True


def drain(channel: Any, queue: str, function: Callable[[Any, Any], Any], most: int = 10) -> int:
    """Invoke a function until the queue is empty, and give how often."""
    for invocations in range(MOST_INVOCATIONS):
        if not invoke(channel, queue, function, most):
            return invocations
    pytest.fail(f"not drained after {MOST_INVOCATIONS} invocations")


def test_every_order_is_done_and_the_queue_is_empty(channel: Any) -> None:
    queue = declared(channel)
    publish(channel, queue, *(json.dumps({"id": number}) for number in range(25)))
    processor = BatchProcessor("rabbitmq", raise_on_entire_batch_failure=False)
    done: list[int] = []
    attempts: dict[int, list[int | None]] = {}

    def record_handler(message: RabbitMQMessage) -> None:
        number = message.json_data["id"]
        seen = attempts.setdefault(number, [])
        seen.append(message.decoded_headers["x-delivery-count"])
        if number in (3, 17) and len(seen) < 3:
            raise ConnectionError("not yet")
        done.append(number)

    invocations = drain(channel, queue, lambda event, context: processor.run(event, record_handler, context))

    assert set(done) == set(range(25))
    for number in (3, 17):  # and on, where another one of their batch failed
        assert attempts[number] == list(range(len(attempts[number])))
        assert len(attempts[number]) >= 3
    assert invocations >= 5
    assert len(done) > 25, "what succeeds beside a failure is done again"


def test_poison_message_becomes_a_dead_letter_and_the_rest_is_acknowledged(channel: Any) -> None:
    queue = declared(channel)
    publish(channel, queue, '{"id": 1}', "no JSON", '{"id": 2}')
    letters: list[Any] = []

    class Letters:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any, batch: Any) -> None:
            letters.append((batch.delivery_attempt(outcome.record), batch.original_message(outcome.record)))

    processor = BatchProcessor("rabbitmq", dead_letter_after=3, plugins=[Letters()])
    done: list[int] = []
    invocations = drain(
        channel,
        queue,
        lambda event, context: processor.run(event, lambda message: done.append(message.json_data["id"]), context),
    )

    assert invocations == 3
    assert sorted(done) == [1, 1, 1, 2, 2, 2]
    ((attempt, letter),) = letters
    assert attempt == 3
    assert json.loads(letter.body)["data"] == b64encode(b"no JSON").decode()


def test_message_beyond_the_limit_of_its_queue_goes_where_the_broker_sends_it(channel: Any) -> None:
    letters = declared(channel)
    dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": letters}
    queue = declared(channel, **{"x-delivery-limit": 2, **dead})
    publish(channel, queue, "poison", headers={"größe": "é"})
    processor = BatchProcessor("rabbitmq")
    attempts: list[Any] = []

    def fails(message: RabbitMQMessage) -> None:
        attempts.append(message.decoded_headers["x-delivery-count"])
        raise ValueError

    assert drain(channel, queue, lambda event, context: processor.run(event, fails, context)) == 3
    assert attempts == [0, 1, 2]

    seen: list[Any] = []

    class Attempts:
        @hookimpl
        def batch_started(self, batch: Any) -> None:
            seen.append(batch.delivery_attempt(batch.records[0]))

    def looks(message: RabbitMQMessage) -> None:
        (death,) = message.decoded_headers["x-death"]
        seen.append((death["reason"], death["queue"], death["count"], message.decoded_headers["größe"]))
        decode_date(death["time"])

    letter_processor = BatchProcessor("rabbitmq", plugins=[Attempts()])
    drain(channel, letters, lambda event, context: letter_processor.run(event, looks, context))
    assert seen == [1, ("delivery_limit", queue, 1, "é")]


def test_no_attempt_is_claimed_in_a_queue_that_does_not_count(channel: Any) -> None:
    queue = next(names)
    channel.queue_declare(queue)
    publish(channel, queue, "a")
    seen: list[Any] = []

    class Attempts:
        @hookimpl
        def batch_started(self, batch: Any) -> None:
            (record,) = batch.records
            seen.append((record["redelivered"], batch.delivery_attempt(record)))

    def fails_at_first(message: RabbitMQMessage) -> None:
        if not message.redelivered:
            raise ValueError

    processor = BatchProcessor("rabbitmq", plugins=[Attempts()])
    drain(channel, queue, lambda event, context: processor.run(event, fails_at_first, context))
    assert seen == [(False, None), (True, None)]


def test_headers_of_every_kind_come_through(channel: Any) -> None:
    queue = declared(channel)
    at = datetime(2026, 11, 29, 13, 5, 9, tzinfo=timezone.utc)
    headers = {
        "text": "größe €",
        "empty": "",
        "number": 7,
        "large": 1_700_000_000_123,
        "yes": True,
        "nothing": None,
        "bytes": b"\xff\x00a",
        "date": at,
        "decimal": Decimal("1.5"),
        "list": ["a", 1, ["b"], {"c": "d"}],
        "table": {"inner": "é", "bytes": "of a user's own"},
    }
    publish(
        channel,
        queue,
        "größe",
        headers=headers,
        content_type="text/plain",
        content_encoding="utf-8",
        correlation_id="c",
        reply_to="answers",
        expiration="60000",
        message_id="m",
        timestamp=2021,
        type="order",
        app_id="shop",
        user_id="guest",
        delivery_mode=2,
        priority=3,
    )
    kept: list[RabbitMQMessage] = []
    invoke(channel, queue, lambda event, context: BatchProcessor("rabbitmq").run(event, kept.append, context))
    (message,) = kept
    decoded = message.decoded_headers
    assert decoded.pop("x-delivery-count") == 0
    assert decode_date(decoded.pop("date")) == at.replace(tzinfo=None)
    assert decoded == {**{name: headers[name] for name in decoded}, "bytes": [-1, 0, 97], "decimal": 1.5}
    properties = message.basic_properties
    assert message.decoded_data == "größe"
    assert properties.timestamp == "Jan 1, 1970, 12:33:41 AM"
    assert [
        properties.content_type,
        properties.content_encoding,
        properties.correlation_id,
        properties.reply_to,
        properties.expiration,
        properties.message_id,
        properties.type,
        properties.app_id,
        properties.user_id,
        properties.delivery_mode,
        properties.priority,
        properties.cluster_id,
        properties.body_size,
    ] == ["text/plain", "utf-8", "c", "answers", "60000", "m", "order", "shop", "guest", 2, 3, None, 7]


def test_message_without_properties_has_none(channel: Any) -> None:
    queue = next(names)
    channel.queue_declare(queue)
    publish(channel, queue, b"\xff\x00")
    kept: list[RabbitMQMessage] = []
    invoke(channel, queue, lambda event, context: BatchProcessor("rabbitmq").run(event, kept.append, context))
    (message,) = kept
    assert message["basicProperties"]["headers"] is None
    assert message.decoded_headers == {}
    assert message.data_as_bytes == b"\xff\x00"
    assert message.basic_properties.decoded_timestamp is None


def test_order_of_the_queue_is_kept_where_it_is_asked_for(channel: Any) -> None:
    from batchcore import in_order

    queue = declared(channel)
    publish(channel, queue, *map(str, range(6)))
    done: list[str] = []
    failures = ["2"]

    def record_handler(message: RabbitMQMessage) -> None:
        if message.decoded_data in failures:
            failures.remove(message.decoded_data)
            raise ValueError
        done.append(message.decoded_data)

    processor = BatchProcessor("rabbitmq", ordering=in_order(), max_concurrency=4)
    with pytest.raises(WholeBatchRetry):
        processor.run(RabbitMQEvents().event([of_aws(*each) for each in peek(channel, queue)]), record_handler)
    assert done == ["0", "1"]
    failures.append("4")
    drain(channel, queue, lambda event, context: processor.run(event, record_handler, context))
    assert done == ["0", "1", "0", "1", "2", "3", "0", "1", "2", "3", "4", "5"]


def peek(channel: Any, queue: str) -> list[tuple[Any, Any, bytes]]:
    """Receive what is there, and return it."""
    batch = received(channel, queue, 10)
    channel.basic_nack(batch[-1][0].delivery_tag, multiple=True, requeue=True)
    return batch
