"""What is installed: sources, plugins and pollers, and what of it does not load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from batchcore.entry_points import field_of
from batchcore_local.discovery import load_named, read_now
from batchcore_local.poller import GROUP as POLLERS

GROUPS = {"sources": "batchcore.sources", "plugins": "batchcore.plugins", "pollers": POLLERS}
"""What is listed, and the entry-point group of each."""


class Installed(NamedTuple):
    """One thing that a package offers.

    Attributes:
        name: the name it is found by.
        target: the object behind it, as ``module:name``.
        package: the distribution that offers it, with its version.
        trouble: why it cannot be used; None when it can.
    """

    name: str
    target: str
    package: str
    trouble: str | None


def list_installed(group: str) -> list[Installed]:
    """List what the installed packages offer in one entry-point group, by loading each.

    Args:
        group: the entry-point group.

    Returns:
        One line each, sorted by name; what does not load is listed with the reason, and hinders no other.
    """
    return _list(group, read_now(group).entry_points)


def list_unreadable() -> list[str]:
    """Return a sentence for each installed package whose entry points cannot be read. It may offer anything."""
    return sorted({sentence for group in GROUPS.values() for sentence in read_now(group).unreadable})


def _list(group: str, entry_points: Sequence[Any]) -> list[Installed]:
    # A checkout that is also installed shows its entry points twice; the dictionary keeps one of each.
    offered = {(entry.name, entry.value): entry for entry in entry_points}
    times = Counter(name for name, _ in offered)
    return [
        Installed(name, target, _package(entry), _trouble(group, entry, entry_points, times[name]))
        for (name, target), entry in sorted(offered.items(), key=lambda item: item[0])
    ]


def _trouble(group: str, entry: Any, entry_points: Sequence[Any], times: int) -> str | None:
    loaded = load_named(group, entry.name, entry_points)
    if entry.value not in loaded.objects:
        error = loaded.failures.get(entry.value) or next(iter(loaded.failures.values()), None)
        return f"does not load: {type(error).__name__}: {error}"
    return f"cannot be chosen: {times} packages offer the name {entry.name!r}" if times > 1 else None


def _package(entry: Any) -> str:
    name, version = field_of(entry.dist, "name"), field_of(entry.dist, "version")
    return f"{name} {version or 'without a version'}" if name else "unknown package"
