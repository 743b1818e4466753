"""Records of a real client: produced, consumed, made an event of AWS's, handled, and committed as far as allowed.

The cluster is librdkafka's own mock, on this machine. It has groups, partitions and commits; it has no share groups,
so queue mode is shown by the simulator alone.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from batchcore import BatchProcessor, by_key, process_partial_response
from batchcore_kafka import KafkaRecord, record_key
from batchcore_kafka.events import KafkaEvents, signed_headers
from batchcore_testing import event_from, redelivered

confluent_kafka = pytest.importorskip("confluent_kafka", reason="the client confluent-kafka is not installed")

EVERY_BYTE = bytes(range(256))


class Sent(NamedTuple):
    """What a producer sends; equal to what a handler must see of it."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


SENT = (
    *(Sent("orders", f"customer-{number % 3}".encode(), json.dumps({"n": number}).encode()) for number in range(30)),
    *(
        Sent("orders-1", f"customer-{number % 5}".encode(), b"%d" % number) for number in range(20)
    ),  # a dash and a digit
    Sent("orders", b"customer-0", None),  # a tombstone
    Sent("orders", b"customer-1", b""),
    Sent("orders", None, b"no key"),
    Sent("orders-1", None, None),
    Sent("orders-1", b"", b"an empty key"),
    Sent("orders", EVERY_BYTE, EVERY_BYTE, (("bytes", EVERY_BYTE), ("utf-8", "Grüße".encode()))),
    Sent("orders", b"k", b"v", (("twice", b"1"), ("other", b""), ("twice", None), ("", b"no name"))),
)


class Cluster(NamedTuple):
    """A cluster that lives as long as the producer that made it."""

    producer: Any
    servers: str


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    producer = confluent_kafka.Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 2})
    brokers = producer.list_topics(timeout=20).brokers.values()
    yield Cluster(producer, ",".join(f"{broker.host}:{broker.port}" for broker in brokers))
    producer.flush(5)


@pytest.fixture(scope="module")
def partitions(cluster: Cluster) -> list[tuple[str, int]]:
    """Produce everything, and give the partitions that hold it."""
    reports: list[Any] = []
    for sent in SENT:
        headers = list(sent.headers) or None
        cluster.producer.produce(
            sent.topic,
            key=sent.key,
            value=sent.value,
            headers=headers,
            on_delivery=lambda *report: reports.append(report),
        )
        cluster.producer.poll(0)
    assert cluster.producer.flush(20) == 0
    assert [error for error, _ in reports if error is not None] == []
    topics = cluster.producer.list_topics(timeout=20).topics
    return [(topic, partition) for topic in ("orders", "orders-1") for partition in topics[topic].partitions]


class Mapping:
    """An event source mapping of one's own: what Lambda does in stream mode, with a real consumer.

    Args:
        cluster: where to consume.
        group: whose offsets are committed.
        partitions: of which topics.
        function: what to invoke.
    """

    def __init__(self, cluster: Cluster, group: str, partitions: list[tuple[str, int]], function: Any) -> None:
        self.invocations = 0
        self._function = function
        self._consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.servers,
                "group.id": group,
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
                "fetch.error.backoff.ms": 20,
            }
        )
        self._partitions = [confluent_kafka.TopicPartition(*each) for each in partitions]
        self._consumer.assign(self._partitions)  # each goes on where its group has committed
        self.ends: dict[tuple[str, int], int] = {}
        for each in self._partitions:
            self.ends[each.topic, each.partition] = self._consumer.get_watermark_offsets(each, timeout=20)[1]

    def close(self) -> None:
        self._consumer.close()

    def left(self) -> int:
        """Count what is not committed."""
        committed = self._consumer.committed(self._partitions, timeout=20)
        return sum(self.ends[each.topic, each.partition] - max(each.offset, 0) for each in committed)

    def poll(self, batch_size: int) -> None:
        """Consume a batch, invoke the function, and commit what its response allows."""
        messages = self._consumer.consume(batch_size, timeout=0.2)
        assert [message.error() for message in messages if message.error() is not None] == []
        if not messages:
            return
        records = [record_of(message) for message in messages]
        event = json.loads(json.dumps(event_from(KafkaEvents(), records)))
        again = redelivered(event, json.loads(json.dumps(self._function(event, None))))
        self.invocations += 1
        offsets: dict[tuple[str, int], int] = {}
        for record in records:  # gaps are no records, so what follows the last one is the next to come
            place = record["topic"], record["partition"]
            offsets[place] = max(offsets.get(place, 0), record["offset"] + 1)
        for record in again:
            place = record["topic"], record["partition"]
            offsets[place] = min(offsets[place], record["offset"])
        positions = [confluent_kafka.TopicPartition(*place, offset) for place, offset in offsets.items()]
        self._consumer.commit(offsets=positions, asynchronous=False)
        for position in positions:
            self._consumer.seek(position)

    def drain(self, batch_size: int = 7, down_to: int = 0) -> None:
        for _ in range(500):
            if self.left() == down_to:
                return
            self.poll(batch_size)
        pytest.fail(f"{self.left()} records are left")


