"""Process batches from AWS event sources: no message lost, no work repeated, no order broken."""

from __future__ import annotations

# isort: off
from batchcore._base import BasePartialProcessor
from batchcore.callables import hookimpl
from batchcore.errors import (
    AmbiguousSourceError, BatchcoreError, ConfigurationError, DuplicateHookError, EntryFailedError,
    HandlerSignatureError, HookArgumentsError, MissingHookError, NoBatchError, NotAttemptedError, OutOfTimeError,
    PluginError, PluginLoadError, RaisedDisposition, RecordError, RecordIdentityError, SourceBrokenError, SourceError,
    SourceNotInstalledError, UnawaitedResultError, UnexpectedBatchTypeError, UnknownHookError, UnmarkedHookError,
    WholeBatchRetry,
)  # fmt: skip # one name a line would be a page
from batchcore.model import Batch, Ordering, Outcome, Outcomes, by_key, in_order, unordered
from batchcore.processors import (
    AsyncBatchProcessor, BasePartialBatchProcessor, BatchProcessor, EventType, async_process_partial_response,
    process_partial_response,
)  # fmt: skip # one name a line would be a page
from batchcore.records import RecordsSource, RecordView
from batchcore.source import offer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore._classic import async_batch_processor, batch_processor
    from batchcore.dispositions import (
        DeadLetterRecord, Disposition, DropRecord, Message, OutsideCallError, RetryRecord, StopBatch,
    )  # fmt: skip # one name a line would be a page
    from batchcore.hookspecs import Fail
    from batchcore.results import BatchProcessingError, BatchResult, Explanation
    from batchcore.types import (
        ExceptionInfo, FailureResponse, LambdaContext, PartialItemFailureResponse, PartialItemFailures,
        SuccessResponse,
    )  # fmt: skip # one name a line would be a page

# isort: on

__version__ = "0.1.0"

__all__ = [
    "AmbiguousSourceError", "AsyncBatchProcessor", "BasePartialBatchProcessor", "BasePartialProcessor", "Batch",
    "BatchProcessingError", "BatchProcessor", "BatchResult", "BatchcoreError", "ConfigurationError", "DeadLetterRecord",
    "Disposition", "DropRecord", "DuplicateHookError", "EntryFailedError", "EventType", "ExceptionInfo", "Explanation",
    "Fail", "FailureResponse", "HandlerSignatureError", "HookArgumentsError", "LambdaContext", "Message",
    "MissingHookError", "NoBatchError", "NotAttemptedError", "Ordering", "OutOfTimeError", "Outcome", "Outcomes",
    "OutsideCallError", "PartialItemFailureResponse", "PartialItemFailures", "PluginError", "PluginLoadError",
    "RaisedDisposition", "RecordError", "RecordIdentityError", "RecordView", "RecordsSource", "RetryRecord",
    "SourceBrokenError", "SourceError", "SourceNotInstalledError", "StopBatch", "SuccessResponse",
    "UnawaitedResultError", "UnexpectedBatchTypeError", "UnknownHookError", "UnmarkedHookError", "WholeBatchRetry",
    "async_batch_processor", "async_process_partial_response", "batch_processor", "by_key", "hookimpl", "in_order",
    "offer", "process_partial_response", "unordered",
]  # fmt: skip # one name a line would be a page

_ELSEWHERE = {
    **dict.fromkeys(("async_batch_processor", "batch_processor"), "batchcore._classic"),
    **dict.fromkeys(("BatchProcessingError", "BatchResult", "Explanation"), "batchcore.results"),
    **dict.fromkeys(
        ("DeadLetterRecord", "Disposition", "DropRecord", "Message", "OutsideCallError", "RetryRecord", "StopBatch"),
        "batchcore.dispositions",
    ),
    "Fail": "batchcore.hookspecs",
}
_LAZY = frozenset(__all__) - globals().keys()

if not TYPE_CHECKING:  # a checker that saw it would take any name, and misspelt ones too

    def __getattr__(name: str) -> object:
        """Return a name that not every function needs, when somebody asks for it."""
        if name not in _LAZY:
            raise AttributeError(f"module 'batchcore' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(_ELSEWHERE.get(name, "batchcore.types")), name)
