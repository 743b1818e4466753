"""Event factories that installed packages register under the names of their sources."""

from __future__ import annotations

from typing import Any

from batchcore import AmbiguousSourceError, SourceBrokenError, entry_points

GROUP = "batchcore.event_factories"
_OURS = "batchcore_testing"


def registered_factory(name: str) -> Any:
    """Return the event factory that is registered for the source of a name; None where there is none.

    A factory of this kit gives way to that of a package.

    Raises:
        batchcore.SourceBrokenError: its package fails to load.
        batchcore.AmbiguousSourceError: two packages register one.
    """
    found = entry_points.registered(GROUP).by_name.get(name, [])
    if len(found) > 1:
        found = [entry for entry in found if not entry.value.startswith(_OURS)] or found[:1]
    if len(found) > 1:
        raise AmbiguousSourceError(
            f"Two packages register an event factory for {name!r}: "
            f"{entry_points.origins(found)}. Uninstall one, or pass the factory itself.",
            plugin=name,
        )
    return entry_points.load(found[0], "event factory of", SourceBrokenError) if found else None


def how_to_register() -> str:
    """Return what to do about a source that has no event factory."""
    advice = (
        "Let its package register one, derived from batchcore_testing.EventFactory, under that name in the entry-point "
        f"group {GROUP}; or pass the factory itself."
    )
    return " ".join((advice, *entry_points.registered(GROUP).unreadable))
