"""The same of sources that are asked for by a plain name, such as those that have a result for every record."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from .test_import_budget import EVENTS, EXPENSIVE, dependencies, folder_of

SOURCES = {
    "activemq": ("batchcore_mq", "ActiveMQMessage", "activeMQEvent", ("gson", "hooks", "message")),
    "firehose": ("batchcore_firehose", "FirehoseRecord", "kinesisFirehosePutEvent", ("hooks", "record", "results")),
    "kafka": ("batchcore_kafka", "KafkaRecord", "kafkaEventMsk", ("hooks", "record")),
    "rabbitmq": ("batchcore_mq", "RabbitMQMessage", "rabbitMQEvent", ("gson", "hooks", "message")),
    "s3batch": ("batchcore_s3batch", "S3BatchTask", "s3BatchOperationEventSchemaV2", ("hooks", "record", "results")),
}
FUNCTION = """
import sys
sys.path[:0] = {path!r}
from batchcore import BatchProcessor, process_partial_response
from {module} import {record}

processor = BatchProcessor({source!r})

def record_handler(record: {record}):
    {body}

import json
with open({event!r}, encoding="utf-8") as file:
    event = json.load(file)
response = process_partial_response(event, record_handler, processor)
print(json.dumps({{"loaded": sorted(sys.modules), "response": response}}))
"""


@pytest.mark.parametrize("source", SOURCES)
def test_a_first_batch_loads_nothing_expensive_and_one_source(source: str) -> None:
    loaded, response = first_batch(source, "return 'done'")

    assert response
    assert loaded & EXPENSIVE == set()
    assert {name for name in loaded if name.startswith("batchcore_")} == {
        SOURCES[source][0],
        *(f"{SOURCES[source][0]}.{part}" for part in SOURCES[source][3]),
    }


def test_what_is_expensive_is_seen() -> None:
    loaded, _ = first_batch("firehose", "import typing, batchcore_firehose.types")

    assert "typing" in loaded
    assert "batchcore_firehose.types" in loaded


def first_batch(source: str, body: str) -> tuple[set[str], object]:
    """Run the first batch of a function in an interpreter that has loaded nothing by itself, not even ``site``."""
    module, record, event, _ = SOURCES[source]
    path = [*(folder_of(package) for package in ("batchcore", module)), *dependencies()]
    file = str(EVENTS / f"{event}.json")
    program = FUNCTION.format(path=path, module=module, record=record, source=source, event=file, body=body)
    result = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], check=False, capture_output=True, text=True, encoding="utf-8"
    )
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout)
    return set(seen["loaded"]), seen["response"]
