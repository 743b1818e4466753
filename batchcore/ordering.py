"""Orderings: which records form a lane, and what a failure does to its lane.

Records of one key are a *lane*. Lanes may run side by side; inside a lane records run one after the other, in the order
of the batch. After a failure a lane stops (the rest of it is not attempted, and reported as failed) or continues.
"""

from __future__ import annotations

from batchcore.errors import ConfigurationError, NotAttemptedError
from batchcore.handler import is_coroutine_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Any, Literal, TypeAlias, final

    LaneKey: TypeAlias = Callable[[Any], Hashable]
    OnFailure: TypeAlias = Literal["stop", "continue"]
else:

    def final(cls):  # noqa: ANN001, ANN201, D103 - typing.final, without the cost of its import
        return cls


@final
class Ordering:
    """How the records of a batch depend on one another. Made by ``unordered``, ``in_order`` and ``by_key``.

    Attributes:
        key: raw record to the key of its lane; None as the answer means a lane of its own. None instead of a function
            means that all records share one lane, or, where ``lanes`` is False, that each is a lane of its own.
        lanes: whether any two records depend on one another at all.
        stops: whether a failure stops its lane.
        mandatory: whether no caller may choose another: for a source whose answer would be wrong in any other order.
        not_attempted: the exception that a record which is not attempted fails with.
    """

    __slots__ = ("key", "lanes", "mandatory", "not_attempted", "stops")

    def __init__(
        self,
        key: LaneKey | None,
        *,
        lanes: bool,
        stops: bool,
        not_attempted: Callable[[], BaseException],
        mandatory: bool = False,
    ) -> None:
        self.key = key
        self.lanes = lanes
        self.stops = stops
        self.not_attempted = not_attempted
        self.mandatory = mandatory

    def __repr__(self) -> str:
        if not self.lanes:
            return "unordered"
        name = "in_order" if self.key is None else "by_key"
        return f"{name}(on_failure={'stop' if self.stops else 'continue'!r})"


def _makes_exceptions(not_attempted: Callable[[], BaseException]) -> Callable[[], BaseException]:
    if not callable(not_attempted):
        raise ConfigurationError(
            f"not_attempted is an exception class, or a function that makes an exception, not {not_attempted!r}."
        )
    return not_attempted


def _stops(on_failure: OnFailure) -> bool:
    if on_failure not in ("stop", "continue"):
        raise ConfigurationError(f"on_failure is 'stop' or 'continue', not {on_failure!r}.")
    return on_failure == "stop"


unordered = Ordering(None, lanes=False, stops=False, not_attempted=NotAttemptedError)
"""Every record is a lane of its own: no failure touches another record."""


def in_order(
    *,
    on_failure: OnFailure = "stop",
    not_attempted: Callable[[], BaseException] = NotAttemptedError,
    mandatory: bool = False,
) -> Ordering:
    """All records are one lane: they run one after the other.

    Args:
        on_failure: ``stop`` (what follows is not attempted and reported as failed) or ``continue``.
        not_attempted: makes the exception that a record which is not attempted fails with.
        mandatory: for a source's ``ordering_policy``: whether no caller may choose another for this batch.
    """
    return Ordering(
        None,
        lanes=True,
        stops=_stops(on_failure),
        not_attempted=_makes_exceptions(not_attempted),
        mandatory=mandatory,
    )


def by_key(
    key: LaneKey,
    *,
    on_failure: OnFailure = "stop",
    not_attempted: Callable[[], BaseException] = NotAttemptedError,
) -> Ordering:
    """Records of one key are a lane; different keys do not touch one another.

    Args:
        key: raw record to the key of its lane, hashable; None means a lane of its own. If it raises, or gives what
            cannot be hashed, that record alone fails.
        on_failure: ``stop`` (the rest of the lane is not attempted and reported as failed) or ``continue``.
        not_attempted: makes the exception that a record which is not attempted fails with.
    """
    if not callable(key):
        raise ConfigurationError(f"by_key() takes a function from a raw record to its key, not {key!r}.")
    if is_coroutine_function(key):
        raise ConfigurationError(
            f"by_key() calls its function and awaits nothing; {key!r} gives a coroutine, not a key."
        )
    return Ordering(key, lanes=True, stops=_stops(on_failure), not_attempted=_makes_exceptions(not_attempted))
