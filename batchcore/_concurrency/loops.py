"""Event loops: which one a batch runs on, and calls to the outside that are awaited on it. This imports asyncio."""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading
from contextvars import copy_context

from batchcore._extensions.calls import RECORDS, abandoned, spawn
from batchcore.callables import close_unawaited, is_awaitable, is_coroutine_function, type_name
from batchcore.errors import ConfigurationError, UnawaitedResultError, raise_if_steering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeAlias

    from batchcore._extensions.calls import Answer, Calls, T, TimedCall
    from batchcore.plan import Run

    DriveAsync: TypeAlias = Callable[[Run, "Interruption | None"], Coroutine[Any, Any, None]]


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

    def run(self, work: Coroutine[Any, Any, None], interruption: Interruption) -> None:
        loop = _loop_of_this_thread()
        own = loop is None
        if loop is None:
            with self._lock:
                loop = self._idle.pop() if self._idle else asyncio.new_event_loop()
        task = loop.create_task(work)
        try:
            _run_until_done(loop, task)
        except BaseException:
            if not task.done():  # a KeyboardInterrupt: the next batch must not meet what this one leaves behind
                interruption.has_come = True
                task.cancel()
                loop.run_until_complete(asyncio.wait([task], timeout=1))
            if task.done() and not task.cancelled():
                task.exception()  # seen: no warning of an exception that was never retrieved
            raise
        finally:
            if own:
                with self._lock:
                    self._idle.append(loop)

    def _close(self) -> None:
        while self._idle:
            self._idle.pop().close()


def _loop_of_this_thread() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that is set for this thread, if one is that can run a batch.

    A client that was made when the module was imported is bound to it. None is made here, where none is set.
    """
    try:
        if sys.version_info >= (3, 14):
            loop = asyncio.get_event_loop()  # which makes none any more
        else:
            policy: Any = asyncio.get_event_loop_policy()  # pyright: ignore[reportDeprecated]  # not before 3.14
            loop = policy._local._loop  # get_event_loop() would make one, or warn that it will not in future
    except (AttributeError, RuntimeError):
        return None
    return None if loop is None or loop.is_closed() or loop.is_running() else loop


def _run_until_done(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    """Run the task of a batch to its end, though a handler exits in a task of its own, or stops the loop."""
    while True:
        try:
            loop.run_until_complete(task)
        except (SystemExit, RuntimeError):
            if task.done() or loop.is_closed() or loop.is_running():
                raise
        else:
            return


_loops = _Loops()


class Interruption:
    """Whether something that steers whoever runs the function ends a batch, such as an interrupt."""

    has_come = False


def wait_for_records(run: Run, drive: DriveAsync) -> None:
    """Run the records of a batch on the event loop that is set for this thread, else on one of the process.

    Args:
        run: the batch.
        drive: runs the records in tasks; the first of them in its own task, where it gets an interruption.

    Raises:
        ConfigurationError: an event loop is running in this thread already.
    """
    if asyncio._get_running_loop() is not None:
        raise ConfigurationError(
            "An event loop is running in this thread, so this cannot wait for the batch. Await it instead: "
            "`result = await processor.arun(event, record_handler, context)`, whose `result.response` is the response, "
            "or `await processor.aprocess()` under the context manager."
        )
    interruption = Interruption()
    _loops.run(await_records(run, drive, interruption), interruption)


async def await_records(run: Run, drive: DriveAsync, interruption: Interruption | None = None) -> None:
    """Run the records of a batch in tasks, and the batch hooks around them."""
    if run.plan.calls is None:
        await drive(run, interruption)
    else:
        await complete(run, run.plan.calls(run), lambda run: drive(run, interruption))


# -- Calls to the outside.


async def complete(run: Run, calls: Calls[T], drive: Callable[[Run], Coroutine[Any, Any, None]] | None = None) -> T:
    """Make calls without holding up the loop: the twin of :func:`batchcore._extensions.calls.complete`."""
    try:
        call = next(calls)
        while True:
            try:
                if call is RECORDS and drive is not None:
                    await drive(run)
                    answer: Answer = None, None
                else:
                    answer = await _answer_of(run, call)
            except BaseException as error:
                call = calls.throw(error)
            else:
                call = calls.send(answer)
    except StopIteration as ended:
        result: T = ended.value
        return result


async def _answer_of(run: Run, call: TimedCall) -> Answer:
    seconds = call.seconds(run)
    if seconds is not None and seconds <= 0:
        return None, abandoned(call.name, seconds)
    waiting: asyncio.Future[Any]
    try:
        if call.limit is not None and not is_coroutine_function(call.function):
            waiting = asyncio.wrap_future(spawn(copy_context().run, _called, call))
        else:
            value = call.function(*call.arguments)
            if not is_awaitable(value):
                return value, None
            waiting = asyncio.ensure_future(_awaited(value))
    except BaseException as error:
        raise_if_steering(error)
        return None, error
    try:
        await asyncio.wait([waiting], timeout=seconds)
    except BaseException:
        waiting.cancel()
        raise
    return _ended(waiting, call.name, seconds)


def _called(call: TimedCall) -> Answer:
    """Call it, in a thread. What it raises is no exception of a future: some cannot be (StopIteration)."""
    try:
        return call.function(*call.arguments), None
    except BaseException as error:
        return None, error


async def _awaited(value: Any) -> Answer:
    """Await it, in a task. What it raises is no exception of a task: some end the loop (SystemExit)."""
    try:
        return await value, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error


def _ended(waiting: asyncio.Future[Any], name: str, seconds: float | None) -> Answer:
    if not waiting.done():
        waiting.cancel()
        return None, abandoned(name, seconds or 0)
    if waiting.cancelled():
        return None, asyncio.CancelledError()
    value, error = waiting.result()
    if error is not None:
        raise_if_steering(error)
        return None, error
    if is_awaitable(value):
        close_unawaited(value)
        return None, UnawaitedResultError(f"It gave a {type_name(value)} from a plain function, which nobody awaits.")
    return value, None
