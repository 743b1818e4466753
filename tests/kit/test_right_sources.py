"""Sources that are right, and of every kind that AWS has, keep the contract: it accuses nobody wrongly."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import WholeBatchRetry, hookimpl, in_order
from batchcore.records import identify
from batchcore_testing import SourceContract, make_event

from .wrong.plain import Kafka


def data_of(number: int) -> str:
    return base64.b64encode(json.dumps({"order": number}).encode()).decode()


class TestKafka(SourceContract):
    """One response for the records of several partitions."""

    @pytest.fixture
    def source(self) -> Any:
        return Kafka()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda n: make_event(Kafka(), *range(n), lanes=2)


class Rabbit:
    """No identifiers, and an error for a response."""

    name = "rabbit"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and event.get("eventSource") == "aws:rmq"

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return [message for messages in event["rmqMessagesByQueue"].values() for message in messages]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [None] * len(records)

    @hookimpl
    def acknowledgement(self) -> str:
        return "batch"


class TestRabbit(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return Rabbit()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        def event_of(n: int) -> Any:
            messages = [{"basicProperties": {"messageId": None}, "data": data_of(number)} for number in range(n)]
            return {"eventSource": "aws:rmq", "eventSourceArn": "arn", "rmqMessagesByQueue": {"orders::/": messages}}

        return event_of


class Pipe:
    """An event that is a bare array."""

    name = "pipe"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, list) and all(
            isinstance(record, dict) and record.get("eventSource") == "aws:sqs" for record in event
        )

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("messageId")(records)


class TestPipe(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return Pipe()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda n: make_event("sqs", *range(n))["Records"]


class Firehose:
    """A response with a result for every record."""

    name = "firehose"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "deliveryStreamArn" in event

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["records"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("recordId")(records)

    @hookimpl
    def acknowledgement(self) -> str:
        return "final"

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        raise_for_untried(outcomes)
        return {
            "records": [
                {"recordId": outcome.identifier, "result": "Ok", "data": outcome.record.get("data")}
                if outcome.done
                else {"recordId": outcome.identifier, "result": "ProcessingFailed"}
                for outcome in outcomes
            ]
        }


def raise_for_untried(outcomes: Any) -> None:
    """Let Firehose call again where it would not send a record again by itself."""
    if any(outcome.status == "not_attempted" for outcome in outcomes):
        raise WholeBatchRetry("a record was not tried")


class TestFirehose(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return Firehose()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        def event_of(n: int) -> Any:
            records = [{"recordId": f"r{number}", "data": data_of(number)} for number in range(n)]
            return {"invocationId": "i", "deliveryStreamArn": "arn", "region": "eu-west-1", "records": records}

        return event_of


class FirehoseOfMSK(Firehose):
    """Results that have the content where records from Amazon MSK have it."""

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "invocationId" in event and isinstance(event.get("records"), list)

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        raise_for_untried(outcomes)
        return {
            "records": [
                {
                    "recordId": outcome.identifier,
                    "result": "Ok" if outcome.done else "ProcessingFailed",
                    "kafkaRecordValue": outcome.record.get("kafkaRecordValue"),
                }
                for outcome in outcomes
            ]
        }


class TestFirehoseOfMSK(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return FirehoseOfMSK()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        def event_of(n: int) -> Any:
            records = [
                {
                    "recordId": f"r{number}",
                    "mskRecordMetadata": {"offset": str(number), "partitionId": "1"},
                    "kafkaRecordValue": data_of(number),
                }
                for number in range(n)
            ]
            return {"invocationId": "i", "sourceMSKArn": "arn", "deliveryStreamArn": "arn", "records": records}

        return event_of


class S3Batch(Firehose):
    """Results that are tried again or not."""

    name = "s3-batch"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "invocationSchemaVersion" in event

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["tasks"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("taskId")(records)

    @hookimpl
    def acknowledgement(self) -> str:
        return "result"

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        return {
            "invocationSchemaVersion": "1.0",
            "treatMissingKeysAs": "TemporaryFailure",
            "results": [
                {"taskId": outcome.identifier, "resultCode": "Succeeded" if outcome.done else "TemporaryFailure"}
                for outcome in outcomes
            ],
        }


class TestS3Batch(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return S3Batch()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda n: {
            "invocationSchemaVersion": "1.0",
            "tasks": [{"taskId": f"t{number}", "s3Key": f"{number}.json"} for number in range(n)],
        }


class Script:
    """Nobody's service, whose lines are decoded and depend on one another, and whose response nobody knows."""

    name = "script"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and isinstance(event.get("lines"), list)

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["lines"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("line")(records)

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        return lambda record: json.loads(record["text"])

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return in_order()

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        return {"go on at": next((outcome.identifier for outcome in outcomes.unfinished()), None)}


class TestScript(SourceContract):
    @pytest.fixture
    def source(self) -> Any:
        return Script()

    @pytest.fixture
    def event_of(self) -> Callable[[int], Any]:
        return lambda n: {"lines": [{"line": f"l{number}", "text": f'{{"n": {number}}}'} for number in range(n)]}

    @pytest.fixture
    def reads(self) -> Callable[[Any, Any], Any]:
        def reads(event: Any, response: Any) -> Any:
            names = [record["line"] for record in event["lines"]]
            at = response["go on at"]
            return range(names.index(at), len(names)) if at in names else []

        return reads
