"""The examples whose response has a result for every record: a transformation of Firehose, and a job of S3 Batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from batchcore_testing import Simulator

Load = Callable[..., Any]


def test_orders_are_partitioned_by_customer_heartbeats_dropped_and_what_is_no_order_put_aside(load: Load) -> None:
    simulator = Simulator()
    stream = simulator.delivery_stream()
    order = {"kind": "order", "id": 17, "total": 3, "customer": "ann"}
    stream.send(order, {"kind": "heartbeat"}, "no JSON")

    history = simulator.mapping(stream, load("firehose/transform.py").module.lambda_handler).drain()

    history.check()
    assert [json.loads(data) for _, data in stream.delivered] == [{"order": 17, "total": 3}]
    assert [item.content for item in stream.dropped] == [{"kind": "heartbeat"}]
    assert [item.content for item in stream.processing_failed] == ["no JSON"]
    entries: Any = history.invocations[0].response["records"]
    assert entries[0]["metadata"] == {"partitionKeys": {"customer": "ann"}}


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("TARGET_BUCKET", "copies")
    with mock_aws():
        client: Any = boto3.client("s3")
        for bucket in ("orders", "copies"):
            client.create_bucket(Bucket=bucket)
        yield client


def job_of(simulator: Simulator, arguments: dict[str, str], *keys: str, **options: Any) -> Any:
    from batchcore_s3batch.events import S3BatchEvents

    job = simulator.batch_job(source=S3BatchEvents("2.0", arguments), **options)
    job.send(*keys)
    return job


def test_objects_are_copied_and_what_is_gone_is_reported_and_not_tried_again(load: Load, s3: Any) -> None:
    s3.put_object(Bucket="orders", Key="2026/a b+c.json", Body=b"17 orders")
    simulator = Simulator()
    job = job_of(simulator, {"prefix": "kept/"}, "2026/a b+c.json", "2026/gone.json")

    simulator.mapping(job, load("s3batch/copy.py").module.lambda_handler).drain().check()

    assert s3.get_object(Bucket="copies", Key="kept/2026/a b+c.json")["Body"].read() == b"17 orders"
    assert [(line.status, line.code, line.text) for line in job.report] == [
        ("succeeded", "Succeeded", "copied to kept/2026/a b+c.json"),
        ("failed", "PermanentFailure", "ObjectGoneError: there is no such object any more"),
    ]


def test_what_fails_otherwise_is_tried_again(load: Load, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put_object(Bucket="orders", Key="a.json", Body=b"17 orders")
    monkeypatch.setenv("TARGET_BUCKET", "nobody-has-this")
    simulator = Simulator()
    job = job_of(simulator, {}, "a.json", redrives=1)

    simulator.mapping(job, load("s3batch/copy.py").module.lambda_handler).drain()

    (line,) = job.report
    assert (line.status, line.code, len(job.items[0].deliveries)) == ("failed", "TemporaryFailure", 2)
    assert "NoSuchBucket" in line.text
