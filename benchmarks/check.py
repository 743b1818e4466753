"""Compare the instructions of our side with those that were kept: ``python -m benchmarks.check``, from the root.

It fails when a batch by itself, or a record, takes over 5 % more instructions than were kept in ``kept.json``. The
figures are those of one build of Python. With another one, or without valgrind, there is nothing to compare: it says
so, and does not fail.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import instructions
from benchmarks.instructions import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEPT = Path(__file__).with_name("kept.json")
ALLOWED = 0.05
HOW = 'python -m benchmarks.check --keep "why, as in the subject of the commit"'


class Kept(NamedTuple):
    """The figures of a row that were kept.

    Attributes:
        batch: instructions of a batch by itself.
        record: instructions of each record.
        why: why they are what they are.
    """

    batch: int
    record: int
    why: str


class Change(NamedTuple):
    """A figure that is not what was kept.

    Attributes:
        row: the row.
        part: which figure of it.
        kept: what was kept.
        counted: what was counted now.
    """

    row: str
    part: str
    kept: int
    counted: float

    @property
    def growth(self) -> float:
        """By which part of what was kept it grew. Negative if it fell."""
        return self.counted / self.kept - 1

    def __str__(self) -> str:
        way = "grew" if self.growth > 0 else "fell"
        return (
            f"{self.row}, per {self.part}: {way} by {abs(self.growth):.1%}, from {self.kept:,} to {self.counted:,.0f} "
            "instructions"
        )


def main() -> int:
    """Count, compare and say. Gives 1 if a figure grew too much or none was kept for a row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check", description=__doc__)
    parser.add_argument(
        "--keep", metavar="WHY", help="keep the figures that changed by more than 5 %%, and why they did"
    )
    why = parser.parse_args().keep
    if instructions.valgrind() is None:
        print("Instructions are not compared: valgrind is not installed.")
        return 0 if why is None else 2
    kept = read_kept()
    if kept is None and why is None:
        print(f"Instructions are not compared: {KEPT.name} is of another build of Python. To keep those of this: {HOW}")
        return 0
    counted = instructions.measure(["ours"])["ours"]
    if any(change.growth > ALLOWED for change in changes(kept or {}, counted)):
        # Once in some twenty runs a figure is counted too high. What has really grown has grown the second time, too.
        again = instructions.measure(["ours"])["ours"]
        counted = {row: Counts(*map(min, now, again[row])) for row, now in counted.items()}
    if why is not None:
        write_kept(keep(kept or {}, counted, why))
    return 1 if tell(read_kept() or {}, counted) else 0


def interpreter() -> dict[str, str]:
    """Return which build of Python counts: another one counts something else."""
    return {"python": sys.version, "machine": platform.machine()}


def read_kept() -> dict[str, Kept] | None:
    """Read what was kept, or None if that was for another build of Python."""
    held = json.loads(KEPT.read_text(encoding="utf-8"))
    if {name: held[name] for name in interpreter()} != interpreter():
        return None
    return {row: Kept(**figures) for row, figures in held["rows"].items()}


def write_kept(kept: Mapping[str, Kept]) -> None:
    """Write what is kept from now on."""
    rows = {row: figures._asdict() for row, figures in kept.items()}
    KEPT.write_text(json.dumps(interpreter() | {"rows": rows}, indent=2) + "\n", encoding="utf-8")


def keep(kept: Mapping[str, Kept], counted: Mapping[str, Counts], why: str) -> dict[str, Kept]:
    """Return what is kept from now on: the new figures of each row that changed too much, the old ones of the others.

    So what grows a little each time is noticed in the end.
    """
    changed = {change.row for change in changes(kept, counted) if abs(change.growth) > ALLOWED}
    return {
        row: kept[row] if row in kept and row not in changed else Kept(round(now.batch), round(now.record), why)
        for row, now in counted.items()
    }


def changes(kept: Mapping[str, Kept], counted: Mapping[str, Counts]) -> Iterator[Change]:
    """Return the figures of all rows that were kept, each beside what was counted."""
    for row, now in counted.items():
        if row in kept:
            for part in Counts._fields:
                yield Change(row, part, getattr(kept[row], part), getattr(now, part))


def tell(kept: Mapping[str, Kept], counted: Mapping[str, Counts]) -> bool:
    """Print what changed, and say whether that is too much."""
    all_changes = list(changes(kept, counted))
    grown = [change for change in all_changes if change.growth > ALLOWED]
    fallen = [change for change in all_changes if change.growth < -ALLOWED]
    new = counted.keys() - kept.keys()
    for change in (*grown, *fallen):
        print(f"{change}.")
    for row in sorted(new):
        print(f"{row}: nothing was kept.")
    if grown or fallen or new:
        print(f"To keep what was counted: {HOW}")
    most = max(all_changes, key=lambda change: change.growth, default=None)
    if most is not None and not grown:
        print(f"No figure of {len(all_changes)} grew by over {ALLOWED:.0%}. The most: {most}.")
    return bool(grown or new)


if __name__ == "__main__":
    sys.exit(main())
