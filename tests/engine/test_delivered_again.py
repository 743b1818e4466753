"""Which records AWS delivers again, given the response."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import BatchProcessor, BatchResult


def event(source: str, *bodies: str) -> dict[str, Any]:
    """Make an event of one record per body, each with what its source is identified by."""
    shapes = {
        "sqs": lambda i, body: {"messageId": str(i), "body": body, "eventSource": "aws:sqs"},
        "kinesis": lambda i, body: {"kinesis": {"sequenceNumber": str(i), "data": body}, "eventSource": "aws:kinesis"},
        "dynamodb": lambda i, body: {"dynamodb": {"SequenceNumber": str(i)}, "it": body, "eventSource": "aws:dynamodb"},
    }
    return {"Records": [shapes[source](position, body) for position, body in enumerate(bodies)]}


def result_of(source: str, *bodies: str) -> BatchResult:
    def handler(record: Any) -> None:
        if "bad" in repr(record.raw_event):
            raise ValueError(record)

    return BatchProcessor(source, raise_on_entire_batch_failure=False).run(event(source, *bodies), handler)


@pytest.mark.parametrize("source", ["kinesis", "dynamodb"])
def test_on_a_stream_everything_from_the_lowest_failure_on_comes_again(source: str) -> None:
    result = result_of(source, "a", "bad", "c", "bad", "e")
    assert [outcome.position for outcome in result.failures] == [1, 3]
    assert [(outcome.position, outcome.status) for outcome in result.delivered_again] == [
        (1, "failed"),
        (2, "succeeded"),
        (3, "failed"),
        (4, "succeeded"),
    ]


def test_on_a_queue_what_failed_comes_again_and_nothing_else() -> None:
    result = result_of("sqs", "a", "bad", "c", "bad", "e")
    assert [outcome.position for outcome in result.delivered_again] == [1, 3]


@pytest.mark.parametrize("source", ["sqs", "kinesis", "dynamodb"])
def test_after_a_batch_without_failures_nothing_comes_again(source: str) -> None:
    assert result_of(source, "a", "b").delivered_again == []
