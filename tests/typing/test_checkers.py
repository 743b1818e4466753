"""The files beside this one are checked by both type checkers, and not run.

In ``accepted`` neither finds an error. In ``refused`` both find one on each line that ends in ``# refused``, and on no
other.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

FOLDER = Path(__file__).parent
MARK = "# refused"


class Line(NamedTuple):
    """A line of a file."""

    file: str
    number: int


Found = dict[Line, str]


@cache
def mypy() -> Found:
    """Give the errors that mypy finds, in its strict mode as the configuration has it."""
    errors = map(json.loads, output("mypy", "--output=json").splitlines())
    return {
        Line(place(error["file"]), error["line"]): f"{error['code']}: {error['message']}"
        for error in errors
        if error["severity"] == "error"
    }


@cache
def pyright() -> Found:
    """Give the errors that pyright finds, in its strict mode as the configuration has it."""
    report = json.loads(output("pyright", "--outputjson", "--pythonpath", sys.executable))
    return {
        Line(place(error["file"]), error["range"]["start"]["line"] + 1): f"{error.get('rule')}: {error['message']}"
        for error in report["generalDiagnostics"]
        if error["severity"] == "error"
    }


def place(file: str) -> str:
    """Name a file by its folder and name."""
    return "/".join(Path(file).parts[-2:])


def output(checker: str, *options: str) -> str:
    """Run a checker on all files, where the configuration is. Its exit code is 1 when it found errors."""
    files = [str(path) for kind in ("accepted", "refused") for path in sorted(FOLDER.glob(f"{kind}/*.py"))]
    command = [sys.executable, "-m", checker, *options, *files]
    result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=FOLDER.parents[1])
    assert result.returncode in (0, 1), result.stdout + result.stderr
    return result.stdout


def marked_lines() -> set[Line]:
    """Give the lines that must be refused."""
    return {
        Line(f"refused/{path.name}", number)
        for path in FOLDER.glob("refused/*.py")
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if text.endswith(MARK)
    }


@pytest.mark.parametrize("check", [mypy, pyright])
def test_right_use_is_accepted_and_wrong_use_refused(check: Callable[[], Found]) -> None:
    found, refused = check(), marked_lines()

    assert refused, "no file was found"
    assert {line: error for line, error in found.items() if line not in refused} == {}
    assert refused - found.keys() == set()
