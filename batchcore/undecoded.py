"""The errors of what could not be decoded. Their text is a sentence that names the field.

They carry nothing of the body, and are the same when copied or pickled. Python's own keep the body in ``args``, where
``repr()`` shows it, or work their text out from the body again.
"""

from __future__ import annotations

import builtins
import copyreg
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_make_object: Callable[..., Any] = vars(copyreg)["__newobj__"]  # what pickle itself makes objects with
_NOTHING_TO_ADD = {"bytes", "empty", "json", "text"}


class JSONDecodeError(json.JSONDecodeError):
    """Text is not JSON. ``doc`` is empty."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _make_object, (type(self), *self.args), vars(self)


class UnicodeDecodeError(builtins.UnicodeDecodeError):  # noqa: A001 - logs count errors by the names that users know
    """Bytes are not UTF-8. ``object`` is empty."""

    def __str__(self) -> str:
        return self.reason


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
