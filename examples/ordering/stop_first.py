"""What is lost on a stream when attempts run out: going on past a failure, and stopping at the first.

    python examples/ordering/stop_first.py

A small simulation of a shard delivers the same eight records, of which the fourth always fails, to one function after
the other. batchcore itself is real. The rules of the shard are AWS's:

- The checkpoint moves to the lowest sequence number that the answer names. Everything from there on comes again.
- The attempts start again when the checkpoint moves.
- When they are used up, the rest of the batch is discarded, whatever became of its records.
"""

import base64
import itertools
import logging
from collections import Counter

from batchcore import BatchProcessor, DeadLetterRecord, EventType, by_key, hookimpl, in_order
from batchcore_kinesis import KinesisStreamRecord, partition_key

logging.getLogger("batchcore").setLevel(logging.CRITICAL)  # what fails here is meant to

CUSTOMERS = {1: "ann", 2: "ben", 3: "ann", 4: "ann", 5: "ben", 6: "ann", 7: "eve", 8: "ann"}
POISON = 4


class Shard:
    """A shard and the event source mapping that reads it."""

    def __init__(self, records, batch_size, maximum_retry_attempts):
        self.records = records
        self.batch_size = batch_size
        self.maximum_retry_attempts = maximum_retry_attempts  # -1: no limit
        self.discarded = []
        self.deliveries = Counter()

    def drain(self, function):
        """Invoke the function until no record is left."""
        for start in range(0, len(self.records), self.batch_size):
            batch, retries = self.records[start : start + self.batch_size], 0
            while batch:
                self.deliveries.update(sequence_number(record) for record in batch)
                rest = self.not_done(batch, function({"Records": batch}))
                if len(rest) < len(batch):
                    retries = 0  # the checkpoint has moved
                elif retries == self.maximum_retry_attempts:
                    self.discarded += map(sequence_number, rest)
                    rest = []
                else:
                    retries += 1
                batch = rest

    def not_done(self, batch, answer):
        """Give what comes again: everything from the lowest record on that the answer names."""
        failed = [int(item["itemIdentifier"]) for item in answer["batchItemFailures"]]
        return [record for record in batch if failed and sequence_number(record) >= min(failed)]


class Aside:
    """Keeps dead letters in a list. A real one sends them to a queue, as those of batchcore-deadletter do."""

    def __init__(self):
        self.records = []

    @hookimpl
    def deliver_dead_letter(self, outcome):
        self.records.append(int(outcome.identifier))


def sequence_number(record):
    return int(record["kinesis"]["sequenceNumber"])


def kinesis_record(number, customer):
    data = base64.b64encode(str(number).encode()).decode()
    return {
        "eventSource": "aws:kinesis",
        "kinesis": {"sequenceNumber": str(number), "partitionKey": customer, "data": data},
    }


class Handler:
    """Ships orders, of which one cannot be shipped.

    Args:
        mended_after: after how many failures it can be; None for never.
        aside_after: after how many failures it is put aside; None for never. A stream does not count deliveries, so
            the handler does, in memory: in another execution environment it counts from 1 again.
    """

    def __init__(self, mended_after=None, aside_after=None):
        self.mended_after = mended_after
        self.aside_after = aside_after
        self.calls = 0
        self.tried = set()
        self.shipped = set()
        self.failures = Counter()

    def __call__(self, record: KinesisStreamRecord):
        number = int(record.kinesis.data_as_text())
        self.calls += 1
        self.tried.add(number)
        if number == POISON and self.failures[number] != self.mended_after:
            self.failures[number] += 1
            if self.failures[number] == self.aside_after:
                raise DeadLetterRecord("it failed too often")
            raise ValueError("it cannot be shipped")
        self.shipped.add(number)


def show(title, handler, maximum_retry_attempts=3, **options):
    shard = Shard(list(itertools.starmap(kinesis_record, CUSTOMERS.items())), len(CUSTOMERS), maximum_retry_attempts)
    aside = Aside()
    processor = BatchProcessor(
        event_type=EventType.KinesisDataStreams, raise_on_entire_batch_failure=False, plugins=[aside], **options
    )
    shard.drain(lambda event: processor.run(event, handler).response)

    print(title)
    print("   shipped:    ", *sorted(handler.shipped))
    if aside.records:
        print("   put aside:  ", *aside.records)
    print("   discarded:  ", *shard.discarded or ["none"])
    print("   never tried:", *sorted(CUSTOMERS.keys() - handler.tried) or ["none"])
    print("   lost:       ", *sorted(CUSTOMERS.keys() - handler.shipped - set(aside.records)) or ["none"])
    print("   calls of the handler:", handler.calls)
    print()
    return shard


if __name__ == "__main__":
    print("Orders 1 to 8 in one batch. 4 always fails. 1, 3, 4, 6 and 8 have one partition key.\n")
    show("Goes on past a failure (the source's own ordering), 3 retries", Handler())
    show("in_order(), 3 retries", Handler(), ordering=in_order())
    show("by_key(partition_key), 3 retries", Handler(), ordering=by_key(partition_key))
    show("in_order(), 3 retries, put aside after 2 failures", Handler(aside_after=2), ordering=in_order())
    show(
        "in_order(), no limit of retries, 4 succeeds after 20 failures",
        Handler(mended_after=20),
        maximum_retry_attempts=-1,
        ordering=in_order(),
    )
