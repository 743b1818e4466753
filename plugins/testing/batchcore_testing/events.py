"""Event factories: records and events of a source in AWS's exact shape, any field overridable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from batchcore import ConfigurationError
from batchcore_testing.clock import START
from batchcore_testing.factories import how_to_register, registered_factory
from batchcore_testing.services import resolved_source

if TYPE_CHECKING:
    from batchcore.types import Record


class _Removed:
    def __repr__(self) -> str:
        return "removed"


removed: Any = _Removed()
"""As the value of a field: the record does not have it."""


class Sent(NamedTuple):
    """What was sent to a source, and what the source has made of it: everything a record tells.

    Attributes:
        content: what the producer sent. What it may be, the factory says; text and what can be JSON always may.
        number: counts what was sent, from 1. Two records with the same number are deliveries of one. An identifier that
            a service gives once is made of it.
        key: what it is ordered by: a message group, a partition key, the key of an item; None for none.
        sent_at: when, in seconds since 1970.
        resource: the name of the queue, stream, table or topic.
        shard: the shard or partition that holds it, counting from 0.
        sequence: where it stands in that shard, counting from 0. Records of two shards, or of two resources, may have
            the same: an identifier that counts in each is made of it.
        attempt: how often it has been received, this time included.
        first_received_at: when it was received first, in seconds since 1970; None for now.
    """

    content: Any
    number: int = 1
    key: str | None = None
    sent_at: float = START
    resource: str = "orders"
    shard: int = 0
    sequence: int = 0
    attempt: int = 1
    first_received_at: float | None = None


class EventFactory:
    """Makes the events of one source.

    A source package derives from it, and registers the class under the name of its source in the entry-point group
    ``batchcore.event_factories``.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record as AWS would deliver it."""
        raise NotImplementedError

    def event(self, records: Sequence[Record]) -> Any:
        """Make the event that carries records. Default: ``{"Records": [...]}``."""
        return {"Records": list(records)}

    def lane(self, position: int, lanes: int) -> Mapping[str, Any]:
        """Return what of :class:`Sent` puts a record into one of several lanes. Default: its key.

        Args:
            position: which record, from 0.
            lanes: how many lanes there are: message groups, partition keys, items, partitions.
        """
        return {"key": f"key-{position % lanes}", "sequence": position}


def factory_of(source: object) -> EventFactory:
    """Return the event factory of a source: the one that is registered under its name.

    Args:
        source: the source, the name of one that is installed, or an event factory itself.

    Raises:
        batchcore.ConfigurationError: it has none.
        batchcore.SourceNotInstalledError: nobody offers a source of that name, nor an event factory.
        batchcore.SourceBrokenError: the package of the factory fails to load.
        batchcore.AmbiguousSourceError: two packages register a factory.
    """
    if isinstance(source, EventFactory):
        return source
    name = str.__str__(source) if isinstance(source, str) else resolved_source(source).name
    factory: Any = registered_factory(name)
    if factory is None:
        resolved_source(source)  # where nobody has a source of that name, this says what to do
        raise ConfigurationError(f"The source {name!r} has no event factory. {how_to_register()}")
    return factory  # type: ignore[no-any-return]  # a factory is whatever has its two methods


def make_record(source: object, content: Any = "{}", *, sent: Mapping[str, Any] | None = None, **fields: Any) -> Any:
    """Make one raw record.

    Args:
        source: the source, the name of one that is installed, or an event factory itself.
        content: what the producer sent.
        sent: attributes of :class:`Sent`, such as ``{"key": "customer-1", "attempt": 3}``.
        fields: fields of the record, by AWS's names, to have instead. An object is merged with what is there;
            ``removed`` takes a field away.

    Returns:
        A new record.
    """
    return merged(factory_of(source).record(Sent(content, **(sent or {}))), fields)


def make_event(
    source: object, *contents: Any, lanes: int = 0, sent: Mapping[str, Any] | None = None, **fields: Any
) -> Any:
    """Make an event with one record for each content.

    Args:
        source: the source, the name of one that is installed, or an event factory itself.
        contents: what the producer sent.
        lanes: over how many lanes the records are spread, in turn: message groups, partition keys, items, partitions.
            0 for none in particular.
        sent: attributes of :class:`Sent` that all records have.
        fields: fields that all records have, as of :func:`make_record`.

    Returns:
        A new event.
    """
    factory = factory_of(source)
    known: list[dict[str, Any]] = [
        {
            "content": content,
            "number": position + 1,
            "sequence": position,
            **(factory.lane(position, lanes) if lanes else {}),
            **(sent or {}),
        }
        for position, content in enumerate(contents)
    ]
    made = [factory.record(Sent(**each)) for each in known]
    return factory.event([merged(record, fields) for record in made])


def event_from(source: object, records: Sequence[Record]) -> Any:
    """Make an event of records that :func:`make_record` has made.

    Args:
        source: the source, the name of one that is installed, or an event factory itself.
        records: the raw records, in the order of delivery.
    """
    return factory_of(source).event(records)


def merged(record: Any, fields: Mapping[str, Any]) -> Any:
    """Return a record with other fields: objects are merged, everything else is replaced.

    Raises:
        batchcore.ConfigurationError: the record has no fields.
    """
    if not fields:
        return record
    if not _is_object(record):
        raise ConfigurationError(f"A record that is {record!r} has no fields to have instead: {', '.join(fields)}.")
    result: dict[str, Any] = dict(record)
    for name, value in fields.items():
        if value is removed:
            result.pop(name, None)
        elif _is_object(value) and _is_object(result.get(name)):
            result[name] = merged(result[name], value)
        else:
            result[name] = value
    return result


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)
