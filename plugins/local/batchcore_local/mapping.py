"""The event source mapping: receive, invoke, read the response, acknowledge; again, until told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from batchcore_local.errors import NotDrainedError
from batchcore_local.function import Clock, LocalFunction
from batchcore_local.poller import Delivery, Poller
from batchcore_local.response import Reading, read_response, whole_batch_failed


class BatchReport(NamedTuple):
    """What became of one batch.

    Attributes:
        number: which batch of this mapping, counting from 1.
        received: how many records it had.
        redelivered: how many of them had been delivered before.
        failed: how many are left for the source to deliver again. The others are acknowledged, and gone.
        complaint: why the whole batch failed; None when it did not.
    """

    number: int
    received: int
    redelivered: int
    failed: int
    complaint: str | None


class EventSourceMapping:
    """What stands between a source and a function on Lambda, on this machine.

    One batch at a time: a mapping never invokes its function twice at once.

    Args:
        poller: reads the source.
        function: what to invoke.
        report_batch_item_failures: whether the mapping's ``FunctionResponseTypes`` has ``ReportBatchItemFailures``.
            Without it the response is not read, as on Lambda: all that the function did not raise for is acknowledged.
        clock: what tells the time.
    """

    def __init__(
        self,
        poller: Poller,
        function: LocalFunction,
        *,
        report_batch_item_failures: bool = True,
        clock: Clock = time.monotonic,
    ) -> None:
        self.poller = poller
        self.function = function
        self.report_batch_item_failures = report_batch_item_failures
        self._clock = clock
        self._batches = 0

    def poll(self) -> BatchReport | None:
        """Receive one batch and see it through.

        Returns:
            What became of it; None when the source had nothing to give just now.
        """
        delivery = self.poller.receive()
        if delivery is None:
            return None
        reading = self._invoke(delivery)
        self.poller.settle(delivery, reading)
        self._batches += 1
        failed = sum(identifier in reading.failed for identifier in delivery.identifiers)
        return BatchReport(
            self._batches, len(delivery.identifiers), delivery.redelivered, failed, complaint=reading.complaint
        )

    def drain(self, *, on_batch: Callable[[BatchReport], object] | None = None, timeout: float = 60.0) -> int:
        """Poll until the source holds nothing any more.

        Args:
            on_batch: called after each batch, to show progress.
            timeout: seconds after which to give up. A record that fails for ever, at a source that keeps it for ever,
                cannot be drained.

        Returns:
            How many batches there were.

        Raises:
            NotDrainedError: the time was up and the source still held records.
        """
        deadline = self._clock() + timeout
        batches = 0
        while True:
            report = self.poll()
            if report is not None:
                batches += 1
                if on_batch is not None:
                    on_batch(report)
            elif self.poller.depth() == 0:
                return batches
            if self._clock() > deadline:
                depth = self.poller.depth()
                raise NotDrainedError(f"After {timeout:g} seconds the source still holds {depth} records.", depth=depth)

    def _invoke(self, delivery: Delivery) -> Reading:
        invocation = self.function.invoke(delivery.event)
        if invocation.error is not None:
            return whole_batch_failed(delivery.identifiers, invocation.error)
        if not self.report_batch_item_failures:
            return Reading(frozenset())
        return read_response(invocation.payload, delivery.identifiers)
