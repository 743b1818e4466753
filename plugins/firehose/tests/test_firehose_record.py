"""The typed view of a record for a transformation."""

from __future__ import annotations

import binascii
import copy
import json
import pickle
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import BatchProcessor
from batchcore_firehose import FirehoseRecord
from batchcore_firehose.events import FirehoseEvents
from batchcore_testing import make_event, make_record

Sample = Callable[[str], dict[str, Any]]


def holding(data: bytes | str, field: str = "data", **fields: Any) -> FirehoseRecord:
    text = data if isinstance(data, str) else b64encode(data).decode()
    return FirehoseRecord({"recordId": "r1", "approximateArrivalTimestamp": 1_664_029_185_290, field: text, **fields})


def test_it_has_every_field_of_the_samples(sample: Sample) -> None:
    raw = sample("kinesisFirehoseKinesisEvent")["records"][1]
    record = FirehoseRecord(raw)

    assert record == raw
    assert record.record_id == "record2"
    assert record.approximate_arrival_timestamp == 1664028793294
    assert record.data == "eyJIZWxsbyI6ICJXb3JsZCJ9"
    assert record.data_as_bytes() == b'{"Hello": "World"}'
    assert record.data_as_text() == '{"Hello": "World"}'
    assert record.data_as_json() == {"Hello": "World"}
    assert record.msk_record_metadata is None
    metadata = record.kinesis_record_metadata
    assert metadata is not None
    assert metadata.shard_id == "shardId-000000000001"
    assert metadata.partition_key == "4d1ad2b9-24f8-4b9d-a088-76e9947c318a"
    assert metadata.approximate_arrival_timestamp == 1664028793294
    assert metadata.sequence_number == "49546986683135544286507457936321625675700192471156785155"
    assert metadata.subsequence_number == 0
    assert FirehoseRecord(sample("kinesisFirehosePutEvent")["records"][0]).kinesis_record_metadata is None


def test_from_msk_it_has_its_data_and_where_it_was() -> None:
    raw = make_record(FirehoseEvents("msk"), {"id": 1}, sent={"shard": 1, "sequence": 17})
    record = FirehoseRecord(raw)

    assert record.data == raw["kafkaRecordValue"]
    assert record.data_as_json() == {"id": 1}
    assert record.kinesis_record_metadata is None
    metadata = record.msk_record_metadata
    assert metadata is not None
    assert (metadata.offset, metadata.partition_id) == (17, 1)
    assert metadata.approximate_arrival_timestamp == raw["approximateArrivalTimestamp"]


@pytest.mark.parametrize("fields", [{}, {"subsequenceNumber": None}, {"subsequenceNumber": ""}])
def test_a_record_that_was_not_aggregated_may_have_no_subsequence_number(fields: Any) -> None:
    metadata = holding(b"", kinesisRecordMetadata=fields).kinesis_record_metadata

    assert metadata is not None
    assert metadata.subsequence_number is None


def test_numbers_may_be_text_and_what_is_none_is_an_error_that_names_the_field() -> None:
    metadata = holding(b"", kinesisRecordMetadata={"subsequenceNumber": "7"}).kinesis_record_metadata
    assert metadata is not None
    assert metadata.subsequence_number == 7

    wrong = holding(b"", mskRecordMetadata={"offset": "secret", "partitionId": None}).msk_record_metadata
    assert wrong is not None
    with pytest.raises(ValueError, match=r"^mskRecordMetadata\.offset is no number, but of type str\.$"):
        _ = wrong.offset
    with pytest.raises(ValueError, match=r"^mskRecordMetadata\.partitionId is no number, but of type NoneType\.$"):
        _ = wrong.partition_id


@pytest.mark.parametrize(
    "time",
    [1510254469499, "1510254469499", 1510254469499.0, "2017-11-09T19:07:49.499Z", "2017-11-09T20:07:49.499+01:00"],
)
def test_an_arrival_time_is_in_milliseconds_in_whatever_form_it_comes(time: Any) -> None:
    assert holding(b"", approximateArrivalTimestamp=time).approximate_arrival_timestamp == 1510254469499


@pytest.mark.parametrize("time", ["soon", None, [], "2017-11-09T19:07:49"])
def test_what_is_no_time_is_an_error_that_does_not_quote_it(time: Any) -> None:
    with pytest.raises(ValueError, match=f"^approximateArrivalTimestamp is no time, but of type {type(time).__name__}"):
        _ = holding(b"", approximateArrivalTimestamp=time).approximate_arrival_timestamp


def test_a_time_of_the_stream_says_where_it_stands() -> None:
    metadata = holding(b"", kinesisRecordMetadata={"approximateArrivalTimestamp": "x"}).kinesis_record_metadata

    assert metadata is not None
    with pytest.raises(ValueError, match=r"^kinesisRecordMetadata\.approximateArrivalTimestamp"):
        _ = metadata.approximate_arrival_timestamp


@pytest.mark.parametrize("text", ['{"a": 1}\n', '{"a": 1}', '  {"a": 1}\r\n\n', '\ufeff{"a": 1}\n'])
def test_json_may_end_in_a_newline(text: str) -> None:
    assert holding(text.encode()).data_as_json() == {"a": 1}
    assert holding(text.encode()).data_as_text() == text


@pytest.mark.parametrize("field", ["data", "kafkaRecordValue"])
def test_errors_name_the_field_and_hold_nothing_of_it(field: str) -> None:
    with pytest.raises(binascii.Error, match=f"^{field} is not base64"):
        holding("no base64!", field).data_as_bytes()
    with pytest.raises(UnicodeDecodeError) as caught:
        holding(b"secret \xff", field).data_as_text()
    assert field in str(caught.value)
    assert "secret" not in str(caught.value)
    with pytest.raises(json.JSONDecodeError) as refused:
        holding(b"secret", field).data_as_json()
    assert str(refused.value).startswith(field)
    assert "secret" not in str(refused.value)


def test_a_record_without_data_is_an_error_that_names_it() -> None:
    with pytest.raises(KeyError, match="data"):
        FirehoseRecord({"recordId": "r1"}).data_as_bytes()


def test_data_is_decoded_once() -> None:
    record = holding(b'{"a": []}')

    assert record.data_as_json() is record.data_as_json()
    assert record.data_as_bytes() is record.data_as_bytes()
    assert record.data_as_text() is record.data_as_text()


def test_a_record_that_has_both_has_its_data_in_data() -> None:
    assert holding(b"a", kafkaRecordValue="Yg==").data_as_bytes() == b"a"


def test_a_record_can_be_copied_and_pickled() -> None:
    record = holding(b"a")

    assert pickle.loads(pickle.dumps(record)) == record
    assert copy.deepcopy(record).data_as_bytes() == b"a"


def test_of_msk_the_content_has_its_place_where_the_event_has_none() -> None:
    event = make_event(FirehoseEvents("msk"), "a")
    (raw,) = event["records"]
    del raw["kafkaRecordValue"]

    with pytest.raises(KeyError, match="kafkaRecordValue"):
        _ = FirehoseRecord(raw).data
    (entry,) = BatchProcessor("firehose").run(event, lambda record: b"new").response["records"]
    assert entry == {"recordId": raw["recordId"], "result": "Ok", "kafkaRecordValue": "bmV3"}
