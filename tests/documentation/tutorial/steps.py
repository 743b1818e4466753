"""Follow a tutorial as its reader does: run its commands, write its files, change them, look at what is printed.

Which blocks are which, ``tests/documentation/pages/page.py`` says. The blocks of commands run in one shell after the
other; each finds the variables and the folder that the one before has left, as if it were one shell.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.documentation.pages.page import parts_of

ROOT = Path(__file__).resolve().parents[3]
_PATIENCE_S = 300


class StepError(Exception):
    """The tutorial cannot be followed."""


def follow(text: str, folder: Path, variables: Mapping[str, str]) -> None:
    """Follow a tutorial.

    Args:
        text: the page.
        folder: an empty directory.
        variables: of the shell in which it begins.

    Raises:
        StepError: a step does not do what the page says.
    """
    shell = Shell(folder, variables)
    for part in parts_of(text):
        try:
            if part.language == "console":
                shell.run(part.text, fails="fails" in part.marks)
            elif "shows" in part.marks:
                compare(part.text, shell.printed)
            else:
                edit(part, folder)
        except StepError as error:
            raise StepError(f"line {part.line}: {error}") from error


def edit(part: Any, folder: Path) -> None:
    """Write a file, or change one.

    Raises:
        StepError: its folder is not there, the text to change does not stand there once, or it is no step at all.
    """
    if "write" in part.marks:
        file = folder / part.marks["write"]
        if not file.parent.is_dir():
            raise StepError(f"there is no folder for {part.marks['write']}")
        file.write_text(part.text, encoding="utf-8")
    elif "change" in part.marks:
        file = folder / part.marks["change"]
        before, after = sides(part.text)
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        if text.count(before) != 1:
            raise StepError(f"{part.marks['change']} has what is to be changed {text.count(before)} times")
        file.write_text(text.replace(before, after), encoding="utf-8")
    else:
        raise StepError("this block is no step: it has no mark")


def sides(diff: str) -> tuple[str, str]:
    """Give what stands in a file before a change, and after it."""
    lines = diff.splitlines(keepends=True)
    before, after = ("".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +"))
    return before, after


def compare(shown: str, printed: str) -> None:
    """Look for what the page shows in what was printed. ``...`` stands for anything.

    Raises:
        StepError: it is not there.
    """
    pattern = re.escape(shown.rstrip("\n")).replace(re.escape("..."), ".*")
    if not re.search(pattern, printed, re.DOTALL):
        raise StepError(f"the commands before do not print this, but:\n{printed}")


class Shell:
    """A shell, as far as one block of commands can leave something to the next.

    Attributes:
        printed: what the last block printed.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.variables = {**variables, "PWD": str(folder)}
        self.printed = ""
        self._state = Path(variables["HOME"], "variables")

    def run(self, commands: str, *, fails: bool = False) -> None:
        """Run commands, up to the first that fails.

        Raises:
            StepError: one failed, or none did and one should.
        """
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-c", f"trap 'env -0 >\"$HOME/variables\"' EXIT\n{commands}"],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            cwd=self.variables["PWD"],
            env=self.variables,
            timeout=_PATIENCE_S,
        )
        self.printed = done.stdout
        if (done.returncode != 0) != fails:
            raise StepError(f"the commands end with {done.returncode}:\n{done.stdout}")
        left = self._state.read_text(encoding="utf-8").split("\0")
        self.variables = dict(variable.split("=", 1) for variable in left if variable)
