"""Classes of typed records and models, in a program that goes over: whose records are they, and what is asked of them?

As annotations they may stay with Powertools. Where a program compares with them, they must be of the library that makes
the records.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import libcst as cst

from batchcore_local.migrate import tables
from batchcore_local.migrate.imports import Move, aliases_of, dotted, local_name, module_of
from batchcore_local.migrate.study import Finding, Study
from batchcore_local.migrate.tree import Tree, Use

_HANDLES = frozenset(("success_handler", "failure_handler", "_process_record", "_async_process_record"))
"""Methods of a processor that get records of the batch."""


class Class(NamedTuple):
    """A class that a program imports.

    Attributes:
        alias: the node.
        name: what it is called where it comes from.
        local: what the program calls it.
        module: where it comes from.
        ours: the module that has it here.
    """

    alias: cst.ImportAlias
    name: str
    local: str
    module: str
    ours: str


class Records:
    """What a program knows of records.

    Args:
        tree: the program.
        study: is told what is left and what should be looked at.
        moves: is told what goes over.
    """

    def __init__(self, tree: Tree, study: Study, moves: dict[cst.ImportAlias, Move]) -> None:
        self._tree = tree
        self._result = study
        self._moves = moves

    def read(self, handlers: set[str]) -> None:
        """Find out what goes over.

        Args:
            handlers: the names of the functions that get records of the batch.
        """
        self._read_records(handlers | _HANDLES)
        self._read_modules()
        self._read_models()

    def _read_records(self, handlers: set[str]) -> None:
        found = self._imported(tables.RECORDS)
        is_alone = not self._reads_events()
        for imported in found:
            uses = self._tree.uses(imported.local)
            checks = [each for each in uses if each.kind == "check"]
            odd = [each for each in uses if not (_is_plain(each, imported.name) or (is_alone and each in checks))]
            elsewhere = [
                each for each in uses if each.kind == "call" or self._tree.function_around(each.node) not in handlers
            ]
            if odd:
                self._leave(
                    odd[0].node,
                    f"{imported.local} is compared with, or a base, and records of the batch would be of another "
                    f"class. Import it from {imported.ours} yourself if no other records come here.",
                )
            elif not uses:
                self._note(imported.alias, f"{imported.name} is left: nothing here uses it.")
            elif self._tree.is_expected_to_fail(imported.alias):
                self._note(imported.alias, f"{imported.name} is left: somebody catches that it is not installed.")
            elif is_alone or not elsewhere:
                name = tables.RENAMED.get(imported.name, imported.name)
                self._moves[imported.alias] = Move(imported.ours, name)
                for use in checks:
                    self._note(
                        use.node, f"{imported.local} is that of {imported.ours} here, and no record from elsewhere."
                    )
            elif imported.name in tables.ENUMS:
                self._leave(
                    elsewhere[0].node,
                    f"{imported.local} is compared with, and records come here from {imported.module} as well as from "
                    f"the batch. Compare with texts, or import it from {imported.ours} yourself.",
                )
            else:
                self._note(
                    imported.alias,
                    f"{imported.name} is left: line {self._tree.line(elsewhere[0].node)} uses it outside of a record "
                    "handler, where it does no harm.",
                )

    def _read_modules(self) -> None:
        """Refuse ``sqs_event.SQSRecord``, where it is compared with and not a name that could be imported from here."""
        classes = {name for names in tables.RECORDS.values() for name in names}
        for node in self._tree.of(cst.Attribute):
            if node.attr.value in classes and not self._tree.is_type(node):
                module, _, rest = dotted(node.value).partition(".")
                whole = ".".join(filter(None, (self._modules().get(module, module), rest)))
                call = self._tree.parent(node)
                if whole in tables.RECORDS and not (isinstance(call, cst.Call) and call.func is node):
                    self._leave(
                        node,
                        f"compares with {dotted(node)}, and records of the batch would be of another class. Write "
                        f"`from {whole} import {node.attr.value}`, and run this again.",
                    )

    def _modules(self) -> dict[str, str]:
        """Return which names are modules of Powertools, or may be."""
        modules: dict[str, str] = {}
        for statement in self._tree.imports():
            modules |= {local_name(alias): dotted(alias.name) for alias in aliases_of(statement) if alias.asname}
        for each in self._tree.imports_from():
            modules |= {local_name(alias): f"{module_of(each)}.{dotted(alias.name)}" for alias in aliases_of(each)}
        return modules

    def _read_models(self) -> None:
        found = self._imported(tables.PARSER_MODELS)
        if not found:
            return
        why = (
            next(
                (
                    f"line {self._tree.line(use.node)} uses {imported.local} for more than a model of records"
                    for imported in found
                    for use in self._tree.uses(imported.local)
                    if use.kind not in ("type", "base", "keyword model")
                ),
                None,
            )
            or self._parses()
        )
        for imported in found:
            if why is None and self._tree.uses(imported.local):
                self._moves[imported.alias] = Move(imported.ours, imported.name)
            else:
                self._note(
                    imported.alias, f"{imported.name} is left: {why or 'nothing here uses it'}. It goes on working."
                )

    def _parses(self) -> str | None:
        for statement in self._tree.imports_from():
            module = module_of(statement)
            if module.startswith(tables.PARSER) and module not in tables.PARSER_MODELS:
                names = {dotted(alias.name) for alias in aliases_of(statement)} - tables.NOT_OF_THE_PARSER
                if names:
                    return f"line {self._tree.line(statement)} imports {min(names)} of the parser"
        return None

    def _reads_events(self) -> bool:
        """Whether the program gets records from Powertools' data classes, beside those of the batch."""
        for statement in self._tree.imports_from():
            module = module_of(statement)
            if module.startswith(tables.DATA_CLASSES):
                names = {dotted(alias.name) for alias in aliases_of(statement)}
                if isinstance(statement.names, cst.ImportStar) or names - tables.RECORDS.get(module, {}).keys():
                    return True
        return False

    def _imported(self, table: Mapping[str, Mapping[str, str]]) -> list[Class]:
        """Return which names of a table the program imports, each with its module and the module here."""
        return [
            Class(alias, name, local_name(alias), module, table[module][name])
            for statement in self._tree.imports_from()
            if not statement.relative and (module := module_of(statement)) in table
            for alias in aliases_of(statement)
            if (name := dotted(alias.name)) in table[module]
        ]

    def _leave(self, node: cst.CSTNode, text: str) -> None:
        self._result.left.append(Finding(self._tree.line(node), text))

    def _note(self, node: cst.CSTNode, text: str) -> None:
        self._result.notes.append(Finding(self._tree.line(node), text))


def _is_plain(use: Use, name: str) -> bool:
    """Whether a class of records is named, or made, and not asked about; of an enum, whether it is a member."""
    return use.kind == "type" or (use.kind.startswith("attribute ") if name in tables.ENUMS else use.kind == "call")
