"""The ledger of a batch: what has become of each record. A record is done when its place among the values is taken.

Records that run one by one are appended to the values, in ``_run_records`` of :mod:`batchcore.engine`; those of lanes
side by side, in :mod:`batchcore._concurrency`, by :meth:`Ledger.succeed`. Dropped ones and dead letters: here.
"""

from __future__ import annotations

from types import NoneType

from batchcore.callables import close_unawaited, is_awaitable, is_deferred, is_object, type_name
from batchcore.errors import NotAttemptedError, OutOfTimeError, UnawaitedResultError, release_frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence
    from threading import Lock
    from typing import Any, Literal, TypeAlias

    from typing_extensions import TypeIs

    from batchcore.types import DeadLetterBook

    Kept: TypeAlias = "Failure | BaseException"
    Status: TypeAlias = Literal["succeeded", "failed", "not_attempted", "dropped", "dead_lettered"]
    StopReason: TypeAlias = Literal["failure", "time", "threads"]

SUCCEEDED: Status = "succeeded"
FAILED: Status = "failed"
NOT_ATTEMPTED: Status = "not_attempted"
DROPPED: Status = "dropped"
DEAD_LETTERED: Status = "dead_lettered"
NOT_PROCESSED: Any = object()
"""What a ledger holds of every record that is not done: AWS delivers it again."""


class Failure:
    """What is kept of a record that did not simply succeed.

    Attributes:
        status: one of the statuses but ``succeeded``.
        exception: what it failed with.
        data: what its handler got, or ``NOT_PROCESSED`` where it did not come to that or it can be had again.
    """

    __slots__ = ("data", "exception", "status")

    def __init__(self, status: Status, exception: BaseException, data: Any) -> None:
        self.status: Status = status
        self.exception = exception
        self.data = data


class Skipped(Failure):
    """Stands for every record that was skipped for one reason, until somebody asks for one of them."""

    __slots__ = ("reason",)

    def __init__(self, reason: Literal["lane"] | StopReason) -> None:
        super().__init__(NOT_ATTEMPTED, NotAttemptedError(), NOT_PROCESSED)
        self.reason = reason


LANE_STOPPED = Skipped("lane")
SKIPPED: dict[StopReason, Skipped] = {reason: Skipped(reason) for reason in ("failure", "time", "threads")}


def is_exception(kept: Kept) -> TypeIs[BaseException]:
    """Whether of a record that failed its exception alone is kept. It is not asked for its class: it might lie."""
    return type(kept) is not Failure and type(kept) is not Skipped


