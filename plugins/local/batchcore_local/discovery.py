"""Loading what packages offer under one name, with stevedore, and keeping why it failed."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from stevedore.named import NamedExtensionManager

from batchcore.entry_points import Reading, read

if TYPE_CHECKING:
    _NamedExtensionManager = NamedExtensionManager[Any]
else:
    _NamedExtensionManager = NamedExtensionManager  # no generic class in older releases


class Loaded(NamedTuple):
    """What loading one name of one entry-point group gave.

    Attributes:
        objects: for each target that loaded, the object.
        failures: for each target that did not load, what its import raised.
    """

    objects: dict[str, Any]
    failures: dict[str, BaseException]


class _Manager(_NamedExtensionManager):
    """Loads entry points that were read by others.

    stevedore keeps what it has read in a file, by the times of the folders, rounded to two minutes: whoever installs a
    package and looks at once does not see it.
    """

    def __init__(self, group: str, name: str, entry_points: Sequence[Any], **options: Any) -> None:
        # A checkout that is also installed has its entry points twice.
        self._entry_points = list({(entry.name, entry.value): entry for entry in entry_points}.values())
        super().__init__(group, [name], **options)

    def list_entry_points(self) -> list[Any]:
        """Return them, in place of what stevedore reads."""
        return self._entry_points


def read_now(group: str) -> Reading:
    """Read the entry points of a group as they are now, as a function would find them.

    Args:
        group: the entry-point group.

    Returns:
        The entry points, and what of the installed packages could not be read.
    """
    importlib.invalidate_caches()  # Python remembers what lies in a folder, too
    return read(group)


def load_named(group: str, name: str, entry_points: Sequence[Any]) -> Loaded:
    """Load everything that is offered under one name.

    Args:
        group: the entry-point group.
        name: the name.
        entry_points: those of the group.

    Returns:
        Objects and failures by target, ``module:name``. Both are empty when nobody offers the name.
    """
    failures: dict[str, BaseException] = {}

    def failed(_: object, entry_point: Any, error: BaseException) -> None:
        failures[entry_point.value] = error

    try:
        manager = _Manager(
            group, name, entry_points, on_load_failure_callback=failed, on_missing_entrypoints_callback=None
        )
    except (AssertionError, SystemExit) as error:  # the two that stevedore passes on instead of reporting
        return Loaded({}, {**failures, "?": error})
    return Loaded({extension.entry_point_target: extension.plugin for extension in manager.extensions}, failures)
