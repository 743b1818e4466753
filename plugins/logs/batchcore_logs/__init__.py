"""Source, identifier and attempt of a record as fields of each log line that its handler writes.

For the standard library's logging, for what is built on it, such as the Logger of Powertools, and for structlog.
"""

from __future__ import annotations

from batchcore_logs.context import bind
from batchcore_logs.plugin import LogContext
from batchcore_logs.structured import add_record

__all__ = ["LogContext", "add_record", "bind"]
