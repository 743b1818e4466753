"""The spans of one batch: one for the batch, one for each record that was tried. A status is that of the outcome.

Nothing stays attached to a context between two hooks: the span of the batch is current nowhere, those of records are
children of it, each current while its scope is open. Nothing here leads to the batch, whose spans are ended when it is
gone, where an interrupt has ended it and no hook tells of that.
"""

from __future__ import annotations

from time import time_ns

from opentelemetry import context as contexts
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanKind,
    Status,
    StatusCode,
    get_current_span,
    set_span_in_context,
)

from batchcore_otel import conventions as names
from batchcore_otel.failures import MOST_TRACEBACKS, OTHER, Failure, exception_event, failure_of
from batchcore_otel.producers import invocation_of, producers_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token
    from typing import Any

    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanContext, Tracer

    from batchcore import Batch, Outcome
    from batchcore_otel.metrics import Metrics
    from batchcore_otel.options import Options

OUR_SCOPE = "batchcore_otel"
"""The name of the instrumentation scope, by which spans of ours are known."""


class RecordSpan:
    """The span of a record, current while this is open.

    Attributes:
        position: where in the batch.
        span: the span.
        context: the context that it is current in.
        started_at: when its handler was called, in nanoseconds since 1970.
        ended_at: when that ended; None before.
        failure: what became of the record, where it did not succeed, as far as it is known.
        is_told: whether an outcome is known.
    """

    __slots__ = ("_spans", "_token", "context", "ended_at", "failure", "is_told", "position", "span", "started_at")

    def __init__(self, spans: BatchSpans, position: int, span: Span, context: Context, started_at: int) -> None:
        self._spans = spans
        self._token: Token[Context] | None = None
        self.position = position
        self.span = span
        self.context = context
        self.started_at = started_at
        self.ended_at: int | None = None
        self.failure: Failure | None = None
        self.is_told = False

    def __enter__(self) -> None:
        self._token = contexts.attach(self.context)

    def __exit__(self, kind: object, raised: BaseException | None, traceback: object) -> None:
        token, self._token = self._token, None
        if token is not None:
            contexts.detach(token)
        self._spans.left(self, raised)


