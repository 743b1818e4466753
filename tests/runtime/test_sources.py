"""One function that every source of ours invokes, inside AWS's own runtime client: what it answers to each."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from batchcore_testing import make_event
from batchcore_testing.services import service_of_event

from .events import failed

if TYPE_CHECKING:
    from .conftest import StartFunction
    from .function import LambdaFunction

WORKS = '{"does": "work", "item": "tea"}'
FAILS = '{"does": "fail", "item": "coffee"}'
NAMED = ("sqs", "kinesis", "dynamodb", "kafka", "pipes-sqs", "pipes-kinesis", "pipes-dynamodb")
"""Those whose response names what failed. Each of them takes a batch of which nothing is done as well as any other."""

WHOLE = ("activemq", "rabbitmq", "pipes-kafka", "pipes-mq")
ENTRIES: dict[str, Callable[[Any], Any]] = {
    "kafka": lambda record: {"partition": "orders-0", "offset": record["offset"]},
    "kinesis": lambda record: record["kinesis"]["sequenceNumber"],
    "dynamodb": lambda record: record["dynamodb"]["SequenceNumber"],
    "sqs": lambda record: record["messageId"],
    "pipes-sqs": lambda record: record["messageId"],
    "pipes-kinesis": lambda record: record["eventID"],
    "pipes-dynamodb": lambda record: record["eventID"],
}


def records_of(event: Any) -> Any:
    service = service_of_event(event)
    assert service is not None
    return service.records(event)


def naming(source: str, event: Any, *positions: int) -> dict[str, Any]:
    records = records_of(event)
    return {"batchItemFailures": [{"itemIdentifier": ENTRIES[source](records[at])} for at in positions]}


@pytest.fixture
def function(start: StartFunction) -> LambdaFunction:
    return start("many_sources.lambda_handler")


def test_one_function_names_what_failed_to_each_source_as_that_reads_it(function: LambdaFunction) -> None:
    for source in NAMED:
        assert function.invoke(make_event(source, WORKS, WORKS)) == failed(), source
        event = make_event(source, WORKS, FAILS, WORKS)
        # Of a partition of Kafka what follows a failure is not tried.
        assert function.invoke(event) == naming(source, event, *((1, 2) if source == "kafka" else (1,))), source
        event = make_event(source, FAILS)
        assert function.invoke(event) == naming(source, event, 0), source


def test_one_function_raises_for_each_source_that_reads_no_response(function: LambdaFunction) -> None:
    for source in WHOLE:
        assert function.invoke(make_event(source, WORKS, WORKS)) == failed(), source
        report = function.error(make_event(source, WORKS, FAILS, WORKS))
        assert report["errorType"] == "WholeBatchRetry", source
        assert function.invoke(make_event(source, WORKS)) == failed(), source


def test_one_function_transforms_for_firehose(function: LambdaFunction) -> None:
    event = make_event("firehose", WORKS, FAILS)
    names = [record["recordId"] for record in event["records"]]
    assert function.invoke(event) == {
        "records": [
            {"recordId": names[0], "result": "Ok", "data": b64encode(b"shipped tea").decode()},
            {"recordId": names[1], "result": "ProcessingFailed", "data": event["records"][1]["data"]},
        ]
    }


def test_one_function_answers_for_a_task_of_s3_that_failed_and_does_not_raise(function: LambdaFunction) -> None:
    for content, code, text in (
        (WORKS, "Succeeded", "shipped tea"),
        (FAILS, "TemporaryFailure", "OutOfStockError: no coffee left"),
    ):
        event = make_event("s3batch", content)
        assert function.invoke(event) == {
            "invocationSchemaVersion": "1.0",
            "invocationId": event["invocationId"],
            "treatMissingKeysAs": "TemporaryFailure",
            "results": [{"taskId": event["tasks"][0]["taskId"], "resultCode": code, "resultString": text}],
        }


OF_NOBODY: list[Any] = [{}, {"records": []}, {"tasks": []}, {"messages": []}, {"Records": [{"eventSource": "aws:ses"}]}]


def test_one_function_refuses_an_event_of_nobody(function: LambdaFunction) -> None:
    for event in OF_NOBODY:
        assert function.error(event)["errorType"] == "UnexpectedBatchTypeError", event
