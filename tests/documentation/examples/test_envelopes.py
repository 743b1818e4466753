"""The programs that open what is inside of records: to events of AWS, and to aggregates that AWS's library wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

AGGREGATES = Path(__file__).parents[3] / "plugins" / "envelopes" / "tests" / "aggregates.json"

Load = Callable[[str], Any]
Event = Callable[[str], Any]


def test_objects_are_imported_and_the_test_event_is_dropped(load: Load, event: Event) -> None:
    batch = event("snsSqsEvent")
    (message,) = batch["Records"]
    outer = json.loads(message["body"])
    uploaded = event("s3SqsEvent")["Records"][0]["body"]
    bodies = [uploaded, '{"Event": "s3:TestEvent"}', uploaded.replace("104681", "0"), "no notification of S3"]
    batch["Records"] = [
        {**message, "messageId": f"m{at}", "body": json.dumps({**outer, "Message": body})}
        for at, body in enumerate(bodies)
    ]

    program = load("envelopes/uploads.py").module

    assert program.lambda_handler(batch, None) == {
        "batchItemFailures": [{"itemIdentifier": "m2"}, {"itemIdentifier": "m3"}]
    }
    (entry,) = [entry for entry in program.processor.success_messages if entry["messageId"] == "m0"]
    assert entry["messageId"] == "m0"


def test_orders_of_aggregates_are_handled_each(load: Load, event: Event) -> None:
    batch = event("getting_started_kinesis_event")
    first, second = batch["Records"]
    first["kinesis"]["data"] = json.loads(AGGREGATES.read_text(encoding="utf-8"))["three records of two keys"]["data"]
    program = load("envelopes/aggregated.py").module

    result = program.processor.run(batch, program.record_handler)

    number = first["kinesis"]["sequenceNumber"]
    assert result.return_values == [(f"{number}/0", 1), (f"{number}/1", 2), (f"{number}/2", 3)]
    assert program.lambda_handler(batch, None) == {
        "batchItemFailures": [{"itemIdentifier": second["kinesis"]["sequenceNumber"]}]
    }
