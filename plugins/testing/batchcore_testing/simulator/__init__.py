"""The simulator: sources and mappings that share a clock and a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchcore_testing.clock import SimulatedClock
from batchcore_testing.simulator.brokers import BrokerQueue
from batchcore_testing.simulator.jobs import BatchJob
from batchcore_testing.simulator.logs import Stream, Topic
from batchcore_testing.simulator.mapping import EventSourceMapping
from batchcore_testing.simulator.pipes import Pipe
from batchcore_testing.simulator.queues import FifoQueue, Queue
from batchcore_testing.simulator.shares import SharedTopic
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
        source: object = "sqs",
        name: str = "orders",
        *,
        visibility_timeout: float = 30.0,
        max_receive_count: int | None = None,
        retention: float = 345_600.0,
        factory: EventFactory | None = None,
    ) -> Queue:
        """Make a standard queue of SQS: see :class:`Queue`."""
        return Queue(
            source,
            name,
            visibility_timeout=visibility_timeout,
            max_receive_count=max_receive_count,
            retention=retention,
            factory=factory,
            clock=self.clock,
        )

    def fifo_queue(
        self,
        source: object = "sqs",
        name: str = "orders.fifo",
        *,
        visibility_timeout: float = 30.0,
        max_receive_count: int | None = None,
        retention: float = 345_600.0,
        factory: EventFactory | None = None,
    ) -> FifoQueue:
        """Make a FIFO queue of SQS: see :class:`FifoQueue`."""
        return FifoQueue(
            source,
            name,
            visibility_timeout=visibility_timeout,
            max_receive_count=max_receive_count,
            retention=retention,
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

    def shared_topic(
        self,
        source: object,
        name: str = "orders",
        *,
        partitions: int = 1,
        delivery_count_limit: int = 5,
        lock_duration: float = 30.0,
        retention: float = 604_800.0,
        factory: EventFactory | None = None,
    ) -> SharedTopic:
        """Make a topic of Kafka that a share group reads: see :class:`SharedTopic`."""
        return SharedTopic(
            source,
            name,
            partitions=partitions,
            delivery_count_limit=delivery_count_limit,
            lock_duration=lock_duration,
            retention=retention,
            factory=factory,
            clock=self.clock,
        )

    def broker_queue(
        self,
        source: object,
        name: str = "orders",
        *,
        delivery_limit: int | None = None,
        retention: float | None = None,
        factory: EventFactory | None = None,
    ) -> BrokerQueue:
        """Make a queue of Amazon MQ: see :class:`BrokerQueue`."""
        return BrokerQueue(
            source, name, delivery_limit=delivery_limit, retention=retention, factory=factory, clock=self.clock
        )

    def delivery_stream(
        self,
        source: object = "firehose",
        name: str = "orders",
        *,
        number_of_retries: int = 3,
        factory: EventFactory | None = None,
    ) -> DeliveryStream:
        """Make a stream of Firehose: see :class:`DeliveryStream`."""
        return DeliveryStream(source, name, number_of_retries=number_of_retries, factory=factory, clock=self.clock)

    def batch_job(
        self,
        source: object = "s3batch",
        bucket: str = "orders",
        *,
        redrives: int = 3,
        factory: EventFactory | None = None,
    ) -> BatchJob:
        """Make a job of S3 Batch Operations: see :class:`BatchJob`."""
        return BatchJob(source, bucket, redrives=redrives, factory=factory, clock=self.clock)

    def mapping(
        self, source: SimulatedSource, function: Callable[[Any, Any], Any] | None = None, **options: Any
    ) -> EventSourceMapping:
        """Make an event source mapping. For the options, see :class:`EventSourceMapping`."""
        options = {"seed": self.seed, **options}
        mapping = EventSourceMapping(source, function, **options)
        self.mappings.append(mapping)
        return mapping

    def pipe(self, source: SimulatedSource, function: Callable[[Any, Any], Any] | None = None, **options: Any) -> Pipe:
        """Make a pipe of EventBridge Pipes. For the options, see :class:`Pipe`."""
        options = {"seed": self.seed, **options}
        pipe = Pipe(source, function, **options)
        self.mappings.append(pipe)
        return pipe
