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
    PluginError,
    PluginLoadError,
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
from batchcore.outcome import BatchResult, Outcome, Outcomes
from batchcore.partial import BasePartialProcessor
from batchcore.plugins import offer
from batchcore.processor import AsyncBatchProcessor, BatchProcessor
from batchcore.view import RecordView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore.disposition import Disposition
    from batchcore.types import (
        ExceptionInfo,
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
    "Disposition",
    "DuplicateHookError",
    "EntryFailedError",
    "EventType",
    "ExceptionInfo",
    "FailureResponse",
    "HandlerSignatureError",
    "HookArgumentsError",
    "LambdaContext",
    "MissingHookError",
    "NoBatchError",
    "NotAttemptedError",
    "Ordering",
    "Outcome",
    "Outcomes",
    "PartialItemFailureResponse",
    "PartialItemFailures",
    "PluginError",
    "PluginLoadError",
    "RecordError",
    "RecordIdentityError",
    "RecordView",
    "SourceBrokenError",
    "SourceError",
    "SourceNotInstalledError",
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

_LAZY = frozenset(__all__) - globals().keys()


def __getattr__(name: str) -> object:
    """Give the names that cost an import of ``typing`` or ``enum``, when somebody asks for one."""
    if name not in _LAZY:
        raise AttributeError(f"module 'batchcore' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("batchcore.disposition" if name == "Disposition" else "batchcore.types"), name)
