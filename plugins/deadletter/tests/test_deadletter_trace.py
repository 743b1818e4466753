"""The trace of a message goes on with its dead letter, and never keeps it from being delivered."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import batchcore_sqs  # noqa: F401 - it offers the source of the queue
from batchcore import BatchProcessor, Disposition, Message, hookimpl
from batchcore_deadletter import SNSDeadLetters, SQSDeadLetters
from batchcore_local import EventSourceMapping, LocalFunction, SqsPoller
from batchcore_local.server import LocalAws

Fixture = Callable[..., Any]

TRACE = "Root=1-6893a2b4-aaaabbbbccccddddeeeeffff;Parent=0123456789abcdef;Sampled=1"
AS_SENT = {"AWSTraceHeader": {"DataType": "String", "StringValue": TRACE}}


def trace_of(entry: dict[str, Any]) -> str | None:
    value: str | None = entry.get("MessageSystemAttributes", {}).get("AWSTraceHeader", {}).get("StringValue")
    return value


def refuses(status: int, code: str) -> Callable[..., tuple[int, dict[str, str], bytes]]:
    headers = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-query-error": f"{code};Sender"}
    body = json.dumps({"__type": f"com.amazonaws.sqs#{code}", "message": "refused"}).encode()
    return lambda forward: (status, headers, body)


def says_the_sender_is_at_fault(forward: Any) -> tuple[int, dict[str, str], bytes]:
    """Refuse the first message of a request, which goes no further."""
    response = {"Failed": [{"Id": "0", "SenderFault": True, "Code": "InvalidParameterValue"}]}
    return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(response).encode()


# From a queue to its dead letters.


def test_the_trace_header_of_a_message_arrives_with_its_dead_letter(
    aws: LocalAws, sqs: Any, make_queue: Fixture, arrived: Fixture, proxy: Any
) -> None:
    queue, dead_letters = make_queue(), make_queue()
    sqs.send_message(QueueUrl=queue, MessageBody="bad", MessageSystemAttributes=AS_SENT)
    processor = BatchProcessor(
        "sqs", dispositions={ValueError: Disposition.DEAD_LETTER}, plugins=[SQSDeadLetters(dead_letters)]
    )

    def handler(record: Any) -> None:
        raise ValueError

    def lambda_handler(event: Any, context: Any) -> Any:
        return processor.run(event, handler, context).response

    EventSourceMapping(SqsPoller(aws, queue, wait_seconds=0), LocalFunction(lambda_handler)).drain()

    ((entry,),) = [request.sent for request in proxy.requests]
    # The server drops the system attributes of a batch, and keeps those of a message that is sent alone.
    del entry["Id"]
    sqs.purge_queue(QueueUrl=dead_letters)
    sqs.send_message(QueueUrl=dead_letters, **entry)
    (message,) = arrived(dead_letters)
    assert message["Attributes"]["AWSTraceHeader"] == TRACE
    assert message["Body"] == "bad"


def test_a_message_without_a_trace_header_gets_none(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    records = failed(make_letter())
    SQSDeadLetters(make_queue()).deliver_dead_letter(records.outcomes[0], records.batch)
    assert "MessageSystemAttributes" not in proxy.requests[0].sent[0]


def test_each_of_a_batch_has_its_own_trace_header(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    headers = [TRACE, None, TRACE.replace("ffff", "0000")]
    records = failed(*(make_letter(f"m{n}", trace_header=header) for n, header in enumerate(headers)))
    SQSDeadLetters(make_queue()).deliver_dead_letters(records.outcomes, records.batch)
    assert [trace_of(entry) for entry in proxy.requests[0].sent] == headers


def test_a_trace_header_takes_none_of_the_bytes_that_fit(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    url = make_queue()
    plain = failed(make_letter("m1", "x" * 500))
    probe = SQSDeadLetters(url, maximum_size=1)
    (problem,) = probe.deliver_dead_letters(plain.outcomes, plain.batch)
    traced = failed(make_letter("m1", "x" * 500, trace_header=TRACE))
    exact = SQSDeadLetters(url, maximum_size=problem.seen)
    assert list(exact.deliver_dead_letters(traced.outcomes, traced.batch)) == [None]


def test_a_trace_header_takes_none_of_the_ten_attributes(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    nine = {f"a{number}": {"DataType": "String", "StringValue": "x"} for number in range(9)}
    records = failed(make_letter(attributes=nine, trace_header=TRACE))
    SQSDeadLetters(make_queue()).deliver_dead_letter(records.outcomes[0], records.batch)
    assert trace_of(proxy.requests[0].sent[0]) == TRACE


def test_a_topic_gets_the_dead_letter_without_it(
    make_topic: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    topic, url = make_topic()
    records = failed(make_letter(trace_header=TRACE))
    SNSDeadLetters(topic).deliver_dead_letter(records.outcomes[0], records.batch)
    (message,) = arrived(url)
    assert message["Body"] == "hello"
    assert TRACE not in json.dumps(message["MessageAttributes"])


# What is a trace header.


@pytest.mark.parametrize(
    "header",
    [
        "Root=1-6893a2b4-aaaabbbbccccddddeeeeffff",
        "Root=1-6893A2B4-AAAABBBBCCCCDDDDEEEEFFFF;Sampled=?",
        "Self=1-67891234-12456789abcdef012345678;Root=1-67891233-abcdef012345678912345678;CalledFrom=app",
        "Root=1-6893a2b4-aaaabbbbccccddddeeeeffff; Parent=0123456789abcdef; Sampled=1",
        "Root=1-6893a2b4-aaaabbbbccccddddeeeeffff;Parent=0123456789abcdef;Sampled=0;Lineage=1:a87bd80c:1|68fd508a:5",
    ],
)
def test_a_header_as_services_write_it_is_sent_as_it_is(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any, header: str
) -> None:
    records = failed(make_letter(trace_header=header))
    SQSDeadLetters(make_queue()).deliver_dead_letter(records.outcomes[0], records.batch)
    assert trace_of(proxy.requests[0].sent[0]) == header


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Root",
        "Root=1-6893a2b4",
        "Sampled=1",
        f"{TRACE}\n",
        f"{TRACE};x=\x00",
        f"{TRACE};x=é",
        f"{TRACE};x=\ud800",
        f"{TRACE};x={'y' * 1_000}",
        f"x{TRACE}",
        TRACE.encode(),
        17,
        {"DataType": "String", "StringValue": TRACE},
        ["Root=1"],
    ],
)
def test_what_is_no_trace_header_is_left_out_and_the_dead_letter_is_delivered(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any, header: Any
) -> None:
    url = make_queue()
    records = failed(make_letter(trace_header=header))
    assert list(SQSDeadLetters(url).deliver_dead_letters(records.outcomes, records.batch)) == [None]
    assert trace_of(proxy.requests[0].sent[0]) is None
    assert [message["Body"] for message in arrived(url)] == ["hello"]


# When SQS refuses one all the same.


@pytest.mark.parametrize("fault", [refuses(400, "InvalidParameterValue"), says_the_sender_is_at_fault])
def test_a_dead_letter_that_is_refused_with_a_trace_header_is_sent_without(
    make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any, fault: Any
) -> None:
    url = make_queue()
    proxy.faults.append(fault)
    records = failed(make_letter(trace_header=TRACE))
    assert list(SQSDeadLetters(url).deliver_dead_letters(records.outcomes, records.batch)) == [None]
    assert [trace_of(request.sent[0]) for request in proxy.requests] == [TRACE, None]
    assert [message["Body"] for message in arrived(url)] == ["hello"]


@pytest.mark.parametrize("fault", [refuses(400, "InvalidParameterValue"), says_the_sender_is_at_fault])
def test_a_dead_letter_that_is_refused_without_a_trace_header_too_is_not_delivered(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any, fault: Any
) -> None:
    proxy.always = fault
    records = failed(make_letter(trace_header=TRACE))
    (problem,) = SQSDeadLetters(make_queue()).deliver_dead_letters(records.outcomes, records.batch)
    assert problem is not None
    assert [trace_of(request.sent[0]) for request in proxy.requests] == [TRACE, None]


def test_a_request_that_fails_for_all_is_not_sent_again_for_its_trace_headers(
    make_queue: Fixture, failed: Fixture, make_letter: Fixture, proxy: Any
) -> None:
    proxy.always = refuses(403, "AccessDenied")
    records = failed(make_letter("m1", trace_header=TRACE))
    (problem,) = SQSDeadLetters(make_queue()).deliver_dead_letters(records.outcomes, records.batch)
    assert problem is not None
    assert len(proxy.requests) == 1


# Sources of others.


def test_a_source_whose_messages_know_of_no_trace_header_is_delivered(
    make_queue: Fixture, arrived: Fixture, letters: Fixture, failed: Fixture, make_letter: Fixture
) -> None:
    class OldMessage:
        body, attributes, group = "hello", {}, None

    class Old(letters):  # type: ignore[misc, valid-type]
        @hookimpl
        def original_message(self, record: Any) -> Any:
            return OldMessage()

    url = make_queue()
    records = failed(make_letter(), source=Old())
    SQSDeadLetters(url).deliver_dead_letter(records.outcomes[0], records.batch)
    assert [message["Body"] for message in arrived(url)] == ["hello"]


def test_a_message_is_made_with_a_trace_header_or_without() -> None:
    assert Message("a", None, "group", TRACE).trace_header == TRACE
    assert Message("a", None, "group").trace_header is None
