"""The program that measures what the page says of costs runs, and the page has each of its rows."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "envelopes.md"


def test_the_program_runs_and_the_page_has_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(HERE))
    for name in ("costs", "conftest"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import costs  # type: ignore[import-not-found, unused-ignore]  # it lies beside this file

    lines: list[str] = costs.main(rounds=1, starts=1)
    monkeypatch.delitem(sys.modules, "costs")
    assert [line.rpartition(" ")[2] for line in lines] == ["record"] * 9 + ["ms"] * 3 + ["MiB"] * 2
    page = PAGE.read_text(encoding="utf-8")
    assert "python plugins/envelopes/tests/costs.py" in page
    for name, *_ in costs.rows():
        call, bracket, more = name.rpartition(")")
        assert f"| `{call}{bracket}`{more} |" in page
