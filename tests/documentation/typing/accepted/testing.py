"""Tests that users and plugin authors write with the kit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore import BatchProcessor, EventType
from batchcore_sqs import SQSRecord, SQSSource
from batchcore_testing import (
    EventFactory,
    EventSourceMapping,
    Faults,
    FifoQueue,
    History,
    KafkaEvents,
    Queue,
    Sent,
    SimulatedContext,
    Simulator,
    SourceContract,
    Stream,
    Topic,
    event_from,
    make_event,
    make_record,
    redelivered,
    removed,
)


class TicketEvents(EventFactory):
    def record(self, sent: Sent) -> dict[str, Any]:
        return {"ticket": sent.number, "text": sent.content}


class TestTickets(SourceContract):
    @pytest.fixture
    def source(self) -> SQSSource:
        return SQSSource()

    @pytest.fixture
    def event_factory(self) -> EventFactory:
        return TicketEvents()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda n: make_event(TicketEvents(), *range(n))


def handler(record: SQSRecord) -> None:
    print(record.body)


def test_queue(simulator: Simulator, lambda_context: SimulatedContext) -> None:
    queue: Queue = simulator.queue(name="orders", max_receive_count=3)
    item = queue.send({"order": 17}, key="customer-1")[0]
    processor = BatchProcessor(event_type=EventType.SQS)
    mapping = EventSourceMapping(queue, processor=processor, record_handler=handler, faults=Faults(crashes=0.1))
    mapping.done(item)
    lambda_context.advance(3.5)
    history: History = mapping.drain(max_invocations=10)
    history.check(allow=["done_twice"])
    numbers: list[int] = [each.number for each in history.lost]
    print(numbers, lambda_context.get_remaining_time_in_millis())


def test_others(simulator: Simulator) -> None:
    sources = (
        FifoQueue(),
        Stream("dynamodb", shards=2),
        Topic(partitions=3, source=SQSSource(), factory=TicketEvents()),
        simulator.stream(),
        simulator.queue(SQSSource(), "orders", factory=TicketEvents()),
        simulator.fifo_queue("sqs", "orders.fifo"),
    )
    for source in sources:
        simulator.mapping(source, lambda event, context: None, batch_size=2).poll()


def test_events() -> None:
    event = event_from("sqs", [make_record("sqs", "a", receiptHandle=removed)])
    again: list[Any] = redelivered(event, {"batchItemFailures": []}, report_batch_item_failures=False)
    print(again, KafkaEvents().record(Sent("x", key="k")))