def record_of(message: Any) -> dict[str, Any]:
    """Make a raw record of AWS's of what the client gives: in a message that is false there may be a tombstone."""
    record = {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": message.timestamp()[1],
        "timestampType": {1: "CREATE_TIME", 2: "LOG_APPEND_TIME"}[message.timestamp()[0]],
        "headers": signed_headers(message.headers() or []),
    }
    for name, data in (("key", message.key()), ("value", message.value())):
        if data is not None:
            record[name] = b64encode(data).decode()
    return record


class Handler:
    """Remembers what it did, and fails the first times with some of it."""

    def __init__(self, fails: int = 0) -> None:
        self.done: list[tuple[str, int, int, Sent]] = []
        self.tried: Counter[tuple[str, int, int]] = Counter()
        self._fails = fails

    def __call__(self, record: KafkaRecord) -> None:
        place = record.topic, record.partition, record.offset
        self.tried[place] += 1
        if record.offset % 3 == 1 and self.tried[place] <= self._fails:
            raise ConnectionError("not now")
        sent = Sent(record.topic, record.decoded_key, record.decoded_value, tuple(record.header_pairs))
        self.done.append((*place, sent))

    def was_sent(self) -> list[Sent]:
        return [sent for *_, sent in self.done]


def test_everything_is_seen_as_it_was_sent_and_once(cluster: Cluster, partitions: list[tuple[str, int]]) -> None:
    handler, processor = Handler(), BatchProcessor("kafka")
    mapping = Mapping(cluster, "once", partitions, lambda event, _: process_partial_response(event, handler, processor))
    mapping.drain()
    mapping.close()

    assert Counter(handler.was_sent()) == Counter(SENT)
    assert mapping.invocations >= len(SENT) // 7


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_fails_comes_again_with_the_rest_of_its_partition_and_nothing_is_done_twice(
    cluster: Cluster, partitions: list[tuple[str, int]], concurrency: int
) -> None:
    handler = Handler(fails=2)
    processor = BatchProcessor("kafka", max_concurrency=concurrency, raise_on_entire_batch_failure=False)
    mapping = Mapping(
        cluster, f"again-{concurrency}", partitions, lambda event, _: processor.run(event, handler).response
    )
    mapping.drain()
    mapping.close()

    assert Counter(handler.was_sent()) == Counter(SENT)
    assert max(handler.tried.values()) == 3
    for partition in partitions:
        offsets = [offset for topic, number, offset, _ in handler.done if (topic, number) == partition]
        assert offsets == sorted(offsets)


def test_another_consumer_of_the_group_begins_with_what_failed(
    cluster: Cluster, partitions: list[tuple[str, int]]
) -> None:
    always, never = Handler(fails=1_000), Handler()
    processor = BatchProcessor("kafka", raise_on_entire_batch_failure=False)
    one = Mapping(cluster, "restarted", partitions, lambda event, _: processor.run(event, always).response)
    blocked = sum(max(end - 1, 0) for end in one.ends.values())  # in each partition all but the first, which succeeds
    one.drain(down_to=blocked)
    one.poll(20)
    assert one.left() == blocked
    one.close()
    other = Mapping(cluster, "restarted", partitions, lambda event, _: processor.run(event, never).response)
    other.drain()
    other.close()

    assert {offset for *_, offset, _ in always.done} == {0}
    assert Counter(always.was_sent() + never.was_sent()) == Counter(SENT)
    begun = {(topic, partition): offset for topic, partition, offset, _ in reversed(never.done)}
    assert set(begun.values()) == {1}


def test_lanes_per_key_lose_nothing_and_do_some_of_it_again(
    cluster: Cluster, partitions: list[tuple[str, int]]
) -> None:
    handler = Handler(fails=1)
    processor = BatchProcessor("kafka", ordering=by_key(record_key), raise_on_entire_batch_failure=False)
    mapping = Mapping(cluster, "keys", partitions, lambda event, _: processor.run(event, handler).response)
    mapping.drain()
    mapping.close()

    assert set(handler.was_sent()) == set(SENT)
    first_done: dict[Sent, int] = {}
    for position, sent in enumerate(handler.was_sent()):
        first_done.setdefault(sent, position)
    for key in (b"customer-0", b"customer-1", b"customer-2"):
        of_key = [sent for sent in SENT if sent.topic == "orders" and sent.key == key]
        assert sorted(of_key, key=lambda sent: first_done[sent]) == of_key
