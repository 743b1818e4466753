"""What a mutant is, and how it is made: by function and statement, so that it outlives a change of form."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
KIT = "batchcore_testing"
PACKAGES = {"batchcore": ROOT / "batchcore", KIT: ROOT / "plugins" / "testing" / KIT}


class Mutant(NamedTuple):
    """One change of one function.

    Attributes:
        breaks: the promise, in words.
        function: the function, as a dotted path below ``batchcore``, such as ``ledger.Ledger.fail``; one of the kit as
            ``batchcore_testing/...``. A path that ends at a file or a class means all that stands in it.
        old: one statement or one expression of the function, in whatever form.
        new: what stands in its place. Of a statement nothing, or several lines.
        where: the folder or file of the tests, below ``tests/``.
        tests: what ``pytest -k`` selects there.
        nth: which one is meant, counting from 1, where the function has several of the kind.
        also: further changes of the same function, each an ``old`` and a ``new``.
    """

    breaks: str
    function: str
    old: str
    new: str
    where: str
    tests: str
    nth: int = 0
    also: tuple[tuple[str, str], ...] = ()

    @property
    def file(self) -> str:
        """The file, below ``batchcore/``; one of the kit as ``batchcore_testing/...``."""
        return place_of(self.function)[0]


class NoMatchError(Exception):
    """A function has no such statement or expression, or there is no such function."""


class SeveralMatchError(Exception):
    """A function has several of the kind, and nothing says which one is meant."""


def place_of(function: str) -> tuple[str, list[str]]:
    """Return the file of a function, and the names in it that lead to the function."""
    names = function.replace("/", ".").split(".")
    folder = PACKAGES[KIT].parent if names[0] == KIT else PACKAGES["batchcore"]
    path: list[str] = []
    while names and folder.joinpath(*path, names[0]).is_dir():
        path.append(names.pop(0))
    is_file = names and folder.joinpath(*path, f"{names[0]}.py").is_file()
    return "/".join([*path, f"{names.pop(0) if is_file else '__init__'}.py"]), names


def apply(mutant: Mutant, folder: Path) -> None:
    """Change the copies of the packages that are in a folder.

    Raises:
        NoMatchError: there is nothing to change.
        SeveralMatchError: it is not said which of several is to be changed.
    """
    name, names = place_of(mutant.function)
    file = (folder if name.startswith(KIT) else folder / "batchcore") / name
    changes = [(mutant.old, mutant.new, mutant.nth), *((old, new, 0) for old, new in mutant.also)]
    file.write_text(changed(file.read_text(encoding="utf-8"), names, changes), encoding="utf-8")


def changed(text: str, names: Sequence[str], changes: Iterable[tuple[str, str, int]]) -> str:
    """Return the text of a file with one function changed.

    Args:
        text: the text.
        names: lead to the function: those of the classes and functions around it, and its own.
        changes: what is replaced, by what, and which one of several; 0 where there must be one alone.

    Raises:
        NoMatchError: the function has no such statement or expression, or there is no such function.
        SeveralMatchError: it has several, and it is not said which one.
    """
    source = text.encode()  # places of nodes are counted in bytes
    bodies: list[list[ast.stmt]] = [ast.parse(source).body]
    for name in names:
        bodies = [inner.body for body in bodies for inner in _defined_in(body) if inner.name == name]
    nodes = [node for body in bodies for statement in body for node in (statement, *_within(statement))]
    alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    edits: list[tuple[int, int, bytes]] = []
    for old, new, nth in changes:
        node = _one_of(_found(nodes, old), nth)
        start, end = _offset(source, node.lineno, node.col_offset), _offset(source, *_end_of(node))
        if isinstance(node, ast.expr) and id(node) not in alone:
            instead = f"({new})"
        else:
            instead = _block(new, source[start:end].startswith(b"elif"), node.col_offset)
        edits.append((start, end, instead.encode()))
    for start, end, instead in sorted(edits, reverse=True):
        source = source[:start] + instead + source[end:]
    return source.decode()


def _defined_in(body: Iterable[ast.AST]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Yield the functions and classes of a scope, those inside its own ``if`` and ``try`` included."""
    for child in body:
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield child
        else:
            yield from _defined_in(ast.iter_child_nodes(child))


def _within(outer: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    """Yield all statements and expressions inside a node."""
    for child in ast.iter_child_nodes(outer):
        if isinstance(child, ast.stmt | ast.expr):
            yield child
        if not isinstance(child, ast.JoinedStr):  # whose parts have no places before Python 3.12
            yield from _within(child)


def _found(nodes: Iterable[ast.stmt | ast.expr], old: str) -> list[ast.stmt | ast.expr]:
    """Return the nodes that are what some source is but for its form, in the order of the file."""
    wanted: ast.AST
    try:
        wanted = ast.parse(old, mode="eval").body
    except SyntaxError:
        (wanted,) = ast.parse(old).body
    form = ast.unparse(wanted)
    found = [node for node in nodes if type(node) is type(wanted) and ast.unparse(node) == form]
    return sorted(found, key=lambda node: (node.lineno, node.col_offset))


def _one_of(found: list[ast.stmt | ast.expr], nth: int) -> ast.stmt | ast.expr:
    if len(found) < max(nth, 1):
        raise NoMatchError
    if len(found) > 1 and not nth:
        raise SeveralMatchError
    return found[nth - 1]


def _end_of(node: ast.stmt | ast.expr) -> tuple[int, int]:
    if node.end_lineno is None or node.end_col_offset is None:
        raise NoMatchError
    return node.end_lineno, node.end_col_offset


def _offset(source: bytes, line: int, column: int) -> int:
    return sum(len(each) for each in source.splitlines(keepends=True)[: line - 1]) + column


def _block(new: str, is_elif: bool, column: int) -> str:
    """Return some statements as they stand where another begins at a column; ``pass`` where there are none."""
    lines = new.strip("\n").splitlines() or ["pass"]
    if is_elif:
        lines = ["else:", *(f"    {line}" for line in lines)]
    return "\n".join([lines[0], *(f"{' ' * column}{line}" if line else "" for line in lines[1:])])
