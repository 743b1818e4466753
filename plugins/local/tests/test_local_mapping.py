"""A mapping receives, invokes, reads the response and acknowledges, on a real endpoint."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from batchcore_local import (
    BatchReport,
    Delivery,
    EventSourceMapping,
    LocalFunction,
    NotDrainedError,
    Reading,
    SettlementError,
    SqsPoller,
    read_response,
)
from batchcore_local.server import LocalAws

MakeQueue = Callable[..., str]


def bodies(sqs: Any, url: str) -> list[str]:
    found: list[str] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60).get("Messages"):
        found += [message["Body"] for message in messages]
    return sorted(found)


class Shop:
    """A handler that fails some bodies once and some always, and counts what it is given."""

    def __init__(self, once: str = "", always: str = "") -> None:
        self.once, self.always = once, always
        self.seen: Counter[str] = Counter()

    def __call__(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        return {
            "batchItemFailures": [
                {"itemIdentifier": record["messageId"]} for record in event["Records"] if not self._done(record)
            ]
        }

    def _done(self, record: Mapping[str, Any]) -> bool:
        body = record["body"]
        self.seen[body] += 1
        assert record["attributes"]["ApproximateReceiveCount"] == str(self.seen[body])
        return body not in self.always and (body not in self.once or self.seen[body] > 1)


def mapping(aws: LocalAws, url: str, handler: Any, **options: Any) -> EventSourceMapping:
    return EventSourceMapping(SqsPoller(aws, url, wait_seconds=0), LocalFunction(handler), **options)


def test_a_drain_does_each_once_redelivers_what_failed_and_leaves_poison_to_the_dead_letter_queue(
    aws: LocalAws, sqs: Any, make_queue: MakeQueue
) -> None:
    dead = make_queue()
    url = make_queue(dead)
    for body in "abcdefghijkl":
        sqs.send_message(QueueUrl=url, MessageBody=body)
    shop = Shop(once="bgl", always="dk")
    reports: list[BatchReport] = []

    batches = mapping(aws, url, shop).drain(on_batch=reports.append)

    assert shop.seen == Counter({**dict.fromkeys("acefhij", 1), **dict.fromkeys("bgldk", 2)})
    assert bodies(sqs, dead) == ["d", "k"]
    assert bodies(sqs, url) == []
    assert [report.number for report in reports] == list(range(1, batches + 1))
    assert sum(report.received for report in reports) == 12 + 5
    assert sum(report.redelivered for report in reports) == 5
    assert sum(report.failed for report in reports) == 3 + 2 + 2


def test_poll_sees_one_batch_through_and_says_what_became_of_it(aws: LocalAws, sqs: Any, make_queue: MakeQueue) -> None:
    url = make_queue()
    for body in "abc":
        sqs.send_message(QueueUrl=url, MessageBody=body)
    one = mapping(aws, url, Shop(once="b"))
    assert one.poll() == BatchReport(number=1, received=3, redelivered=0, failed=1, complaint=None)
    assert one.poll() == BatchReport(number=2, received=1, redelivered=1, failed=0, complaint=None)
    assert one.poll() is None


def test_a_function_that_raises_gets_its_whole_batch_back(aws: LocalAws, sqs: Any, make_queue: MakeQueue) -> None:
    url = make_queue()
    for body in "ab":
        sqs.send_message(QueueUrl=url, MessageBody=body)

    def handler(event: Any, context: Any) -> None:
        raise ValueError("no")

    report = mapping(aws, url, handler).poll()

    assert report == BatchReport(1, received=2, redelivered=0, failed=2, complaint="ValueError: no")
    assert bodies(sqs, url) == ["a", "b"]


@pytest.mark.parametrize("response", [object(), "done", {"batchItemFailures": [{"foo": "bar"}]}])
def test_a_response_that_lambda_cannot_use_brings_the_whole_batch_back(
    aws: LocalAws, sqs: Any, make_queue: MakeQueue, response: Any
) -> None:
    url = make_queue()
    sqs.send_message(QueueUrl=url, MessageBody="a")
    report = mapping(aws, url, lambda event, context: response).poll()
    assert report is not None
    assert report.failed == 1
    assert bodies(sqs, url) == ["a"]


def test_a_wrong_outer_key_deletes_what_failed(aws: LocalAws, sqs: Any, make_queue: MakeQueue) -> None:
    url = make_queue()
    sqs.send_message(QueueUrl=url, MessageBody="a")
    report = mapping(aws, url, lambda event, context: {"failures": ["a"]}).poll()
    assert report is not None
    assert report.failed == 0
    assert bodies(sqs, url) == []


def test_without_report_batch_item_failures_the_response_is_not_read(
    aws: LocalAws, sqs: Any, make_queue: MakeQueue
) -> None:
    url = make_queue()
    sqs.send_message(QueueUrl=url, MessageBody="a")
    report = mapping(aws, url, Shop(always="a"), report_batch_item_failures=False).poll()
    assert report == BatchReport(1, received=1, redelivered=0, failed=0, complaint=None)
    assert bodies(sqs, url) == []


def test_without_report_batch_item_failures_a_function_that_raises_still_gets_its_batch_back(
    aws: LocalAws, sqs: Any, make_queue: MakeQueue
) -> None:
    url = make_queue()
    sqs.send_message(QueueUrl=url, MessageBody="a")

    def handler(event: Any, context: Any) -> None:
        raise ValueError("no")

    report = mapping(aws, url, handler, report_batch_item_failures=False).poll()
    assert report is not None
    assert report.failed == 1
    assert bodies(sqs, url) == ["a"]


def test_a_function_that_changes_its_event_changes_nothing_for_the_mapping(
    aws: LocalAws, sqs: Any, make_queue: MakeQueue
) -> None:
    url = make_queue()
    sqs.send_message(QueueUrl=url, MessageBody="a")
    report = mapping(aws, url, lambda event, context: event["Records"].clear()).poll()
    assert report is not None
    assert report.received == 1
    assert bodies(sqs, url) == []


def test_draining_gives_up_and_says_how_much_is_left(aws: LocalAws, sqs: Any, make_queue: MakeQueue) -> None:
    url = make_queue()  # no dead-letter queue: what fails always comes back for ever
    for body in "abc":
        sqs.send_message(QueueUrl=url, MessageBody=body)
    with pytest.raises(NotDrainedError, match="still holds 2 records") as caught:
        mapping(aws, url, Shop(always="ab"), clock=iter(range(100)).__next__).drain(timeout=5)
    assert caught.value.depth == 2


def test_a_message_that_sqs_refuses_to_delete_is_an_error_that_names_it(
    aws: LocalAws, sqs: Any, make_queue: MakeQueue
) -> None:
    url = make_queue()
    poller = SqsPoller(aws, url, wait_seconds=0)
    for body in "ab":
        sqs.send_message(QueueUrl=url, MessageBody=body)
    delivery = poller.receive()
    assert delivery is not None
    records = json.loads(json.dumps(delivery.event["Records"]))
    records[1]["receiptHandle"] = "no such handle"
    with pytest.raises(SettlementError) as caught:
        poller.settle(Delivery({"Records": records}, delivery.identifiers, 0), Reading(frozenset()))
    assert caught.value.identifiers == (delivery.identifiers[1],)
    assert len(bodies(sqs, url)) == 1


def test_batchcores_own_response_is_read_as_it_was_meant(aws: LocalAws, sqs: Any, make_queue: MakeQueue) -> None:
    from batchcore import BatchProcessor, process_partial_response
    from batchcore_sqs import SQSRecord

    url = make_queue()
    for body in ("1", "two", "3"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    processor = BatchProcessor("sqs")

    def handle(record: SQSRecord) -> None:
        int(record.body)

    report = mapping(
        aws, url, lambda event, context: process_partial_response(event, handle, processor, context)
    ).poll()

    assert report == BatchReport(1, received=3, redelivered=0, failed=1, complaint=None)
    assert bodies(sqs, url) == ["two"]


def test_two_messages_of_one_identifier_share_its_fate() -> None:
    assert read_response('{"batchItemFailures": [{"itemIdentifier": "a"}]}', ["a", "a", "b"]).failed == {"a"}
