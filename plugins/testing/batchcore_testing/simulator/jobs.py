"""Jobs of S3 Batch Operations in memory, which invoke a function for each object."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from batchcore import ConfigurationError
from batchcore_testing.results import s3_batch_results
from batchcore_testing.services import at
from batchcore_testing.simulator.source import Delivery, Settlement, SimulatedSource

if TYPE_CHECKING:
    from batchcore_testing.clock import SimulatedClock
    from batchcore_testing.events import EventFactory, Sent
    from batchcore_testing.services import Kind
    from batchcore_testing.simulator.history import Item

_PAUSE_S = 1.0


class TaskReport(NamedTuple):
    """A line of a job's completion report.

    Attributes:
        item: the task.
        status: ``succeeded`` or ``failed``.
        code: the result code of its last invocation.
        text: its result string, or the function's error.
    """

    item: Item
    status: str
    code: str
    text: str


class BatchJob(SimulatedSource):
    """A job of S3 Batch Operations that invokes a function for each object of its manifest, one at a time.

    What failed for the moment is tried again, behind the others; what failed for good is not. An invocation that
    raises, or whose response is refused, has failed for good: AWS's own report says ``PermanentFailure``. One that was
    throttled is repeated. How often a task is redriven, AWS does not say; nor what it makes of a response with another
    ``invocationId`` or schema than its event, which is refused here.

    Args:
        source: the source whose events it makes: an object, the name of one that is installed, or an event factory.
        bucket: the name of the bucket.
        redrives: how often a task that failed for the moment is tried again.
        factory: makes the events of a source that no package registers.
        clock: tells the time; without one, a new one.

    Attributes:
        report: the completion report, in the order in which tasks ended.
        items: what was sent, in its order: keys of objects.

    See "Invoke AWS Lambda function" in the Amazon S3 user guide.
    """

    PLAYS: ClassVar[Collection[str]] = ("s3-batch",)
    PLAYS_OTHERS: ClassVar[Collection[Kind]] = ()
    OPTIONS: ClassVar[Mapping[str, int]] = {}
    DEFAULT_BATCH_SIZE: ClassVar[int] = 1
    LARGEST_BATCH: ClassVar[int] = 1

    def __init__(
        self,
        source: object = "s3batch",
        bucket: str = "orders",
        *,
        redrives: int = 3,
        factory: EventFactory | None = None,
        clock: SimulatedClock | None = None,
    ) -> None:
        super().__init__(source, bucket, clock, factory)
        if not (type(redrives) is int and redrives >= 0):
            raise ConfigurationError(f"redrives is 0 or more, not {redrives!r}.")
        self.redrives = redrives
        self.report: list[TaskReport] = []
        self._waiting: list[tuple[Item, int, float]] = []  # with the redrives so far, and when it may be tried

    @property
    def failed(self) -> list[Item]:
        """The tasks that the completion report names as failed."""
        return [line.item for line in self.report if line.status == "failed"]

    def _place(self, sent: Sent, fields: Mapping[str, Any]) -> tuple[int, int]:
        return 0, sent.number - 1

    def _take(self, item: Item, sent: Sent) -> None:
        self._waiting.append((item, 0, self.clock.now))

    def next_at(self) -> float | None:
        """Return when a task may be tried again; None where none ever will be."""
        return min((moment for _, _, moment in self._waiting), default=None)

    def receive(self) -> Delivery | None:
        """Return the next task."""
        for place, (item, redrives, moment) in enumerate(self._waiting):
            if moment <= self.clock.now:
                del self._waiting[place]
                record = self.record_of(item)
                return Delivery([item], [record], self.factory.event([record]), redrives)
        return None

    def complaint_of(self, delivery: Delivery, response: Any) -> str | None:
        """Return which of the two fields that say what a response is for does not."""
        names = ("invocationSchemaVersion", "invocationId")
        wrong = [name for name in names if at(response, name) != at(delivery.event, name)]
        return f"{wrong[0]} of the response is not that of the event" if wrong else None

    def settle(self, delivery: Delivery, settlement: Settlement) -> None:
        """Report the task, or let it be tried again."""
        (item,), redrives = delivery.items, delivery.origin
        reading = settlement.reading
        if reading is None or settlement.unacknowledged:
            self._waiting.append((item, redrives, self.clock.now + _PAUSE_S))
        elif reading.complaint is not None:
            self._end(item, "failed", "PermanentFailure", f"Lambda returned function error: {reading.complaint}")
        elif settlement.again and redrives < self.redrives:
            self._waiting.append((item, redrives + 1, self.clock.now + _PAUSE_S))
        else:
            identifiers = [self.service.identifier(record) for record in delivery.records]
            (result,) = s3_batch_results(json.loads(json.dumps(settlement.response)), identifiers)
            status = "failed" if reading.named else "succeeded"
            self._end(item, status, result["resultCode"], at(result, "resultString") or "")

    def _end(self, item: Item, status: str, code: str, text: str) -> None:
        self.report.append(TaskReport(item, status, code, text))
        self.history.end([item], "completion report" if status == "failed" else "acknowledged")