class Ledger:
    """What has become of the records of one batch. None is done but by its place here; each starts as not processed.

    A driver that runs the records one by one succeeds them in their order: :attr:`values` grows. One that runs them
    side by side opens a place for each record first. A worker writes into the ledger that it was given: when the time
    is up, the batch goes on with a closed copy, and this one refuses.

    Args:
        count: how many records there are.
        not_attempted: makes the exception of a record whose lane has stopped.

    Attributes:
        values: what the handlers returned; ``NOT_PROCESSED`` for records that are not done.
        failures: position to what is kept of a record that did not simply succeed. Of most that is the exception alone:
            :meth:`failure` makes the rest when somebody asks, for a tenth of what a failed record costs.
        is_complete: whether each record has either succeeded, or stands among the failures.
        stop: why no further record of the batch may start, or None.
        is_closed: whether the batch goes on without this ledger.
        lock: held while a failure is written, where there are worker threads.
        running: the positions whose handlers run, where they may have to be abandoned.
        told: the positions of which a worker notifies whoever watches, where workers may have to be abandoned.
        durations: seconds that each handler took, where somebody will ask for them.
        duration: seconds from the event to the response, where somebody may ask.
        dead_letters: the dead letters of the batch, where somebody delivers them.
        may_undo: whether a batch hook follows the records, which may take any success back.
        is_refused: whether the source raised in place of a response, so that all of the batch comes again.
        hooks_have_ended: whether those have run, so that none will.
        raised: a reference to the error that the batch raised, which lets go of frames when that goes.
    """

    # In slots what every batch has; defaults on the class for the rest, which cost only who looks at them.
    __slots__ = (
        "__dict__", "count", "dead_letters", "failures", "is_closed", "is_complete", "lock", "not_attempted", "stop",
        "values",
    )  # fmt: skip # one name a line would hide the class behind them

    running: set[int] | None = None
    told: set[int] | None = None
    durations: list[float | None] | None = None
    duration: float | None = None
    may_undo = False
    is_refused = False
    hooks_have_ended = False
    raised: object = None

    def __init__(self, count: int, not_attempted: Callable[[], BaseException]) -> None:
        self.count = count
        self.not_attempted = not_attempted
        self.is_complete = self.is_closed = False
        self.stop: StopReason | None = None
        self.lock: Lock | None = None
        self.dead_letters: DeadLetterBook | None = None
        self.values: list[Any] = []
        self.failures: dict[int, Kept] = {}

    def open_all(self) -> None:
        """Open a place for each record, for drivers that do not run them in their order."""
        self.values += [NOT_PROCESSED] * (self.count - len(self.values))

    def succeed(self, position: int, value: Any) -> None:
        """Let a record be done whose place is open: write down what its handler returned."""
        self.values[position] = value

    def value(self, position: int) -> Any:
        """Return what the handler of a record returned; ``NOT_PROCESSED`` where the record is not done."""
        return self.values[position] if position < len(self.values) else NOT_PROCESSED

    def fail(self, position: int, failure: Kept, disposition: str | None) -> bool:
        """Write down a failure, unless this ledger is closed.

        Args:
            position: where in the batch.
            failure: what is known of it. The exception alone where a record is retried whose data can be had again.
            disposition: what becomes of the record: the value of a disposition, or None where it is retried.

        Returns:
            Whether it was written.
        """
        if self.lock is not None:
            with self.lock:
                return self._write(position, failure, disposition)
        if disposition is not None:
            return self._write(position, failure, disposition)
        if not self.is_closed:  # as most are written, without another call: 4 % of what a failure costs
            self.failures[position] = failure
        return not self.is_closed

    def _write(self, position: int, failure: Kept, disposition: str | None) -> bool:
        if self.is_closed:
            return False
        self.failures[position] = failure
        if disposition is not None:
            if disposition == "drop":
                self.failure(position).status, self.values[position] = DROPPED, None
            elif disposition == "stop_batch":
                self.stop = self.stop or "failure"
            elif disposition == "dead_letter" and self.dead_letters is not None:
                self.dead_letters.add(position)
        return True

    def deliver(self, position: int, problem: BaseException | None) -> bool:
        """Write down what became of a dead letter: done where nothing kept it from being delivered.

        Returns:
            Whether it was written.
        """
        if self.lock is None:
            return self._deliver(position, problem)
        with self.lock:
            return self._deliver(position, problem)

    def _deliver(self, position: int, problem: BaseException | None) -> bool:
        if self.is_closed:
            return False
        if problem is None:
            self.failure(position).status, self.values[position] = DEAD_LETTERED, None
        if self.dead_letters is not None:
            self.dead_letters.ended(position, problem)
        return True

    def is_mine_to_tell(self, position: int) -> bool:
        """Whether whoever asks may notify of a record now: not once the batch goes on without this ledger."""
        if self.told is None or self.lock is None:
            return not self.is_closed
        with self.lock:
            if not self.is_closed:
                self.told.add(position)
            return not self.is_closed

    def skip(self, position: int, skipped: Skipped) -> bool:
        """Write down that the turn of a record will not come in this batch. Return whether it was written."""
        if not self.is_closed:
            self.failures[position] = skipped
        return not self.is_closed

    def undo(self, position: int) -> None:
        """Take a success back."""
        self.values[position] = NOT_PROCESSED

    def undo_all(self) -> None:
        """Let every record be not processed, whatever became of it."""
        self.values[:] = [NOT_PROCESSED] * self.count
        self.failures.clear()
        self.is_complete = False

    def undo_successes(self) -> None:
        """Let no record count as done that simply succeeded."""
        self.open_all()
        for position in range(self.count):
            if position not in self.failures:
                self.values[position] = NOT_PROCESSED
        self.is_complete = False

    def close(self) -> Ledger:
        """Refuse what still comes, and return a copy that whoever writes here does not know."""
        if self.lock is None:
            return self._close()
        with self.lock:
            return self._close()

    def _close(self) -> Ledger:
        copy = Ledger(self.count, self.not_attempted)
        copy.values += self.values
        copy.open_all()
        copy.failures.update(self.failures)
        copy.durations = None if self.durations is None else list(self.durations)
        copy.dead_letters = None if self.dead_letters is None else self.dead_letters.without_lanes()
        copy.stop = self.stop = self.stop or "time"
        copy.may_undo = self.may_undo
        self.is_closed = True
        return copy

    def failure(self, position: int) -> Failure:
        """Return what is known of a record that did not succeed; made now, where less was kept."""
        kept = self.failures[position]
        if is_exception(kept):
            failure = Failure(FAILED, kept, NOT_PROCESSED)
        elif isinstance(kept, Skipped):
            failure = Failure(NOT_ATTEMPTED, self._error_of(kept), NOT_PROCESSED)
        else:
            return kept
        self.failures[position] = failure
        return failure

    def _error_of(self, skipped: Skipped) -> BaseException:
        if skipped.reason == "time":
            return OutOfTimeError("The time of the invocation was nearly up, so it was not started.")
        if skipped.reason == "threads":
            return NotAttemptedError(
                "No thread could be had any more, as of an executor that is shut down, so it was not attempted."
            )
        if skipped.reason == "lane" or self.not_attempted is not NotAttemptedError:
            try:
                return self.not_attempted()
            except Exception:  # of the caller's
                return NotAttemptedError()
        return NotAttemptedError("An earlier failure stopped the batch, so it was not attempted.")

    def release(self) -> None:
        """Let go of the frames of all that the records failed with, so that a response keeps none alive."""
        kept: Any
        for kept in self.failures.values():
            if type(kept) is not Skipped:
                release_frames(kept.exception if type(kept) is Failure else kept)

    def unfinished(self) -> list[int]:
        """Return the positions of the records that are not done, in rising order."""
        values, failures = self.values, self.failures
        if self.is_complete:
            positions: list[int] = []
            for position in failures:
                if values[position] is NOT_PROCESSED:
                    positions.append(position)  # noqa: PERF401 - a comprehension is a call: twice the cost for one failure
            positions.sort()
            return positions
        unfinished = [position for position, value in enumerate(values) if value is NOT_PROCESSED]
        return [*unfinished, *range(len(values), self.count)]  # their turn may still come: a handler may ask, too

    def has_entirely_failed(self) -> bool:
        """Whether no record is done, and a handler or a decoder failed: one that had no time, or no turn, has not."""
        if self.is_complete and len(self.failures) < self.count:
            return False  # one has succeeded
        if any(value is not NOT_PROCESSED for value in self.values):
            return False
        return any(
            not isinstance(kept if is_exception(kept) else kept.exception, OutOfTimeError)
            for kept in self.failures.values()
            if is_exception(kept) or kept.status == FAILED
        )

    def counts(self) -> dict[str, int]:
        """Count the records by status. Statuses that no record has are left out."""
        counts: dict[str, int] = {}
        for position in range(self.count):
            kept = self.failures.get(position)
            if kept is None:
                status = NOT_ATTEMPTED if self.value(position) is NOT_PROCESSED else SUCCEEDED
            else:
                status = FAILED if is_exception(kept) else kept.status
            counts[status] = counts.get(status, 0) + 1
        return counts


