"""The table of headings is complete, and what it names is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from .page import ROOT

PAGE = ROOT / "docs" / "headings.md"
ROWS = re.findall(r"^\| (.+?) \| (\[.+?\]\(\S+\)) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)

# The headings of the page that documents the batch utility of Powertools, in its order.
HEADINGS = [
    "Key features",
    "Background",
    "Getting started",
    "Required resources",
    "Processing messages from SQS",
    "FIFO queues",
    "Processing messages from Kinesis",
    "Processing messages from DynamoDB",
    "Error handling",
    "Partial failure mechanics",
    "SQS Standard",
    "SQS FIFO",
    "Kinesis and DynamoDB Streams",
    "Processing messages asynchronously",
    "Advanced",
    "Pydantic integration",
    "Accessing processed messages",
    "Accessing Lambda Context",
    "Extending BatchProcessor",
    "Create your own partial processor",
    "Caveats",
    "Tracer response auto-capture for large batch sizes",
    "Testing your code",
    "FAQ",
    "Choosing between method and context manager",
    "What's the difference between the decorator and process_partial_response functions?",
    "Integrating exception handling with Sentry.io",
]


def named_in(cell: str) -> set[str]:
    """Give the tests that a row names, as pytest does, without their parameters."""
    links = re.findall(r"\[`(\w+)`\]\(([^)]+)\)", cell)
    return {f"{(PAGE.parent / path).resolve().relative_to(ROOT).as_posix()}::{name}" for name, path in links}


def test_every_heading_of_the_page_has_a_row() -> None:
    assert [heading for heading, _, _ in ROWS] == HEADINGS


def test_every_row_names_a_section_and_tests() -> None:
    assert [heading for heading, section, cell in ROWS if ".md" not in section or not named_in(cell)] == []


def test_every_test_that_is_named_is_collected() -> None:
    pytest.importorskip("pydantic")  # without it, those of models are not
    named = {test for _, _, cell in ROWS for test in named_in(cell)}
    files = sorted({test.partition("::")[0] for test in named})
    assert [file for file in files if not Path(ROOT, file).exists()] == []
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert result.returncode == 0, result.stdout
    collected = {line.partition("[")[0] for line in result.stdout.splitlines() if "::" in line}
    assert named - collected == set()
