"""The failures of one batch: what is an event of its own, and what is counted."""

from __future__ import annotations

import threading
from datetime import datetime, timezone

import sentry_sdk
from sentry_sdk.scope import use_isolation_scope, use_scope

from batchcore.failures import summary_of
from batchcore_sentry import process
from batchcore_sentry.inputs import frames_of, without_inputs
from batchcore_sentry.scopes import RecordScope, scopes_now, scopes_of, shown
from batchcore_sentry.spans import is_wholly_failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable
    from typing import Any

    from batchcore import Batch, BatchResult, Outcome
    from batchcore_sentry.scopes import Scopes
    from batchcore_sentry.spans import BatchSpan

MOST_IDENTIFIERS = 20
MOST_FRAMES = 50
LONGEST_BODY = 8_192
"""Characters of a body that is sent, at most."""


class Failure:
    """What is to be an event: the first of some equal failures. It holds no exception, and so no frames.

    Attributes:
        kind: what equal ones share, and others that failed at the same line with another text.
        scopes: those of its record.
        outcome_at: when the record failed, and its position.
        alike: the identifiers of the records that failed alike, the first ones.
        count: how many failed alike, this one included.
        others: how many more failed at the same line, with texts of their own, that are no events.
    """

    __slots__ = ("alike", "at", "count", "kind", "others", "position", "scopes", "status")

    def __init__(self, kind: Hashable, outcome: Outcome, scopes: Scopes) -> None:
        self.kind = kind
        self.position = outcome.position
        self.status = outcome.status
        self.at = datetime.now(timezone.utc)
        self.scopes = scopes
        self.alike: list[str] = []
        self.count = self.others = 0

    def add(self, outcome: Outcome) -> None:
        """Count a record that failed alike."""
        self.count += 1
        if len(self.alike) < MOST_IDENTIFIERS:
            self.alike.append(shown(outcome.identifier))


