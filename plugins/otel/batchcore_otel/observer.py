"""The observer."""

from __future__ import annotations

import os
import weakref
from collections import Counter

from opentelemetry import metrics, trace

from batchcore import ConfigurationError, hookimpl
from batchcore_otel.conventions import RESPOND_IN_PART, SCHEMA_URL
from batchcore_otel.flush import Flush
from batchcore_otel.metrics import Metrics
from batchcore_otel.options import Options
from batchcore_otel.spans import OUR_SCOPE, BatchSpans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from typing import Any, Literal

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Tracer, TracerProvider

    from batchcore import Batch, BatchResult, Outcome

FLUSH_TIMEOUT = 1.0
"""Seconds that the response waits for what has ended to be sent, at most."""

VERSION = "0.1.0"

_watched: weakref.WeakKeyDictionary[Batch, tuple[OpenTelemetryObserver, BatchSpans]] = weakref.WeakKeyDictionary()
"""Of all observers: a batch that two of them get, one in code and one of the environment, has its spans once."""


class _NoScope:
    """The scope of a record of which nobody collects anything. It keeps nothing, so one will do for all."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *raised: object) -> None:
        pass


_NO_SCOPE = _NoScope()


class OpenTelemetryObserver:
    """Makes spans and metrics of batches. Pass it to a processor as one of its ``plugins``.

    A span ``process <queue>`` of the kind CONSUMER for each batch, with links to the producers of its records, and one
    below it for each record, by the semantic conventions for messaging 1.44.0. Statuses are those of the outcomes.
    Where no SDK is set up, it does nothing.

    Args:
        producers: how the span of a record is joined to that of its producer. ``link``: it is a child of the batch's,
            with a link to the producer's, as the conventions want it for batches. ``parent``: it is a child of the
            producer's, in that trace, with links to the producer's and to the batch's.
        flush_timeout: seconds that the response waits for what has ended to be sent; 0 where somebody else sends it.
        most_links: links of the span of a batch, at most. The SDK keeps 128, unless it is told otherwise.
        carrier_of: returns the headers of a raw record, ``traceparent`` among them, where its source has none, such as
            a stream whose producers write them into the data. What it raises counts as no headers.
        tracer_provider: makes the tracer; None for the global one, at the time of each batch.
        meter_provider: makes the meter; None for the global one, at the time of each batch.

    Raises:
        ConfigurationError: one of them cannot be used.
    """

    def __init__(
        self,
        *,
        producers: Literal["link", "parent"] = "link",
        flush_timeout: float = FLUSH_TIMEOUT,
        most_links: int = 128,
        carrier_of: Callable[[Any], Mapping[str, str]] | None = None,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
    ) -> None:
        if producers not in ("link", "parent"):
            raise ConfigurationError(f"producers is 'link' or 'parent', not {producers!r}.")
        if not _is_number(flush_timeout) or not 0 <= flush_timeout < float("inf"):
            raise ConfigurationError(f"flush_timeout is a number of seconds from 0 on, not {flush_timeout!r}.")
        if type(most_links) is not int or most_links < 0:
            raise ConfigurationError(f"most_links is a whole number from 0 on, not {most_links!r}.")
        if carrier_of is not None and not callable(carrier_of):
            raise ConfigurationError(f"carrier_of is a function from a raw record to its headers, not {carrier_of!r}.")
        # The conventions have exceptions as log records from now on, and this variable for those that made events.
        signal = os.environ.get("OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN", "").split(",")
        self._options = Options(producers, most_links, carrier_of, "logs" not in map(str.strip, signal))
        self._flush = Flush(flush_timeout)
        self._tracer_provider = tracer_provider
        self._meter_provider = meter_provider
        self._tracer: tuple[TracerProvider | None, Tracer | None] = (None, None)
        self._metrics: tuple[MeterProvider | None, Metrics | None] = (None, None)

    @hookimpl
    def batch_started(self, batch: Batch) -> None:
        """Start the span of a batch, unless nobody collects anything, or another observer has done so."""
        tracer, meters = self._tracer_now(), self._metrics_now()
        if (tracer is None and meters is None) or batch in _watched:
            return
        spans = BatchSpans(batch, tracer, meters, self._options)
        weakref.finalize(batch, spans.close).atexit = False  # where an interrupt ends it, no hook tells of that
        _watched[batch] = self, spans

    @hookimpl
    def record_scope(self, record: Any, batch: Batch, position: int) -> AbstractContextManager[Any]:
        """Return the span of a record, to be current while its handler runs."""
        spans = self._spans_of(batch)
        return _NO_SCOPE if spans is None else spans.start(batch, position)

    @hookimpl
    def record_finished(self, outcome: Outcome, batch: Batch) -> None:
        """Take down what became of a record."""
        spans = self._spans_of(batch)
        if spans is not None:
            spans.told(outcome, batch)

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None:
        """End the span of a batch, and those of its records whose outcomes could still change until now."""
        spans = self._spans_of(result.batch)
        if spans is None:
            return
        counts = result.counts()
        undone = counts.get("failed", 0) + counts.get("not_attempted", 0)
        # The response is asked for last: it is a copy.
        is_refused = undone > 0 and result.batch.source not in RESPOND_IN_PART and result.response is None
        spans.finish(counts, is_refused=is_refused)
        if spans.metrics is not None:
            _measure(spans.metrics, spans, result.batch)

    @hookimpl
    def after_batch(self, result: BatchResult) -> None:
        """Send what has ended, within a time of its own."""
        if self._spans_of(result.batch) is not None:
            del _watched[result.batch]
            self._flush((self._traced_by(), self._measured_by()), _seconds_left(result.batch.context))

    def _spans_of(self, batch: Batch) -> BatchSpans | None:
        owner, spans = _watched.get(batch, (None, None))
        return spans if owner is self else None

    def _traced_by(self) -> TracerProvider:
        return trace.get_tracer_provider() if self._tracer_provider is None else self._tracer_provider

    def _measured_by(self) -> MeterProvider:
        return metrics.get_meter_provider() if self._meter_provider is None else self._meter_provider

    def _tracer_now(self) -> Tracer | None:
        """Return the tracer; None where there is no SDK that makes spans. One may be set up after this was made."""
        provider = self._traced_by()
        known, tracer = self._tracer
        if known is not provider:
            made = provider.get_tracer(OUR_SCOPE, VERSION, schema_url=SCHEMA_URL)
            tracer = None if _is_of_the_api(made) else made
            self._tracer = provider, tracer
        return tracer

    def _metrics_now(self) -> Metrics | None:
        provider = self._measured_by()
        known, instruments = self._metrics
        if known is not provider:
            meter = provider.get_meter(OUR_SCOPE, VERSION, schema_url=SCHEMA_URL)
            instruments = None if _is_of_the_api(meter) else Metrics(meter)
            self._metrics = provider, instruments
        return instruments

    def __repr__(self) -> str:
        return f"OpenTelemetryObserver(producers={self._options.producers!r}, flush_timeout={self._flush.timeout!r})"


def _is_of_the_api(made: object) -> bool:
    """Whether a tracer or a meter is one that the API has where there is no SDK, or a disabled one: it does nothing."""
    return type(made).__module__.startswith(("opentelemetry.trace", "opentelemetry.metrics"))


def _measure(meters: Metrics, spans: BatchSpans, batch: Batch) -> None:
    """Record the metrics of a batch that has ended."""
    places, failures = spans.places, spans.failures
    tally: Counter[tuple[str | None, str, str | None]] = Counter()
    attempts: dict[str | None, list[int]] = {}
    for position, (place, record) in enumerate(zip(places, batch.records, strict=True)):
        failure = failures.get(position)
        if failure is None:
            tally[place.destination, "succeeded", None] += 1
        else:
            tally[place.destination, failure.status, failure.error_type] += 1
        attempt = batch.delivery_attempt(record)
        if attempt is not None:
            attempts.setdefault(place.destination, []).append(attempt)
    meters.finished(spans.system, tally, _seconds_left(batch.context))
    for destination, some in attempts.items():
        meters.attempts(spans.system, destination, some)


def _seconds_left(context: Any) -> float | None:
    """Return what is left of an invocation; None where its context tells no time."""
    try:
        milliseconds = context.get_remaining_time_in_millis()
        return milliseconds / 1000 if _is_number(milliseconds) else None
    except Exception:  # no context, or one of a test
        return None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
