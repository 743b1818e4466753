"""The observer: which hook does what."""

from __future__ import annotations

from contextlib import nullcontext
from weakref import WeakKeyDictionary

import sentry_sdk

from batchcore import ConfigurationError, hookimpl
from batchcore_sentry import process
from batchcore_sentry.reports import Report
from batchcore_sentry.spans import BatchSpan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from contextlib import AbstractContextManager
    from typing import Any

    from batchcore import Batch, BatchResult, Outcome

STATUSES = ("failed", "dead_lettered", "dropped")

_NOTHING = nullcontext()


class SentryObserver:
    """Reports failed records to Sentry. Pass it to a processor as one of its ``plugins``.

    Each record runs in an isolation scope of its own, so that tags and breadcrumbs of one are on no event of another.
    What it failed with is an event with the tags ``batch_source``, ``item_identifier``, ``delivery_attempt`` and what
    the source says of it: its queue and message group, its stream and shard. Failures of one batch that are equal are
    one event, with their number and the first identifiers. Where traces are sampled, the batch is a transaction, or a
    span of the one that the function has already, and each record a span of it.

    Events are sent when the batch is over, and the response waits for that, up to ``flush_timeout``. Without a client,
    before ``sentry_sdk.init()`` or without a DSN, it does nothing.

    Args:
        most_events: events of one batch, at most. If there are more different failures, one event more counts the rest.
        statuses: of which outcomes there are events: of ``failed``, ``dead_lettered`` and ``dropped``.
        send_bodies: whether an event has the body of its record and the variables of its stack frames, and pydantic's
            errors the input that they quote. By default none of it leaves the function.
        flush_timeout: seconds that the response waits for Sentry, at most; a quarter of what is left of the invocation,
            if that is less.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    def __init__(
        self,
        *,
        most_events: int = 10,
        statuses: Collection[str] = ("failed", "dead_lettered"),
        send_bodies: bool = False,
        flush_timeout: float = 2.0,
    ) -> None:
        given: Any = most_events, flush_timeout
        if not isinstance(given[0], int) or most_events < 1:
            raise ConfigurationError(f"most_events is a number of events, 1 or more, not {most_events!r}.")
        if isinstance(statuses, str) or not set(statuses) <= set(STATUSES):
            raise ConfigurationError(f"statuses are some of {', '.join(STATUSES)}, not {statuses!r}.")
        if not isinstance(given[1], (int, float)) or not 0 <= flush_timeout < 900:
            raise ConfigurationError(f"flush_timeout is a number of seconds, 0 or more, not {flush_timeout!r}.")
        self.most_events = most_events
        self.statuses = frozenset(statuses)
        self.send_bodies = bool(send_bodies)
        self.flush_timeout = flush_timeout
        self._reports: WeakKeyDictionary[Batch, Report] = WeakKeyDictionary()

    @hookimpl
    def batch_started(self, batch: Batch) -> None:
        """Begin the batch's transaction, where there is a client to send to."""
        if process.is_sending(sentry_sdk.get_client()) and batch not in process.observed:
            process.observed.add(batch)
            process.watch_events()
            self._reports[batch] = Report(batch, BatchSpan.begun(batch), self.most_events, self.send_bodies)

    @hookimpl
    def record_scope(self, record: object, batch: Batch, position: int) -> AbstractContextManager[Any]:
        """Return an isolation scope for the record, and a span where the batch has one."""
        report = self._reports.get(batch)
        return _NOTHING if report is None else report.scope_of(batch, position)

    @hookimpl
    def record_finished(self, outcome: Outcome, batch: Batch) -> None:
        """Note a failure, in the record's scope."""
        if outcome.status == "succeeded":
            return
        report = self._reports.get(batch)
        if report is not None and outcome.exception is not None:
            report.finished(outcome, batch, outcome.status in self.statuses)

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None:
        """Hand the events over to the client, and end the batch's transaction."""
        report = self._reports.pop(result.batch, None)
        if report is not None:
            report.send(result)
            report.span.finish(result)

    @hookimpl
    def after_batch(self, result: BatchResult) -> None:
        """Wait until Sentry has what was captured, here or by the function's own code."""
        client = sentry_sdk.get_client()
        if process.is_unsent(client):
            client.flush(timeout=self._time_left(result.batch.context))

    def _time_left(self, context: Any) -> float:
        """Return how long to wait: less than batchcore's own limit, so that it abandons nothing and logs nothing."""
        try:
            left: float = context.get_remaining_time_in_millis() / 1000
            return min(self.flush_timeout, left / 4)
        except Exception:  # no context, or one that tells no time
            return self.flush_timeout

    def __repr__(self) -> str:
        return f"SentryObserver(most_events={self.most_events}, statuses={sorted(self.statuses)})"
