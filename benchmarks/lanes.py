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
    from collections.abc import Callable, Iterator

FASTER = Budget(must=9, aim=9.6, at_least=True)
RECORDS, GROUPS, WAIT_S = 100, 10, 0.020


def _group(record: dict[str, Any]) -> str:
    group: str = record["attributes"]["MessageGroupId"]
    return group


def _event() -> Event:
    """Make an event whose groups come in turn, two messages each time: without an order the two would run at once."""
    event = sqs_fifo_event(RECORDS)
    for position, record in enumerate(event["Records"]):
        record["attributes"]["MessageGroupId"] = f"group-{position // 2 % GROUPS}"
    return event


class _Diary:
    """What happened in each message group: the number of a message as it starts, and again as it ends.

    A group that ran in order, one message at a time and all of them, noted each number twice in a row.
    """

    def __init__(self, event: Event) -> None:
        self._right: dict[str, list[str]] = {_group(record): [] for record in event["Records"]}
        for record in event["Records"]:
            self._right[_group(record)] += [record["attributes"]["SequenceNumber"]] * 2
        self.start()

    def start(self) -> None:
        self._noted: dict[str, list[str]] = {group: [] for group in self._right}

    def note(self, record: Any) -> None:
        self._noted[_group(record)].append(record["attributes"]["SequenceNumber"])

    def check(self, response: object) -> None:
        if response != {"batchItemFailures": []}:
            raise AssertionError(f"records failed: {response}")
        if self._noted != self._right:
            raise AssertionError("the messages of a group did not run in order, one at a time")


def _one_by_one(event: Event) -> Callable[[], object]:
    processor = BatchProcessor(event_type=EventType.SQS)

    def waits(record: object) -> None:
        time.sleep(WAIT_S)

    return lambda: process_partial_response(event, waits, processor, CONTEXT)


def _in_tasks(event: Event) -> Callable[[], object]:
    processor = AsyncBatchProcessor(event_type=EventType.SQS, ordering=by_key(_group), max_concurrency=GROUPS)
    diary = _Diary(event)

    async def waits(record: Any) -> None:
        diary.note(record)
        await asyncio.sleep(WAIT_S)
        diary.note(record)

    return _checked(diary, lambda: async_process_partial_response(event, waits, processor, CONTEXT))


def _in_threads(event: Event) -> Callable[[], object]:
    processor = BatchProcessor(event_type=EventType.SQS, ordering=by_key(_group), max_concurrency=GROUPS)
    diary = _Diary(event)

    def waits(record: Any) -> None:
        diary.note(record)
        time.sleep(WAIT_S)
        diary.note(record)

    return _checked(diary, lambda: process_partial_response(event, waits, processor, CONTEXT))


def _checked(diary: _Diary, process: Callable[[], object]) -> Callable[[], object]:
    def process_and_check() -> None:
        diary.start()
        diary.check(process())

    return process_and_check


def measure(rounds: int) -> Iterator[Figure]:
    """Compare lanes in tasks and lanes in threads with one record after the other, on the same event.

    Args:
        rounds: turns that each way gets. One round takes about two and a half seconds.
    """
    event = _event()
    lanes = {"asyncio": _in_tasks(event), "worker threads": _in_threads(event)}
    times = best_times({"one by one": _one_by_one(event), **lanes}, 0, rounds)
    for way in lanes:
        yield Figure(
            f"{RECORDS} records of {GROUPS} groups, {WAIT_S * 1000:.0f} ms of I/O each, in order inside a group: "
            f"{way}, faster",
            times["one by one"] / times[way],
            FASTER,
            detail=f"{times['one by one']:.3f} s one by one, {times[way]:.3f} s in lanes",
        )
