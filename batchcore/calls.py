"""Calls to the outside that are not a record's: what one step needs of the next, and who makes the call, are apart.

A step is a generator. It yields a :class:`Call`, and is sent a pair: what the call gave, and what it raised instead.
:func:`make` runs a step in this thread; its twin in :mod:`batchcore.aio` under asyncio. So steps are written once.
"""

from __future__ import annotations

from batchcore.errors import UnawaitedResultError, kind_of, raise_if_steering
from batchcore.handler import discard, is_awaitable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any, TypeAlias, TypeVar

    from batchcore.invocation import Invocation

    T = TypeVar("T")
    Answer: TypeAlias = tuple[Any, BaseException | None]
    Calls: TypeAlias = "Generator[Call, Answer, T]"


class Call:
    """A call to make.

    Args:
        function: what to call.
        arguments: its arguments.

    Attributes:
        share: which part of the time that is left it may take.
        limited: whether it has a time limit at all.
        among_records: whether records wait for it, and need time after it.
        name: what is called, for a message.
    """

    __slots__ = ("among_records", "arguments", "function", "limited", "name", "share")

    def __init__(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        limited: bool = True,
        share: float = 1.0,
        among_records: bool = False,
        name: str = "It",
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.limited = limited
        self.share = share
        self.among_records = among_records
        self.name = name

    def seconds(self, invocation: Invocation) -> float | None:
        """Give how long it may take; None where nobody knows how much time is left."""
        clock = invocation.clock if self.limited else None
        if clock is None:
            return None
        return (clock.for_calls_among_records() if self.among_records else clock.for_calls()) * self.share


def make(invocation: Invocation, step: Calls[T]) -> T:
    """Run a step, and make its calls from this thread, each within its time."""
    try:
        call = next(step)
        while True:
            call = step.send(_answer_of(invocation, call))
    except StopIteration as ended:
        result: T = ended.value
        return result


def _answer_of(invocation: Invocation, call: Call) -> Answer:
    try:
        seconds = call.seconds(invocation)
        if seconds is None:
            value = call.function(*call.arguments)
        else:
            from batchcore.workers import call_within

            value = call_within(seconds, call.name, call.function, *call.arguments)
        if is_awaitable(value):
            discard(value)
            return None, UnawaitedResultError(f"It gave a {kind_of(value)}, which nobody awaits in a synchronous call.")
    except BaseException as error:
        raise_if_steering(error)
        return None, error
    return value, None
