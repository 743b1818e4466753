"""Import statements, read and changed: what does not change keeps its bytes, its comments and its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import libcst as cst
from libcst.helpers import get_full_name_for_node, parse_template_expression

IMPORTS_FROM = (cst.ImportFrom, cst.LazyImportFrom)
ImportFrom: TypeAlias = cst.ImportFrom | cst.LazyImportFrom
Import: TypeAlias = cst.Import | cst.LazyImport

PRAGMAS = ("noqa", "type:", "pyright:", "mypy:", "pylint:", "isort:", "ruff:", "nosec", "fmt:", "pragma:")
"""What a comment for a tool begins with. Where one line becomes two, it stands on both."""


class Move(NamedTuple):
    """Where an imported name goes.

    Attributes:
        module: the module it is imported from; nothing where a module itself is imported, by ``import NAME``.
        name: what it is called there.
    """

    module: str
    name: str


Moves: TypeAlias = Mapping[cst.ImportAlias, Move]


def dotted(node: cst.CSTNode | None) -> str:
    """Return a name with dots as it is written, or nothing where it is none."""
    return "" if node is None else get_full_name_for_node(node) or ""


def module_of(node: ImportFrom) -> str:
    """Return the module that names are imported from, without the dots before it."""
    return dotted(node.module)


def aliases_of(node: ImportFrom | Import) -> Sequence[cst.ImportAlias]:
    """Return what a statement imports; nothing where that is a star."""
    return () if isinstance(node.names, cst.ImportStar) else tuple(node.names)


def local_name(alias: cst.ImportAlias) -> str:
    """Return the name that an import binds: of ``import a.b`` that is ``a``."""
    return dotted(alias.asname.name) if alias.asname else dotted(alias.name).partition(".")[0]


class MoveImports(cst.CSTTransformer):
    """Changes where names are imported from.

    Args:
        moves: what is moved, by the node that imports it. Everything else stays.
    """

    def __init__(self, moves: Moves) -> None:
        super().__init__()
        self._moves = moves

    def leave_SimpleStatementLine(  # noqa: N802 - libcst calls it so
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        """Change a line: one that is a single statement may become several lines."""
        if len(original_node.body) > 1:
            return updated_node.with_changes(body=self._in_a_row(original_node.body))
        first, *others = self._changed(original_node.body[0])
        kept = updated_node.with_changes(body=[first])
        comment = original_node.trailing_whitespace.comment
        is_for_tools = comment is not None and comment.value.lstrip("#").strip().lower().startswith(PRAGMAS)
        end = original_node.trailing_whitespace if is_for_tools else cst.TrailingWhitespace()
        lines = [cst.SimpleStatementLine([each], trailing_whitespace=end) for each in others]
        return cst.FlattenSentinel([kept, *lines]) if lines else kept

    def leave_SimpleStatementSuite(  # noqa: N802 - libcst calls it so
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.BaseSuite:
        """Change the statements that stand behind a colon, which stay in their line."""
        return updated_node.with_changes(body=self._in_a_row(original_node.body))

    def _in_a_row(self, body: Iterable[cst.BaseSmallStatement]) -> list[cst.BaseSmallStatement]:
        row: list[cst.BaseSmallStatement] = []
        for statement in body:
            *firsts, last = self._changed(statement)
            row += [each.with_changes(semicolon=cst.MaybeSentinel.DEFAULT) for each in firsts]
            row.append(last.with_changes(semicolon=statement.semicolon))
        return row

    def _changed(self, statement: cst.BaseSmallStatement) -> list[cst.BaseSmallStatement]:
        if isinstance(statement, (cst.Import, cst.LazyImport, *IMPORTS_FROM)):
            groups: dict[str | None, list[cst.ImportAlias]] = {}
            for alias in aliases_of(statement):
                move = self._moves.get(alias)
                groups.setdefault(None if move is None else move.module, []).append(alias)
            if groups.keys() - {None}:
                whole = len(groups) == 1
                return [self._statement(statement, module, group, whole) for module, group in groups.items()]
        return [statement]

    def _statement(
        self, statement: ImportFrom | Import, module: str | None, aliases: list[cst.ImportAlias], whole: bool
    ) -> cst.BaseSmallStatement:
        """Make the statement of those names of another that go to one module; None: that stay where they are."""
        names = [self._renamed(alias) for alias in aliases]
        if module == "":
            return cst.Import(_row_of(names))
        if whole:
            changed: cst.BaseSmallStatement = statement.with_changes(names=names)
        elif isinstance(statement, (cst.Import, cst.LazyImport)):
            changed = statement.with_changes(names=_row_of(names))
        elif _is_one_to_a_line(statement) and (len(names) > 1 or _has_comment(statement, aliases[0])):
            changed = _in_brackets(statement, aliases, names)
        else:
            changed = statement.with_changes(names=_row_of(names), lpar=None, rpar=None)
        return changed if module is None else changed.with_changes(module=parse_template_expression(module))

    def _renamed(self, alias: cst.ImportAlias) -> cst.ImportAlias:
        move = self._moves.get(alias)
        if move is None or move.name == dotted(alias.name):
            return alias
        name = cst.Name(move.name)
        if alias.asname is None and move.module:
            return alias.with_changes(name=name, asname=cst.AsName(cst.Name(dotted(alias.name))))
        if alias.asname is None:
            return alias.with_changes(name=name, asname=cst.AsName(cst.Name(local_name(alias))))
        return alias.with_changes(name=name)


def _row_of(names: Sequence[cst.ImportAlias]) -> list[cst.ImportAlias]:
    return [alias.with_changes(comma=cst.MaybeSentinel.DEFAULT) for alias in names]


def _is_one_to_a_line(statement: ImportFrom) -> bool:
    """Whether names stand in brackets that reach over several lines."""
    return statement.lpar is not None and isinstance(statement.lpar.whitespace_after, cst.ParenthesizedWhitespace)


def _space_after(statement: ImportFrom, alias: cst.ImportAlias) -> cst.BaseParenthesizableWhitespace:
    """Return what stands between a name and the next, or the closing bracket: a comment on it is in there."""
    if isinstance(alias.comma, cst.Comma):
        return alias.comma.whitespace_after
    return cst.SimpleWhitespace("") if statement.rpar is None else statement.rpar.whitespace_before


def _has_comment(statement: ImportFrom, alias: cst.ImportAlias) -> bool:
    space = _space_after(statement, alias)
    return isinstance(space, cst.ParenthesizedWhitespace) and (
        space.first_line.comment is not None or any(line.comment for line in space.empty_lines)
    )


def _in_brackets(
    statement: ImportFrom, aliases: Sequence[cst.ImportAlias], names: Sequence[cst.ImportAlias]
) -> cst.BaseSmallStatement:
    """Make a statement of some names of another, one to a line as there, each with the comment that it had."""
    final = _space_after(statement, aliases_of(statement)[-1])
    spaces = [_space_after(statement, alias) for alias in aliases]
    if isinstance(spaces[-1], cst.ParenthesizedWhitespace) and isinstance(final, cst.ParenthesizedWhitespace):
        spaces[-1] = spaces[-1].with_changes(indent=final.indent, last_line=final.last_line)
    elif isinstance(spaces[-1], cst.SimpleWhitespace):  # the next name stood in the same line
        spaces[-1] = final
    return statement.with_changes(
        names=[
            name.with_changes(comma=cst.Comma(whitespace_after=space))
            for name, space in zip(names, spaces, strict=True)
        ],
        rpar=cst.RightParen(),
    )
