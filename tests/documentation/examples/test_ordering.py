"""The program that shows what stopping at the first failure costs on a stream: what it prints, and its rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = "ordering/stop_first.py"


@pytest.fixture(scope="module")
def printed() -> str:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / PROGRAM)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def of(title: str, printed: str) -> dict[str, str]:
    """Give what is printed under a title."""
    _, found, rest = printed.partition(f"{title}\n")
    assert found
    lines = rest.partition("\n\n")[0].splitlines()
    return {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_it_prints_what_the_page_shows(printed: str) -> None:
    page = (ROOT / "docs" / "ordering.md").read_text(encoding="utf-8")
    assert f"```text\n{printed.rstrip()}\n```" in page


def test_going_on_loses_the_poison_record_alone(printed: str) -> None:
    shown = of("Goes on past a failure (the source's own ordering), 3 retries", printed)
    assert shown["lost"] == "4"
    assert shown["never tried"] == "none"
    assert shown["discarded"] == "4 5 6 7 8"


def test_stopping_loses_records_that_were_never_tried(printed: str) -> None:
    shown = of("in_order(), 3 retries", printed)
    assert shown["lost"] == "4 5 6 7 8"
    assert shown["never tried"] == "5 6 7 8"


def test_stopping_by_key_loses_what_was_never_tried_of_that_key(printed: str) -> None:
    shown = of("by_key(partition_key), 3 retries", printed)
    assert shown["lost"] == "4 6 8"
    assert shown["never tried"] == "6 8"


@pytest.mark.parametrize(
    "title",
    [
        "in_order(), 3 retries, dead letter after 2 failures",
        "in_order(), no limit of retries, 4 succeeds after 20 failures",
    ],
)
def test_stopping_loses_nothing_where_the_lane_moves_on_or_nothing_runs_out(title: str, printed: str) -> None:
    assert of(title, printed)["lost"] == "none"
