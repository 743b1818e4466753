"""Records that wait, of several message groups: lanes side by side against one record after the other."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    EventType,
    async_process_partial_response,
    by_key,
    process_partial_response,
)
from benchmarks.events import Event, sqs_fifo_event
from benchmarks.figures import Budget, Figure
from benchmarks.sides import CONTEXT
from benchmarks.timing import best_times

if TYPE_CHECKING:
    from collections.abc import Callable

FASTER = Budget(must=9, aim=9.6, at_least=True)
RECORDS, GROUPS, WAIT_S = 100, 10, 0.020


def _group(record: dict[str, Any]) -> str:
    group: str = record["attributes"]["MessageGroupId"]
    return group


def _event() -> Event:
    event = sqs_fifo_event(RECORDS)
    for position, record in enumerate(event["Records"]):
        record["attributes"]["MessageGroupId"] = f"group-{position % GROUPS}"
    return event


def _one_by_one(event: Event) -> Callable[[], object]:
    processor = BatchProcessor(event_type=EventType.SQS)

    def waits(record: object) -> None:
        time.sleep(WAIT_S)

    return lambda: process_partial_response(event, waits, processor, CONTEXT)


def _side_by_side(event: Event) -> Callable[[], object]:
    processor = AsyncBatchProcessor(event_type=EventType.SQS, ordering=by_key(_group), max_concurrency=GROUPS)
    last: dict[str, int] = {}

    async def waits(record: Any) -> None:
        position = int(record["attributes"]["SequenceNumber"])
        await asyncio.sleep(WAIT_S)
        if last.get(_group(record), -1) > position:
            raise AssertionError("a message overtook an earlier one of its group")
        last[_group(record)] = position

    def process() -> object:
        last.clear()
        answer = async_process_partial_response(event, waits, processor, CONTEXT)
        if answer != {"batchItemFailures": []}:
            raise AssertionError(f"records failed: {answer}")
        return answer

    return process


def measure(rounds: int) -> Figure:
    """Compare both ways on the same event.

    Args:
        rounds: turns that each way gets. One round takes a little over two seconds.
    """
    event = _event()
    times = best_times({"one by one": _one_by_one(event), "lanes": _side_by_side(event)}, 0, rounds)
    return Figure(
        f"{RECORDS} records of {GROUPS} groups, {WAIT_S * 1000:.0f} ms of I/O each, in order inside a group: faster",
        times["one by one"] / times["lanes"],
        FASTER,
        detail=f"{times['one by one']:.3f} s one by one, {times['lanes']:.3f} s in lanes",
    )
