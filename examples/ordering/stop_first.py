"""What is lost on a stream when attempts run out: going on past a failure, and stopping at the first.

    python examples/ordering/stop_first.py

A simulated stream delivers the same eight records, of which the fourth always fails, to one function after the other.
The rules are AWS's, as batchcore_testing plays them:

- The checkpoint moves to the lowest sequence number that the response names. Everything from there on comes again.
- The attempts start again when the checkpoint moves.
- When they are used up, the rest of the batch is discarded, whatever became of its records.
"""

import logging
from collections import Counter
from collections.abc import Iterable
from typing import Any

from batchcore import BatchProcessor, DeadLetterRecord, EventType, Outcome, by_key, hookimpl, in_order
from batchcore_testing import EventSourceMapping, Stream
from batchcore_kinesis import KinesisStreamRecord, partition_key

logging.getLogger("batchcore").setLevel(logging.CRITICAL)  # what fails here is meant to

CUSTOMERS = {1: "ann", 2: "ben", 3: "ann", 4: "ann", 5: "ben", 6: "ann", 7: "eve", 8: "ann"}
POISON = 4


class KeptDeadLetters:
    """Keeps dead letters in a list. A real one sends them to a queue, as those of batchcore-deadletter do."""

    def __init__(self) -> None:
        self.records: list[int] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome) -> None:
        self.records.append(KinesisStreamRecord(outcome.record).kinesis.data_as_json())


class Handler:
    """Ships orders, of which one cannot be shipped.

    Args:
        mended_after: after how many failures it can be; None for never.
        dead_letter_after: after how many failures it is a dead letter; None for never. A stream does not count
            deliveries, so the handler does, in memory: in another execution environment it counts from 1 again.
    """

    def __init__(self, mended_after: int | None = None, dead_letter_after: int | None = None) -> None:
        self.mended_after = mended_after
        self.dead_letter_after = dead_letter_after
        self.calls = 0
        self.tried: set[int] = set()
        self.shipped: set[int] = set()
        self.failures: Counter[int] = Counter()

    def __call__(self, record: KinesisStreamRecord) -> None:
        number: int = record.kinesis.data_as_json()
        self.calls += 1
        self.tried.add(number)
        if number == POISON and self.failures[number] != self.mended_after:
            self.failures[number] += 1
            if self.failures[number] == self.dead_letter_after:
                raise DeadLetterRecord("it failed too often")
            raise ValueError("it cannot be shipped")
        self.shipped.add(number)


def listed(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers)) or "none"


def show(title: str, handler: Handler, maximum_retry_attempts: int = 3, **options: Any) -> None:
    stream, kept = Stream(), KeptDeadLetters()
    for number, customer in CUSTOMERS.items():
        stream.send(number, key=customer)
    processor = BatchProcessor(
        event_type=EventType.KinesisDataStreams, raise_on_entire_batch_failure=False, plugins=[kept], **options
    )
    mapping = EventSourceMapping(
        stream,
        lambda event, context: processor.run(event, handler, context).response,
        maximum_retry_attempts=maximum_retry_attempts,
    )
    history = mapping.drain()

    print(title)
    print("   shipped:    ", listed(sorted(handler.shipped)))
    if kept.records:
        print("   dead letter:", listed(kept.records))
    print("   discarded:  ", listed(item.content for item in history.discarded))
    print("   never tried:", listed(sorted(CUSTOMERS.keys() - handler.tried)))
    print("   lost:       ", listed(sorted(CUSTOMERS.keys() - handler.shipped - set(kept.records))))
    print("   calls of the handler:", handler.calls)
    print()


if __name__ == "__main__":
    print("Orders 1 to 8 in one batch. 4 always fails. 1, 3, 4, 6 and 8 have one partition key.\n")
    show("Goes on past a failure (the source's own ordering), 3 retries", Handler())
    show("in_order(), 3 retries", Handler(), ordering=in_order())
    show("by_key(partition_key), 3 retries", Handler(), ordering=by_key(partition_key))
    show("in_order(), 3 retries, dead letter after 2 failures", Handler(dead_letter_after=2), ordering=in_order())
    show(
        "in_order(), no limit of retries, 4 succeeds after 20 failures",
        Handler(mended_after=20),
        maximum_retry_attempts=-1,
        ordering=in_order(),
    )
