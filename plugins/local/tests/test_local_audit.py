"""The closing table compares four independent things, and each way of being wrong has its sentence."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from batchcore_local.audit import Evidence, closing_table, findings, verdict
from batchcore_local.orders import Fate, Ledger, Order, make_orders, read_ledger

ORDERS = [
    Order("ships", Fate.SHIPS),
    Order("late", Fate.FAILS_ONCE),
    Order("bad", Fate.FAILS_ALWAYS),
]


def evidence(
    shipped: tuple[str, ...] = ("ships", "late"),
    dead: tuple[str, ...] = ("bad",),
    depth: int = 0,
    refused: dict[str, str] | None = None,
) -> Evidence:
    return Evidence(ORDERS, Ledger(Counter(shipped), refused or {}), dead, depth)


def test_books_that_balance_have_no_findings() -> None:
    assert findings(evidence()) == []
    assert verdict(evidence()) == "Nothing lost, nothing done twice: 3 sent = 2 shipped + 1 dead letters."


@pytest.mark.parametrize(
    ("witnesses", "sentence", "name"),
    [
        (evidence(shipped=("ships",)), "LOST, not shipped and in no queue: 1", "late"),
        (evidence(dead=()), "LOST, not shipped and in no queue: 1", "bad"),
        (evidence(shipped=("ships", "late", "late")), "DONE TWICE, shipped more than once: 1", "late"),
        (evidence(dead=("bad", "ships")), "DONE AND DEAD, shipped and a dead letter too: 1", "ships"),
        (evidence(dead=("bad", "bad")), "DEAD TWICE, more than one dead letter: 1", "bad"),
        (
            evidence(shipped=("ships",), dead=("bad", "late")),
            "GIVEN UP, a dead letter though it could be shipped: 1",
            "late",
        ),
        (evidence(shipped=("ships", "late", "bad"), dead=()), "SHIPPED, though it cannot be: 1", "bad"),
        (evidence(shipped=("ships", "late", "ghost")), "UNKNOWN, never sent: 1", "ghost"),
        (evidence(dead=("bad", "ghost")), "UNKNOWN, never sent: 1", "ghost"),
    ],
)
def test_each_wrong_is_one_sentence_with_the_orders_by_name(witnesses: Evidence, sentence: str, name: str) -> None:
    assert findings(witnesses) == [sentence, f"  {name}"]


def test_a_lost_order_is_shown_with_its_last_refusal() -> None:
    lost = evidence(dead=(), refused={"bad": "refused at attempt 1: nothing is ordered"})
    assert findings(lost)[1] == "  bad  refused at attempt 1: nothing is ordered"


def test_while_messages_are_left_an_order_is_unfinished_and_not_lost() -> None:
    assert findings(evidence(shipped=("ships",), depth=1)) == [
        "NOT FINISHED, not shipped and no dead letter: 1",
        "  late",
        "LEFT BEHIND, still on the queue: 1",
    ]


def test_the_table_puts_what_is_seen_beside_what_is_expected() -> None:
    rows = [line.split()[-2:] for line in closing_table(evidence(shipped=("ships",), dead=("bad", "late"), depth=4))]
    assert rows == [["seen", "expected"], ["3", "3"], ["1", "2"], ["2", "1"], ["4", "0"]]


def test_thirty_orders_are_of_every_fate_and_have_names_of_their_own() -> None:
    orders = make_orders(30)
    assert Counter(order.fate for order in orders) == {Fate.SHIPS: 21, Fate.FAILS_ONCE: 6, Fate.FAILS_ALWAYS: 3}
    assert len({order.name for order in orders}) == 30


def test_ten_orders_are_of_every_fate_too() -> None:
    assert {order.fate for order in make_orders(10)} == set(Fate)


def test_a_ledger_is_read_line_by_line(tmp_path: Path) -> None:
    lines = [
        {"order": "a", "attempt": 1, "did": "refused", "why": "busy"},
        {"order": "b", "attempt": 1, "did": "shipped"},
        {"order": "a", "attempt": 2, "did": "shipped"},
        {"order": "b", "attempt": 2, "did": "shipped"},
    ]
    path = tmp_path / "ledger"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_ledger(path) == ({"a": 1, "b": 2}, {"a": "refused at attempt 1: busy"})


def test_a_ledger_that_was_never_written_is_empty(tmp_path: Path) -> None:
    assert read_ledger(tmp_path / "ledger") == ({}, {})
