"""Sentry that is down, slow or refuses: outcomes and response are the same, and what is added is bounded."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
import sentry_sdk

from batchcore import AsyncBatchProcessor, BatchProcessor
from batchcore_sentry import SentryObserver
from batchcore_sqs import SQSRecord
from batchcore_testing import make_event

PATIENCE_S = 60.0
MARGIN_S = 5.0
"""What a busy machine may add to a limit."""


class Context:
    def __init__(self, left_s: float = 300.0) -> None:
        self.ends_at = time.monotonic() + left_s

    def get_remaining_time_in_millis(self) -> int:
        return round(max(0.0, self.ends_at - time.monotonic()) * 1000)


def fails_on_b(record: SQSRecord) -> None:
    if record.body == "b":
        raise ValueError("no such order")


def answered(context: Any = None, kind: Any = BatchProcessor, **options: Any) -> float:
    """Run a batch, check its response, and give the seconds that it took."""
    event = make_event("sqs", *"abc")
    processor = kind("sqs", plugins=[SentryObserver(**options)])
    start = time.perf_counter()
    result = processor.run(event, fails_on_b, context)
    took = time.perf_counter() - start
    assert result.response == {"batchItemFailures": [{"itemIdentifier": event["Records"][1]["messageId"]}]}
    return took


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("kind", [BatchProcessor, AsyncBatchProcessor])
def test_events_have_arrived_when_the_response_goes_out(sentry: Any, timed: bool, kind: Any) -> None:
    answered(Context() if timed else None, kind, flush_timeout=PATIENCE_S)
    assert [kind for kind, _ in sentry.items] == ["event"]


def test_what_a_handler_has_captured_has_arrived_too(sentry: Any) -> None:
    processor = BatchProcessor("sqs", plugins=[SentryObserver(flush_timeout=PATIENCE_S)])
    processor.run(make_event("sqs", "a"), lambda record: sentry_sdk.capture_message("odd"))
    assert [kind for kind, _ in sentry.items] == ["event"]


def test_a_receiver_that_is_down_changes_nothing(init: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    init(dsn=f"http://key@127.0.0.1:{port}/1")
    assert answered(Context()) < 2.0 + MARGIN_S


def test_a_silent_receiver_holds_the_response_up_to_the_limit(sentry: Any, caplog: pytest.LogCaptureFixture) -> None:
    sentry.may_answer.clear()
    took = answered(Context(), flush_timeout=0.5)
    assert 0.4 < took < 0.5 + MARGIN_S
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_silent_receiver_holds_it_no_longer_than_a_quarter_of_what_is_left(
    sentry: Any, caplog: pytest.LogCaptureFixture
) -> None:
    sentry.may_answer.clear()
    assert answered(Context(left_s=2.0), flush_timeout=60) < 0.5 + 1.4  # else batchcore would have abandoned it
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_without_a_context_the_limit_holds_too(sentry: Any) -> None:
    sentry.may_answer.clear()
    assert answered(None, flush_timeout=0.3) < 0.3 + MARGIN_S


def test_a_slow_receiver_is_waited_for(sentry: Any) -> None:
    sentry.delay_s = 0.3
    answered(Context(), flush_timeout=PATIENCE_S)
    assert [kind for kind, _ in sentry.items] == ["event"]


@pytest.mark.parametrize(
    ("status", "headers"), [(429, {"Retry-After": "60"}), (429, {}), (500, {}), (413, {}), (403, {})]
)
def test_a_receiver_that_refuses_changes_nothing(sentry: Any, status: int, headers: dict[str, str]) -> None:
    sentry.status, sentry.headers = status, headers
    for _ in range(2):
        assert answered(Context()) < 2.0 + MARGIN_S
    if headers:
        assert sentry.requests == 1  # the SDK sends nothing until the time is over that the receiver has named


def test_a_batch_that_captures_nothing_does_not_wait(sentry: Any) -> None:
    sentry.may_answer.clear()
    processor = BatchProcessor("sqs", plugins=[SentryObserver(flush_timeout=30)])
    start = time.perf_counter()
    processor.run(make_event("sqs", "a"), lambda record: None, Context(left_s=900))
    assert time.perf_counter() - start < MARGIN_S
    assert sentry.requests == 0
