"""Decoding, with errors that name the field and never carry what is in it."""

from __future__ import annotations

from json import JSONDecodeError, JSONDecoder  # the Lambda runtime has it loaded before us

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_parse = JSONDecoder().decode


def json_value(text: Any, field: str) -> Any:
    """Parse JSON.

    Args:
        text: what the event holds.
        field: where it holds it, for the error.

    Raises:
        JSONDecodeError: it is not JSON. The error's ``doc`` is empty.
        TypeError: it is no string.
    """
    try:
        return _parse(text)
    except JSONDecodeError as error:
        error.doc = ""  # an error is logged, pickled, sent to a tracker: the body must not travel with it
        error.msg = f"{field} is not JSON: {error.msg}"
        error.args = (f"{error.msg}: line {error.lineno} column {error.colno} (char {error.pos})",)
        raise
    except TypeError:
        pass
    raise TypeError(f"{field} is of type {type(text).__name__}, not a string of JSON.")


def bytes_value(text: Any, field: str) -> bytes:
    """Decode base64, and refuse what is not base64 instead of skipping it.

    Args:
        text: what the event holds.
        field: where it holds it, for the error.

    Raises:
        binascii.Error: it is not base64.
    """
    from binascii import Error, a2b_base64

    try:
        decoded = a2b_base64(text)
        # Characters outside the alphabet are skipped, which shows in the length. (Python 3.11 has strict_mode for it.)
        padding = len(text) - len(text.rstrip("="))
        if len(text) % 4 == 0 and padding <= 2 and len(decoded) == len(text) // 4 * 3 - padding:
            return decoded
        reason = "characters outside the alphabet, or after the end"
    except (TypeError, ValueError) as error:
        reason = str(error)
    raise Error(f"{field} is not base64: {reason}")
