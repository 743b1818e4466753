"""Explains an answer: of each record, whether AWS delivers it again, and why."""

from __future__ import annotations

from batchcore.dead_letters import Withheld
from batchcore.errors import OutOfTimeError, plain
from batchcore.outcome import (
    DEAD_LETTERED,
    DROPPED,
    FAILED,
    NOT_ATTEMPTED,
    SUCCEEDED,
    Outcome,
    delivered_again,
    key_of,
    keys_of,
)
from batchcore.report import summary_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore.invocation import Invocation


_WORDS = {
    SUCCEEDED: "the handler returned",
    NOT_ATTEMPTED: "not attempted",
    DROPPED: "dropped",
    DEAD_LETTERED: "delivered elsewhere as a dead letter",
}


class Explanation:
    """What becomes of one record, in words.

    Attributes:
        outcome: its outcome.
        delivered_again: whether AWS delivers it again, given the response.
        reason: why, without any of its data.
    """

    __slots__ = ("delivered_again", "outcome", "reason")

    def __init__(self, outcome: Outcome, delivered_again: bool, reason: str) -> None:
        self.outcome = outcome
        self.delivered_again = delivered_again
        self.reason = reason

    def __str__(self) -> str:
        identifier = self.outcome.identifier
        name = f"at position {self.outcome.position}" if identifier is None else plain(identifier)
        return f"{name}: {'delivered again' if self.delivered_again else 'done'}; {self.reason}"

    def __repr__(self) -> str:
        return f"<Explanation {self}>"


def explain(invocation: Invocation) -> list[Explanation]:
    """Explain the answer of a batch that is finished."""
    outcomes = list(invocation.outcomes)
    lowest = next((outcome for outcome in outcomes if not outcome.done), None)
    coming = set(delivered_again(invocation))
    first = outcomes[min(coming)] if coming and invocation.settings.source.by_checkpoint else None
    undone = keys_of(invocation, invocation.outcomes.unfinished_positions())
    explanations: list[Explanation] = []
    for outcome in outcomes:
        again = outcome.position in coming
        reason = _reason(invocation, outcome)
        if again and outcome.done and key_of(outcome.identifier) in undone:
            reason += "; another record of its identifier is not done, and AWS goes by identifiers"
        elif first is not None and outcome is not lowest and outcome.position > first.position:
            reason += f"; {plain(first.identifier)} before it is not done, and everything from there on comes again"
        explanations.append(Explanation(outcome, again, reason))
    return explanations


def _reason(invocation: Invocation, outcome: Outcome) -> str:
    if outcome.exception is None:
        return _WORDS[outcome.status]
    what = "out of time" if isinstance(outcome.exception, OutOfTimeError) else "failed"
    words = what if outcome.status == FAILED else _WORDS[outcome.status]
    problem = None if invocation.letters is None else invocation.letters.problems.get(outcome.position)
    if isinstance(problem, Withheld):
        why = "; to be a dead letter once no record before it comes again"
    else:
        why = "" if problem is None else f"; a dead letter that was not delivered: {summary_of(problem).rstrip('.')}"
    return f"{words}: {summary_of(outcome.exception).rstrip('.')}{why}"
