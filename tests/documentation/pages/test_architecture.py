"""The page on architecture describes the code as it is."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import batchcore
import batchcore_testing

from .page import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
CORE = Path(batchcore.__file__).parent
KIT = Path(batchcore_testing.__file__).parent
FILES = {
    ".".join(path.relative_to(CORE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in CORE.rglob("*.py")
}
FLOORS = {
    name: int(floor) for floor, names in re.findall(r"^([ \d]\d)  (.+)$", PAGE, re.MULTILINE) for name in names.split()
}
FOLDERS = {"_concurrency", "_extensions", "_plugins"}
LONGEST_FILE, MOST_ATTRIBUTES, MOST_FILES, MOST_LINES_OF_CODE = 420, 20, 38, 6_300
OPEN_TO_SOURCES = {
    "batchcore",
    *(f"batchcore.{name}" for name in ("binary", "dispositions", "failures", "records", "shapes", "types", "windows")),
}
OF_FACTORIES = {"batchcore_testing"}
"""What the file ``events.py`` of a source may import besides: no function loads it."""
SOURCES = tuple(
    f"batchcore_{name}" for name in ("sqs", "kinesis", "dynamodb", "kafka", "mq", "firehose", "s3batch", "pipes")
)
PACKAGES = [
    *SOURCES,
    *(f"batchcore_{name}" for name in ("envelopes", "deadletter", "emf", "logs", "otel", "sentry", "local", "testing")),
]
OF_PIPES = {
    "batchcore_kinesis",
    *(f"batchcore_{name}.{file}" for name in ("sqs", "kinesis", "dynamodb") for file in ("events", "models")),
    *(f"batchcore_{name}.models" for name in ("kafka", "mq")),
}
"""What the package of pipes may import besides, of packages whose records a pipe has: each where that is asked for."""
HEAVY = {
    "pluggy": {"_plugins.wrapping"},
    "asyncio": {"_concurrency.loops", "_concurrency.tasks"},
    "importlib_metadata": {"entry_points"},
    "pydantic": set[str](),
}


def test_every_file_of_the_core_has_a_purpose_on_the_page() -> None:
    table = PAGE.partition("| file | purpose |")[2].partition("\n\n")[0]
    named = {name.replace("/", ".") for name in re.findall(r"^\| `([\w/]+)\.py` \|", table, re.MULTILINE)}
    assert named == FILES.keys() - FOLDERS


def test_every_file_of_the_core_stands_on_a_floor() -> None:
    assert sorted(FLOORS) == sorted(FILES)


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_file_imports_from_lower_floors_alone(name: str) -> None:
    """What stands in a function, and what type checkers alone read, too."""
    above = {other for other in modules(imports_of(FILES[name])) if other != name and FLOORS[other] >= FLOORS[name]}
    assert above == set()


def test_no_file_and_no_class_has_grown_too_large() -> None:
    texts = {name: path.read_text(encoding="utf-8") for name, path in FILES.items()}
    lengths = {name: len(text.splitlines()) for name, text in texts.items()}
    attributes = {
        f"{name}.{node.name}": len(attributes_of(node))
        for name, text in texts.items()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef)
    }

    assert {name for name, length in lengths.items() if length > LONGEST_FILE} == set()
    assert {name for name, count in attributes.items() if count > MOST_ATTRIBUTES} == set()
    assert len(FILES) <= MOST_FILES
    assert sum(map(lines_of_code, texts.values())) <= MOST_LINES_OF_CODE


def lines_of_code(text: str) -> int:
    """Count the lines of a file that are neither blank, nor a comment, nor part of a docstring."""
    tree = ast.parse(text)
    documented = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node) is not None
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    lines = enumerate(text.splitlines(), 1)
    return sum(line.strip()[:1] not in ("", "#") and number not in documented for number, line in lines)


def attributes_of(node: ast.ClassDef) -> set[str]:
    """Return what objects of a class have besides methods: its slots, its annotations, what its methods set."""
    found = {
        stmt.target.id for stmt in node.body if isinstance(stmt, ast.AnnAssign) and isinstance(stmt.target, ast.Name)
    }
    for stmt in node.body:
        if isinstance(stmt, ast.Assign) and isinstance(stmt.targets[0], ast.Name):
            slots = stmt.targets[0].id == "__slots__"
            found |= set(ast.literal_eval(stmt.value)) - {"__weakref__"} if slots else {stmt.targets[0].id}
    for each in ast.walk(node):
        is_own = isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == "self"
        if is_own and isinstance(each.ctx, ast.Store):
            found.add(each.attr)
    return found


@pytest.mark.parametrize("package", HEAVY)
def test_what_is_heavy_is_imported_in_one_place(package: str) -> None:
    importers = {name for name, path in FILES.items() if package in imports_of(path)}
    assert importers == HEAVY[package]


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_uses_of_the_core_what_a_stranger_may(source: str) -> None:
    spec = importlib.util.find_spec(source)
    assert spec is not None
    assert spec.origin is not None
    for path in Path(spec.origin).parent.rglob("*.py"):
        used = {name for name in imports_of(path) if name.split(".")[0].startswith("batchcore")}
        open_to_it = OPEN_TO_SOURCES | (OF_FACTORIES if path.name == "events.py" else set())
        open_to_it |= OF_PIPES if source == "batchcore_pipes" else set()
        assert {name for name in used if name.split(".")[0] != source} <= open_to_it


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_beside_the_core_uses_no_private_name_of_it(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    for path in Path(spec.origin).parent.rglob("*.py"):
        assert set(private_names_in(ast.parse(path.read_text(encoding="utf-8")))) == set(), path


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_files_of_a_package_need_one_another(package: str) -> None:
    """Not even for type checkers: whoever reads one of a circle has to read all of it."""
    files = files_of(package)
    needed = {name: imports_of(path, files.keys()) & files.keys() - {name} for name, path in files.items()}

    assert any(needed.values()), "no import was seen"
    try:
        TopologicalSorter(needed).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' <- '.join(error.args[1])}")


def files_of(package: str) -> dict[str, Path]:
    """Return the files of a package by the names of their modules."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    return {
        ".".join((package, *path.relative_to(root).with_suffix("").parts)).removesuffix(".__init__"): path
        for path in root.rglob("*.py")
    }


