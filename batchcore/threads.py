"""Lanes in worker threads, side by side, each in order."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import wait
from contextvars import copy_context

from batchcore.around import around
from batchcore.calls import make
from batchcore.errors import ConfigurationError
from batchcore.lanes import all_lanes, next_lanes, skip_the_rest
from batchcore.left_behind import for_workers, leave_behind, take_over
from batchcore.road import run_places
from batchcore.workers import Worker, spawn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Executor, Future
    from contextvars import Context
    from typing import Any

    from batchcore.invocation import Invocation
    from batchcore.lanes import Place


_LOOK = 1.0  # seconds between looks at futures that an executor may have thrown away


def run_lanes(invocation: Invocation, max_concurrency: int | None, executor: Executor | None = None) -> None:
    """Run the lanes in worker threads, each lane with a copy of this thread's context variables.

    When the time is up, what still runs is left behind: no thread can be stopped.

    Args:
        invocation: the batch.
        max_concurrency: how many threads, at most; None for as many as the executor has.
        executor: whose threads; None for threads of our own, which end with the batch.
    """
    workers = for_workers(invocation, threading.Lock())
    scoped = around(workers) if workers.held_open else None
    waiting = deque(all_lanes(workers))
    while True:
        pullers = len(waiting) if max_concurrency is None else min(max_concurrency, len(waiting))
        running: list[Future[None]] = []
        try:
            context = copy_context()
            for _ in range(pullers):
                try:
                    running.append(_start(executor, _run_waiting, workers, waiting, scoped, context))
                except RuntimeError:  # no further thread can be had: those there are will do
                    if not running:
                        raise
                    break
            all_ended = _have_ended(workers, running)
        except BaseException:
            leave_behind(invocation, workers)
            raise
        if not all_ended:
            leave_behind(invocation, workers)
            break
        waiting = deque(make(workers, next_lanes(workers)))
        if not waiting:
            take_over(invocation, workers)
            break
    if invocation.stopped:
        skip_the_rest(invocation)


def _start(executor: Executor | None, function: Callable[..., None], *arguments: Any) -> Future[None]:
    if executor is None:
        return spawn(function, *arguments)
    try:
        return executor.submit(function, *arguments)
    except RuntimeError as error:
        raise ConfigurationError(f"The executor takes no more work: {error}.") from error


def _run_waiting(
    workers: Invocation,
    waiting: deque[Iterable[Place]],
    scoped: Callable[[int, Any], Any] | None,
    context: Context,
) -> None:
    """Run lanes, one after the other, as long as any wait."""
    try:
        while not workers.stopped:
            try:
                lane = waiting.popleft()
            except IndexError:
                return
            context.copy().run(run_places, workers, lane, scoped)
    except BaseException:
        workers.stopped = True
        raise


def _have_ended(workers: Invocation, running: list[Future[None]]) -> bool:
    """Wait for threads, and return whether they have ended before their time was up.

    Raises:
        BaseException: what steers whoever runs the function was raised in one of them. The others have ended what they
            were at, or their time is up.
    """
    clock = workers.clock if workers.settings.stop_before is not None else None
    going_on: set[Future[None]] = set(running)
    while going_on:
        seconds = None if clock is None else clock.until_answer()
        if seconds == 0:
            break
        wait(running, _LOOK if seconds is None else min(seconds, _LOOK))  # it never tells of one that was cancelled
        going_on = {future for future in running if not future.done()}
    for future in running:
        if future.done():
            future.result()
            if isinstance(future, Worker):
                future.thread.join()
    return not going_on
