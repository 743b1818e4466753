"""Records validated by a pydantic model. pydantic is imported by whoever made the model, never from here."""

from __future__ import annotations

import sys

from batchcore.errors import ConfigurationError, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def check_model(model: Any) -> None:
    """Check that a model can validate records.

    Raises:
        ConfigurationError: it is no pydantic model class.
    """
    if not isinstance(model, type) or not hasattr(model, "__pydantic_validator__"):
        raise ConfigurationError(f"model is a pydantic model class (pydantic 2), not {_shown(model)}.")


def _shown(given: object) -> str:
    """Show what was given; an object of a model by its class alone, for it would print the record that it holds."""
    if hasattr(type(given), "__pydantic_validator__"):
        return f"an object of {kind_of(given)}; pass the class"
    return repr(given)


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
    base = sys.modules["pydantic"].BaseModel
    overridden = getattr(model, "model_validate", None)
    if overridden is not None and getattr(overridden, "__func__", None) is not base.model_validate.__func__:
        validate: Callable[[Any], Any] = overridden
    else:
        # Read for each batch: a model that waited for a forward reference gets another validator once it is built.
        validate = model.__pydantic_validator__.validate_python
    return validate
