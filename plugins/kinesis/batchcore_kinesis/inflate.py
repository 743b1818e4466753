"""Decompressing, with an error that names the field."""

from __future__ import annotations


def inflated(data: bytes, field: str) -> bytes:
    """Decompress what zlib or gzip compressed.

    Args:
        data: the compressed bytes.
        field: where they are from, for the error.

    Raises:
        zlib.error: they were not compressed by either.
    """
    import zlib

    try:
        return zlib.decompress(data, zlib.MAX_WBITS | 32)  # 32: find out which of the two
    except zlib.error as error:
        reason = str(error)
    raise zlib.error(f"{field} is not compressed by zlib or gzip: {reason}")
