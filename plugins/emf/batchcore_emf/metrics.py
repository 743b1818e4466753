"""The plugin: what is measured of a batch, and the line that is written of it."""

from __future__ import annotations

import json
import os
import sys
from math import isfinite
from time import perf_counter, time
from weakref import WeakKeyDictionary

from batchcore import ConfigurationError, hookimpl
from batchcore_emf.limits import (
    MOST_BYTES,
    MOST_METRICS,
    MOST_VALUES,
    checked_dimensions,
    checked_metric,
    checked_namespace,
    checked_unit,
    checked_values,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, TypeAlias

    from batchcore import Batch, BatchResult

    Values: TypeAlias = float | Sequence[float]

METRICS = {
    "Records": "Count",
    "RecordsSucceeded": "Count",
    "RecordsFailed": "Count",
    "RecordsNotAttempted": "Count",
    "RecordsDropped": "Count",
    "RecordsDeadLettered": "Count",
    "HighestAttempt": "Count",
    "BatchDuration": "Milliseconds",
    "RecordDuration": "Milliseconds",
    "TimeLeft": "Milliseconds",
}
"""The metrics of a batch, each with its unit."""
_STATUS = {
    "RecordsSucceeded": "succeeded",
    "RecordsFailed": "failed",
    "RecordsNotAttempted": "not_attempted",
    "RecordsDropped": "dropped",
    "RecordsDeadLettered": "dead_lettered",
}
_PROPERTIES = ("_aws", "batch_source", "aws_request_id", "failure_types")
_MOST_TYPES = 10
_LONGEST_TEXT = 200


class CloudWatchMetrics:
    """Writes a line of CloudWatch's embedded metric format to standard output at the end of each batch.

    Args:
        namespace: of the metrics. By default what ``BATCHCORE_EMF_NAMESPACE`` says, else
            ``POWERTOOLS_METRICS_NAMESPACE``.
        dimensions: name to value. By default what ``BATCHCORE_EMF_DIMENSIONS`` says (``stage=prod,team=orders``), else
            ``service`` with the value of ``POWERTOOLS_SERVICE_NAME``, else ``function_name``.
        only: which of the metrics; by default all of them. Each costs money.
        record_durations: whether to measure how long each record took. Without it, that is known where ``run()`` or
            ``arun()`` was called.
        of_batch: the result of a batch to metrics of your own, name to number, or to a list of 100 numbers at most.
        units: name of a metric of your own to its unit, as CloudWatch calls it. By default it is the unit ``None``.

    Raises:
        ConfigurationError: CloudWatch would not take it.
    """

    def __init__(
        self,
        namespace: str | None = None,
        dimensions: Mapping[str, str] | None = None,
        *,
        only: Iterable[str] | None = None,
        record_durations: bool = False,
        of_batch: Callable[[BatchResult], Mapping[str, Values]] | None = None,
        units: Mapping[str, str] | None = None,
    ) -> None:
        if of_batch is not None and not callable(of_batch):
            raise ConfigurationError(
                "of_batch is a function from the result of a batch to its metrics, not something of the type "
                f"{type(of_batch).__name__}."
            )
        self._wanted = _wanted(only)
        self._taken = {name: f"the metric {name!r}" for name in self._wanted}
        self._taken.update(dict.fromkeys(_PROPERTIES, "another key of the document"))
        self._namespace = checked_namespace(_namespace() if namespace is None else namespace)
        given = _dimensions() if dimensions is None else dimensions
        self._dimensions = checked_dimensions(given, self._taken)
        self._taken.update({name: f"the dimension {name!r}" for name in self._dimensions})
        self._of_batch = of_batch
        self._units = {checked_metric(name, self._taken): checked_unit(of, name) for name, of in (units or {}).items()}
        # By batch: batches of several threads and tasks share this object.
        self._started: WeakKeyDictionary[Batch, float] = WeakKeyDictionary()
        self._durations: WeakKeyDictionary[Batch, dict[int, float]] = WeakKeyDictionary()
        if record_durations and "RecordDuration" in self._wanted:
            # A hook of this object alone: whoever does not ask for it pays nothing per record.
            durations = self._durations

            @hookimpl
            def record_scope(batch: Batch, position: int) -> _Stopwatch:
                return _Stopwatch(durations[batch], position)

            self.record_scope = record_scope

    @hookimpl
    def batch_started(self, batch: Batch) -> None:
        """Begin to measure."""
        self._started[batch] = perf_counter()
        self._durations[batch] = {}

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None:
        """Write the line of a batch.

        Raises:
            ConfigurationError: something of a metric of the user's is wrong. The line is written without it.
            OSError: standard output cannot be written to, or what else it raises.
        """
        counts = result.counts()
        metrics = {name: (values, METRICS[name]) for name, values in self._measured(result, counts).items()}
        problem: Exception | None = None
        own: dict[str, tuple[Values, str]] = {}
        if self._of_batch is not None:
            try:
                problem = self._add(own, self._of_batch(result), MOST_METRICS - len(metrics))
            except Exception as error:
                problem = error
        line = self._line(result, {**metrics, **own})
        if len(line) > MOST_BYTES:
            problem = ConfigurationError(
                f"A line of {len(line):,} bytes is more than a log event takes, {MOST_BYTES:,}. It is written without "
                f"the {len(own)} metrics that of_batch() gave: give fewer, or fewer values."
            )
            line = self._line(result, metrics)
        if counts.keys() - {"succeeded"}:
            # A failure may have been logged with a traceback, after which the text format of AWS's runtime client does
            # not end the line. Where that client writes to standard output too, this one would be the rest of it.
            line = "\n" + line
        # One call: what another thread prints at the same time comes before it or behind, not into it.
        sys.stdout.write(line)
        if problem is not None:
            raise problem

    def _measured(self, result: BatchResult, counts: Mapping[str, int]) -> dict[str, Values]:
        """Return the values of our metrics, of those that are wanted and known."""
        batch, wanted = result.batch, self._wanted
        measured: dict[str, Any] = {"Records": len(batch.records)}
        measured.update({name: counts.get(status, 0) for name, status in _STATUS.items()})
        if "HighestAttempt" in wanted:
            attempts = filter(None, map(batch.delivery_attempt, batch.records))
            measured["HighestAttempt"] = max(attempts, default=None)
        started = self._started.get(batch)
        if started is not None:
            measured["BatchDuration"] = _milliseconds(perf_counter() - started)
        if "RecordDuration" in wanted:
            measured["RecordDuration"] = self._record_durations(result)
        if "TimeLeft" in wanted:
            measured["TimeLeft"] = _time_left(batch.context)
        return {name: measured[name] for name in wanted if measured.get(name) not in (None, [])}

    def _record_durations(self, result: BatchResult) -> list[float]:
        """Return how long the records took, the shortest first: 100 at most, of more those evenly between both ends."""
        by_position: dict[int, float] = dict(self._durations.get(result.batch, ()))
        if result.duration is not None:
            known = ((outcome.position, outcome.duration) for outcome in result.outcomes)
            by_position.update((position, duration) for position, duration in known if duration is not None)
        durations = sorted(map(_milliseconds, by_position.values()))
        if len(durations) > MOST_VALUES:
            step = (len(durations) - 1) / (MOST_VALUES - 1)
            durations = [durations[round(number * step)] for number in range(MOST_VALUES)]
        return durations

    def _add(self, own: dict[str, tuple[Values, str]], given: Any, room: int) -> Exception | None:
        """Add the user's metrics that CloudWatch takes. Return what is wrong with the first other one."""
        if not hasattr(given, "items"):
            raise ConfigurationError(
                f"of_batch() gives a mapping of names to numbers; it gave something of the type {type(given).__name__}."
            )
        problem: Exception | None = None
        for name, values in given.items():
            try:
                if len(own) >= room:
                    raise ConfigurationError(
                        f"A document has {MOST_METRICS} metrics at most, so of those of of_batch() {room} fit, not "
                        f"{len(given)}."
                    )
                checked = checked_values(values, checked_metric(name, self._taken))
            except ConfigurationError as error:
                problem = problem or error
            else:
                if checked != []:
                    own[name] = checked, self._units.get(name, "None")
        return problem

    def _line(self, result: BatchResult, metrics: Mapping[str, tuple[Values, str]]) -> str:
        batch = result.batch
        document: dict[str, Any] = {
            "_aws": {
                "Timestamp": int(time() * 1000),
                "CloudWatchMetrics": [
                    {
                        "Namespace": self._namespace,
                        "Dimensions": [list(self._dimensions)],
                        "Metrics": [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()],
                    }
                ],
            },
            **self._dimensions,
            **{name: values for name, (values, _) in metrics.items()},
            "batch_source": batch.source,
        }
        request = getattr(batch.context, "aws_request_id", None)
        if isinstance(request, str):
            document["aws_request_id"] = request[:_LONGEST_TEXT]
        types = _failure_types(result)
        if types:
            document["failure_types"] = types
        return json.dumps(document, separators=(",", ":"), allow_nan=False) + "\n"


class _Stopwatch:
    """Measures the time from a record's handler call until its failure, if it has one, is logged."""

    __slots__ = ("_durations", "_position", "_started")

    def __init__(self, durations: dict[int, float], position: int) -> None:
        self._durations = durations
        self._position = position

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(self, *exception: object) -> None:
        self._durations[self._position] = perf_counter() - self._started


def _wanted(only: Iterable[str] | None) -> tuple[str, ...]:
    if only is None:
        return tuple(METRICS)
    chosen = () if isinstance(only, str) else tuple(only)
    if not chosen or not set(chosen) <= METRICS.keys():
        raise ConfigurationError(f"only is a list of some of these metrics: {', '.join(METRICS)}; not {only!r}.")
    return tuple(name for name in METRICS if name in chosen)


def _namespace() -> str:
    namespace = os.environ.get("BATCHCORE_EMF_NAMESPACE") or os.environ.get("POWERTOOLS_METRICS_NAMESPACE")
    if not namespace:
        raise ConfigurationError(
            "Metrics need a namespace. Pass one, CloudWatchMetrics('Orders'), or set the variable "
            "BATCHCORE_EMF_NAMESPACE or POWERTOOLS_METRICS_NAMESPACE."
        )
    return namespace


def _dimensions() -> dict[str, str]:
    given = os.environ.get("BATCHCORE_EMF_DIMENSIONS")
    if given:
        pairs = [pair.partition("=") for pair in given.split(",")]
        dimensions = {name.strip(): value.strip() for name, _, value in pairs}
        if len(dimensions) < len(pairs) or not all(sign for _, sign, _ in pairs):
            raise ConfigurationError(
                "BATCHCORE_EMF_DIMENSIONS has names and values, each name once, as in stage=prod,team=orders; not "
                f"{given[:_LONGEST_TEXT]!r}."
            )
        return dimensions
    service, function = os.environ.get("POWERTOOLS_SERVICE_NAME"), os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    return {"service": service} if service else {"function_name": function} if function else {}


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _time_left(context: Any) -> float | None:
    try:
        left: Any = context.get_remaining_time_in_millis()
    except Exception:  # no context, or one of a test's own
        return None
    return left if type(left) in (int, float) and isfinite(left) else None


def _failure_types(result: BatchResult) -> dict[str, int]:
    """Count the classes of the exceptions of the records that failed. No metric, so it costs nothing but its bytes."""
    counts: dict[str, int] = {}
    for outcome in result.failures:
        if outcome.status == "failed":
            name = type(outcome.exception).__name__[:_LONGEST_TEXT]
            name = name if name in counts or len(counts) < _MOST_TYPES else "others"
            counts[name] = counts.get(name, 0) + 1
    return counts
