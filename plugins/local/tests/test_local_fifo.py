"""The order of a FIFO queue is kept whatever fails, and what failed comes back when the queue says."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from batchcore import BatchProcessor, process_partial_response
from batchcore_local import Connection, EventSourceMapping, LocalFunction, Reading, SettlementError, SqsPoller
from batchcore_local.server import LocalAws
from batchcore_sqs import SqsFifoPartialProcessor

MakeQueue = Callable[..., str]


@pytest.fixture
def make_fifo(make_queue: MakeQueue) -> MakeQueue:
    """Create a FIFO queue, and return its URL."""

    def make(dead_letters: str | None = None, *, visibility: int = 0) -> str:
        return make_queue(dead_letters, ".fifo", FifoQueue="true", VisibilityTimeout=str(visibility))

    return make


class Time:
    """What tells the poller the time, and stands still unless it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    moved = Time()
    monkeypatch.setattr("batchcore_local.fifo.time", SimpleNamespace(monotonic=moved.monotonic))
    return moved


def send(sqs: Any, url: str, bodies: Iterable[str]) -> None:
    """Send messages whose first letter is their group."""
    for body in bodies:
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body[0], MessageDeduplicationId=body)


def bodies_of(poller: SqsPoller) -> list[str]:
    delivery = poller.receive()
    return [] if delivery is None else [record["body"] for record in delivery.event["Records"]]


class Seen:
    """A record handler that notes every call, and fails each body as often as it is told to."""

    def __init__(self, failures: Mapping[str, int]) -> None:
        self.failures = dict(failures)
        self.calls: list[str] = []
        self.done: list[str] = []

    def __call__(self, record: Any) -> None:
        body = record["body"]
        self.calls.append(body)
        if self.failures.get(body, 0):
            self.failures[body] -= 1
            raise ValueError(body)
        self.done.append(body)


def drain(poller: SqsPoller, seen: Seen, processor: Any = None) -> None:
    """Let a function with batchcore read a queue until it is empty."""
    used = processor or BatchProcessor("sqs")

    def lambda_handler(event: Any, context: Any) -> Any:
        return process_partial_response(event, seen, used, context)

    EventSourceMapping(poller, LocalFunction(lambda_handler)).drain()


@pytest.mark.parametrize("visibility", [0, 1])
@pytest.mark.parametrize("wait", [0, 1])
def test_a_first_message_that_fails_once_is_done_before_those_behind_it(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue, visibility: int, wait: int
) -> None:
    url = make_fifo(visibility=visibility)
    send(sqs, url, ["A0", "A1", "A2", "A3", "A4"])
    seen = Seen({"A0": 1})

    drain(SqsPoller(aws, url, batch_size=3, wait_seconds=wait), seen)

    assert seen.calls == ["A0", "A0", "A1", "A2", "A3", "A4"]


def test_a_message_in_the_middle_fails_with_those_of_its_group_behind_it(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue
) -> None:
    url = make_fifo()
    send(sqs, url, ["A0", "B0", "A1", "B1", "A2", "B2", "A3", "B3"])
    seen = Seen({"A1": 2})

    drain(SqsPoller(aws, url, batch_size=6), seen, SqsFifoPartialProcessor(skip_group_on_error=True))

    assert [body for body in seen.calls if body[0] == "A"] == ["A0", "A1", "A1", "A1", "A2", "A3"]
    assert [body for body in seen.calls if body[0] == "B"] == ["B0", "B1", "B2", "B3"]


@pytest.mark.parametrize("seed", range(12))
def test_every_group_is_done_in_order_and_once_whatever_fails(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue, seed: int
) -> None:
    chance = random.Random(seed)
    url = make_fifo()
    bodies = [f"{chance.choice('ABC')}{number:02}" for number in range(24)]
    send(sqs, url, bodies)
    seen = Seen({body: chance.choice([0, 0, 1, 2]) for body in bodies})
    processor = SqsFifoPartialProcessor(skip_group_on_error=chance.random() < 0.7, raise_on_entire_batch_failure=False)

    drain(SqsPoller(aws, url, batch_size=chance.randint(2, 10), wait_seconds=0), seen, processor)

    for group in "ABC":
        assert [body for body in seen.done if body[0] == group] == [body for body in bodies if body[0] == group]


@pytest.mark.parametrize("ending", ["raises", "exits", "times out"])
def test_a_function_that_dies_gets_its_whole_batch_back_in_order(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue, ending: str
) -> None:
    url = make_fifo()
    send(sqs, url, ["A0", "A1", "A2", "A3"])
    batches: list[list[str]] = []
    now = [0.0]

    def lambda_handler(event: Any, context: Any) -> Any:
        batches.append([record["body"] for record in event["Records"]])
        if len(batches) == 1 and ending == "raises":
            raise ValueError
        if len(batches) == 1 and ending == "exits":
            raise SystemExit
        if len(batches) == 1:
            now[0] += 31
        return {"batchItemFailures": []}

    poller = SqsPoller(aws, url, batch_size=3)
    EventSourceMapping(poller, LocalFunction(lambda_handler, timeout=30, clock=lambda: now[0])).drain()

    assert batches == [["A0", "A1", "A2"], ["A0", "A1", "A2"], ["A3"]]


def test_poison_goes_to_the_dead_letter_queue_after_as_many_receives_as_the_queue_says(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue
) -> None:
    dead = make_fifo(visibility=30)
    url = make_fifo(dead)
    send(sqs, url, ["A0", "A1", "A2"])
    seen = Seen({"A0": 100})

    drain(SqsPoller(aws, url, batch_size=1), seen, BatchProcessor("sqs", raise_on_entire_batch_failure=False))

    assert seen.calls == ["A0", "A0", "A1", "A2"]
    assert bodies_of(SqsPoller(aws, dead)) == ["A0"]


