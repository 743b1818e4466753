"""What simulated sources share: what is sent to them, and the seam between a source and its mapping."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from batchcore import ConfigurationError, SourceNotInstalledError
from batchcore_testing.clock import SimulatedClock
from batchcore_testing.errors import UnknownRecordError
from batchcore_testing.events import EventFactory, Sent, factory_of, merged
from batchcore_testing.services import Kind, Service, identity, service_of_event, service_of_source
from batchcore_testing.simulator.contents import Contents
from batchcore_testing.simulator.history import History, Item, shortened

if TYPE_CHECKING:
    from collections.abc import Hashable

    from batchcore.types import Record
    from batchcore_testing.responses import Reading


class Options(NamedTuple):
    """What an event source mapping is told, by AWS's names, in lower case."""

    batch_size: int
    parallelization_factor: int = 1
    maximum_retry_attempts: int = -1
    maximum_record_age_in_seconds: int = -1
    bisect_batch_on_function_error: bool = False
    tumbling_window_in_seconds: int = 0
    on_failure: bool = False


class Delivery(NamedTuple):
    """One batch on its way to the function.

    Attributes:
        items: what is in it, in the order of the batch.
        records: their raw records.
        event: the event.
        origin: what the source keeps of it.
    """

    items: Sequence[Item]
    records: Sequence[Record]
    event: Any
    origin: Any = None


class Settlement(NamedTuple):
    """What became of a delivery.

    Attributes:
        reading: how the function's response was read; None where it was not invoked.
        again: the positions that are delivered again.
        unacknowledged: positions that are, though the response did not ask for it: their acknowledgement was lost.
        response: what the function returned, or the exception that it ended with.
    """

    reading: Reading | None
    again: Sequence[int]
    unacknowledged: Sequence[int] = ()
    response: Any = None

    @property
    def function_failed(self) -> bool:
        """Whether the function failed as a whole."""
        return self.reading is not None and self.reading.complaint is not None


