"""The typed view of a record of Kinesis, as a pipe delivers it: flat, and read as the record of a mapping."""

from __future__ import annotations

import copy
import json
import pickle
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import BatchProcessor
from batchcore_kinesis import KinesisStreamRecord
from batchcore_pipes import KinesisPipeRecord


def test_every_field_of_the_sample_has_a_property(sample: Callable[[str], Any]) -> None:
    raw = sample("pipes-kinesis")[0]
    record = KinesisPipeRecord(raw)
    payload = record.kinesis

    assert {
        "kinesisSchemaVersion": payload.kinesis_schema_version,
        "partitionKey": payload.partition_key,
        "sequenceNumber": payload.sequence_number,
        "data": payload.data,
        "approximateArrivalTimestamp": payload.approximate_arrival_timestamp,
        "eventSource": record.event_source,
        "eventVersion": record.event_version,
        "eventID": record.event_id,
        "eventName": record.event_name,
        "invokeIdentityArn": record.invoke_identity_arn,
        "awsRegion": record.aws_region,
        "eventSourceARN": record.event_source_arn,
    } == raw
    assert record["data"] == raw["data"]
    assert isinstance(record, KinesisStreamRecord)
    assert payload.data_as_text() == "Hello, this is a test."


def test_a_handler_that_was_written_for_a_mapping_reads_a_pipe(sample: Callable[[str], Any]) -> None:
    def handle(record: KinesisStreamRecord) -> Any:
        return record.kinesis.data_as_json()

    (raw, other) = sample("pipes-kinesis")
    raw["data"] = b64encode(json.dumps({"order": 1}).encode()).decode()
    result = BatchProcessor("pipes-kinesis").run([raw, other], handle)

    assert result.return_values == [{"order": 1}]
    assert result.response == {"batchItemFailures": [{"itemIdentifier": other["eventID"]}]}


def test_data_is_decoded_once_and_kept(sample: Callable[[str], Any]) -> None:
    record = KinesisPipeRecord(sample("pipes-kinesis")[0])

    assert record.kinesis is record.kinesis
    assert record.kinesis.data_as_bytes() is record.kinesis.data_as_bytes()


def test_a_record_can_be_copied_and_pickled(sample: Callable[[str], Any]) -> None:
    def handle(record: KinesisPipeRecord) -> Any:
        twin = pickle.loads(pickle.dumps(record))
        assert copy.copy(record) == twin == record
        return twin

    result = BatchProcessor("pipes-kinesis").run(sample("pipes-kinesis"), handle)

    assert result.return_values[0].kinesis.partition_key == "1"


def test_what_is_missing_is_named_and_what_is_no_json_is_not_quoted() -> None:
    with pytest.raises(KeyError, match="data"):
        KinesisPipeRecord({"sequenceNumber": "1"}).kinesis.data_as_bytes()
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is what is looked at
        KinesisPipeRecord({"data": b64encode(b"secret").decode()}).kinesis.data_as_json()
    assert "secret" not in str(caught.value)
