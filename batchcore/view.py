"""The base of the typed records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class RecordView(Mapping[str, "Any"]):
    """A raw record with named, typed properties on top.

    A view is the mapping it shows: it has the same keys, and equals the raw record. It copies nothing. Subclasses add
    read-only properties; one that decodes keeps what it decoded in a slot of its own, so that it decodes once.

    Args:
        raw_event: the record as AWS delivered it.
    """

    __slots__ = ("raw_event",)

    raw_event: Mapping[str, Any]

    def __init__(self, raw_event: Mapping[str, Any]) -> None:
        self.raw_event = raw_event

    def __getitem__(self, key: str) -> Any:
        return self.raw_event[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw_event)

    def __len__(self) -> int:
        return len(self.raw_event)

    def __contains__(self, key: object) -> bool:
        return key in self.raw_event

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RecordView):
            other = other.raw_event
        return bool(self.raw_event == other) if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # equal to a dict, so as unhashable as one

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {', '.join(self.raw_event)}>"
