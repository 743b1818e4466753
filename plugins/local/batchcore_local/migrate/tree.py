"""A program as a tree: what stands where, and how a name is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeVar, cast

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider

from batchcore_local.migrate.imports import IMPORTS_FROM, Import, ImportFrom, aliases_of, dotted, module_of
from batchcore_local.migrate.study import Reference

Node = TypeVar("Node", bound=cst.CSTNode)

_NOT_FOUND = frozenset(("ImportError", "ModuleNotFoundError", "Exception", "BaseException"))
_LOWER_CASE_TYPES = frozenset(("dict", "frozenset", "list", "set", "tuple", "type"))


class Use(NamedTuple):
    """One place where a name is used.

    Attributes:
        node: the place.
        kind: ``type`` for an annotation or a part of one, ``base`` of a class, ``keyword NAME`` of an argument,
            ``attribute NAME``, ``call``, ``item`` for ``name[...]``, ``check`` by ``isinstance``, else ``other``.
        name: the name.
    """

    node: cst.CSTNode
    kind: str
    name: str


class Tree:
    """A program as a tree.

    Args:
        module: the program.
    """

    def __init__(self, module: cst.Module) -> None:
        self.module = module
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)  # it was parsed a moment ago: no node is in it twice
        self._parents = wrapper.resolve(ParentNodeProvider)
        self._positions = wrapper.resolve(PositionProvider)
        self._by_kind: dict[type[cst.CSTNode], list[cst.CSTNode]] = {}
        for node in self._parents:
            self._by_kind.setdefault(type(node), []).append(node)
        self._uses = self._all_uses()

    def of(self, kind: type[Node]) -> list[Node]:
        """Return the nodes of a kind, in the order of the program."""
        return sorted(cast("list[Node]", self._by_kind.get(kind, [])), key=self.line)

    def line(self, node: cst.CSTNode) -> int:
        """Return the line that a node begins on, counting from 1."""
        line: int = self._positions[node].start.line
        return line

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """Return what a node is directly in; None for the program."""
        return self._parents.get(node)

    def around(self, node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
        """Yield what a node is in, from the inside, each with the part of it that the node is in."""
        part, whole = node, self._parents.get(node)
        while whole is not None:
            yield whole, part
            part, whole = whole, self._parents.get(whole)

    def imports_from(self) -> list[ImportFrom]:
        """Return the statements ``from ... import ...``."""
        found: list[ImportFrom] = [*self.of(cst.ImportFrom), *self.of(cst.LazyImportFrom)]
        return sorted(found, key=self.line)

    def imports(self) -> list[Import]:
        """Return the statements ``import ...``."""
        found: list[Import] = [*self.of(cst.Import), *self.of(cst.LazyImport)]
        return sorted(found, key=self.line)

    def references(self) -> list[Reference]:
        """Return the modules that are imported."""
        found = [
            Reference(module_of(each), len(each.relative), tuple(dotted(alias.name) for alias in aliases_of(each)))
            for each in self.imports_from()
        ]
        for each in self.imports():
            found += [Reference(dotted(alias.name), 0, ()) for alias in aliases_of(each)]
        return found

    def is_expected_to_fail(self, node: cst.CSTNode) -> bool:
        """Whether an import stands where somebody catches that it fails, or where that was caught."""
        for whole, _ in self.around(node):
            if isinstance(whole, (cst.Try, cst.TryStar)):
                caught = [handler.type for handler in whole.handlers]
                if any(kind is None or _NOT_FOUND & set(_words(kind)) for kind in caught):
                    return True
            if isinstance(whole, cst.With) and any(
                isinstance(item.item, cst.Call)
                and dotted(item.item.func).endswith("suppress")
                and any(_NOT_FOUND & set(_words(argument.value)) for argument in item.item.args)
                for item in whole.items
            ):
                return True
        return False

    def uses(self, name: str) -> list[Use]:
        """Return where a name is used, apart from where it is imported."""
        return self._uses.get(name, [])

    def function_around(self, node: cst.CSTNode) -> str:
        """Return the name of the function that a node stands in or in the parameters of; nothing where that is none."""
        return next((whole.name.value for whole, _ in self.around(node) if isinstance(whole, cst.FunctionDef)), "")

    def _is_checked(self, node: cst.CSTNode) -> bool:
        """Whether a class is what `isinstance` compares with."""
        for whole, _ in self.around(node):
            if isinstance(whole, cst.Call):
                return dotted(whole.func) == "isinstance"
            if not isinstance(whole, (cst.Arg, cst.Element, cst.Tuple, cst.BinaryOperation)):
                break
        return False

    def is_type(self, node: cst.CSTNode) -> bool:
        """Whether an expression is an annotation, a part of one, or what `cast` is told."""
        for whole, part in self.around(node):
            if isinstance(whole, cst.Annotation) or (isinstance(whole, cst.TypeAlias) and part is whole.value):
                return True
            if isinstance(whole, cst.Subscript) and part is not whole.value:
                name = dotted(whole.value).rpartition(".")[2]
                if name in _LOWER_CASE_TYPES or (name[:1].isupper() and not name.isupper()):
                    return True
            if isinstance(whole, cst.Arg):
                call = self._parents[whole]
                return (
                    isinstance(call, cst.Call)
                    and dotted(call.func).rpartition(".")[2] == "cast"
                    and call.args[0] is whole
                )
            if isinstance(whole, (cst.BaseStatement, cst.BaseSmallStatement, cst.Lambda)):
                return False
        return False

    def _all_uses(self) -> dict[str, list[Use]]:
        uses: dict[str, list[Use]] = {}
        for node in self.of(cst.Name):
            kind = self._kind_of(node)
            if kind:
                uses.setdefault(node.value, []).append(Use(node, kind, node.value))
        for text in self.of(cst.SimpleString):
            if self.is_type(text):
                for name in _names_in(text):
                    uses.setdefault(name, []).append(Use(text, "type", name))
        return uses

    def _kind_of(self, node: cst.Name) -> str:
        parent = self._parents[node]
        kind = "other"
        if any(isinstance(whole, (cst.ImportAlias, *IMPORTS_FROM)) for whole, _ in self.around(node)):
            kind = ""
        elif isinstance(parent, cst.Attribute):
            kind = f"attribute {parent.attr.value}" if parent.value is node else ""
        elif isinstance(parent, cst.Arg) and parent.keyword is not None:
            kind = "" if parent.keyword is node else f"keyword {parent.keyword.value}"
        elif isinstance(parent, cst.Arg) and isinstance(self._parents[parent], cst.ClassDef):
            kind = "base"
        elif self.is_type(node):
            kind = "type"
        elif isinstance(parent, cst.Call) and parent.func is node:
            kind = "call"
        elif self._is_checked(node):
            kind = "check"
        elif isinstance(parent, cst.Subscript) and parent.value is node:
            kind = "item"
        return kind


def text_of(node: cst.SimpleString) -> str | None:
    """Return the text of a literal; None of one of bytes."""
    value = node.evaluated_value
    return value if isinstance(value, str) else None


def words_in(node: cst.CSTNode) -> set[str]:
    """Return all names and attributes that an expression has anywhere."""
    return set(_words(node))


def _words(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Name):
        yield node.value
    for child in node.children:
        yield from _words(child)


def _names_in(text: cst.SimpleString) -> set[str]:
    written = text_of(text)
    if written is None:
        return set()
    try:
        return set(_words(cst.parse_expression(written)))
    except cst.ParserSyntaxError:  # no annotation after all, such as a text in Literal[...]
        return set()
