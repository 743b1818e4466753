"""The example program ships orders, refuses some, and writes down both."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from batchcore import BatchProcessingError
from batchcore_local import lambda_record, load_handler
from batchcore_local.orders import Fate, Order, read_ledger

APP = Path(__file__).parents[3] / "examples" / "orders" / "app.py"
ARN = "arn:aws:sqs:us-east-1:123456789012:orders"


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "ledger.jsonl"
    monkeypatch.setenv("ORDERS_LEDGER", str(path))
    return path


@pytest.fixture(autouse=True)
def modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a program changes where modules are found; the next test starts without it."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "app", raising=False)


def message(body: str, identifier: str, attempt: int) -> dict[str, Any]:
    return {
        "MessageId": identifier,
        "ReceiptHandle": "handle",
        "Body": body,
        "MD5OfBody": "",
        "Attributes": {"ApproximateReceiveCount": str(attempt)},
    }


def invoke(*orders: tuple[Order, int]) -> Any:
    records = [lambda_record(message(order.body(), order.name, attempt), ARN) for order, attempt in orders]
    return load_handler(f"{APP}:lambda_handler")({"Records": records}, None)


GOOD, LATE, BAD = Order("good", Fate.SHIPS), Order("late", Fate.FAILS_ONCE), Order("bad", Fate.FAILS_ALWAYS)


def test_only_the_orders_that_could_not_be_shipped_are_reported(ledger: Path) -> None:
    assert invoke((GOOD, 1), (LATE, 1), (BAD, 1)) == {
        "batchItemFailures": [{"itemIdentifier": "late"}, {"itemIdentifier": "bad"}]
    }
    assert read_ledger(ledger) == (
        {"good": 1},
        {
            "late": "refused at attempt 1: the warehouse is closed until tomorrow",
            "bad": "refused at attempt 1: nothing is ordered",
        },
    )


def test_an_order_that_found_the_warehouse_closed_ships_at_the_next_attempt(ledger: Path) -> None:
    assert invoke((LATE, 2)) == {"batchItemFailures": []}
    assert json.loads(ledger.read_text()) == {"order": "late", "attempt": 2, "did": "shipped"}


def test_a_batch_in_which_every_order_is_refused_raises(ledger: Path) -> None:
    with pytest.raises(BatchProcessingError):
        invoke((BAD, 2))


def test_a_message_that_is_no_order_costs_only_itself(ledger: Path) -> None:
    records = [lambda_record(message("not JSON", "junk", 1), ARN), lambda_record(message(GOOD.body(), "m", 1), ARN)]
    response = load_handler(f"{APP}:lambda_handler")({"Records": records}, None)
    assert response == {"batchItemFailures": [{"itemIdentifier": "junk"}]}
