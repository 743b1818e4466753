"""The latest price of each article, from a compacted topic: a tombstone takes an article away.

    python examples/kafka/app.py

Run by hand, it is its own event source mapping: it reads a topic of two partitions until nothing is left. One price is
not ready when it comes first, so its partition comes again from there, and no other.
"""

import logging
from typing import Any

from batchcore import BatchProcessor, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_kafka import KafkaRecord

# Stands for a table, whose rows are written by their key: what comes again changes nothing.
PRICES: dict[str, int] = {}

processor = BatchProcessor("kafka")


def record_handler(record: KafkaRecord) -> None:
    key = record.decoded_key
    if key is None:
        raise ValueError("a record of a compacted topic has a key")
    article = key.decode()
    if record.value is None:  # a tombstone
        PRICES.pop(article, None)
        print(f"partition {record.partition}, offset {record.offset}: {article} is gone")
        return
    price: dict[str, Any] = record.json_value
    check(article, price)
    PRICES[article] = price["cents"]
    print(f"partition {record.partition}, offset {record.offset}: {article} costs {price['cents']}")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, record_handler, processor, context)


# What follows stands for the rest of the world.

not_ready = {"pear"}


def check(article: str, price: dict[str, Any]) -> None:
    if article in not_ready:
        not_ready.remove(article)
        raise LookupError(f"the price of {article} is not ready")


def main() -> None:
    from batchcore_testing import EventSourceMapping, Topic

    logging.getLogger("batchcore").setLevel(logging.CRITICAL)  # what fails here is meant to
    topic = Topic("kafka", "prices", partitions=2)
    for article, cents in [("apple", 90), ("pear", 120), ("apple", 95), ("pear", 110), ("plum", 60), ("plum", None)]:
        topic.send(None if cents is None else {"cents": cents}, key=article)
    EventSourceMapping(topic, lambda_handler).drain().check()
    print(PRICES)


if __name__ == "__main__":
    main()
