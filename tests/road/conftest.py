"""Fixtures: one test per way of calling a processor, and a log that nobody reads."""

from __future__ import annotations

import io
import logging
import os

import pytest
from hypothesis import Phase, settings

from .support import CONTEXT_MANAGERS, DRIVERS, WAYS, Way, logger_with, name_of

settings.register_profile("unshrunk", phases=[Phase.explicit, Phase.generate])
if "HYPOTHESIS_PROFILE" in os.environ:  # the runner of mutants asks only whether a batch is found, not for a small one
    settings.load_profile(os.environ["HYPOTHESIS_PROFILE"])


@pytest.fixture(params=WAYS, ids=name_of)
def way(request: pytest.FixtureRequest) -> Way:
    """Every way of calling a processor."""
    chosen: Way = request.param
    return chosen


@pytest.fixture(params=DRIVERS, ids=name_of)
def driver(request: pytest.FixtureRequest) -> Way:
    """One way of calling for each driver: this thread, worker threads, asyncio tasks."""
    chosen: Way = request.param
    return chosen


@pytest.fixture(params=CONTEXT_MANAGERS, ids=name_of)
def opened(request: pytest.FixtureRequest) -> Way:
    """Every way of calling by a context manager."""
    chosen: Way = request.param
    return chosen


@pytest.fixture
def nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is logged from pytest, which would keep the frames of every exception."""
    monkeypatch.setattr(logging.getLogger("batchcore"), "disabled", True)


@pytest.fixture
def printing() -> logging.Logger:
    """A logger that prints to nowhere."""
    return logger_with(logging.StreamHandler(io.StringIO()))
