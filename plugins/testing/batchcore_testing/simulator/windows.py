"""Tumbling windows of a simulated stream: a state per shard, threaded through the invocations of a window.

See "Tumbling windows" in the AWS Lambda developer guide. What it does not say, and is chosen here: the state of an
response that names failures is kept, since everything before the first of them is done.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

_LARGEST_STATE = 1024 * 1024


class Window:
    """The window that a shard is in.

    Args:
        start: when it begins, in seconds since 1970.
        seconds: how long it is.

    Attributes:
        end: when it ends.
        state: what the next invocation gets.
        is_early: whether it is to end early, since its state has grown too large.
    """

    def __init__(self, start: float, seconds: int) -> None:
        self.start = start
        self.end = start + seconds
        self.state: Any = {}
        self.is_early = False

    def keep(self, state: Any) -> None:
        """Keep the state of a response."""
        self.state = state
        self.is_early = len(json.dumps(state).encode()) > _LARGEST_STATE

    def event(self, event: Any, shard_id: str, arn: str, *, is_final: bool) -> Any:
        """Return an event the fields of this window."""
        return {
            **event,
            "window": {"start": _iso(self.start), "end": _iso(self.end)},
            "state": self.state,
            "shardId": shard_id,
            "eventSourceARN": arn,
            "isFinalInvokeForWindow": is_final,
            "isWindowTerminatedEarly": is_final and self.is_early,
        }


class Windows:
    """The windows of the shards of one stream.

    Args:
        seconds: how long each is.
    """

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        self._open: dict[Any, Window] = {}

    def of(self, key: Any) -> Window | None:
        """Return the window that a shard is in, if it is in one."""
        return self._open.get(key)

    def admit(self, key: Any, moment: float) -> bool:
        """Whether a record of that moment belongs to the window of a shard; where it is in none, it enters one."""
        window = self._open.get(key)
        if window is None:
            window = self._open[key] = Window(moment // self.seconds * self.seconds, self.seconds)
        return window.start <= moment < window.end

    def ended(self, key: Any) -> None:
        """The last invocation of a window succeeded. Further records of one that ended early find an empty state."""
        del self._open[key]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