class SimulatedSource:
    """A source in memory. Made by its subclasses, driven by an ``EventSourceMapping``.

    Args:
        source: the source whose events it makes: an object, the name of one that is installed, or an event factory.
        resource: the name of the queue, stream or topic.
        clock: tells the time; without one, a new one.
        factory: makes the events of a source that no package registers.

    Attributes:
        items: what was sent, in its order.

    Raises:
        batchcore.ConfigurationError: the source's service is played by another class than this, or by none.
    """

    PLAYS: ClassVar[Collection[str]] = ()
    """The services of AWS that it plays, by name."""

    PLAYS_OTHERS: ClassVar[Collection[Kind]] = ("record", "checkpoint")
    """How services that are none of AWS's acknowledge that it plays, too."""

    OPTIONS: ClassVar[Mapping[str, int]] = {}
    """The options that a mapping of this source takes besides ``batch_size``; and the most of each."""

    KEYS_ORDER: ClassVar[bool] = False
    """Whether what has the same key is delivered in order."""

    DEFAULT_BATCH_SIZE: ClassVar[int] = 100
    LARGEST_BATCH: ClassVar[int] = 10_000

    def __init__(
        self, source: object, resource: str, clock: SimulatedClock | None, factory: EventFactory | None
    ) -> None:
        if not isinstance(resource, str):
            raise ConfigurationError(
                f"The name of a {type(self).__name__} is a string; this is of the type {type(resource).__name__}. A "
                f"source comes before the name: {type(self).__name__}(source, 'orders')."
            )
        self.resource = resource
        self.clock = SimulatedClock() if clock is None else clock
        self.items: list[Item] = []
        self.factory = self._factory_of(source) if factory is None else factory
        known = service_of_event(self.factory.event([self.factory.record(Sent("{}", resource=resource))]))
        if known is None and source is self.factory:
            raise ConfigurationError(
                f"{type(source).__name__} makes events of no service of AWS. Pass their source, which reads them, and "
                f"the factory as factory={type(source).__name__}()."
            )
        self._is_of_aws = known is not None
        self.service: Service = service_of_source(source) if known is None else known
        self._refuse_another_service()
        self._sent: dict[int, tuple[Sent, Mapping[str, Any]]] = {}
        self._by_identity: dict[str, Item] = {}
        self._contents = Contents()
        self.options = Options(self.DEFAULT_BATCH_SIZE)
        self.history = History(self.items)
        self.random = Random(0)  # noqa: S311 - chance that repeats is wanted

    def _refuse_another_service(self) -> None:
        name = self.service.name
        if name in self.PLAYS if self._is_of_aws else self.service.kind in self.PLAYS_OTHERS:
            return
        classes: list[type[SimulatedSource]] = [SimulatedSource]
        for each in classes:  # it grows meanwhile
            classes += each.__subclasses__()
        players = sorted(each.__name__ for each in classes if name in each.PLAYS)
        instead = f" It is played by {' and '.join(players)}." if players else ""
        raise ConfigurationError(
            f"A {type(self).__name__} plays {', '.join(self.PLAYS)}. What is of {name} is delivered and acknowledged "
            f"in another way.{instead}"
        )

    def _factory_of(self, source: object) -> EventFactory:
        try:
            return factory_of(source)
        except SourceNotInstalledError as error:
            takes = f"A {type(self).__name__} takes its source first; if {source!r} is its name, write name={source!r}."
            raise SourceNotInstalledError(f"{error} {takes}", plugin=source) from error

    def attach(self, options: Options, history: History, random: Random) -> None:
        """Become the source of a mapping.

        Raises:
            batchcore.ConfigurationError: an option is none of this source's, or out of its range.
        """
        wrong = [name for name, value in options._asdict().items() if not isinstance(value, int)]
        if wrong:
            value = getattr(options, wrong[0])
            kind = "True or False" if isinstance(getattr(Options(1), wrong[0]), bool) else "a whole number"
            raise ConfigurationError(f"{wrong[0]} is {kind}, not {value!r}.")
        if not 1 <= options.batch_size <= self.LARGEST_BATCH:
            raise ConfigurationError(
                f"batch_size of a {type(self).__name__} is from 1 to {self.LARGEST_BATCH}, not {options.batch_size}."
            )
        defaults = Options(1)._asdict()
        for name, value in options._asdict().items():
            if name == "batch_size" or value == defaults[name]:
                continue
            if name not in self.OPTIONS:
                raise ConfigurationError(f"An event source mapping of a {type(self).__name__} has no {name}.")
            if not defaults[name] <= value <= self.OPTIONS[name]:
                raise ConfigurationError(f"{name} is from {defaults[name]} to {self.OPTIONS[name]}, not {value}.")
        self.options, self.history, self.random = options, history, random

    def send(self, *contents: Any, key: str | None = None, **fields: Any) -> list[Item]:
        """Send something for each content, in this order.

        Args:
            contents: what to send; the source's event factory says what it may be.
            key: what it is ordered by: the message group, the partition key, the key of the item.
            fields: fields of the records, by AWS's names, to have instead.

        Returns:
            What was sent, to ask later what became of it.
        """
        return [self._send(content, key, fields) for content in contents]

    def _send(self, content: Any, key: str | None, fields: Mapping[str, Any]) -> Item:
        number = len(self.items) + 1
        sent = Sent(content, number, key, self.clock.now, self.resource)
        shard, sequence = self._place(sent, fields)
        sent = sent._replace(shard=shard, sequence=sequence)
        record = merged(self.factory.record(sent), fields)
        identifier = self.service.identifier(record)
        item = Item(number, content, self._lane(record, sent), identifier)
        self.items.append(item)
        self._contents.add(item)
        self._sent[number] = (sent, fields)
        if identifier is not None:
            self._by_identity.setdefault(identity(identifier), item)
        self._take(item, sent)
        return item

    def _lane(self, record: Record, sent: Sent) -> Hashable:
        """Return what a record is ordered by: as AWS has it, where AWS has such records, and else its key."""
        if self._is_of_aws:
            return self.service.lane(record)
        return sent.key if self.KEYS_ORDER else None

    def record_of(self, item: Item, **delivered: Any) -> Record:
        """Make the raw record of an item, as it is delivered this time."""
        sent, fields = self._sent[item.number]
        return merged(self.factory.record(sent._replace(**delivered)), fields)

    def find(self, what: Any) -> Item:
        """Find an item by its record, raw or typed, its identifier, or its content in any form: see :class:`Contents`.

        Raises:
            UnknownRecordError: it is nothing that was sent, or was sent more than once.
        """
        if isinstance(what, Item):
            return what
        found = self._identified(what) or self._identified(self._identifier_of(getattr(what, "raw_event", what)))
        if found is not None:
            return found
        same = self._as_delivered(what) or self._contents.find(what)
        if len(same) == 1:
            return same[0]
        raise UnknownRecordError(self._found_several(what, same) if same else self._found_nothing(what))

    def _as_delivered(self, what: Any) -> Sequence[Item]:
        """Return the items whose record this is, first or last delivered, where records have no names."""
        raw = getattr(what, "raw_event", what)
        if not isinstance(raw, Mapping):
            return []
        nameless = [item for item in self.items if item.identifier is None]
        return [
            item
            for item in nameless
            if raw in (self.record_of(item), self.record_of(item, attempt=len(item.deliveries)))
        ]

    def _found_several(self, what: Any, same: Sequence[Item]) -> str:
        return (
            f"{len(same)} records were sent with the content {shortened(what)}: {_listed(same)}. Name the one that you "
            "mean by the record itself, raw or typed, or by its identifier."
        )

    def _found_nothing(self, what: Any) -> str:
        sent = f"Sent were {_listed(self.items)}." if self.items else "Nothing has been sent yet."
        return (
            f"Nothing was sent that is {shortened(what)}. {sent} Name a record by itself, raw or typed, by its "
            "identifier, or by what was sent: the object, or its JSON as text or bytes."
        )

    def _identifier_of(self, record: Any) -> Any:
        try:
            return self.service.identifier(record)
        except Exception:  # of a source's hook, which got what is no record of it
            return None

    def _identified(self, identifier: Any) -> Item | None:
        try:
            return None if identifier is None else self._by_identity.get(identity(identifier))
        except (TypeError, ValueError):  # no JSON, so no identifier
            return None

    def left(self) -> int:
        """Count what the source still holds."""
        return sum(item.end is None for item in self.items)

    def complaint_of(self, delivery: Delivery, response: Any) -> str | None:
        """Return why a response is refused, whatever it says of the records; None where it is not."""
        return None

    # What a subclass has.

    def _place(self, sent: Sent, fields: Mapping[str, Any]) -> tuple[int, int]:
        """Choose the shard of what is sent, and where in it."""
        raise NotImplementedError

    def _take(self, item: Item, sent: Sent) -> None:
        """Take what was sent."""
        raise NotImplementedError

    def receive(self) -> Delivery | None:
        """Return the next batch; None where there is none now."""
        raise NotImplementedError

    def settle(self, delivery: Delivery, settlement: Settlement) -> None:
        """Acknowledge what is done, and keep what comes again."""
        raise NotImplementedError

    def next_at(self) -> float | None:
        """Return when there may be a batch again; None where there never will be."""
        raise NotImplementedError


def _listed(items: Sequence[Item]) -> str:
    more = f" and {len(items) - _MOST_LISTED} more" if len(items) > _MOST_LISTED else ""
    return f"{', '.join(map(repr, items[:_MOST_LISTED]))}{more}"


_MOST_LISTED = 3
