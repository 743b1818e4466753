# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""The typed view of a record of a DynamoDB stream."""

from __future__ import annotations

from collections.abc import KeysView, Mapping
from enum import Enum

from batchcore import RecordView
from batchcore.records import once
from batchcore_dynamodb.deserialize import deserialize_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    E = TypeVar("E", bound=Enum)


class DynamoDBRecordEventName(str, Enum):
    """What happened to the item."""

    INSERT = "INSERT"
    MODIFY = "MODIFY"
    REMOVE = "REMOVE"


class StreamViewType(str, Enum):
    """What the stream keeps of an item that changed."""

    KEYS_ONLY = "KEYS_ONLY"
    NEW_IMAGE = "NEW_IMAGE"
    OLD_IMAGE = "OLD_IMAGE"
    NEW_AND_OLD_IMAGES = "NEW_AND_OLD_IMAGES"


class ItemKeys(dict[str, "Any"]):
    """The keys of an item, deserialised. Calling it gives the names of the mapping it belongs to.

    A mapping has a method ``keys()``, and :attr:`StreamRecord.keys` has that name too. This is both, so that
    ``dict(record.dynamodb)`` works.
    """

    __slots__ = ("_mapping",)

    def __init__(self, keys: Mapping[str, Any], mapping: Mapping[str, Any]) -> None:
        super().__init__(keys)
        self._mapping = mapping

    def __call__(self) -> KeysView[str]:
        """Return the names of the mapping that the keys belong to."""
        return KeysView(self._mapping)


class UserIdentity(RecordView):
    """Who changed the item, where it was not a user: an item that expired was removed by DynamoDB."""

    __slots__ = ()

    @property
    def type(self) -> str | None:
        """``Service``, or None."""
        return self.raw_event.get("type")

    @property
    def principal_id(self) -> str | None:
        """``dynamodb.amazonaws.com``, or None."""
        return self.raw_event.get("principalId")


class StreamRecord(RecordView):
    """What changed. Keys and images are deserialised at the first use, then kept."""

    __slots__ = ("__dict__",)

    _keys: ItemKeys | None = None
    _new_image: dict[str, Any] | None = None
    _old_image: dict[str, Any] | None = None

    @property
    def approximate_creation_date_time(self) -> int | None:
        """When the item changed, in whole seconds since the epoch, or None.

        What DynamoDB writes to a Kinesis data stream has milliseconds or microseconds; they are seconds here too.

        Raises:
            ValueError: the event has no number there.
        """
        time = _whole(self.raw_event, "ApproximateCreationDateTime")
        if time is None or time < 20_000_000_000:  # seconds, as in every DynamoDB stream
            return time
        from batchcore_dynamodb.times import units_per_second

        return time // units_per_second(time)

    @property
    def keys(self) -> ItemKeys:  # pyright: ignore[reportIncompatibleMethodOverride]  # callable, as the method is
        """The keys of the item, deserialised: ``record.dynamodb.keys["Id"]``.

        Raises:
            ValueError: they are not as DynamoDB writes them.
        """
        value = self._keys
        if value is None:
            raw = self.raw_event
            value = self._keys = ItemKeys(deserialize_item(raw.get("Keys"), "dynamodb.Keys"), raw)
        return value

    @property
    def new_image(self) -> dict[str, Any]:
        """The item as it is now, deserialised; empty where it is gone, or where the stream does not keep it.

        Raises:
            ValueError: it is not as DynamoDB writes it.
        """
        value = self._new_image
        if value is None:
            value = self._new_image = deserialize_item(self.raw_event.get("NewImage"), "dynamodb.NewImage")
        return value

    @property
    def old_image(self) -> dict[str, Any]:
        """The item as it was, deserialised; empty where it is new, or where the stream does not keep it.

        Raises:
            ValueError: it is not as DynamoDB writes it.
        """
        value = self._old_image
        if value is None:
            value = self._old_image = deserialize_item(self.raw_event.get("OldImage"), "dynamodb.OldImage")
        return value

    @property
    def sequence_number(self) -> str | None:
        """What the response to Lambda names the record by; rising within a shard."""
        return self.raw_event.get("SequenceNumber")

    @property
    def size_bytes(self) -> int | None:
        """The size of the record in bytes, or None.

        Raises:
            ValueError: the event has no number there.
        """
        return _whole(self.raw_event, "SizeBytes")

    @property
    def stream_view_type(self) -> StreamViewType | None:
        """What the stream keeps of an item that changed, or None.

        Raises:
            ValueError: it is none of the types known.
        """
        return _member(StreamViewType, self.raw_event.get("StreamViewType"), "dynamodb.StreamViewType")


class DynamoDBRecord(RecordView):
    """A record of a DynamoDB stream, as Lambda delivers it.

    The record is a mapping too: ``record["dynamodb"]["SizeBytes"]`` and ``record.dynamodb.size_bytes`` are the same.
    AWS promises none of its fields; one that the event lacks is None.
    """

    __slots__ = ()  # and no __init__: the core makes thousands of these, where nothing is to be prepared

    @once
    def dynamodb(self) -> StreamRecord:
        """What changed.

        Raises:
            ValueError: there is no ``dynamodb``, so it is something else. It is a :class:`KeyError` too.
        """
        try:
            return StreamRecord(self.raw_event["dynamodb"])
        except (KeyError, TypeError):
            pass
        raise _no_change(self.raw_event)

    @property
    def aws_region(self) -> str | None:
        """The region of the table, such as ``eu-west-1``, or None."""
        return self.raw_event.get("awsRegion")

    @property
    def event_id(self) -> str | None:
        """The id of the event, or None."""
        return self.raw_event.get("eventID")

    @property
    def event_name(self) -> DynamoDBRecordEventName | None:
        """What happened to the item, or None.

        Raises:
            ValueError: it is none of the names known.
        """
        return _member(DynamoDBRecordEventName, self.raw_event.get("eventName"), "eventName")

    @property
    def event_source(self) -> str | None:
        """``aws:dynamodb``, or None."""
        return self.raw_event.get("eventSource")

    @property
    def event_source_arn(self) -> str | None:
        """The ARN of the stream, or None."""
        return self.raw_event.get("eventSourceARN")

    @property
    def event_version(self) -> str | None:
        """The version of the record's shape, or None."""
        return self.raw_event.get("eventVersion")

    @property
    def user_identity(self) -> UserIdentity:
        """Who changed the item, where it was not a user; else empty, and therefore false."""
        return UserIdentity(self.raw_event.get("userIdentity") or {})


def _no_change(raw_event: Any) -> Exception:
    from batchcore.shapes import WrongShapeError, shape_of

    name, words = shape_of(raw_event)
    inside = name == "record of aws:kinesis"
    advice = " The change is in its data: DynamoDBRecord(record.kinesis.data_as_json())." if inside else ""
    return WrongShapeError(f"A change of a table has an object dynamodb, and this has none: it is {words}.{advice}")


def _member(names: type[E], name: Any, field: str) -> E | None:
    if name is None:
        return None
    try:
        return names[name]
    except (KeyError, TypeError):
        pass
    raise ValueError(f"{field} is one of {', '.join(names.__members__)}, not {name!r}.")


def _whole(payload: Mapping[str, Any], name: str) -> int | None:
    value = payload.get(name)
    if value is None:
        return None
    try:
        return int(value)
    except (OverflowError, TypeError, ValueError):
        pass
    raise ValueError(f"dynamodb.{name} is not a number, but of type {type(value).__name__}.")
