"""Every hook is documented with its exact signature, and has tests that name it."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path

import pytest

from batchcore import hookspecs, source

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "hooks.md"
HOOK_GROUPS = [value for value in vars(hookspecs).values() if isinstance(value, type)]
GROUPS = [group.__name__ for group in HOOK_GROUPS]


def signatures() -> dict[str, str]:
    """Give each hook's signature, with its annotations."""
    found: dict[str, str] = {}
    for group in ast.parse(inspect.getsource(hookspecs)).body:
        if isinstance(group, ast.ClassDef) and group.name in GROUPS:
            for method in group.body:
                if isinstance(method, ast.FunctionDef):
                    assert method.returns is not None
                    arguments = ", ".join(ast.unparse(argument) for argument in method.args.args[1:])
                    found[method.name] = f"{method.name}({arguments}) -> {ast.unparse(method.returns)}"
    return found


SIGNATURES = signatures()


def test_no_hook_is_overlooked_here() -> None:
    of = {
        group.__name__: {
            name: spec.__code__.co_varnames[1 : spec.__code__.co_argcount]
            for name, spec in vars(group).items()
            if not name.startswith("_")
        }
        for group in HOOK_GROUPS
    }

    assert {name: arguments for hooks in of.values() for name, arguments in hooks.items()} == source.ARGUMENTS
    assert set(of["SourceHooks"]) == source.SOURCE_HOOKS
    assert set(of["ExtensionHooks"]) == source.EXTENSION_HOOKS
    assert set(of["ObserverHooks"]) == source.OBSERVER_HOOKS
    assert set(SIGNATURES) == set(source.ARGUMENTS)
    assert set(source.REQUIRED_HOOKS) <= source.SOURCE_HOOKS


@pytest.mark.parametrize("hook", SIGNATURES)
def test_a_hook_is_documented_under_its_exact_signature(hook: str) -> None:
    headings = re.findall(r"^### `(.+)`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert SIGNATURES[hook] in headings


def test_no_hook_is_documented_that_does_not_exist() -> None:
    headings = re.findall(r"^### `(\w+)\(.*`$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(headings) == sorted(SIGNATURES)


@pytest.mark.parametrize("hook", SIGNATURES)
def test_a_hook_has_a_test_that_names_it(hook: str) -> None:
    functions = [
        node.name
        for path in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_")
    ]

    assert [name for name in functions if hook in name] != []


@pytest.mark.parametrize("hook", SIGNATURES)
def test_a_hook_says_what_it_is_for(hook: str) -> None:
    (spec,) = [getattr(group, hook) for group in HOOK_GROUPS if hasattr(group, hook)]

    assert spec.__doc__.strip().splitlines()[0].endswith(".")
