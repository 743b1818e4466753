"""The metrics of batches. No identifier, group or partition is among their attributes, and none has many values."""

from __future__ import annotations

from collections import Counter

from batchcore_otel import conventions as names
from batchcore_otel.failures import OTHER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

    Tally: TypeAlias = Counter[tuple[str | None, str, str | None]]  # destination, status, error.type

MOST_VALUES = 100
"""Destinations and kinds of errors that are told apart, of each, as long as the process lives."""

_DURATIONS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)  # as the conventions have them
_ATTEMPTS = (1, 2, 3, 4, 5, 7, 10, 20, 50, 100)
_TIMES_LEFT = (0, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900)


class Metrics:
    """The instruments of one meter."""

    def __init__(self, meter: Meter) -> None:
        self._consumed = meter.create_counter(
            "messaging.client.consumed.messages",
            unit="{message}",
            description="Number of messages that were delivered to the application.",
        )
        self._duration = meter.create_histogram(
            "messaging.process.duration",
            unit="s",
            description="Duration of processing operation.",
            explicit_bucket_boundaries_advisory=_DURATIONS,
        )
        self._records = meter.create_counter(
            "batchcore.records",
            unit="{record}",
            description="Number of records by what became of them.",
        )
        self._attempts = meter.create_histogram(
            "batchcore.record.attempts",
            unit="{attempt}",
            description="How often a record has been delivered, this time included.",
            explicit_bucket_boundaries_advisory=_ATTEMPTS,
        )
        self._time_left = meter.create_histogram(
            "batchcore.batch.time_left",
            unit="s",
            description="Time of the invocation that was left when its batch had ended.",
            explicit_bucket_boundaries_advisory=_TIMES_LEFT,
        )
        self._destinations: dict[str, None] = {}
        self._error_types: dict[str, None] = {}

    def processed(
        self, seconds: float, system: str, destination: str | None, error_type: str | None, context: Context
    ) -> None:
        """Record that a handler has run, in the context of its span."""
        self._duration.record(seconds, self._of_operation(system, destination, error_type), context)

    def finished(self, system: str, tally: Tally, time_left: float | None) -> None:
        """Record what became of the records of a batch, and the time that was left."""
        consumed: Tally = Counter()
        for (destination, status, error_type), count in tally.items():
            attributes = {**self._of(system, destination, error_type), names.RECORD_STATUS: status}
            self._records.add(count, attributes)
            consumed[destination, "", error_type] += count
        for (destination, _, error_type), count in consumed.items():
            self._consumed.add(count, self._of_operation(system, destination, error_type))
        if time_left is not None:
            self._time_left.record(time_left, {names.SYSTEM: system})

    def attempts(self, system: str, destination: str | None, attempts: list[int]) -> None:
        """Record how often some records of one destination have been delivered."""
        attributes = self._of(system, destination, None)
        for attempt in attempts:
            self._attempts.record(attempt, attributes)

    def _of_operation(self, system: str, destination: str | None, error_type: str | None) -> dict[str, Any]:
        return {names.OPERATION_NAME: names.PROCESS, **self._of(system, destination, error_type)}

    def _of(self, system: str, destination: str | None, error_type: str | None) -> dict[str, Any]:
        attributes: dict[str, Any] = {names.SYSTEM: system}
        if destination is not None and _is_known(destination, self._destinations):
            attributes[names.DESTINATION_NAME] = destination
        if error_type is not None:
            attributes[names.ERROR_TYPE] = error_type if _is_known(error_type, self._error_types) else OTHER
        return attributes


def _is_known(value: str, values: dict[str, None]) -> bool:
    """Whether a value is one of the first ones: a class made anew for each failure would be a new series each time."""
    if value not in values:
        if len(values) >= MOST_VALUES:
            return False
        values[value] = None
    return True
