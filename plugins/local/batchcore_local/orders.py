"""The orders of the demo: what is sent, how each must end, and the ledger in which the function writes what it did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import NamedTuple


class Fate(Enum):
    """How an order behaves, said of several."""

    SHIPS = "ship at once"
    FAILS_ONCE = "fail once, then ship"
    FAILS_ALWAYS = "fail always"


class Order(NamedTuple):
    """One order.

    Attributes:
        name: what it is called in the queue, in the ledger and in the closing table.
        fate: how it behaves.
    """

    name: str
    fate: Fate

    def body(self) -> str:
        """The message's body."""
        content = {
            "order": self.name,
            "item": "tea",
            "quantity": 0 if self.fate is Fate.FAILS_ALWAYS else 1,
            "warehouse": "closed until tomorrow" if self.fate is Fate.FAILS_ONCE else "open",
        }
        return json.dumps(content)


FEWEST = 10
"""With fewer orders not every fate would occur."""


def make_orders(count: int) -> list[Order]:
    """Make orders of all three fates: one in ten fails always, one in five fails once.

    Args:
        count: how many, at least 10.
    """
    return [Order(f"order-{number:02d}", _fate(number)) for number in range(1, count + 1)]


def _fate(number: int) -> Fate:
    if number % 10 == 7:
        return Fate.FAILS_ALWAYS
    return Fate.FAILS_ONCE if number % 5 == 4 else Fate.SHIPS


class Ledger(NamedTuple):
    """What the function wrote.

    Attributes:
        shipped: for each order, how often it was shipped.
        refused: for each order that was refused, the last reason.
    """

    shipped: Mapping[str, int]
    refused: Mapping[str, str]


def read_ledger(path: Path) -> Ledger:
    """Read a ledger: one JSON object per line, with ``order``, ``attempt``, ``did`` and, when refused, ``why``.

    Args:
        path: the file. One that does not exist is an empty ledger: the function did nothing.
    """
    shipped: dict[str, int] = {}
    refused: dict[str, str] = {}
    for line in _lines(path):
        entry = json.loads(line)
        if entry["did"] == "shipped":
            shipped[entry["order"]] = shipped.get(entry["order"], 0) + 1
        else:
            refused[entry["order"]] = f"refused at attempt {entry['attempt']}: {entry['why']}"
    return Ledger(shipped, refused)


def _lines(path: Path) -> Iterable[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else ()
