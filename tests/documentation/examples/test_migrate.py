"""What Powertools' documentation shows goes over by the command: each example, with its imports, becomes ours.

``test_twins.py`` shows that both then do the same.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

pytest.importorskip("libcst")

from batchcore_local.migrate.driver import parse
from batchcore_local.migrate.powertools import study

from .test_twins import BATCHES, ELSEWHERE, EXAMPLES

STAY = {"LambdaContext": "aws_lambda_powertools.utilities.typing"}
"""What has a place of its own in Powertools, beside its batch utility."""


def imports_of(source: str) -> set[tuple[str | None, str, str | None]]:
    found = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom))
    return {(STAY.get(alias.name, node.module), alias.name, alias.asname) for node in found for alias in node.names}


def rest_of(source: str) -> list[str]:
    return [ast.dump(node) for node in ast.parse(source).body if not isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize("program", sorted(BATCHES.keys() | ELSEWHERE))
def test_an_example_goes_over_to_what_it_is_here(changed_imports: Callable[[str], str], program: str) -> None:
    source = (EXAMPLES / program).read_text()
    found = study(parse(changed_imports(source).encode()))
    assert found.left == []
    assert found.rewrite is not None
    new = found.rewrite().code
    assert imports_of(new) == imports_of(source)
    assert rest_of(new) == rest_of(source)
