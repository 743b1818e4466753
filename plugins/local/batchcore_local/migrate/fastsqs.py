"""Programs written for fastsqs: the plain ones, in which messages are told apart by one key and go to a function each.

What it does beyond that (routers, middleware, injected arguments, contexts) has other names and other ways here, so
such a program is left, with a line for each thing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from batchcore_local.migrate.imports import aliases_of, dotted, local_name, module_of
from batchcore_local.migrate.study import Finding, Study
from batchcore_local.migrate.tree import Tree, text_of

FASTSQS = "fastsqs"
TAKEN = frozenset(
    (
        "BaseModel",
        "ConfigDict",
        "SQSRecord",
        "by_key",
        "fifo_group",
        "message_group",
        "processor",
        "record_handler",
        "to_camel",
    )
)
"""Names that a changed program has, so that it must not have had them for something else."""

INSTEAD = {
    "CloudEvent": "batchcore-envelopes reads CloudEvents",
    "Context": "the record has what the context had: record.message_id, record.attributes",
    "Depends": "call what is depended on in the handler, or give arguments by a plugin with handler_arguments()",
    "IdempotencyMiddleware": "an idempotent handler, with Powertools' @idempotent_function for one",
    "LoggingMiddleware": "an observer with record_finished()",
    "Middleware": "a plugin with wrap_handler()",
    "QueueType": "leave it out: a FIFO queue is known by its name",
    "SQSRouter": "a function that looks at the body and calls the next",
    "SkipMessage": "return from the handler, or raise batchcore.DropRecord",
    "TimingMiddleware": "an observer with record_finished(): outcomes have durations",
    "TracingMiddleware": "an observer with record_scope()",
    "is_sqs_event": 'BatchProcessor("sqs") refuses an event of another source',
}
"""What fastsqs offers that is done otherwise here."""

OPTIONS = {"discriminator": "type", "max_concurrent_messages": 10}
"""Arguments of an app that go over, with their defaults."""

DEFAULTS = {"fifo_failure_mode": '"isolate_groups"', "partial_batch_failure": "True", "debug": "False"}
"""Arguments that go over where they say what holds anyway."""

IMPORTS = """from batchcore import AsyncBatchProcessor, async_process_partial_response, by_key
from batchcore_sqs import SQSRecord, message_group
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
"""

BASE = """class SQSEvent(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
"""
"""What models of fastsqs are: their messages have their fields by either name."""

PROCESSOR = """def fifo_group(record):
    return message_group(record) if record["eventSourceARN"].endswith(".fifo") else None


processor = AsyncBatchProcessor(
    "sqs", ordering=by_key(fifo_group), max_concurrency={}, raise_on_entire_batch_failure=False
)
"""
"""Messages of one group of a FIFO queue run in their order, as there; all others side by side, also of a fair queue."""

_CALL = "async_process_partial_response(event={}, record_handler=record_handler, processor=processor, context={})"


class Route(NamedTuple):
    """One kind of messages.

    Attributes:
        function: the function that takes them, as a node.
        model: the name of their model.
        kind: what the key of such a message says.
    """

    function: cst.FunctionDef
    model: str
    kind: str

    def lines(self) -> list[str]:
        """Return the call of the function, as a program has it. The message is validated even if nobody looks at it."""
        message, awaits = f"{self.model}.model_validate(body)", "await " if self.function.asynchronous else ""
        if self.function.params.params:
            return [f"return {awaits}{self.function.name.value}({message})"]
        return [message, f"return {awaits}{self.function.name.value}()"]


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
        self._statement: cst.SimpleStatementLine | None = None
        self._app: cst.SimpleStatementLine | None = None
        self._name = ""
        self._key, self._concurrency = "type", 10
        self._routes: list[Route] = []

    def study(self) -> Study:
        self._read_imports()
        if not self._result.concerned:
            return self._result
        self._read_app()
        self._read_routes()
        self._read_models()
        self._read_uses()
        result = self._result
        for name in sorted(TAKEN):
            for use in self._tree.uses(name)[:1]:
                self._leave(use.node, f"{name} is a name that the changed program needs. Give this one another.")
        if not result.left and not self._routes:
            result.left.append(Finding(0, "has no route of a model. Write a record handler."))
        if not result.left and not any(each.kind == "attribute handler" for each in self._tree.uses(self._name)):
            result.left.append(
                Finding(0, f"does not call {self._name}.handler(): it goes over with who does, by hand.")
            )
        result.left.sort()
        if not result.left:
            result.packages = {"batchcore-sqs", "pydantic"}
            result.notes.append(
                Finding(0, f"{self._name} is gone: who imports it from here calls the Lambda function.")
            )
            result.rewrite = self._rewritten
        else:
            result.kept = [Finding(self._tree.line(each), FASTSQS) for each in self._statements()]
        return result

    def _statements(self) -> list[cst.CSTNode]:
        found: list[cst.CSTNode] = [
            each
            for each in self._tree.imports_from()
            if not each.relative and module_of(each).partition(".")[0] == FASTSQS
        ]
        found += [
            each
            for each in self._tree.imports()
            if any(dotted(alias.name).partition(".")[0] == FASTSQS for alias in aliases_of(each))
        ]
        return found

    def _read_imports(self) -> None:
        for statement in self._statements():
            self._result.concerned = True
            if not isinstance(statement, cst.ImportFrom) or module_of(statement) != FASTSQS:
                self._leave(statement, "imports otherwise than by `from fastsqs import ...`. It is changed by hand.")
                continue
            for alias in aliases_of(statement):
                name = dotted(alias.name)
                if name not in ("FastSQS", "SQSEvent") or local_name(alias) != name:
                    instead = INSTEAD.get(name, "decide by hand")
                    self._leave(alias, f"imports {name}, which has no counterpart of its name. Instead: {instead}.")
            line = self._tree.parent(statement)
            is_one = self._statement is None and self._is_top_level(statement) and bool(aliases_of(statement))
            if is_one and isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1:
                self._statement = line
            else:
                self._leave(statement, "is not the one import of fastsqs, in a line of its own at the top.")

    def _read_app(self) -> None:
        for use in self._tree.uses("FastSQS"):
            call = self._tree.parent(use.node)
            assign = self._tree.parent(call) if call is not None else None
            line = self._tree.parent(assign) if assign is not None else None
            if (
                self._app is None
                and use.kind == "call"
                and isinstance(call, cst.Call)
                and isinstance(assign, cst.Assign)
                and isinstance(line, cst.SimpleStatementLine)
                and len(line.body) == len(assign.targets) == 1
                and isinstance(assign.targets[0].target, cst.Name)
                and self._is_top_level(assign)
            ):
                self._app, self._name = line, assign.targets[0].target.value
                for argument in call.args:
                    self._read_option(argument)
            else:
                self._leave(use.node, "uses FastSQS otherwise than once, as `app = FastSQS(...)`.")
        if self._app is None and not self._result.left:
            self._result.left.append(Finding(0, "makes no app here. Its models and routes go over with the app."))

    def _read_option(self, argument: cst.Arg) -> None:
        name = argument.keyword.value if argument.keyword else ""
        value = argument.value
        text = text_of(value) if isinstance(value, cst.SimpleString) else None
        if name == "discriminator" and text and "." not in text:
            self._key = text
        elif name == "max_concurrent_messages" and isinstance(value, cst.Integer):
            self._concurrency = value.evaluated_value
        elif self._tree.module.code_for_node(value).replace("'", '"') != DEFAULTS.get(name):
            self._leave(argument, f"FastSQS({name}=...) is changed by hand.")

    def _read_routes(self) -> None:
        kinds: set[str] = set()
        for use in self._tree.uses(self._name) if self._name else ():
            if use.kind == "attribute route":
                route = self._route(use.node)
                if route is None or route.kind in kinds:
                    self._leave(
                        use.node,
                        f"is a route otherwise than @{self._name}.route(Model), once a model, over a function of the "
                        "module that takes msg, or nothing.",
                    )
                else:
                    kinds.add(route.kind)
                    self._routes.append(route)
        self._routes.sort(key=lambda route: self._tree.line(route.function))

    def _route(self, node: cst.CSTNode) -> Route | None:
        call = self._tree.parent(self._tree.parent(node) or node)
        decorator = self._tree.parent(call) if call is not None else None
        function = self._tree.parent(decorator) if decorator is not None else None
        if not (
            isinstance(call, cst.Call)
            and isinstance(decorator, cst.Decorator)
            and isinstance(function, cst.FunctionDef)
            and len(function.decorators) == len(call.args) == 1
            and call.args[0].keyword is None
            and isinstance(call.args[0].value, cst.Name)
            and self._is_top_level(function)
            and self._takes_message(function)
        ):
            return None
        model = call.args[0].value.value
        kind = next((self._kind_of(each) for each in self._models() if each.name.value == model), None)
        return None if kind is None else Route(function, model, kind)

    def _takes_message(self, function: cst.FunctionDef) -> bool:
        params = function.params
        names = [each.name.value for each in params.params]
        others = (
            params.kwonly_params,
            params.posonly_params,
            params.star_kwarg,
            isinstance(params.star_arg, cst.Param),
        )
        return names in ([], ["msg"]) and not any(others)

    def _models(self) -> list[cst.ClassDef]:
        return [
            each
            for each in self._tree.of(cst.ClassDef)
            if self._is_top_level(each) and [dotted(base.value) for base in each.bases] == ["SQSEvent"]
        ]

    def _kind_of(self, model: cst.ClassDef) -> str | None:
        """Return what the key of a message says that is for a model; None where that is not plain."""
        for node in self._tree.of(cst.Assign):
            if [dotted(each.target) for each in node.targets] == ["__message_type__"] and any(
                whole is model for whole, _ in self._tree.around(node)
            ):
                return text_of(node.value) if isinstance(node.value, cst.SimpleString) else None
        return re.sub(r"(?<!^)(?=[A-Z])", "_", model.name.value).lower()

    def _read_models(self) -> None:
        plain = {id(each) for each in self._models()}
        for use in self._tree.uses("SQSEvent"):
            around = [whole for whole, _ in self._tree.around(use.node) if isinstance(whole, cst.ClassDef)]
            if use.kind == "base" and not (around and id(around[0]) in plain):
                self._leave(use.node, "is a model that has more bases, or stands inside of something.")

    def _read_uses(self) -> None:
        for use in self._tree.uses(self._name) if self._name else ():
            attribute = self._tree.parent(use.node)
            whole = self._tree.parent(attribute) if attribute is not None else None
            is_call = isinstance(whole, cst.Call) and whole.func is attribute and self._is_plain(whole)
            is_name = isinstance(whole, cst.Assign) and self._is_top_level(whole) and len(whole.targets) == 1
            is_definition = self._app is not None and self._tree.line(use.node) == self._tree.line(self._app)
            if use.kind == "attribute handler" and not (is_call or is_name):
                self._leave(use.node, f"uses {self._name}.handler otherwise than {self._name}.handler(event, context).")
            elif not is_definition and use.kind not in ("attribute handler", "attribute route"):
                self._leave(use.node, f"uses {self._name} for more than routes and its handler. It is changed by hand.")

    def _is_plain(self, call: cst.Call) -> bool:
        return len(call.args) == 2 and all(each.keyword is None and not each.star for each in call.args)

    def _is_top_level(self, node: cst.CSTNode) -> bool:
        return all(isinstance(whole, (cst.Module, cst.SimpleStatementLine)) for whole, _ in self._tree.around(node))

    def _leave(self, node: cst.CSTNode, text: str) -> None:
        self._result.left.append(Finding(self._tree.line(node), text))

    # -- The changed program.

    def _rewritten(self) -> cst.Module:
        handler = ["async def record_handler(record: SQSRecord):", "    body = record.json_body"]
        handler.append(f"    kind = body[{_quoted(self._key)}]")
        for route in self._routes:
            handler += [f"    if kind == {_quoted(route.kind)}:", *(f"        {line}" for line in route.lines())]
        handler.append('    raise ValueError(f"There is no handler for messages of the type {kind!r}.")')
        rewriting = _Rewriting(self._name, self._app, self._statement, [each.function for each in self._routes])
        rewriting.base_goes_before = self._models()[0]
        rewriting.processor = self._parsed(PROCESSOR.format(self._concurrency))
        rewriting.imports = self._parsed(IMPORTS)
        rewriting.base = self._parsed(BASE)
        rewriting.handler = self._parsed("\n".join(handler))
        return self._tree.module.visit(rewriting)

    def _parsed(self, text: str) -> list[cst.SimpleStatementLine | cst.BaseCompoundStatement]:
        """Return statements that are indented as the program is. Their lines end as those around them do."""
        indented = text.replace("    ", self._tree.module.default_indent)
        return list(cst.parse_module(indented).body)


def _quoted(text: str) -> str:
    """Return a literal of a text, in double quotes where it can be."""
    return repr(text) if "\\" in repr(text) or '"' in text else f'"{text}"'


_TWO_LINES = (cst.EmptyLine(indent=False), cst.EmptyLine(indent=False))


class _Rewriting(cst.CSTTransformer):
    """Puts the parts of a processor in the places of the parts of an app."""

    def __init__(
        self, name: str, app: cst.CSTNode | None, statement: cst.CSTNode | None, routes: list[cst.FunctionDef]
    ) -> None:
        super().__init__()
        self._name, self._app, self._statement, self._routes = name, app, statement, routes
        self.base_goes_before: cst.CSTNode | None = None
        self.imports: Sequence[cst.SimpleStatementLine | cst.BaseCompoundStatement] = ()
        self.base: Sequence[cst.SimpleStatementLine | cst.BaseCompoundStatement] = ()
        self.processor: Sequence[cst.SimpleStatementLine | cst.BaseCompoundStatement] = ()
        self.handler: Sequence[cst.SimpleStatementLine | cst.BaseCompoundStatement] = ()

    def leave_SimpleStatementLine(  # noqa: N802 - libcst calls it so
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        """Change the line of the import, of the app, and one that names its handler."""
        if original_node is self._statement:
            first, *others = self.imports
            return cst.FlattenSentinel([first.with_changes(leading_lines=updated_node.leading_lines), *others])
        if original_node is self._app:
            first, last = self.processor
            missing = _TWO_LINES[: max(0, 2 - len(updated_node.leading_lines))]
            first = first.with_changes(leading_lines=[*missing, *updated_node.leading_lines])
            return cst.FlattenSentinel([first, last.with_changes(trailing_whitespace=updated_node.trailing_whitespace)])
        statement = updated_node.body[0]
        if isinstance(statement, cst.Assign) and dotted(statement.value) == f"{self._name}.handler":
            name = dotted(statement.targets[0].target)
            function = cst.parse_statement(
                f"def {name}(event, context):\n    return {_CALL.format('event', 'context')}\n"
            )
            return _after_two_lines(function)
        return updated_node

    def leave_FunctionDef(  # noqa: N802 - libcst calls it so
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        """Take the route off a function; after the last of them comes the handler of all records."""
        if original_node not in self._routes:
            return updated_node
        lines = [*updated_node.leading_lines, *updated_node.lines_after_decorators]
        plain = updated_node.with_changes(decorators=(), leading_lines=lines, lines_after_decorators=())
        if original_node is not self._routes[-1]:
            return plain
        return cst.FlattenSentinel([plain, _after_two_lines(self.handler[0])])

    def leave_ClassDef(  # noqa: N802 - libcst calls it so
        self, original_node: cst.ClassDef, updated_node: cst.ClassDef
    ) -> cst.BaseStatement | cst.FlattenSentinel[cst.BaseStatement]:
        """Put the base of all models before the first."""
        if original_node is not self.base_goes_before:
            return updated_node
        return cst.FlattenSentinel([_after_two_lines(self.base[0]), updated_node])

    def leave_Call(  # noqa: N802 - libcst calls it so
        self, original_node: cst.Call, updated_node: cst.Call
    ) -> cst.BaseExpression:
        """Call the processor where the app's handler was called."""
        if dotted(original_node.func) != f"{self._name}.handler":
            return updated_node
        event, context = (cst.Module([]).code_for_node(each.value) for each in updated_node.args)
        return cst.parse_expression(_CALL.format(event, context))


def _after_two_lines(statement: cst.BaseStatement | cst.BaseCompoundStatement) -> cst.BaseStatement:
    return statement.with_changes(leading_lines=_TWO_LINES)
