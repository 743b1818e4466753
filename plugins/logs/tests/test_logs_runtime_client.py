"""The formatter of AWS's runtime client for the JSON log format: what it writes of a line, and which names it drops."""

from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from batchcore import BatchProcessor
from batchcore_logs import LogContext, bind
from batchcore_testing import make_event

client = pytest.importorskip("awslambdaric.lambda_runtime_log_utils")


def lines_of(handler: Any, plugin: LogContext, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    stream, log = io.StringIO(), logging.getLogger("orders")
    sink = logging.StreamHandler(stream)
    sink.terminator = ""
    sink.setFormatter(client.JsonFormatter())
    monkeypatch.setattr(log, "handlers", [sink])
    log.setLevel(logging.INFO)
    BatchProcessor("sqs", plugins=[plugin]).run(make_event("sqs", 1), lambda record: handler(log))
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_the_fields_are_keys_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = lines_of(lambda log: (log.info("a line"), log.info({"a": 1})), LogContext(describe=True), monkeypatch)

    for line, message in zip(lines, ["a line", {"a": 1}], strict=True):
        assert line["message"] == message
        assert line["batch_source"] == "sqs"
        assert line["delivery_attempt"] == 1
        assert line["item_identifier"]
        assert line["record_description"]["queue"]


@pytest.mark.parametrize(
    "name", ["timestamp", "level", "logger", "errorType", "errorMessage", "stackTrace", "requestId", "location"]
)
def test_names_that_it_keeps_for_itself_vanish(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def handler(log: logging.Logger) -> None:
        bind(**{name: "mine", "kept": 1})
        log.info("a line")

    (line,) = lines_of(handler, LogContext(), monkeypatch)

    assert line["kept"] == 1
    assert line.get(name) != "mine"
