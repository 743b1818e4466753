"""Warm cost per record: each row at each size, the libraries and a bare loop in turns."""

from __future__ import annotations

import itertools
import logging
import math
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import Budget, Figure, table
from benchmarks.rows import FAILING, PLAIN
from benchmarks.sides import bare, ours, powertools
from benchmarks.timing import best_times

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.events import Event
    from benchmarks.rows import Row
    from benchmarks.sides import Prepare, Process

FEW = Budget(must=0.45, aim=0.38)
MANY = Budget(must=0.40, aim=0.35)
MEANS = {1: FEW, 10: FEW, 100: MANY, 1_000: MANY, 10_000: MANY}
"""Geometric mean of the rows by size: an average over sizes would hide what a small batch costs."""
EACH = Budget(must=0.85, aim=0.75)
FIXED_US = Budget(must=3.0, aim=2.0)
GROWTH = Budget(must=1.2, aim=1.0)
SIDES: dict[str, Prepare] = {"ours": ours.prepare, "powertools": powertools.prepare, "bare": bare.prepare}


class Cell(NamedTuple):
    """One row at one size.

    Attributes:
        row: the row's name.
        size: records per batch.
        ours: nanoseconds per record with this project.
        powertools: nanoseconds per record with Powertools.
        bare: nanoseconds per record with a bare loop.
    """

    row: str
    size: int
    ours: float
    powertools: float
    bare: float

    @property
    def ratio(self) -> float:
        """Our cost over that of Powertools."""
        return self.ours / self.powertools


def measure(rows: Iterable[Row], sizes: Sequence[int], seconds: float) -> Iterator[Cell]:
    """Measure rows at sizes, with nobody listening to the logs.

    Args:
        rows: what to measure.
        sizes: records per batch.
        seconds: how long each cell may take, the sides together.
    """
    for row in rows:
        for size in sizes:
            yield _cell(row, size, seconds)


def measure_logged(sizes: Sequence[int], seconds: float) -> Iterator[Cell]:
    """Measure the row with failures while a handler formats and writes what both libraries log of them."""
    logger = logging.getLogger("benchmarks.failures")
    handler = logging.StreamHandler(_Sink())
    handler.setFormatter(logging.Formatter("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(name)s\t%(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
    try:
        for size in sizes:
            yield _cell(FAILING, size, seconds, logger)._replace(row=f"{FAILING.name}, logged")
    finally:
        logger.removeHandler(handler)


class _Sink:
    def write(self, text: str) -> int:
        return len(text)

    def flush(self) -> None:
        pass


def _cell(row: Row, size: int, seconds: float, logger: logging.Logger | None = None) -> Cell:
    event = row.event(size)
    processes = {name: prepare(row, logger) for name, prepare in SIDES.items()}
    responses = {name: process(event) for name, process in processes.items()}
    if not responses["ours"] == responses["powertools"] == responses["bare"]:
        raise AssertionError(
            f"{row.name}, {size} records: the sides give different responses, so they are not compared."
        )
    times = best_times({name: _call(process, event) for name, process in processes.items()}, seconds)
    return Cell(row.name, size, **{name: seconds * 1e9 / size for name, seconds in times.items()})


def _call(process: Process, event: Event) -> Callable[[], object]:
    return lambda: process(event)


def figures(cells: Sequence[Cell]) -> Iterator[Figure]:
    """Sum cells up: the geometric mean of their ratios at each size, the worst of all, what a batch costs by itself."""
    for size, some in by_size(cells).items():
        yield Figure(
            f"warm cost at {_records(size)}, geometric mean of rows",
            _mean(cell.ratio for cell in some),
            MEANS.get(size, Budget()),
            detail=f"of {len(some)} rows; the bare loop {_mean(cell.bare / cell.powertools for cell in some):.2g} x",
        )
    worst = max(cells, key=lambda cell: cell.ratio)
    yield Figure("warm cost, worst row at any size", worst.ratio, EACH, detail=f"{worst.row}, {_records(worst.size)}")
    plain = {cell.size: cell for cell in cells if cell.row == PLAIN.name}
    if {1, 1_000} <= plain.keys():
        yield _fixed(plain[1], plain[1_000])


def by_size(cells: Iterable[Cell]) -> dict[int, list[Cell]]:
    """Return the cells of each size, the smallest size first."""
    cells = sorted(cells, key=lambda cell: cell.size)
    return {size: list(some) for size, some in itertools.groupby(cells, key=lambda cell: cell.size)}


def _mean(ratios: Iterable[float]) -> float:
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(sum(logarithms) / len(logarithms))


def _records(size: int) -> str:
    return "1 record" if size == 1 else f"{size:,} records"


def _fixed(one: Cell, many: Cell) -> Figure:
    ours, powertools, bare = (
        (getattr(one, side) - getattr(many, side)) / 1_000 for side in ("ours", "powertools", "bare")
    )
    return Figure(
        f"fixed cost of a batch: {one.row}",
        ours,
        FIXED_US,
        unit="us",
        detail=f"at 1 record, less a record's at 1,000; {ours / powertools:.2f} x Powertools' {powertools:.2f} us; "
        f"the bare loop {bare:.2f} us",
    )


def tables(cells: Iterable[Cell], budget: Budget) -> str:
    """Write cells as tables, one for each size."""
    return "\n\n".join(
        f"{_records(size)} per batch, per record\n{cells_table(some, budget)}" for size, some in by_size(cells).items()
    )


def cells_table(cells: Iterable[Cell], budget: Budget) -> str:
    """Write cells as a table."""
    heading = ("row", "records", "ours ns", "Powertools ns", "bare ns", "ratio", "must", "verdict")
    lines = [
        (
            cell.row,
            f"{cell.size:,}",
            f"{cell.ours:,.0f}",
            f"{cell.powertools:,.0f}",
            f"{cell.bare:,.0f}",
            f"{cell.ratio:.3f}",
            budget.text_of(budget.must),
            budget.verdict(cell.ratio),
        )
        for cell in cells
    ]
    return table([heading, *lines], left=(0, 7))


def measure_growth(rows: Iterable[Row], seconds: float, small: int = 100, large: int = 10_000) -> Iterator[Figure]:
    """Compare our cost per record in a large batch with that in a small one, row by row.

    Args:
        rows: what to measure.
        seconds: how long each row may take.
        small: records in the small batch.
        large: records in the large one.
    """
    for row in rows:
        calls = {
            f"{name} {size}": _call(SIDES[name](row, None), row.event(size))
            for size in (small, large)
            for name in ("ours", "powertools")
        }
        times = best_times(calls, seconds)
        growth = {
            name: times[f"{name} {large}"] / times[f"{name} {small}"] * small / large for name in ("ours", "powertools")
        }
        yield Figure(
            f"cost per record at {large:,} over {small}: {row.name}",
            growth["ours"],
            GROWTH,
            detail=f"Powertools {growth['powertools']:.2f} x",
        )
