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

    from batchcore.road import Invocation

    T = TypeVar("T")


async def run_lanes(invocation: Invocation, max_concurrency: int) -> None:
    """Run the lanes side by side, each in order and as a task of its own.

    Args:
        invocation: the batch.
        max_concurrency: how many lanes run at a time, at most.
    """
    driver = _Lanes(invocation, max_concurrency)
    await driver.run()
    if invocation.stopped:
        skip_the_rest(invocation)


class _Lanes:
    """Starts lanes up to a limit, and the next one whenever one ends."""

    def __init__(self, invocation: Invocation, limit: int) -> None:
        self._invocation = invocation
        self._limit = limit
        self._waiting = iter(lanes(invocation))
        self._running: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._cancelling = False
        observing = invocation.observing
        watched = observing is not None and observing.watches_records
        self._scoped = observing.scoped_async(invocation.call, invocation.outcomes) if observing and watched else None

    async def run(self) -> None:
        self._start()
        try:
            await self._ended
        except BaseException:
            self._cancelling = True
            for task in self._running:
                task.cancel()
            if self._running:
                await asyncio.wait(self._running)
            raise

    def _start(self) -> None:
        while len(self._running) < self._limit and not self._cancelling and not self._invocation.stopped:
            lane = next(self._waiting, None)
            if lane is None:
                break
            task = self._loop.create_task(self._run_lane(lane))
            self._running.add(task)
            task.add_done_callback(self._lane_ended)
        if not self._running and not self._ended.done():
            self._ended.set_result(None)

    def _lane_ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._ended.done():
            self._ended.set_exception(error)  # a fault of ours, or a KeyboardInterrupt: no answer at all
            return
        self._start()

    async def _run_lane(self, lane: Iterable[int]) -> None:
        invocation, scoped = self._invocation, self._scoped
        call, prepare, decode = invocation.call, invocation.prepare, invocation.decode
        values, on_success = invocation.values, invocation.on_success
        for position, record in lane_places(invocation, lane):
            if invocation.stopped:
                return
            data = NOT_PROCESSED
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
                values[position] = value
                if invocation.observing is not None:
                    invocation.finished(position)


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
    if asyncio._get_running_loop() is not None:  # noqa: SLF001 - documented for this; get_running_loop() raises instead
        raise ConfigurationError(
            "An event loop is running in this thread, so this cannot wait for the batch. Await it instead: "
            "`result = await processor.arun(event, record_handler, context)`, whose `result.response` is the answer, or "
            "`await processor.aprocess()` under the context manager."
        )
    return _loops.run(function)
