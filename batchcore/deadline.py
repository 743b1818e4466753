"""What is left of an invocation's time, as the Lambda context tells it.

Before each record it is looked at in ``_run_records`` of :mod:`batchcore.engine`, and by each ``Lane`` side by side.
Threads are waited for in ``_have_ended`` of ``lanes.py``, and tasks have a timer, ``_watch_time`` in ``tasks.py``.
"""

from __future__ import annotations

from batchcore.callables import type_name
from batchcore.errors import ConfigurationError, raise_if_steering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeGuard

LONGEST_S = 5400.0
"""Of any invocation, by the model of Lambda's API. A clock of a test may know no end."""
_RESERVE_S = 1.0
"""Kept for the response itself where the processor was not told when to stop."""


class Clock:
    """The time of one invocation.

    Args:
        remaining: returns the milliseconds left before Lambda ends the invocation.
        margin: seconds left at which no further record starts, or None where records start as long as there are any.
    """

    __slots__ = ("_margin_ms", "_remaining", "margin")

    def __init__(self, remaining: Callable[[], Any], margin: float | None) -> None:
        self._remaining = remaining
        self.margin = margin
        self._margin_ms = 0 if margin is None else margin * 1000

    def left(self) -> float:
        """Return the seconds left: 0 when the context cannot say any more."""
        try:
            milliseconds = self._remaining()
        except BaseException as error:
            raise_if_steering(error)
            return 0.0
        return min(max(0.0, milliseconds / 1000), LONGEST_S) if is_number(milliseconds) else 0.0

    def is_up(self) -> bool:
        """Whether no further record may start."""
        try:
            return not self._remaining() >= self._margin_ms  # asked before each record, so in one go; no number is none
        except BaseException as error:
            raise_if_steering(error)
            return True

    def until_stop(self) -> float | None:
        """Return the seconds until no further record may start; None where nobody said when."""
        return None if self.margin is None else max(0.0, self.left() - self.margin)

    def until_response(self) -> float | None:
        """Return the seconds until what still runs is given up; None where nobody said when records stop.

        A quarter of the margin is for handlers to end by themselves, or to take their cancellation.
        """
        return None if self.margin is None else max(0.0, self.left() - 0.75 * self.margin)

    def for_calls(self) -> float:
        """Return the seconds that calls to the outside may take, after the records: the rest is for the response."""
        left = self.left()
        return max(0.0, left - (min(_RESERVE_S, left / 4) if self.margin is None else self.margin / 4))

    def for_calls_among_records(self) -> float:
        """Return the seconds that a call may take for which records wait: half of what they and it have."""
        seconds = self.for_calls()
        if self.margin is not None:
            seconds = min(seconds, max(self.left() - self.margin, self.margin / 4))
        return seconds / 2


def clock_of(context: Any, margin: float | None) -> Clock | None:
    """Return the clock of a Lambda context, or None where that tells no time, as an object made for a test."""
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is None:
        return None
    try:
        usable = is_number(remaining())
    except Exception:
        usable = False
    return Clock(remaining, margin) if usable else None


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether this is a number, and not True or False. What is no number is not comparable to one."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - no NaN


def no_clock(context: Any) -> ConfigurationError:
    """Return the error of a limit of time without a context that tells the time."""
    given = "no context was given" if context is None else f"the one given, a {type_name(context)}, tells none"
    if hasattr(getattr(context, "lambda_context", None), "get_remaining_time_in_millis"):
        given += ", and its lambda_context does, as in a durable function: pass context.lambda_context"
    return ConfigurationError(
        "stop_before_timeout needs the Lambda context, whose get_remaining_time_in_millis() says how much time is "
        f"left; {given}. Pass the context on: process_partial_response(event, record_handler, processor, context), or "
        "`with processor(records=..., handler=..., lambda_context=context)`."
    )
