"""The asyncio twin of the driver in :mod:`batchcore.road`, and the event loops it runs on.

Importing this imports asyncio, so nothing does before an async batch runs.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading

from batchcore.errors import ConfigurationError
from batchcore.outcome import NOT_PROCESSED
from batchcore.road import lane_places, lanes, skip_the_rest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import Any, TypeVar

    from batchcore.invocation import Invocation
    from batchcore.road import Place

    T = TypeVar("T")


async def run_lanes(invocation: Invocation, max_concurrency: int) -> None:
    """Run the lanes side by side, each in order and as a task of its own.

    Args:
        invocation: the batch.
        max_concurrency: how many lanes run at a time, at most.
    """
    if invocation.values:
        await _Lanes(invocation).run(max_concurrency)
    if invocation.stopped:
        skip_the_rest(invocation)


class _Lanes:
    """Runs lanes in a number of slots. A lane that ends starts the next one in its slot."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._waiting = iter(_places(invocation))
        self._slots: list[asyncio.Task[None] | None] = []
        self._busy = 0
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._cancelling = False
        observing = invocation.observing
        watched = observing is not None and observing.watches_records
        self._scoped = observing.scoped_async(invocation.call, invocation.records) if observing and watched else None

    async def run(self, limit: int) -> None:
        for slot in range(limit):
            self._slots.append(None)
            if not self._start(slot):
                break
        try:
            if self._busy:
                await self._ended
        except BaseException:
            self._cancelling = True
            running = [task for task in self._slots if task is not None and not task.done()]
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)
            raise

    def _start(self, slot: int) -> bool:
        """Start the next lane in a slot, if there is one and it may start."""
        if self._cancelling or self._invocation.stopped:
            return False
        for some in self._waiting:
            self._busy += 1
            # The slot holds the task: the event loop itself keeps only a weak reference.
            self._slots[slot] = self._loop.create_task(self._run_lane(some, slot))
            return True
        return False

    async def _run_lane(self, some: Iterable[Place], slot: int) -> None:
        # One coroutine per lane, with the loop of road.run_places in it: each further one would cost every record.
        invocation, scoped = self._invocation, self._scoped
        call, prepare, decode = invocation.call, invocation.prepare, invocation.decode
        on_success = invocation.on_success
        try:
            for position, record in some:
                if invocation.stopped:
                    break
                data: Any = NOT_PROCESSED
                try:
                    data = decode(record if prepare is None else await _awaited(prepare(record)))
                    value = call(data) if scoped is None else scoped(position, data)
                    if value is not None and hasattr(type(value), "__await__"):
                        value = await value
                    if on_success is not None:
                        on_success(record, value)
                except GeneratorExit:
                    raise  # the loop is going away; what has not finished is no success
                except BaseException as error:  # noqa: BLE001 - whatever it is, it costs this record alone
                    if self._cancelling and isinstance(error, asyncio.CancelledError):
                        raise
                    invocation.failed(position, data, error)
                else:
                    invocation.values[position] = value
                    invocation.succeeded += 1
                    if invocation.observing is not None:
                        invocation.tell_finished(position)
        except BaseException as error:
            if not self._ended.done():
                self._ended.set_exception(error)  # a fault of ours, or a cancellation from outside: no answer at all
            raise
        finally:
            self._busy -= 1
        if not self._start(slot) and not self._busy and not self._ended.done():
            self._ended.set_result(None)


def _places(invocation: Invocation) -> Iterable[Iterable[Place]]:
    """Give the lanes, each as what of it may run."""
    if not invocation.ordering.lanes:
        return (((position, record),) for position, record in enumerate(invocation.records))
    return (lane_places(invocation, lane) for lane in lanes(invocation))


async def _awaited(value: Any) -> Any:
    return await value if hasattr(type(value), "__await__") else value


class _Loops:
    """Event loops that live as long as the process, so that connection pools survive warm invocations.

    Called in turn, every batch runs on the same loop. Batches of several threads at once get a loop each.
    """

    def __init__(self) -> None:
        self._forget()
        atexit.register(self._close)
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """A forked child must not touch its parent's loops: they share their selectors."""
        self._idle: list[asyncio.AbstractEventLoop] = []
        self._lock = threading.Lock()

    def run(self, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
        with self._lock:
            loop = self._idle.pop() if self._idle else asyncio.new_event_loop()
        task = loop.create_task(function())
        try:
            return loop.run_until_complete(task)
        except BaseException:
            _cancel_all(loop)
            raise
        finally:
            with self._lock:
                self._idle.append(loop)

    def _close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """End what an interrupted batch left behind, so that the next batch does not meet it."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.wait(left, timeout=1))


_loops = _Loops()


def run(function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function on an event loop that lives as long as the process.

    Raises:
        ConfigurationError: an event loop is running in this thread already.
    """
    if asyncio._get_running_loop() is not None:
        raise ConfigurationError(
            "An event loop is running in this thread, so this cannot wait for the batch. Await it instead: "
            "`result = await processor.arun(event, record_handler, context)`, whose `result.response` is the answer, or "
            "`await processor.aprocess()` under the context manager."
        )
    return _loops.run(function)
