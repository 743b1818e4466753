"""The same where every trace is sampled: a transaction for each batch, and a span for each record."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.observed import sentry

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def plugins(address: str) -> Iterator[list[object]]:
    with sentry.plugins(address, traces_sample_rate=1.0) as named:
        yield named
