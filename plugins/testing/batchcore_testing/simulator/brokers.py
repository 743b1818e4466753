"""Queues of Amazon MQ in memory, as Lambda receives from them."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from batchcore import ConfigurationError
from batchcore_testing.services import at
from batchcore_testing.simulator.readers import pause_after
from batchcore_testing.simulator.source import Delivery, Settlement, SimulatedSource

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from batchcore_testing.clock import SimulatedClock
    from batchcore_testing.events import EventFactory, Sent
    from batchcore_testing.services import Kind
    from batchcore_testing.simulator.history import Item


class BrokerQueue(SimulatedSource):
    """A queue of ActiveMQ or RabbitMQ on Amazon MQ.

    Messages are delivered in the order in which they were sent. A batch whose invocation fails is delivered again, all
    of it and nothing beside it, until an invocation succeeds or its messages are gone. Nothing else is acknowledged, so
    one message that always fails holds up the queue.

    Args:
        source: the source whose events it makes, ``activemq`` or ``rabbitmq``: an object, the name of one that is
            installed, or an event factory. A pipe's is ``pipes-mq``.
        name: its name.
        delivery_limit: after how many deliveries that failed a message goes to the broker's dead-letter queue, one more
            than this: ``x-delivery-limit`` of a quorum queue, ``maximumRedeliveries`` of ActiveMQ. None for no limit.
        retention: seconds after which a message expires; None for never.
        factory: makes the events of a source that no package registers.
        clock: tells the time; without one, a new one.

    Attributes:
        dead_letters: what is in the broker's dead-letter queue, in the order in which it got there.
        items: what was sent, in its order.

    Raises:
        batchcore.ConfigurationError: the source is none of a broker, or an argument is out of its range.

    See "Using Lambda with Amazon MQ" in the AWS Lambda developer guide.
    """

    PLAYS: ClassVar[Collection[str]] = ("activemq", "rabbitmq", "pipes-mq")
    PLAYS_OTHERS: ClassVar[Collection[Kind]] = ["whole batch"]

    def __init__(
        self,
        source: object,
        name: str = "orders",
        *,
        delivery_limit: int | None = None,
        retention: float | None = None,
        factory: EventFactory | None = None,
        clock: SimulatedClock | None = None,
    ) -> None:
        super().__init__(source, name, clock, factory)
        if delivery_limit is not None and not (type(delivery_limit) is int and delivery_limit >= 0):
            raise ConfigurationError(f"delivery_limit is 0 or more, or None; not {delivery_limit!r}.")
        self.delivery_limit = delivery_limit
        self.retention = retention
        self.dead_letters: list[Item] = []
        self._waiting: list[Item] = []
        self._batch: list[Item] = []  # what an invocation failed for, to be delivered again
        self._not_before = float("-inf")
        self._failures = 0  # of the batch
        self._returned: dict[int, int] = {}  # number of an item to how many of its deliveries have failed
        self._expires_at: dict[int, float] = {}
        self._by_name: dict[str, set[Item]] = {}

    def _place(self, sent: Sent, fields: Mapping[str, Any]) -> tuple[int, int]:
        return 0, sent.number - 1

    def _take(self, item: Item, sent: Sent) -> None:
        self._waiting.append(item)
        if self.retention is not None:
            self._expires_at[item.number] = self.clock.now + self.retention

    def receive(self) -> Delivery | None:
        """Receive the batch that failed again, or else the next one."""
        self._expire()
        if self._batch:
            if self.clock.now < self._not_before:
                return None
        else:
            self._batch = self._waiting[: self.options.batch_size]
            del self._waiting[: len(self._batch)]
            self._failures = 0
        if not self._batch:
            return None
        records = [self.record_of(item, attempt=1 + self._returned.get(item.number, 0)) for item in self._batch]
        for item, record in zip(self._batch, records, strict=True):
            for name in _names_of(record):
                self._by_name.setdefault(name, set()).add(item)
        return Delivery(list(self._batch), records, self.factory.event(records))

    def settle(self, delivery: Delivery, settlement: Settlement) -> None:
        """Acknowledge the batch, or keep it to be delivered again."""
        if settlement.reading is None:  # not invoked: nothing was tried, so nothing is counted
            self._not_before = self.clock.now + pause_after(1)
            return
        if not settlement.again and not settlement.unacknowledged:
            self.history.end(self._batch, "acknowledged")
            self._batch = []
            return
        self._failures += 1
        self._not_before = self.clock.now + pause_after(self._failures)
        for item in self._batch:
            self._returned[item.number] = self._returned.get(item.number, 0) + 1
        if self.delivery_limit is not None:
            spent = [item for item in self._batch if self._returned[item.number] > self.delivery_limit]
            self.dead_letters += spent
            self.history.end(spent, "dead-letter queue")
            self._batch = [item for item in self._batch if item.end is None]

    def next_at(self) -> float | None:
        """Return when the batch is delivered again, or something of it expires. Nothing else keeps others waiting."""
        if not self._batch:
            return None
        return min(self._not_before, *(self._expires_at.get(item.number, self._not_before) for item in self._batch))

    def find(self, what: Any) -> Item:
        """Find an item by its message, raw or typed, or by its content in any form: see :class:`Contents`.

        Raises:
            UnknownRecordError: it is nothing that was sent, or was sent more than once. Nothing names a message of a
                broker for certain, so a model of one is found by its ``messageID`` alone, and one of RabbitMQ is not.
        """
        for name in _names_of(getattr(what, "raw_event", what)):
            found = self._by_name.get(name, set())
            if len(found) == 1:
                return next(iter(found))
        return super().find(what)

    def _expire(self) -> None:
        now, held = self.clock.now, (*self._batch, *self._waiting)
        gone = [item for item in held if self._expires_at.get(item.number, now + 1) <= now]
        self.history.end(gone, "expired")
        self._batch = [item for item in self._batch if item.end is None]
        self._waiting = [item for item in self._waiting if item.end is None]


def _names_of(record: Any) -> list[str]:
    """Return what a message may be found by: what it is called, if that is known, and all that it is."""
    called = at(record, "messageID")
    names = [called] if isinstance(called, str) else []
    with suppress(TypeError, ValueError):  # of a model, say
        names.append(json.dumps(record, sort_keys=True))
    return names
