#!/usr/bin/env bash
# confluent-kafka 2.16.1: librdkafka has a mock cluster (test.mock.num.brokers) that takes transactions: begin, commit and
# abort all succeed. One would guess that a consumer with isolation.level=read_committed then sees what was committed.
# It gets the aborted message too, between the others, without a mark. So a consumer that reads only committed records cannot
# be tested against it: the test of right code fails, and one that was bent until it passes asserts the wrong thing.
# What it does as a real broker: each transaction takes one more offset for its end, so offsets have gaps (0, 2, 4).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install confluent-kafka==2.16.1

"$folder/env/bin/python" - <<'PROGRAM'
import time

from confluent_kafka import Consumer, Producer

producer = Producer(
    {"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "transactional.id": "shop", "log_level": 4}
)
brokers = producer.list_topics(timeout=10).brokers.values()
producer.init_transactions(20)
for value, end in (
    ("first", producer.commit_transaction),
    ("aborted", producer.abort_transaction),
    ("last", producer.commit_transaction),
):
    producer.begin_transaction()
    producer.produce("orders", value=value, partition=0)
    assert producer.flush(20) == 0
    end(20)

consumer = Consumer(
    {
        "bootstrap.servers": ",".join(f"{each.host}:{each.port}" for each in brokers),
        "group.id": "shop",
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
    }
)
consumer.subscribe(["orders"])
seen = []
until = time.monotonic() + 60
while (not seen or seen[-1][0] != b"last") and time.monotonic() < until:
    message = consumer.poll(1)
    if message is not None and message.error() is None:
        seen.append((message.value(), message.offset()))
consumer.close()
assert seen == [(b"first", 0), (b"aborted", 2), (b"last", 4)], seen
PROGRAM
echo "As seen: a read_committed consumer of the mock cluster gets the message of an aborted transaction."
