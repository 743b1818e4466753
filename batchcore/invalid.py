"""What a model refused, looked at again: read where only a byte order mark was in the way, else named in the error."""

from __future__ import annotations

import sys
from codecs import BOM_UTF8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeGuard

_MARK = "\ufeff"
_WANTED_AN_OBJECT = {
    "arguments_type",
    "dataclass_type",
    "dict_type",
    "frozen_set_type",
    "list_type",
    "mapping_type",
    "model_attributes_type",
    "model_type",
    "set_type",
    "tuple_type",
}
_NOTHING_TO_ADD = {"bytes", "empty", "json", "text"}


def look_again(validate: Callable[[Any], Any], record: Any, error: ValueError) -> Any:
    """Validate a record that was refused without the byte order marks before its JSON, where it has any.

    Args:
        validate: the validator that refused it.
        record: the record.
        error: what it raised.

    Returns:
        What the validator makes of it.

    Raises:
        ValidationError: it is not valid. The error says of text and bytes what they are, where that shows the way.
        ValueError: the error itself, where it is none of pydantic's.
    """
    core: Any = sys.modules["pydantic_core"]
    if not isinstance(error, core.ValidationError):
        raise error
    try:
        unmarked = _without_marks(record, error)
        if unmarked is not None:
            return validate(unmarked)
    except core.ValidationError as second:
        error = second
    raise _explained(core, record, error) or error


def _without_marks(record: Any, error: Any) -> Any:
    """Return a copy of the record without the marks that the error is about, or None where it is about none."""
    places = [
        problem["loc"]
        for problem in error.errors(include_url=False)
        if problem["type"] == "json_invalid" and isinstance(problem["input"], str) and problem["input"][:1] == _MARK
    ]
    if not places:
        return None
    for place in places:
        record = _unmarked(record, place)
    return record


def _unmarked(value: Any, place: tuple[Any, ...]) -> Any:
    if not place:
        return value[1:] if isinstance(value, str) and value[:1] == _MARK else value
    key, rest = place[0], place[1:]
    if _is_list(value) and isinstance(key, int):
        return [*value[:key], _unmarked(value[key], rest), *value[key + 1 :]]
    if _is_object(value):
        # A name that it has not is that of a choice of a union.
        return {**value, key: _unmarked(value[key], rest)} if key in value else _unmarked(value, rest)
    return value


def _raw_text(value: Any, place: tuple[Any, ...]) -> str | None:
    """Return the text that the record has at a place, or None where it has none there."""
    for key in place:
        if _is_object(value):
            value = value.get(key, value)
        elif not _is_list(value) or not isinstance(key, int):
            return None
        else:
            value = value[key]
    return value if isinstance(value, str) else None


def _explained(core: Any, record: Any, error: Any) -> Any:
    """Make the error again with what its inputs are, or return None where there is nothing to add."""
    problems = error.errors(include_url=False)
    hints = [_hint(record, problem) for problem in problems]
    if not any(hints):
        return None
    details = [_detail(core, problem, hint) for problem, hint in zip(problems, hints, strict=True)]
    made = core.ValidationError.from_exception_data(error.title, details, hide_input="input_value=" not in str(error))
    return made.with_traceback(error.__traceback__)


def _detail(core: Any, problem: Mapping[str, Any], hint: str) -> dict[str, Any]:
    """Make what pydantic makes a problem of: the same as it was, with the hint behind its text."""
    kind: str = problem["type"]
    context: Mapping[str, Any] = problem.get("ctx") or {}
    detail = {"loc": problem["loc"], "input": problem["input"]}
    if kind == "json_invalid" and "error" in context:  # its text ends in what stands here, also after a pickle
        return {**detail, "type": kind, "ctx": {"error": f"{context['error']}{hint}"}}
    if not hint:
        try:
            if core.PydanticKnownError(kind, context or None).message() == problem["msg"]:
                return {**detail, "type": kind, **({"ctx": context} if context else {})}
        except (KeyError, TypeError, ValueError):
            pass
    text = f"{problem['msg']}{hint}"
    fits = not any(f"{{{key}}}" in text for key in context)  # or it would be filled in a second time
    return {**detail, "type": core.PydanticCustomError(kind, text, context if context and fits else None)}


def _hint(record: Any, problem: Mapping[str, Any]) -> str:
    """Return what to add to a problem with text or bytes where JSON, or what JSON makes, was expected."""
    given, kind = problem["input"], problem["type"]
    if not isinstance(given, (str, bytes)) or (kind != "json_invalid" and kind not in _WANTED_AN_OBJECT):
        return ""
    from batchcore.shapes import shape_of

    name, words = shape_of(given)
    if kind == "json_invalid":
        if given[:1] == _MARK or given[:3] == BOM_UTF8:
            return ". It starts with a byte order mark, U+FEFF, which is no JSON"
        return "" if name in _NOTHING_TO_ADD else f". It is {words}"
    if name == "base64":
        return f". It is {words}; the record model of the source decodes it, so inherit from that"
    raw = _raw_text(record, problem["loc"])
    if isinstance(given, str) and raw is not None and raw != given:
        return f". It is {words}, which was a string of JSON: it was encoded twice"
    context: Mapping[str, Any] = problem.get("ctx") or {}
    wanted = context.get("class_name", "...")
    return f". It is {words}. Text of JSON is parsed where the field is declared as Json[{wanted}]"


def _is_object(value: object) -> TypeGuard[dict[Any, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