class BatchSpans:
    """The spans of a batch, and what its metrics need of them.

    Args:
        batch: the batch.
        tracer: makes the spans; None where nobody collects any.
        metrics: the instruments; None where nobody collects any.
        options: what the observer was told.
    """

    __slots__ = (
        "_attributes", "_ended", "_exceptions", "_is_over", "_kind", "_last_end", "_may_fail_later", "_options", "_own",
        "_parent", "_producers", "_scopes", "_tracebacks", "_tracer", "failures", "metrics", "places", "system",
    )  # fmt: skip # one name a line would hide the class behind them

    def __init__(self, batch: Batch, tracer: Tracer | None, metrics: Metrics | None, options: Options) -> None:
        count = len(batch.records)
        self._options = options
        self._tracer = tracer
        self.metrics = metrics
        self._kind = names.kind_of(batch)
        self.system = names.system_of(self._kind)
        self.places = names.places_of(batch, self._kind)
        self._may_fail_later = names.may_fail_in_response(batch)
        self._attributes: dict[str, Any] = {
            names.OPERATION_NAME: names.PROCESS,
            names.OPERATION_TYPE: names.PROCESS,
            names.SYSTEM: self.system,
        }
        if self.system == "aws_sqs":  # as the conventions for Lambda want it of SQS
            self._attributes[names.FAAS_TRIGGER] = "pubsub"
        self._producers: list[tuple[SpanContext, ...]]
        self._producers = [()] * count if tracer is None else producers_of(batch, self._kind, options.carrier_of)
        self._scopes: dict[int, RecordSpan] = {}
        self._ended = bytearray(count)  # 1 at the position of each record whose span has ended
        self._exceptions: set[int] = set()
        self._tracebacks = MOST_TRACEBACKS
        self._last_end = time_ns()
        self._is_over = False
        self.failures: dict[int, Failure] = {}
        current = get_current_span()
        if tracer is None or is_consumer_span(current, self.system):
            self._own, self._parent = None, current
        else:
            self._own = self._parent = self._start_batch(batch, tracer)

    def _start_batch(self, batch: Batch, tracer: Tracer) -> Span:
        destination = names.only([place.destination for place in self.places])
        partition = names.only([place.partition for place in self.places])
        attributes = {**self._attributes, **_of_place(destination, partition)}
        if len(self.places) != 1:  # of a single message the conventions want none
            attributes[names.BATCH_MESSAGE_COUNT] = len(self.places)
        parent = contexts.get_current()
        if not get_current_span(parent).get_span_context().is_valid:
            parent = invocation_of(batch.context, parent)
        links: list[Link] = []
        for position, producers in enumerate(self._producers):
            about = self._of_message(batch, position)
            links += [Link(context, about) for context in producers]
            if len(links) >= self._options.most_links:
                break
        name, links = names.span_name(destination), links[: self._options.most_links]
        return tracer.start_span(name, parent, SpanKind.CONSUMER, attributes, links, start_time=self._last_end)

    def _of_message(self, batch: Batch, position: int) -> dict[str, Any]:
        found = names.message_id(batch.records[position], batch.identifiers[position])
        return {} if found is None else {names.MESSAGE_ID: found}

    def start(self, batch: Batch, position: int) -> RecordSpan:
        """Start the span of a record. It is current once it is entered."""
        started_at = time_ns()
        span = self._parent if self._tracer is None else self._start_record(batch, position, self._tracer, started_at)
        scope = RecordSpan(self, position, span, set_span_in_context(span), started_at)
        self._scopes[position] = scope
        return scope

    def _start_record(self, batch: Batch, position: int, tracer: Tracer, started_at: int) -> Span:
        record, place, producers = batch.records[position], self.places[position], self._producers[position]
        attributes = {
            **self._attributes,
            **_of_place(place.destination, place.partition),
            **self._of_message(batch, position),
        }
        if self._kind == "kafka":
            attributes.update(names.of_kafka(record))
        attempt = batch.delivery_attempt(record)
        if attempt is not None:
            attributes[names.RECORD_ATTEMPT] = attempt
        parent, links = self._parent, [Link(context) for context in producers]
        if producers and self._options.producers == "parent":
            parent = NonRecordingSpan(producers[0])
            links.append(Link(self._parent.get_span_context()))
        name, context = names.span_name(place.destination), set_span_in_context(parent)
        return tracer.start_span(name, context, SpanKind.CONSUMER, attributes, links, start_time=started_at)

    def left(self, scope: RecordSpan, raised: BaseException | None) -> None:
        """Take down that a handler has ended, and end its span where its outcome stands."""
        scope.ended_at = self._last_end = time_ns()
        if raised is not None:
            self._add_exception(scope.span, raised)
            if scope.failure is None:  # a dead letter that waits, or nobody will tell of it
                scope.failure = Failure("", raised)
        if self._is_over or _steers(raised):  # nobody will tell of it, nor of the batch
            self._end(scope)
            self._end_batch(self._last_end)
        elif scope.is_told and (scope.failure is not None or not self._may_fail_later):
            self._end(scope)

    def told(self, outcome: Outcome, batch: Batch) -> None:
        """Take down an outcome: in the scope of its record, or later where it was not known, or has changed."""
        position, failure = outcome.position, failure_of(outcome)
        scope = self._scopes.get(position)
        if failure is None:
            if scope is not None:
                scope.is_told = True
            return
        self.failures[position] = failure
        if scope is not None:
            if scope.is_told:
                self._add_to_batch(outcome.exception)  # a batch hook has failed it, perhaps with all the others
            scope.failure, scope.is_told = failure, True
            if scope.ended_at is not None:
                self._end(scope)
        elif self._ended[position]:
            self._add_to_batch(outcome.exception)
        elif outcome.status != "not_attempted":
            self._tell_without_scope(outcome, batch, failure)

    def _tell_without_scope(self, outcome: Outcome, batch: Batch, failure: Failure) -> None:
        """Make the span of a record that has not come to its handler, because it could not be decoded, say."""
        scope = self.start(batch, outcome.position)
        scope.failure, scope.ended_at = failure, scope.started_at
        if outcome.exception is not None:
            self._add_exception(scope.span, outcome.exception)
        self._end(scope, has_run=False)

    def _end(self, scope: RecordSpan, *, has_run: bool = True) -> None:
        if self._scopes.pop(scope.position, None) is None:  # whoever takes it away ends it: a thread may be late
            return
        self._ended[scope.position] = 1
        span, failure, ended_at = scope.span, scope.failure, scope.ended_at or time_ns()
        error_type = None if failure is None else failure.error_type
        if span is not self._parent:
            if failure is not None and failure.status:
                span.set_attribute(names.RECORD_STATUS, failure.status)
            if failure is not None and error_type is not None:
                span.set_attribute(names.ERROR_TYPE, error_type)
                span.set_status(Status(StatusCode.ERROR, failure.description))
            span.end(ended_at)
        if self.metrics is not None and has_run:
            seconds = max(0, ended_at - scope.started_at) / 1e9
            destination = self.places[scope.position].destination
            self.metrics.processed(seconds, self.system, destination, error_type, scope.context)

    def finish(self, counts: Mapping[str, int], *, is_refused: bool) -> None:
        """End all spans: the outcomes stand. A handler that still runs, abandoned, has ended as far as its batch goes.

        Args:
            counts: the records by status.
            is_refused: whether the source raised in place of a response, so that all of the batch comes again.
        """
        for scope in list(self._scopes.values()):
            self._end(scope)
        if self._own is None:
            return
        for status, count in counts.items():
            self._own.set_attribute(names.COUNTS + status, count)
        undone = counts.get("failed", 0) + counts.get("not_attempted", 0)
        if is_refused or (counts.get("failed") and undone == len(self.places)):
            kinds = {failure.error_type for failure in self.failures.values() if failure.status == "failed"}
            self._own.set_attribute(names.ERROR_TYPE, (kinds.pop() if len(kinds) == 1 else None) or OTHER)
            self._own.set_status(Status(StatusCode.ERROR, f"{undone} of {len(self.places)} records are not done."))
        self._end_batch(time_ns())

    def close(self) -> None:
        """End all spans of a batch that was broken off. When that was, only the last of its records tells."""
        for scope in list(self._scopes.values()):
            scope.ended_at = scope.ended_at or self._last_end
            self._end(scope)
        self._end_batch(self._last_end)

    def _end_batch(self, ended_at: int) -> None:
        if self._own is not None and not self._is_over:
            self._own.end(ended_at)
        self._is_over = True

    def _add_exception(self, span: Span, raised: BaseException) -> None:
        if self._options.exception_events and span is not self._parent and span.is_recording():
            self._tracebacks -= 1
            span.add_event("exception", exception_event(raised, self._tracebacks >= 0))

    def _add_to_batch(self, raised: BaseException | None) -> None:
        """Add what has failed records after their handlers to the span of the batch, once for all of them."""
        if raised is None or self._own is None or id(raised) in self._exceptions or len(self._exceptions) >= 10:
            return
        self._exceptions.add(id(raised))
        if self._options.exception_events and self._own.is_recording():
            self._tracebacks -= 1
            self._own.add_event("exception", exception_event(raised, self._tracebacks >= 0))


