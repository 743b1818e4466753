"""Dead letters of one batch: which may be delivered elsewhere, when, and what is done with those that may not.

In a lane, a dead letter is delivered before the next record of the lane starts. Those of an unordered batch are
delivered after its last record, ten at a time.

One that comes again would be delivered each time, so it is deferred until it does not. Where a checkpoint acknowledges,
it waits until everything before it has ended; where the whole batch is acknowledged, for its end, or, in a lane that a
failure stops, for nothing, but nothing may have failed by then.
"""

from __future__ import annotations

from batchcore._extensions.calls import TimedCall, complete
from batchcore.callables import close_unawaited, is_awaitable, type_name
from batchcore.errors import PluginError
from batchcore.failures import Deferred
from batchcore.ledger import NOT_PROCESSED, key_of
from batchcore.model import coming_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence
    from typing import Any

    from batchcore._extensions.calls import Calls
    from batchcore.deadline import Clock
    from batchcore.ledger import Ledger
    from batchcore.model import Batch, Ordering
    from batchcore.plan import Run

AT_A_TIME = 10
"""How many are delivered with one call: what SQS and SNS take."""


class DeadLetters:
    """The dead letters of one batch.

    Args:
        acknowledgement: how AWS acknowledges its source.
        ordering: how its records depend on one another.

    Attributes:
        in_lanes: positions of lanes, waiting to be delivered.
        at_end: positions to deliver when all records have ended.
        blocked: what is left of lanes that wait, with the positions for which they do.
        problems: position to what kept it from being delivered.
        lanes_ended: whether no record will start any more.
        again: positions known to come again, where a checkpoint acknowledges.
    """

    def __init__(self, acknowledgement: str, ordering: Ordering) -> None:
        self.acknowledgement = acknowledgement
        self._ordering = ordering
        self._has_lanes = ordering.grouped and (ordering.stops or acknowledgement != "batch")
        self.in_lanes: set[int] = set()
        self.at_end: list[int] = []
        self.blocked: list[tuple[int, Iterator[int]]] = []
        self.problems: dict[int, BaseException] = {}
        self.lanes_ended = False
        self.again: set[int] = set()
        self._next = 0
        self._last: dict[Hashable, int] | None = None  # of each identifier the last position

    def add(self, position: int) -> None:
        """Take a dead letter. It stays a failure until it is delivered."""
        if self._has_lanes and not self.lanes_ended:
            self.in_lanes.add(position)
        else:
            self.at_end.append(position)

    def ended(self, position: int, problem: BaseException | None) -> None:
        """Note what became of one."""
        self.in_lanes.discard(position)
        if problem is not None:
            self.problems[position] = problem

    def without_lanes(self) -> DeadLetters:
        """Return those that can still be delivered when workers are abandoned: not those that a lane waits for."""
        copy = DeadLetters(self.acknowledgement, self._ordering)
        copy.at_end, copy.problems, copy.lanes_ended = list(self.at_end), dict(self.problems), True
        return copy

    def has_twin_behind(self, batch: Batch, position: int) -> bool:
        """Whether a later record has the identifier of this one, as several have that one record carried."""
        if self._last is None:
            self._last = {key_of(identifier): at for at, identifier in enumerate(batch._identifiers)}
        return self._last[key_of(batch._identifiers[position])] > position

    def everything_before_has_ended(self, batch: Batch, ledger: Ledger, position: int) -> bool:
        """Whether all records before this one have ended; notes what comes again on the way."""
        following = self._next
        while following < position:
            if ledger.value(following) is NOT_PROCESSED:
                if following not in ledger.failures or following in self.in_lanes:
                    break
                if following not in self.again:
                    self.again.update(coming_again(batch, [following]))
            following += 1
        self._next = following
        return following == position


