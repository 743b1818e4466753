"""What looking at the clock before each record costs: ``stop_before_timeout`` over the same batch without it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from awslambdaric.lambda_context import LambdaContext

from batchcore import BatchProcessor, EventType, process_partial_response
from benchmarks.events import sqs_event
from benchmarks.figures import Budget, Figure
from benchmarks.handlers import nothing
from benchmarks.timing import best_times

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.events import Event

RECORDS = 1_000
STOP_S = 1
PLENTY_S, TOO_LITTLE_S = 900, 0.1


def measure(seconds: float) -> Figure:
    """Compare one batch run one by one, with time to spare, with the option and without.

    Args:
        seconds: how long it may take, both sides together, and asking the context alone.
    """
    event = sqs_event(RECORDS)
    _check(event)
    context = _context(PLENTY_S + seconds)
    calls = {
        "without": _call(event, context),
        "with": _call(event, context, stop_before_timeout=STOP_S),
        "asking": lambda: _ask(context),
    }
    times = {name: best * 1e9 / RECORDS for name, best in best_times(calls, seconds).items()}
    return Figure(
        f"{RECORDS:,} records, handler does nothing: stop_before_timeout over none",
        times["with"] / times["without"],
        Budget(),
        detail=f"{times['with']:.0f} ns per record against {times['without']:.0f} ns; "
        f"asking the runtime's context alone {times['asking']:.0f} ns",
    )


def _context(remaining_s: float) -> Any:
    """Make the runtime's own context: asking it how much time remains costs what it does in a function."""
    deadline_ms = round((time.time() + remaining_s) * 1000)
    return LambdaContext("5d0e1d4c-8b0c-4a7e-9d61-0a5c2b3d4e5f", None, None, deadline_ms)


def _call(event: Event, context: Any, **options: Any) -> Callable[[], Any]:
    processor = BatchProcessor(event_type=EventType.SQS, **options)
    return lambda: process_partial_response(event, nothing, processor, context)


def _ask(context: Any) -> None:
    for _ in range(RECORDS):
        context.get_remaining_time_in_millis()


def _check(event: Event) -> None:
    """Make sure that both sides do their job: all records run while there is time, and none where there is not."""
    for remaining_s, left in ((PLENTY_S, 0), (TOO_LITTLE_S, RECORDS)):
        response = _call(event, _context(remaining_s), stop_before_timeout=STOP_S)()
        if len(response["batchItemFailures"]) != left:
            raise AssertionError(f"with {remaining_s} s left, {left} records are left over, not as in {response}")
