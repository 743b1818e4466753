"""The examples of metrics and of log context: what they write."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from batchcore_testing import make_event

from .conftest import Context

Load = Callable[..., Any]


def test_the_metrics_of_a_batch_stand_beside_those_of_its_handlers(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    program = load("observers/metrics.py").module
    event = make_event("sqs", {"worth": 17, "express": True}, {"worth": 2.5}, "no order")
    capsys.readouterr()
    response = program.lambda_handler(event, Context())

    assert response == {"batchItemFailures": [{"itemIdentifier": event["Records"][2]["messageId"]}]}
    ours, theirs = map(json.loads, filter(None, capsys.readouterr().out.splitlines()))
    assert (ours["Records"], ours["RecordsFailed"], ours["Worth"]) == (3, 1, 19.5)
    assert theirs["ExpressOrders"] == [1.0]
    assert ours["service"] == theirs["service"] == "shipping"


def test_each_line_of_a_handler_names_its_record_and_its_order(load: Load) -> None:
    program = load("observers/log_context.py").module
    stream = io.StringIO()
    program.logger.handlers[0].setStream(stream)
    orders = {f"o-{number}": "closed" if number == 3 else "open" for number in range(8)}
    event = make_event("sqs", *({"order": order, "warehouse": warehouse} for order, warehouse in orders.items()))
    program.lambda_handler(event, Context())

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    identifiers = dict(zip(orders, (record["messageId"] for record in event["Records"]), strict=True))
    for order, warehouse in orders.items():
        of_order = [line for line in lines if line.get("order") == order]
        assert {line["item_identifier"] for line in of_order} == {identifiers[order]}
        assert [line["message"] for line in of_order][1:] == (["order shipped"] if warehouse == "open" else [])
        assert [line.get("warehouse") for line in of_order][1:] == (["open"] if warehouse == "open" else [])
    assert {line["function_request_id"] for line in lines} == {Context.aws_request_id}
