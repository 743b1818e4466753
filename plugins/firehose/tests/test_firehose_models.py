"""The pydantic models of a record for a transformation."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("pydantic")

from pydantic import BaseModel, Json, ValidationError

from batchcore import BatchProcessor, ConfigurationError
from batchcore_firehose.events import FirehoseEvents
from batchcore_firehose.models import FirehoseMSKRecordModel, FirehoseRecordModel
from batchcore_testing import make_event, make_record

Sample = Callable[[str], dict[str, Any]]


class Order(BaseModel):
    id: int


class OrderRecord(FirehoseRecordModel):
    data: Json[Order]


class OrderMSKRecord(FirehoseMSKRecordModel):
    kafkaRecordValue: Json[Order]


@pytest.mark.parametrize("name", ["kinesisFirehoseKinesisEvent", "kinesisFirehosePutEvent", "kinesisFirehoseSQSEvent"])
def test_every_sample_is_valid_and_its_data_decoded(sample: Sample, name: str) -> None:
    for raw in sample(name)["records"]:
        record = FirehoseRecordModel.model_validate(raw)
        assert record.data == base64.b64decode(raw["data"])
        dumped = record.model_dump(exclude={"data"}, exclude_none=True)
        assert dumped == {key: raw[key] for key in raw if key != "data"}


def test_from_msk_a_record_has_a_model_of_its_own() -> None:
    raw = make_record(FirehoseEvents("msk"), {"id": 17}, sent={"sequence": 3, "shard": 1})
    record = FirehoseMSKRecordModel.model_validate(raw)

    assert record.kafkaRecordValue == b'{"id": 17}'
    assert record.mskRecordMetadata is not None
    assert (record.mskRecordMetadata.offset, record.mskRecordMetadata.partitionId) == (3, 1)
    with pytest.raises(ValidationError):
        FirehoseRecordModel.model_validate(raw)


@pytest.mark.parametrize("number", ["", None, 0, "7"])
def test_a_subsequence_number_may_be_empty(number: Any) -> None:
    raw = make_record(FirehoseEvents("kinesis"), "x", kinesisRecordMetadata={"subsequenceNumber": number})
    metadata = FirehoseRecordModel.model_validate(raw).kinesisRecordMetadata

    assert metadata is not None
    assert metadata.subsequenceNumber == {"": None, "7": 7}.get(number, number)


@pytest.mark.parametrize("origin", ["put", "kinesis", "msk"])
def test_an_arrival_time_may_be_text_as_in_events_that_tools_make_up(origin: Any) -> None:
    model: Any = FirehoseMSKRecordModel if origin == "msk" else FirehoseRecordModel
    raw = make_record(FirehoseEvents(origin), "x")
    for given, expected in (("2012-04-23T18:25:43.511Z", 1335205543511), ("1495072949453", 1495072949453)):
        raw["approximateArrivalTimestamp"] = given
        assert model.model_validate(raw).approximateArrivalTimestamp == expected
    raw["approximateArrivalTimestamp"] = "yesterday"
    with pytest.raises(ValidationError, match="approximateArrivalTimestamp is no time"):
        model.model_validate(raw)


@pytest.mark.parametrize("origin", ["put", "kinesis", "msk"])
def test_a_subclass_replaces_the_data_and_what_does_not_fit_fails_alone(origin: Any) -> None:
    field, model = ("kafkaRecordValue", OrderMSKRecord) if origin == "msk" else ("data", OrderRecord)

    def handle(record: Any) -> dict[str, int]:
        return {"order": getattr(record, field).id}

    event = make_event(FirehoseEvents(origin), {"id": 1}, "no JSON", {"id": "x"}, {"id": 2})
    result = BatchProcessor("firehose", model=model).run(event, handle)
    entries: Any = result.response["records"]  # type: ignore[typeddict-item]

    assert [entry["result"] for entry in entries] == ["Ok", "ProcessingFailed", "ProcessingFailed", "Ok"]
    assert [base64.b64decode(entry[field]) for entry in entries] == [
        b'{"order": 1}\n',
        b"no JSON",
        b'{"id": "x"}',
        b'{"order": 2}\n',
    ]


def test_data_that_is_decoded_already_is_left_as_it_is() -> None:
    raw = make_record("firehose", "x", data=b"bytes")

    assert FirehoseRecordModel.model_validate(raw).data == b"bytes"


@pytest.mark.parametrize("data", ["no base64!", None, 17])
def test_data_that_is_not_base64_is_not_valid(data: Any) -> None:
    with pytest.raises(ValidationError):
        FirehoseRecordModel.model_validate(make_record("firehose", "x", data=data))


def test_what_is_no_object_is_not_valid() -> None:
    for value in (None, 17, []):
        with pytest.raises(ValidationError):
            FirehoseRecordModel.model_validate(value)


def test_a_byte_order_mark_is_left_out_where_the_data_is_parsed_as_json_and_kept_where_not() -> None:
    raw = make_record("firehose", b'\xef\xbb\xbf{"id": 1}')

    assert OrderRecord.model_validate(raw).data.id == 1
    assert FirehoseRecordModel.model_validate(raw).data.startswith(b"\xef\xbb\xbf")
    of_msk = make_record(FirehoseEvents("msk"), b'\xef\xbb\xbf{"id": 1}')
    assert OrderMSKRecord.model_validate(of_msk).kafkaRecordValue.id == 1
    assert FirehoseMSKRecordModel.model_validate(of_msk).kafkaRecordValue.startswith(b"\xef\xbb\xbf")


def test_a_field_of_text_that_is_declared_as_a_model_is_refused_when_the_processor_is_made() -> None:
    class WithoutJson(FirehoseRecordModel):
        data: Order

    class WithoutJsonOfMSK(FirehoseMSKRecordModel):
        kafkaRecordValue: Order

    for model, field in ((WithoutJson, "data"), (WithoutJsonOfMSK, "kafkaRecordValue")):
        with pytest.raises(ConfigurationError, match=field):
            BatchProcessor("firehose", model=model)


def test_a_model_of_firehose_is_refused_by_another_source() -> None:
    with pytest.raises(ConfigurationError, match="firehose"):
        BatchProcessor("sqs", model=FirehoseRecordModel)
