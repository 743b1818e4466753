"""The page on architecture describes the code as it is."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import pytest

import batchcore
import batchcore_testing

from .page import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CORE = Path(batchcore.__file__).parent
KIT = Path(batchcore_testing.__file__).parent
FILES = {path.stem: path for path in CORE.glob("*.py")}
FLOORS = {
    name: int(floor) for floor, names in re.findall(r"^(\d)   (.+)$", PAGE, re.MULTILINE) for name in names.split()
}
OPEN_TO_SOURCES = {
    "batchcore",
    *(f"batchcore.{name}" for name in ("binary", "decoding", "records", "shapes", "view", "windows")),
}
OF_FACTORIES = {"batchcore_testing"}
"""What the file ``events.py`` of a source may import besides: no function loads it."""
SOURCES = ("batchcore_sqs", "batchcore_kinesis", "batchcore_dynamodb")
HEAVY = {
    "pluggy": {"manager"},
    "asyncio": {"aio", "loops"},
    "importlib_metadata": {"entry_points"},
    "pydantic": set[str](),
}


def test_every_file_of_the_core_has_a_purpose_on_the_page() -> None:
    table = PAGE.partition("| file | purpose |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)\.py` \|", table, re.MULTILINE)) == sorted(FILES)


def test_every_file_of_the_core_stands_on_a_floor() -> None:
    assert sorted(FLOORS) == sorted(FILES)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_imports_from_lower_floors_alone(name: str) -> None:
    """What stands in a function may come from the same floor too."""
    loaded, inside = imports_of(FILES[name])
    above = {other for other in modules(loaded) if FLOORS[other] >= FLOORS[name]}
    above |= {other for other in modules(inside) if FLOORS[other] > FLOORS[name]}
    assert above == set()


@pytest.mark.parametrize("package", HEAVY)
def test_what_is_heavy_is_imported_in_one_place(package: str) -> None:
    importers = {name for name, path in FILES.items() if any(package in names for names in imports_of(path))}
    assert importers == HEAVY[package]


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_uses_of_the_core_what_a_stranger_may(source: str) -> None:
    spec = importlib.util.find_spec(source)
    assert spec is not None
    assert spec.origin is not None
    for path in Path(spec.origin).parent.glob("*.py"):
        used = {name for names in imports_of(path) for name in names if name.split(".")[0].startswith("batchcore")}
        open_to_it = OPEN_TO_SOURCES | (OF_FACTORIES if path.name == "events.py" else set())
        assert {name for name in used if name.split(".")[0] != source} <= open_to_it


def test_every_file_of_the_kit_has_a_purpose_on_the_page() -> None:
    table = PAGE.partition("`plugins/testing/batchcore_testing/`. No file")[2].partition("\n## ")[0]
    files = {path.relative_to(KIT).as_posix() for path in KIT.rglob("*.*") if path.suffix in (".py", ".json")}
    assert set(re.findall(r"^\| `([\w./]+)` \|", table, re.MULTILINE)) == files - {"__init__.py"}


def test_nothing_of_the_core_imports_the_kit() -> None:
    importers = {
        name
        for name, path in FILES.items()
        for names in imports_of(path)
        for imported in names
        if imported.split(".")[0] == "batchcore_testing"
    }
    assert importers == set()


def test_every_folder_of_tests_is_described() -> None:
    folders = {f"tests/{path.parent.name}" for path in (ROOT / "tests").glob("*/test_*.py")}
    described = set(re.findall(r"^\| `(tests/\w+)` \|", PAGE, re.MULTILINE))
    assert folders - {"tests/mutants"} <= described


def modules(names: set[str]) -> set[str]:
    """Give the files of the core among modules."""
    return {name.partition(".")[2] or "__init__" for name in names if name.split(".")[0] == "batchcore"}


def imports_of(path: Path) -> tuple[set[str], set[str]]:
    """Give what a file imports when it is loaded, and what inside functions; not what type checkers alone read."""
    loaded: set[str] = set()
    inside: set[str] = set()
    collect(ast.parse(path.read_text(encoding="utf-8")), loaded, inside)
    return loaded, inside


def collect(node: ast.AST, here: set[str], inside: set[str]) -> None:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for statement in child.orelse:
                collect(statement, here, inside)
        elif isinstance(child, ast.Import):
            here.update(alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            submodules = {f"batchcore.{alias.name}" for alias in child.names if alias.name in FILES}
            here.update(submodules if child.module == "batchcore" and submodules else {child.module})
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
            collect(child, inside, inside)
        else:
            collect(child, here, inside)
