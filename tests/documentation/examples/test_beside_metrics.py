"""Powertools' Metrics, counted in handlers and at the end of a batch."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Metrics, single_metric
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from batchcore import BatchProcessor, BatchResult, hookimpl

from .beside import ROOT, WAYS, environment, messages, named, numbers, run

COUNT = 1_000
THREADS = 8


@pytest.fixture(autouse=True)
def separate() -> Iterator[None]:
    """Metrics of one process are kept in one place: leave nothing there, and find nothing."""
    switch = sys.getswitchinterval()
    for kept in (Metrics._metrics, Metrics._dimensions, Metrics._metadata, Metrics._default_dimensions):
        kept.clear()
    yield
    sys.setswitchinterval(switch)
    for kept in (Metrics._metrics, Metrics._dimensions, Metrics._metadata, Metrics._default_dimensions):
        kept.clear()


def documents(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith('{"_aws"')]


def counted(documents: list[dict[str, Any]]) -> Counter[str]:
    """Add up the metrics of documents, as CloudWatch does."""
    totals = Counter[str]()
    for document in documents:
        for metric in document["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            values = document[metric["Name"]]
            totals[metric["Name"]] += int(sum(values if isinstance(values, list) else [values]))
    return totals


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_metrics_of_handlers_in_threads_count_more_than_there_were(capsys: pytest.CaptureFixture[str]) -> None:
    """Two threads find the list full, and write it both."""
    metrics = Metrics(namespace="Orders", service="orders")
    processor = BatchProcessor("sqs", max_concurrency=THREADS)
    sys.setswitchinterval(1e-6)

    def handler(record: Any) -> None:
        metrics.add_metric(name="Met", unit=MetricUnit.Count, value=1)

    for _ in range(100):
        assert processor.run(numbers(COUNT), handler).counts() == {"succeeded": COUNT}
        metrics.flush_metrics()
        output = capsys.readouterr().out.replace("}{", "}\n{")  # two may have come on one line
        if counted(documents(output))["Met"] > COUNT:
            return
    pytest.fail("It counts right: say so in docs/beside.md.")


@pytest.mark.parametrize("way", ["one by one", "asyncio"])
def test_metrics_of_handlers_in_one_thread_count_right(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics(namespace="Orders", service="orders")

    def steps(record: Any) -> Iterator[None]:
        yield
        metrics.add_metric(name="Met", unit=MetricUnit.Count, value=1)

    run(way, steps, numbers(250))
    metrics.flush_metrics()
    assert counted(documents(capsys.readouterr().out)) == {"Met": 250}


@pytest.mark.parametrize("way", WAYS)
def test_metrics_that_are_added_when_the_batch_has_ended_count_right(
    way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = Metrics(namespace="Orders", service="orders")

    class Counts:
        @hookimpl
        def batch_finished(self, result: BatchResult) -> None:
            for status, count in result.counts().items():
                metrics.add_metric(name=status, unit=MetricUnit.Count, value=count)

    def steps(record: Any) -> Iterator[None]:
        yield
        if record.body == "7":
            raise ValueError

    run(way, steps, numbers(100), plugins=[Counts()])
    metrics.flush_metrics()
    assert counted(documents(capsys.readouterr().out)) == {"succeeded": 99, "failed": 1}


@pytest.mark.parametrize("way", WAYS)
def test_dimension_that_a_handler_adds_is_everybodys(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = Metrics(namespace="Orders", service="orders")

    def steps(record: Any) -> Iterator[None]:
        if record.body == "0":
            metrics.add_dimension(name="article", value="tea")
        yield
        metrics.add_metric(name="Met", unit=MetricUnit.Count, value=1)

    run(way, steps, numbers(4))
    metrics.flush_metrics()
    (document,) = documents(capsys.readouterr().out)
    assert document["Met"] == [1.0] * 4
    assert document["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["article", "service"]]


@pytest.mark.parametrize("way", ["one by one", "asyncio"])
@pytest.mark.parametrize("kind", ["single_metric", "EphemeralMetrics"])
def test_metrics_that_a_handler_has_for_itself_keep_their_own_dimensions(
    kind: str, way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def steps(record: Any) -> Iterator[None]:
        if kind == "single_metric":
            with single_metric(name="Met", unit=MetricUnit.Count, value=1, namespace="Orders") as metric:
                yield
                metric.add_dimension(name="order", value=record.body)
                yield
            return
        metrics = EphemeralMetrics(namespace="Orders", service="orders")
        metrics.add_dimension(name="order", value=record.body)
        yield
        metrics.add_metric(name="Met", unit=MetricUnit.Count, value=1)
        yield
        metrics.flush_metrics()

    run(way, steps, numbers(8))
    written = documents(capsys.readouterr().out)
    assert sorted(document["order"] for document in written) == list("01234567")
    assert counted(written) == {"Met": 8}


TWO_ON_A_LINE = """
import sys
from aws_lambda_powertools import single_metric
from batchcore import BatchProcessor
from tests.documentation.examples.beside import numbers

def handler(record):
    with single_metric(name="Met", unit="Count", value=1, namespace="Orders") as metric:
        metric.add_dimension(name="order", value=record.body)

sys.setswitchinterval(1e-6)
for _ in range(10):
    BatchProcessor("sqs", max_concurrency=8).run(numbers(1_000), handler)
"""


def test_metrics_that_handlers_in_threads_have_for_themselves_come_two_on_a_line(tmp_path: Path) -> None:
    """``print()`` writes a line and its end in two pieces. Two documents on a line are none, and both are lost."""
    output = tmp_path / "output"
    with output.open("w") as file:
        subprocess.run([sys.executable, "-c", TWO_ON_A_LINE], env=environment(), stdout=file, check=True, cwd=ROOT)
    lines = output.read_text().splitlines()
    assert len(lines) == 10_000
    assert "" in lines


def test_program_counts_its_messages_and_what_is_in_them(
    load: Any, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    program = load("beside/metrics.py")
    orders = [{"article": f"a{number % 7}", "quantity": number} for number in range(150)]
    articles = {f"a{number}": float(sum(range(number, 150, 7))) for number in range(7)}
    for _ in range(2):  # a warm invocation counts its own
        assert program(messages(*orders, "no JSON")) == named("m150")
        written = documents(capsys.readouterr().out)
        assert counted(written) == {"Orders_succeeded": 150, "Orders_failed": 1, "Pieces": sum(range(150))}
        pieces = {document["article"]: sum(document["Pieces"]) for document in written if "Pieces" in document}
        assert pieces == articles
