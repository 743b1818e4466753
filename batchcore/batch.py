"""One batch, as the hooks see it."""

from __future__ import annotations

from batchcore.errors import raise_if_steering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from batchcore.invocation import Settings
    from batchcore.message import Message
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

    if TYPE_CHECKING:
        settings: Settings

    def delivery_attempt(self, record: Record) -> int | None:
        """Say how often a raw record of this batch has been delivered, counting from 1; None where nobody knows."""
        try:
            attempt = self.settings.source.delivery_attempt(record)
        except BaseException as error:
            raise_if_steering(error)
            return None
        return attempt if isinstance(attempt, int) else None

    def describe_record(self, record: Record) -> Mapping[str, Any]:
        """Describe a raw record of this batch for logs and traces: its group, shard or partition, never its body."""
        try:
            return dict(self.settings.source.describe_record(record) or {})
        except BaseException as error:
            raise_if_steering(error)
            return {}

    def original_message(self, record: Record) -> Message:
        """Give a raw record of this batch as the message it was, to send it elsewhere.

        Raises:
            Exception: whatever the source raises for a record that it cannot read.
        """
        return self.settings.source.original_message(record)

    def __repr__(self) -> str:
        return f"<Batch of {len(self.records)} from {self.source}>"
