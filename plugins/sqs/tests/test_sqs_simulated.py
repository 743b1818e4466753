"""Queues in memory, and what this package does to them: back-off, FIFO processors."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from batchcore import BatchProcessor
from batchcore_sqs import SqsFifoPartialProcessor, SQSRecord, VisibilityBackoff
from batchcore_testing import EventSourceMapping, FifoQueue, Queue


class Longest:
    """Draws the longest delay there is."""

    def uniform(self, a: float, b: float) -> float:
        return b


class Fails:
    """Fails a message some times."""

    def __init__(self, **times: int) -> None:
        self.times = times

    def __call__(self, record: SQSRecord) -> None:
        self.times.setdefault(record.body, 0)
        self.times[record.body] -= 1
        if self.times[record.body] >= 0:
            raise ConnectionError


def deliveries(mapping: EventSourceMapping, content: str) -> list[float]:
    """Give the seconds between the deliveries of a message."""
    times = [i.at for i in mapping.history.invocations if content in [item.content for item in i.items]]
    return [round(later - earlier) for earlier, later in itertools.pairwise(times)]


def test_a_message_that_fails_comes_back_later_each_time() -> None:
    queue = Queue(visibility_timeout=30)
    queue.send("good", "bad")
    backoff = VisibilityBackoff(base=60, maximum=500, client=queue, queue_url=queue.resource, random=Longest())
    processor = BatchProcessor("sqs", plugins=[backoff], raise_on_entire_batch_failure=False)
    mapping = EventSourceMapping(queue, processor=processor, record_handler=Fails(bad=5))

    mapping.drain().check()

    assert deliveries(mapping, "bad") == [60, 120, 240, 480, 500]


def test_a_hidden_message_blocks_its_group_and_no_other() -> None:
    queue = FifoQueue(visibility_timeout=30)
    queue.send("bad", "behind it", key="a")
    queue.send("of another group", key="b")
    backoff = VisibilityBackoff(base=600, client=queue, queue_url=queue.resource, fifo=True, random=Longest())
    processor = SqsFifoPartialProcessor(skip_group_on_error=True, plugins=[backoff])
    mapping = EventSourceMapping(queue, processor=processor, record_handler=Fails(bad=1))

    history = mapping.drain()

    history.check()
    assert [[item.content for item in invocation.items] for invocation in history.invocations] == [
        ["bad", "behind it", "of another group"],
        ["bad", "behind it"],
    ]
    assert deliveries(mapping, "bad") == [600]


@pytest.mark.parametrize("skips", [True, False])
def test_a_fifo_queue_is_drained_in_order(skips: bool) -> None:
    queue = FifoQueue(max_receive_count=10)
    for number in range(40):
        queue.send(f"m{number}", key=f"group-{number % 4}")
    handler: Any = Fails(m3=2, m4=1, m17=1, m38=3)
    processor = SqsFifoPartialProcessor(skip_group_on_error=skips, raise_on_entire_batch_failure=False)

    history = EventSourceMapping(queue, processor=processor, record_handler=handler).drain()

    history.check()
    assert len(history.done) == 40
