"""The batch is a transaction and each record a span of it, where traces are sampled."""

from __future__ import annotations

from typing import Any

import pytest
import sentry_sdk

from batchcore import BatchProcessor
from batchcore_sentry import SentryObserver
from batchcore_sqs import SqsFifoPartialProcessor, SQSRecord
from batchcore_testing import make_event

from .test_sentry_events import WAYS, raises_what_it_is_told, run


def fails_on_b(record: SQSRecord) -> None:
    with sentry_sdk.start_span(op="db", name=f"look up {record.body}"):
        pass
    if record.body == "b":
        raise ValueError("b")


def of_records(transaction: Any) -> list[Any]:
    """The spans of records. The SDK makes some of its own requests, too, where the DSN has a port."""
    return [span for span in transaction["spans"] if span["op"] == "queue.process"]


@pytest.mark.parametrize("way", WAYS)
def test_a_batch_is_a_transaction_and_its_records_are_spans(init: Any, receiver: Any, way: str) -> None:
    init(traces_sample_rate=1.0)
    event = make_event("sqs", *"abc")
    run(way, event, fails_on_b)
    (transaction,) = receiver.transactions
    trace = transaction["contexts"]["trace"]
    assert (transaction["transaction"], trace["op"], trace["status"]) == ("batch of sqs", "queue.batch", "ok")
    assert {name: trace["data"][f"batchcore.{name}"] for name in ("succeeded", "failed")} == {
        "succeeded": 2,
        "failed": 1,
    }
    spans = {span["data"]["messaging.message.id"]: span for span in of_records(transaction)}
    assert spans.keys() == {record["messageId"] for record in event["Records"]}
    assert {span["parent_span_id"] for span in spans.values()} == {trace["span_id"]}
    failed = event["Records"][1]["messageId"]
    assert [name for name, span in spans.items() if span.get("status") == "internal_error"] == [failed]
    for record in event["Records"]:
        (below,) = [span for span in transaction["spans"] if span["description"] == f"look up {record['body']}"]
        assert below["parent_span_id"] == spans[record["messageId"]]["span_id"]
    (reported,) = receiver.events
    assert reported["contexts"]["trace"]["trace_id"] == trace["trace_id"]
    assert reported["contexts"]["trace"]["span_id"] == spans[failed]["span_id"]
    assert sentry_sdk.get_current_span() is None


def test_the_span_of_a_record_says_what_message_it_was(init: Any, receiver: Any) -> None:
    init(traces_sample_rate=1.0)
    event = make_event("sqs", "a", lanes=1)
    processor = SqsFifoPartialProcessor(plugins=[SentryObserver()])
    processor.run(event, lambda record: None)
    (span,) = of_records(receiver.transactions[0])
    queue = event["Records"][0]["eventSourceARN"].rpartition(":")[2]
    assert (span["op"], span["description"]) == ("queue.process", queue)
    assert span["data"]["messaging.destination.name"] == queue
    assert span["data"]["messaging.message.retry.count"] == 0
    assert span["data"]["batchcore.message_group_id"] == event["Records"][0]["attributes"]["MessageGroupId"]


def test_what_is_dropped_is_no_error(init: Any, receiver: Any) -> None:
    init(traces_sample_rate=1.0)
    run("one by one", make_event("sqs", "drop"), raises_what_it_is_told)
    (span,) = of_records(receiver.transactions[0])
    assert span.get("status") in (None, "ok")


def test_a_batch_of_which_no_record_is_done_is_an_error(init: Any, receiver: Any) -> None:
    init(traces_sample_rate=1.0)
    run("one by one", make_event("sqs", "b"), fails_on_b)
    assert receiver.transactions[0]["contexts"]["trace"]["status"] == "internal_error"


def test_below_an_open_transaction_a_batch_is_a_span(init: Any, receiver: Any) -> None:
    init(traces_sample_rate=1.0)
    with sentry_sdk.start_transaction(name="function", op="function.aws"):
        run("one by one", make_event("sqs", *"ab"), fails_on_b)
        assert sentry_sdk.get_current_span().op == "function.aws"
    sentry_sdk.flush()
    (transaction,) = receiver.transactions
    of_op = {span["op"]: span for span in transaction["spans"]}
    assert of_op["queue.batch"]["parent_span_id"] == transaction["contexts"]["trace"]["span_id"]
    assert of_op["queue.process"]["parent_span_id"] == of_op["queue.batch"]["span_id"]
    assert of_op["queue.batch"]["data"]["batchcore.failed"] == 1


@pytest.mark.parametrize("options", [{}, {"traces_sample_rate": 0.0}, {"traces_sampler": lambda context: 0}])
def test_without_sampled_traces_there_are_errors_alone(init: Any, receiver: Any, options: Any) -> None:
    init(**options)
    run("one by one", make_event("sqs", "b"), fails_on_b)
    assert (len(receiver.events), receiver.transactions) == (1, [])


def test_a_record_without_a_scope_belongs_to_the_batch(init: Any, receiver: Any) -> None:
    from .test_sentry_logging import Opens

    init(traces_sample_rate=1.0)
    run("one by one", make_event("sqs", "bad"), fails_on_b, plugins=[Opens(), SentryObserver()])
    trace = receiver.events[0]["contexts"]["trace"]
    assert trace["span_id"] == receiver.transactions[0]["contexts"]["trace"]["span_id"]


def test_where_the_sdk_streams_spans_there_are_errors_alone(init: Any, receiver: Any) -> None:
    init(traces_sample_rate=1.0, _experiments={"trace_lifecycle": "stream"})
    processor = BatchProcessor("sqs", plugins=[SentryObserver()], raise_on_entire_batch_failure=False)
    processor.run(make_event("sqs", "a"), lambda record: {}[record.body])
    assert len(receiver.events) == 1
