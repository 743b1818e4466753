"""Threads of our own: the interpreter does not wait for them when it exits, so a stuck one holds nothing up."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from contextvars import copy_context
from typing import Generic, TypeVar

from batchcore.raised import OutsideCallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


T = TypeVar("T")


class Worker(Future[T], Generic[T]):
    """What a thread of our own will give, or raise.

    Attributes:
        thread: the thread.
    """

    thread: threading.Thread


def spawn(function: Callable[..., T], *arguments: Any) -> Worker[T]:
    """Call a function in a new thread.

    ``ThreadPoolExecutor`` will not do: at exit, Python waits for its threads.

    Args:
        function: what to call.
        arguments: its arguments.

    Returns:
        What it will give, or raise.
    """
    future: Worker[T] = Worker()
    future.set_running_or_notify_cancel()

    def work() -> None:
        try:
            value = function(*arguments)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(value)

    future.thread = threading.Thread(target=work, name="batchcore", daemon=True)
    future.thread.start()
    return future


def call_within(seconds: float | None, name: str, function: Callable[..., T], *arguments: Any) -> T:
    """Call a function and wait for it no longer than a number of seconds. It cannot be stopped, only left behind.

    Args:
        seconds: how long; None to call it in this thread, and wait for as long as it takes.
        name: what is called, for a message.
        function: what to call, with a copy of this thread's context variables.
        arguments: its arguments.

    Raises:
        OutsideCallError: the time is up.
    """
    if seconds is None:
        return function(*arguments)
    if seconds <= 0:
        raise left_behind(name, seconds)
    future = spawn(copy_context().run, function, *arguments)
    if not wait([future], timeout=seconds).done:
        raise left_behind(name, seconds)
    value: T = future.result()
    return value


def left_behind(name: str, seconds: float) -> OutsideCallError:
    """Make the error of a call that has not ended in time."""
    if seconds <= 0:
        return OutsideCallError(f"No time was left for {name[:1].lower()}{name[1:]}, so it was not called.")
    return OutsideCallError(f"{name} had not answered after {seconds:.3g} s, which is what was left for it.")
