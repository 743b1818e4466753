"""Tests come to their end where pydantic is not installed, as on Python 3.15: those of models are skipped."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from .files import ROOT, kept_files

TESTS = [path for path in sorted(kept_files()) if re.fullmatch(r"test_.*\.py", path.name) and "tests" in path.parts]
WITH_PYDANTIC = re.compile(r"pydantic|batchcore_\w+\.models")


def unasked(tree: ast.Module) -> Iterator[str]:
    """Name what a module imports of pydantic, or of what needs it, before it has asked whether it is there."""
    for statement in tree.body:
        if isinstance(statement, (ast.Expr, ast.Assign)) and "importorskip('pydantic')" in ast.unparse(statement):
            return
        names = [alias.name for alias in statement.names] if isinstance(statement, ast.Import) else []
        names += [str(statement.module)] if isinstance(statement, ast.ImportFrom) else []
        yield from (name for name in names if WITH_PYDANTIC.match(name))


def test_no_test_module_needs_pydantic_to_be_imported() -> None:
    found = {str(path.relative_to(ROOT)): [*unasked(ast.parse(path.read_text(encoding="utf-8")))] for path in TESTS}

    assert len(found) > 100
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import pydantic", ["pydantic"]),
        ("from pydantic import BaseModel", ["pydantic"]),
        ("from batchcore_sqs.models import SqsRecordModel", ["batchcore_sqs.models"]),
        ("import pydantic\npytest.importorskip('pydantic')", ["pydantic"]),
        ("pydantic = pytest.importorskip('pydantic')\nfrom pydantic import BaseModel", []),
        ("def test():\n    pytest.importorskip('pydantic')\n    import pydantic", []),
        ("def test():\n    pytest.importorskip('pydantic')\nimport pydantic", ["pydantic"]),
        ("from batchcore_sqs import SQSRecord", []),
    ],
)
def test_what_is_imported_before_it_is_asked_for_is_found(source: str, names: list[str]) -> None:
    assert [*unasked(ast.parse(source))] == names
