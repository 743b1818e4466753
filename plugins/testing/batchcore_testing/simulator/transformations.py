"""Streams of Amazon Data Firehose in memory, whose records a function transforms."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from batchcore import ConfigurationError
from batchcore_testing.results import firehose_results
from batchcore_testing.simulator.source import Delivery, Settlement, SimulatedSource

if TYPE_CHECKING:
    from batchcore_testing.clock import SimulatedClock
    from batchcore_testing.events import EventFactory, Sent
    from batchcore_testing.services import Kind
    from batchcore_testing.simulator.history import Item

_MOST_RETRIES = 300
_PAUSE_S = 1.0


class DeliveryStream(SimulatedSource):
    """A stream of Amazon Data Firehose that has its records transformed by a function.

    Records are handed over in batches, in their order. An invocation that fails, is throttled, or whose response is
    refused is repeated, three times; then Firehose skips the batch. What it skips, and what the response says has
    failed, goes to the bucket, below ``processing-failed``, and does not come again.

    Args:
        source: the source whose events it makes: an object, the name of one that is installed, or an event factory.
        name: its name.
        number_of_retries: how often an invocation that failed is repeated.
        factory: makes the events of a source that no package registers.
        clock: tells the time; without one, a new one.

    Attributes:
        delivered: what goes to the destination, in that order: each item, and its new data.
        dropped: what the function dropped.
        processing_failed: what is below ``processing-failed``: it has failed, or its batch was skipped.
        items: what was sent, in its order.

    See "Transform source data" in the Amazon Data Firehose developer guide.
    """

    PLAYS: ClassVar[Collection[str]] = ("firehose",)
    PLAYS_OTHERS: ClassVar[Collection[Kind]] = ()
    OPTIONS: ClassVar[Mapping[str, int]] = {}

    def __init__(
        self,
        source: object = "firehose",
        name: str = "orders",
        *,
        number_of_retries: int = 3,
        factory: EventFactory | None = None,
        clock: SimulatedClock | None = None,
    ) -> None:
        super().__init__(source, name, clock, factory)
        if not (type(number_of_retries) is int and 0 <= number_of_retries <= _MOST_RETRIES):
            raise ConfigurationError(f"number_of_retries is from 0 to {_MOST_RETRIES}, not {number_of_retries!r}.")
        self.number_of_retries = number_of_retries
        self.delivered: list[tuple[Item, bytes]] = []
        self.dropped: list[Item] = []
        self.processing_failed: list[Item] = []
        self._waiting: list[Item] = []
        self._batch: list[Item] = []
        self._retries = 0
        self._not_before = float("-inf")

    def _place(self, sent: Sent, fields: Mapping[str, Any]) -> tuple[int, int]:
        return 0, sent.number - 1

    def _take(self, item: Item, sent: Sent) -> None:
        self._waiting.append(item)

    def next_at(self) -> float | None:
        """Return when there may be a batch again; None where there never will be."""
        return self._not_before if self._batch else self.clock.now if self._waiting else None

    def receive(self) -> Delivery | None:
        """Return the batch that is repeated, or else the next one."""
        if self._not_before > self.clock.now:
            return None
        if not self._batch:
            self._batch = self._waiting[: self.options.batch_size]
            del self._waiting[: len(self._batch)]
        if not self._batch:
            return None
        records = [self.record_of(item) for item in self._batch]
        return Delivery(self._batch, records, self.factory.event(records))

    def settle(self, delivery: Delivery, settlement: Settlement) -> None:
        """Deliver the results, or repeat the invocation, or skip the batch."""
        has_response = settlement.reading is not None and not settlement.function_failed
        if has_response and not settlement.unacknowledged:
            identifiers = [self.service.identifier(record) for record in delivery.records]
            response = json.loads(json.dumps(settlement.response))
            self._deliver(delivery.items, firehose_results(response, identifiers) or [])
        elif self._retries < self.number_of_retries:
            self._retries += 1
            self._not_before = self.clock.now + _PAUSE_S
            return
        else:
            self._put_aside(delivery.items)
        self._batch, self._retries, self._not_before = [], 0, float("-inf")

    def _deliver(self, items: Sequence[Item], results: Sequence[Any]) -> None:
        for item, result in zip(items, results, strict=True):
            if result["result"] == "ProcessingFailed":
                self._put_aside([item])
                continue
            if result["result"] == "Dropped":
                self.dropped.append(item)
            else:
                self.delivered.append((item, b64decode(result[self.service.content])))
            self.history.end([item], "acknowledged")

    def _put_aside(self, items: Sequence[Item]) -> None:
        self.processing_failed += items
        self.history.end(items, "processing-failed")
