"""The same document as a client of AWS's makes of the same metrics."""

from __future__ import annotations

import json
from typing import Any

import pytest

from batchcore_emf import CloudWatchMetrics

pytest.importorskip("aws_embedded_metrics", reason="aws-embedded-metrics has no release for Python 3.15")


def test_aws_embedded_metrics_writes_the_same_document(
    line_of: Any, written: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EMF_ENVIRONMENT", "local")
    from aws_embedded_metrics.logger.metrics_context import MetricsContext
    from aws_embedded_metrics.serializers.log_serializer import LogSerializer

    ours = line_of(CloudWatchMetrics("Orders", {"service": "orders", "stage": "prod"}), "a", "b")
    context = MetricsContext().empty()
    context.namespace = "Orders"
    context.put_dimensions({"service": "orders", "stage": "prod"})
    context.set_property("batch_source", "sqs")
    for name, metric in ours.items():
        for value in metric.values:
            context.put_metric(name, value, metric.unit)
    (line,) = LogSerializer.serialize(context)

    theirs = json.loads(line)
    theirs["_aws"]["Timestamp"] = ours.document["_aws"]["Timestamp"]
    assert ours.document == theirs
