"""Decompressing, with a bound on what comes out: a few bytes can become gigabytes."""

from __future__ import annotations

import zlib

from batchcore_envelopes.errors import CompressedDataError

LARGEST = 64 * 1024 * 1024
"""How many bytes may come out of one record, unless the caller says otherwise. Lambda's event has 6 MB."""

_AT_ONCE = 1024 * 1024
_PIECE = 16 * 1024  # what follows a member is copied when it ends, and there may be thousands
_EITHER = zlib.MAX_WBITS | 32  # gzip or zlib, whichever the header says


def decompressed(data: bytes, field: str, largest: int = LARGEST) -> bytes:
    """Decompress what gzip or zlib compressed: all of its members, one after the other.

    Args:
        data: the compressed bytes.
        field: where they are from, for the error.
        largest: how many bytes may come out. No more than that is ever made, but for a part of a mebibyte.

    Raises:
        CompressedDataError: they were not compressed by either, are damaged or cut off, have something else behind the
            last member, or more than ``largest`` would come out.
    """
    pieces: list[bytes] = []
    rest, room, members, reason = memoryview(data), largest, 0, ""
    member = zlib.decompressobj(_EITHER)
    try:
        while not reason:
            piece = member.decompress(rest[:_PIECE], min(_AT_ONCE, room + 1))
            pieces.append(piece)
            room -= len(piece)
            unused = member.unused_data if member.eof else member.unconsumed_tail
            rest = rest[min(len(rest), _PIECE) - len(unused) :]
            if room < 0:
                reason = f"is more than {largest} bytes when decompressed, the most that is taken here"
            elif member.eof:
                rest, members = _behind_zeros(rest), members + 1
                if not rest:
                    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
                member = zlib.decompressobj(_EITHER)
            elif not rest and not piece:
                reason = "is cut off: the end of what was compressed is missing" if data else "is empty"
    except zlib.error as error:
        where = (
            f", behind {members} compressed part{' that is' if members == 1 else 's that are'} whole" if members else ""
        )
        reason = f"is not compressed by gzip or zlib, or damaged{where}: {error}"
    raise CompressedDataError(f"{field} {reason}.")


def _behind_zeros(rest: memoryview) -> memoryview:
    """Return what stands behind the zeros that some programs pad a member with."""
    while rest and rest[0] == 0:
        piece = bytes(rest[:_PIECE])
        rest = rest[len(piece) - len(piece.lstrip(b"\0")) :]
    return rest
