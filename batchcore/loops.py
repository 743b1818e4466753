"""The event loops that batches run on: that of the thread, or one of our own. Importing this imports asyncio."""

from __future__ import annotations

import asyncio
import atexit
import os
import sys
import threading

from batchcore.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from batchcore.invocation import Invocation


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
                interrupted()
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


def run(invocation: Invocation, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Do the work of a batch on the event loop that is set for this thread, else on one that lives as the process does.

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
