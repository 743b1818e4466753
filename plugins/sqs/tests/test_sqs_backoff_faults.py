"""Back-off when SQS is slow, refuses or cannot be reached; and which queue it calls, by which client."""

from __future__ import annotations

import pickle
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from batchcore_sqs import VisibilityBackoff, VisibilityNotChangedError, visibility

UNTOUCHED = pytest.approx(1000, abs=20)


def near(seconds: float) -> Any:
    return pytest.approx(seconds, abs=2)


def failing(queue: Any, process: Any, number: int, context: Any = None) -> Any:
    """Give the result of a batch that failed: messages ``bad 0`` and so on."""
    queue.send(*(f"bad {n}" for n in range(number)))
    return process(queue.receive(), context)


def identifiers(error: VisibilityNotChangedError) -> list[Any]:
    return [identifier for identifier, _ in error.reasons]


# What is tried again.


def test_a_call_that_is_throttled_is_tried_again(
    queue: Any, between: Any, process: Any, highest: Any, environment: Any
) -> None:
    between.faults = [(400, "RequestThrottled")]
    VisibilityBackoff(5, random=highest).after_batch(failing(queue, process, 1))
    assert between.calls == [["0"], ["0"]]
    assert queue.hidden() == {"bad 0": near(5)}


@pytest.mark.parametrize(
    "refusal", [("InternalError", False), ("RequestThrottled", True), ("ThrottlingException", True)]
)
def test_a_message_that_is_refused_for_now_is_tried_again_alone(
    queue: Any, client: Any, between: Any, process: Any, highest: Any, refusal: Any
) -> None:
    between.faults = [{"1": refusal}]
    VisibilityBackoff(5, client=client, random=highest).after_batch(failing(queue, process, 3))
    assert between.calls == [["0", "1", "2"], ["1"]]
    assert queue.hidden() == dict.fromkeys(["bad 0", "bad 1", "bad 2"], near(5))


def test_a_message_that_is_refused_for_good_is_not_tried_again(
    queue: Any, client: Any, between: Any, process: Any, highest: Any
) -> None:
    between.faults = [{"1": ("ReceiptHandleIsInvalid", True)}]
    result = failing(queue, process, 3)
    with pytest.raises(VisibilityNotChangedError) as caught:
        VisibilityBackoff(5, client=client, random=highest).after_batch(result)
    assert between.calls == [["0", "1", "2"]]
    assert queue.hidden() == {"bad 0": near(5), "bad 1": UNTOUCHED, "bad 2": near(5)}
    assert caught.value.reasons == [(result.batch.identifiers[1], "ReceiptHandleIsInvalid: not now")]


def test_what_is_refused_three_times_is_given_up(
    queue: Any, client: Any, between: Any, process: Any, highest: Any
) -> None:
    between.faults = [{"0": ("InternalError", False)}] * 9
    result = failing(queue, process, 2)
    with pytest.raises(VisibilityNotChangedError) as caught:
        VisibilityBackoff(5, client=client, random=highest).after_batch(result)
    assert between.calls == [["0", "1"], ["0"], ["0"]]
    assert queue.hidden() == {"bad 0": UNTOUCHED, "bad 1": near(5)}
    assert identifiers(caught.value) == [result.batch.identifiers[0]]


def test_what_was_refused_for_good_is_remembered_while_others_are_tried_again(
    queue: Any, client: Any, between: Any, process: Any
) -> None:
    between.faults = [{"0": ("ReceiptHandleIsInvalid", True), "1": ("InternalError", False)}, (500, "InternalError")]
    result = failing(queue, process, 3)
    with pytest.raises(VisibilityNotChangedError) as caught:
        VisibilityBackoff(5, client=client).after_batch(result)
    assert identifiers(caught.value) == result.batch.identifiers[:2]


def test_a_call_that_fails_does_not_keep_the_next_from_being_made(
    queue: Any, client: Any, between: Any, process: Any, highest: Any
) -> None:
    between.faults = [(500, "InternalError")]
    result = failing(queue, process, 12)
    with pytest.raises(VisibilityNotChangedError, match=r"10 of 12 messages .* \(10 x\)") as caught:
        VisibilityBackoff(5, client=client, random=highest).after_batch(result)
    assert list(map(len, between.calls)) == [10, 2]
    assert sorted(queue.hidden().values()) == [near(5)] * 2 + [UNTOUCHED] * 10
    assert identifiers(caught.value) == result.batch.identifiers[:10]
    assert isinstance(caught.value.__cause__, ClientError)


