"""Cost per record of running a batch side by side: worker threads beside a bare pool, asyncio beside a bare gather.

The figures are for information. What the bare sides leave out: a typed view, a log of what failed, an order, and in
threads a context of its own for each record. What ours leaves out: the future of each record in threads, and the task
of a coroutine that waits for nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    async_process_partial_response,
    process_partial_response,
    unordered,
)
from benchmarks import handlers, pools
from benchmarks.events import sqs_event, sqs_event_with_failures
from benchmarks.figures import Budget, Figure
from benchmarks.sides import CONTEXT
from benchmarks.timing import best_times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.sides import Process

RECORDS, CONCURRENCY = 1_000, 10


def _ours_in_threads(handler: Callable[..., Any], limit: int) -> Process:
    processor = BatchProcessor(event_type=EventType.SQS, ordering=unordered, max_concurrency=limit)
    return lambda event: process_partial_response(event, handler, processor, CONTEXT)


def _ours_in_tasks(handler: Callable[..., Any], limit: int) -> Process:
    processor = AsyncBatchProcessor(event_type=EventType.SQS, ordering=unordered, max_concurrency=limit)
    return lambda event: async_process_partial_response(event, handler, processor, CONTEXT)


class Way(NamedTuple):
    """One way of running records side by side.

    Attributes:
        name: as in the table.
        ours: makes a function of an event from a handler and a limit.
        bare: the same by hand.
        fails: a handler that fails on some records.
        measured: the handlers whose records are timed, each by what it does.
    """

    name: str
    ours: Callable[[Callable[..., Any], int], Process]
    bare: Callable[[Callable[..., Any], int], Process]
    fails: Callable[..., Any]
    measured: dict[str, Callable[..., Any]]


NOTHING, WAITS = "handler does nothing", f"handler waits {handlers.WAIT_S * 1000:g} ms"
WAYS = (
    Way(
        "threads over a bare pool",
        _ours_in_threads,
        pools.in_threads,
        handlers.raw_fails_on_poison,
        {NOTHING: handlers.nothing, WAITS: handlers.waits},
    ),
    Way(
        "asyncio over a bare gather",
        _ours_in_tasks,
        pools.in_tasks,
        handlers.raw_fails_on_poison_async,
        {NOTHING: handlers.nothing_async, WAITS: handlers.waits_async},
    ),
)


def measure(seconds: float) -> Iterator[Figure]:
    """Compare each way with the same by hand, once both have answered alike for a batch in which records fail.

    Args:
        seconds: how long each comparison may take, both sides together.
    """
    event = sqs_event(RECORDS)
    for way in WAYS:
        _check(way)
        for what, handler in way.measured.items():
            sides = {"ours": way.ours(handler, CONCURRENCY), "bare": way.bare(handler, CONCURRENCY)}
            times = best_times({name: partial(side, event) for name, side in sides.items()}, seconds)
            ours, bare = (times[name] * 1e6 / RECORDS for name in ("ours", "bare"))
            yield Figure(
                f"{RECORDS:,} records, {CONCURRENCY} at a time, {what}: {way.name}",
                ours / bare,
                Budget(),
                detail=f"{ours:.2f} us per record against {bare:.2f} us",
            )


def _check(way: Way) -> None:
    event = sqs_event_with_failures(RECORDS)
    ours, bare = (prepare(way.fails, CONCURRENCY)(event) for prepare in (way.ours, way.bare))
    if ours != bare or len(bare["batchItemFailures"]) != RECORDS // 10:
        raise AssertionError(f"{way.name}: the sides give different responses, so they are not compared.")
