"""One run: every part that was asked for, and the table."""

from __future__ import annotations

import logging
import platform
import time
from importlib import metadata
from typing import TYPE_CHECKING

from benchmarks import cold, instructions, lanes, memory, observers, overhead, stopping, warm
from benchmarks.figures import Budget, Figure, figures_table
from benchmarks.rows import ROWS, SIZES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

GROWING = (0, 2, 8, 9)
"""The rows whose growth is measured: a plain one, failures, ordering, asyncio."""


def run(parts: Collection[str], rows: str, sizes: Sequence[int] | None, seconds: float, rounds: int) -> None:
    """Measure and print.

    Args:
        parts: which parts.
        rows: measure the warm rows whose name contains this.
        sizes: records per batch of the warm rows, or None for those of the budgets.
        seconds: how long each warm cell may take, and each comparison beside it.
        rounds: cold starts per function.
    """
    # Nobody listens to the logs, for either library: the row that is logged has a handler of its own.
    logging.getLogger().addHandler(logging.NullHandler())
    start = time.perf_counter()
    print(
        f"Python {platform.python_version()} on {platform.machine()}, {_versions()}. Costs are ratios to Powertools'.\n"
    )
    figures: list[Figure] = []
    sizes = sizes or SIZES
    chosen = [row for row in ROWS if rows.lower() in row.name.lower()]
    if "cold" in parts:
        figures += cold.measure(rounds)
    if "warm" in parts:
        cells = list(warm.measure(chosen, sizes, seconds))
        figures += warm.figures(cells)
        print(warm.tables(cells, warm.EACH), end="\n\n")
    if "logged" in parts:
        print("Failures that are logged")
        print(warm.cells_table(warm.measure_logged(sizes, seconds), Budget()), end="\n\n")
    if "instructions" in parts:
        _count_instructions()
    if "growth" in parts:
        figures += warm.measure_growth([ROWS[position] for position in GROWING], seconds)
    if "lanes" in parts:
        figures += lanes.measure(3)
    if "overhead" in parts:
        figures += overhead.measure(seconds)
    if "stopping" in parts:
        figures.append(stopping.measure(seconds))
    figures += _others(parts, seconds)
    print(figures_table(figures))
    missed = sum(figure.missed for figure in figures)
    print(f"\n{missed} of {len(figures)} figures MISSED. Measured in {time.perf_counter() - start:.0f} s.")


def _count_instructions() -> None:
    if instructions.valgrind() is None:
        print("Instructions are not counted: valgrind is not installed.\n")
        return
    print("Instructions of a batch by itself, and of each record")
    print(instructions.counts_table(instructions.measure(["ours", "powertools", "bare"])), end="\n\n")


def _others(parts: Collection[str], seconds: float) -> Iterator[Figure]:
    if "observers" in parts:
        costs, later = observers.measure(seconds)
        print("What observers add")
        print(costs, end="\n\n")
        yield from later
    if "memory" in parts:
        yield memory.measure()


def _versions() -> str:
    names = ("aws-lambda-powertools", "awslambdaric", "pydantic", "pluggy")
    return ", ".join(f"{name} {metadata.version(name)}" for name in names)
