"""Records validated by a pydantic model. pydantic is imported by whoever made the model, never from here."""

from __future__ import annotations

import re
import sys

from batchcore.errors import ConfigurationError, kind_of

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
        return f"an object of {kind_of(given)}; pass the class"
    return repr(given)


def _what_would_be_one(given: Any) -> str:
    """Name the model that does what the caller wanted, where that can be told."""
    if kind_of(given) == "TypeAdapter":
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
    """Give the callable that validates one record: the model's own ``model_validate``, or what that would call."""
    # Read for each batch: a model that waited for a forward reference gets another validator once it is built.
    validate: Callable[[Any], Any] = _overridden(model) or model.__pydantic_validator__.validate_python

    def validated(record: Any) -> Any:
        try:
            return validate(record)
        except ValueError as error:
            refused = error
        from batchcore.invalid import look_again

        return look_again(validate, record, refused)

    return validated


def _overridden(model: Any) -> Any:
    """Return the ``model_validate`` of the model's own, or None where it is pydantic's."""
    base = sys.modules["pydantic"].BaseModel
    method = getattr(model, "model_validate", None)
    is_own = method is not None and getattr(method, "__func__", None) is not base.model_validate.__func__
    return method if is_own else None


# -- Fields that are given text and can never take it. pydantic's core schema tells; where it does not, they may work.

_NEVER_OF_TEXT = {
    "arguments",
    "arguments-v3",
    "call",
    "dataclass-args",
    "dict",
    "frozenset",
    "list",
    "model-fields",
    "none",
    "set",
    "tuple",
    "typed-dict",
}
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
    return isinstance(value, dict)
