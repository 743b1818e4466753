"""Nothing is delivered that AWS has not confirmed."""

from __future__ import annotations

import json
import socket
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import boto3.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from batchcore_deadletter import NotDeliveredError, SQSDeadLetters

Fixture = Callable[..., Any]
Forward = Callable[[], tuple[int, dict[str, str], bytes]]

THROTTLED = "RequestThrottled"


def refuses(status: int, code: str) -> Callable[[Forward], tuple[int, dict[str, str], bytes]]:
    """Make a fault that refuses a whole request."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-query-error": f"{code};Sender"}
    body = json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "refused"}).encode()
    return lambda forward: (status, headers, body)


def responds(change: Callable[[dict[str, Any]], Any]) -> Callable[[Forward], tuple[int, dict[str, str], bytes]]:
    """Make a fault that lets a request through and changes the response, or replaces it by what is given."""

    def fault(forward: Forward) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = forward()
        assert status == 200
        response = json.loads(body)
        changed = change(response)
        return status, headers, json.dumps(response if changed is None else changed).encode()

    return fault


def fails(*positions: int, sender_fault: bool) -> Callable[[Forward], tuple[int, dict[str, str], bytes]]:
    """Make a fault that says of some messages that they failed."""

    def change(response: dict[str, Any]) -> None:
        taken = response["Successful"]
        refused = [entry for number, entry in enumerate(taken) if number in positions]
        response["Successful"] = [entry for entry in taken if entry not in refused]
        response["Failed"] = [
            {"Id": entry["Id"], "SenderFault": sender_fault, "Code": "Broken", "Message": "a fault"}
            for entry in refused
        ]

    return responds(change)


def silence(forward: Forward) -> None:
    """Never answer."""


def not_delivered(problem: BaseException | None) -> NotDeliveredError:
    assert isinstance(problem, NotDeliveredError)
    return problem


@pytest.fixture
def three(failed: Fixture, make_letter: Fixture) -> Any:
    return failed(make_letter("m0", "zero"), make_letter("m1", "one"), make_letter("m2", "two"))


@pytest.fixture
def impatient(proxy: Any) -> Iterator[Any]:
    """Give a client that waits a fifth of a second, twice."""
    config = Config(read_timeout=0.2, connect_timeout=0.2, retries={"mode": "standard", "total_max_attempts": 2})
    client = boto3.session.Session().client("sqs", config=config)
    yield client
    client.close()


# A part of a request.


def test_a_message_that_sqs_refuses_is_not_delivered_and_not_sent_again(
    make_queue: Fixture, three: Any, proxy: Any
) -> None:
    proxy.faults.append(fails(1, sender_fault=True))
    first, second, third = SQSDeadLetters(make_queue()).deliver_dead_letters(three.outcomes, three.batch)
    assert (first, third) == (None, None)
    problem = not_delivered(second)
    assert (problem.identifier, problem.code, problem.sender_fault) == ("m1", "Broken", True)
    assert str(problem) == "AWS has not taken the dead letter of record m1: Broken: a fault. The record is retried."
    assert [request.entries for request in proxy.requests] == [3]


def test_a_message_that_failed_through_no_fault_of_its_own_is_sent_once_more(
    make_queue: Fixture, three: Any, proxy: Any
) -> None:
    proxy.faults.append(fails(0, 2, sender_fault=False))
    problems = SQSDeadLetters(make_queue()).deliver_dead_letters(three.outcomes, three.batch)
    assert list(problems) == [None, None, None]
    assert [request.entries for request in proxy.requests] == [3, 2]


def test_a_message_that_fails_again_is_not_delivered(make_queue: Fixture, three: Any, proxy: Any) -> None:
    proxy.faults.append(fails(0, 2, sender_fault=False))
    proxy.faults.append(fails(1, sender_fault=False))
    first, second, third = SQSDeadLetters(make_queue()).deliver_dead_letters(three.outcomes, three.batch)
    assert (first, second) == (None, None)
    problem = not_delivered(third)
    assert (problem.identifier, problem.code, problem.sender_fault) == ("m2", "Broken", False)
    assert [request.entries for request in proxy.requests] == [3, 2]


def both(response: dict[str, Any]) -> None:
    response["Failed"] = [{"Id": "1", "SenderFault": True, "Code": "Broken"}]


@pytest.mark.parametrize(
    "change",
    [
        lambda response: response["Successful"].pop(1) and None,
        lambda response: response["Successful"][1].update(Id="11"),
        lambda response: response["Successful"][1].pop("Id") and None,
        both,
    ],
    ids=["not named", "named wrong", "named by nothing", "named as both"],
)
def test_a_message_that_is_not_confirmed_is_not_delivered(
    make_queue: Fixture, three: Any, proxy: Any, change: Callable[[dict[str, Any]], None]
) -> None:
    proxy.faults.append(responds(change))
    first, second, third = SQSDeadLetters(make_queue()).deliver_dead_letters(three.outcomes, three.batch)
    assert (first, third) == (None, None)
    assert not_delivered(second).identifier == "m1"


@pytest.mark.parametrize("response", [{}, {"Successful": []}, {"Successful": None}, {"Failed": []}])
def test_a_response_that_says_nothing_confirms_nothing(
    make_queue: Fixture, three: Any, proxy: Any, response: dict[str, Any]
) -> None:
    proxy.faults.append(responds(lambda _: response))
    problems = SQSDeadLetters(make_queue()).deliver_dead_letters(three.outcomes, three.batch)
    assert [not_delivered(problem).identifier for problem in problems] == ["m0", "m1", "m2"]
    assert "does not name the dead letter of record m0" in str(problems[0])


@pytest.mark.parametrize("fault", [fails(0, sender_fault=True), responds(lambda _: {})])
def test_one_alone_that_is_not_confirmed_raises(make_queue: Fixture, three: Any, proxy: Any, fault: Any) -> None:
    proxy.faults.append(fault)
    with pytest.raises(NotDeliveredError, match="record m1"):
        SQSDeadLetters(make_queue()).deliver_dead_letter(three.outcomes[1], three.batch)


# All of a request.


def test_a_throttled_request_is_tried_again(make_queue: Fixture, arrived: Fixture, three: Any, proxy: Any) -> None:
    url = make_queue()
    proxy.faults.append(refuses(400, THROTTLED))
    problems = SQSDeadLetters(url).deliver_dead_letters(three.outcomes, three.batch)
    assert list(problems) == [None, None, None]
    assert [message["Body"] for message in arrived(url)] == ["one", "two", "zero"]
    assert [request.entries for request in proxy.requests] == [3, 3]


@pytest.mark.parametrize(
    ("status", "code", "attempts"),
    [
        (400, THROTTLED, 3),
        (500, "InternalFailure", 3),
        (503, "ServiceUnavailable", 3),
        (403, "AccessDenied", 1),
        (400, "AccessDeniedException", 1),
        (400, "QueueDoesNotExist", 1),
        (400, "AWS.SimpleQueueService.NonExistentQueue", 1),
        (400, "KmsAccessDenied", 1),
        (400, "KMS.NotFoundException", 1),
        (400, "InvalidSecurity", 1),
        (400, "ExpiredToken", 1),
        (400, "UnrecognizedClientException", 1),
    ],
)
def test_a_request_that_fails_for_all_delivers_nothing_and_is_not_taken_apart(
    make_queue: Fixture, arrived: Fixture, three: Any, proxy: Any, status: int, code: str, attempts: int
) -> None:
    url = make_queue()
    proxy.always = refuses(status, code)
    problems = SQSDeadLetters(url).deliver_dead_letters(three.outcomes, three.batch)
    assert [not_delivered(problem).identifier for problem in problems] == ["m0", "m1", "m2"]
    assert {not_delivered(problem).code for problem in problems} == {code}
    assert all(isinstance(problem.__cause__, ClientError) for problem in problems if problem)
    assert [request.entries for request in proxy.requests] == [3] * attempts
    assert arrived(url) == []


def test_after_such_a_request_no_other_is_sent(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    proxy.always = refuses(403, "AccessDenied")
    records = failed(*(make_letter(f"m{number}") for number in range(25)))
    problems = SQSDeadLetters(make_queue()).deliver_dead_letters(records.outcomes, records.batch)
    assert [not_delivered(problem).identifier for problem in problems] == [f"m{number}" for number in range(25)]
    assert ["AccessDenied" in str(problem) for problem in problems] == [True] * 10 + [False] * 15
    assert "was not sent: an earlier request failed" in str(problems[10])
    assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "InvalidParameterValue"), (400, "InvalidMessageContents"), (400, "BatchRequestTooLong"), (413, "413")],
)
def test_a_request_that_may_have_been_refused_for_one_message_is_taken_apart(
    make_queue: Fixture, arrived: Fixture, three: Any, proxy: Any, status: int, code: str
) -> None:
    url = make_queue()
    refused = refuses(status, code)
    proxy.faults.extend([refused, None, refused, None])
    first, second, third = SQSDeadLetters(url).deliver_dead_letters(three.outcomes, three.batch)
    assert (first, third) == (None, None)
    problem = not_delivered(second)
    assert (problem.identifier, problem.code) == ("m1", code)
    assert isinstance(problem.__cause__, ClientError)
    assert [message["Body"] for message in arrived(url)] == ["two", "zero"]
    assert [request.entries for request in proxy.requests] == [3, 1, 1, 1]


def test_a_message_that_boto3_refuses_costs_itself_alone_and_is_not_quoted(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    url = make_queue()
    strange = {"a": {"DataType": "String", "StringValue": "x", "StringListValues": "secret"}}
    records = failed(make_letter("m0", "zero"), make_letter("m1", "one", attributes=strange), make_letter("m2", "two"))
    first, second, third = SQSDeadLetters(url).deliver_dead_letters(records.outcomes, records.batch)
    assert (first, third) == (None, None)
    problem = not_delivered(second)
    assert (problem.identifier, problem.code) == ("m1", "ParamValidationError")
    assert "secret" not in "".join(traceback.format_exception(problem))
    assert [message["Body"] for message in arrived(url)] == ["two", "zero"]


def test_a_request_taken_apart_ends_where_all_would_fail(make_queue: Fixture, three: Any, proxy: Any) -> None:
    proxy.faults.extend([refuses(400, "InvalidParameterValue"), None, refuses(403, "AccessDenied")])
    first, second, third = SQSDeadLetters(make_queue()).deliver_dead_letters(three.outcomes, three.batch)
    assert first is None
    assert not_delivered(second).code == "AccessDenied"
    assert "was not sent" in str(not_delivered(third))
    assert [request.entries for request in proxy.requests] == [3, 1, 1]


def test_after_a_refused_message_the_other_requests_are_sent(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    refused = refuses(400, "InvalidParameterValue")
    proxy.faults.extend([refused, *[None] * 9, refused])
    records = failed(*(make_letter(f"m{number}") for number in range(11)))
    problems = SQSDeadLetters(make_queue()).deliver_dead_letters(records.outcomes, records.batch)
    assert [problem is None for problem in problems] == [True] * 9 + [False, True]


def test_one_large_message_that_sqs_refuses_costs_itself_alone(
    make_queue: Fixture, sqs: Any, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    """A queue whose limit is lower than what the deliverer was told. The server refuses the whole request."""
    url = make_queue()
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1024"})
    records = failed(make_letter("m0", "zero"), make_letter("m1", "x" * 2_000), make_letter("m2", "two"))
    first, second, third = SQSDeadLetters(url).deliver_dead_letters(records.outcomes, records.batch)
    assert (first, third) == (None, None)
    assert not_delivered(second).identifier == "m1"
    assert [message["Body"] for message in arrived(url)] == ["two", "zero"]


def test_a_queue_that_is_not_there_delivers_nothing(make_queue: Fixture, three: Any, proxy: Any) -> None:
    deliverer = SQSDeadLetters(f"{make_queue()}-of-nobody")
    problems = deliverer.deliver_dead_letters(three.outcomes, three.batch)
    assert ["does not exist" in str(not_delivered(problem)) for problem in problems] == [True] * 3
    assert len(proxy.requests) == 1


# No response.


def test_an_endpoint_where_nobody_listens_delivers_nothing(
    make_queue: Fixture, three: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    problems = SQSDeadLetters(make_queue()).deliver_dead_letters(three.outcomes, three.batch)
    assert [not_delivered(problem).code for problem in problems] == ["EndpointConnectionError"] * 3
    assert all(isinstance(problem.__cause__, EndpointConnectionError) for problem in problems if problem)


def test_an_endpoint_that_never_answers_delivers_nothing(
    make_queue: Fixture, three: Any, proxy: Any, impatient: Any
) -> None:
    proxy.always = silence
    started = time.monotonic()
    problems = SQSDeadLetters(make_queue(), client=impatient).deliver_dead_letters(three.outcomes, three.batch)
    assert time.monotonic() - started < 10
    assert [not_delivered(problem).code for problem in problems] == ["ReadTimeoutError"] * 3
    assert all(isinstance(problem.__cause__, ReadTimeoutError) for problem in problems if problem)
    assert [request.entries for request in proxy.requests] == [3, 3]


def test_one_alone_raises_when_nobody_answers(make_queue: Fixture, three: Any, proxy: Any, impatient: Any) -> None:
    proxy.always = silence
    deliverer = SQSDeadLetters(make_queue(), client=impatient)
    with pytest.raises(NotDeliveredError, match="record m0 was not delivered: ReadTimeoutError"):
        deliverer.deliver_dead_letter(three.outcomes[0], three.batch)


def test_what_fails_is_delivered_when_the_service_is_back(
    make_queue: Fixture, arrived: Fixture, three: Any, proxy: Any
) -> None:
    url = make_queue()
    deliverer = SQSDeadLetters(url)
    proxy.always = refuses(403, "AccessDenied")
    assert None not in deliverer.deliver_dead_letters(three.outcomes, three.batch)
    proxy.always = None
    assert list(deliverer.deliver_dead_letters(three.outcomes, three.batch)) == [None] * 3
    assert len(arrived(url)) == 3
