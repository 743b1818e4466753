"""Records validated by a pydantic model: the model checked, and what it refused looked at again.

pydantic is imported by whoever made the model, never from here.
"""

from __future__ import annotations

import re
import sys
from codecs import BOM_UTF8

from batchcore.callables import type_name
from batchcore.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, TypeGuard


def check_model(model: Any) -> None:
    """Check that a model can validate records.

    Raises:
        ConfigurationError: it is no pydantic model class, or a field of it never takes what the source gives it.
    """
    if not isinstance(model, type) or not hasattr(model, "__pydantic_validator__"):
        raise ConfigurationError(
            f"model is a pydantic model class (pydantic 2), not {_shown(model)}.{_what_would_be_one(model)}"
        )
    for owner, name in _fields_never_valid(model):
        kind = _named(owner.model_fields[name].annotation)
        raise ConfigurationError(
            f"{owner.__name__}.{name} is given the text that was sent, and no {kind} is made from text. Declare it as "
            f"{name}: Json[{kind}], with Json from pydantic, so that the text is parsed first."
        )


def _shown(given: object) -> str:
    """Show what was given; an object of a model by its class alone, for it would print the record that it holds."""
    if hasattr(type(given), "__pydantic_validator__"):
        return f"an object of {type_name(given)}; pass the class"
    return repr(given)


def _what_would_be_one(given: Any) -> str:
    """Name the model that does what the caller wanted, where that can be told."""
    if type_name(given) == "TypeAdapter":
        name = repr(given).partition("(")[2][:-1] or "..."
    elif isinstance(given, type) and hasattr(given, "__fields__") and hasattr(given, "parse_obj"):
        return " It is a model of pydantic 1; inherit from pydantic.BaseModel."
    elif isinstance(given, type) or type(given).__module__ in ("typing", "types"):
        name = _named(given)
    else:
        return ""
    return f" RootModel makes one of any type: model=RootModel[{name}], whose objects hold the value in .root."


def _named(kind: Any) -> str:
    """Name a type as one writes it, without the modules."""
    if hasattr(kind, "__metadata__"):
        return f"Annotated[{_named(kind.__origin__)}, ...]"
    if isinstance(kind, type) and not hasattr(kind, "__origin__"):
        return kind.__name__
    return re.sub(r"(?:\w+\.)+(?:<locals>\.)?(?=\w)", "", repr(kind))


def check_source_of(model: Any, source: str) -> None:
    """Check that a model is not one of another source's. A model that names no source fits any.

    Raises:
        ConfigurationError: its ``__batch_source__`` is another source.
    """
    made_for = getattr(model, "__batch_source__", None)
    if made_for is not None and made_for != source:
        raise ConfigurationError(
            f"{model.__name__} is a model of records from {made_for!r} and this processor reads {source!r}. Inherit "
            f"from the record model of batchcore_{source}.models, or pass a model of your own."
        )


def validator_of(model: Any) -> Callable[[Any], Any]:
    """Return the callable that validates one record: the model's own ``model_validate``, or what that would call."""
    # Read for each batch: a model that waited for a forward reference gets another validator once it is built.
    validate: Callable[[Any], Any] = _overridden(model) or model.__pydantic_validator__.validate_python
    return validate


def validated(model: Any, record: Any) -> Any:
    """Return a record as its model."""
    validate = validator_of(model)
    try:
        return validate(record)
    except ValueError as error:
        refused = error
    return mend(validate, record, refused)


def _overridden(model: Any) -> Any:
    """Return the ``model_validate`` of the model's own, or None where it is pydantic's."""
    base = sys.modules["pydantic"].BaseModel
    method = getattr(model, "model_validate", None)
    is_own = method is not None and getattr(method, "__func__", None) is not base.model_validate.__func__
    return method if is_own else None


# -- Fields that are given text and can never take it. pydantic's core schema tells; where it does not, they may work.

_NEVER_OF_TEXT = {
    "arguments", "arguments-v3", "call", "dataclass-args", "dict", "frozenset", "list", "model-fields", "none", "set",
    "tuple", "typed-dict",
}  # fmt: skip # what they are, and no more than that
_LOOKED_THROUGH = {"dataclass", "default", "function-after", "model", "nullable"}


def _fields_never_valid(model: Any) -> Iterator[tuple[Any, str]]:
    """Yield the fields for which every record of the source fails: the class of the model, and the name.

    A model of a source says in ``__batch_text__`` which of its fields hold the text, or the bytes, that was sent.
    """
    schema: Any = getattr(model, "__pydantic_core_schema__", None)
    try:
        if _is_object(schema) and _overridden(model) is None:
            yield from _never_valid(schema, {})
    except (AttributeError, KeyError, TypeError, RecursionError):
        return  # a schema of another form than those known here


