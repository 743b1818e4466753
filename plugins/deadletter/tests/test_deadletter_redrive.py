"""Whole lives of messages on a real queue with a redrive: a poison, its neighbours, and a deliverer with faults."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

import batchcore_sqs  # noqa: F401 - it offers the source of the queue
from batchcore import AsyncBatchProcessor, BatchProcessor, Disposition
from batchcore_deadletter import SQSDeadLetters
from batchcore_local import EventSourceMapping, LocalFunction, SqsPoller
from batchcore_local.server import LocalAws

Fixture = Callable[..., Any]

GROUP = ["poison", "a", "b", "c", "d"]
RECEIVES = 3


@pytest.fixture
def redriven(sqs: Any, make_queue: Fixture) -> Callable[[], tuple[str, str]]:
    """Create a FIFO queue that holds a group with a poison in front, and the dead-letter queue of its redrive."""

    def make() -> tuple[str, str]:
        swept = make_queue(".fifo")
        arn = sqs.get_queue_attributes(QueueUrl=swept, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        queue: str = sqs.create_queue(
            QueueName=f"orders-{uuid.uuid4()}.fifo",
            Attributes={
                "FifoQueue": "true",
                "VisibilityTimeout": "0",
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": RECEIVES}),
            },
        )["QueueUrl"]
        for body in GROUP:
            sqs.send_message(
                QueueUrl=queue, MessageBody=body, MessageGroupId="customer", MessageDeduplicationId=str(uuid.uuid4())
            )
        return queue, swept

    return make


def drain(aws: LocalAws, queue: str, processor: BatchProcessor) -> list[str]:
    """Let a function read a queue until it is empty; give the bodies that it has done, in order."""
    done: list[str] = []

    def handler(record: Any) -> None:
        if record["body"] == "poison":
            raise ValueError("it will never do")
        done.append(record["body"])

    def lambda_handler(event: Any, context: Any) -> Any:
        return processor.run(event, handler, context).response

    EventSourceMapping(SqsPoller(aws, queue, wait_seconds=0), LocalFunction(lambda_handler)).drain(timeout=30)
    return done


def bodies(messages: list[dict[str, Any]]) -> list[str]:
    return [message["Body"] for message in messages]


def test_without_dead_letters_the_redrive_sweeps_the_healthy_neighbours_away(
    aws: LocalAws, redriven: Fixture, arrived: Fixture
) -> None:
    queue, swept = redriven()
    assert drain(aws, queue, BatchProcessor("sqs", raise_on_entire_batch_failure=False)) == []
    assert bodies(arrived(swept)) == ["a", "b", "c", "d", "poison"]


@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_poison_leaves_its_group_before_the_redrive_and_its_neighbours_are_done_in_order(
    aws: LocalAws, redriven: Fixture, make_queue: Fixture, arrived: Fixture, make: Any
) -> None:
    queue, swept = redriven()
    dead_letters = make_queue(".fifo")
    processor = make(
        "sqs",
        dead_letter_after=RECEIVES - 1,
        plugins=[SQSDeadLetters(dead_letters)],
        raise_on_entire_batch_failure=False,
    )
    assert drain(aws, queue, processor) == ["a", "b", "c", "d"]
    assert arrived(swept) == []
    (message,) = arrived(dead_letters)
    assert message["Body"] == "poison"
    assert message["Attributes"]["MessageGroupId"] == "customer"
    assert message["MessageAttributes"]["DeadLetterReason"]["StringValue"] == "ValueError: it will never do"


def refuses_once(proxy: Any) -> None:
    proxy.faults.append(lambda forward: (403, {"Content-Type": "application/x-amz-json-1.0"}, b"{}"))


def test_poison_that_could_not_be_delivered_is_delivered_the_next_time(
    aws: LocalAws, redriven: Fixture, make_queue: Fixture, arrived: Fixture, proxy: Any
) -> None:
    queue, swept = redriven()
    dead_letters = make_queue(".fifo")
    refuses_once(proxy)
    processor = BatchProcessor(
        "sqs",
        dispositions={ValueError: Disposition.DEAD_LETTER},
        plugins=[SQSDeadLetters(dead_letters)],
        raise_on_entire_batch_failure=False,
    )
    assert drain(aws, queue, processor) == ["a", "b", "c", "d"]
    assert [request.entries for request in proxy.requests] == [1, 1]
    assert (bodies(arrived(dead_letters)), arrived(swept)) == (["poison"], [])


class SoonOver:
    """A context that has a second left, whenever it is asked."""

    def get_remaining_time_in_millis(self) -> int:
        return 1_000


@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_an_endpoint_that_never_answers_costs_its_dead_letter_and_not_the_response(
    make_queue: Fixture, letters: Fixture, make_letter: Fixture, proxy: Any, make: Any
) -> None:
    proxy.always = lambda forward: None
    processor = make(
        letters(),
        dispositions={ValueError: Disposition.DEAD_LETTER},
        plugins=[SQSDeadLetters(make_queue())],
        stop_before_timeout=0.4,
    )

    def handler(record: Any) -> None:
        if record["body"] == "bad":
            raise ValueError

    result = processor.run({"letters": [make_letter("m1", "bad"), make_letter("m2", "good")]}, handler, SoonOver())
    assert result.response == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert "had not answered after" in str(result.explain()[0])
