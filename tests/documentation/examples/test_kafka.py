"""The program that reads a compacted topic of Kafka: what it prints, and what it keeps."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchcore import BatchProcessingError
from batchcore_testing import make_event

ROOT = Path(__file__).parents[3]
PROGRAM = "kafka/app.py"


def test_it_prints_what_the_page_shows() -> None:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / PROGRAM)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    page = (ROOT / "docs" / "kafka.md").read_text(encoding="utf-8")
    assert f"```text\n{printed.rstrip()}\n```" in page


def test_a_tombstone_takes_an_article_away(load: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    program = load(PROGRAM).module
    program.not_ready.clear()
    event = make_event("kafka", {"cents": 5}, None, {"cents": 7}, sent={"key": "fig"})
    assert program.lambda_handler(event, None) == {"batchItemFailures": []}
    assert program.PRICES == {"fig": 7}
    program.lambda_handler(make_event("kafka", None, sent={"key": "fig"}), None)
    assert program.PRICES == {}
    assert capsys.readouterr().out.count("is gone") == 2


def test_a_record_without_a_key_fails(load: Callable[[str], Any]) -> None:
    program = load(PROGRAM).module
    with pytest.raises(BatchProcessingError, match="has a key"):
        program.lambda_handler(make_event("kafka", {"cents": 5}), None)
