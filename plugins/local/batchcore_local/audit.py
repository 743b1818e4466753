"""The closing of the demo's books: four independent things, compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from batchcore_local.orders import Fate, Ledger, Order


class Evidence(NamedTuple):
    """What four witnesses say, none of whom asked another.

    Attributes:
        sent: the orders that SQS accepted.
        ledger: what the function wrote.
        dead: the orders found in the dead-letter queue, one name per message.
        depth: how many messages the queue still holds.
    """

    sent: Sequence[Order]
    ledger: Ledger
    dead: Sequence[str]
    depth: int


def findings(evidence: Evidence) -> list[str]:
    """Return what is wrong: one sentence for each kind of wrong, then the orders by name, one a line.

    Args:
        evidence: what the witnesses say.

    Returns:
        Lines of text; none when every order was done once, or is a dead letter as it should be.
    """
    lines: list[str] = []
    for kind, who in _wrongs(evidence):
        if who:
            lines.append(f"{kind}: {len(who)}")
            lines += [f"  {name}  {evidence.ledger.refused.get(name, '')}".rstrip() for name in sorted(who)]
    if evidence.depth:
        lines.append(f"LEFT BEHIND, still on the queue: {evidence.depth}")
    return lines


def _wrongs(evidence: Evidence) -> Iterator[tuple[str, set[str]]]:
    shipped, dead = evidence.ledger.shipped, Counter(evidence.dead)
    names = {order.name for order in evidence.sent}
    poison = {order.name for order in evidence.sent if order.fate is Fate.FAILS_ALWAYS}
    ended = shipped.keys() | dead.keys()
    # While the queue holds messages it cannot be told which: an order without an end may be one of them.
    missing = "NOT FINISHED, not shipped and no dead letter" if evidence.depth else "LOST, not shipped and in no queue"
    yield missing, names - ended
    yield "DONE TWICE, shipped more than once", {name for name, times in shipped.items() if times > 1}
    yield "DONE AND DEAD, shipped and a dead letter too", shipped.keys() & dead.keys()
    yield "DEAD TWICE, more than one dead letter", {name for name, times in dead.items() if times > 1}
    yield "GIVEN UP, a dead letter though it could be shipped", (names & dead.keys()) - shipped.keys() - poison
    yield "SHIPPED, though it cannot be", poison & shipped.keys()
    yield "UNKNOWN, never sent", ended - names


def closing_table(evidence: Evidence) -> list[str]:
    """Lay the four things beside each other, each with the number it should be.

    Args:
        evidence: what the witnesses say.

    Returns:
        Lines of text.
    """
    poison = sum(order.fate is Fate.FAILS_ALWAYS for order in evidence.sent)
    total = len(evidence.sent)
    rows = [
        ("sent, as SQS accepted them", total, total),
        ("shipped, as the ledger says", sum(evidence.ledger.shipped.values()), total - poison),
        ("dead letters, as boto3 reads them", len(evidence.dead), poison),
        ("left on the queue, as SQS counts", evidence.depth, 0),
    ]
    lines = [f"{'orders':<35}{'seen':>6}{'expected':>10}"]
    return lines + [f"{name:<35}{seen:>6}{expected:>10}" for name, seen, expected in rows]


def verdict(evidence: Evidence) -> str:
    """Return in one line that the books balance. Only true when there are no findings."""
    shipped = len(evidence.ledger.shipped)
    return (
        f"Nothing lost, nothing done twice: {len(evidence.sent)} sent = {shipped} shipped"
        f" + {len(evidence.dead)} dead letters."
    )
