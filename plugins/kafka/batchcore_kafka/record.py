# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""The typed view of a record of Kafka, and what names one."""

from __future__ import annotations

from collections.abc import Sequence

from batchcore import RecordIdentityError, RecordView
from batchcore.binary import decode_base64
from batchcore.records import decode_json, decode_text, is_object, once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, TypeAlias, TypeGuard, overload

    HeaderPairs: TypeAlias = list[tuple[str, bytes | None]]


class KafkaSchemaMetadata(RecordView):
    """What Lambda says of a key or a value that it validated by a schema registry."""

    __slots__ = ()

    @property
    def data_format(self) -> str | None:
        """``AVRO``, ``PROTOBUF`` or ``JSON``, or None where the event does not say."""
        return self.raw_event.get("dataFormat")

    @property
    def schema_id(self) -> str | None:
        """What the registry names the schema by, or None where the event does not say."""
        return self.raw_event.get("schemaId")


class KafkaRecord(RecordView):
    """A record of Kafka, as Lambda delivers it.

    The record is a mapping too: ``record["topic"]`` and ``record.topic`` are the same. A key or a value that is missing
    and one that is null are the same, None; an empty one is another thing.
    """

    __slots__ = ()  # and no __init__: the core makes thousands of these, where nothing is to be prepared

    @property
    def topic(self) -> str:
        """The topic."""
        return self.raw_event["topic"]

    @property
    def partition(self) -> int:
        """The partition of the topic, counting from 0.

        Raises:
            ValueError: the event has no such number there.
        """
        return whole_number(self.raw_event["partition"], "partition")

    @property
    def offset(self) -> int:
        """Where in the partition. Offsets rise, and have gaps.

        Raises:
            ValueError: the event has no such number there.
        """
        return whole_number(self.raw_event["offset"], "offset")

    @property
    def timestamp(self) -> int:
        """When the record was made or appended, in milliseconds since the epoch: see :attr:`timestamp_type`.

        Raises:
            ValueError: the event has no such number there.
        """
        return whole_number(self.raw_event["timestamp"], "timestamp", least=-1)  # what Kafka has for no time

    @property
    def timestamp_type(self) -> str | None:
        """``CREATE_TIME`` or ``LOG_APPEND_TIME``, or None where the event does not say."""
        return self.raw_event.get("timestampType")

    @property
    def key(self) -> str | None:
        """The key, in base64 as the event has it; None where it has none."""
        return self.raw_event.get("key")

    @property
    def value(self) -> str | None:
        """The value, in base64 as the event has it; None in a tombstone."""
        return self.raw_event.get("value")

    @once
    def decoded_key(self) -> bytes | None:
        """The key, decoded from base64; None where the record has none.

        Raises:
            binascii.Error: the key is not base64.
        """
        return _decoded(self.raw_event, "key")

    @once
    def decoded_value(self) -> bytes | None:
        """The value, decoded from base64; None in a tombstone.

        Raises:
            binascii.Error: the value is not base64.
        """
        return _decoded(self.raw_event, "value")

    @once
    def json_value(self) -> Any:
        """The value, parsed as JSON: at the first use, then kept. None in a tombstone, as for the JSON ``null``.

        Raises:
            json.JSONDecodeError: the value is not JSON. The error does not carry it.
            ValueError: it is not even text.
        """
        value = self.raw_event.get("value")
        return None if value is None else decode_json(decode_text(decode_base64(value, "value"), "value"), "value")

    @property
    def headers(self) -> list[Mapping[str, Any]]:
        """The headers, as the event has them: an object for each, its value a list of signed bytes; empty for none."""
        return self.raw_event.get("headers") or []

    @once
    def header_pairs(self) -> HeaderPairs:
        """The headers in their order, decoded. A name may come twice. A value is None where the producer sent null.

        Raises:
            ValueError: a header is not as Lambda writes them. The error names its position, and not what it holds.
        """
        return decode_headers(self.raw_event.get("headers"))

    @property
    def decoded_headers(self) -> dict[str, bytes | None]:
        """The headers by their names, decoded; of those with one name the last. See :attr:`header_pairs`.

        Raises:
            ValueError: as of :attr:`header_pairs`.
        """
        return dict(self.header_pairs)

    @property
    def key_schema_metadata(self) -> KafkaSchemaMetadata | None:
        """What a schema registry says of the key; None without one."""
        return _metadata(self.raw_event, "keySchemaMetadata")

    @property
    def value_schema_metadata(self) -> KafkaSchemaMetadata | None:
        """What a schema registry says of the value; None without one."""
        return _metadata(self.raw_event, "valueSchemaMetadata")


def _decoded(raw_event: Mapping[str, Any], field: str) -> bytes | None:
    value = raw_event.get(field)
    return None if value is None else decode_base64(value, field)


def _metadata(raw_event: Mapping[str, Any], field: str) -> KafkaSchemaMetadata | None:
    value = raw_event.get(field)
    if value is None:
        return None
    if not is_object(value):
        raise ValueError(f"{field} is an object, not of type {type(value).__name__}.")
    return KafkaSchemaMetadata(value)


