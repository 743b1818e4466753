"""The observer of batchcore-sentry, in a function that reports errors to Sentry."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sentry_sdk

from batchcore_sentry import SentryObserver

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_SECONDS_LATER = 0.2


@contextmanager
def plugins(address: str, **options: Any) -> Iterator[list[object]]:
    sentry_sdk.init(dsn=f"http://key@{address}/1", **options)
    yield [SentryObserver()]
    sentry_sdk.get_client().close()
