"""Fixtures: one test per way of calling a processor, and a log that nobody reads."""

from __future__ import annotations

import io
import logging

import pytest

from tests.batches import logger_with
from tests.fixtures import driver, nobody_listens, opened, way

__all__ = ["driver", "nobody_listens", "opened", "way"]


@pytest.fixture
def printing() -> logging.Logger:
    """A logger that prints to nowhere."""
    return logger_with(logging.StreamHandler(io.StringIO()))
