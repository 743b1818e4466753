"""For sources with tumbling windows: the state of a window comes in with an event, and goes out with the response.

Lambda keeps the state between the invocations of one window, and calls once more when the window ends. A response
without ``state`` counts as a failed invocation. See "Tumbling windows" in the AWS Lambda developer guide, for Kinesis
and DynamoDB Streams.

After each record that succeeds its state is written down, as JSON, and the next record starts from what is written. So
nothing that failed, or was abandoned, has touched the state, and any success can be gone back to.
"""

from __future__ import annotations

import json
from contextlib import nullcontext
from functools import partial

from batchcore.callables import is_object, named
from batchcore.errors import RecordError
from batchcore.model import batch_item_failures, coming_again, in_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from typing import Any

    from batchcore.model import Batch, Outcomes
    from batchcore.types import PartialItemFailureResponse, Record

__all__ = ["WINDOW_ORDER", "Window", "WindowStateError", "arguments", "is_windowed", "response", "window_of"]

WINDOW_ORDER = in_order(mandatory=True)
"""The order of a windowed batch: one record after the other, up to the first failure, whatever the caller chose."""


class WindowStateError(RecordError):
    """A handler left a state that is not JSON, so the state is what it was before, and the record has failed."""


class Window:
    """The tumbling window that a batch belongs to.

    Attributes:
        start: when the window begins, as AWS writes it: ISO 8601, UTC.
        end: when it ends.
        shard_id: the shard.
        is_final: whether this is the last call of the window. There may be no records in it.
        is_terminated_early: whether the window ends early, because its state has grown too large. AWS then goes on with
            the same window and an empty state.
    """

    def __init__(self, batch: Batch) -> None:
        event: Mapping[str, Any] = batch.event
        bounds: Any = event.get("window")
        self.start: str | None = bounds.get("start") if is_object(bounds) else None
        self.end: str | None = bounds.get("end") if is_object(bounds) else None
        self.shard_id: str | None = event.get("shardId")
        self.is_final = bool(event.get("isFinalInvokeForWindow"))
        self.is_terminated_early = bool(event.get("isWindowTerminatedEarly"))
        self._batch = batch
        self._first = json.dumps(event.get("state") or {}).encode()  # what the event holds stays as it is
        self._kept: list[tuple[int, bytes]] = []  # position, and the state after it
        self._next = 0
        self._read: dict[str, Any] | None = None  # the last that was kept, as it came back from JSON

    @property
    def state(self) -> dict[str, Any]:
        """The state to respond with: that after the last success before the first record that is not done.

        A new copy each time. To change the state, a handler asks for ``state``.
        """
        outcomes = self._batch.outcomes
        undone = outcomes.failed_positions()
        end = min(coming_again(self._batch, undone), default=len(outcomes))
        succeeded = (text for at, text in reversed(self._kept) if at < end and outcomes.has_succeeded(at))
        state: dict[str, Any] = json.loads(next(succeeded, self._first))
        return state

    def final_state(self) -> dict[str, Any]:
        """Return the state to respond with, and keep no other once the batch hooks have run: none goes back any more.

        A handler or a hook may ask for the response before that.
        """
        state = self.state
        if self._batch._ledger.hooks_have_ended:
            self._first, self._kept = json.dumps(state).encode(), []
        return state

    def for_record(self, record: Record) -> _Change:
        """Hold the state open around a handler that changes it: kept when that returns. Each before it has ended."""
        has_failed = self._batch.outcomes.has_failed
        position = self._next
        while has_failed(position):  # its handler was not called
            position += 1
        self._next = position + 1
        state, self._read = self._read, None
        if self._kept and has_failed(self._kept[-1][0]):  # its handler returned, and it has failed nevertheless
            self._kept, state = self._kept[:-1], None
        if state is None:
            state = json.loads(self._kept[-1][1] if self._kept else self._first)
        return _Change(state, partial(self._keep, position, state))

    def _keep(self, position: int, state: dict[str, Any]) -> None:
        text, self._read = _there_and_back(state)
        if self._batch.may_undo:
            self._kept.append((position, text))
        else:  # another thread may be reading, if this one was abandoned: its record does not count, the last does
            start, identifiers = len(self._kept), self._batch.identifiers
            while start and identifiers[self._kept[start - 1][0]] == identifiers[position]:
                start -= 1  # one of them failing brings all of them back, so the state before the first is wanted
            self._kept = [*self._kept[max(0, start - 1) :], (position, text)]

    def __repr__(self) -> str:
        return f"<Window from {self.start} to {self.end} of {self.shard_id}{', final' if self.is_final else ''}>"


class _Change:
    """A change of the state by one record. One of contextlib would set the traceback of what is raised."""

    def __init__(self, state: dict[str, Any], keep: Callable[[], None]) -> None:
        self._state, self._keep = state, keep

    def __enter__(self) -> dict[str, Any]:
        return self._state

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            self._keep()


def _there_and_back(state: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    """Return a state as JSON, and as it comes back; refuse another one, which the next batch would go on with."""
    try:
        text = json.dumps(state, ensure_ascii=False, allow_nan=False).encode()
        read: dict[str, Any] = json.loads(text)
        comes_back = bool(read == state)
    except Exception as error:
        raise WindowStateError(f"The state of the window is not JSON: {named(error)}") from error
    if not comes_back:
        raise WindowStateError(
            "The state of the window would not come back from JSON as it is: it holds a key that is no string, or a "
            "tuple. Write str(key), and lists."
        )
    return text, read


def is_windowed(event: Any) -> bool:
    """Whether an event belongs to a tumbling window."""
    return is_object(event) and event.get("window") is not None


def window_of(batch: Batch) -> Window | None:
    """Return the window of a batch, or None where it has none. Batch hooks ask here.

    Args:
        batch: the batch, as a hook gets it.
    """
    if not is_windowed(batch.event):
        return None
    if not isinstance(batch.source_state, Window):
        batch.source_state = Window(batch)
    return batch.source_state


def arguments(batch: Batch) -> Mapping[str, Callable[[Record], AbstractContextManager[Any]]]:
    """Return what handlers of a windowed batch may ask for: ``state``, to read and change, and ``window``.

    For a source's ``handler_arguments``, beside :data:`WINDOW_ORDER` as its ordering.
    """
    window = window_of(batch)
    return {} if window is None else {"state": window.for_record, "window": lambda record: nullcontext(window)}


def response(batch: Batch, outcomes: Outcomes) -> PartialItemFailureResponse | dict[str, Any]:
    """Return the response, with the state where the batch is windowed. For a source's ``build_response``."""
    window = window_of(batch)
    made = batch_item_failures(batch, outcomes)
    return made if window is None else {"state": window.final_state(), **made}
