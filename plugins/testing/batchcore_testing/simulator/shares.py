"""Topics of Kafka that a share group reads, in memory: what ``ConsumptionMode: Queue`` of a mapping does."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from batchcore import ConfigurationError
from batchcore_testing.services import KAFKA_QUEUE, Kind
from batchcore_testing.simulator.source import Delivery, Settlement, SimulatedSource

if TYPE_CHECKING:
    from batchcore_testing.clock import SimulatedClock
    from batchcore_testing.events import EventFactory, Sent
    from batchcore_testing.simulator.history import Item

_RETRY_PAUSE_S = 1.0
_LEAST_ORDERED = 3  # records by which one may be late


class _Shared:
    """A record as the broker keeps it.

    Attributes:
        item: what was sent.
        partition: where it is.
        expires_at: when its retention is over.
        not_before: when it may be delivered again.
        deliveries: how often the broker has given it to the group.
        retries: how often Lambda has tried it again without giving it back.
        is_held: whether Lambda tries it again without giving it back.
    """

    __slots__ = ("deliveries", "expires_at", "is_held", "item", "not_before", "partition", "retries")

    def __init__(self, item: Item, partition: int, expires_at: float) -> None:
        self.item = item
        self.partition = partition
        self.expires_at = expires_at
        self.not_before = float("-inf")
        self.deliveries = self.retries = 0
        self.is_held = False


class SharedTopic(SimulatedSource):
    """A topic of Kafka that is read by a share group.

    Each record is acknowledged by itself, and there is no order. What a response names is tried again as often as
    ``maximum_retry_attempts`` says, which is not at all by default, and then given back to the broker. That delivers it
    again, up to its limit of deliveries; then the record is gone. A record that was named and never tried has used up a
    delivery all the same.

    Args:
        source: the source whose events it makes: an object, the name of one that is installed, or an event factory.
        name: its name.
        partitions: how many it has. A key always goes to the same one.
        delivery_count_limit: how often the broker delivers a record: ``group.share.delivery.count.limit``.
        lock_duration: seconds after which the broker delivers again what nobody has acknowledged or given back.
        retention: seconds after which a record is gone.
        factory: makes the events of a source that no package registers.
        clock: tells the time; without one, a new one.

    Attributes:
        items: what was sent, in its order.

    See ``ConsumptionMode`` of ``SelfManagedKafkaEventSourceConfig`` in the API reference of AWS Lambda, and share
    groups in Kafka's documentation. AWS does not say whether a retry of Lambda's uses up a delivery; here it does not.
    """

    PLAYS: ClassVar[Collection[str]] = ("kafka",)
    PLAYS_OTHERS: ClassVar[Collection[Kind]] = ()
    OPTIONS: ClassVar[Mapping[str, int]] = {"maximum_retry_attempts": 10_000}

    def __init__(
        self,
        source: object,
        name: str = "orders",
        *,
        partitions: int = 1,
        delivery_count_limit: int = 5,
        lock_duration: float = 30.0,
        retention: float = 604_800.0,
        factory: EventFactory | None = None,
        clock: SimulatedClock | None = None,
    ) -> None:
        super().__init__(source, name, clock, factory)
        for what, value in (("partitions", partitions), ("delivery_count_limit", delivery_count_limit)):
            if value < 1:
                raise ConfigurationError(f"{what} is 1 or more, not {value!r}.")
        self.service = KAFKA_QUEUE
        self.delivery_count_limit = delivery_count_limit
        self.lock_duration = lock_duration
        self.retention = retention
        self._lengths = [0] * partitions
        self._records: list[_Shared] = []

    def _place(self, sent: Sent, fields: Mapping[str, Any]) -> tuple[int, int]:
        key = str(sent.number) if sent.key is None else sent.key
        partition = zlib.crc32(key.encode()) % len(self._lengths)
        offset = self._lengths[partition]
        self._lengths[partition] += 1
        return partition, offset

    def _take(self, item: Item, sent: Sent) -> None:
        self._records.append(_Shared(item, sent.shard, self.clock.now + self.retention))

    def receive(self) -> Delivery | None:
        """Acquire a batch, each record for the time of the lock."""
        now = self.clock.now
        self._end([each for each in self._records if each.expires_at <= now], "expired")
        acquired = self._available(now)[: self.options.batch_size]
        if not acquired:
            return None
        acquired.sort(key=lambda each: (each.partition, each.item.number))
        for each in acquired:
            if not each.is_held:
                each.deliveries += 1
                each.retries = 0
            each.is_held = False
            each.not_before = now + self.lock_duration
        items = [each.item for each in acquired]
        records = [self.record_of(each.item, attempt=each.deliveries) for each in acquired]
        return Delivery(items, records, self.factory.event(records), acquired)

    def _available(self, now: float) -> list[_Shared]:
        """Return what may be delivered now, in the order of this delivery."""
        there = [each for each in self._records if each.not_before <= now]
        places = {id(each): place + self.random.uniform(0, _LEAST_ORDERED) for place, each in enumerate(there)}
        return sorted(there, key=lambda each: places[id(each)])

    def settle(self, delivery: Delivery, settlement: Settlement) -> None:
        """Acknowledge what is done. Try the rest again, or give it back to the broker."""
        shared: Sequence[_Shared] = delivery.origin
        if settlement.reading is None:  # throttled: Lambda tries again what it has
            self._hold(shared)
            return
        again, unknown = set(settlement.again), set(settlement.unacknowledged)
        self._end([each for at, each in enumerate(shared) if at not in again | unknown], "acknowledged")
        failed = [each for at, each in enumerate(shared) if at in again]
        retried = [each for each in failed if each.retries < self.options.maximum_retry_attempts]
        for each in retried:
            each.retries += 1
        self._hold(retried)
        self._give_back(each for each in failed if not each.is_held)
        self._give_back((each for at, each in enumerate(shared) if at in unknown), self.lock_duration)

    def next_at(self) -> float | None:
        """Return when a record may be delivered again."""
        return min((max(each.not_before, self.clock.now) for each in self._records), default=None)

    def _hold(self, shared: Iterable[_Shared]) -> None:
        for each in shared:
            each.is_held = True
            each.not_before = self.clock.now + _RETRY_PAUSE_S

    def _give_back(self, shared: Iterable[_Shared], after: float = 0.0) -> None:
        used_up: list[_Shared] = []
        for each in shared:
            each.not_before = self.clock.now + after
            if each.deliveries >= self.delivery_count_limit:
                used_up.append(each)
        self._end(used_up, "discarded")

    def _end(self, shared: Sequence[_Shared], how: Any) -> None:
        if shared:
            self.history.end([each.item for each in shared], how)
            gone = {id(each) for each in shared}
            self._records = [each for each in self._records if id(each) not in gone]
