"""The navigation of the site: what the tables of ``docs/README.md`` list, under its headings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from website.pages import uri_of

PARTS = ("Tutorial", "How-to", "Reference", "Explanation")
_HEADING = re.compile(r"^## (?P<heading>.+)$", re.MULTILINE)
_ROW = re.compile(r"^\| \[(?P<title>[^\]]+)\]\((?P<target>[^)#]+)\) \|", re.MULTILINE)


def of(first: str, more: Mapping[str, Sequence[Any]]) -> list[Any]:
    """Return the navigation, as MkDocs wants it.

    Args:
        first: the text of ``docs/README.md``. A row of a table that begins with a link is an entry of the part whose
            heading it stands under.
        more: what is added to a part, at its end.

    Raises:
        ValueError: a part has no entry.
    """
    parts: list[Any] = [{"Start": "README.md"}]
    texts = dict(zip(_HEADING.findall(first), _HEADING.split(first)[2::2], strict=True))
    for part in PARTS:
        rows = _ROW.findall(texts.get(part, ""))
        if not rows:
            raise ValueError(f"docs/README.md lists no page under '## {part}'.")
        entries = [{title: uri_of(target, "docs/README.md")} for title, target in rows]
        parts.append({part: [*entries, *more.get(part, ())]})
    return parts
