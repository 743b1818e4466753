"""What ``import batchcore`` gives at once, and what it gives when it is asked for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import batchcore

from .installed import Site

LAZY = [
    "ExceptionInfo",
    "FailureResponse",
    "LambdaContext",
    "PartialItemFailureResponse",
    "PartialItemFailures",
    "SuccessResponse",
]
THIRD_PARTY = sorted(Path(__file__).parent.joinpath("third_party").glob("*.py"))


@pytest.mark.parametrize("name", LAZY)
def test_a_name_for_types_is_there_when_it_is_asked_for(name: str) -> None:
    from batchcore import types

    assert getattr(batchcore, name) is getattr(types, name)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'batchcore' has no attribute 'Processor'"):
        batchcore.Processor  # noqa: B018

    with pytest.raises(ImportError, match="Processor"):
        exec("from batchcore import Processor")


@pytest.mark.parametrize("name", ["__wrapped__", "__path_hooks__", "_private"])
def test_what_tools_ask_every_module_for_is_an_attribute_error_too(name: str) -> None:
    assert not hasattr(batchcore, name)


def test_names_for_types_are_not_imported_before(site: Site) -> None:
    seen = site.run("""
        import json, sys
        import batchcore
        before = [name for name in ("batchcore.types", "batchcore.aio") if name in sys.modules]
        names = [getattr(batchcore, name).__name__ for name in ("LambdaContext", "PartialItemFailures")]
        print(json.dumps([before, names, "batchcore.types" in sys.modules]))
    """)

    assert seen == [[], ["LambdaContext", "PartialItemFailures"], True]


@pytest.mark.parametrize("path", THIRD_PARTY, ids=lambda path: path.name)
def test_the_packages_of_others_use_public_names_alone(path: Path) -> None:
    imported = [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    ours = [(module, name) for module, name in imported if module and module.startswith("batchcore")]

    assert [entry for entry in ours if entry[0] != "batchcore" or entry[1] not in batchcore.__all__] == []
