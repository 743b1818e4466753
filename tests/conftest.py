"""What all tests share: an environment of a stranger's, and what is said at the end besides the outcome."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest


class Environment:
    """A virtual environment without a package, on the way to what wheels make of it.

    Args:
        folder: where to make it.
        variables: what processes in it get, and nothing else.

    Attributes:
        python: its Python.
    """

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.python = folder / "bin" / "python"
        # Without a pip of its own, which takes most of the time: that of the tests installs into it.
        self.run("python3", "-m", "venv", "--without-pip", str(folder))

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """Run a command, and give what it printed."""
        done = subprocess.run(
            [str(part) for part in command],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            cwd=cwd,
            env=dict(self.variables),
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def install(self, *what: str | Path) -> None:
        """Install requirements, from wheels alone."""
        self.run(sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", *what)


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wheels: ours, and all that they and their tests need. See ``tests/wheels.py``."""
    folder = tmp_path_factory.mktemp("wheels")
    subprocess.run([sys.executable, Path(__file__).with_name("wheels.py"), folder], check=True)
    return folder


@pytest.fixture(scope="session")
def stranger(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The variables of somebody who has Python, no source tree, and a pip that finds the wheels and nothing else.

    Python is ``python3``, as it is without an environment. Nothing of the variables of the tests is kept.
    """
    home = tmp_path_factory.mktemp("stranger")
    (home / "bin").mkdir()
    python = Path(sys.base_prefix, "bin", "python{}.{}".format(*sys.version_info[:2]))
    shim = home / "bin" / "python3"
    shim.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} "$@"\n', encoding="utf-8")
    shim.chmod(0o755)
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join((str(home / "bin"), *os.defpath.split(os.pathsep))),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_FIND_LINKS": wheels.as_uri(),
        "PIP_NO_INDEX": "1",
        "PYTHONUNBUFFERED": "1",  # what is printed and what is logged come in their order, as on a terminal
        "PYTHONUTF8": "1",
    }


@pytest.fixture(scope="session")
def new_environment(stranger: Mapping[str, str]) -> Callable[[Path], Environment]:
    """A function: a folder to a virtual environment of the stranger's in it."""
    return lambda folder: Environment(folder, stranger)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on which Pythons functions ran in AWS's runtime client.

    It stands here because the process that reports loads no deeper file when others run the tests.
    """
    reports = [report for kind in ("passed", "failed", "skipped") for report in terminalreporter.getreports(kind)]
    properties = [entry for report in reports for entry in getattr(report, "user_properties", ())]
    lines = {str(value) for name, value in properties if name == "lambda_runtime"}
    if lines:
        terminalreporter.section("AWS's runtime client")
        for line in sorted(lines):
            terminalreporter.line(line)
