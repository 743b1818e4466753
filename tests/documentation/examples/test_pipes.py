"""The program behind a pipe: what it prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_it_prints_what_the_page_shows() -> None:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "pipes" / "kinesis.py")]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    page = (ROOT / "plugins" / "pipes" / "README.md").read_text(encoding="utf-8")

    assert f"```text\n{printed.rstrip()}\n```" in page
    assert len(printed.splitlines()) == 2
