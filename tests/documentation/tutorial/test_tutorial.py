"""The tutorial is followed from nothing, and what comes of it is the example.

It runs as it stands: ``python3 -m venv`` makes an environment, and the pip in it installs. Only where that pip looks is
said from outside, by its variables: in a folder of wheels, ours and those that they need (``tests/wheels.py``), packed
again from what the pinned requirements have installed here. So it needs no network, works on every Python on which the
tests run, and nothing of the source tree is in reach.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from .steps import ROOT, StepError, edit, follow, parts_of

PAGE = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
EXAMPLE = ROOT / "examples" / "write_a_source"
MODULE = "acme_kafka/__init__.py"
LEFT_BY_TOOLS = (".venv", "__pycache__", ".pytest_cache")


def files_of(folder: Path) -> dict[str, str]:
    """Give the files of a project, by their names, without what tools leave there."""
    found = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in LEFT_BY_TOOLS]
        paths = [Path(place, name) for name in files]
        found |= {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty directory."""
    made = tmp_path / "empty"
    made.mkdir()
    return made


def test_the_tutorial_can_be_followed_in_an_empty_directory(folder: Path, stranger: Mapping[str, str]) -> None:
    pytest.importorskip("pydantic")  # without it, the last line that a reader sees counts the tests that are skipped
    follow(PAGE, folder, stranger)

    assert files_of(folder) == files_of(EXAMPLE)
    look = "import acme_kafka, batchcore, sys; print(acme_kafka.__file__, batchcore.__file__, *sys.path, sep='\\n')"
    python = [folder / ".venv" / "bin" / "python", "-c", look]
    places = subprocess.run(python, check=True, capture_output=True, text=True, cwd=folder, env=stranger).stdout.split()
    assert places[0] == str(folder / MODULE)
    assert Path(places[1]).is_relative_to(folder / ".venv")
    assert [place for place in places if Path(place).is_relative_to(ROOT)] == []


def test_the_example_is_what_the_tutorial_writes(folder: Path) -> None:
    for name in ("acme_kafka", "tests"):
        (folder / name).mkdir()

    for part in parts_of(PAGE):
        if part.marks.keys() & {"write", "change"}:
            edit(part, folder)

    assert files_of(folder) == files_of(EXAMPLE)


def test_the_example_works_as_a_strangers_package(
    folder: Path, wheels: Path, new_environment: Callable[[Path], Any]
) -> None:
    """Built into a wheel, installed beside ours, and tested from where nothing but its tests lies."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=EXAMPLE)
    environment = new_environment(folder / ".venv")
    environment.install(*folder.glob("acme_kafka-*.whl"), "batchcore-testing")
    shutil.copytree(EXAMPLE / "tests", folder / "tests")

    printed = environment.run(environment.python, "-m", "pytest", "-p", "no:cacheprovider", cwd=folder)

    assert " passed" in printed
    assert "failed" not in printed
    look = (environment.python, "-c", "import acme_kafka, batchcore; print(acme_kafka.__file__, batchcore.__file__)")
    assert all(Path(place).is_relative_to(folder / ".venv") for place in environment.run(*look, cwd=folder).split())


def test_the_source_has_30_lines() -> None:
    assert len([line for line in (EXAMPLE / MODULE).read_text(encoding="utf-8").splitlines() if line.strip()]) <= 40


def test_the_simulator_takes_three_lines() -> None:
    lines = (EXAMPLE / "tests" / "test_topic.py").read_text(encoding="utf-8").splitlines()

    assert ["simulator" in line or "topic" in line for line in lines[-3:]] == [True, True, True]


# What is found out.


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("```console\nfalse\ntrue\n```\n", "line 2: the commands end with 1"),
        ("```console\nno-such-command\n```\n", "no-such-command"),
        ("<!-- fails -->\n```console\ntrue\n```\n", "end with 0"),
        ("```console\necho a\n```\n<!-- shows -->\n```text\nb\n```\n", "line 6: the commands before"),
        ("```console\necho a; echo b\n```\n<!-- shows -->\n```text\nb\na\n```\n", "do not print this"),
        ("<!-- write folder/file -->\n```text\n```\n", "no folder for folder/file"),
        ("<!-- write file -->\n```text\na\n```\n<!-- change file -->\n```diff\n-b\n+c\n```\n", "0 times"),
        ("<!-- write file -->\n```text\na\na\n```\n<!-- change file -->\n```diff\n-a\n+c\n```\n", "2 times"),
        ("<!-- change file -->\n```diff\n-a\n+b\n```\n", "0 times"),
        ("```python\nx = 1\n```\n", "no step"),
    ],
)
def test_a_tutorial_that_cannot_be_followed_is_found_out(
    text: str, complaint: str, folder: Path, stranger: Mapping[str, str]
) -> None:
    with pytest.raises(StepError, match=complaint):
        follow(text, folder, stranger)


@pytest.mark.parametrize(
    "text",
    [
        "```console\ncd ..\nexport A=1\nf() { echo 'two\nlines'; }\n```\n```console\ntest $A = 1\ncd empty\n```\n",
        "<!-- fails -->\n```console\nexport A=1\nfalse\n```\n```console\ntest $A = 1\n```\n",
        "```console\necho 'a b c'; echo d >&2\n```\n<!-- shows -->\n```text\na ... c\nd\n```\n",
        (
            "<!-- write file -->\n```text\na\nb\n```\n<!-- change file -->\n```diff\n a\n-b\n+c\n```\n"
            "```console\ncat file\n```\n<!-- shows -->\n```text\na\nc\n```\n"
        ),
    ],
)
def test_what_one_step_leaves_the_next_finds(text: str, folder: Path, stranger: Mapping[str, str]) -> None:
    follow(text, folder, stranger)


def test_a_stranger_has_nothing_of_ours(folder: Path, stranger: Mapping[str, str]) -> None:
    follow("<!-- fails -->\n```console\npython3 -c 'import batchcore'\n```\n", folder, stranger)
