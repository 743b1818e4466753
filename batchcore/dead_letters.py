"""Dead letters of one batch: which may be delivered elsewhere, when, and what is done with those that may not.

In a lane, a dead letter is delivered before the next record of the lane starts. Those of an unordered batch are
delivered after its last record, ten at a time.

Where a checkpoint acknowledges, everything from the lowest failed record on comes again. A dead letter above it would
be delivered again each time, so it is withheld until it is below; and it waits until everything before it has ended.
"""

from __future__ import annotations

from batchcore.errors import RecordError
from batchcore.outcome import NOT_PROCESSED, first_with_identifiers_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from batchcore.invocation import Invocation
    from batchcore.ordering import Ordering


class Withheld(RecordError):
    """An earlier record of the batch comes again, and this one with it, so it is no dead letter yet."""


class DeadLetters:
    """The dead letters of one batch.

    Args:
        by_checkpoint: whether its source is acknowledged by a checkpoint.

    Attributes:
        in_lanes: positions of lanes, waiting to be delivered.
        at_end: positions to deliver when all records have ended.
        parked: what is left of lanes that wait, with the positions for which they do.
        problems: position to what kept it from being delivered.
        lanes_ended: whether no record will start any more.
    """

    __slots__ = ("_next", "at_end", "by_checkpoint", "in_lanes", "lanes_ended", "lowest", "parked", "problems")

    def __init__(self, by_checkpoint: bool) -> None:
        self.by_checkpoint = by_checkpoint
        self.in_lanes: set[int] = set()
        self.at_end: list[int] = []
        self.parked: list[tuple[int, Iterator[int]]] = []
        self.problems: dict[int, BaseException] = {}
        self.lanes_ended = False
        self.lowest: int | None = None
        self._next = 0

    def add(self, position: int, ordering: Ordering) -> None:
        """Take a dead letter. Its slot stays that of a failure until it is delivered."""
        if ordering.lanes and not self.lanes_ended:
            self.in_lanes.add(position)
        else:
            self.at_end.append(position)

    def ended(self, position: int, problem: BaseException | None) -> None:
        """Note what became of one."""
        self.in_lanes.discard(position)
        if problem is not None:
            self.problems[position] = problem

    def without_lanes(self) -> DeadLetters:
        """Give those that can still be delivered when workers are left behind: not those that a lane waits for."""
        letters = DeadLetters(self.by_checkpoint)
        letters.at_end, letters.problems, letters.lanes_ended = list(self.at_end), dict(self.problems), True
        return letters

    def everything_before_has_ended(self, invocation: Invocation, position: int) -> bool:
        """Say whether all records before this one have ended; notes the lowest that comes again on the way."""
        values, failures, following = invocation.values, invocation.failures, self._next
        while following < position:
            if values[following] is NOT_PROCESSED:
                if following not in failures or following in self.in_lanes:
                    break
                if self.lowest is None:
                    self.lowest = first_with_identifiers_of(invocation, [following])
            following += 1
        self._next = following
        return following == position
