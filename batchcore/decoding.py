"""For typed views: JSON and text, with errors that name the field and never carry what is in it.

An exception is logged, pickled and sent to an error tracker; a body must not travel with it.
"""

from __future__ import annotations

from json import JSONDecodeError, JSONDecoder  # the Lambda runtime has it loaded before us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["decode_json", "decode_text"]

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
