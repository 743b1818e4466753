"""The program that keeps a total per tumbling window: what it prints, and what it writes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PROGRAM = "windows/totals.py"
START = "2026-10-01T07:04:00Z"


@pytest.fixture
def program(load: Callable[[str], Any]) -> Any:
    module = load(PROGRAM).module
    module.not_ready.clear()
    return module


def windowed(*records: Any, **fields: Any) -> dict[str, Any]:
    event = {"Records": list(records), "window": {"start": START}, "state": {}, "shardId": "s"}
    return {**event, "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/orders", **fields}


def test_it_prints_what_the_page_shows() -> None:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / PROGRAM)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    page = (ROOT / "docs" / "windows.md").read_text(encoding="utf-8")
    assert f"```text\n{printed.rstrip()}\n```" in page


def test_it_writes_when_the_window_ends_and_not_before(program: Any) -> None:
    event = windowed(program.record_of(1, "ann", 2))
    program.lambda_handler(event, None)
    assert program.TABLE == {}
    program.lambda_handler({**event, "isFinalInvokeForWindow": True}, None)
    assert program.TABLE == {("s", START, "1"): {"ann": 2}}


def test_last_call_that_comes_again_writes_over_what_it_wrote(program: Any) -> None:
    program.not_ready.add(2)
    records = [program.record_of(number, "ann", 2) for number in (1, 2)]
    response = program.lambda_handler(windowed(*records, isFinalInvokeForWindow=True), None)
    assert response["batchItemFailures"] == [{"itemIdentifier": "2"}]
    program.lambda_handler(windowed(records[1], state=response["state"], isFinalInvokeForWindow=True), None)
    assert program.TABLE == {("s", START, "1"): {"ann": 4}}


def test_window_that_grew_too_large_is_written_in_parts(program: Any) -> None:
    program.lambda_handler(windowed(program.record_of(1, "ann", 2), isWindowTerminatedEarly=True), None)
    program.lambda_handler(windowed(program.record_of(2, "ann", 3), isFinalInvokeForWindow=True), None)
    assert program.TABLE == {("s", START, "1"): {"ann": 2}, ("s", START, "2"): {"ann": 3}}
