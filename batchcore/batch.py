"""One batch, as the hooks see it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from batchcore.types import Identifier, Record


class Batch:
    """What is known of a batch before its first record runs. Made by batchcore alone.

    Attributes:
        event: the Lambda event, or None where only records were given (the context manager).
        records: the raw records, in the order of delivery.
        identifiers: one per record, as the source read them.
        context: the Lambda context, or None.
        source: the name of the source.
    """

    __slots__ = ("__dict__", "__weakref__", "context", "event", "identifiers", "records", "source")

    event: Any
    records: Sequence[Record]
    identifiers: Sequence[Identifier]
    context: Any
    source: str

    def __repr__(self) -> str:
        return f"<Batch of {len(self.records)} from {self.source}>"
