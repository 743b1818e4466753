"""Fixtures of several folders: one test per way of calling a processor, and a log that nobody reads.

The conftest.py of a folder imports those that its tests ask for.
"""

from __future__ import annotations

import logging

import pytest

from tests.drivers import CONTEXT_MANAGERS, DRIVERS, WAYS, Way, name_of


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
