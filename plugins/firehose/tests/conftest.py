"""The sample events, which all packages of the repository share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EVENTS = Path(__file__).resolve().parents[3] / "tests" / "events"

Sample = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def sample() -> Sample:
    """Give the function that reads a sample event, a new one at each call."""

    def read(name: str) -> dict[str, Any]:
        event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
        return event

    return read
