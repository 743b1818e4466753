"""The scope of a record, and what it says of the record."""

from __future__ import annotations

import json
from weakref import ref

import sentry_sdk

from batchcore_sentry.inputs import chained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from sentry_sdk import Scope
    from typing_extensions import Self

    from batchcore import Batch
    from batchcore_sentry.spans import BatchSpan

    Scopes: TypeAlias = tuple[Scope, Scope]
    """The current scope and the isolation scope of a record."""

LONGEST_TAG = 200
"""Characters of a tag's value, at most, as Sentry takes them."""


class RecordFacts:
    """An event processor of a record's isolation scope: it adds the record's tags to whatever is captured there.

    Sentry's integration makes an event of each line that is logged with an exception. Whether the record fails with
    that one, and so has an event already, is known later: until then such an event is held.

    Args:
        batch: the batch.
        position: of the record.

    Attributes:
        captured: the exception that the handler captured last by itself, while the scope is open.
        held: exceptions that were logged, each with its event.
    """

    __slots__ = ("_batch", "_position", "captured", "held")

    def __init__(self, batch: Batch, position: int) -> None:
        self._batch = ref(batch)  # a scope that is kept must not keep its batch
        self._position = position
        self.captured: BaseException | None = None
        self.held: list[tuple[BaseException, Any, Any]] | None = []

    def __call__(self, event: Any, hint: Any) -> Any:
        """Add the tags to an event. What the handler has set itself stays."""
        error = (hint.get("exc_info") or (None, None))[1]
        batch = self._batch()
        if batch is not None:
            event["tags"] = {**tags_of(batch, self._position), **(event.get("tags") or {})}
        if error is not None and "log_record" in hint and self.held is not None:
            self.held.append((error, event, hint))
            return None
        self.captured = error
        return event

    def failed_with(self, error: BaseException) -> None:
        """Forget what was logged of an exception that has an event of its own, or is shown in that of another."""
        shown_too = {id(each) for each in chained(error)} if self.held else ()
        self.held = [each for each in self.held or () if id(each[0]) not in shown_too]

    def close(self) -> None:
        """Capture what is held still: lines of what the handler has dealt with by itself."""
        held, self.held = self.held or (), None
        for _, event, hint in held:
            event.pop("breadcrumbs", None)  # they are added once more
            # Without the exception, for Sentry drops the second event of one, and this one was the first, too.
            sentry_sdk.capture_event(event, {**hint, "exc_info": None})
        self.captured = None  # it would keep its frames


class RecordScope:
    """A context manager: an isolation scope whose events have the record's tags, and its span where there are spans.

    Args:
        batch: the batch.
        position: of the record.
        span: of the batch.
        is_open: position to scope, of those that are open.
        left: called, inside it, when it is left with an exception.

    Attributes:
        position: of the record.
        facts: the event processor of the scope.
        has_failed: whether the record has failed, once that is known.
    """

    __slots__ = ("_entered", "_is_open", "_left", "_span", "facts", "has_failed", "position")

    def __init__(
        self,
        batch: Batch,
        position: int,
        span: BatchSpan,
        is_open: dict[int, RecordScope],
        left: Callable[[RecordScope], object],
    ) -> None:
        self.position = position
        self.facts = RecordFacts(batch, position)
        self.has_failed: bool | None = None
        self._is_open = is_open
        self._left = left
        self._span = span.of_record(batch, position)

    def __enter__(self) -> Self:
        self._entered = sentry_sdk.isolation_scope()
        self._entered.__enter__().add_event_processor(self.facts)
        if self._span is not None:
            sentry_sdk.get_current_scope().span = self._span  # never taken back: the scope is the record's own
        self._is_open[self.position] = self
        return self

    def __exit__(self, kind: object, raised: BaseException | None, traceback: object) -> None:
        del self._is_open[self.position]
        if raised is not None and self.has_failed is None:
            self.facts.failed_with(raised)  # a dead letter, of which it is told later
        self.facts.close()
        if self._span is not None:
            if self.has_failed or (self.has_failed is None and raised is not None):
                self._span.set_status("internal_error")
            self._span.finish()
        if raised is not None:
            self._left(self)
        self._entered.__exit__(None, None, None)


def scopes_now() -> Scopes:
    """Return the scopes that are open."""
    return sentry_sdk.get_current_scope(), sentry_sdk.get_isolation_scope()


def scopes_of(batch: Batch, position: int, span: BatchSpan) -> Scopes:
    """Return scopes for a record that did not come to its handler, and so had none."""
    with sentry_sdk.isolation_scope() as isolation:
        isolation.add_event_processor(RecordFacts(batch, position))
        span.make_current()
        return scopes_now()


def tags_of(batch: Batch, position: int) -> dict[str, str]:
    """Return the tags of a record, as Sentry takes them."""
    record = batch.records[position]
    tags: Mapping[str, Any] = {
        **batch.describe_record(record),
        "batch_source": batch.source,
        "item_identifier": batch.identifiers[position],
        "delivery_attempt": batch.delivery_attempt(record),
    }
    return {str(name): shown(value)[:LONGEST_TAG] for name, value in tags.items() if value is not None}


def shown(value: Any) -> str:
    """Return an identifier or a part of a description as one line."""
    if isinstance(value, dict):
        value = json.dumps(value, separators=(",", ":"), default=str)
    return " ".join(str(value).split())