def deliver_in_lane(run: Run, ledger: Ledger, position: int) -> Calls[None]:
    """Deliver a dead letter of a lane, if it can be said by now whether it is one. Otherwise its lane has to wait."""
    book = book_of(ledger)
    if book is None or position not in book.in_lanes:
        return
    all_ended, comes_again = True, False
    if book.acknowledgement == "checkpoint":
        if not run.ordering.stops and (book.at_end or book.has_twin_behind(run.batch, position)):
            book.in_lanes.discard(position)  # it comes again with a later record of its identifier: it waits for that
            book.at_end.append(position)
            return
        all_ended = book.everything_before_has_ended(run.batch, ledger, position)
        comes_again = position in book.again
    elif book.acknowledgement == "batch":
        comes_again = not book.in_lanes.issuperset(run.batch.outcomes.failed_positions())
    if comes_again:
        delivered(run, ledger, position, Deferred(Deferred.__doc__))
        return
    if not all_ended:
        return
    (problem,) = yield from _deliver(run, [position], among_records=True)
    delivered(run, ledger, position, problem)


def delivered(run: Run, ledger: Ledger, position: int, problem: BaseException | None) -> None:
    """Write down what kept a record from being delivered; None where it was: then, and only then, it is done."""
    if not ledger.deliver(position, problem):
        return
    if problem is not None and not isinstance(problem, Deferred):
        plugins: Any = run.plan.plugins
        run.report.not_delivered(position, problem, plugins.delivers)
    run.notify(ledger, position, ledger.failure(position).exception)


def book_of(ledger: Ledger) -> DeadLetters | None:
    book = ledger.dead_letters
    return book if isinstance(book, DeadLetters) else None


def deliver_now(run: Run, ledger: Ledger, position: int) -> bool:
    """Deliver a record from this thread, if it is a dead letter of a lane. Return whether that has to wait."""
    complete(run, deliver_in_lane(run, ledger, position))
    return ledger.dead_letters is not None and position in ledger.dead_letters.in_lanes


def deliver_at_end(run: Run) -> Calls[None]:
    """Deliver those that are left when all records have ended."""
    ledger = run.batch._ledger
    book = book_of(ledger)
    if book is None or not book.at_end:
        return
    left, book.at_end = sorted(book.at_end), []
    again = {*coming_again(run.batch, sorted({*ledger.unfinished()}.difference(left)))}
    plugins: Any = run.plan.plugins
    at_a_time = AT_A_TIME if plugins.deliver_many is not None else 1
    while left:
        items, left = left[:at_a_time], left[at_a_time:]
        for position in again.intersection(items):
            delivered(run, ledger, position, Deferred(Deferred.__doc__))
        items = [position for position in items if position not in again]
        if not items:
            continue
        problems = yield from _deliver(run, items)
        for position, problem in zip(items, problems, strict=True):
            delivered(run, ledger, position, problem)
            # To look at all records for each that was not delivered would take half a minute of 10,000.
            has_more = book.acknowledgement in ("checkpoint", "batch") or book.has_twin_behind(run.batch, position)
            if problem is not None and has_more and position not in again:
                again.update(coming_again(run.batch, [position]))


def _deliver(run: Run, positions: list[int], *, among_records: bool = False) -> Calls[Sequence[BaseException | None]]:
    """Hand some to the deliverer; return for each what kept it from being delivered, or None."""
    plugins: Any = run.plan.plugins
    batch, outcomes = run.batch, [run.batch.outcomes[position] for position in positions]

    def limit(clock: Clock) -> float:
        return clock.for_calls_among_records() if among_records else clock.for_calls()

    if plugins.deliver_one is not None and (len(outcomes) == 1 or plugins.deliver_many is None):
        _, error = yield TimedCall(plugins.deliver_one, outcomes[0], batch, limit=limit)
        return [error]
    given, error = yield TimedCall(plugins.deliver_many, outcomes, batch, limit=limit)
    if error is None and not _is_answer(given, len(outcomes)):
        if type(given) in (list, tuple):
            for awaitable in filter(is_awaitable, given):
                close_unawaited(awaitable)
        error = PluginError(
            f"deliver_dead_letters() gives None or an exception for each of {len(outcomes)} records, in order; it gave "
            f"a {type_name(given)}.",
            hook="deliver_dead_letters",
        )
    return [error] * len(outcomes) if error is not None else list(given)


def _is_answer(given: Any, count: int) -> bool:
    if not hasattr(given, "__len__") or not hasattr(given, "__getitem__") or hasattr(given, "keys"):
        return False
    return len(given) == count and all(problem is None or isinstance(problem, BaseException) for problem in given)
