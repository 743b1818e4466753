"""What batchcore itself saw of the records of one delivery: the batches that a function runs while it is invoked."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from batchcore.plan import watchers
from batchcore_testing.services import identity

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from batchcore import Batch, Outcome
    from batchcore.types import Record
    from batchcore_testing.services import Service

_here: ContextVar[Batches | None] = ContextVar("batchcore_testing_batches", default=None)


class Seen(NamedTuple):
    """What batchcore made of one record.

    Attributes:
        outcome: its outcome; None where the batch was refused before its first record.
    """

    outcome: Outcome | None

    @property
    def done(self) -> bool:
        """Whether it needs no further delivery."""
        return self.outcome is not None and self.outcome.done

    def __str__(self) -> str:
        if self.outcome is None:
            return "batchcore refused its batch"
        if self.outcome.status != "failed":
            return "batchcore did not attempt it"
        return f"batchcore saw it fail ({type(self.outcome.exception).__name__})"


class _Run(Protocol):
    """What a watcher is called with: one run of a processor, of which this is what is looked at."""

    batch: Batch

    @property
    def is_read(self) -> bool:
        """Whether its event was read, so that there are records."""

    @property
    def goes_on(self) -> bool:
        """Whether it has begun and not ended."""


class _Begun(NamedTuple):
    """A batch that was begun.

    Attributes:
        run: the run of the batch, whose outcomes are read when the function has returned.
        event: its event, or None.
        records: its records, where it has no event.
        around: the batches that went on when it began, and so end after it.
        is_here: whether it was begun in the context of the invocation, and not in a thread that has none of it.
    """

    run: _Run
    event: Any
    records: Sequence[Record] | None
    around: Sequence[_Begun]
    is_here: bool

    def made_of(self, places: Sequence[int]) -> Seen:
        """Return what it made of a record: of all of its records that this one became, the first that is not done."""
        if not self.run.is_read:
            return Seen(None)
        made = [Seen(self.run.batch.outcomes[place]) for place in places]
        return next((each for each in made if not each.done), made[-1])


class Batches:
    """The batches that are begun while a function is invoked. A context manager, to be left when it has returned.

    A function may run batches of other records too, or of copies of these. So a record of the delivery is looked for in
    a batch as the object that the function got. In batches of this context also as one that is equal, and where no
    batch has such, by its identifier.

    Args:
        event: the event that the function gets.
        service: the service it is from.
    """

    def __init__(self, event: Any, service: Service) -> None:
        self._service = service
        self._event = event
        self._records = list(service.records(event))
        self._before = copy.deepcopy(self._records)  # the function may write into its event
        self._positions = {id(record): position for position, record in enumerate(self._records)}
        self._named: dict[str | None, list[int]] = {}
        for position, record in enumerate(self._before):
            self._named.setdefault(self._name_of(record), []).append(position)
        self._begun: list[_Begun] = []

    def __enter__(self) -> Self:
        self._token = _here.set(self)
        watchers.append(self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        watchers.remove(self._watch)
        _here.reset(self._token)

    def _watch(self, run: _Run, event: Any, records: Sequence[Record] | None) -> None:
        going_on = [begun for begun in self._begun if begun.run.goes_on]
        self._begun.append(_Begun(run, event, records, going_on, _here.get() is self))

    def seen(self) -> dict[int, Seen]:
        """Return what batchcore made of the records that it got: position in the delivery to that.

        Where several batches had a record, the one that ended last decides. A copy that differs from the record counts
        where it is done; and, where nothing else is known, in a batch with a copy of every record.
        """
        same: dict[int, _Places] = {}
        alike: dict[int, _Places] = {}
        for begun in self._begun:
            for place, record in enumerate(self._records_of(begun)):
                position = self._positions.get(id(record))
                found = [(position, True)] if position is not None else self._copied_by(record) if begun.is_here else ()
                for other, is_same in found:
                    places = (same if is_same else alike).setdefault(other, {})
                    places.setdefault(id(begun), (begun, []))[1].append(place)
        # A batch that has some of the names may be of other records, as a test makes them up.
        complete = {
            key for key in alike.get(0, ()) if all(key in alike.get(at, ()) for at in range(len(self._records)))
        }
        result: dict[int, Seen] = {}
        for position in sorted({*same, *alike}):
            copies = alike.get(position, {})
            done = [made for made in (begun.made_of(places) for begun, places in copies.values()) if made.done]
            having = same.get(position) or {key: batch for key, batch in copies.items() if key in complete}
            last = _last(having) if having else None
            if last is not None and (last.done or not done):
                result[position] = last
            elif done:
                result[position] = done[-1]
        return result

    def _records_of(self, begun: _Begun) -> Sequence[Record]:
        if begun.run.is_read:
            return begun.run.batch.records
        if begun.records is not None:  # refused, and maybe because it is no list
            return list(begun.records) if isinstance(begun.records, (list, tuple)) else ()
        return self._records if begun.event is self._event or _equal(begun.event, self._event) else ()

    def _copied_by(self, record: Record) -> Sequence[tuple[int, bool]]:
        """Return which records of the delivery another may be a copy of, and whether it is equal to it."""
        name = self._name_of(record)
        others = self._named.get(name, [])
        equal = next((other for other in others if _equal(record, self._before[other])), None)
        if equal is not None:
            return [(equal, True)]
        return [] if name is None else [(other, False) for other in others]

    def _name_of(self, record: Record) -> str | None:
        try:
            identifier = self._service.identifier(record)
            return None if identifier is None else identity(identifier)
        except Exception:  # of a source's hook, which got what is no record of it
            return None


_Places: TypeAlias = dict[int, tuple[_Begun, list[int]]]
"""Batches that had a record, in the order in which they began, and where."""


def _last(batches: _Places) -> Seen:
    """Return what the batch made of a record that ended last: the last one begun, or the outermost around it."""
    having = list(batches.values())
    around = [each for each in having if any(each[0] is outer for outer in having[-1][0].around)]
    begun, places = (around or having[-1:])[0]
    return begun.made_of(places)


def _equal(one: Any, other: Any) -> bool:
    try:
        return bool(one == other)
    except Exception:  # of an object that somebody has put into a record
        return False
