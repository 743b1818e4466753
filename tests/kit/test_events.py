"""Events for tests: of a source by its name or itself, of Kafka, and the samples of AWS that come with the suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from batchcore import ConfigurationError, SourceNotInstalledError
from batchcore_sqs import SQS, SQSRecord
from batchcore_testing import EventFactory, KafkaEvents, Sent, event_from, make_event, make_record
from batchcore_testing.contract.broken import samples
from batchcore_testing.services import service_of_event

from .wrong.plain import Kafka

EVENTS = Path(__file__).parents[1] / "events"


def test_a_source_is_given_by_name_or_as_an_object() -> None:
    assert make_event(SQS, "a") == make_event("sqs", "a")


def test_each_event_is_new() -> None:
    first, second = make_event("sqs", "a"), make_event("sqs", "a")

    first["Records"][0]["attributes"]["SenderId"] = "changed"

    assert second["Records"][0]["attributes"]["SenderId"] != "changed"


def test_records_are_put_into_an_event_as_they_are() -> None:
    records = [make_record("sqs", "a", messageId="m1"), make_record("sqs", "b", messageId="m2")]

    assert event_from("sqs", records) == {"Records": records}


def test_what_is_not_installed_is_named() -> None:
    with pytest.raises(SourceNotInstalledError, match="No source named 'nothing' is installed"):
        make_event("nothing", "a")


def test_a_source_without_a_factory_says_what_it_lacks() -> None:
    class Bare(Kafka):
        name = "bare"

    with pytest.raises(ConfigurationError, match="has no event factory"):
        make_event(Bare(), "a")


class Lines(EventFactory):
    """Makes records that are text."""

    def record(self, sent: Sent) -> Any:
        return sent.content


def test_a_record_may_be_anything_and_only_an_object_has_fields() -> None:
    assert make_event(Lines(), "a", "b") == {"Records": ["a", "b"]}
    with pytest.raises(ConfigurationError, match="'a' has no fields to have instead: body"):
        make_record(Lines(), "a", body="b")


# Kafka.


def test_a_record_of_kafka_has_the_fields_of_aws_and_no_others() -> None:
    sample = json.loads((EVENTS / "kafkaEventMsk.json").read_text(encoding="utf-8"))
    expected = sample["records"]["mytopic-0"][0]
    event = event_from(Kafka(), [make_record(Kafka(), {"order": 1}, sent={"key": "k", "resource": "mytopic"})])
    (made,) = event["records"]["mytopic-0"]

    assert event.keys() == sample.keys()
    assert {name: type(value) for name, value in made.items()} == {name: type(expected[name]) for name in expected}


def test_records_of_kafka_stand_under_their_partitions() -> None:
    factory = KafkaEvents()
    records = [factory.record(Sent("x", number, shard=number % 2, sequence=number // 2)) for number in range(4)]

    grouped: dict[str, Any] = factory.event(records)["records"]

    offsets = {name: [record["offset"] for record in group] for name, group in grouped.items()}
    assert offsets == {"orders-0": [0, 1], "orders-1": [0, 1]}


def test_a_tombstone_has_no_value() -> None:
    assert "value" not in KafkaEvents().record(Sent(None, key="k"))


# Samples.


def test_the_samples_are_events_as_aws_documents_them() -> None:
    names = {name: service for name, event in samples().items() if (service := service_of_event(event))}

    assert {name: service.name for name, service in names.items()} == {
        "sqs": "sqs",
        "sqs-fifo": "sqs",
        "kinesis": "kinesis",
        "dynamodb": "dynamodb",
        "kafka": "kafka",
        "kafka-self-managed": "kafka",
        "activemq": "activemq",
        "rabbitmq": "rabbitmq",
        "firehose": "firehose",
        "firehose-kinesis": "firehose",
        "firehose-msk": "firehose",
        "firehose-without-arn": "firehose",
        "s3-batch-1": "s3-batch",
        "s3-batch-2": "s3-batch",
        "pipes-sqs": "pipes-sqs",
        "pipes-kinesis": "pipes-kinesis",
        "pipes-dynamodb": "pipes-dynamodb",
        "pipes-kafka": "pipes-kafka",
        "pipes-kafka-self-managed": "pipes-kafka",
        "pipes-activemq": "pipes-mq",
        "pipes-rabbitmq": "pipes-mq",
    }
    assert samples().keys() - names.keys() == {
        "documentdb",
        "eventbridge",
        "s3",
        "sns",
    }


def test_the_samples_have_what_sqs_writes_of_a_message_without_attributes() -> None:
    records = [record for name in ("sqs", "sqs-fifo") for record in samples()[name]["Records"]]

    assert {record.get("md5OfMessageAttributes", "left out") for record in records} == {None, "left out"}


def test_a_message_whose_attributes_have_no_digest_is_read_by_view_and_model() -> None:
    record = samples()["sqs-fifo"]["Records"][0]

    assert SQSRecord(record).md5_of_message_attributes is None
    pytest.importorskip("pydantic")
    from batchcore_sqs.models import SqsRecordModel

    assert SqsRecordModel.model_validate(record).md5OfMessageAttributes is None
