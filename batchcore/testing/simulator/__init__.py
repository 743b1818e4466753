"""The simulator: sources and mappings that share a clock and a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchcore.testing.clock import SimulatedClock
from batchcore.testing.simulator.logs import Stream, Topic
from batchcore.testing.simulator.mapping import EventSourceMapping
from batchcore.testing.simulator.queues import FifoQueue, Queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchcore.testing.simulator.source import SimulatedSource


class Simulator:
    """Makes sources and mappings that share a clock and a seed.

    Args:
        seed: of all chance. The same seed, the same histories.

    Attributes:
        clock: tells the time.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.clock = SimulatedClock()
        self.mappings: list[EventSourceMapping] = []

    def queue(self, name: str = "orders", **options: Any) -> Queue:
        """Make a standard queue of SQS. For the options, see :class:`Queue`."""
        return Queue(name, clock=self.clock, **options)

    def fifo_queue(self, name: str = "orders.fifo", **options: Any) -> FifoQueue:
        """Make a FIFO queue of SQS. For the options, see :class:`FifoQueue`."""
        return FifoQueue(name, clock=self.clock, **options)

    def stream(self, source: object = "kinesis", name: str = "orders", **options: Any) -> Stream:
        """Make a stream. For the options, see :class:`Stream`."""
        return Stream(source, name, clock=self.clock, **options)

    def topic(self, source: object, name: str = "orders", **options: Any) -> Topic:
        """Make a topic of Kafka. For the options, see :class:`Topic`."""
        return Topic(source, name, clock=self.clock, **options)

    def mapping(
        self, source: SimulatedSource, function: Callable[[Any, Any], Any] | None = None, **options: Any
    ) -> EventSourceMapping:
        """Make an event source mapping. For the options, see :class:`EventSourceMapping`."""
        options = {"seed": self.seed, **options}
        mapping = EventSourceMapping(source, function, **options)
        self.mappings.append(mapping)
        return mapping
