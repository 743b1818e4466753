"""Calls to the outside that are not a record's. What is called when, and who makes the call, are apart.

What calls is a generator. It yields a :class:`TimedCall`, and is sent a pair: what the call gave, and what it raised
instead. Among the calls of a whole batch it yields :data:`RECORDS`, where the records are to be run. :func:`complete`
makes the calls from this thread; its twin in :mod:`batchcore._concurrency.loops` awaits them. So each is written once.
"""

from __future__ import annotations

from contextvars import copy_context

from batchcore.callables import close_unawaited, is_awaitable, type_name
from batchcore.dispositions import OutsideCallError
from batchcore.errors import UnawaitedResultError, raise_if_steering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future
    from typing import Any, TypeAlias, TypeVar

    from batchcore.deadline import Clock
    from batchcore.plan import Run

    T = TypeVar("T")
    Answer: TypeAlias = tuple[Any, BaseException | None]
    Calls: TypeAlias = "Generator[TimedCall, Answer, T]"


class TimedCall:
    """A call to make.

    Args:
        function: what to call.
        arguments: its arguments.
        limit: returns the seconds that it may take; None where it has no time limit at all.
        name: what is called, for a message.
    """

    __slots__ = ("arguments", "function", "limit", "name")

    def __init__(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        limit: Callable[[Clock], float] | None = lambda clock: clock.for_calls(),
        name: str = "It",
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.limit = limit
        self.name = name

    def seconds(self, run: Run) -> float | None:
        """Return how long it may take; None where nobody knows how much time is left."""
        clock = None if self.limit is None else run.clock
        return None if clock is None or self.limit is None else self.limit(clock)


RECORDS = TimedCall(lambda: None, name="The records")
"""Stands for the records, among the calls of a whole batch."""


def complete(run: Run, calls: Calls[T], drive: Callable[[Run], None] | None = None) -> T:
    """Make calls from this thread, each within its time; ``drive`` runs the records, where they are among them."""
    try:
        call = next(calls)
        while True:
            try:
                answer = (None, drive(run)) if call is RECORDS and drive is not None else _answer_of(run, call)
            except BaseException as error:
                call = calls.throw(error)
            else:
                call = calls.send(answer)
    except StopIteration as ended:
        result: T = ended.value
        return result


def _answer_of(run: Run, call: TimedCall) -> Answer:
    try:
        seconds = call.seconds(run)
        value = call.function(*call.arguments) if seconds is None else _within(seconds, call)
        if is_awaitable(value):
            close_unawaited(value)
            return None, UnawaitedResultError(
                f"It gave a {type_name(value)}, which nobody awaits in a synchronous call."
            )
    except BaseException as error:
        raise_if_steering(error)
        return None, error
    return value, None


def _within(seconds: float, call: TimedCall) -> Any:
    """Make a call in a thread with a copy of this one's context variables. It cannot be stopped, only abandoned."""
    if seconds > 0:
        from concurrent.futures import wait

        future = spawn(copy_context().run, call.function, *call.arguments)
        if wait([future], timeout=seconds).done:
            return future.result()
    raise abandoned(call.name, seconds)


def spawn(function: Callable[..., T], *arguments: Any) -> Future[T]:
    """Call a function in a new thread of our own: a daemon, which Python does not wait for when it exits.

    ``ThreadPoolExecutor`` will not do: at exit, Python waits for its threads, and a stuck one would hold it up.

    Returns:
        What it will give, or raise. Its attribute ``thread`` is the thread.
    """
    import threading
    from concurrent.futures import Future

    spawned: Future[T] = Future()
    future: Any = spawned  # with an attribute that its class has not
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
    return spawned


def abandoned(name: str, seconds: float) -> OutsideCallError:
    """Return the error of a call that has not ended in time."""
    if seconds <= 0:
        return OutsideCallError(f"No time was left for {name[:1].lower()}{name[1:]}, so it was not called.")
    return OutsideCallError(f"{name} had not answered after {seconds:.3g} s, which is what was left for it.")
