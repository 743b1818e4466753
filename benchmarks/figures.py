"""Figures with their budgets, and how they are printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class Budget(NamedTuple):
    """What a figure must and should be.

    Attributes:
        must: the limit, or None where the figure is for information.
        aim: what it should be, or None.
        at_least: whether more is better.
    """

    must: float | None = None
    aim: float | None = None
    at_least: bool = False

    def verdict(self, value: float) -> str:
        """Whether a value keeps the limit and reaches the aim."""
        if self.must is None:
            return ""
        if not self._holds(value, self.must):
            return "MISSED"
        return "ok, aim too" if self.aim is not None and self._holds(value, self.aim) else "ok"

    def _holds(self, value: float, limit: float) -> bool:
        return value >= limit if self.at_least else value <= limit

    def text_of(self, limit: float | None) -> str:
        """Write the limit or the aim."""
        return "" if limit is None else f"{'>=' if self.at_least else '<='} {limit:g}"


class Figure(NamedTuple):
    """One line of the table.

    Attributes:
        name: what was measured.
        value: the figure.
        budget: its limits.
        unit: what follows the number.
        detail: what it was made of.
    """

    name: str
    value: float
    budget: Budget
    unit: str = "x"
    detail: str = ""

    @property
    def missed(self) -> bool:
        """Whether the limit is not kept."""
        return self.budget.verdict(self.value) == "MISSED"


def figures_table(figures: Iterable[Figure]) -> str:
    """Write figures as a table."""
    heading = ("figure", "measured", "must", "aim", "verdict", "")
    lines = [
        (
            figure.name,
            f"{figure.value:.3g} {figure.unit}".rstrip(),
            figure.budget.text_of(figure.budget.must),
            figure.budget.text_of(figure.budget.aim),
            figure.budget.verdict(figure.value),
            figure.detail,
        )
        for figure in figures
    ]
    return table([heading, *lines], left=(0, 4, 5))


def table(lines: Sequence[Sequence[str]], left: Sequence[int]) -> str:
    """Write lines in columns, the first line as heading; columns not named in ``left`` are set to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    written = [
        "  ".join(
            cell.ljust(width) if position in left else cell.rjust(width)
            for position, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    written.insert(1, "-" * max(map(len, written)))
    return "\n".join(written)