class Report:
    """The failures of one batch, noted as they happen and sent when it is over: only then are equal ones counted.

    Nothing here holds the batch, which is the key of what holds this.

    Args:
        batch: the batch.
        span: of the batch.
        most_events: events, at most, but for one that counts what is left.
        send_bodies: whether events have bodies.

    Attributes:
        span: see above.
    """

    def __init__(self, batch: Batch, span: BatchSpan, most_events: int, send_bodies: bool) -> None:
        self.span = span
        self._open: dict[int, RecordScope] = {}
        self._most_events = most_events
        self._send_bodies = send_bodies
        self._lock = threading.Lock()  # records run in threads
        self._finished: set[int] = set()
        self._left: dict[int, Scopes] = {}
        self._failures: dict[Hashable, Failure] = {}
        self._uncounted: dict[str, int] = {}
        self._is_reported = False

    def scope_of(self, batch: Batch, position: int) -> RecordScope:
        """Return the scope of a record that comes to its handler."""
        return RecordScope(batch, position, self.span, self._open, self._keep)

    def finished(self, outcome: Outcome, batch: Batch, is_reported: bool) -> None:
        """Note a record that is not done or did not succeed."""
        position, error = outcome.position, outcome.exception
        self._finished.add(position)
        left, scope = self._left.pop(position, None), self._open.get(position)
        if scope is not None:
            scope.has_failed = outcome.status != "dropped"
        if not is_reported or error is None:
            return
        self._is_reported = True
        if scope is not None:
            if scope.facts.captured is error:
                return  # the handler has captured it itself, and let it pass
            scope.facts.failed_with(error)
        kind = (outcome.status, _kind_of(error))
        key = (kind, summary_of(error))
        with self._lock:
            failure = self._failures.get(key)
            if failure is None:
                failure = self._held(kind, key, outcome, batch, left)
            if failure is not None:
                failure.add(outcome)

    def _keep(self, scope: RecordScope) -> None:
        """Keep the scopes of a record that failed, and of which it is told later: a dead letter of no lane."""
        if scope.position not in self._finished:
            self._left[scope.position] = scopes_now()

    def _held(
        self, kind: Hashable, key: Hashable, outcome: Outcome, batch: Batch, left: Scopes | None
    ) -> Failure | None:
        """Return the failure that a record is the first of; None where it is counted with others."""
        if len(self._failures) >= self._most_events and not self._makes_room(kind, outcome):
            return None
        position = outcome.position
        if left is not None:
            scopes = left
        elif position in self._open:
            scopes = scopes_now()
        else:
            scopes = scopes_of(batch, position, self.span)
        failure = self._failures[key] = Failure(kind, outcome, scopes)
        return failure

    def _makes_room(self, kind: Hashable, outcome: Outcome) -> bool:
        """Count a failure with others of its kind; or drop an event of a kind that has several, for one that has none.

        Returns:
            Whether there is room for one more event.
        """
        by_kind: dict[Hashable, list[Hashable]] = {}
        for key, failure in self._failures.items():
            by_kind.setdefault(failure.kind, []).append(key)
        if kind in by_kind:
            self._failures[by_kind[kind][0]].others += 1
            return False
        most = max(by_kind.values(), key=len)
        if len(most) == 1:
            name = type(outcome.exception).__name__
            self._uncounted[name] = self._uncounted.get(name, 0) + 1
            return False
        dropped = self._failures.pop(most[-1])
        self._failures[most[0]].others += dropped.count + dropped.others
        return True

    # -- When the batch is over.

    def send(self, result: BatchResult) -> None:
        """Capture the events, each in the scopes of its record."""
        if not self._is_reported:
            return
        batch, counts = result.batch, result.counts()
        process.reported.add(batch)
        facts = {
            "source": batch.source,
            "records": len(batch.records),
            **counts,
            "wholly_failed": is_wholly_failed(counts),
        }
        for failure in self._failures.values():
            current, isolation = failure.scopes
            with use_isolation_scope(isolation), use_scope(current), sentry_sdk.new_scope() as scope:
                self._capture(scope, failure, result, facts)
        if self._uncounted:
            with sentry_sdk.new_scope() as scope:
                scope.set_context("batch", facts)
                scope.set_tag("batch_source", batch.source)
                scope.fingerprint = ["batchcore", "more failures", batch.source]
                named = ", ".join(f"{count} x {name}" for name, count in list(self._uncounted.items())[:10])
                total = sum(self._uncounted.values())
                scope.capture_message(f"{total} more records of {batch.source} failed: {named}", level="error")

    def _capture(self, scope: Any, failure: Failure, result: BatchResult, facts: dict[str, Any]) -> None:
        outcome = result.outcomes[failure.position]
        error: Any = outcome.exception

        def complete(event: Any, hint: Any) -> Any:
            if not self._send_bodies:  # first: what raises here lets the event go as it is by then
                without_inputs(event, error)
            event["timestamp"] = failure.at
            event["transaction"] = event.get("transaction") or facts["source"]
            tags = event.setdefault("tags", {})
            tags["failed_alike"] = str(failure.count)
            contexts = event.setdefault("contexts", {})
            contexts["batch"] = facts
            contexts["record"] = {
                "position": failure.position,
                "status": outcome.status,
                "failed_alike": failure.count,
                "identifiers": failure.alike,
                "failed_at_the_same_line": failure.others,
            }
            event["exception"]["values"][-1]["mechanism"] = {"type": "batchcore", "handled": True}
            for frame in frames_of(event):
                if str(frame.get("module")).startswith("batchcore"):
                    frame["in_app"] = False  # in a function it lies beside the function's own code
            if self._send_bodies:
                contexts["message"] = {"body": _body_of(result.batch, outcome)}
            hint["outcome"] = outcome
            return event

        scope.add_event_processor(complete)
        scope.capture_exception(error)


def _kind_of(error: BaseException) -> Hashable:
    """Return what tells failures apart but for their texts: the class, and the lines that led to it."""
    lines: list[Hashable] = []
    current = error.__traceback__
    while current is not None:
        lines.append((current.tb_frame.f_code, current.tb_lineno))
        current = current.tb_next
    return (type(error), *lines[-MOST_FRAMES:])


def _body_of(batch: Batch, outcome: Outcome) -> str | None:
    try:
        return batch.original_message(outcome.record).body[:LONGEST_BODY]
    except Exception:  # a record that its source cannot read: that may be why it failed
        return None
