"""Aggregated records: several records of users in one of Kinesis, as the Kinesis Producer Library (KPL) writes them.

Four bytes, a message of Protocol Buffers, and the MD5 digest of the message. The message has the partition keys and the
explicit hash keys, each once, and the records, which name theirs by number. See ``aggregation-format.md`` of the
library: https://github.com/awslabs/amazon-kinesis-producer
"""

from __future__ import annotations

from hashlib import md5

from batchcore_envelopes.errors import AggregateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Field = tuple[int, int | bytes]

START = b"\xf3\x89\x9a\xc2"
_DIGEST = 16
_VARINT, _LENGTH = 0, 2
_SIZES = {1: 8, 5: 4}  # wire types of a fixed size, which the format has none of, and a later one may
_LONGEST = 64  # bits of a number


class UserRecord:
    """One record of a user.

    Attributes:
        partition_key: its own partition key.
        explicit_hash_key: its own explicit hash key, or None.
        data: its data.
    """

    __slots__ = ("data", "explicit_hash_key", "partition_key")

    def __init__(self, partition_key: str, explicit_hash_key: str | None, data: bytes) -> None:
        self.partition_key = partition_key
        self.explicit_hash_key = explicit_hash_key
        self.data = data


def user_records(data: bytes, field: str) -> list[UserRecord]:
    """Take an aggregated record apart, all of it or nothing.

    Args:
        data: the data of the record, which begins with :data:`START`.
        field: where it is from, for the error.

    Raises:
        AggregateError: the digest does not fit, or the message is none of the format's.
    """
    message, digest = data[len(START) : -_DIGEST], data[-_DIGEST:]
    if len(data) < len(START) + _DIGEST or md5(message, usedforsecurity=False).digest() != digest:
        raise AggregateError(
            f"{field} begins as a record that the Kinesis Producer Library aggregated, and its checksum does not fit: "
            "it was changed or cut off."
        )
    reason = ""
    try:
        return _records_of(message)
    except ValueError as error:
        reason = "a name is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
    raise AggregateError(
        f"{field} is an aggregated record with a checksum that fits, and cannot be taken apart: {reason}."
    )


def _records_of(message: bytes) -> list[UserRecord]:
    partition_keys: list[str] = []
    hash_keys: list[str] = []
    found: list[tuple[int | None, int | None, bytes | None]] = []
    for number, value in _fields(message):
        if number == 1:
            partition_keys.append(_bytes(value).decode())
        elif number == 2:
            hash_keys.append(_bytes(value).decode())
        elif number == 3:
            found.append(_record(_bytes(value)))
    return [  # the tables may stand behind the records
        UserRecord(
            _named(partition_keys, key, "partition key"),
            None if hash_key is None else _named(hash_keys, hash_key, "explicit hash key"),
            _there(data),
        )
        for key, hash_key, data in found
    ]


def _record(message: bytes) -> tuple[int | None, int | None, bytes | None]:
    key = hash_key = data = None
    for number, value in _fields(message):
        if number == 1:
            key = _number(value)
        elif number == 2:
            hash_key = _number(value)
        elif number == 3:
            data = _bytes(value)
    return key, hash_key, data


def _named(names: list[str], at: int | None, what: str) -> str:
    if at is None or at >= len(names):
        raise ValueError(f"a record names no {what} that is there")
    return names[at]


def _there(data: bytes | None) -> bytes:
    if data is None:
        raise ValueError("a record has no data")
    return data


def _number(value: int | bytes) -> int:
    if not isinstance(value, int):
        raise ValueError("there is text where a number belongs")
    return value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("there is a number where text belongs")
    return value


# -- Protocol Buffers, as far as the format needs them.


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field of a message.

    Raises:
        ValueError: it ends in the middle of one, or has one of a kind that is not known.
    """
    at, end = 0, len(message)
    while at < end:
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if not number:
            raise ValueError("a field has the number 0")
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if kind == _LENGTH:
            size, at = _varint(message, at)
        elif kind in _SIZES:
            size = _SIZES[kind]
        else:
            raise ValueError(f"a field is of the wire type {kind}, which is not known here")
        if size > end - at:
            raise ValueError("it ends in the middle of a field")
        yield number, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(message):
            raise ValueError("it ends in the middle of a number")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift >= _LONGEST:
            raise ValueError("a number is longer than 64 bits")
