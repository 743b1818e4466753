"""A quick run leaves out what it says, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = (Path(__file__).parents[1] / "conftest.py").read_text(encoding="utf-8")
TESTS = """
import pytest
from hypothesis import given, settings, strategies

tried = []

@pytest.mark.parametrize("case", range(250))
def test_cases(case):
    pass

@settings(max_examples=200)
@given(strategies.integers())
def test_property(number):
    tried.append(number)

def test_examples():
    print("tried", len(tried))
"""


@pytest.mark.parametrize(("options", "passed", "tried"), [((), 252, 200), (("--few",), 102, 40)])
def test_fewer_cases_and_fewer_examples_run(tmp_path: Path, options: tuple[str, ...], passed: int, tried: int) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "conftest.py").write_text(CONFTEST, encoding="utf-8")
    (folder / "test_some.py").write_text(TESTS, encoding="utf-8")

    said = run(tmp_path, *options)

    assert f"{passed} passed" in said
    assert f"tried {tried}\n" in said


def test_the_folders_whose_tests_start_other_programs_are_left_out(tmp_path: Path) -> None:
    for folder in ("tests/documentation/pages", "tests/engine", "plugins/local/tests", "plugins/sqs/tests"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"test_{folder.replace('/', '_')}.py").write_text("def test_it(): pass\n")
    (tmp_path / "tests" / "conftest.py").write_text(CONFTEST, encoding="utf-8")

    assert "4 passed" in run(tmp_path)
    assert "2 passed" in run(tmp_path, "--quick")


def run(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", "-p", "no:batchcore", *options]
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = tests plugins\naddopts = --import-mode=importlib\n")
    (folder / "plugins").mkdir(exist_ok=True)
    done = subprocess.run(command, check=False, capture_output=True, text=True, encoding="utf-8", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
