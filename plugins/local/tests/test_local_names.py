"""The package's public names are the ones it lists."""

from __future__ import annotations

from types import ModuleType

import batchcore_local


def test_the_public_names_are_those_listed_in_order() -> None:
    names = [name for name, value in vars(batchcore_local).items() if not isinstance(value, ModuleType)]
    public = {name for name in names if not name.startswith("_")} - {"annotations"}
    assert batchcore_local.__all__ == sorted(public)
