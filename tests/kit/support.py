"""What the tests of this folder share: a source for Kafka, functions as users write them, ways to look at a history.

Nothing here knows how batchcore builds or reads a response: identifiers and contents are taken from AWS's events.
"""

from __future__ import annotations

import json
import logging
from base64 import b64decode
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from batchcore import AsyncBatchProcessor, BatchProcessor, by_key, hookimpl
from batchcore_dynamodb import item_key
from batchcore_kinesis import partition_key
from batchcore_testing import (
    EventSourceMapping,
    FifoQueue,
    History,
    Invocation,
    Item,
    KafkaEvents,
    Queue,
    Sent,
    SimulatedClock,
    Stream,
    Topic,
    make_event,
)

Function = Callable[[Any, Any], Any]

QUIET = logging.Logger("quiet")  # noqa: LOG001 - in no hierarchy, where pytest would keep what is logged
QUIET.addHandler(logging.NullHandler())

STREAMS = ("kinesis", "dynamodb")


class KafkaSource:
    """Apache Kafka, as the documentation's page on sources writes it."""

    name = "acme-kafka"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and event.get("eventSource") in ("aws:kafka", "aws:SelfManagedKafka")

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        return records_of(event)

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[Any]:
        return [{"partition": partition_of(record), "offset": record["offset"]} for record in records]

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return by_key(partition_of)


KAFKA = KafkaSource()


def partition_of(record: Any) -> str:
    return f"{record['topic']}-{record['partition']}"


# Events, read as AWS's pages describe them.


def records_of(event: Any) -> list[Any]:
    """Give the raw records of an event of any source."""
    if isinstance(event, list):
        return event
    if "Records" in event:
        records: list[Any] = event["Records"]
        return records
    return [record for records in event["records"].values() for record in records]


def id_of(record: Any) -> Any:
    """Give what a response names a raw record by."""
    if "messageId" in record:
        return record["messageId"]
    if "kinesis" in record:
        return record["kinesis"]["sequenceNumber"]
    if "dynamodb" in record:
        return record["dynamodb"]["SequenceNumber"]
    return {"partition": partition_of(record), "offset": record["offset"]}


def content_of(record: Any) -> Any:
    """Give the text that was sent, of a raw record or a typed one."""
    raw = getattr(record, "raw_event", record)
    if "body" in raw:
        return raw["body"]
    if "kinesis" in raw:
        return b64decode(raw["kinesis"]["data"]).decode()
    if "dynamodb" in raw:
        return raw["dynamodb"]["NewImage"]["content"]["S"]
    return b64decode(raw["value"] if "value" in raw else raw["data"]).decode()


def contents_of(event: Any) -> list[Any]:
    return [content_of(record) for record in records_of(event)]


def failures(*identifiers: Any) -> Any:
    """Make a response that names these."""
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


def naming(records: Iterable[Any]) -> Any:
    """Make a response that names these records."""
    return failures(*map(id_of, records))


def event_of(source: str, *contents: Any, **options: Any) -> Any:
    """Make an event of an installed source, or of Kafka."""
    if source != "kafka":
        return make_event(source, *contents, **options)
    factory = KafkaEvents()
    return factory.event([factory.record(Sent(each, at + 1, sequence=at)) for at, each in enumerate(contents)])


# Functions as users write them, without the library.


def names(*bad: str) -> Function:
    """Make a function that names the records of these contents as failed, always."""
    return lambda event, context: naming(record for record in records_of(event) if content_of(record) in bad)


def succeeds(event: Any, context: Any) -> Any:
    return {"batchItemFailures": []}


def raises(event: Any, context: Any) -> Any:
    raise ValueError("the function fails")


def responds(*each: Any) -> Function:
    """Make a function that gives these responses, one after the other, then that all is done; exceptions are raised."""
    left = list(each)

    def function(event: Any, context: Any) -> Any:
        response = left.pop(0) if left else {"batchItemFailures": []}
        if isinstance(response, BaseException):
            raise response
        return response

    return function


# Record handlers.


def handles(record: Any) -> None:
    """Do a record."""


class Failing:
    """A record handler that fails with some contents some times.

    Args:
        times: content to how often it fails; -1 for always.
    """

    def __init__(self, **times: int) -> None:
        self.times = times
        self.calls: list[str] = []

    def __call__(self, record: Any) -> None:
        content = content_of(record)
        self.calls.append(content)
        if self.times.get(content, 0):
            self.times[content] -= 1
            raise ValueError(content)


# Processors.


def processor_of(source: Any = "sqs", **options: Any) -> BatchProcessor:
    return BatchProcessor(source, **{"logger": QUIET, **options})


def async_processor_of(source: Any = "sqs", **options: Any) -> AsyncBatchProcessor:
    return AsyncBatchProcessor(source, **{"logger": QUIET, **options})


def in_key_order(source: Any, **options: Any) -> BatchProcessor:
    """Make a processor of a stream that stops a key at its first failure."""
    key = partition_key if source == "kinesis" else item_key
    return processor_of(source, ordering=by_key(key), **options)


# Sources, by name.

SOURCES = ("sqs", "fifo", *STREAMS, "kafka")


def source_of(name: str, clock: SimulatedClock | None = None, **options: Any) -> Any:
    """Make a simulated source of one of :data:`SOURCES`."""
    if name == "sqs":
        return Queue(clock=clock, **options)
    if name == "fifo":
        return FifoQueue(clock=clock, **options)
    if name == "kafka":
        return Topic(source=KafkaEvents(), clock=clock, **options)
    return Stream(name, clock=clock, **options)


def ordered_processor_of(name: str, **options: Any) -> BatchProcessor:
    """Make a processor that keeps the order of one of :data:`SOURCES`, as far as it has one."""
    if name in STREAMS:
        return in_key_order(name, **options)
    return processor_of({"fifo": "sqs", "kafka": KAFKA}.get(name, name), **options)


def mapping_of(source: Any, function: Function = succeeds, **options: Any) -> EventSourceMapping:
    return EventSourceMapping(source, function, **options)


# Ways to look at what happened.


def batches(history: History) -> list[list[Any]]:
    """Give what each invocation had."""
    return [contents(invocation.items) for invocation in history.invocations]


def contents(items: Iterable[Item]) -> list[Any]:
    return [item.content for item in items]


def ends(source: Any) -> dict[Any, str | None]:
    """Give how each thing that was sent left its source."""
    return {item.content: item.end for item in source.items}


def deliveries(source: Any) -> dict[Any, int]:
    """Give how often each thing that was sent was delivered."""
    return {item.content: len(item.deliveries) for item in source.items}


def times(history: History) -> list[float]:
    """Give when each invocation began, in seconds since the first."""
    return [round(invocation.at - history.invocations[0].at, 3) for invocation in history.invocations]


def faults(history: History) -> Counter[str | None]:
    return Counter(invocation.fault for invocation in history.invocations)


def shape(history: History) -> str:
    """Give everything that a history tells, as text that can be compared."""
    return json.dumps(
        [
            [
                [each.number, each.at, each.event, [item.number for item in each.items], each.fault, each.complaint],
                [item.number for item in each.again],
            ]
            for each in history.invocations
        ]
        + [[[item.number, item.deliveries, item.tried, item.done, item.end] for item in history.items]]
    )


def polled(mapping: EventSourceMapping) -> Invocation:
    """Poll once, where there must be something."""
    invocation = mapping.poll()
    assert invocation is not None
    return invocation
