"""Delivers the dead letters of a batch: see :mod:`batchcore.dead_letters` for which of them, and when."""

from __future__ import annotations

from batchcore.calls import Call, make
from batchcore.dead_letters import Withheld
from batchcore.errors import PluginError, kind_of
from batchcore.handler import discard, is_awaitable
from batchcore.outcome import DEAD_LETTERED, first_with_identifiers_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from batchcore.calls import Calls
    from batchcore.invocation import Invocation
    from batchcore.outcome import Failure

AT_A_TIME = 10
"""How many are delivered with one call: what SQS and SNS take."""


def deliver_in_lane(invocation: Invocation, position: int) -> Calls[None]:
    """Deliver a dead letter of a lane, if it can be said by now whether it is one. Otherwise its lane has to wait."""
    letters = invocation.letters
    if letters is None or position not in letters.in_lanes:
        return
    if letters.by_checkpoint:
        all_ended = letters.everything_before_has_ended(invocation, position)
        if letters.lowest is not None and letters.lowest < position:
            ended(invocation, position, Withheld(Withheld.__doc__))
            return
        if not all_ended:
            return
    (problem,) = yield from _deliver(invocation, [position], among_records=True)
    ended(invocation, position, problem)


def ended(invocation: Invocation, position: int, problem: BaseException | None) -> None:
    """Fill the slot of a record that somebody was to deliver elsewhere.

    Args:
        invocation: the batch.
        position: where in it.
        problem: what kept it from being delivered; None where it was. Then, and only then, it is done.
    """
    failure = invocation.failures[position]
    if invocation.lock is None:
        if not invocation.cut_loose:
            _write(invocation, position, failure, problem)
    else:
        with invocation.lock:
            if not invocation.cut_loose:
                _write(invocation, position, failure, problem)
    if invocation.cut_loose:
        return
    if problem is not None and not isinstance(problem, Withheld):
        invocation.report.not_delivered(position, problem, invocation.settings.plugins.delivers)
    invocation.tell(position, failure.exception)


def _write(invocation: Invocation, position: int, failure: Failure, problem: BaseException | None) -> None:
    if problem is None:
        failure.status, invocation.values[position] = DEAD_LETTERED, None
    if invocation.letters is not None:
        invocation.letters.ended(position, problem)


def deliver_now(invocation: Invocation, position: int) -> None:
    """Deliver a dead letter of a lane from this thread."""
    make(invocation, deliver_in_lane(invocation, position))


def deliver_at_end(invocation: Invocation) -> Calls[None]:
    """Deliver those that are left when all records have ended."""
    letters = invocation.letters
    if letters is None:
        return
    left, letters.at_end = sorted(letters.at_end), []
    lowest = _lowest_that_comes_again(invocation, set(left)) if letters.by_checkpoint and left else None
    at_a_time = AT_A_TIME if invocation.settings.plugins.deliver_many is not None else 1
    while left:
        some, left = left[:at_a_time], left[at_a_time:]
        if lowest is not None:
            some, withheld = [p for p in some if p < lowest], [p for p in some if p >= lowest]
            for position in withheld:
                ended(invocation, position, Withheld(Withheld.__doc__))
            if not some:
                continue
        problems = yield from _deliver(invocation, some)
        for position, problem in zip(some, problems, strict=True):
            ended(invocation, position, problem)
            if problem is not None and letters.by_checkpoint and (lowest is None or position < lowest):
                lowest = first_with_identifiers_of(invocation, [position])


def _lowest_that_comes_again(invocation: Invocation, letters: set[int]) -> int | None:
    unfinished = [position for position in invocation.outcomes.unfinished_positions() if position not in letters]
    return first_with_identifiers_of(invocation, unfinished) if unfinished else None


def _deliver(
    invocation: Invocation, positions: list[int], *, among_records: bool = False
) -> Calls[Sequence[BaseException | None]]:
    """Hand some to the deliverer; give for each what kept it from being delivered, or None."""
    plugins, outcomes = invocation.settings.plugins, [invocation.outcomes[position] for position in positions]
    one, many = plugins.deliver_one, plugins.deliver_many
    if one is not None and (len(outcomes) == 1 or many is None):
        _, error = yield Call(one, outcomes[0], invocation, among_records=among_records)
        return [error]
    if many is None:
        raise AssertionError("letters without a deliverer")
    given, error = yield Call(many, outcomes, invocation, among_records=among_records)
    if error is None and not _is_answer(given, len(outcomes)):
        _discard(given)
        error = PluginError(
            f"deliver_dead_letters() gives None or an exception for each of {len(outcomes)} records, in order; it gave "
            f"a {kind_of(given)}.",
            hook="deliver_dead_letters",
        )
    return [error] * len(outcomes) if error is not None else list(given)


def _discard(given: Any) -> None:
    """Close what would have to be awaited."""
    if type(given) in (list, tuple):
        for one in given:
            if is_awaitable(one):
                discard(one)


def _is_answer(given: Any, count: int) -> bool:
    if not hasattr(given, "__len__") or not hasattr(given, "__getitem__") or hasattr(given, "keys"):
        return False
    if len(given) != count:
        return False
    return all(problem is None or isinstance(problem, BaseException) for problem in given)
