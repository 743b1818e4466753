"""A function inside AWS's own runtime client, with a collector on this machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batchcore_testing import make_event
from tests.runtime.function import LambdaFunction

Fixture = Any
FOLDER = Path(__file__).parent / "functions"


@pytest.fixture
def start(receiver: Fixture) -> Iterator[Callable[..., LambdaFunction]]:
    """Start the function, and end it after the test."""
    pytest.importorskip("awslambdaric")
    pytest.importorskip("opentelemetry.exporter.otlp.proto.http")
    started: list[LambdaFunction] = []

    def start(**environment: str) -> LambdaFunction:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "BATCHCORE_"))}
        environment = {
            "_HANDLER": "traced.lambda_handler",
            "BATCHCORE_PLUGINS": "otel",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            **environment,
        }
        function = LambdaFunction("traced.lambda_handler", FOLDER, sys.executable, environment, clean)
        started.append(function)
        return function

    yield start
    for function in started:
        function.close()


def failing_second() -> tuple[dict[str, Any], dict[str, Any]]:
    """Give an event, and the response to it."""
    event = make_event("sqs", "[]", "no JSON")
    return event, {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}


def test_spans_and_metrics_have_come_before_the_response(receiver: Fixture, start: Fixture) -> None:
    event, expected = failing_second()
    function = start(BATCHCORE_OTEL_FLUSH_TIMEOUT="20")
    assert function.invoke(event) == expected
    assert [span.name for span in receiver.spans] == ["process orders"] * 3
    assert {"messaging.process.duration", "batchcore.batch.time_left"} <= receiver.metric_names
    assert function.invoke(event) == expected
    assert len(receiver.spans) == 6


def test_beside_the_instrumentation_no_span_comes_twice(receiver: Fixture, start: Fixture) -> None:
    event, expected = failing_second()
    function = start(INSTRUMENTED="1", BATCHCORE_OTEL_FLUSH_TIMEOUT="0")
    assert function.invoke(event) == expected  # and it sends them, after its own
    names = {span.span_id: span.name for span in receiver.spans}
    assert sorted(names.values()) == ["process orders"] * 3 + ["under-test"]
    parents = sorted(names.get(span.parent_span_id, "") for span in receiver.spans)
    assert parents == ["", "process orders", "process orders", "under-test"]


def test_a_collector_that_is_down_changes_no_response(start: Fixture) -> None:
    event, expected = failing_second()
    function = start(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", BATCHCORE_OTEL_FLUSH_TIMEOUT="0.2")
    for _ in range(2):
        started = time.monotonic()
        assert function.invoke(event) == expected
        assert time.monotonic() - started < 5
    assert "had not been sent after 0.2 s" in function.output
