"""Fixtures: one test per way of calling a processor, and a log that nobody reads."""

from __future__ import annotations

from tests.fixtures import driver, nobody_listens, opened, way

__all__ = ["driver", "nobody_listens", "opened", "way"]
