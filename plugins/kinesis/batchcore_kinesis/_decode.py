"""Decoding, with errors that name the field and never carry what is in it."""

from __future__ import annotations

import sys
from binascii import Error, a2b_base64
from json import JSONDecodeError, JSONDecoder  # the Lambda runtime has it loaded before us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_parse = JSONDecoder().decode


def checked_base64(text: Any) -> bytes:
    """Decode base64 strictly, for a Python that cannot: it skips what is not base64, which shows in the length.

    Raises:
        ValueError: it is not base64.
    """
    decoded = a2b_base64(text)
    padding = len(text) - len(text.rstrip("="))
    if len(text) % 4 or padding > 2 or len(decoded) != len(text) // 4 * 3 - padding:
        raise ValueError("characters outside the alphabet, or after the end")
    return decoded


if sys.version_info >= (3, 11):

    def _decode_base64(text: Any) -> bytes:
        return a2b_base64(text, strict_mode=True)

else:  # pragma: no cover - on Python 3.10
    _decode_base64 = checked_base64


def bytes_value(text: Any, field: str) -> bytes:
    """Decode base64, and refuse what is not base64 instead of skipping it.

    Args:
        text: what the event holds.
        field: where it holds it, for the error.

    Raises:
        binascii.Error: it is not base64.
    """
    try:
        return _decode_base64(text)
    except (TypeError, ValueError) as error:
        reason = str(error)
    raise Error(f"{field} is not base64: {reason}")


def text_value(data: bytes, field: str) -> str:
    """Decode UTF-8.

    Args:
        data: the bytes.
        field: where they are from, for the error.

    Raises:
        UnicodeDecodeError: they are not UTF-8. The error's ``object`` is empty.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        error.reason = f"{field} is not UTF-8: {error.reason} at position {error.start}"
        error.object, error.start, error.end = b"", 0, 0  # an error is logged and sent around: no data in it
        raise


def json_value(text: str, field: str) -> Any:
    """Parse JSON.

    Args:
        text: the JSON.
        field: where it is from, for the error.

    Raises:
        JSONDecodeError: it is not JSON. The error's ``doc`` is empty.
    """
    try:
        return _parse(text)
    except JSONDecodeError as error:
        error.doc = ""  # an error is logged and sent around: no data in it
        error.msg = f"{field} is not JSON: {error.msg}"
        error.args = (f"{error.msg}: line {error.lineno} column {error.colno} (char {error.pos})",)
        raise


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
