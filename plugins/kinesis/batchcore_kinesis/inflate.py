"""Decompressing: all that was compressed, or an error that names what could not be read."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 64 * 1024 * 1024
"""How many bytes may come out of one record. Lambda's event has 6 MB, so a record brings 4.4 MB of data at most, and
CloudWatch Logs writes 1 MB. A record of which more than this comes out is hardly meant to be read."""

_AT_ONCE = 1024 * 1024
_PIECE = 16 * 1024


def inflated(data: bytes, field: str) -> bytes:
    """Decompress what zlib or gzip compressed.

    All members are read, as ``gzip`` does: what was compressed in parts is one text again. Zeros behind a member of
    gzip are padding, and skipped.

    Args:
        data: the compressed bytes.
        field: where they are from, for the error.

    Raises:
        zlib.error: they were not compressed by either, are damaged or cut off, have something else behind the last
            member, or more than 64 MiB come out of them. Decompressing stops there.
    """
    import zlib

    pieces: list[bytes] = []
    total = 0
    try:
        for piece in _pieces(data):
            total += len(piece)
            if total > LARGEST:
                raise zlib.error(f"is more than {LARGEST // 2**20} MiB when decompressed, the most that is read here")
            pieces.append(piece)
    except zlib.error as error:
        reason = str(error)
    else:
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    raise zlib.error(f"{field} {reason}")


def _pieces(data: bytes) -> Iterator[bytes]:
    """Yield what comes out, a piece at a time: a few bytes can become gigabytes.

    Raises:
        zlib.error: it does not go on. The text goes on after the name of the field.
    """
    import zlib

    view, whole, end, number, damage = memoryview(data), len(data), 0, 0, ""
    while end < whole or not number:
        start, number = end, number + 1
        if number > 1 and not _is_header(data, start):
            left = f"{whole - start} byte{'' if whole - start == 1 else 's'}"
            raise zlib.error(f"has {left} behind its last compressed member, which neither gzip nor zlib compressed")
        member = zlib.decompressobj(zlib.MAX_WBITS | 32)  # 32: find out which of the two
        # What follows a member is copied when it ends. Given all of it each time, thousands of members take minutes.
        size = whole if number == 1 else _PIECE
        ended = False
        while not ended:
            given = view[end : end + size]
            try:
                piece = member.decompress(given, _AT_ONCE)
            except zlib.error as error:
                damage = _damage(data, start, number, str(error))
                break
            yield piece
            ended = member.eof
            # At its end a member may show what follows as both.
            end += len(given) - len(member.unused_data if ended else member.unconsumed_tail)
            # With less than it may give, and nothing left to take, it waits for what is missing.
            if end == whole and len(piece) < _AT_ONCE and not ended:
                damage = _cut_off(whole, number)
                break
        if damage:
            raise zlib.error(damage)
        if data[start] == 0x1F:
            end = _behind_zeros(data, end)


def _is_header(data: bytes, at: int) -> bool:
    """Whether a member of gzip or zlib may start here."""
    first, second = data[at : at + 1], data[at + 1 : at + 2]
    if not second:
        return False
    return (first == b"\x1f" and second == b"\x8b") or (first[0] & 0x8F == 8 and (first[0] << 8 | second[0]) % 31 == 0)


def _behind_zeros(data: bytes, end: int) -> int:
    import re

    zeros = re.compile(rb"\0*").match(data, end)
    return end if zeros is None else zeros.end()


def _cut_off(whole: int, number: int) -> str:
    if not whole:
        return "is not compressed by zlib or gzip: it is empty"
    return f"is compressed by zlib or gzip and cut off: the end of its member {number} is missing"


def _damage(data: bytes, start: int, number: int, reason: str) -> str:
    if number > 1 or _is_header(data, start):
        return f"is compressed by zlib or gzip and damaged in its member {number}: {reason}"
    from batchcore.shapes import shape_of

    name, words = shape_of(data)
    what = "" if name in ("bytes", "text") else f". It is {words}"
    return f"is not compressed by zlib or gzip: {reason}{what}"
