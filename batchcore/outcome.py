"""What became of each record, and of the batch."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

from batchcore.errors import members_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator
    from typing import Any, Literal, TypeAlias, TypeGuard, overload

    from batchcore.batch import Batch
    from batchcore.invocation import Invocation as Slots
    from batchcore.types import ExceptionInfo, Identifier, Record

    Status: TypeAlias = Literal["succeeded", "failed", "not_attempted", "dropped", "dead_lettered"]


SUCCEEDED: Status = "succeeded"
FAILED: Status = "failed"
NOT_ATTEMPTED: Status = "not_attempted"
DROPPED: Status = "dropped"
DEAD_LETTERED: Status = "dead_lettered"
NOT_PROCESSED: Any = object()
"""What every slot holds at first. A slot that still holds it is no success: AWS delivers its record again."""


class Outcome:
    """What became of one record.

    Attributes:
        position: where in the batch, counting from 0.
        record: the raw record.
        identifier: what AWS names it by.
        status: ``succeeded``, ``failed``, ``not_attempted``, ``dropped`` or ``dead_lettered``.
        value: what the handler returned, where it succeeded.
        exception: what it failed with, where it did not. Its traceback is gone once the batch has been answered.
        duration: seconds that its handler took, awaiting included. None where none was called, and where nobody
            measured: ``run()`` and ``arun()`` do, the one-call functions do not.
    """

    __slots__ = ("duration", "exception", "identifier", "position", "record", "status", "value")

    def __init__(
        self,
        position: int,
        record: Record,
        identifier: Identifier,
        status: Status,
        value: Any = None,
        exception: BaseException | None = None,
        duration: float | None = None,
    ) -> None:
        self.position = position
        self.record = record
        self.identifier = identifier
        self.status: Status = status
        self.value = value
        self.exception = exception
        self.duration = duration

    @property
    def done(self) -> bool:
        """Whether the record needs no further delivery."""
        return self.status not in (FAILED, NOT_ATTEMPTED)

    def __repr__(self) -> str:
        return f"<Outcome {self.position}: {self.identifier!r} {self.status}>"


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


class Outcomes(Sequence["Outcome"]):
    """The outcomes of a batch, in its order, each made when it is asked for."""

    __slots__ = ("_batch",)

    def __init__(self, batch: Slots) -> None:
        self._batch = batch

    @property
    def batch(self) -> Batch:
        """The batch."""
        return self._batch

    def __len__(self) -> int:
        return len(self._batch.values)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: int) -> Outcome: ...
        @overload
        def __getitem__(self, index: slice) -> list[Outcome]: ...

    def __getitem__(self, index: int | slice) -> Outcome | list[Outcome]:
        positions = range(len(self))[index]
        return [self._at(position) for position in positions] if isinstance(positions, range) else self._at(positions)

    def __iter__(self) -> Iterator[Outcome]:
        return (self._at(position) for position in range(len(self)))

    def _at(self, position: int) -> Outcome:
        batch = self._batch
        record, identifier = batch.records[position], batch.identifiers[position]
        duration = None if batch.durations is None else batch.durations[position]
        failure = batch.failures.get(position)
        if failure is not None:
            failure = batch.failure(position, failure)
            return Outcome(position, record, identifier, failure.status, None, failure.exception, duration)
        value = batch.values[position]
        if value is NOT_PROCESSED:
            return Outcome(position, record, identifier, NOT_ATTEMPTED)
        return Outcome(position, record, identifier, SUCCEEDED, value, None, duration)

    def unfinished(self) -> list[Outcome]:
        """Give the outcomes of the records that are not done, in the order of the batch: what an answer must name."""
        return [self._at(position) for position in self.unfinished_positions()]

    def delivered_again(self) -> list[Outcome]:
        """Return the outcomes of the records that AWS delivers again: see :attr:`BatchResult.delivered_again`."""
        return [self._at(position) for position in delivered_again(self._batch)]

    def unfinished_positions(self) -> list[int]:
        """Give the positions of the records that are not done, in rising order."""
        batch = self._batch
        values, failures = batch.values, batch.failures
        if batch.succeeded + len(failures) == len(values):  # every slot is accounted for
            return sorted(position for position in failures if values[position] is NOT_PROCESSED) if failures else []
        return [position for position, value in enumerate(values) if value is NOT_PROCESSED]

    def __repr__(self) -> str:
        return f"<Outcomes of {self.batch!r}>"


def delivered_again(batch: Slots) -> Sequence[int]:
    """Return the positions of the records that AWS delivers again, in rising order.

    AWS goes by identifiers, which several records may share: all records of one that the response names come again,
    and where a checkpoint acknowledges, all from the first of them on.
    """
    unfinished = Outcomes(batch).unfinished_positions()
    if not unfinished:
        return unfinished
    if batch.settings.source.by_checkpoint:
        return range(first_with_identifiers_of(batch, unfinished), len(batch.values))
    named = keys_of(batch, unfinished)
    again = {position for position, identifier in enumerate(batch.identifiers) if key_of(identifier) in named}
    return sorted(again.union(unfinished))


def first_with_identifiers_of(batch: Slots, positions: Sequence[int]) -> int:
    """Return the first position whose record has the identifier of one of some records, of which there is one at least.

    A checkpoint at one of them brings back everything from there on.
    """
    lowest, named = min(positions), keys_of(batch, positions)
    return next((at for at in range(lowest) if key_of(batch.identifiers[at]) in named), lowest)


def keys_of(batch: Slots, positions: Iterable[int]) -> set[Hashable]:
    """Return what tells the identifiers of some records: see :func:`key_of`. A record without identity has none."""
    return {key_of(batch.identifiers[position]) for position in positions} - {None}


def key_of(identifier: Any) -> Hashable:
    """Return what two identifiers have in common when they are equal: an object, such as one of Kafka, has no hash."""
    if is_mapping(identifier):
        return frozenset((name, key_of(value)) for name, value in identifier.items())
    return tuple(map(key_of, identifier)) if _is_list(identifier) else identifier


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether a value is a mapping."""
    return isinstance(value, Mapping)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def exception_info(exception: BaseException) -> ExceptionInfo:
    """Give the triple that :func:`sys.exc_info` gave while this exception was handled."""
    return type(exception), exception, exception.__traceback__


def chained(exception: BaseException) -> Iterator[BaseException]:
    """Give an exception and, each once, all that its printed form would show: causes, contexts, members of groups."""
    waiting: list[BaseException | None] = [exception]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += (current.__cause__, current.__context__, *members_of(current))


def release_frames(exception: BaseException) -> None:
    """Take the tracebacks off an exception and all it is chained to, so that it keeps no frame alive."""
    # Not by assignment: an exception may be a frozen data class.
    BaseException.with_traceback(exception, None)
    try:
        if exception.__context__ is None and exception.__cause__ is None and not members_of(exception):
            return
        # What is being handled around the batch is not the batch's, though its exceptions have it as their context.
        outer = sys.exc_info()[1]
        around: set[int] = set() if outer is None else {id(current) for current in chained(outer)}
        for current in chained(exception):
            if id(current) not in around:
                BaseException.with_traceback(current, None)
    except Exception:  # one of them has a property of its own where others have a cause
        return
