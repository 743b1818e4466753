"""Every example of the reference page has a program here, and every program a test: see ``rows.json``."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "rows.json").read_text())

OF_OUR_OWN = (
    "brokers",
    "envelopes",
    "firehose",
    "kafka",
    "observers",
    "orders",
    "ordering",
    "pipes",
    "s3batch",
    "windows",
    "write_a_source",
)
"""Folders of programs that the reference page has nothing like."""

_OWN = ("activemq", "envelopes", "firehose", "pipes", "rabbitmq", "s3batch")
TEMPLATES_OF_OUR_OWN = {f"sam/{name}.yaml" for name in _OWN}

# The examples that the reference page includes, by the names it gives them.
PAGE = {
    "advanced_accessing_lambda_context",
    "advanced_accessing_lambda_context_decorator",
    "advanced_accessing_lambda_context_manager",
    "context_manager_access",
    "context_manager_access_output_pydantic",
    "custom_partial_processor",
    "disable_tracing",
    "extending_processor_handlers",
    "getting_started_async",
    "getting_started_dynamodb",
    "getting_started_dynamodb_context_manager",
    "getting_started_dynamodb_decorator",
    "getting_started_error_handling",
    "getting_started_kinesis",
    "getting_started_kinesis_context_manager",
    "getting_started_kinesis_decorator",
    "getting_started_sqs",
    "getting_started_sqs_context_manager",
    "getting_started_sqs_decorator",
    "getting_started_sqs_fifo",
    "getting_started_sqs_fifo_context_manager",
    "getting_started_sqs_fifo_decorator",
    "getting_started_sqs_fifo_skip_on_error",
    "getting_started_with_test",
    "getting_started_with_test_app",
    "integrate_idempotency_with_batch_processor",
    "pydantic_dynamodb",
    "pydantic_kinesis",
    "pydantic_sqs",
    "sam/dynamodb_batch_processing",
    "sam/kinesis_batch_processing",
    "sam/sqs_batch_processing",
    "sentry_error_tracking",
    "working_with_entire_batch_fail",
}


def test_every_example_of_the_page_has_one_row() -> None:
    assert sorted(row["page"] for row in ROWS) == sorted(PAGE)


def test_every_program_stands_in_the_table_once() -> None:
    programs = [path for pattern in ("*/*.py", "sam/*.yaml") for path in EXAMPLES.glob(pattern)]
    expected = [str(path.relative_to(EXAMPLES)) for path in programs if path.parent.name not in OF_OUR_OWN]
    assert sorted(row["program"] for row in ROWS) == sorted({*expected} - TEMPLATES_OF_OUR_OWN)


@pytest.mark.parametrize("row", ROWS, ids=[row["page"] for row in ROWS])
def test_row_names_tests_that_exist_and_run_its_program(row: dict[str, Any]) -> None:
    assert row["tests"]
    texts = []
    for test in row["tests"]:
        path, _, name = test.partition("::")
        texts.append((ROOT / path).read_text())
        functions = {node.name for node in ast.walk(ast.parse(texts[-1])) if isinstance(node, ast.FunctionDef)}
        assert name in functions
    folder, _, file = row["program"].partition("/")
    stem = file.partition(".")[0]
    # Named as a whole, or by its folder and a stem with the way of calling left open ("sqs_fifo{way}.py").
    ways = [stem.removesuffix(way) for way in ("_context_manager", "_decorator")]
    named = [
        row["program"],
        f'"{stem}"',
        f"{folder}/{{way}}.py",
        *(f"{folder}/{way}{{way}}.py" for way in {stem, *ways}),
    ]
    assert any(name in text for name in named for text in texts) or folder == "testing"


def test_readme_of_the_examples_names_every_program() -> None:
    readme = (EXAMPLES / "README.md").read_text()
    assert [row["program"] for row in ROWS if f"]({row['program']})" not in readme] == []
