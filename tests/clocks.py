"""Lambda contexts of tests. None of them tells the time before a test lets it pass: no machine is too slow for them."""

from __future__ import annotations

import threading
import time

MARGIN = 0.4
"""Seconds of ``stop_before_timeout`` of most tests that use :class:`Nearly`."""


class Spent:
    """A Lambda context whose time passes only when somebody spends it.

    Args:
        seconds: what is left at first.
    """

    def __init__(self, seconds: float) -> None:
        self.milliseconds = seconds * 1000
        self.lock = threading.Lock()

    def spend(self, seconds: float) -> None:
        with self.lock:
            self.milliseconds -= seconds * 1000

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round(self.milliseconds))


class Nearly:
    """A Lambda context with a little more than a margin left, for as long as it takes; then its time passes.

    Args:
        margin: the seconds of ``stop_before_timeout``.
    """

    def __init__(self, margin: float = MARGIN) -> None:
        self.margin = margin
        self.end: float | None = None

    def passes(self) -> None:
        """Let the time pass, from a little less than the margin on."""
        if self.end is None:
            self.end = time.monotonic() + 0.95 * self.margin

    def get_remaining_time_in_millis(self) -> int:
        left = 1.1 * self.margin if self.end is None else self.end - time.monotonic()
        return max(0, round(left * 1000))
