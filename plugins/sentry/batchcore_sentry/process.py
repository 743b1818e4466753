"""What concerns all events of the process, not those of one record: an event processor on Sentry's global scope.

batchcore logs each failure, and raises where no record is done. Sentry's integrations would report both once more.
"""

from __future__ import annotations

import logging
from weakref import WeakSet

import sentry_sdk

from batchcore import BatchProcessingError, WholeBatchRetry
from batchcore_sentry.inputs import without_inputs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from batchcore import Batch

LOGGER = "batchcore"

reported: WeakSet[Batch] = WeakSet()
"""The batches whose failed records were reported: the error that such a batch raises says nothing new."""

observed: WeakSet[Batch] = WeakSet()
"""The batches that have an observer: a second one, named by code and environment both, would report all twice."""

_unsent = [False]
_watched: list[object] = []


def is_sending(client: Any) -> bool:
    """Whether a client would send an event anywhere: one without a DSN makes it, which takes milliseconds, in vain."""
    return bool(client.is_active() and (client.transport is not None or getattr(client, "spotlight", None) is not None))


def watch_events() -> None:
    """Put the event processor on the global scope, once."""
    scope = sentry_sdk.get_global_scope()
    if not _watched or _watched[0] is not scope:
        _watched[:] = [scope]
        scope.add_event_processor(_process)


def is_unsent(client: Any) -> bool:
    """Whether events have been made since this was asked last, or log items may have been."""
    was_unsent, _unsent[0] = _unsent[0], False
    return is_sending(client) and (was_unsent or bool(client.options.get("enable_logs")))


def _process(event: Any, hint: Any) -> Any:
    line = hint.get("log_record")
    if line is not None and line.levelno < logging.ERROR and _is_of_failures(vars(line)):
        return None
    error = (hint.get("exc_info") or (None, None))[1]
    is_of_batch = isinstance(error, (BatchProcessingError, WholeBatchRetry))
    if is_of_batch and _is_on_its_way(event):
        result: Any = getattr(error, "result", None)
        if result is not None and result.batch in reported:
            return None
    if is_of_batch or (line is not None and (line.name == LOGGER or "batch_source" in vars(line))):
        without_inputs(event, error)  # the frames of batchcore hold records
    breadcrumbs = event.get("breadcrumbs")
    if isinstance(breadcrumbs, dict):
        crumbs: list[Any] = breadcrumbs.get("values") or []
        breadcrumbs["values"] = [crumb for crumb in crumbs if not _is_of_a_batch(crumb.get("data") or {})]
    _unsent[0] = True
    return event


def _is_of_failures(fields: Any) -> bool:
    """Whether these are the fields of a line that batchcore has logged of failed records."""
    return "batch_source" in fields and ("record_disposition" in fields or "failure_count" in fields)


def _is_of_a_batch(fields: Any) -> bool:
    """Whether these are the fields of such a line, or of the summary of a batch: of one before, on any event."""
    return _is_of_failures(fields) or ("batch_source" in fields and "batch_counts" in fields)


def _is_on_its_way(event: Any) -> bool:
    """Whether an integration reports what leaves the function, and not the function's own code what it has caught."""
    exceptions = (event.get("exception") or {}).get("values") or []
    return any((each.get("mechanism") or {}).get("handled") is False for each in exceptions)
