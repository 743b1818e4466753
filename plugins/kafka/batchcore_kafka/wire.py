"""How keys and values are framed that were written with a schema registry, and where their schema is named.

Used by :mod:`batchcore_kafka.avro` and :mod:`batchcore_kafka.protobuf`, and by itself for JSON. Where the bytes are:

==================  ==================================  =====================================================
framing             where                               bytes
==================  ==================================  =====================================================
Confluent's prefix  the key or value itself             ``00``, the schema's id in 4 bytes, content
Confluent's header  ``__key_schema_id`` and             ``01``, the schema's guid in 16 bytes; the key or value
                    ``__value_schema_id``               itself has no frame
Glue's              the key or value itself             ``03``, ``00`` or ``05`` (zlib), the version's uuid in 16
                                                        bytes, content
==================  ==================================  =====================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from batchcore import ConfigurationError
from batchcore.records import decode_json, decode_text
from batchcore_kafka.record import KafkaRecord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    Field: TypeAlias = Literal["key", "value"]
    Framing: TypeAlias = Literal["confluent", "confluent-prefix", "confluent-header", "glue", "none"]
    """Of Confluent's: either, the prefix alone, the header alone. ``none``: the content has no frame."""

T = TypeVar("T")

FRAMINGS = ("confluent", "confluent-prefix", "confluent-header", "glue", "none")
LARGEST = 64 * 1024 * 1024
"""Bytes that content may have when it is decompressed."""


class UnknownSchemaError(ValueError):
    """Content was written with a schema that the caller has not given.

    Attributes:
        schema: what the frame names it by: Confluent's id, a number, or a guid or Glue's version, as text.
    """

    def __init__(self, message: str, schema: int | str | None = None) -> None:
        super().__init__(message)
        self.schema = schema


class Frame(NamedTuple):
    """Content, and what it was written with.

    Attributes:
        schema: what names the schema: a number, a uuid as text, or None without a frame.
        content: what the frame holds.
        indexes: what follows the guid in a header: Protobuf's message indexes.
    """

    schema: int | str | None
    content: bytes
    indexes: bytes = b""


class Framed(Generic[T]):
    """Decodes keys and values: call :meth:`value` or :meth:`key` in a handler, where a failure costs the record alone.

    Args:
        schemas: what a frame names a schema by, to the schema: a number (Confluent's id), or a uuid as text or object
            (Confluent's guid, Glue's version). Without a frame there is one schema, and nothing names it.
        framing: how the content is framed.
    """

    def __init__(self, schemas: Any, framing: Framing) -> None:
        if framing not in FRAMINGS:
            raise ConfigurationError(f"framing is one of {', '.join(FRAMINGS)}; not {framing!r}.")
        self.framing = framing
        given: dict[int | str | None, Any]
        given = {None: schemas} if framing == "none" else {_name_of(name): each for name, each in _items(schemas)}
        self.schemas = {name: self._prepared(name, each) for name, each in given.items()}

    def value(self, record: Mapping[str, Any]) -> T | None:
        """Return the value of a record, typed or raw; None for a tombstone.

        Raises:
            UnknownSchemaError: it was written with a schema that is not among those given.
            ValueError: it is not framed as was said, or is not what its schema says. Nothing of it is in the error.
        """
        return self._of(record, "value")

    def key(self, record: Mapping[str, Any]) -> T | None:
        """Return the key of a record, typed or raw; None where it has none.

        Raises:
            UnknownSchemaError: it was written with a schema that is not among those given.
            ValueError: it is not framed as was said, or is not what its schema says. Nothing of it is in the error.
        """
        return self._of(record, "key")

    def _of(self, record: Mapping[str, Any], field: Field) -> T | None:
        view = record if isinstance(record, KafkaRecord) else KafkaRecord(record)
        data = view.decoded_value if field == "value" else view.decoded_key
        if data is None:
            return None
        frame = self._frame(view, data, field)
        return self._decoded(self._schema_of(frame.schema, field), frame, field)

    def _frame(self, record: KafkaRecord, data: bytes, field: Field) -> Frame:
        if self.framing == "none":
            return Frame(None, data)
        if self.framing == "glue":
            return read_glue(data, field)
        header = None if self.framing == "confluent-prefix" else schema_header(record, field)
        if header is None:
            if self.framing == "confluent-header":
                raise ValueError(f"{field} has no header __{field}_schema_id, which names its schema.")
            return read_confluent(data, field)
        # A header that an older writer has left outranks the prefix of a newer one, and the fields would be wrong.
        if self.framing == "confluent" and data[:1] == b"\0" and int.from_bytes(data[1:5], "big") in self.schemas:
            raise ValueError(
                f"{field} may be framed twice: a header names its schema, and it begins like a prefix of a schema that "
                "is known. Say which one holds by framing='confluent-header' or 'confluent-prefix'."
            )
        return Frame(header[0], data, header[1])

    def _schema_of(self, name: int | str | None, field: Field) -> Any:
        if name in self.schemas:
            return self.schemas[name]
        known = ", ".join(map(str, self.schemas)) or "none"
        raise UnknownSchemaError(f"{field} was written with schema {name}. Those given are: {known}.", name)

    def _prepared(self, name: int | str | None, schema: Any) -> Any:
        """Prepare a schema, once. Raises ConfigurationError where it is none."""
        raise NotImplementedError

    def _decoded(self, schema: Any, frame: Frame, field: Field) -> T:
        """Decode content."""
        raise NotImplementedError


