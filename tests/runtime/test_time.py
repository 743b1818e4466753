"""A function whose time runs out inside AWS's own runtime client: the response leaves before it is ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from .events import failed, sqs_event

if TYPE_CHECKING:
    from .conftest import StartFunction

DRIVERS = ["threads", "asyncio"]
HOUR = 3_600


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_response_leaves_in_time_whatever_still_runs(start: StartFunction, driver: str) -> None:
    function = start("slow.lambda_handler", DRIVER=driver)
    function.ready()
    deadline = time.perf_counter() + 1.8
    response = function.response(sqs_event(a=0, stuck=HOUR, b=0, other=HOUR), remaining_ms=1_800)
    assert response.payload == failed("stuck", "other")
    assert response.at < deadline


@pytest.mark.parametrize("driver", DRIVERS)
def test_the_next_invocation_is_answered_while_an_earlier_handler_still_runs(start: StartFunction, driver: str) -> None:
    function = start("slow.lambda_handler", DRIVER=driver)
    function.invoke(sqs_event(stuck=HOUR), remaining_ms=1_300)
    assert function.invoke(sqs_event(a=0, b=0)) == failed()
