"""How many events a batch is, at most, and that every failed record is counted in one."""

from __future__ import annotations

import time
from typing import Any

import pytest

from batchcore import BatchProcessor
from batchcore_sentry import SentryObserver
from batchcore_sqs import SQSRecord
from batchcore_testing import make_event


def counted(events: list[Any]) -> int:
    """How many records the events stand for."""
    return sum(
        each["contexts"]["record"]["failed_alike"] + each["contexts"]["record"]["failed_at_the_same_line"]
        for each in events
        if "record" in each["contexts"]
    )


def run(count: int, handler: Any, concurrency: int = 1, **options: Any) -> None:
    event = make_event("sqs", *map(str, range(count)))
    plugins = [SentryObserver(**options)]
    BatchProcessor("sqs", plugins=plugins, raise_on_entire_batch_failure=False, max_concurrency=concurrency).run(
        event, handler
    )


@pytest.mark.parametrize("concurrency", [1, 8])
def test_ten_thousand_equal_failures_are_one_event(sentry: Any, concurrency: int) -> None:
    def handler(record: SQSRecord) -> None:
        raise ConnectionError("the shop is closed")

    run(10_000, handler, concurrency)
    (reported,) = sentry.events
    assert sentry.requests <= 2  # the SDK's own report of what it lost is another
    assert reported["contexts"]["record"]["failed_alike"] == 10_000
    assert reported["tags"]["failed_alike"] == "10000"
    assert len(set(reported["contexts"]["record"]["identifiers"])) == 20


def test_equal_failures_at_two_lines_are_two_events(sentry: Any) -> None:
    def handler(record: SQSRecord) -> None:
        if int(record.body) < 3:
            raise ValueError("no")
        raise ValueError("no")

    run(10, handler)
    assert sorted(each["contexts"]["record"]["failed_alike"] for each in sentry.events) == [3, 7]


def test_failures_of_different_texts_are_events_of_their_own_up_to_the_bound(sentry: Any) -> None:
    def handler(record: SQSRecord) -> None:
        raise ValueError(record.body)

    run(1_000, handler)
    assert len(sentry.events) == 10
    assert counted(sentry.events) == 1_000


def test_another_kind_of_failure_is_reported_though_all_events_are_taken(sentry: Any) -> None:
    def handler(record: SQSRecord) -> None:
        raise LookupError("rare") if record.body == "900" else ValueError(record.body)

    run(1_000, handler, most_events=4)
    types = [each["exception"]["values"][-1]["type"] for each in sentry.events]
    assert sorted(types) == ["LookupError", "ValueError", "ValueError", "ValueError"]
    assert counted(sentry.events) == 1_000


def test_kinds_beyond_the_bound_are_counted_by_one_event(sentry: Any) -> None:
    kinds = [type(f"Kind{number}Error", (Exception,), {}) for number in range(30)]

    def handler(record: SQSRecord) -> None:
        raise kinds[int(record.body) % 30]

    run(60, handler, most_events=5)
    *own, rest = sentry.events
    assert len(own) == 5
    assert rest["message"].startswith("50 more records of sqs failed: 2 x Kind")
    assert counted(own) == 10
    assert rest["tags"]["batch_source"] == "sqs"


def test_failures_cost_little_though_there_are_very_many(sentry: Any) -> None:
    def handler(record: SQSRecord) -> None:
        raise ValueError(record.body)

    start = time.perf_counter()
    run(10_000, handler)
    assert time.perf_counter() - start < 20  # 30 minutes, where each is an event that the SDK cannot send in time
    assert counted(sentry.events) == 10_000