class JSONValues(Framed[Any]):
    """Decodes JSON in a frame, of whatever schema: nothing is validated. JSON without one is ``record.json_value``.

    Args:
        framing: how it is framed.
    """

    def __init__(self, framing: Framing = "confluent") -> None:
        super().__init__({}, framing)

    def _prepared(self, name: int | str | None, schema: Any) -> Any:
        return schema

    def _schema_of(self, name: int | str | None, field: Field) -> Any:
        return None

    def _decoded(self, schema: Any, frame: Frame, field: Field) -> Any:
        return decode_json(decode_text(frame.content, field), field)


def read_confluent(data: bytes, field: Field) -> Frame:
    """Read Confluent's prefix.

    Raises:
        ValueError: there is none.
    """
    if data[:1] != b"\0" or len(data) < 5:
        raise ValueError(f"{field} has no prefix of Confluent's: a zero, and the id of its schema in four bytes.")
    return Frame(int.from_bytes(data[1:5], "big"), data[5:])


def read_glue(data: bytes, field: Field) -> Frame:
    """Read the frame of AWS Glue's schema registry.

    Raises:
        ValueError: there is none, or what was compressed is damaged, or more than 64 MiB when decompressed.
    """
    if data[:2] not in (b"\3\0", b"\3\5") or len(data) < 18:
        raise ValueError(f"{field} has no frame of Glue's: 3, 0 or 5, and the version of its schema in 16 bytes.")
    content = data[18:]
    if data[1] == 5:
        import zlib

        inflater = zlib.decompressobj()
        try:
            content = inflater.decompress(content, LARGEST)
        except zlib.error:
            content = b""
        if not inflater.eof or inflater.unused_data:
            raise ValueError(f"{field} is said to be compressed by zlib, and is damaged, cut off, or too large.")
    return Frame(str(UUID(bytes=data[2:18])), content)


def schema_header(record: KafkaRecord, field: Field) -> tuple[str, bytes] | None:
    """Return the guid that a header names a schema by, and what follows it; None without such a header.

    Raises:
        ValueError: it is damaged, or there are two that differ: one of them is of an older writer.
    """
    name = f"__{field}_schema_id"
    found = {value for key, value in record.header_pairs if key == name}
    if not found:
        return None
    if len(found) > 1:
        raise ValueError(f"The header {name} is there {len(found)} times, and names different schemas.")
    (value,) = found
    if value is None or value[:1] != b"\1" or len(value) < 17:
        raise ValueError(f"The header {name} is not 1, and the guid of a schema in 16 bytes.")
    return str(UUID(bytes=value[1:17])), value[17:]


def _items(schemas: Any) -> list[tuple[Any, Any]]:
    try:
        return list(schemas.items())
    except AttributeError:
        raise ConfigurationError(
            "schemas is a mapping of what names a schema to the schema; without a frame, framing='none', it is one."
        ) from None


def _name_of(name: Any) -> int | str:
    if type(name) is int:
        return name
    try:
        return str(name if isinstance(name, UUID) else UUID(name))
    except (AttributeError, TypeError, ValueError):
        raise ConfigurationError(
            f"A schema is named by a number, as Confluent's registry does, or by a uuid; not by {name!r}."
        ) from None