def _of_place(destination: str | None, partition: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if destination is not None:
        found[names.DESTINATION_NAME] = destination
    if partition is not None:
        found[names.DESTINATION_PARTITION_ID] = partition
    return found


def _steers(raised: BaseException | None) -> bool:
    """Whether an exception ends the batch, and not its record alone: an interrupt, a suspension."""
    if raised is None or isinstance(raised, (Exception, SystemExit)):
        return False
    # These two may be the record's own. Where they are not, the spans end when the batch is gone.
    return type(raised).__name__ not in ("CancelledError", "BaseExceptionGroup")


def is_consumer_span(span: Span, system: str) -> bool:
    """Whether a span is that of this batch already, made by somebody else, as the instrumentation for Lambda does.

    A span of ours is another batch's: a handler may process one.
    """
    kind: Any = getattr(span, "kind", None)  # of the SDK's spans; the API has none of these
    scope: Any = getattr(span, "instrumentation_scope", None)
    attributes: Any = getattr(span, "attributes", None) or {}
    return (
        kind is SpanKind.CONSUMER
        and span.is_recording()
        and getattr(scope, "name", None) != OUR_SCOPE
        and attributes.get(names.SYSTEM) == system
        and attributes.get(names.OPERATION_TYPE) == names.PROCESS
    )
