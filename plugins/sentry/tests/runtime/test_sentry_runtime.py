"""In AWS's own runtime client, as in a function: what arrives at Sentry, and when the response goes out."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batchcore_testing import make_event

pytest.importorskip("awslambdaric", reason="AWS's runtime client has no release for this Python")

from tests.runtime.function import LambdaFunction

FUNCTIONS = Path(__file__).parent / "functions"
MARGIN_S = 10.0
"""What a busy machine may add to a limit."""
INTEGRATIONS = [{}, {"INTEGRATION": "yes"}, {"INTEGRATION": "yes", "TRACES": "yes"}, {"TRACES": "yes"}]

Start = Callable[..., LambdaFunction]


@pytest.fixture
def start(receiver: Any) -> Iterator[Start]:
    started: list[LambdaFunction] = []

    def start(module: str = "reporting", **variables: str) -> LambdaFunction:
        variables = {"DSN": receiver.dsn, **variables}
        started.append(LambdaFunction(f"{module}.lambda_handler", FUNCTIONS, sys.executable, variables))
        return started[-1]

    yield start
    for function in started:
        function.close()


def named(event: Any, *positions: int) -> Any:
    return {"batchItemFailures": [{"itemIdentifier": event["Records"][at]["messageId"]} for at in positions]}


def values(receiver: Any) -> list[str]:
    return [each["exception"]["values"][-1]["value"] for each in receiver.events]


@pytest.mark.parametrize("variables", INTEGRATIONS)
def test_a_batch_that_failed_in_part_is_an_event_for_each_failure(
    start: Start, receiver: Any, variables: dict[str, str]
) -> None:
    event = make_event("sqs", "good", "bad 1", "good", "bad 2")
    assert start(**variables).invoke(event) == named(event, 1, 3)
    assert values(receiver) == ["bad 1", "bad 2"]
    for position, reported in zip((1, 3), receiver.events, strict=True):
        assert reported["tags"]["item_identifier"] == event["Records"][position]["messageId"]
        assert reported["tags"]["order"] == event["Records"][position]["body"]
        assert [crumb["message"] for crumb in reported["breadcrumbs"]["values"]] == [reported["tags"]["order"]]
        assert ("lambda" in reported["extra"]) == ("INTEGRATION" in variables)


@pytest.mark.parametrize("variables", INTEGRATIONS)
@pytest.mark.parametrize("concurrency", ["1", "4"])
def test_a_batch_that_failed_wholly_is_an_event_for_each_record_and_none_more(
    start: Start, receiver: Any, variables: dict[str, str], concurrency: str
) -> None:
    event = make_event("sqs", *(f"bad {number}" for number in range(5)))
    error = start(CONCURRENCY=concurrency, **variables).error(event)
    assert error["errorType"] == "BatchProcessingError"
    assert sorted(values(receiver)) == [f"bad {number}" for number in range(5)]
    assert {each["exception"]["values"][-1]["type"] for each in receiver.events} == {"ValueError"}
    assert all(each["contexts"]["batch"]["wholly_failed"] for each in receiver.events)
    frames = [each["exception"]["values"][-1]["stacktrace"]["frames"][-1] for each in receiver.events]
    assert {frame["function"] for frame in frames} == {"record_handler"}


@pytest.mark.parametrize("variables", INTEGRATIONS)
def test_nothing_of_an_invocation_is_on_the_events_of_the_next(
    start: Start, receiver: Any, variables: dict[str, str]
) -> None:
    function = start(**variables)
    for body in ("bad 1", "bad 2"):
        function.invoke(make_event("sqs", "good", body))
    for reported in receiver.events:
        assert [crumb["message"] for crumb in reported["breadcrumbs"]["values"]] == [reported["tags"]["order"]]


def test_with_traces_the_batch_is_a_span_of_the_function_s_transaction(start: Start, receiver: Any) -> None:
    start(INTEGRATION="yes", TRACES="yes").invoke(make_event("sqs", "good", "bad"))
    (transaction,) = receiver.transactions
    assert transaction["contexts"]["trace"]["op"] == "function.aws"
    spans = [span for span in transaction["spans"] if span["op"] != "http.client"]  # the SDK's own, for its port
    assert [span["op"] for span in spans] == ["queue.batch", "queue.process", "queue.process"]
    assert spans[0]["parent_span_id"] == transaction["contexts"]["trace"]["span_id"]
    assert {span["parent_span_id"] for span in spans[1:]} == {spans[0]["span_id"]}


def test_five_hundred_failures_of_a_thousand_hold_the_response_little(start: Start, receiver: Any) -> None:
    event = make_event("sqs", *("bad" if number % 2 else "good" for number in range(1_000)))
    function = start(INTEGRATION="yes")
    function.ready()
    begun = time.perf_counter()
    response = function.response(event)
    assert response.payload == named(event, *range(1, 1_000, 2))
    assert response.at - begun < MARGIN_S  # make bench measures it: 0.2 s, at most
    (reported,) = receiver.events
    assert reported["contexts"]["record"]["failed_alike"] == 500
    assert reported["contexts"]["batch"] == {
        "source": "sqs",
        "records": 1_000,
        "succeeded": 500,
        "failed": 500,
        "wholly_failed": False,
    }


def test_a_silent_receiver_holds_the_response_up_to_both_limits(start: Start, receiver: Any) -> None:
    receiver.may_answer.clear()
    function = start(INTEGRATION="yes", FLUSH_TIMEOUT="1", SHUTDOWN_TIMEOUT="1")
    event = make_event("sqs", "good", "bad")
    function.ready()
    for _ in range(2):
        begun = time.perf_counter()
        response = function.response(event)
        assert response.payload == named(event, 1)
        assert response.at - begun < 1 + 1 + MARGIN_S
    assert "OutsideCallError" not in function.output


def test_a_wholly_failed_batch_is_raised_though_the_receiver_refuses(start: Start, receiver: Any) -> None:
    receiver.status = 500
    error = start(INTEGRATION="yes").error(make_event("sqs", "bad"))
    assert error["errorType"] == "BatchProcessingError"


def test_a_function_that_says_nothing_of_sentry_reports_by_two_variables(start: Start, receiver: Any) -> None:
    function = start("silent", BATCHCORE_PLUGINS="sentry", SENTRY_DSN=receiver.dsn)
    event = make_event("sqs", "good", "bad")
    assert function.invoke(event) == named(event, 1)
    assert values(receiver) == ["bad"]
    assert function.error(make_event("sqs", "bad 2"))["errorType"] == "BatchProcessingError"
    assert values(receiver) == ["bad", "bad 2"]
    function.error({"no": "batch"})
    assert [each["exception"]["values"][-1]["type"] for each in receiver.events][2:] == ["UnexpectedBatchTypeError"]
