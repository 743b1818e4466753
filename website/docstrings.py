"""Docstrings as Markdown. They have a few roles of reStructuredText, which editors and terminals show as they are."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

_ROLE = re.compile(r":(?:class|func|meth|mod|attr|data|exc|obj):`~?(?P<name>[\w.]+)`")
_BLOCK = re.compile(r"(?<=\S)::$", re.MULTILINE)


class Roles(Extension):
    """Makes of each role a reference to what it names: a link where the site has that, code elsewhere."""

    def on_object(self, *, obj: Object, **kwargs: Any) -> None:
        """Rewrite the docstring of an object, once it is known what its module imports."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value, obj)


def as_markdown(text: str, scope: Object) -> str:
    """Return a docstring as Markdown.

    Args:
        text: the docstring.
        scope: what it belongs to. Names are looked up from there.
    """

    def reference(match: re.Match[str]) -> str:
        name = match["name"]
        return f'<autoref identifier="{_path(name, scope)}" optional><code>{name}</code></autoref>'

    return _BLOCK.sub(":", _ROLE.sub(reference, text))


def _path(name: str, scope: Object) -> str:
    """Return the path of what a name means in a scope, or the name itself."""
    first, dot, rest = name.partition(".")
    try:
        return f"{scope.resolve(first)}{dot}{rest}"
    except Exception:  # griffe has several for a name that it does not know
        return name