def _never_valid(schema: Mapping[str, Any], definitions: dict[str, Any]) -> list[tuple[Any, str]]:
    kind = schema["type"]
    if kind == "definitions":
        definitions |= {each["ref"]: each for each in schema["definitions"]}
        return _never_valid(schema["schema"], definitions)
    if kind == "definition-ref":
        known = definitions.pop(schema["schema_ref"], None)  # each once: a model may hold itself
        return [] if known is None else _never_valid(known, definitions)
    if kind == "union":
        choices = [_never_valid(_choice(each), definitions) for each in schema["choices"]]
        return choices[0] if all(choices) else []
    if kind == "model" and schema["schema"]["type"] == "model-fields" and not schema.get("custom_init"):
        return _never_valid_in(schema, definitions)
    return _never_valid(schema["schema"], definitions) if kind in _LOOKED_THROUGH else []


def _never_valid_in(schema: Mapping[str, Any], definitions: dict[str, Any]) -> list[tuple[Any, str]]:
    model = schema["cls"]
    texts = getattr(model, "__batch_text__", ())
    owner = next((base for base in model.__mro__ if "__batch_text__" in vars(base)), None)
    for name, field in schema["schema"]["fields"].items():
        if name not in texts:
            found = _never_valid(field["schema"], definitions)
            if found:
                return found
        elif "validation_alias" not in field and _never_takes_text(field["schema"], definitions, owner):
            return [(model, name)]
    return []


def _never_takes_text(schema: Mapping[str, Any], definitions: dict[str, Any], owner: Any) -> bool:
    kind = schema["type"]
    if kind == "definition-ref":
        known = definitions.get(schema["schema_ref"])
        return known is not None and _never_takes_text(known, definitions, owner)
    if kind == "union":
        return all(_never_takes_text(_choice(each), definitions, owner) for each in schema["choices"])
    if kind == "tagged-union":
        choices = [_never_takes_text(each, definitions, owner) for each in schema["choices"].values()]
        return not callable(schema["discriminator"]) or all(choices)
    if kind == "function-before":  # the source's own decodes the text, and gives text or bytes
        ours = schema["function"]["function"].__module__ == owner.__module__
        return ours and _never_takes_text(schema["schema"], definitions, owner)
    if kind in _LOOKED_THROUGH:
        return not schema.get("custom_init") and _never_takes_text(schema["schema"], definitions, owner)
    return kind in _NEVER_OF_TEXT


def _choice(choice: Any) -> Mapping[str, Any]:
    """Return a choice of a union, which may stand beside a label."""
    schema: Mapping[str, Any] = choice if _is_object(choice) else choice[0]
    return schema


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)  # what pydantic has for a model that waits for a forward reference is none


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


# -- What a model refused, looked at again: read where only a byte order mark was in the way, else named in the error.

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


def mend(validate: Callable[[Any], Any], record: Any, error: ValueError) -> Any:
    """Validate a record that was refused with an error without the byte order marks before its JSON, if it has any.

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
    unmarked: Any = None
    for problem in error.errors(include_url=False):
        given = problem["input"]
        if problem["type"] == "json_invalid" and isinstance(given, str) and given[:1] == _MARK:
            unmarked = _unmarked(record if unmarked is None else unmarked, problem["loc"])
    return unmarked


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
        elif _is_list(value) and isinstance(key, int):
            value = value[key]
        else:
            return None
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
    from batchcore.shapes import shape_of, what_it_is

    if kind == "json_invalid":
        is_marked = given[:1] == _MARK or given[:3] == BOM_UTF8
        return ". It starts with a byte order mark, U+FEFF, which is no JSON" if is_marked else what_it_is(given)
    name, words = shape_of(given)
    if name == "base64":
        return f". It is {words}; the record model of the source decodes it, so inherit from that"
    raw = _raw_text(record, problem["loc"])
    if isinstance(given, str) and raw is not None and raw != given:
        return f". It is {words}, which was a string of JSON: it was encoded twice"
    context: Mapping[str, Any] = problem.get("ctx") or {}
    wanted = context.get("class_name", "...")
    return f". It is {words}. Text of JSON is parsed where the field is declared as Json[{wanted}]"


# -- What pydantic says of a record, without the record.

_HIGHEST_INDEX = 10_000  # a higher number may be a key of a dictionary


def described(error: Any) -> str:
    """Return what pydantic refused, by field, without the input that its own text quotes."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    named = "; ".join(
        f"{_place(p['loc'])}: {p['type' if p['type'] == 'union_tag_invalid' else 'msg']}"  # that message quotes it
        for p in problems[:5]
    )
    more = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
    return f"{error.title}: {named}{more}"


def _place(loc: tuple[int | str, ...]) -> str:
    """Return where in a record: fields by their names, items by their numbers, keys of dictionaries as stars."""
    parts = (str(p) if (p < _HIGHEST_INDEX if isinstance(p, int) else _is_declared(p)) else "*" for p in loc)
    return ".".join(parts) or "record"


_declared: set[str] = set()


def _is_declared(name: str) -> bool:
    """Whether a model of this process has a field of this name. A name not seen before may be of a new model."""
    if name not in _declared:
        models: list[Any] = [sys.modules["pydantic"].BaseModel]
        while models:
            model = models.pop()
            models += model.__subclasses__()
            for field_name, field in model.model_fields.items():
                names = (field_name, field.alias, field.validation_alias)
                _declared.update(known for known in names if isinstance(known, str))
    return name in _declared