def private_names_in(tree: ast.AST) -> Iterator[str]:
    """Yield the private names that a file takes from the core, or from an object that is not its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "batchcore":
            yield from (name for alias in node.names if "._" in (name := f"{node.module}.{alias.name}"))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("batchcore._"))
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.endswith("__"):
            is_own = ast.unparse(node.value) in {"self", "cls", "super()", "other"}
            if not is_own and node.attr not in {
                "_replace",
                "_asdict",
                "_fields",
            }:  # those are a named tuple's public ones
                yield ast.unparse(node)


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
    paths = [path for pattern in ("*", "documentation/*") for path in (ROOT / "tests").glob(f"{pattern}/test_*.py")]
    folders = {path.parent.relative_to(ROOT).as_posix() for path in paths}
    described = set(re.findall(r"^\| `(tests/[\w/]+)` \|", PAGE, re.MULTILINE))
    assert folders - {"tests/mutants"} <= described


def modules(names: set[str]) -> set[str]:
    """Return the files of the core among modules."""
    return {name.partition(".")[2] or "__init__" for name in names if name.split(".")[0] == "batchcore"}


def imports_of(path: Path, known: Collection[str] = frozenset(f"batchcore.{name}" for name in FILES)) -> set[str]:
    """Return the modules that a file imports, wherever in it; ``known`` are those that a package may be asked for."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            submodules = inside & set(known)
            found.update(submodules if len(submodules) == len(inside) else {node.module, *submodules})
    return found
