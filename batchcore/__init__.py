"""Process batches from AWS event sources: no message lost, no work repeated, no order broken."""

from __future__ import annotations

from batchcore.batch import Batch
from batchcore.configuration import BasePartialBatchProcessor, EventType
from batchcore.errors import (
    AmbiguousSourceError,
    BatchcoreError,
    BatchProcessingError,
    ConfigurationError,
    DuplicateHookError,
    EntryFailedError,
    HandlerSignatureError,
    HookArgumentsError,
    MissingHookError,
    NoBatchError,
    NotAttemptedError,
    OutOfTimeError,
    PluginError,
    PluginLoadError,
    RaisedDisposition,
    RecordError,
    RecordIdentityError,
    SourceBrokenError,
    SourceError,
    SourceNotInstalledError,
    UnawaitedResultError,
    UnexpectedBatchTypeError,
    UnknownHookError,
    UnmarkedHookError,
    WholeBatchRetry,
)
from batchcore.functions import (
    async_batch_processor,
    async_process_partial_response,
    batch_processor,
    process_partial_response,
)
from batchcore.hookspecs import hookimpl
from batchcore.ordering import Ordering, by_key, in_order, unordered
from batchcore.outcome import Outcome, Outcomes
from batchcore.partial import BasePartialProcessor
from batchcore.plugins import offer
from batchcore.processor import AsyncBatchProcessor, BatchProcessor
from batchcore.view import RecordView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore.disposition import Disposition
    from batchcore.explaining import Explanation
    from batchcore.message import Message
    from batchcore.raised import DeadLetterRecord, DropRecord, OutsideCallError, RetryRecord, StopBatch
    from batchcore.result import BatchResult
    from batchcore.types import (
        ExceptionInfo,
        Fail,
        FailureResponse,
        LambdaContext,
        PartialItemFailureResponse,
        PartialItemFailures,
        SuccessResponse,
    )

__all__ = [
    "AmbiguousSourceError",
    "AsyncBatchProcessor",
    "BasePartialBatchProcessor",
    "BasePartialProcessor",
    "Batch",
    "BatchProcessingError",
    "BatchProcessor",
    "BatchResult",
    "BatchcoreError",
    "ConfigurationError",
    "DeadLetterRecord",
    "Disposition",
    "DropRecord",
    "DuplicateHookError",
    "EntryFailedError",
    "EventType",
    "ExceptionInfo",
    "Explanation",
    "Fail",
    "FailureResponse",
    "HandlerSignatureError",
    "HookArgumentsError",
    "LambdaContext",
    "Message",
    "MissingHookError",
    "NoBatchError",
    "NotAttemptedError",
    "Ordering",
    "OutOfTimeError",
    "Outcome",
    "Outcomes",
    "OutsideCallError",
    "PartialItemFailureResponse",
    "PartialItemFailures",
    "PluginError",
    "PluginLoadError",
    "RaisedDisposition",
    "RecordError",
    "RecordIdentityError",
    "RecordView",
    "RetryRecord",
    "SourceBrokenError",
    "SourceError",
    "SourceNotInstalledError",
    "StopBatch",
    "SuccessResponse",
    "UnawaitedResultError",
    "UnexpectedBatchTypeError",
    "UnknownHookError",
    "UnmarkedHookError",
    "WholeBatchRetry",
    "async_batch_processor",
    "async_process_partial_response",
    "batch_processor",
    "by_key",
    "hookimpl",
    "in_order",
    "offer",
    "process_partial_response",
    "unordered",
]

_ELSEWHERE = {
    "BatchResult": "batchcore.result",
    "Explanation": "batchcore.explaining",
    "Disposition": "batchcore.disposition",
    "Message": "batchcore.message",
    **dict.fromkeys(
        ("DeadLetterRecord", "DropRecord", "OutsideCallError", "RetryRecord", "StopBatch"), "batchcore.raised"
    ),
}
_LAZY = frozenset(__all__) - globals().keys()

if not TYPE_CHECKING:  # a checker that saw it would take any name, and misspelt ones too

    def __getattr__(name: str) -> object:
        """Give the names that cost an import of ``typing`` or ``enum``, when somebody asks for one."""
        if name not in _LAZY:
            raise AttributeError(f"module 'batchcore' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_ELSEWHERE.get(name, "batchcore.types")), name)
