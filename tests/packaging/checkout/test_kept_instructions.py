"""The check of instructions says what grew, keeps what it is told to, and compares nothing across Pythons."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks import check, instructions
from benchmarks.check import Kept
from benchmarks.instructions import COUNTED, Counts

BEFORE = {"plain": Kept(1_000, 100, "First")}


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of kept figures, and no valgrind that would take its time."""
    file = tmp_path / "kept.json"
    monkeypatch.setattr(check, "KEPT", file)
    monkeypatch.setattr(instructions, "valgrind", lambda: "valgrind")
    check.write_kept(BEFORE)
    return file


def run(monkeypatch: pytest.MonkeyPatch, counted: Counts, *arguments: str) -> int:
    monkeypatch.setattr(instructions, "measure", lambda sides: {"ours": {"plain": counted}})
    monkeypatch.setattr(sys, "argv", ["check", *arguments])
    return check.main()


def test_every_row_that_is_counted_is_kept_with_a_reason() -> None:
    rows = json.loads(check.KEPT.read_text(encoding="utf-8"))["rows"]

    assert rows.keys() == COUNTED.keys()
    assert len(rows) == 10
    assert [row for row, figures in rows.items() if not figures["why"] or figures["record"] <= 0] == []


@pytest.mark.parametrize("counted", [Counts(1_000, 100), Counts(1_049, 104.9), Counts(100, 10)])
def test_figures_that_did_not_grow_much_pass(kept: Path, monkeypatch: pytest.MonkeyPatch, counted: Counts) -> None:
    assert run(monkeypatch, counted) == 0


@pytest.mark.parametrize(
    ("counted", "said"),
    [
        (Counts(1_000, 106), "plain, per record: grew by 6.0%, from 100 to 106 instructions."),
        (Counts(1_100, 100), "plain, per batch: grew by 10.0%, from 1,000 to 1,100 instructions."),
    ],
)
def test_a_figure_that_grew_fails_and_it_says_by_how_much_and_how_to_keep_it(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], counted: Counts, said: str
) -> None:
    assert run(monkeypatch, counted) == 1
    printed = capsys.readouterr().out
    assert said in printed
    assert "--keep" in printed


def test_what_is_kept_replaces_the_rows_that_changed_and_says_why(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, Counts(1_040, 100), "--keep", "Too little to keep") == 0
    assert check.read_kept() == BEFORE

    assert run(monkeypatch, Counts(1_000, 120), "--keep", "Look at each record") == 0
    assert check.read_kept() == {"plain": Kept(1_000, 120, "Look at each record")}


def test_a_row_of_which_nothing_was_kept_fails(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check.write_kept({})

    assert run(monkeypatch, Counts(1_000, 100)) == 1


def test_nothing_is_compared_with_another_build_of_python(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.write_text(kept.read_text().replace(json.dumps(sys.version), '"4.0.0"'))

    assert run(monkeypatch, Counts(9_000, 900)) == 0
    assert "another build of Python" in capsys.readouterr().out


def test_nothing_is_compared_without_valgrind(
    kept: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instructions, "valgrind", lambda: None)

    assert run(monkeypatch, Counts(9_000, 900)) == 0
    assert "valgrind is not installed" in capsys.readouterr().out