def test_after_three_calls_in_a_row_that_failed_no_more_are_made(
    queue: Any, client: Any, between: Any, process: Any
) -> None:
    between.faults = [(500, "InternalError")] * 2 + [None] + [(500, "InternalError")] * 9
    with pytest.raises(VisibilityNotChangedError, match=r"not tried after 3 calls that failed \(2 x\)") as caught:
        VisibilityBackoff(5, client=client).after_batch(failing(queue, process, 62))
    assert list(map(len, between.calls)) == [10] * 6
    assert len(caught.value.reasons) == 52


# What cannot be mended.


def test_a_server_that_is_not_there_is_an_error_and_the_message_comes_back_by_itself(
    queue: Any, make_client: Any, process: Any
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and never listens
        client = make_client(f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(VisibilityNotChangedError, match="they come back after the queue's own") as caught:
            VisibilityBackoff(client=client).after_batch(failing(queue, process, 1))
    assert isinstance(caught.value.__cause__, EndpointConnectionError)
    assert queue.hidden() == {"bad 0": UNTOUCHED}


def test_a_server_that_never_answers_is_an_error(queue: Any, make_client: Any, process: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = make_client(f"http://127.0.0.1:{silent.getsockname()[1]}", read_timeout=0.2)
        with pytest.raises(VisibilityNotChangedError) as caught:
            VisibilityBackoff(client=client).after_batch(failing(queue, process, 1))
    assert isinstance(caught.value.__cause__, ReadTimeoutError)


def test_a_permission_that_is_missing_is_named(queue: Any, client: Any, between: Any, process: Any) -> None:
    between.faults = [(403, "AccessDeniedException")]
    with pytest.raises(VisibilityNotChangedError, match="needs the permission sqs:ChangeMessageVisibility"):
        VisibilityBackoff(client=client).after_batch(failing(queue, process, 1))


@pytest.mark.parametrize("handle", [None, "", 7])
def test_a_message_without_a_receipt_handle_costs_itself_alone(
    queue: Any, client: Any, process: Any, highest: Any, handle: object
) -> None:
    queue.send("bad 0", "bad 1")
    event = queue.receive()
    event["Records"][0]["receiptHandle"] = handle
    with pytest.raises(VisibilityNotChangedError, match=r"1 of 2 .*the record has no receiptHandle"):
        VisibilityBackoff(5, client=client, random=highest).after_batch(process(event))
    assert queue.hidden() == {"bad 0": UNTOUCHED, "bad 1": near(5)}


class Context:
    """A Lambda context whose time runs out after so many questions."""

    def __init__(self, questions: int) -> None:
        self.left = questions

    def get_remaining_time_in_millis(self) -> int:
        self.left -= 1
        return max(0, self.left * 1000)


def test_no_call_is_made_when_the_time_of_the_invocation_is_over(
    queue: Any, client: Any, between: Any, process: Any
) -> None:
    context = Context(10**6)
    result = failing(queue, process, 25, context)
    context.left = 3
    with pytest.raises(VisibilityNotChangedError, match="time of the invocation was over \\(5 x\\)"):
        VisibilityBackoff(client=client).after_batch(result)
    assert list(map(len, between.calls)) == [10, 10]


def test_what_was_not_changed_can_be_pickled() -> None:
    error = VisibilityNotChangedError([("m1", "no"), ("m1", "no"), ("m2", "why")], 7)
    twin = pickle.loads(pickle.dumps(error))
    assert twin.reasons == error.reasons
    assert str(twin) == str(error)
    assert str(error).endswith("no (2 x); why (1 x)")


# Which queue, by which client.


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_url_of_the_queue_follows_from_its_arn_and_the_endpoint_of_the_client(
    queue: Any, make_client: Any, between: Any, slash: str
) -> None:
    client = make_client(between.url + slash)
    _, url = VisibilityBackoff(client=client)._queue({"eventSourceARN": queue.arn})
    assert url == f"{between.url}/123456789012/{queue.name}"


@pytest.mark.parametrize(
    "arn", [None, 7, "", "orders", "arn:aws:sns:us-east-1:1:orders", "arn:aws:sqs:us-east-1::orders"]
)
def test_without_an_arn_the_url_must_be_given(queue: Any, client: Any, process: Any, highest: Any, arn: object) -> None:
    queue.send("bad")
    event = queue.receive()
    event["Records"][0]["eventSourceARN"] = arn
    result = process(event)
    with pytest.raises(ValueError, match="Pass queue_url"):
        VisibilityBackoff(5, client=client, random=highest).after_batch(result)
    VisibilityBackoff(5, client=client, random=highest, queue_url=queue.url).after_batch(result)
    assert queue.hidden() == {"bad": near(5)}


def test_a_url_that_is_given_is_the_one_that_is_called(
    make_queue: Any, client: Any, process: Any, highest: Any
) -> None:
    named, called = make_queue(), make_queue()
    called.send("bad")
    event = called.receive()
    event["Records"][0]["eventSourceARN"] = named.arn
    VisibilityBackoff(5, client=client, random=highest, queue_url=called.url).after_batch(process(event))
    assert called.hidden() == {"bad": near(5)}


def test_a_client_is_made_where_boto3_is_told_to_find_sqs(
    queue: Any, between: Any, process: Any, highest: Any, environment: Any
) -> None:
    VisibilityBackoff(5, random=highest).after_batch(failing(queue, process, 1))
    assert between.calls == [["0"]]
    assert list(visibility._clients) == ["us-east-1"]


@pytest.mark.parametrize(
    ("arn", "url"),
    [
        ("arn:aws:sqs:ap-south-1:1:orders", "https://sqs.ap-south-1.amazonaws.com/1/orders"),
        ("arn:aws-cn:sqs:cn-north-1:2:orders.fifo", "https://sqs.cn-north-1.amazonaws.com.cn/2/orders.fifo"),
        ("arn:aws-us-gov:sqs:us-gov-west-1:3:q", "https://sqs.us-gov-west-1.amazonaws.com/3/q"),
    ],
)
def test_a_client_is_of_the_region_and_partition_of_the_queue(environment: Any, arn: str, url: str) -> None:
    environment.delenv("AWS_ENDPOINT_URL")
    client, queue_url = VisibilityBackoff()._queue({"eventSourceARN": arn})
    assert client.meta.region_name == arn.split(":")[3]
    assert queue_url == url


def test_a_client_without_an_arn_is_of_the_region_that_boto3_is_told(environment: Any) -> None:
    environment.setenv("AWS_DEFAULT_REGION", "eu-west-3")
    client, queue_url = VisibilityBackoff(queue_url="https://queue.example/1/q")._queue({})
    assert client.meta.region_name == "eu-west-3"
    assert queue_url == "https://queue.example/1/q"


def test_a_client_waits_seconds_and_tries_three_times(environment: Any) -> None:
    config = visibility.client_for("eu-west-1").meta.config
    assert (config.connect_timeout, config.read_timeout) == (2, 5)
    assert config.retries == {"mode": "standard", "total_max_attempts": 3}


def test_a_region_has_one_client_however_many_threads_ask_for_it(environment: Any) -> None:
    together = threading.Barrier(8)

    def ask(number: int) -> Any:
        together.wait(10)
        return visibility.client_for(f"eu-west-{number % 2 + 1}")

    with ThreadPoolExecutor(8) as threads:
        clients = list(threads.map(ask, range(8)))
    assert len(set(map(id, clients))) == 2
    assert clients[0] is not clients[1]


def test_threads_may_share_one_backoff(make_queue: Any, process: Any, highest: Any, environment: Any) -> None:
    backoff = VisibilityBackoff(5, random=highest)
    queues = [make_queue() for _ in range(4)]
    results = [failing(queue, process, 2) for queue in queues]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(backoff.after_batch, results))
    assert [queue.hidden() for queue in queues] == [{"bad 0": near(5), "bad 1": near(5)}] * 4
