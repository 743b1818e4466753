"""Whatever a program looks like: a second run changes nothing, and what is no import of the batch utility stays."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import aws_lambda_powertools
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcore_local.migrate import tables
from batchcore_local.migrate.driver import parse
from batchcore_local.migrate.powertools import study

Draw = Any
LOGGER = "from aws_lambda_powertools import Logger"
OTHER = [
    "x = 1",
    "",
    "# a comment: from aws_lambda_powertools.utilities.batch import EventType",
    "def f(record: SQSRecord, *, y: 'DynamoDBRecord | None' = None): return record",
    "class A:\n    def failure_handler(self, record: KinesisStreamRecord): ...",
    "if x:\n    pass\nelse:\n    y = '''\n    text\n'''",
    LOGGER,
    "import os; import sys",
    "print(EventType.SQS)",
    "z = 'é λ'",
    "try:\n    import orjson\nexcept ImportError:\n    orjson = None",
    "async def g():\n\tasync with h() as i:\n\t\tawait i",
]
WRAPPERS = ["{}", "def function():\n    {}", "if TYPE_CHECKING:\n    {}", "if x: {}", "import os; {}", "{}; y = 2"]
RISKY = ["try:\n    {}\nexcept ImportError:\n    pass"]
CLASSES = {module: names for module, names in {**tables.RECORDS, **tables.PARSER_MODELS}.items() if names}


@st.composite
def imports(draw: Draw, wrappers: list[str] = WRAPPERS) -> str:
    """Draw a statement that imports names of Powertools, in some form and some place."""
    module, names = draw(
        st.sampled_from(
            [(tables.BATCH, tables.BATCH_NAMES), (f"{tables.BATCH}.base", tables.BATCH_NAMES), *CLASSES.items()]
        )
    )
    chosen = draw(
        st.lists(
            st.sampled_from([*names, "SQSEvent"] if "data_classes" in module else list(names)),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    aliases = [f"{name} as {name}{draw(st.sampled_from('12'))}" if draw(st.booleans()) else name for name in chosen]
    comments = st.sampled_from(["", "  # noqa: F401", "  # why"])
    wrapper = draw(st.sampled_from(wrappers))
    form = draw(st.sampled_from(["row", "brackets", "column"]))
    if form == "column":
        indent = "    " if wrapper.startswith(("def", "if TYPE", "try")) else ""
        lines = "".join(f"{indent}    {alias},{draw(comments)}\n" for alias in aliases)
        listed = f"({draw(comments)}\n{lines}{indent})"
    else:
        listed = ", ".join(aliases)
        listed = f"({listed})" if form == "brackets" else listed
    statement = f"from {module} import {listed}"
    return wrapper.format(statement) + (draw(comments) if wrapper == "{}" else "")


@st.composite
def programs(draw: Draw, pieces: Any) -> bytes:
    """Draw a program, with some line ends, some encoding and perhaps no end of its last line."""
    text = "\n".join(draw(st.lists(pieces, min_size=1, max_size=6))) + draw(st.sampled_from(["\n", ""]))
    text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    coding = draw(st.sampled_from(["utf-8", "utf-8-sig", "latin-1"]))
    if coding == "latin-1":
        text = "# -*- coding: latin-1 -*-\n" + text.replace("λ", "l")
    return text.encode(coding)


def new_of(old: bytes) -> bytes:
    found = study(parse(old))
    new: bytes = old if found.rewrite is None else found.rewrite().bytes
    return new


def bound(data: bytes) -> list[str]:
    """Return the names that the imports of a program bind."""
    found = [node for node in ast.walk(ast.parse(data)) if isinstance(node, (ast.Import, ast.ImportFrom))]
    return sorted((alias.asname or alias.name).partition(".")[0] for node in found for alias in node.names)


def without_imports(data: bytes) -> str:
    """Return a program without its imports from what may change, as Python reads it."""

    class Without(ast.NodeTransformer):
        def visit_ImportFrom(self, node: ast.ImportFrom) -> Any:
            return None if re.match("aws_lambda_powertools.utilities|batchcore", node.module or "") else node

    return ast.dump(Without().visit(ast.parse(data)))


def comments_in(data: bytes) -> set[bytes]:
    return set(re.findall(rb"# \w+", data))


@settings(max_examples=150, deadline=None)
@given(programs(imports() | st.sampled_from(OTHER)))
def test_a_second_run_changes_nothing(old: bytes) -> None:
    once = new_of(old)
    assert new_of(once) == once
    assert study(parse(once)).left == study(parse(old)).left


@settings(max_examples=150, deadline=None)
@given(programs(imports() | st.sampled_from(OTHER)))
def test_a_changed_program_has_the_names_and_all_else_that_it_had(old: bytes) -> None:
    new = new_of(old)
    assert bound(new) == bound(old)
    assert without_imports(new) == without_imports(old)
    assert comments_in(new) == comments_in(old)
    lines = set(new.splitlines())
    kept = [
        line
        for line in old.splitlines()
        if b"import" not in line and not line.strip(b" ()").endswith((b",", b"", b"why", b"F401"))
    ]
    assert [line for line in kept if line not in lines] == []


@settings(max_examples=100, deadline=None)
@given(programs(st.sampled_from(OTHER) | imports(RISKY)))
def test_a_program_with_a_risky_import_of_the_batch_utility_stays_byte_by_byte(old: bytes) -> None:
    assert new_of(old) == old


@settings(max_examples=100, deadline=None)
@given(programs(st.sampled_from(OTHER)))
def test_a_program_without_the_batch_utility_stays_byte_by_byte(old: bytes) -> None:
    found = study(parse(old))
    assert (found.rewrite, found.left) == (None, [])


def test_powertools_itself_but_for_its_batch_utility_stays_byte_by_byte() -> None:
    root = Path(aws_lambda_powertools.__file__).parent
    files = [path for path in sorted(root.rglob("*.py")) if "batch" not in path.parts]
    studied = 0
    for path in files:
        data = path.read_bytes()
        if b"aws_lambda_powertools" in data and len(data) < 4_000:
            module = parse(data)
            assert module.bytes == data
            assert study(module).rewrite is None, path
            studied += 1
    assert studied > 50
