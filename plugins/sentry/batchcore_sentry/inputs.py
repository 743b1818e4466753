"""What of an event would hold a record's data: the variables of its stack frames, and what pydantic's errors quote."""

from __future__ import annotations

import sys

from batchcore.failures import chain_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def without_inputs(event: Any, error: BaseException | None) -> None:
    """Take them out of an event.

    Args:
        event: the event.
        error: the exception that it was made of.
    """
    for frame in frames_of(event):
        frame.pop("vars", None)
    refused = {str(each): chain_of(each)[0]["text"] for each in _of_pydantic(error)}
    for each in _values(event, "exception"):
        if str(each.get("module")).startswith("pydantic_core") and each.get("type") == "ValidationError":
            each["value"] = _without_input(str(each.get("value")), refused)


def frames_of(event: Any) -> Iterator[Any]:
    """Give all stack frames of an event."""
    for each in [*_values(event, "exception"), *_values(event, "threads")]:
        yield from (each.get("stacktrace") or {}).get("frames") or ()


def _values(event: Any, part: str) -> list[Any]:
    return (event.get(part) or {}).get("values") or []


def _without_input(text: str, refused: dict[str, str]) -> str:
    for quoting, plain in refused.items():
        if text.startswith(quoting):
            return plain + text[len(quoting) :]  # the notes that were added to it
    return text.partition("\n")[0]


def chained(error: BaseException | None) -> Iterator[BaseException]:
    """Give an exception and, each once, what its event shows with it: causes, contexts, members of groups."""
    waiting: list[Any] = [error]
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if not isinstance(current, BaseException) or id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        waiting += [current.__cause__, current.__context__]
        members: Any = getattr(current, "exceptions", ())
        waiting += members if isinstance(members, (tuple, list)) else ()


def _of_pydantic(error: BaseException | None) -> Iterator[BaseException]:
    """Give pydantic's errors among those. There are none unless it is imported."""
    module: Any = sys.modules.get("pydantic_core")
    if module is not None:
        yield from (each for each in chained(error) if isinstance(each, module.ValidationError))
