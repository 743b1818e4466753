"""For typed views: JSON, text and base64, with errors that name the field and never carry what is in it.

An exception is logged, pickled and sent to an error tracker; a body must not travel with it.
"""

from __future__ import annotations

import sys
from binascii import Error, a2b_base64
from json import JSONDecodeError, JSONDecoder  # the Lambda runtime has it loaded before us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["decode_base64", "decode_json", "decode_text"]

_decoder = JSONDecoder()
_scan: Any = vars(_decoder)["scan_once"]  # set by json's own C code; typeshed does not name it


def decode_json(text: Any, field: str) -> Any:
    """Parse JSON.

    Args:
        text: the JSON.
        field: where it is from, for the error.

    Raises:
        JSONDecodeError: it is not JSON. The error's ``doc`` is empty.
        TypeError: it is no string.
    """
    try:
        # What decode() does but for white space around the value, which JSON that a program wrote does not have.
        value, end = _scan(text, 0)
        if end == len(text):
            return value
    except (StopIteration, TypeError, ValueError):
        pass
    return _decode_json_with_care(text, field)


def _decode_json_with_care(text: Any, field: str) -> Any:
    if not isinstance(text, str):
        raise TypeError(f"{field} is of type {type(text).__name__}, not a string of JSON.")
    try:
        return _decoder.decode(text)
    except JSONDecodeError as error:
        error.doc = ""
        error.msg = f"{field} is not JSON: {error.msg}"
        error.args = (f"{error.msg}: line {error.lineno} column {error.colno} (char {error.pos})",)
        raise


def decode_text(data: bytes, field: str) -> str:
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
        error.object, error.start, error.end = b"", 0, 0
        raise


def a2b_base64_checked(text: Any) -> bytes:
    """Decode base64 strictly on a Python that cannot: it skips what is not base64, which shows in the length.

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
    _decode_base64 = a2b_base64_checked


def decode_base64(text: Any, field: str) -> bytes:
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
