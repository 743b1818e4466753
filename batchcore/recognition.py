"""How the source of an event, or of bare records, is recognised where none was named."""

from __future__ import annotations

from batchcore.errors import PluginError
from batchcore.hookspecs import hookimpl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from batchcore.source import Source
    from batchcore.types import Record


def claims(source: Source, event: Any) -> bool:
    """Say whether a source claims an event. One that raises does not: it was made for others."""
    try:
        return bool(source.claims_event(event))
    except PluginError:
        raise
    except Exception:
        return False


def identifies(source: Source, records: Sequence[Record]) -> bool:
    """Say whether a source can name these records: how it is found when there is no event to ask about."""
    try:
        identifiers = source.identify_records(records)
    except Exception:
        return False
    return None not in identifiers


class NoSource:
    """Stands for the source of records that nobody recognises, where a processor from scratch answers by itself."""

    name = "unknown"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Claim nothing: only records can be had from here."""
        return False

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Record]:
        """Give no records."""
        return ()

    @hookimpl
    def identify_records(self, records: Sequence[Record]) -> Sequence[None]:
        """Give no identity."""
        return [None] * len(records)


NO_SOURCE = NoSource()
