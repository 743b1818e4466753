"""The batch as a transaction, or as a span of the one that is open; its records as spans of that."""

from __future__ import annotations

import sentry_sdk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from batchcore import Batch, BatchResult

ORIGIN = "auto.queue.batchcore"
_DESTINATIONS = ("queue", "topic", "stream", "table")


class BatchSpan:
    """The span of a batch; of none, where traces are not sampled.

    Args:
        span: the span or transaction, or None.
    """

    __slots__ = ("_span",)

    def __init__(self, span: Any) -> None:
        self._span = span

    @classmethod
    def begun(cls, batch: Batch) -> BatchSpan:
        """Begin it. It is not made the current one: nothing may stay with the caller if the batch is broken off."""
        options: Any = sentry_sdk.get_client().options
        traced = options.get("traces_sample_rate") is not None or options.get("traces_sampler") is not None
        if not traced or _is_streaming(options):
            return cls(None)
        named: Any = {"op": "queue.batch", "name": _name_of(batch), "origin": ORIGIN}
        parent = sentry_sdk.get_current_span()
        span: Any = parent.start_child(**named) if parent else sentry_sdk.start_transaction(source="task", **named)
        if not span.sampled:
            return cls(None)
        span.set_data("messaging.system", batch.source)
        span.set_data("messaging.batch.message_count", len(batch.records))
        return cls(span)

    def of_record(self, batch: Batch, position: int) -> Any:
        """Begin the span of a record; None where there are none."""
        if self._span is None:
            return None
        record = batch.records[position]
        description = batch.describe_record(record)
        destination = next((description[name] for name in _DESTINATIONS if name in description), batch.source)
        span = self._span.start_child(op="queue.process", name=str(destination), origin=ORIGIN)
        data = {f"batchcore.{name}": value for name, value in description.items()}
        data["messaging.destination.name"] = str(destination)
        data["messaging.message.id"] = batch.identifiers[position]
        attempt = batch.delivery_attempt(record)
        if attempt is not None:
            data["messaging.message.retry.count"] = attempt - 1
        for name, value in data.items():
            span.set_data(name, value)
        return span

    def make_current(self) -> None:
        """Make it the span of the current scope, which is the caller's own to throw away."""
        if self._span is not None:
            sentry_sdk.get_current_scope().span = self._span

    def finish(self, result: BatchResult) -> None:
        """End it. It is an error where no record is done, as the invocation is; a failed record's own span is one."""
        if self._span is None:
            return
        counts = result.counts()
        for status, count in counts.items():
            self._span.set_data(f"batchcore.{status}", count)
        self._span.set_status("internal_error" if is_wholly_failed(counts) else "ok")
        self._span.finish()


def is_wholly_failed(counts: dict[str, int]) -> bool:
    """Whether records failed, and none is done."""
    return "failed" in counts and counts.keys() <= {"failed", "not_attempted"}


def _name_of(batch: Batch) -> str:
    name = getattr(batch.context, "function_name", None)
    return name if isinstance(name, str) else f"batch of {batch.source}"


def _is_streaming(options: Any) -> bool:
    """Whether the SDK sends each span by itself, in which mode it has no transactions."""
    experiments = options.get("_experiments") or {}
    return "stream" in (options.get("trace_lifecycle"), experiments.get("trace_lifecycle"))
