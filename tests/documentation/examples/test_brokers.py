"""The programs that read a queue of RabbitMQ and of ActiveMQ: what they print, and what a failure does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchcore import WholeBatchRetry
from batchcore_testing import make_event

ROOT = Path(__file__).parents[3]
PROGRAM = "brokers/orders.py"
PAYMENTS = "brokers/payments.py"


@pytest.fixture
def program(load: Callable[[str], Any]) -> Any:
    module = load(PROGRAM).module
    module.SHIPPED.clear()
    return module


def test_it_prints_what_the_page_shows() -> None:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / PROGRAM)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    page = (ROOT / "docs" / "amazon-mq.md").read_text(encoding="utf-8")
    assert f"```text\n{printed.rstrip()}\n```" in page


def test_order_that_comes_again_is_shipped_once(program: Any) -> None:
    event = make_event("rabbitmq", {"id": 1}, "no order", {"id": 2})
    for _ in range(2):
        with pytest.raises(WholeBatchRetry):
            program.lambda_handler(event, None)
        assert program.SHIPPED == {1: "orders", 2: "orders"}
    assert program.dead_letters.messages == []


def test_what_failed_three_times_is_a_dead_letter_and_the_batch_is_done(program: Any) -> None:
    event = make_event("rabbitmq", {"id": 1}, "no order", sent={"attempt": 3})
    assert program.lambda_handler(event, None) == {"batchItemFailures": []}
    assert program.dead_letters.messages == ["no order"]


# ActiveMQ.

PRINTED = """\
2 messages: the function raised WholeBatchRetry: 2 of 2 records of activemq are not done. It takes no partial \
response, so all of them are delivered again.
2 messages: it returned {'batchItemFailures': []}
2 messages: it returned {'batchItemFailures': []}
booked:       1 2 3
dead letters: no payment
"""


@pytest.fixture
def payments(load: Callable[[str], Any]) -> Any:
    module = load(PAYMENTS).module
    module.BOOKED.clear()
    module.BANK["answers"] = True
    return module


def test_the_program_of_activemq_books_a_group_in_order_and_gives_up_what_is_no_payment() -> None:
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / PAYMENTS)]
    assert subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout == PRINTED


def test_nothing_of_a_group_is_booked_behind_what_failed(payments: Any) -> None:
    payments.BANK["answers"] = False
    event = make_event("activemq", {"id": 1}, {"id": 2}, sent={"key": "ann"})
    with pytest.raises(WholeBatchRetry):
        payments.lambda_handler(event, None)
    assert payments.BOOKED == {}
    assert payments.lambda_handler(event, None) == {"batchItemFailures": []}
    assert list(payments.BOOKED) == [1, 2]
