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
    """Parse JSON. A byte order mark before it is skipped.

    Args:
        text: the JSON.
        field: where it is from, for the error.

    Raises:
        JSONDecodeError: it is not JSON, or nested too deeply, or has a number that is too long. The text names what it
            is, where that is known. The error's ``doc`` is empty.
        TypeError: it is no string.
    """
    try:
        # What decode() does but for white space around the value, which JSON that a program wrote does not have.
        value, end = _scan(text, 0)
        if end == len(text):
            return value
    except (RecursionError, StopIteration, TypeError, ValueError):
        pass
    return _decode_json_with_care(text, field)


def _decode_json_with_care(text: Any, field: str) -> Any:
    if not isinstance(text, str):
        raise TypeError(f"{field} is of type {type(text).__name__}, not a string of JSON.")
    mark = text.startswith("\ufeff")
    try:
        return _decoder.decode(text[1:] if mark else text)
    except JSONDecodeError as error:
        problem, position = error.msg, error.pos + mark
    except RecursionError:
        problem, position = "it is nested too deeply", None
    except ValueError:
        problem, position = "it has a number with more digits than sys.get_int_max_str_digits()", None
    # Raised out here, so that no error of json is chained to it: that one carries the whole text.
    from batchcore.undecoded import beyond_python, not_json

    raise beyond_python(field, problem) if position is None else not_json(text, field, problem, position)


def decode_text(data: bytes, field: str) -> str:
    """Decode UTF-8.

    Args:
        data: the bytes.
        field: where they are from, for the error.

    Raises:
        UnicodeDecodeError: they are not UTF-8. The text names what they are, where that is known. The error's
            ``object`` is empty.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        problem = error
    from batchcore.undecoded import not_utf_8

    raise not_utf_8(data, field, problem)
