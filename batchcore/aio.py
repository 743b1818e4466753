"""The asyncio twin of the driver in :mod:`batchcore.road`, and the event loops it runs on.

Importing this imports asyncio, so nothing does before an async batch runs.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from contextvars import copy_context
from types import CoroutineType

from batchcore.errors import ConfigurationError
from batchcore.handler import is_awaitable
from batchcore.outcome import NOT_PROCESSED
from batchcore.road import lane_places, lanes, plain_kind, skip_the_rest
from batchcore.view import quick_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable
    from typing import Any, TypeGuard

    from batchcore.invocation import Invocation
    from batchcore.road import Place


async def run_lanes(invocation: Invocation, max_concurrency: int, in_this_task: bool = False) -> None:
    """Run the lanes side by side, each in order and as a task of its own.

    Args:
        invocation: the batch.
        max_concurrency: how many lanes run at a time, at most.
        in_this_task: whether the first of them may run in the task of the caller, which was made for this batch.
    """
    if invocation.values:
        await _Lanes(invocation, max_concurrency).run(in_this_task)
    if invocation.stopped:
        skip_the_rest(invocation)


class _Lanes:
    """Runs lanes in tasks, a limited number at a time.

    A lane has a context of its own, and a task as good as its own: a task takes a further lane only if nothing can
    tell, when none before it has waited for anything, nor asked to be cancelled. So handlers that find their data in
    memory cost a tenth of a task each. Wherever a handler waits, further tasks start.
    """

    def __init__(self, invocation: Invocation, limit: int) -> None:
        self._invocation = invocation
        self._limit = limit
        self._waiting = iter(_places(invocation))
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._cancelling = False
        self._here = 0  # how many lanes run in the driver's own task
        observing = invocation.observing
        watched = observing is not None and observing.watches_records
        self._scoped = observing.scoped_async(invocation.call, invocation.records) if observing and watched else None

    async def run(self, in_this_task: bool) -> None:
        try:
            if in_this_task:
                await self._run_here()
            self._start_task()
            if self._tasks or self._ended.done():
                await self._ended
        except GeneratorExit:
            raise  # thrown away with its loop: nothing can be waited for
        except BaseException:
            self._cancelling = True
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks)
            raise

    async def _run_here(self) -> None:
        """Run the first lane in the driver's own task. A handler that asked its task to end has not meant the batch."""
        self._here = 1
        await self._run_lanes(next(self._waiting, None))
        self._here = 0
        if _cancelling_of(asyncio.current_task())():
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                if self._is_ending():
                    raise

    def _start_task(self) -> None:
        """Start a task for the lanes that wait, if another may run."""
        if len(self._tasks) + self._here < self._limit and not self._is_ending() and not self._invocation.stopped:
            for lane in self._waiting:
                # In the batch's context, not in that of the lane which has come to wait.
                task = self._context.run(self._loop.create_task, self._run_lanes(lane))
                self._tasks.add(task)
                task.add_done_callback(self._task_ended)
                return

    def _start_tasks(self) -> None:
        """Start two tasks where one has come to wait: as many as may run are running a few turns of the loop later."""
        self._start_task()
        self._start_task()

    def _is_ending(self) -> bool:
        """Say whether a cancellation is the batch's, not one that a handler brought upon itself."""
        return self._cancelling or self._invocation.interrupted

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._is_ending() and not self._ended.done():
            self._ended.set_exception(error)  # a fault of ours: no answer at all
        self._start_task()
        if not self._tasks and not self._here and not self._ended.done():
            self._ended.set_result(None)

    async def _run_lanes(  # noqa: C901, PLR0912, PLR0915 - one loop: each further coroutine would cost every record
        self, lane: Iterable[Place] | None
    ) -> None:
        """Run a lane, and further ones as long as nothing can tell: the loop of road.run_places."""
        invocation, scoped = self._invocation, self._scoped
        call, prepare, decode = invocation.call, invocation.prepare, invocation.decode
        values, on_success, observing = invocation.values, invocation.on_success, invocation.observing
        view = quick_class(decode) if prepare is None and isinstance(decode, type) else None
        known_kind: type = type(None)
        waited, cancelling = False, _cancelling_of(asyncio.current_task())
        while lane is not None:
            run = self._context.copy().run
            for position, record in lane:
                if invocation.stopped or self._is_ending():
                    return
                data: Any = NOT_PROCESSED
                try:
                    if view is not None:
                        data = view()
                        data.raw_event = record
                    elif prepare is None:
                        data = run(decode, record)
                    else:
                        prepared = run(prepare, record)
                        if is_awaitable(prepared):
                            waited = True
                            self._start_tasks()
                            prepared = await _in_context(prepared, run)
                        data = run(decode, prepared)
                    value: Any = run(call, data) if scoped is None else run(scoped, position, data)
                    if _is_coroutine(value):
                        try:
                            waits_for = run(value.send, None)
                        except StopIteration as returned:
                            value = returned.value
                        else:
                            waited = True
                            self._start_tasks()
                            value = await _Resumed(value, run, waits_for)
                    elif type(value) is not known_kind and is_awaitable(value):
                        waited = True
                        self._start_tasks()
                        value = await _in_context(value, run)
                    if type(value) is not known_kind:
                        known_kind = plain_kind(value)
                    if on_success is not None:
                        run(on_success, record, value)
                except BaseException as error:
                    if isinstance(error, GeneratorExit) and not self._loop.is_running():
                        raise  # this coroutine is being thrown away; what has not finished is no success
                    if isinstance(error, asyncio.CancelledError):
                        if self._is_ending():
                            raise
                        waited = True
                        run(invocation.failed, position, data, error)
                        await asyncio.sleep(0)  # if everything is being cancelled, the driver learns of it first
                    else:
                        run(invocation.failed, position, data, error)
                else:
                    values[position] = value
                    invocation.succeeded += 1
                    if observing is not None:
                        run(invocation.tell_finished, position)
            if waited or cancelling():
                return
            lane = next(self._waiting, None)


