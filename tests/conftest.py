"""What all tests share: how to run fewer, an environment of a stranger's, and what is said at the end."""

from __future__ import annotations

import gc
import logging
import os
import shlex
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

ROOT = Path(__file__).resolve().parents[1]
OTHER_PROGRAMS = {
    *(ROOT / "tests" / name for name in ("documentation", "runtime")),
    *(ROOT / "plugins" / name for name in ("deadletter", "local", "mq/tests/brokers", "sentry/tests/runtime")),
}
"""Folders whose tests start other programs: interpreters, checkers, installers, servers. They take most of the time."""
CASES, FEWER_EXAMPLES = 100, 5

settings.register_profile("patient", suppress_health_check=[HealthCheck.too_slow])  # all is, on a busy machine
settings.register_profile("unshrunk", settings.get_profile("patient"), phases=[Phase.explicit, Phase.generate])
# The runner of mutants asks only whether a batch is found, not for a small one.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "patient"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer to run fewer tests."""
    parser.addoption("--few", action="store_true", help="a fifth of the examples of properties, 100 cases of a test")
    parser.addoption("--quick", action="store_true", help="--few, without the folders whose tests start other programs")


def pytest_configure(config: pytest.Config) -> None:
    """Leave out the folders whose tests start other programs, with ``--quick``; put logging back after each test."""
    config.pluginmanager.register(LoggingAsItWas())
    if config.getoption("--quick"):
        config.option.ignore = [*(config.option.ignore or ()), *map(str, sorted(OTHER_PROGRAMS))]


class LoggingAsItWas:
    """Puts back what a test, or a program that it runs, has changed of logging. No test sees what another set up."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Generator[None, object, object]:
        """Run a test, with its fixtures."""
        loggers = [logging.getLogger(name) for name in (None, "batchcore")]
        states = [(logger.level, logger.handlers[:], logger.filters[:], logger.propagate) for logger in loggers]
        factory = logging.getLogRecordFactory()
        try:
            return (yield)
        finally:
            logging.setLogRecordFactory(factory)
            for logger, (level, handlers, filters, propagate) in zip(loggers, states, strict=True):
                logger.setLevel(level)
                logger.handlers[:], logger.filters[:], logger.propagate = handlers, filters, propagate


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test with very many cases leave some, spread evenly, and of properties try fewer examples."""
    if not (config.getoption("--few") or config.getoption("--quick")):
        return
    cases = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        cases[item.nodeid.partition("[")[0]].append(item)
    kept = {id(item) for some in cases.values() for item in evenly(some)}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in kept])
    items[:] = [item for item in items if id(item) in kept]
    for test in {item.function for item in items if isinstance(item, pytest.Function)}:
        fewer_examples(test)


def pytest_collection_finish() -> None:
    """Leave thousands of tests out of what the collector looks through each time that a test asks it to collect."""
    gc.collect()
    gc.freeze()


def evenly(cases: list[pytest.Item]) -> list[pytest.Item]:
    """Give up to a hundred of the cases of a test."""
    return [cases[position * len(cases) // CASES] for position in range(CASES)] if len(cases) > CASES else cases


def fewer_examples(test: Callable[..., object]) -> None:
    """Try fewer examples of a property. Where it says how many, no profile of hypothesis is asked."""
    own = getattr(test, "_hypothesis_internal_use_settings", None)
    if isinstance(own, settings):
        examples = max(10, own.max_examples // FEWER_EXAMPLES)
        vars(test)["_hypothesis_internal_use_settings"] = settings(own, max_examples=examples)


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
