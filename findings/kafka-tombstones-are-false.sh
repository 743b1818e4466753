#!/usr/bin/env bash
# confluent-kafka 2.16.1: poll() returns a message, or None when there is none. So `if not message: continue` looks right.
# But a message has a length, that of its value: one without a value (a tombstone, which deletes a key) and one with an empty
# value are false. Such a loop passes them by and its next commit confirms them: deletions never happen, and nothing is
# logged. One that counts what it got by truth waits for ever. `is None` is the only right question.
# It runs against the mock cluster inside librdkafka, on 127.0.0.1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip -qq --disable-pip-version-check install confluent-kafka==2.16.1

"$folder/env/bin/python" - <<'PROGRAM'
import time

from confluent_kafka import Consumer, Producer

cluster = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, "log_level": 4})
brokers = cluster.list_topics(timeout=10).brokers.values()
for key, value in (("a", b"paid"), ("b", None), ("c", b"")):
    cluster.produce("orders", key=key, value=value, partition=0)
assert cluster.flush(20) == 0

consumer = Consumer(
    {
        "bootstrap.servers": ",".join(f"{each.host}:{each.port}" for each in brokers),
        "group.id": "shop",
        "auto.offset.reset": "earliest",
    }
)
consumer.subscribe(["orders"])
seen = []
until = time.monotonic() + 60
while len(seen) < 3 and time.monotonic() < until:
    message = consumer.poll(1)
    if message is not None and message.error() is None:
        seen.append((message.key(), message.value(), bool(message), len(message)))
consumer.close()
assert seen == [(b"a", b"paid", True, 4), (b"b", None, False, 0), (b"c", b"", False, 0)], seen
PROGRAM
echo "As seen: the message with a value is true; the tombstone and the message with an empty value are false."
