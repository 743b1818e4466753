"""The flush: what has ended is sent before the response goes out, within a time that is kept.

``force_flush()`` of the SDK does not keep the limit that it is given, and returns True all the same. So it is called in
a thread of its own, and only whether that has ended is believed.
"""

from __future__ import annotations

import logging
import threading
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

LOGGER = logging.getLogger("batchcore_otel")


class Flush:
    """Flushes providers. One that has not ended is not begun a second time: it is waited for again.

    Args:
        timeout: seconds to wait for all of them together.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._running: dict[int, threading.Thread] = {}
        self._lock = threading.Lock()
        self._is_late = False

    def __call__(self, providers: Iterable[Any], seconds_left: float | None) -> None:
        """Flush what can be flushed, side by side.

        Args:
            providers: of traces and of metrics. One of the API alone, without an SDK, has nothing to flush.
            seconds_left: what is left of the invocation; a quarter of it may be taken at most.
        """
        timeout = self.timeout if seconds_left is None else min(self.timeout, seconds_left / 4)
        if timeout <= 0:
            return
        deadline = monotonic() + timeout
        threads = [self._started(provider, timeout) for provider in providers if hasattr(provider, "force_flush")]
        for thread in threads:
            thread.join(max(0.0, deadline - monotonic()))
        is_late = any(thread.is_alive() for thread in threads)
        if is_late and not self._is_late:  # once, not for each batch as long as a collector is down
            LOGGER.warning(
                "Spans and metrics had not been sent after %.3g s. The response does not wait for them; they are sent "
                "later, if the collector can be reached before the queue of the SDK is full.",
                timeout,
            )
        self._is_late = is_late

    def _started(self, provider: Any, timeout: float) -> threading.Thread:
        with self._lock:
            thread = self._running.get(id(provider))
            if thread is None or not thread.is_alive():
                milliseconds = max(1, round(timeout * 1000))
                thread = threading.Thread(
                    target=_flush, args=(provider, milliseconds), name="batchcore_otel", daemon=True
                )
                self._running[id(provider)] = thread
                thread.start()
            return thread


def _flush(provider: Any, milliseconds: int) -> None:
    try:
        provider.force_flush(milliseconds)
    except Exception:
        LOGGER.warning("force_flush() failed.", exc_info=True)
