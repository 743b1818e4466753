"""The simulator: sources and mappings that share a clock and a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchcore_testing.clock import SimulatedClock
from batchcore_testing.simulator.jobs import BatchJob
from batchcore_testing.simulator.logs import Stream, Topic
from batchcore_testing.simulator.mapping import EventSourceMapping
from batchcore_testing.simulator.queues import FifoQueue, Queue
from batchcore_testing.simulator.transformations import DeliveryStream

if TYPE_CHECKING:
    from collections.abc import Callable

    from batchcore_testing.events import EventFactory
    from batchcore_testing.simulator.source import SimulatedSource


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

    def queue(
        self,
        name: str = "orders",
        *,
        visibility_timeout: float = 30.0,
        max_receive_count: int | None = None,
        retention: float = 345_600.0,
        source: object = "sqs",
        factory: EventFactory | None = None,
    ) -> Queue:
        """Make a standard queue of SQS: see :class:`Queue`."""
        return Queue(
            name,
            visibility_timeout=visibility_timeout,
            max_receive_count=max_receive_count,
            retention=retention,
            source=source,
            factory=factory,
            clock=self.clock,
        )

    def fifo_queue(
        self,
        name: str = "orders.fifo",
        *,
        visibility_timeout: float = 30.0,
        max_receive_count: int | None = None,
        retention: float = 345_600.0,
        source: object = "sqs",
        factory: EventFactory | None = None,
    ) -> FifoQueue:
        """Make a FIFO queue of SQS: see :class:`FifoQueue`."""
        return FifoQueue(
            name,
            visibility_timeout=visibility_timeout,
            max_receive_count=max_receive_count,
            retention=retention,
            source=source,
            factory=factory,
            clock=self.clock,
        )

    def stream(
        self,
        source: object = "kinesis",
        name: str = "orders",
        *,
        shards: int = 1,
        retention: float = 86_400.0,
        factory: EventFactory | None = None,
    ) -> Stream:
        """Make a stream: see :class:`Stream`."""
        return Stream(source, name, shards=shards, retention=retention, factory=factory, clock=self.clock)

    def topic(
        self,
        source: object,
        name: str = "orders",
        *,
        partitions: int = 1,
        retention: float = 604_800.0,
        factory: EventFactory | None = None,
    ) -> Topic:
        """Make a topic of Kafka: see :class:`Topic`."""
        return Topic(source, name, partitions=partitions, retention=retention, factory=factory, clock=self.clock)

    def delivery_stream(
        self,
        name: str = "orders",
        *,
        number_of_retries: int = 3,
        source: object = "firehose",
        factory: EventFactory | None = None,
    ) -> DeliveryStream:
        """Make a stream of Firehose: see :class:`DeliveryStream`."""
        return DeliveryStream(
            name, number_of_retries=number_of_retries, source=source, factory=factory, clock=self.clock
        )

    def batch_job(
        self,
        bucket: str = "orders",
        *,
        redrives: int = 3,
        source: object = "s3batch",
        factory: EventFactory | None = None,
    ) -> BatchJob:
        """Make a job of S3 Batch Operations: see :class:`BatchJob`."""
        return BatchJob(bucket, redrives=redrives, source=source, factory=factory, clock=self.clock)

    def mapping(
        self, source: SimulatedSource, function: Callable[[Any, Any], Any] | None = None, **options: Any
    ) -> EventSourceMapping:
        """Make an event source mapping. For the options, see :class:`EventSourceMapping`."""
        options = {"seed": self.seed, **options}
        mapping = EventSourceMapping(source, function, **options)
        self.mappings.append(mapping)
        return mapping
