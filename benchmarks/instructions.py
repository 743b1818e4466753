"""Instructions per batch and per record, counted by valgrind's callgrind: they repeat, whatever else the machine does.

A process of its own runs every row twice, in small batches and in large ones. Before and after each it calls
``os.getppid``, for which callgrind writes down what it has counted since the last call, and counts on from nothing. So
start-up, imports and the first batches are in no figure. Hashes, and with them the order of sets, are the same in every
run; the collector leaves alone what was there before, and meets each stretch in the same state.
"""

from __future__ import annotations

import gc
import importlib
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.figures import table
from benchmarks.handlers import fails_on_poison
from benchmarks.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.events import Event
    from benchmarks.rows import Row
    from benchmarks.sides import Process

COUNTED = {
    row.name: row
    for row in ROWS
    if row.name
    in (
        "SQS, handler does nothing",
        "SQS, 10 % failing",
        "Kinesis, JSON payload",
        "DynamoDB, handler does nothing",
        "FIFO",
        "FIFO, skip_group_on_error",
        "SQS, async",
        "SQS, pydantic model",
        "Kafka, handler does nothing",
        "Kafka, JSON value",
    )
}
LARGE, LARGE_BATCHES = 210, 4
SMALL_BATCHES = 50
ROUND_THE_STRETCH = "getppid"


class Counts(NamedTuple):
    """Instructions of one row on one side.

    Attributes:
        batch: of a batch by itself, without its records.
        record: of each record.
    """

    batch: float
    record: float


def valgrind() -> str | None:
    """Return the path of valgrind, or None where it is not installed."""
    return shutil.which("valgrind")


def measure(sides: Sequence[str]) -> dict[str, dict[str, Counts]]:
    """Count every row on each side, with valgrind.

    Args:
        sides: modules of ``benchmarks.sides``. They are counted side by side.

    Returns:
        Side to row to counts.

    Raises:
        RuntimeError: a process failed, or counted something else than what was asked for. It says how it ended.
    """
    with tempfile.TemporaryDirectory() as folder:
        running = {side: _start(side, Path(folder, side)) for side in sides}
        said = {side: process.communicate()[0] for side, process in running.items()}
        for side, process in running.items():
            if process.returncode:
                raise RuntimeError(f"{side} cannot be counted: {said[side][-2000:]}")
        return {side: _counts(Path(folder), side) for side in sides}


def _start(side: str, counted: Path) -> subprocess.Popen[str]:
    command = [str(valgrind()), "--tool=callgrind", f"--dump-before={ROUND_THE_STRETCH}"]
    command += [f"--callgrind-out-file={counted}", sys.executable, "-m", "benchmarks.instructions", side]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "BATCHCORE_"))}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=variables | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
    )


def _counts(folder: Path, side: str) -> dict[str, Counts]:
    """Read what a process counted. The first file is of what came before the first stretch, then each second one."""
    files = [folder / f"{side}.{position}" for position in range(1, 2 * 2 * len(COUNTED) + 1)]
    if not files[-1].exists():
        raise RuntimeError(f"{side}: callgrind has not seen every call of {ROUND_THE_STRETCH}.")
    totals = iter([_total(file) for file in files[1::2]])
    counts = {}
    for name, row in COUNTED.items():
        small, large = next(totals) / SMALL_BATCHES, next(totals) / LARGE_BATCHES
        record = (large - small) / (LARGE - _small(row))
        counts[name] = Counts(small - _small(row) * record, record)
    return counts


def _small(row: Row) -> int:
    """Return the size of the small batches: one record, or as many as it takes for one to fail.

    The cost of a batch by itself is what is left of them without their records, so it is best known from few.
    """
    return 10 if row.handler is fails_on_poison else 1


def _total(file: Path) -> int:
    found = re.search(r"^totals: (\d+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{file.name} has no total.")
    return int(found[1])


def run_counted(side: str) -> None:
    """Run every row, with a call of ``os.getppid`` before and after each stretch that is to be counted."""
    logging.getLogger().addHandler(logging.NullHandler())
    prepare = importlib.import_module(f"benchmarks.sides.{side}").prepare
    for row in COUNTED.values():
        process = prepare(row, None)
        _stretch(process, row.event(_small(row)), SMALL_BATCHES)
        _stretch(process, row.event(LARGE), LARGE_BATCHES)


def _stretch(process: Process, event: Event, batches: int) -> None:
    for _ in range(10):  # the interpreter has then replaced what it will replace by faster instructions
        process(event)
    gc.collect()
    gc.freeze()
    os.getppid()
    for _ in range(batches):
        process(event)
    os.getppid()
    gc.unfreeze()


def counts_table(counts: dict[str, dict[str, Counts]]) -> str:
    """Write the counts of all sides as a table, ours over the peer's beside them."""
    sides = list(counts)
    heading = ["row", "", *sides, "ratio"]
    lines = [
        [
            row if part == "batch" else "",
            f"per {part}",
            *(f"{getattr(counts[side][row], part):,.0f}" for side in sides),
            f"{getattr(counts['ours'][row], part) / getattr(counts['powertools'][row], part):.3f}",
        ]
        for row in COUNTED
        for part in Counts._fields
    ]
    return table([heading, *lines], left=(0, 1))


if __name__ == "__main__":
    run_counted(sys.argv[1])
