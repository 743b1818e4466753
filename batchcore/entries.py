"""Entries: what ``process()`` gives for each record, and what the handlers of a processor return."""

from __future__ import annotations

from batchcore.errors import EntryFailedError, UnawaitedResultError, is_entry, kind_of, text_of, writable
from batchcore.handler import discard, runs_later

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from batchcore.types import ExceptionInfo, FailureResponse


def fail_entry(exception: ExceptionInfo, record: Any) -> FailureResponse:
    """Return the entry of a failed record, whatever its exception's ``__str__`` does."""
    return "fail", f"{exception[0]}:{writable(text_of(exception[1]))}", record


def checked_entry(entry: Any) -> Any:
    """Give back an entry that is a success; anything else is a failure."""
    if is_entry(entry, "success"):
        result = entry[1] if len(entry) > 1 else None
        if runs_later(result):  # an async handler that was called and not awaited: its work is not done
            discard(result)
            raise UnawaitedResultError(
                f"The entry of a success holds a {kind_of(result)}, which nobody runs, so its work was not done. An "
                "async handler is awaited in _async_process_record()."
            )
        return entry
    if runs_later(entry):  # forgotten to be awaited: nobody will
        discard(entry)
    raise EntryFailedError(entry)
