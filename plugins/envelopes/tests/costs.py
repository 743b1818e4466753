"""What it costs to open a record, beside the same batch without it: ``python plugins/envelopes/tests/costs.py``.

Each row runs a batch of 1,000 records with and without the plugin, in turns, and keeps the best round of either. The
difference for each record is printed. A row of imports is measured in new interpreters.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from conftest import EVENTS, aggregate

import batchcore_envelopes as envelopes
from batchcore import BatchProcessor
from batchcore_envelopes import CHANGES, EVENT_BRIDGE, GZIP, LOGS, S3, SNS, S3Payloads, UserRecords
from batchcore_envelopes.compressed import LARGEST
from batchcore_testing import make_event

RECORDS = 1_000
IN_AN_AGGREGATE = 100
ROUNDS = 25
STARTS = 15

Row = tuple[str, str, Any, list[Any]]


class NoClient:
    def get_object(self) -> None:
        """Never called: no record has a pointer."""


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def rows() -> list[Row]:
    """Give the name of each row, its source, the plugin, and what is in the records."""
    notification = json.loads(sample("snsSqsEvent")["Records"][0]["body"])
    uploaded = sample("s3SqsEvent")["Records"][0]["body"]
    order = json.dumps({"order": 17, "articles": [{"id": 1, "price": 1.1}] * 3})
    bridged = json.dumps(
        {"version": "0", "id": "e", "detail-type": "Order", "source": "app", "detail": json.loads(order)}
    )
    logs = base64.b64decode(sample("kinesisStreamCloudWatchLogsEvent")["Records"][0]["kinesis"]["data"])
    change = json.dumps({"tableName": "t", "dynamodb": sample("dynamoStreamEvent")["Records"][0]["dynamodb"]})
    users = aggregate(*((f"key-{number % 10}", order.encode()) for number in range(IN_AN_AGGREGATE)))
    squeezed = base64.b64encode(gzip.compress(order.encode())).decode()

    def published(message: str) -> str:
        return json.dumps({**notification, "Message": message})

    return [
        ("open(SNS)", "sqs", envelopes.open(SNS), [published(order)] * RECORDS),
        ("open(SNS, S3)", "sqs", envelopes.open(SNS, S3), [published(uploaded)] * RECORDS),
        ("open(EVENT_BRIDGE)", "sqs", envelopes.open(EVENT_BRIDGE), [bridged] * RECORDS),
        ("open(GZIP)", "sqs", envelopes.open(GZIP), [squeezed] * RECORDS),
        ("open(LOGS)", "kinesis", envelopes.open(LOGS), [logs] * RECORDS),
        ("open(CHANGES)", "kinesis", envelopes.open(CHANGES), [change] * RECORDS),
        (
            "open(S3Payloads(...)), no pointer",
            "sqs",
            envelopes.open(S3Payloads(["orders"], client=NoClient())),
            [order] * RECORDS,
        ),
        ("UserRecords(), a record of a user", "kinesis", UserRecords(), [users] * (RECORDS // IN_AN_AGGREGATE)),
        ("UserRecords(), not aggregated", "kinesis", UserRecords(), [order] * RECORDS),
    ]


def seconds(function: Callable[[], object]) -> float:
    start = perf_counter()
    function()
    return perf_counter() - start


def microseconds(row: Row, rounds: int) -> float:
    """Return what a record of a row costs more than one without the plugin."""
    _, source, plugin, contents = row
    opened, plain = make_event(source, *contents), make_event(source, *(["{}"] * RECORDS))
    with_it, without = BatchProcessor(source, plugins=[plugin]), BatchProcessor(source)

    def handler(record: object) -> None:
        pass

    assert with_it.run(opened, handler).counts() == {"succeeded": RECORDS}
    best = [1e9, 1e9]
    for _ in range(rounds):
        best[0] = min(best[0], seconds(lambda: with_it.run(opened, handler)))
        best[1] = min(best[1], seconds(lambda: without.run(plain, handler)))
    return (best[0] - best[1]) / RECORDS * 1e6


def mebibytes(source: str) -> float:
    """Return the memory that it takes at most to open a record of 65 kB of which as much comes out as may."""
    bomb = gzip.compress(bytes(LARGEST))
    event = make_event(source, bomb if source == "kinesis" else base64.b64encode(bomb).decode())
    processor = BatchProcessor(source, plugins=[envelopes.open(GZIP)])
    tracemalloc.start()
    try:
        assert processor.run(event, lambda record: None).counts() == {"succeeded": 1}
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


BEFORE = "import json, pluggy, batchcore_sqs, batchcore_kinesis; from batchcore import BatchProcessor\n"
IMPORTS = (
    ("the package", "import batchcore_envelopes"),
    ("and UserRecords", "from batchcore_envelopes import UserRecords"),
    ("and S3Payloads", "from batchcore_envelopes import S3Payloads"),
)


def milliseconds(imported: str, starts: int) -> float:
    """Return what an import costs a new interpreter that has imported batchcore, two sources and pluggy."""
    program = (
        f"{BEFORE}from time import perf_counter\nstart = perf_counter()\n{imported}\nprint(perf_counter() - start)"
    )
    said = [
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
        for _ in range(starts)
    ]
    return min(map(float, said)) * 1e3


def main(rounds: int = ROUNDS, starts: int = STARTS) -> list[str]:
    """Return the lines to print."""
    lines = [f"{name:36}{microseconds((name, *row), rounds):8.1f} us a record" for name, *row in rows()]
    lines += [f"import: {name:28}{milliseconds(imported, starts):8.1f} ms" for name, imported in IMPORTS]
    return lines + [f"memory: {'64 MiB in ' + name:28}{mebibytes(name):8.0f} MiB" for name in ("kinesis", "sqs")]


if __name__ == "__main__":
    print("\n".join(main()))