def whole_number(value: Any, field: str, least: int = 0) -> int:
    """Return a number that older events have as text.

    Raises:
        ValueError: it is no whole number, or one below the least.
    """
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:  # of 64 bits at most
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        seen = "negative" if isinstance(value, int) and value < 0 else f"of type {type(value).__name__}"
        raise ValueError(f"{field} is a whole number, and here it is {seen}.")
    return value


class Identifiers(Sequence["Mapping[str, Any]"]):
    """What names the records of a batch: read and checked now, and made objects when somebody asks for one.

    Args:
        records: the raw records.

    Raises:
        RecordIdentityError: one cannot be named. AWS would take the whole response for a failure.
    """

    __slots__ = ("_made", "_offsets", "_runs")

    are_checked = True  # so the core need not look at each

    def __init__(self, records: Iterable[Any]) -> None:
        self._offsets: list[int] = []
        # Records of a partition follow one another: position of the first of them, topic, partition.
        self._runs: list[tuple[int, str, Any]] = []
        self._made: list[Mapping[str, Any]] | None = None  # a fifth of what a record costs, and few batches name one
        offsets = self._offsets
        topic: Any = None
        partition: Any = offsets  # which no record has
        for record in records:
            try:
                if record["partition"] is not partition or record["topic"] != topic:
                    topic, partition = record["topic"], record["partition"]
                    if type(partition) is not int or partition < 0 or type(topic) is not str or not topic:
                        identified(len(offsets), record)
                    self._runs.append((len(offsets), topic, partition))
                offset = record["offset"]
                if type(offset) is not int or offset < 0:
                    offset = identified(len(offsets), record)["offset"]
                offsets.append(offset)
            except (KeyError, TypeError):
                identified(len(offsets), record)  # says what is wrong
                raise

    def __len__(self) -> int:
        return len(self._offsets)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: int) -> Mapping[str, Any]: ...
        @overload
        def __getitem__(self, index: slice) -> list[Mapping[str, Any]]: ...

    def __getitem__(self, index: int | slice) -> Mapping[str, Any] | list[Mapping[str, Any]]:
        if self._made is None:
            self._made = self._make()
        return self._made[index]

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return iter(self[:])

    def _make(self) -> list[Mapping[str, Any]]:
        made: list[Mapping[str, Any]] = []
        ends = [start for start, _, _ in self._runs[1:]]
        for (start, topic, partition), end in zip(self._runs, [*ends, len(self)], strict=True):
            name = f"{topic}-{whole_number(partition, 'partition')}"
            made += [{"partition": name, "offset": offset} for offset in self._offsets[start:end]]
        return made


def identified(position: int, record: Any) -> Mapping[str, Any]:
    """Return what names one raw record: topic and partition, and offset.

    Raises:
        RecordIdentityError: it lacks one of them.
    """
    try:
        topic, partition, offset = record["topic"], record["partition"], record["offset"]
        if isinstance(topic, str) and topic:
            if type(partition) is not int or partition < 0:
                partition = whole_number(partition, "partition")
            if type(offset) is not int or offset < 0:
                offset = whole_number(offset, "offset")
            return {"partition": f"{topic}-{partition}", "offset": offset}
        problem = "its topic is no text, or an empty one"
    except KeyError as error:
        problem = f"it has no {error.args[0]}"
    except ValueError as error:
        problem = str(error).rstrip(".")
    except TypeError:
        problem = f"it is no object but of type {type(record).__name__}"
    raise RecordIdentityError(
        f"Record {position} of the batch, counting from 0, cannot be named in a response: {problem}. AWS names a "
        "record of Kafka by its topic, partition and offset.",
        position=position,
    )


def decode_headers(headers: Any) -> HeaderPairs:
    """Return headers as pairs of a name and bytes, in their order; None is the same as no headers.

    Args:
        headers: as Lambda has them: a list of objects, whose values are lists of signed bytes; null, or text in base64.

    Raises:
        ValueError: they are of another form.
    """
    pairs: HeaderPairs = []
    if headers is None:
        return pairs
    if not _is_list(headers):
        raise ValueError(f"headers is a list, not of type {type(headers).__name__}.")
    for position, header in enumerate(headers):
        if not is_object(header):
            raise ValueError(f"headers[{position}] is an object, not of type {type(header).__name__}.")
        for name, value in header.items():
            pairs.append((name, _header_value(value, f"headers[{position}]")))
    return pairs


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _header_value(value: Any, field: str) -> bytes | None:
    if value is None:
        return None
    if isinstance(value, str):
        return decode_base64(value, field)
    if not _is_list(value):
        raise ValueError(f"The value of {field} is a list of bytes, not of type {type(value).__name__}.")
    try:
        # Java's bytes are signed: -36 is what everybody else calls 220.
        if not any(type(number) is not int for number in value) and min(value, default=0) >= -128:
            return bytes([number & 0xFF if number < 0 else number for number in value])
    except ValueError:  # a number above 255
        pass
    raise ValueError(f"The value of {field} is a list of numbers from -128 to 255, and this has something else.")
