"""Lanes side by side: what of each may run until it stops, its batch stops, or the time is up; and the worker threads.

Records of one key are a lane. A driver takes records from a :class:`Lane`, and runs each; what became of it is looked
at when the driver comes back for the next. When the time is up, what still runs is abandoned: the batch goes on with a
closed copy of the ledger, and what ends late changes nothing, calls no hook, and is counted.

Where records run one by one, as those of a FIFO queue do unless told otherwise, lanes stop in :mod:`batchcore.engine`:
the only lane of a batch in ``_run_records``, one of several (message groups, say) in ``_walk``.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import BrokenExecutor, CancelledError, wait
from contextvars import copy_context
from operator import itemgetter

from batchcore._extensions.calls import complete, spawn
from batchcore._extensions.dead_letters import book_of, deliver_in_lane, delivered
from batchcore.callables import plain
from batchcore.engine import run_isolated
from batchcore.errors import ConfigurationError, NotAttemptedError, OutOfTimeError
from batchcore.ledger import LANE_STOPPED, NOT_PROCESSED, SKIPPED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from concurrent.futures import Executor, Future
    from contextvars import Context
    from typing import Any

    from batchcore._extensions.calls import Calls
    from batchcore.ledger import Ledger
    from batchcore.plan import Run
    from batchcore.types import Record

_LOOK_S = 1.0  # between looks at futures that an executor may have thrown away


class Single:
    """A lane of one record that nothing can stop. It costs a third of one that can be. Iterate over it to run it.

    Attributes:
        position: that of the record that runs.
    """

    __slots__ = ("_ledger", "_records", "position")

    def __init__(self, ledger: Ledger, position: int, record: Record) -> None:
        self._ledger = ledger
        self.position = position
        self._records = (record,)

    def at(self) -> int:
        """Return the position of the record that runs."""
        return self.position

    __len__ = at  # as that of the list which the engine's loop appends outcomes to, one by one

    def append(self, value: Any) -> None:
        """Write down what the handler of the record returned."""
        self._ledger.succeed(self.position, value)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records)


class Lane(Single):
    """The records of one lane, as long as it goes on.

    Args:
        run: the batch.
        ledger: where the outcomes are written down.
        positions: where in the batch its records are.
    """

    __slots__ = ("_positions", "_run")

    def __init__(self, run: Run, ledger: Ledger, positions: Iterable[int]) -> None:
        super().__init__(ledger, -1, None)
        self._run = run
        self._positions = iter(positions)

    def __iter__(self) -> Iterator[Record]:
        run, ledger, records = self._run, self._ledger, self._run.batch._records
        stops, book, running = run.ordering.stops, book_of(ledger), ledger.running
        clock = None if run.plan.stop_before is None else run.clock
        for position in self._positions:
            if ledger.stop is not None:
                return
            if clock is not None and clock.is_up():
                ledger.stop = "time"
                return
            self.position = position
            if running is None:
                yield records[position]
            else:
                running.add(position)
                try:
                    yield records[position]
                finally:
                    running.discard(position)
                    if ledger.is_closed:
                        run.plan.late.append(None)
            if book is not None and position in book.in_lanes:
                book.blocked.append((position, self._positions))
                return
            if stops and ledger.values[position] is NOT_PROCESSED:
                break
        _skip_lane(run, ledger, self._positions)


def _skip_lane(run: Run, ledger: Ledger, positions: Iterable[int]) -> None:
    """Skip what is left of a lane that has stopped."""
    for position in positions:
        if position not in ledger.failures:
            run.skip(ledger, position, LANE_STOPPED)


def all_lanes(run: Run, ledger: Ledger) -> Iterator[Single]:
    """Return the lanes of a batch."""
    ordering, records = run.ordering, run.batch._records
    if not ordering.grouped and run.plan.stop_before is None and ledger.dead_letters is None:
        return (Single(ledger, position, record) for position, record in enumerate(records))
    if not ordering.grouped:
        return (Lane(run, ledger, (position,)) for position in range(len(records)))
    if ordering.key is None:
        return iter((Lane(run, ledger, range(len(records))),))
    by_key: dict[Hashable, list[int]] = {}
    for position, record in enumerate(records):
        try:
            key = ordering.key(record)
            by_key.setdefault(object() if key is None else key, []).append(position)
        except BaseException as error:
            run.fail(ledger, position, NOT_PROCESSED, error)
            book = book_of(ledger)
            if book is not None and position in book.in_lanes:
                book.blocked.append((position, iter(())))  # a lane of its own, of which nothing is left
    return (Lane(run, ledger, positions) for positions in by_key.values())


def next_lanes(run: Run, ledger: Ledger) -> Calls[list[Single]]:
    """Return what is left of lanes that have waited for others to end."""
    if ledger.stop is not None:
        skip_the_rest(run, ledger)
    book = book_of(ledger)
    while book is not None and book.blocked:
        going_on: list[Single] = []
        blocked, book.blocked = sorted(book.blocked, key=itemgetter(0)), []
        for position, rest in blocked:
            yield from deliver_in_lane(run, ledger, position)
            if position in book.in_lanes:  # one before it is in another of these lanes
                book.blocked.append((position, rest))
            elif run.ordering.stops and ledger.values[position] is NOT_PROCESSED:
                _skip_lane(run, ledger, rest)
            else:
                going_on.append(Lane(run, ledger, rest))
        if going_on:
            return going_on
    return []


def skip_the_rest(run: Run, ledger: Ledger) -> None:
    """Skip every record that has not run: the batch has stopped."""
    reason = SKIPPED[ledger.stop or "failure"]
    for position in _not_run(ledger):
        run.skip(ledger, position, reason)


def _not_run(ledger: Ledger) -> list[int]:
    failures = ledger.failures
    return [at for at, value in enumerate(ledger.values) if value is NOT_PROCESSED and at not in failures]


def abandon(run: Run, ledger: Ledger) -> None:
    """Go on without the workers that still run: their records have failed, whatever they write into their ledger."""
    run.batch._ledger = copy = ledger.close()
    book = book_of(ledger)
    for position in sorted(ledger.running or ()):
        if position in copy.failures or copy.values[position] is not NOT_PROCESSED:  # by a worker that got no further
            if book is None or (position not in book.in_lanes and position not in book.at_end):
                _tell_of(run, ledger, copy, position)
        else:
            try:
                raise OutOfTimeError("It was still running when the time of the invocation was nearly up.")
            except OutOfTimeError as error:
                error.__traceback__ = None
                run.fail(copy, position, NOT_PROCESSED, error)
    if book is not None:
        for position in sorted(book.in_lanes & copy.failures.keys()):
            delivered(run, copy, position, OutOfTimeError("The time was up before it was delivered."))


def _tell_of(run: Run, ledger: Ledger, copy: Ledger, position: int) -> None:
    """Notify of a record whose worker has written down what became of it, and not said so yet."""
    if ledger.told is None or position in ledger.told:
        return
    if position in copy.failures:
        run.notify(copy, position, copy.failure(position).exception)
    elif run.around is not None and run.around.observers is not None:
        run.around.observers.record_finished(position)


# -- Worker threads.


def run_in_threads(run: Run, max_concurrency: int | None, executor: Executor | None = None) -> None:
    """Run the lanes in worker threads, each lane with a copy of this thread's context variables.

    Args:
        run: the batch.
        max_concurrency: how many threads, at most; None for as many as the executor has.
        executor: whose threads; None for threads of our own, which end with the batch.
    """
    ledger = run.batch._ledger
    ledger.open_all()
    ledger.lock = threading.Lock()
    if run.plan.stop_before is not None:
        ledger.running, ledger.told = set(), set()
    run._report = run.report  # made here: two workers would make one each
    waiting, has_begun = deque(all_lanes(run, ledger)), False
    while True:
        pullers = len(waiting) if max_concurrency is None else min(max_concurrency, len(waiting))
        running: list[Future[None]] = []
        refused: BaseException | None = None
        try:
            context = copy_context()
            for _ in range(pullers):
                try:
                    running.append(_start(executor, _run_waiting, run, ledger, waiting, context))
                except Exception as error:  # no further thread can be had: those there are will do
                    refused = BaseException.with_traceback(error, None)
                    break
            all_ended = _have_ended(run, running)
            # A worker that runs at all leaves no lane waiting, unless the batch stops: so none of this round has run.
            if all_ended and waiting and ledger.stop is None:
                _stop_without_threads(run, ledger, executor, refused or _thrown_away(running[0]), has_begun)
        except BaseException:
            abandon(run, ledger)
            raise
        if not all_ended:
            abandon(run, ledger)
            break
        has_begun = True
        waiting = deque(complete(run, next_lanes(run, ledger)))
        if not waiting:
            break
    ledger = run.batch._ledger
    ledger.lock = None
    if ledger.stop is not None:
        skip_the_rest(run, ledger)


def _start(executor: Executor | None, function: Callable[..., None], *arguments: Any) -> Future[None]:
    return spawn(function, *arguments) if executor is None else executor.submit(function, *arguments)


def _thrown_away(future: Future[None]) -> BaseException:
    """Return why an executor has not run what it had taken."""
    if future.cancelled():
        return CancelledError("what it had taken was cancelled, as shutdown(cancel_futures=True) does")
    return future.exception() or RuntimeError("it has run nothing of what it had taken")


def _stop_without_threads(
    run: Run, ledger: Ledger, executor: Executor | None, error: BaseException, has_begun: bool
) -> None:
    """Stop a batch whose lanes got no thread. Where others had one before, the response names what is left.

    Raises:
        ConfigurationError: no record has started, for the executor takes no work.
        RuntimeError: no record has started, for no thread of our own can be had.
    """
    if not has_begun:
        if executor is None:
            raise error
        raise ConfigurationError(
            f"The executor takes no more work: {plain(error).rstrip('.')}. No record has started. Shut it down "
            "after the last batch, or leave executor= out: max_concurrency= has threads of its own."
        ) from error
    ledger.stop = "threads"
    skipped = _not_run(ledger)
    counted = "It was" if len(skipped) == 1 else f"It and {len(skipped) - 1} more were"
    whose = "No more threads can be had" if executor is None else "The executor takes no more work"
    why = NotAttemptedError(f"{whose}: {plain(error).rstrip('.')}. {counted} not attempted.")
    if run.report.is_heard:
        run.report.failed(skipped[0], why, "retry")


def _run_waiting(run: Run, ledger: Ledger, waiting: deque[Single], context: Context) -> None:
    """Run lanes, one after the other, as long as any wait."""
    try:
        while ledger.stop is None:
            try:
                lane = waiting.popleft()
            except IndexError:
                return
            run_isolated(run, ledger, lane, lane, stops=False, context=context)
    except BaseException:
        ledger.stop = ledger.stop or "failure"
        raise


def _have_ended(run: Run, running: list[Future[None]]) -> bool:
    """Wait for threads, and return whether they have ended before their time was up.

    Raises:
        BaseException: what steers whoever runs the function was raised in one of them. The others have ended what they
            were at, or their time is up.
    """
    clock = run.clock if run.plan.stop_before is not None else None
    going_on: set[Future[None]] = set(running)
    while going_on:
        seconds = None if clock is None else clock.until_response()
        if seconds == 0:
            break
        # It never tells of one that was cancelled.
        wait(running, _LOOK_S if seconds is None else min(seconds, _LOOK_S))
        going_on = {future for future in running if not future.done()}
    for future in running:
        if future.done():
            if future.cancelled() or isinstance(future.exception(), BrokenExecutor):
                continue  # thrown away by its executor before it ran
            future.result()
            thread: threading.Thread | None = getattr(future, "thread", None)
            if thread is not None:
                thread.join()
    return not going_on
