"""Lanes in worker threads, side by side, each in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from batchcore.road import lane_places, lanes, run_places, skip_the_rest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from batchcore.invocation import Invocation


def run_lanes(invocation: Invocation, max_concurrency: int) -> None:
    """Run the lanes in worker threads, each lane with a copy of this thread's context variables.

    Args:
        invocation: the batch.
        max_concurrency: how many threads, at most.
    """

    def run_lane(lane: Iterable[int]) -> None:
        if not invocation.stopped:
            run_places(invocation, lane_places(invocation, lane))

    with ThreadPoolExecutor(max_concurrency, thread_name_prefix="batchcore") as workers:
        running = [workers.submit(copy_context().run, run_lane, lane) for lane in lanes(invocation)]
        try:
            for future in running:
                future.result()
        except BaseException:
            invocation.stopped = True
            raise
    if invocation.stopped:
        skip_the_rest(invocation)
