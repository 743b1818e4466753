"""What CloudWatch reads out of a line, written from AWS's specification of the format; and batches."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from batchcore import BatchProcessor
from batchcore_testing import make_event

UNITS = re.compile(
    r"(Micros|Millis|S)econds|Percent|None|"
    r"(Count|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|Kilobits|Megabits|Gigabits|Terabits)(/Second)?"
)
NAMES = re.compile(r"(?!:)[ -~]{1,250}")


class Metric(NamedTuple):
    """A metric that CloudWatch would make of a line."""

    namespace: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str
    values: list[float]


class Extracted(dict[str, Metric]):
    """The metrics of a line by their names, and the line as an object."""

    def __init__(self, line: str) -> None:
        assert len(line.encode()) <= 262_144
        self.document: dict[str, Any] = json.loads(line, object_pairs_hook=once, parse_constant=no_constant)
        metadata = self.document["_aws"]
        assert set(metadata) == {"Timestamp", "CloudWatchMetrics"}
        assert type(metadata["Timestamp"]) is int
        assert metadata["Timestamp"] > 1_500_000_000_000
        super().__init__(each for directive in metadata["CloudWatchMetrics"] for each in self.read(directive))

    def read(self, directive: dict[str, Any]) -> Iterator[tuple[str, Metric]]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        namespace, sets, metrics = directive["Namespace"], directive["Dimensions"], directive["Metrics"]
        assert re.fullmatch(r"[^:].{0,254}", namespace)
        assert len(sets) == 1
        assert len(sets[0]) <= 30
        assert len(metrics) <= 100
        targets = [*sets[0], *(metric["Name"] for metric in metrics)]
        assert len(set(targets)) == len(targets)
        assert "_aws" not in targets
        dimensions = tuple((name, self.document[name]) for name in sets[0])
        for name, value in dimensions:
            assert NAMES.fullmatch(name)
            assert isinstance(value, str)
            assert re.fullmatch(r"[ -~]{1,1024}", value)
            assert value.strip()
        for metric in metrics:
            assert set(metric) <= {"Name", "Unit", "StorageResolution"}
            assert NAMES.fullmatch(metric["Name"])
            assert UNITS.fullmatch(metric["Unit"])
            target = self.document[metric["Name"]]
            values = target if isinstance(target, list) else [target]
            assert 1 <= len(values) <= 100
            assert all(type(value) in (int, float) and abs(value) <= 2**360 for value in values)
            yield metric["Name"], Metric(namespace, dimensions, metric["Unit"], values)

    def value(self, name: str) -> float:
        (value,) = self[name].values
        return value


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), "a key comes twice"
    return dict(pairs)


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


Write = Callable[..., Extracted]


@pytest.fixture
def extracted() -> type[Extracted]:
    """What reads a line."""
    return Extracted


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("BATCHCORE_", "POWERTOOLS_", "AWS_LAMBDA_")):
            monkeypatch.delenv(name)


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """A function that gives the lines that were written to standard output since it was asked last."""

    def take() -> list[str]:
        lines = capsys.readouterr().out.splitlines(keepends=True)
        assert all(line.endswith("\n") for line in lines)
        return [line for line in lines if line != "\n"]

    return take


@pytest.fixture
def line_of(written: Callable[[], list[str]]) -> Write:
    """A function that runs a batch of SQS, and gives what CloudWatch makes of its line."""

    def line_of(plugin: object, *contents: Any, handler: Any = bool, context: Any = None, **options: Any) -> Extracted:
        processor = BatchProcessor("sqs", plugins=[plugin], raise_on_entire_batch_failure=False, **options)
        processor.run(make_event("sqs", *contents), handler, context)
        (line,) = written()
        return Extracted(line)

    return line_of
