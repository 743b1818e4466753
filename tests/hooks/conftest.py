"""Fixtures: the drivers, the sample events, a process in which nothing has been found yet, packages to be found."""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
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
    before = {name: sys.modules.pop(name) for name in _ours()}
    yield importlib.import_module("batchcore")
    for name in _ours():
        del sys.modules[name]
    sys.modules.update(before)


def _ours() -> list[str]:
    return [name for name in sys.modules if name.partition(".")[0].startswith("batchcore")]
