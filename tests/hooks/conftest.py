"""Fixtures: the drivers, the sample events, a process in which nothing has been found yet, packages to be found."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from .installed import Site
from .support import DRIVERS, Run

EVENTS = Path(__file__).parents[1] / "events"

Sample = Callable[[str], dict[str, Any]]


@pytest.fixture(params=DRIVERS, ids=lambda run: str(run.__name__))
def driver(request: pytest.FixtureRequest) -> Run:
    """This thread, worker threads, asyncio tasks."""
    chosen: Run = request.param
    return chosen


@pytest.fixture(scope="session")
def sample() -> Sample:
    """Give the function that reads a sample event, a new one at each call."""

    def read(name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
        return event

    return read


PATIENCE_S = 20
"""After this a test that waits for another thread gives up: it has failed."""


@pytest.fixture
def never() -> Iterator[Callable[..., None]]:
    """A call to the outside that does not answer as long as the test lasts. It takes any arguments."""
    ended = threading.Event()
    yield lambda *arguments: assert_(ended.wait(PATIENCE_S))
    ended.set()


def assert_(happened: bool) -> None:
    assert happened, "it waited for a call that does not answer"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A folder on the path, for packages that are installed for one test."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield Site(folder)
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module ``batchcore`` as in a process that has just begun: nothing offered, nothing looked for."""
    monkeypatch.delenv("BATCHCORE_PLUGINS", raising=False)
    _hide(monkeypatch)
    before = {name: sys.modules.pop(name) for name in _ours()}
    yield importlib.import_module("batchcore")
    for name in _ours():
        del sys.modules[name]
    sys.modules.update(before)


NOT_INSTALLED = {f"batchcore-{name}": f"batchcore_{name}" for name in ("kafka", "mq", "firehose", "s3batch", "pipes")}
"""Distributions that are here, with their modules, and that tests of what is not installed take for not installed."""


def _hide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody find those, and what a test installs under their names be found."""
    find_spec = importlib.util.find_spec
    origins = {getattr(find_spec(module), "origin", None) for module in NOT_INSTALLED.values()} - {None}

    def finds(name: str, package: str | None = None) -> Any:
        spec = find_spec(name, package)
        return None if spec is not None and spec.origin in origins else spec

    monkeypatch.setattr(importlib.util, "find_spec", finds)
    for reader in ("importlib_metadata", "importlib.metadata"):
        with suppress(ImportError):
            metadata: Any = importlib.import_module(reader)
            monkeypatch.setattr(metadata, "distributions", _showing(metadata.distributions))


def _showing(distributions: Callable[..., Any]) -> Callable[..., Any]:
    return lambda **context: [each for each in distributions(**context) if not _is_hidden(each)]


def _is_hidden(distribution: Any) -> bool:
    try:
        module = NOT_INSTALLED.get(distribution.name)
        return module is not None and any(entry.value.startswith(f"{module}:") for entry in distribution.entry_points)
    except Exception:  # what cannot be read is what some tests are about
        return False


def _ours() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0].startswith("batchcore")]
