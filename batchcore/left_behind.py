"""Workers, threads and tasks, that may have to be left behind when the time is up.

They run a batch with an :class:`Invocation` of their own, which shares the slots. When they are left behind, the batch
goes on with slots that they do not know: what ends late changes nothing, calls no hook, and is counted.
"""

from __future__ import annotations

from batchcore.errors import OutOfTimeError
from batchcore.invocation import Invocation
from batchcore.outcome import NOT_PROCESSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Lock


def for_workers(invocation: Invocation, lock: Lock | None) -> Invocation:
    """Give what workers run a batch with.

    Args:
        invocation: the batch.
        lock: held while a slot is filled, where the workers are threads.
    """
    invocation.log = invocation.report
    workers = Invocation(invocation.handler, invocation.call, invocation.context)
    workers.__dict__.update(invocation.__dict__)
    workers.event, workers.records, workers.identifiers = invocation.event, invocation.records, invocation.identifiers
    workers.source, workers.lock, workers.running = invocation.source, lock, set()
    return workers


def take_over(invocation: Invocation, workers: Invocation) -> None:
    """Go on where all workers have ended."""
    invocation.stopped, invocation.out_of_time = workers.stopped, workers.out_of_time
    invocation.succeeded = workers.succeeded if workers.lock is None else -1


def leave_behind(invocation: Invocation, workers: Invocation) -> None:
    """Go on without the workers that still run: their records have failed, whatever becomes of them."""
    if workers.lock is None:
        _close_slots(invocation, workers)
    else:
        with workers.lock:
            _close_slots(invocation, workers)
    for position in sorted(workers.running or ()):
        if position not in invocation.failures and invocation.values[position] is NOT_PROCESSED:
            try:
                raise OutOfTimeError("It was still running when the time of the invocation was nearly up.")
            except OutOfTimeError as error:
                error.__traceback__ = None
                invocation.failed(position, NOT_PROCESSED, error)
    if workers.letters is not None:
        from batchcore.delivering import ended

        for position in sorted(workers.letters.in_lanes & invocation.failures.keys()):
            ended(invocation, position, OutOfTimeError("The time was up before it was delivered."))


def _close_slots(invocation: Invocation, workers: Invocation) -> None:
    # A thread writes into the list that it knows, so what goes on has one that no thread knows.
    workers.cut_loose = workers.stopped = True
    invocation.values, invocation.failures, invocation.succeeded = list(workers.values), dict(workers.failures), -1
    if invocation.letters is not None:
        invocation.letters = invocation.letters.without_lanes()
    if invocation.durations is not None:
        invocation.durations = list(invocation.durations)
    invocation.time_is_up()
