"""The log context of batchcore-logs where structlog is imported, and takes its fields from context variables."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog  # noqa: F401 - as a handler has it

from batchcore_logs import LogContext

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def plugins(address: str) -> Iterator[list[object]]:
    yield [LogContext()]
