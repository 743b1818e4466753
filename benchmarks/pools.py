"""A thread pool and a bounded gather by hand, with nothing but what a partial response needs.

Both catch what a record raises, and answer in the order of the batch, as a whole batch side by side has to.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from benchmarks.events import Event
    from benchmarks.sides import Process


def in_threads(handler: Callable[..., Any], limit: int) -> Process:
    """Make a function that maps the records over a pool, which lives as long as the batch.

    Args:
        handler: called with each raw record.
        limit: how many threads.
    """

    def process_one(record: dict[str, Any]) -> Any:
        try:
            handler(record)
        except Exception:
            return record["messageId"]
        return None

    def process(event: Event) -> Any:
        with ThreadPoolExecutor(max_workers=limit) as workers:
            return _response(workers.map(process_one, event["Records"]))

    return process


def in_tasks(handler: Callable[..., Any], limit: int) -> Process:
    """Make a function that gathers a task per record, on one event loop that it keeps.

    Args:
        handler: awaited with each raw record.
        limit: how many handlers run at a time.
    """
    loop = asyncio.new_event_loop()

    async def process_one(record: dict[str, Any], bound: asyncio.Semaphore) -> Any:
        async with bound:
            try:
                await handler(record)
            except Exception:
                return record["messageId"]
        return None

    async def process_all(event: Event) -> Any:
        bound = asyncio.Semaphore(limit)
        return _response(await asyncio.gather(*(process_one(record, bound) for record in event["Records"])))

    return lambda event: loop.run_until_complete(process_all(event))


def _response(failed: Iterable[Any]) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": name} for name in failed if name is not None]}
