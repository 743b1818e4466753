"""A cold start pays for nothing that the function does not use."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

EVENTS = Path(__file__).parents[1] / "events"
EXPENSIVE = {
    "asyncio",
    "batchcore_testing",
    "concurrent.futures",
    "dataclasses",
    "email",
    "importlib.metadata",
    "importlib_metadata",
    "inspect",
    "pkg_resources",
    "pluggy",
    "pydantic",
    "typing",
    "zipfile",
}
SOURCES = {
    "sqs": ("SQS", "batchcore_sqs", "SQSRecord"),
    "kinesis": ("KinesisDataStreams", "batchcore_kinesis", "KinesisStreamRecord"),
    "dynamodb": ("DynamoDBStreams", "batchcore_dynamodb", "DynamoDBRecord"),
}
FUNCTION = """
import sys
sys.path[:0] = {path!r}
before = set(sys.modules)

from batchcore import BatchProcessor, EventType, process_partial_response
from {module} import {record}

processor = BatchProcessor(event_type=EventType.{event_type})

def record_handler(record: {record}):
    {body}

def lambda_handler(event, context):
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)

import json
with open({event!r}, encoding="utf-8") as file:
    event = json.load(file)
try:
    response = lambda_handler(event, None)
except Exception as error:
    response = type(error).__name__
print(json.dumps({{"before": sorted(before), "after": sorted(sys.modules), "response": response}}))
"""


@pytest.mark.parametrize("source", SOURCES)
def test_a_first_batch_loads_nothing_expensive(source: str) -> None:
    before, after, response = first_batch(source, "return None")

    assert response == {"batchItemFailures": []}
    assert before & EXPENSIVE == set(), "this interpreter loads it by itself: the test can not tell"
    assert after & EXPENSIVE == set()


def test_a_first_batch_loads_these_modules_of_ours() -> None:
    """A module costs a cold start a tenth of a millisecond, besides what it holds."""
    _, after, _ = first_batch("sqs", "return None")

    assert {name for name in after if name.split(".")[0].startswith("batchcore")} == {
        "batchcore",
        "batchcore._attributes",
        "batchcore._base",
        "batchcore.callables",
        "batchcore.engine",
        "batchcore.errors",
        "batchcore.ledger",
        "batchcore.model",
        "batchcore.plan",
        "batchcore.processors",
        "batchcore.records",
        "batchcore.source",
        "batchcore_sqs",
        "batchcore_sqs.hooks",
    }


def test_a_record_that_fails_loads_nothing_expensive() -> None:
    _, after, response = first_batch("sqs", "if record.message_id != 'x': raise ValueError(record.message_id)")
    # A line of the log with a traceback, which Python formats: on 3.14 that loads dataclasses, and so inspect.
    _, logged, _ = first_batch("sqs", "import logging; logging.getLogger().error('', exc_info=ValueError())")

    assert response == "BatchProcessingError"
    assert (after - logged) & EXPENSIVE == set()


@pytest.mark.parametrize("source", SOURCES)
def test_a_first_batch_loads_one_source(source: str) -> None:
    _, after, _ = first_batch(source, "return None")

    assert {name for name in after if name in OURS} == {"batchcore", SOURCES[source][1]}


def test_a_first_batch_with_a_model_is_what_loads_pydantic() -> None:
    # The control: the same measurement sees what is loaded.
    pytest.importorskip("pydantic")
    _, after, _ = first_batch("sqs", "import asyncio, batchcore_sqs.models")

    assert {"pydantic", "asyncio", "typing"} <= after


OURS = {
    "batchcore",
    *(module for _, module, _ in SOURCES.values()),
    *(f"batchcore_{name}" for name in ("kafka", "mq", "firehose", "s3batch", "pipes")),
    *(f"batchcore_{name}" for name in ("envelopes", "deadletter", "emf", "logs", "otel", "sentry", "local", "testing")),
}


def first_batch(source: str, body: str) -> tuple[set[str], set[str], object]:
    """Run the first batch of a function in an interpreter that has loaded nothing by itself, not even ``site``."""
    event_type, module, record = SOURCES[source]
    event = str(EVENTS / f"getting_started_{source}_event.json")
    path = [*(folder_of(package) for package in ("batchcore", module)), *dependencies()]
    program = FUNCTION.format(path=path, module=module, record=record, event_type=event_type, event=event, body=body)
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], check=False, capture_output=True, text=True, encoding="utf-8"
    )
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    return set(seen["before"]), set(seen["after"]), seen["response"]


def folder_of(package: str) -> str:
    """Give the folder from which a package is imported here."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parents[1])


def dependencies() -> list[str]:
    """Give the folders of what the packages may import, so that an import succeeds, and is seen."""
    there = filter(importlib.util.find_spec, ("pluggy", "importlib_metadata", "pydantic"))
    return list(dict.fromkeys(map(folder_of, there)))
