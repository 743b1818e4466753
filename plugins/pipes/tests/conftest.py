"""The sample events of AWS, which the kit has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore_testing.contract.broken import samples


@pytest.fixture(scope="session")
def sample() -> Callable[[str], Any]:
    """Give the function that reads a sample event of a pipe, a new one at each call."""
    return lambda name: samples()[name]
