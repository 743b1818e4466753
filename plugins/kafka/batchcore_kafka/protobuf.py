"""Protobuf in keys and values. Needs the extra ``protobuf``; nothing else here imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

from batchcore import ConfigurationError
from batchcore_kafka.wire import Framed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batchcore_kafka.wire import Field, Frame, Framing

__all__ = ["ProtobufValues"]


class ProtobufValues(Framed[Any]):
    """Decodes Protobuf. A frame says which message of its file it holds, and the value is of that class::

        orders = ProtobufValues({17: orders_pb2}, only=[orders_pb2.Order])


        def record_handler(record: KafkaRecord) -> None:
            order = orders.value(record)

    Args:
        schemas: what a frame names a schema by, to the file of the messages: a generated module, its ``DESCRIPTOR``, or
            a message class of it: see :class:`batchcore_kafka.wire.Framed`. With ``framing="none"`` the one message
            class that all is of.
        framing: how the content is framed.
        only: the message classes to take. A record of another fails, instead of being read as what it is not.

    Raises:
        ConfigurationError: a schema is none, or there is no such framing.
    """

    def __init__(self, schemas: Any, framing: Framing = "confluent", *, only: Sequence[type[Message]] = ()) -> None:
        super().__init__(schemas, framing)
        self._only = {message.DESCRIPTOR.full_name for message in only}

    def _prepared(self, name: int | str | None, schema: Any) -> FileDescriptor | Descriptor:
        descriptor: Any = getattr(schema, "DESCRIPTOR", schema)
        if name is None and isinstance(descriptor, Descriptor):
            return descriptor
        if name is not None and isinstance(descriptor, Descriptor):
            return descriptor.file
        if name is not None and isinstance(descriptor, FileDescriptor):
            return descriptor
        wanted = "a message class" if name is None else "a generated module, its DESCRIPTOR or a message class of it"
        raise ConfigurationError(f"A schema of Protobuf is {wanted}, not {schema!r}.")

    def _decoded(self, schema: Any, frame: Frame, field: Field) -> Any:
        message, content = self._message(schema, frame, field)
        if self._only and message.full_name not in self._only:
            raise ValueError(f"{field} is a message {message.full_name}, and that is not to be taken.")
        try:
            return GetMessageClass(message).FromString(content)
        except DecodeError:
            pass
        raise ValueError(f"{field} is no message {message.full_name} of Protobuf.")

    def _message(self, schema: Any, frame: Frame, field: Field) -> tuple[Descriptor, bytes]:
        """Return which message it is, and its bytes."""
        if self.framing == "none":
            return schema, frame.content
        try:
            if self.framing == "glue":
                index, start = _varint(frame.content, 0)
                return _sorted_messages(schema)[index], frame.content[start:]
            if isinstance(frame.schema, str):  # named by a header, and the indexes stand there too
                indexes, start = _indexes(frame.indexes)
                if start != len(frame.indexes):
                    raise IndexError
                return _nested(schema, indexes), frame.content
            indexes, start = _indexes(frame.content)
            return _nested(schema, indexes), frame.content[start:]
        except IndexError:
            pass
        raise ValueError(f"{field} has no message indexes that lead to a message of {schema.name}.")


def _nested(file: FileDescriptor, indexes: Sequence[int]) -> Descriptor:
    first, *others = indexes
    message: Descriptor = list(file.message_types_by_name.values())[first]
    for index in others:
        message = message.nested_types[index]
    return message


def _sorted_messages(file: FileDescriptor) -> list[Descriptor]:
    """Return all messages of a file as Glue counts them: by their full names."""
    found: list[Descriptor] = list(file.message_types_by_name.values())
    for message in found:  # it grows meanwhile
        found.extend(message.nested_types)
    return sorted(found, key=lambda message: message.full_name)


def _indexes(data: bytes) -> tuple[list[int], int]:
    """Return Confluent's message indexes, and where they end: a count, then each, zigzag; a zero alone is the first."""
    count, at = _zigzag(data, 0)
    if count == 0:
        return [0], at
    if count < 0:
        raise IndexError
    indexes: list[int] = []
    for _ in range(count):
        index, at = _zigzag(data, at)
        if index < 0:
            raise IndexError
        indexes.append(index)
    return indexes, at


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    number, at = _varint(data, at)
    return (number >> 1) ^ -(number & 1), at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number, and where it ends. Raises IndexError where it is cut off, or longer than 32 bits."""
    number = 0
    for shift in range(0, 35, 7):
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise IndexError
