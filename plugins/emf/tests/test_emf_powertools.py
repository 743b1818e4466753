"""Beside Metrics of Powertools, which users keep: two documents, and no key of one in the other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from batchcore import BatchProcessor, process_partial_response
from batchcore_emf import CloudWatchMetrics
from batchcore_testing import make_event

pytest.importorskip("aws_lambda_powertools")

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cold_start import reset_cold_start_flag


class Context:
    function_name = "orders"
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 9_000


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Shop")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "orders")
    reset_cold_start_flag()
    metrics = Metrics()
    yield metrics
    metrics.provider.clear_metrics()


@pytest.mark.parametrize("threads", [1, 4])
def test_both_write_a_document_and_neither_has_a_key_of_the_other(
    metrics: Metrics, written: Any, extracted: Any, threads: int
) -> None:
    processor = BatchProcessor("sqs", plugins=[CloudWatchMetrics()], max_concurrency=threads)

    def record_handler(record: Any) -> None:
        if record.body == "0":
            metrics.add_metric(name="OrderShipped", unit=MetricUnit.Count, value=1)

    @metrics.log_metrics(capture_cold_start_metric=True)
    def lambda_handler(event: Any, context: Any) -> Any:
        metrics.add_metadata(key="booking", value="b-1")
        return process_partial_response(event, record_handler, processor, context)

    lambda_handler(make_event("sqs", 0, 1), Context())

    ours, *both = map(json.loads, written())
    theirs, theirs_at_first = sorted(both, key=lambda document: "ColdStart" in document)
    assert "ColdStart" in theirs_at_first
    assert theirs["OrderShipped"] == [1.0]
    assert ours["Records"] == 2
    shared = {"_aws", "service"}  # the same dimension, of the same variable
    assert ours.keys() & theirs.keys() == shared
    assert ours.keys() & theirs_at_first.keys() == shared
    assert ours["service"] == theirs["service"] == "orders"
    read = extracted(json.dumps(ours))
    assert read["Records"][:2] == ("Shop", (("service", "orders"),))


def test_a_metric_of_the_users_is_not_counted_by_ours(metrics: Metrics, written: Any) -> None:
    processor = BatchProcessor("sqs", plugins=[CloudWatchMetrics(of_batch=lambda result: {"Worth": 17})])
    metrics.add_metric(name="Worth", unit=MetricUnit.Count, value=1)
    process_partial_response(make_event("sqs", 1), bool, processor, Context())
    metrics.flush_metrics()

    ours, theirs = map(json.loads, written())
    assert ours["Worth"] == 17
    assert theirs["Worth"] == [1.0]


def test_what_they_would_write_as_no_json_is_left_out_of_ours(metrics: Metrics, written: Any) -> None:
    processor = BatchProcessor("sqs", plugins=[CloudWatchMetrics(of_batch=lambda result: {"Worth": float("nan")})])
    metrics.add_metric(name="Worth", unit=MetricUnit.Count, value=float("nan"))
    process_partial_response(make_event("sqs", 1), bool, processor, Context())
    metrics.flush_metrics()

    ours, theirs = written()
    assert "NaN" not in ours
    assert "NaN" in theirs  # why ours looks at each number: the whole line is lost
