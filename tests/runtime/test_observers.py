"""Metrics and log context inside AWS's own runtime client, in both of its log formats, switched on by name alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .events import failed, sqs_event

if TYPE_CHECKING:
    from .conftest import StartFunction

EVENT = sqs_event(a={"does": "work"}, b={"does": "fail"})
FORMATS = ["Text", "JSON"]
FIELDS = ("batch_source", "item_identifier", "delivery_attempt")


def objects_in(output: str) -> list[dict[str, Any]]:
    """Give the lines that are JSON objects as a whole. CloudWatch reads a metric out of no other line."""
    lines = [line for line in output.splitlines() if line.startswith("{") and line.endswith("}")]
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("log_format", FORMATS)
def test_the_metrics_of_a_batch_are_a_line_by_itself_in_either_log_format(
    start: StartFunction, log_format: str
) -> None:
    function = start(
        "observed.lambda_handler",
        BATCHCORE_PLUGINS="emf",
        BATCHCORE_EMF_NAMESPACE="Shop",
        AWS_LAMBDA_LOG_FORMAT=log_format,
    )
    for number in (1, 2):
        assert function.invoke(EVENT) == failed("b")
        lines = [line for line in objects_in(function.output) if "_aws" in line]
        assert len(lines) == number
    (directive,) = lines[0]["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Shop"
    assert directive["Dimensions"] == [["function_name"]]
    assert (lines[0]["RecordsSucceeded"], lines[0]["RecordsFailed"]) == (1, 1)
    assert 0 < lines[0]["TimeLeft"] <= 30_000
    assert lines[0]["aws_request_id"] != lines[1]["aws_request_id"]
    # What the client wraps lines of the log in, it does not wrap this one in.
    assert not {"timestamp", "level", "message", "requestId"} & lines[0].keys()


def test_lines_in_the_json_log_format_have_the_fields_of_their_record(start: StartFunction) -> None:
    function = start("observed.lambda_handler", BATCHCORE_PLUGINS="logs", AWS_LAMBDA_LOG_FORMAT="JSON")
    assert function.invoke(EVENT) == failed("b")

    outside, first, second, failure = objects_in(function.output)
    assert not set(FIELDS) & outside.keys()
    for line, identifier in ((first, "a"), (second, "b"), (failure, "b")):
        assert [line[name] for name in FIELDS] == ["sqs", identifier, 1]
        assert line["requestId"] == outside["requestId"]
    assert first["logger"] == "shop.orders"
    assert failure["logger"] == "batchcore"


def test_the_text_log_format_writes_no_field(start: StartFunction) -> None:
    function = start("observed.lambda_handler", BATCHCORE_PLUGINS="logs", AWS_LAMBDA_LOG_FORMAT="Text")
    assert function.invoke(EVENT) == failed("b")

    assert "shipping a" in function.output
    assert "item_identifier" not in function.output
