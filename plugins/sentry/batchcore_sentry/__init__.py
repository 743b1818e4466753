"""Failed records as events of Sentry; batches and records as transactions and spans.

The observer is passed to a processor as one of its ``plugins``. It uses the client that ``sentry_sdk.init()`` has made.
"""

from __future__ import annotations

from batchcore_sentry.observer import SentryObserver

__all__ = ["SentryObserver"]
