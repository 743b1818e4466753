"""What lies inside a record of any source: envelopes, compressed data, payloads in S3, aggregated records of Kinesis.

:func:`open` makes a plugin that opens envelopes, :class:`UserRecords` is one that takes aggregated records apart. Both
are passed to a processor as ``plugins``.
"""

from __future__ import annotations

from batchcore_envelopes.envelopes import (
    CHANGES,
    EVENT_BRIDGE,
    GZIP,
    LOGS,
    S3,
    SNS,
    Envelope,
    GzipEnvelope,
    LogsEnvelope,
    S3Envelope,
)
from batchcore_envelopes.naming import open  # noqa: A004 - envelopes.open(SNS, S3)
from batchcore_envelopes.opening import Envelopes, Place, inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore_envelopes.aggregated import UserRecords, deaggregate
    from batchcore_envelopes.changes import TableChange
    from batchcore_envelopes.errors import (
        AggregateError,
        CompressedDataError,
        EnvelopeError,
        NotOpenedError,
        PayloadError,
        PayloadsNotDeletedError,
    )
    from batchcore_envelopes.payloads import S3Payloads, S3Pointer
    from batchcore_envelopes.views import CloudWatchLogsData, EventBridgeEvent, LogEvent

__all__ = [  # noqa: RUF022 - capitals come before small ones, as in all packages
    "AggregateError",
    "CHANGES",
    "CloudWatchLogsData",
    "CompressedDataError",
    "EVENT_BRIDGE",
    "Envelope",
    "EnvelopeError",
    "Envelopes",
    "EventBridgeEvent",
    "GZIP",
    "GzipEnvelope",
    "LOGS",
    "LogEvent",
    "LogsEnvelope",
    "NotOpenedError",
    "PayloadError",
    "PayloadsNotDeletedError",
    "Place",
    "S3",
    "S3Envelope",
    "S3Payloads",
    "S3Pointer",
    "SNS",
    "TableChange",
    "UserRecords",
    "deaggregate",
    "inside",
    "open",
]

_ELSEWHERE = {
    **dict.fromkeys(("UserRecords", "deaggregate"), "aggregated"),
    **dict.fromkeys(("CloudWatchLogsData", "EventBridgeEvent", "LogEvent"), "views"),
    **dict.fromkeys(("S3Payloads", "S3Pointer"), "payloads"),
    "TableChange": "changes",
}

if not TYPE_CHECKING:  # a checker that saw it would take any name, and misspelt ones too

    def __getattr__(name: str) -> object:
        """Return what not every function needs, when somebody asks for it."""
        if name not in __all__:
            raise AttributeError(f"module 'batchcore_envelopes' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"batchcore_envelopes.{_ELSEWHERE.get(name, 'errors')}"), name)
