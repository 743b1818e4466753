"""Programs written for the batch utility of Powertools: which of their imports go over, and what stands against it.

Names are the same here, so nothing but imports is changed. A program goes over as a whole or not at all: a processor
of the one library does not work with the functions of the other.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import libcst as cst

from batchcore.options import INSTEAD_OF
from batchcore_local.migrate import tables
from batchcore_local.migrate.imports import (
    Import,
    ImportFrom,
    Move,
    MoveImports,
    aliases_of,
    dotted,
    local_name,
    module_of,
)
from batchcore_local.migrate.records import Records
from batchcore_local.migrate.study import Finding, Study
from batchcore_local.migrate.tree import Tree, Use, text_of, words_in

POWERTOOLS = "aws_lambda_powertools"
_BATCH_MODULE = re.compile(re.escape(tables.BATCH) + r"(\.\w+)*")
_HANDLER_ARGUMENTS = frozenset(("record_handler", "handler"))


class Imported(NamedTuple):
    """A name that a program imports.

    Attributes:
        alias: the node.
        name: what it is called where it comes from.
        local: what the program calls it.
    """

    alias: cst.ImportAlias
    name: str
    local: str


def study(module: cst.Module) -> Study:
    """Study a program.

    Args:
        module: the program.
    """
    return _Program(Tree(module)).study()


class _Program:
    """One program, while it is studied."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._result = Study(references=tree.references())
        self._moves: dict[cst.ImportAlias, Move] = {}
        self._batch: dict[str, Imported] = {}
        """Names of the batch utility, by what the program calls them."""
        self._processors: dict[str, str] = {}
        """Classes that are processors, by what the program calls them: each with Powertools' class that it is of."""

    def study(self) -> Study:
        self._read_batch_imports()
        self._read_batch_modules()
        self._read_texts()
        self._read_classes()
        result = self._result
        result.concerned = result.concerned or bool(self._batch or result.left)
        if self._batch or self._moves:
            self._read_event_types()
            self._read_calls()
            self._read_attributes()
            if not result.left:  # whatever is found about records is no reason for a program that stays
                Records(self._tree, result, self._moves).read(self._handlers())
        result.left.sort()
        if result.left:
            result.notes.clear()
            self._moves.clear()
        result.kept = self._kept()
        if self._moves:
            result.packages |= {_distribution(move.module or move.name) for move in self._moves.values()}
            result.rewrite = lambda: self._tree.module.visit(MoveImports(self._moves))
        result.notes.sort()
        return result

    # -- What is imported.

    def _read_batch_imports(self) -> None:
        for statement in self._tree.imports_from():
            module = module_of(statement)
            if statement.relative or not _BATCH_MODULE.fullmatch(module):
                continue
            self._result.concerned = True
            if isinstance(statement.names, cst.ImportStar):
                self._leave(statement, f"imports * from {module}. Import the names that are used, and run this again.")
            self._check_may_move(statement)
            for alias in aliases_of(statement):
                self._take_batch_name(alias, module)

    def _take_batch_name(self, alias: cst.ImportAlias, module: str) -> None:
        name = dotted(alias.name)
        ours = tables.BATCH_NAMES.get(name)
        if ours is None:
            self._leave(alias, f"imports {name} from {module}, {_without_counterpart(name)}")
            return
        imported = Imported(alias, name, local_name(alias))
        self._batch[imported.local] = imported
        self._moves[alias] = Move(ours, name)
        if name in tables.BASES:
            self._processors[imported.local] = name

    def _read_batch_modules(self) -> None:
        """Read what is imported as a module: ``import ...batch as b``, ``from ...utilities import batch``."""
        for statement in self._tree.imports():
            for alias in aliases_of(statement):
                module = dotted(alias.name)
                if not _BATCH_MODULE.fullmatch(module):
                    self._refuse_chains(local_name(alias), module if alias.asname else module.partition(".")[0])
                elif alias.asname is not None:
                    self._take_module(statement, alias, module)
                else:
                    self._leave(
                        alias, f"imports {module} without `as`. Write `from {module} import ...`, and run this again."
                    )
        known = set(self._moves)
        for each in self._tree.imports_from():
            for alias in () if each.relative else aliases_of(each):
                module = f"{module_of(each)}.{dotted(alias.name)}"
                if module == tables.BATCH:
                    self._take_module(each, alias, module)
                elif alias not in known:
                    self._refuse_chains(local_name(alias), module)

    def _take_module(self, statement: Import | ImportFrom, alias: cst.ImportAlias, module: str) -> None:
        self._result.concerned = True
        self._check_may_move(statement)
        local = local_name(alias)
        for use in self._tree.uses(local):
            kind, _, name = use.kind.partition(" ")
            if kind != "attribute":
                self._leave(use.node, f"{local} is the module {module} and something else, too. Give one another name.")
            elif name not in tables.BATCH_NAMES:
                self._leave(use.node, f"{local}.{name} is of {module}, {_without_counterpart(name)}")
            elif tables.BATCH_NAMES[name] != "batchcore":
                self._leave(
                    use.node,
                    f"{local}.{name} is in {tables.BATCH_NAMES[name]} and not in batchcore. Write `from {module} "
                    f"import {name}`, and run this again.",
                )
            else:
                self._batch[f"{local}.{name}"] = Imported(alias, name, f"{local}.{name}")
                if name in tables.BASES:
                    self._processors[f"{local}.{name}"] = name
        self._moves[alias] = Move("", "batchcore")

    def _refuse_chains(self, local: str, module: str) -> None:
        """Refuse ``powertools.utilities.batch.BatchProcessor``, by whichever module it begins with."""
        if module.partition(".")[0] != POWERTOOLS:
            return
        for use in self._tree.uses(local):
            chain, node = module, use.node
            while isinstance(whole := self._tree.parent(node), cst.Attribute) and whole.value is node:
                chain, node = f"{chain}.{whole.attr.value}", whole
                if chain == tables.BATCH:
                    self._leave(
                        use.node, f"reaches {chain} through {local}. Import its names from it, and run this again."
                    )

    def _check_may_move(self, statement: cst.CSTNode) -> None:
        if self._tree.is_expected_to_fail(statement):
            self._leave(
                statement,
                "imports the batch utility where somebody catches that it is not installed. Decide which library the "
                "program is for, and import it without that.",
            )

    def _read_texts(self) -> None:
        for node in self._tree.of(cst.SimpleString):
            text = text_of(node)
            if text is not None and _BATCH_MODULE.fullmatch(text):
                self._leave(
                    node, f"names {text} in a text, as a patch or a late import does. Write the name that it is here."
                )

    # -- How it is used.

    def _read_classes(self) -> None:
        for node in self._tree.of(cst.ClassDef):
            bases = [
                dotted(each.value if not isinstance(each.value, cst.Subscript) else each.value.value)
                for each in node.bases
            ]
            base = next((self._processors[each] for each in bases if each in self._processors), None)
            if base is not None:
                self._processors[node.name.value] = base
            is_foreign = base is None and any(each not in self._batch for each in bases)
            for method in _methods_of(node):
                name = method.name.value
                if (base in tables.PROCESSORS and name in INSTEAD_OF) or (
                    (base or is_foreign) and name in tables.NEVER_CALLED
                ):
                    self._leave(
                        method, f"overrides {name}(), which batchcore never calls. Instead: {INSTEAD_OF[name]}."
                    )
                if base and name in ("success_handler", "failure_handler"):
                    self._read_override(method)

    def _read_override(self, method: cst.FunctionDef) -> None:
        name = method.name.value
        if method.asynchronous is not None:
            self._leave(method, f"{name}() is a coroutine function, and nobody awaits it. Define it with a plain def.")
        elif name == "failure_handler" and name not in words_in(method.body):
            self._note(
                method,
                "failure_handler() goes on being called; but whatever it returns, and whatever it does to the lists, "
                "the record has failed. See: what an override returns changes no outcome.",
            )

    def _read_event_types(self) -> None:
        for local in self._locals_of("EventType"):
            for use in self._uses(local):
                kind, _, name = use.kind.partition(" ")
                whole = self._tree.parent(use.node)
                beyond = self._tree.parent(whole) if whole is not None else None
                if kind in ("type", "item"):
                    continue
                if kind != "attribute":
                    self._leave(
                        use.node,
                        f"{local} is used as more than its members: its values are 'sqs', 'kinesis', 'dynamodb' and "
                        f"'kafka' here. Write {local}.SQS or {local}[NAME], and run this again.",
                    )
                elif name not in tables.EVENT_TYPES:
                    self._leave(use.node, f"{local}.{name} is not in batchcore.")
                elif isinstance(beyond, cst.Attribute) and beyond.value is whole and beyond.attr.value == "value":
                    self._leave(use.node, f"{local}.{name}.value is another one here, such as 'sqs'. Use its name.")
                else:
                    self._result.packages.add(tables.EVENT_TYPES[name])
                    if name == "Kafka":
                        self._note(use.node, "a record of Kafka that fails stops its partition here: order is kept.")

    def _read_calls(self) -> None:
        for local in self._locals_of(*tables.DECORATORS):
            name = self._batch[local].name
            for use in self._uses(local):
                call = self._tree.parent(use.node)
                if not isinstance(call, cst.Call) or any(each.keyword is None or each.star for each in call.args):
                    self._leave(
                        use.node,
                        f"{name} is used otherwise than as @{name}(record_handler=..., processor=...). Call "
                        f"{name.replace('batch_processor', 'process_partial_response')}() instead.",
                    )
                else:
                    self._note(
                        use.node,
                        f"{name} is deprecated here as there, and warns. It works; what is called instead is "
                        f"{name.replace('batch_processor', 'process_partial_response')}().",
                    )

    def _read_attributes(self) -> None:
        made = {
            dotted(target.target)
            for node in self._tree.of(cst.Assign)
            if isinstance(node.value, cst.Call) and dotted(node.value.func) in self._processors
            for target in node.targets
        }
        for node in self._tree.of(cst.Attribute):
            name, owner = node.attr.value, dotted(node.value)
            if name in tables.PRIVATE_ATTRIBUTES:
                self._leave(node, f"uses {name}, which is not here. Instead: {tables.PRIVATE_ATTRIBUTES[name]}.")
            elif name in tables.NEVER_CALLED and name != "_to_batch_type":  # that one can be called
                self._leave(node, f"calls {name}(), which is not here. Instead: {INSTEAD_OF[name]}.")
            elif name == "value" and owner.rpartition(".")[2] in ("event_type", "event_name", "stream_view_type"):
                self._leave(node, f"{owner}.value is another one here, such as 'sqs' or 'INSERT'. Use its name.")
            elif name == "exceptions" and owner in made:
                self._note(node, f"{owner}.exceptions has no tracebacks once the batch is answered.")

    def _handlers(self) -> set[str]:
        """Return all names that stand where a record handler is given to the batch utility."""
        found: set[str] = set()
        for call in self._tree.of(cst.Call):
            name = self._batch.get(dotted(call.func))
            for position, argument in enumerate(call.args):
                keyword = argument.keyword.value if argument.keyword else ""
                is_second = position == 1 and not keyword and name is not None and name.name in tables.CALLS
                if keyword in _HANDLER_ARGUMENTS or is_second:
                    found |= words_in(argument.value)
        return found

    # -- Helpers.

    def _kept(self) -> list[Finding]:
        kept: list[Finding] = []
        for statement in self._tree.imports_from():
            if not statement.relative and module_of(statement).partition(".")[0] == POWERTOOLS:
                names = [dotted(alias.name) for alias in aliases_of(statement) if alias not in self._moves]
                if names or isinstance(statement.names, cst.ImportStar):
                    kept.append(Finding(self._tree.line(statement), ", ".join(names) or "*"))
        for each in self._tree.imports():
            names = [dotted(alias.name) for alias in aliases_of(each) if alias not in self._moves]
            if names := [name for name in names if name.partition(".")[0] == POWERTOOLS]:
                kept.append(Finding(self._tree.line(each), ", ".join(names)))
        return sorted(kept)

    def _locals_of(self, *names: str) -> list[str]:
        return [local for local, imported in self._batch.items() if imported.name in names]

    def _uses(self, local: str) -> list[Use]:
        """Return where a name of the batch utility is used, also one with a dot."""
        module, _, name = local.rpartition(".")
        if not module:
            return self._tree.uses(local)
        uses: list[Use] = []
        for use in self._tree.uses(module):
            if use.kind == f"attribute {name}":
                attribute = self._tree.parent(use.node)
                assert attribute is not None  # noqa: S101 - its kind says that it is part of an attribute
                whole = self._tree.parent(attribute)
                if isinstance(whole, cst.Attribute):
                    uses.append(Use(attribute, f"attribute {whole.attr.value}", name))
                elif isinstance(whole, cst.Subscript) and whole.value is attribute:
                    uses.append(Use(attribute, "item", name))
                else:
                    uses.append(Use(attribute, "type" if self._tree.is_type(attribute) else "other", name))
        return uses

    def _leave(self, node: cst.CSTNode, text: str) -> None:
        self._result.left.append(Finding(self._tree.line(node), text))

    def _note(self, node: cst.CSTNode, text: str) -> None:
        self._result.notes.append(Finding(self._tree.line(node), text))


def _methods_of(node: cst.ClassDef) -> list[cst.FunctionDef]:
    return [each for each in node.body.body if isinstance(each, cst.FunctionDef)]


def _without_counterpart(name: str) -> str:
    return f"which is not in batchcore. Instead: {tables.WITHOUT_COUNTERPART.get(name, 'decide by hand')}."


def _distribution(module: str) -> str:
    name, _, rest = module.partition(".")
    return name.replace("_", "-") + ("[pydantic]" if rest == "models" else "")
