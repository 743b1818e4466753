"""The errors of what could not be decoded. Their text is a sentence that names the field.

They carry nothing of the body, and are the same when copied or pickled. Python's own keep the body in ``args``, where
``repr()`` shows it, or work their text out from the body again.
"""

from __future__ import annotations

import builtins
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NOTHING_TO_ADD = {"bytes", "empty", "json", "text"}


class JSONDecodeError(json.JSONDecodeError):
    """Text is not JSON. ``doc`` is empty."""

    # Logs and entries name an error by its class, and users know this one by the name of its base.
    __module__, __qualname__ = json.JSONDecodeError.__module__, json.JSONDecodeError.__qualname__

    def __reduce__(self) -> tuple[Any, ...]:
        return _json_again, self.args, vars(self)


class UnicodeDecodeError(builtins.UnicodeDecodeError):  # noqa: A001 - as above
    """Bytes are not UTF-8. ``object`` is empty."""

    __module__, __qualname__ = "builtins", "UnicodeDecodeError"

    def __str__(self) -> str:
        return self.reason

    def __reduce__(self) -> tuple[Any, ...]:
        return _text_again, self.args, vars(self)


def _json_again(*args: Any) -> JSONDecodeError:
    """Make the copy of an error, without what its class would work out from the text."""
    return JSONDecodeError.__new__(JSONDecodeError, *args)


def _text_again(*args: Any) -> UnicodeDecodeError:
    return UnicodeDecodeError(*args)


def not_json(text: str, field: str, problem: str, position: int) -> JSONDecodeError:
    """Make the error of text that is not JSON.

    Args:
        text: the text.
        field: where it is from.
        problem: what Python's own parser says.
        position: where in the text.
    """
    error = JSONDecodeError(f"{field} is not JSON: {problem}", text, position)
    error.doc = ""
    error.args = (error.args[0] + _what_it_is(text),)
    return error


def beyond_python(field: str, problem: str) -> JSONDecodeError:
    """Make the error of JSON that Python does not read."""
    error = JSONDecodeError(f"{field} is JSON that Python does not read: {problem}", "", 0)
    error.args = (error.msg,)
    return error


def not_utf_8(data: bytes, field: str, error: builtins.UnicodeDecodeError) -> UnicodeDecodeError:
    """Make the error of bytes that are not UTF-8.

    Args:
        data: the bytes.
        field: where they are from.
        error: what Python raised.
    """
    text = f"{field} is not UTF-8: {error.reason} at position {error.start}{_what_it_is(data)}"
    return UnicodeDecodeError(error.encoding, b"", error.start, error.end, text)


def _what_it_is(value: str | bytes) -> str:
    from batchcore.shapes import shape_of

    name, words = shape_of(value)
    return "" if name in _NOTHING_TO_ADD else f". It is {words}"