class _Resumed:
    """Goes on in its context with a coroutine that has been started, and waits for something."""

    __slots__ = ("_coroutine", "_run", "_waits_for")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], run: Callable[..., Any], waits_for: Any) -> None:
        self._coroutine = coroutine
        self._run = run
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine, run, waits_for = self._coroutine, self._run, self._waits_for
        while True:
            try:
                try:
                    sent = yield waits_for
                except GeneratorExit:
                    coroutine.close()
                    raise
                except BaseException as thrown:
                    waits_for = run(coroutine.throw, thrown)
                else:
                    waits_for = run(coroutine.send, sent)
            except StopIteration as returned:
                return returned.value


async def _in_context(value: Any, run: Callable[..., Any]) -> Any:
    """Await something in a context."""

    async def wait() -> Any:
        return await value

    waiting = wait()
    try:
        waits_for = run(waiting.send, None)
    except StopIteration as returned:
        return returned.value
    return await _Resumed(waiting, run, waits_for)


def _cancelling_of(task: Any) -> Callable[[], int]:
    """Give what says whether a task has been asked to end, which its next lane would have to bear."""
    if sys.version_info >= (3, 11):
        counted: Callable[[], int] = task.cancelling
        return counted
    return lambda: int(task._must_cancel)  # Python 3.10 counts none; this one has not been delivered yet


def _places(invocation: Invocation) -> Iterable[Iterable[Place]]:
    """Give the lanes, each as what of it may run."""
    if not invocation.ordering.lanes:
        return (((position, record),) for position, record in enumerate(invocation.records))
    return (lane_places(invocation, lane) for lane in lanes(invocation))


def _is_coroutine(value: object) -> TypeGuard[CoroutineType[Any, Any, Any]]:
    return type(value) is CoroutineType


class _Loops:
    """Event loops that live as long as the process, so that connection pools survive warm invocations.

    Called in turn, every batch runs on the same loop. Batches of several threads at once get a loop each.
    """

    def __init__(self) -> None:
        self._parents: list[list[asyncio.AbstractEventLoop]] = []
        self._idle: list[asyncio.AbstractEventLoop] = []
        self._lock = threading.Lock()
        atexit.register(self._close)
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """A forked child must not touch its parent's loops, nor let them close when they go: they share selectors."""
        self._parents.append(self._idle)
        self._idle = []
        self._lock = threading.Lock()

    def run(self, work: Coroutine[Any, Any, None], interrupted: Callable[[], None]) -> None:
        with self._lock:
            loop = self._idle.pop() if self._idle else asyncio.new_event_loop()
        task = loop.create_task(work)
        try:
            loop.run_until_complete(task)
        except BaseException:
            if not task.done():  # a KeyboardInterrupt: the next batch must not meet what this one leaves behind
                interrupted()
                task.cancel()
                loop.run_until_complete(asyncio.wait([task], timeout=1))
            if task.done() and not task.cancelled():
                task.exception()  # seen: no warning of an exception that was never retrieved
            raise
        finally:
            with self._lock:
                self._idle.append(loop)

    def _close(self) -> None:
        while self._idle:
            self._idle.pop().close()


_loops = _Loops()


def run(invocation: Invocation, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do the work of a batch on an event loop that lives as long as the process.

    Args:
        invocation: the batch.
        work: gives the coroutine.

    Raises:
        ConfigurationError: an event loop is running in this thread already.
    """
    if asyncio._get_running_loop() is not None:
        raise ConfigurationError(
            "An event loop is running in this thread, so this cannot wait for the batch. Await it instead: "
            "`result = await processor.arun(event, record_handler, context)`, whose `result.response` is the answer, "
            "or `await processor.aprocess()` under the context manager."
        )

    def interrupted() -> None:
        invocation.interrupted = True

    _loops.run(work(), interrupted)