# -- What AWS names a record by, which several may share.


def keys_of(identifiers: Sequence[Any], positions: Iterable[int]) -> set[Hashable]:
    """Return what tells the identifiers of some records: see :func:`key_of`. A record without identity has none."""
    return {key_of(identifiers[position]) for position in positions} - {None}


def key_of(identifier: Any) -> Hashable:
    """Return what two identifiers have in common when they are equal: an object, such as one of Kafka, has no hash."""
    if is_object(identifier):
        return frozenset((name, key_of(value)) for name, value in identifier.items())
    items: Any = identifier
    return tuple(map(key_of, items)) if isinstance(identifier, list) else items


# -- What a handler gives that is no success: nobody has done its work.


def prepared_first(
    prepare: Callable[[Any], Any], decode: Callable[[Any], Any], mend: Callable[..., Any] | None
) -> Callable[[Any], Any]:
    """Return a decoder that prepares a record first. What a model refuses is looked at again as it was prepared."""

    def prepare_and_decode(record: Any) -> Any:
        prepared = prepare(record)
        if is_awaitable(prepared):
            raise _unawaited(prepared)
        if mend is None:
            return decode(prepared)
        try:
            return decode(prepared)
        except ValueError as error:
            refused = error
        return mend(decode, prepared, refused)  # out of the guard, so that it is not chained to what is raised

    return prepare_and_decode


def plain_kind(value: object) -> type[Any]:
    """Return the type of what a handler returned.

    Raises:
        UnawaitedResultError: it is an awaitable or a generator, so the handler's work is not done.
    """
    kind = type(value)
    if kind not in _DONE and is_deferred(value):
        raise _unawaited(value)
    return kind


_DONE = {NoneType, bool, bytes, dict, float, int, list, str, tuple}  # to look through one of another type costs 0.4 us


def _unawaited(value: Any) -> UnawaitedResultError:
    close_unawaited(value)
    return UnawaitedResultError(
        f"The handler gave a {type_name(value)}, which nobody runs, so its work was not done. A coroutine needs an "
        "async handler that awaits it, and AsyncBatchProcessor with async_process_partial_response()."
    )
