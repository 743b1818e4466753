"""Streams and topics in memory: records that stay where they are, and a checkpoint that moves."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from batchcore import ConfigurationError
from batchcore_testing.events import merged
from batchcore_testing.services import at
from batchcore_testing.simulator.history import History, Item
from batchcore_testing.simulator.readers import Reader, destination_record, with_destination
from batchcore_testing.simulator.source import Delivery, Options, Settlement, SimulatedSource
from batchcore_testing.simulator.windows import Windows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

    from batchcore_testing.clock import SimulatedClock
    from batchcore_testing.events import EventFactory, Sent

_OF_BOTH = {
    "maximum_retry_attempts": 10_000,
    "maximum_record_age_in_seconds": 604_800,
    "bisect_batch_on_function_error": 1,
    "on_failure": 1,
}


class Log(SimulatedSource):
    """What a stream and a topic have in common.

    Attributes:
        on_failure: what the on-failure destination got: where the records are that were given up, not the records.
        items: what was sent, in its order.
    """

    KEYS_ORDER: ClassVar[bool] = True

    def __init__(
        self,
        source: object,
        name: str,
        shards: int,
        retention: float,
        clock: SimulatedClock | None,
        factory: EventFactory | None,
        what: str,
    ) -> None:
        super().__init__(source, name, clock, factory)
        if shards < 1:
            raise ConfigurationError(f"{what} is 1 or more, not {shards!r}.")
        self.retention = retention
        self.on_failure: list[dict[str, Any]] = []
        self._shards = shards
        self._lengths = [0] * shards
        self._sent_at: dict[int, float] = {}
        self._shard_of: dict[int, int] = {}
        self._pending: dict[Any, deque[Item]] = {}
        self._readers: dict[Any, Reader] = {}

    def attach(self, options: Options, history: History, random: Random) -> None:
        """Become the source of a mapping, which begins with the first record."""
        super().attach(options, history, random)
        self._pending, self._readers = {}, {}
        for item in self.items:
            self._queue(item)

    def _place(self, sent: Sent, fields: Mapping[str, Any]) -> tuple[int, int]:
        shard = zlib.crc32(self._shard_key(sent, fields).encode()) % self._shards
        sequence = self._lengths[shard]
        self._lengths[shard] += 1
        return shard, sequence

    def _take(self, item: Item, sent: Sent) -> None:
        self._sent_at[item.number] = sent.sent_at
        self._shard_of[item.number] = sent.shard
        self._queue(item)

    def _queue(self, item: Item) -> None:
        if item.end is None:
            self._pending.setdefault(self._queue_of(item), deque()).append(item)

    def receive(self) -> Delivery | None:
        """Deliver the next batch of some reader that has one."""
        self._expire()
        for key in self._ready(self.clock.now):
            reader = self._reader(key)
            self._take_batch(key, reader)
            delivery = self._delivery(key, reader)
            if delivery is not None:
                return delivery
        return None

    def _take_batch(self, key: Any, reader: Reader) -> None:
        """Let a reader have a batch, if there is one; batches that are too old are given up on the way."""
        while True:
            if not reader.batch:
                reader.begin(self._next_batch(key))
            if not (reader.batch and self._too_old(reader.batch[0])):
                return
            reader.give_up("RecordAgeExceeded")

    def settle(self, delivery: Delivery, settlement: Settlement) -> None:
        """Move the checkpoint, and keep what comes again."""
        self._readers[delivery.origin].settle(settlement, self.clock.now)

    def next_at(self) -> float | None:
        """Return when a reader may go on, or a record is gone."""
        return min((self._next_of(key) for key in self._keys() if self._has_more(key)), default=None)

    def _next_of(self, key: Any) -> float:
        return max(self._reader(key).not_before, self.clock.now)

    def _ready(self, now: float) -> list[Any]:
        """Return the readers that have something to deliver, in the order in which they are asked."""
        keys = [key for key in self._keys() if self._reader(key).not_before <= now]
        self.random.shuffle(keys)
        return keys

    def _keys(self) -> list[Any]:
        """Return what readers there are."""
        return sorted({*self._pending, *self._readers})

    def _reader(self, key: Any) -> Reader:
        if key not in self._readers:
            self._readers[key] = Reader(self._name_of(key), self._applied(), self.history, self._given_up)
        return self._readers[key]

    def _too_old(self, item: Item) -> bool:
        most = self.options.maximum_record_age_in_seconds
        return most >= 0 and self.clock.now - self._sent_at[item.number] > most

    def _expire(self) -> None:
        oldest = self.clock.now - self.retention
        gone = [item for item in self.items if item.end is None and self._sent_at[item.number] <= oldest]
        if not gone:
            return
        self.history.end(gone, "expired")
        for reader in self._readers.values():
            reader.drop(gone)
        for key, pending in self._pending.items():
            self._pending[key] = deque(item for item in pending if item.end is None)

    def _given_up(self, items: Sequence[Item], why: str, failures: int) -> None:
        if self.options.on_failure and items:
            self.on_failure.append(self._destination_record(items, why, failures))
            self.history.end(items, "on-failure destination")
        else:
            self.history.end(items, "discarded")

    def _delivery(self, key: Any, reader: Reader) -> Delivery | None:
        if not reader.batch:
            return None
        records = [self.record_of(item) for item in reader.batch]
        return Delivery(list(reader.batch), records, self.factory.event(records), key)

    # What differs.

    def _shard_key(self, sent: Sent, fields: Mapping[str, Any]) -> str:
        """Return what chooses the shard."""
        return str(sent.number) if sent.key is None else sent.key

    def _has_more(self, key: Any) -> bool:
        """Whether a reader has anything to deliver, now or later."""
        return bool(self._reader(key).batch or self._pending.get(key))

    def _queue_of(self, item: Item) -> Any:
        """Return to which queue of records an item belongs."""
        raise NotImplementedError

    def _next_batch(self, key: Any) -> Sequence[Item]:
        """Take the next batch of a reader."""
        raise NotImplementedError

    def _name_of(self, key: Any) -> str:
        """Name what a reader reads."""
        raise NotImplementedError

    def _applied(self) -> Options:
        """Return the options as AWS applies them."""
        return self.options

    def _destination_record(self, items: Sequence[Item], why: str, failures: int) -> dict[str, Any]:
        """Make what the on-failure destination gets."""
        raise NotImplementedError


class Stream(Log):
    """A stream of Kinesis or DynamoDB, with its shards.

    A shard is read in order, one batch at a time; with a parallelization factor, as many batches at a time, each of its
    own partition keys. A failure blocks what it reads until it succeeds, is given up, or expires.

    Args:
        source: ``kinesis``, ``dynamodb``, or another source whose events have such records.
        name: its name.
        shards: how many shards it has. A key always goes to the same one.
        retention: seconds after which a record is gone.
        factory: makes the events of a source that no package registers.
        clock: tells the time; without one, a new one.

    Attributes:
        on_failure: what the on-failure destination got: where the records are that were given up, not the records.
        items: what was sent, in its order.

    See "Using Lambda with Kinesis" and "Using Lambda with DynamoDB" in the AWS Lambda developer guide.
    """

    PLAYS: ClassVar[Collection[str]] = ("kinesis", "dynamodb", "pipes-kinesis", "pipes-dynamodb")
    OPTIONS: ClassVar[Mapping[str, int]] = {
        **_OF_BOTH,
        "parallelization_factor": 10,
        "tumbling_window_in_seconds": 900,
    }

    def __init__(
        self,
        source: object = "kinesis",
        name: str = "orders",
        *,
        shards: int = 1,
        retention: float = 86_400.0,
        factory: EventFactory | None = None,
        clock: SimulatedClock | None = None,
    ) -> None:
        super().__init__(source, name, shards, retention, clock, factory, "shards")
        self._windows = Windows(0)

    def attach(self, options: Options, history: History, random: Random) -> None:
        """Become the source of a mapping, which begins with the first record."""
        if options.tumbling_window_in_seconds and options.parallelization_factor > 1:
            raise ConfigurationError("Tumbling windows and a parallelization factor are not simulated together.")
        self._windows = Windows(options.tumbling_window_in_seconds)
        super().attach(options, history, random)

    def settle(self, delivery: Delivery, settlement: Settlement) -> None:
        """Move the checkpoint, keep what comes again, and the state of the window."""
        window, reading = self._windows.of(delivery.origin), settlement.reading
        if window is None:
            super().settle(delivery, settlement)
            return
        taken = reading is not None and reading.complaint is None and not settlement.unacknowledged
        if taken and reading is not None:
            window.keep(reading.state)
        if delivery.items:
            super().settle(delivery, settlement)
        elif taken:
            self._windows.ended(delivery.origin)
        else:
            self._readers[delivery.origin].not_before = self.clock.now + 1.0

    def _shard_key(self, sent: Sent, fields: Mapping[str, Any]) -> str:
        # The key may stand in what is sent: an item of DynamoDB has its own.
        lane = self._lane(merged(self.factory.record(sent), fields), sent)
        return super()._shard_key(sent, fields) if lane is None else str(lane)

    def _has_more(self, key: Any) -> bool:
        return super()._has_more(key) or self._windows.of(key) is not None

    def _next_of(self, key: Any) -> float:
        window = self._windows.of(key)
        if window is None or window.is_early or super()._has_more(key):
            return super()._next_of(key)
        return max(super()._next_of(key), window.end)

    def _delivery(self, key: Any, reader: Reader) -> Delivery | None:
        delivery, window = super()._delivery(key, reader), self._windows.of(key)
        if window is None:
            return delivery
        arn = self._arn
        if delivery is not None:
            return delivery._replace(event=window.event(delivery.event, reader.name, arn, is_final=False))
        if not (window.is_early or window.end <= self.clock.now):
            return None
        return Delivery([], [], window.event(self.factory.event([]), reader.name, arn, is_final=True), key)

    def _queue_of(self, item: Item) -> tuple[int, int]:
        lane = zlib.crc32(repr(item.lane).encode()) % self.options.parallelization_factor
        return self._shard_of[item.number], lane

    def _next_batch(self, key: Any) -> Sequence[Item]:
        pending, batch = self._pending.get(key, deque()), list[Item]()
        window = self._windows.of(key)
        if window is not None and window.is_early:
            return batch
        while pending and len(batch) < self.options.batch_size and self._admits(key, pending[0]):
            batch.append(pending.popleft())
        return batch

    def _admits(self, key: Any, item: Item) -> bool:
        return not self._windows.seconds or self._windows.admit(key, self._sent_at[item.number])

    @property
    def _arn(self) -> str:
        arn: str = self.record_of(self.items[0])["eventSourceARN"]
        return arn

    def _name_of(self, key: Any) -> str:
        return f"shardId-{key[0]:012}"

    def _destination_record(self, items: Sequence[Item], why: str, failures: int) -> dict[str, Any]:
        first, last = items[0], items[-1]
        shard = {
            "shardId": f"shardId-{self._shard_of[first.number]:012}",
            "startSequenceNumber": self._sequence_number(first),
            "endSequenceNumber": self._sequence_number(last),
            "streamArn": self._arn,
        }
        info = "DDBStreamBatchInfo" if self.service.name.endswith("dynamodb") else "KinesisBatchInfo"
        return destination_record(info, shard, why, failures, len(items))

    def _sequence_number(self, item: Item) -> Any:
        if not self.service.name.startswith("pipes-"):  # a pipe names records by something else
            return item.identifier
        record = self.record_of(item)
        return at(record, "sequenceNumber") or at(record, "dynamodb", "SequenceNumber")


class Topic(Log):
    """A topic of Kafka, with its partitions.

    A batch has records of several partitions. An offset is committed for each, so what follows the first failure of a
    partition comes again, and other partitions are left alone. Retries as AWS has them in provisioned mode.

    Args:
        source: the source whose events it makes: an object, the name of one that is installed, or an event factory.
        name: its name.
        partitions: how many it has. A key always goes to the same one.
        retention: seconds after which a record is gone.
        factory: makes the events of a source that no package registers.
        clock: tells the time; without one, a new one.

    Attributes:
        on_failure: what the on-failure destination got: where the records are that were given up, not the records.
        items: what was sent, in its order.

    See "Configuring error handling controls for Kafka event sources" in the AWS Lambda developer guide. What it does
    not say is taken from streams.
    """

    PLAYS: ClassVar[Collection[str]] = ("kafka", "pipes-kafka")
    OPTIONS: ClassVar[Mapping[str, int]] = _OF_BOTH

    def __init__(
        self,
        source: object,
        name: str = "orders",
        *,
        partitions: int = 1,
        retention: float = 604_800.0,
        factory: EventFactory | None = None,
        clock: SimulatedClock | None = None,
    ) -> None:
        super().__init__(source, name, partitions, retention, clock, factory, "partitions")

    def attach(self, options: Options, history: History, random: Random) -> None:
        """Become the source of a mapping, which begins with the first record."""
        if 0 <= options.maximum_record_age_in_seconds < 60:
            raise ConfigurationError(
                "maximum_record_age_in_seconds of a Topic is -1 or from 60 to 604800, not "
                f"{options.maximum_record_age_in_seconds}."
            )
        super().attach(options, history, random)

    def _keys(self) -> list[Any]:
        return ["all partitions"]

    def _has_more(self, key: Any) -> bool:
        return bool(self._reader(key).batch or any(self._pending.values()))

    def _queue_of(self, item: Item) -> int:
        return self._shard_of[item.number]

    def _next_batch(self, key: Any) -> Sequence[Item]:
        batch: list[Item] = []
        while len(batch) < self.options.batch_size:
            waiting = [shard for shard in sorted(self._pending) if self._pending[shard]]
            if not waiting:
                break
            batch.append(self._pending[self.random.choice(waiting)].popleft())
        return sorted(batch, key=lambda item: (self._shard_of[item.number], item.number))

    def _name_of(self, key: Any) -> str:
        return self.resource

    def _applied(self) -> Options:
        return with_destination(self.options)

    def _destination_record(self, items: Sequence[Item], why: str, failures: int) -> dict[str, Any]:
        shard = {"topic": self.resource, "records": [item.identifier for item in items]}
        return destination_record("KafkaBatchInfo", shard, why, failures, len(items))
