"""Loading what packages offer under one name, with stevedore, and keeping why it failed."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Any, NamedTuple

from stevedore.named import NamedExtensionManager


class Loaded(NamedTuple):
    """What loading one name of one entry-point group gave.

    Attributes:
        objects: for each target that loaded, the object.
        failures: for each target that did not load, what its import raised.
    """

    objects: dict[str, Any]
    failures: dict[str, BaseException]


def load_named(group: str, name: str) -> Loaded:
    """Load everything that is offered under one name.

    Args:
        group: the entry-point group.
        name: the name.

    Returns:
        Objects and failures by target, ``module:name``. Both are empty when nobody offers the name.
    """
    failures: dict[str, BaseException] = {}

    def failed(_: object, entry_point: EntryPoint, error: BaseException) -> None:
        failures[entry_point.value] = error

    try:
        manager: Any = NamedExtensionManager(
            group, [name], on_load_failure_callback=failed, on_missing_entrypoints_callback=None
        )
    except (AssertionError, SystemExit) as error:  # the two that stevedore passes on instead of reporting
        return Loaded({}, {**failures, "?": error})
    return Loaded({extension.entry_point_target: extension.plugin for extension in manager.extensions}, failures)
