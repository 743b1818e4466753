"""The example function, examples/orders/app.py, inside AWS's own runtime client."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from .events import dynamodb_event, failed, sqs_event
from .interpreters import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from .conftest import StartFunction
    from .function import LambdaFunction

EXAMPLE = ROOT / "examples" / "orders"
HANDLER = "app.lambda_handler"


def order(name: str, quantity: int = 1, warehouse: str = "open") -> dict[str, Any]:
    return {"order": name, "item": "tea", "quantity": quantity, "warehouse": warehouse}


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def example(start: StartFunction, ledger: Path) -> LambdaFunction:
    return start(HANDLER, EXAMPLE, ORDERS_LEDGER=str(ledger))


def did(ledger: Path) -> list[tuple[str, str]]:
    """Give what the function did with each order, in the order in which it did it."""
    entries = map(json.loads, ledger.read_text().splitlines())
    return [(entry["order"], entry["did"]) for entry in entries]


def test_the_example_ships_orders_cold_and_warm(example: LambdaFunction, ledger: Path) -> None:
    assert example.invoke(sqs_event(a=order("o-1"), b=order("o-2"))) == failed()
    assert example.invoke(sqs_event(c=order("o-3"))) == failed()
    assert did(ledger) == [("o-1", "shipped"), ("o-2", "shipped"), ("o-3", "shipped")]


def test_the_example_names_the_refused_order_and_ships_the_others(example: LambdaFunction, ledger: Path) -> None:
    event = sqs_event(a=order("o-1"), b=order("o-2", quantity=0), c=order("o-3", warehouse="closed"), d=order("o-4"))
    assert example.invoke(event) == failed("b", "c")
    assert did(ledger) == [("o-1", "shipped"), ("o-2", "refused"), ("o-3", "refused"), ("o-4", "shipped")]


def test_the_example_reports_an_error_when_every_order_is_refused(example: LambdaFunction, ledger: Path) -> None:
    report = example.error(sqs_event(a=order("o-1", quantity=0), b=order("o-2", quantity=0)))
    assert report["errorType"] == "BatchProcessingError"
    assert "OrderRefusedError: nothing is ordered" in report["errorMessage"]
    assert did(ledger) == [("o-1", "refused"), ("o-2", "refused")]


def test_the_example_touches_nothing_of_an_event_of_another_source(example: LambdaFunction, ledger: Path) -> None:
    assert example.error(dynamodb_event())["errorType"] == "UnexpectedBatchTypeError"
    assert not ledger.exists()