# When a message comes back.


def test_what_failed_stays_away_as_long_as_the_queue_says_and_not_longer(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue, clock: Time
) -> None:
    url = make_fifo(visibility=30)
    send(sqs, url, ["A0", "A1", "A2", "A3"])
    poller = SqsPoller(aws, url, batch_size=3, wait_seconds=0)
    delivery = poller.receive()
    assert delivery is not None
    poller.settle(delivery, Reading(frozenset(delivery.identifiers)))

    clock.now += 29.9
    assert bodies_of(poller) == []
    clock.now += 0.1
    assert bodies_of(poller) == ["A0", "A1", "A2"]


def test_what_failed_does_not_keep_other_groups_waiting(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue, clock: Time
) -> None:
    url = make_fifo(visibility=30)
    send(sqs, url, ["A0", "A1", "B0", "A2", "B1"])
    poller = SqsPoller(aws, url, batch_size=2)
    delivery = poller.receive()
    assert delivery is not None
    poller.settle(delivery, Reading(frozenset(delivery.identifiers)))

    assert bodies_of(poller) == ["B0", "B1"]


def test_batches_that_are_in_flight_together_come_back_each_in_its_time_and_order(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue, clock: Time
) -> None:
    url = make_fifo(visibility=30)
    send(sqs, url, ["A0", "A1", "B0", "B1", "A2", "B2"])
    poller = SqsPoller(aws, url, batch_size=2, wait_seconds=0)
    first = poller.receive()
    clock.now += 10
    second = poller.receive()
    assert first is not None
    assert second is not None
    poller.settle(second, Reading(frozenset(second.identifiers)))  # nobody settles the first: its function has died

    clock.now += 20
    assert bodies_of(poller) == ["A0", "A1"]
    assert bodies_of(poller) == []
    clock.now += 10
    assert bodies_of(poller) == ["B0", "B1"]


def test_a_function_that_takes_longer_than_the_visibility_timeout_finds_what_failed_visible_again(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue, clock: Time
) -> None:
    url = make_fifo(visibility=30)
    send(sqs, url, ["A0", "A1"])
    poller = SqsPoller(aws, url)
    delivery = poller.receive()
    assert delivery is not None
    clock.now += 40
    poller.settle(delivery, Reading(frozenset(delivery.identifiers)))

    received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    assert [message["Body"] for message in received] == ["A0", "A1"]


def test_a_message_that_somebody_else_made_visible_is_not_made_visible_by_its_old_receipt_handle(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue, clock: Time
) -> None:
    url = make_fifo(visibility=30)
    send(sqs, url, ["A0"])
    poller = SqsPoller(aws, url, wait_seconds=0)
    first = poller.receive()
    assert first is not None
    handle = first.event["Records"][0]["receiptHandle"]
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0)
    clock.now += 20
    assert bodies_of(poller) == ["A0"]

    clock.now += 20
    assert bodies_of(poller) == []


def test_a_message_that_sqs_refuses_to_delete_comes_back_in_its_place(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue, clock: Time
) -> None:
    url = make_fifo(visibility=30)
    send(sqs, url, ["A0", "A1", "A2"])
    poller = SqsPoller(aws, url, wait_seconds=0)
    delivery = poller.receive()
    assert delivery is not None
    broken = [dict(record) for record in delivery.event["Records"]]
    broken[1]["receiptHandle"] = "no such handle"
    with pytest.raises(SettlementError):
        poller.settle(delivery._replace(event={"Records": broken}), Reading(frozenset({delivery.identifiers[2]})))

    clock.now += 30
    assert bodies_of(poller) == ["A1", "A2"]


def test_the_longest_visibility_timeout_that_there_is_can_be_had(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue, clock: Time
) -> None:
    url = make_fifo(visibility=43_200)
    send(sqs, url, ["A0"])
    assert bodies_of(SqsPoller(aws, url)) == ["A0"]


# What is asked of the server.


class Watched:
    """A connection that notes what its clients ask for."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def client(self, service: str) -> Any:
        client = self.aws.client(service)
        client.meta.events.register("provide-client-params.sqs", self._note)
        return client

    def _note(self, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        self.calls.append((model.name, params))


def test_a_standard_queue_is_left_to_the_server(aws: LocalAws, sqs: Any, make_queue: MakeQueue) -> None:
    url = make_queue()
    for body in ("a", "b"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    watched = Watched(aws)
    connection: Connection = watched

    drain(SqsPoller(connection, url, wait_seconds=1), Seen({"a": 1}))

    operations = [operation for operation, _ in watched.calls]
    assert "ChangeMessageVisibilityBatch" not in operations
    receives = [params for operation, params in watched.calls if operation == "ReceiveMessage"]
    assert [params["WaitTimeSeconds"] for params in receives] == [1] * len(receives)
    assert not any("VisibilityTimeout" in params for params in receives)


def test_the_server_hides_a_message_of_a_fifo_queue_longer_than_the_poller_does(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue
) -> None:
    watched = Watched(aws)

    SqsPoller(watched, make_fifo(visibility=30), wait_seconds=0).receive()

    (asked,) = [params["VisibilityTimeout"] for operation, params in watched.calls if operation == "ReceiveMessage"]
    assert asked > 30


def test_a_fifo_queue_is_waited_for_in_one_request_while_nothing_is_in_flight(
    aws: LocalAws, sqs: Any, make_fifo: MakeQueue
) -> None:
    url = make_fifo(visibility=30)
    watched = Watched(aws)
    poller = SqsPoller(watched, url, wait_seconds=1)

    assert poller.receive() is None

    receives = [params["WaitTimeSeconds"] for operation, params in watched.calls if operation == "ReceiveMessage"]
    assert receives == [1]
