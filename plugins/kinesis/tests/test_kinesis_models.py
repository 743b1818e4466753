"""The pydantic models of a record of a Kinesis data stream."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("pydantic")

from pydantic import BaseModel, Json, RootModel, ValidationError, create_model, field_validator

from batchcore import BatchProcessor, ConfigurationError, EventType, process_partial_response
from batchcore_kinesis import KinesisStreamRecord
from batchcore_kinesis.models import KinesisDataStreamRecord, KinesisDataStreamRecordPayload

Sample = Callable[[str], dict[str, Any]]
SAMPLES = [
    "getting_started_kinesis_event",
    "kinesisStreamCloudWatchLogsEvent",
    "kinesisStreamEvent",
    "kinesisStreamEventOneRecord",
    "pydantic_kinesis_event",
]


class Order(BaseModel):
    item: dict[str, str]


class OrderPayload(KinesisDataStreamRecordPayload):
    data: Json[Order]


class OrderRecord(KinesisDataStreamRecord):
    kinesis: OrderPayload


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_valid_and_its_data_decoded(sample: Sample, name: str) -> None:
    for raw in sample(name)["Records"]:
        record = KinesisDataStreamRecord.model_validate(raw)
        assert isinstance(record.kinesis, KinesisDataStreamRecordPayload)
        assert record.kinesis.data == base64.b64decode(raw["kinesis"]["data"])
        assert record.kinesis.approximateArrivalTimestamp == raw["kinesis"]["approximateArrivalTimestamp"]
        assert record.model_dump(exclude={"kinesis"}) == {key: raw[key] for key in raw if key != "kinesis"}


def test_what_the_model_does_not_know_is_ignored(sample: Sample) -> None:
    raw = sample("kinesisStreamEvent")["Records"][0] | {"newField": 1}
    raw["kinesis"] |= {"encryptionType": "KMS", "newField": 1}
    assert KinesisDataStreamRecord.model_validate(raw).kinesis.encryptionType == "KMS"


def test_a_subclass_replaces_the_data(sample: Sample) -> None:
    def handle(record: OrderRecord) -> dict[str, str]:
        return record.kinesis.data.item

    processor = BatchProcessor(event_type=EventType.KinesisDataStreams, model=OrderRecord)
    result = processor.run(sample("pydantic_kinesis_event"), handle)
    assert result.return_values == [{"laptop": "amd"}, {"keyboard": "classic"}]


@pytest.mark.parametrize("poison", ["no base64!", base64.b64encode(b"no json").decode(), None])
def test_a_record_that_is_not_valid_costs_itself_alone(sample: Sample, poison: object) -> None:
    event = sample("pydantic_kinesis_event")
    event["Records"][0]["kinesis"]["data"] = poison
    processor = BatchProcessor(event_type=EventType.KinesisDataStreams, model=OrderRecord)
    response = process_partial_response(event, lambda record: record.kinesis.data.item, processor)
    assert response == {"batchItemFailures": [{"itemIdentifier": event["Records"][0]["kinesis"]["sequenceNumber"]}]}
    assert isinstance(processor.fail_messages[0], KinesisStreamRecord)


def test_data_that_is_decoded_already_is_left_as_it_is(sample: Sample) -> None:
    raw = sample("kinesisStreamEvent")["Records"][0]["kinesis"] | {"data": b"bytes"}
    assert KinesisDataStreamRecordPayload.model_validate(raw).data == b"bytes"


def test_data_that_is_not_base64_is_not_valid(sample: Sample) -> None:
    raw = sample("kinesisStreamEvent")["Records"][0]["kinesis"] | {"data": "no base64!"}
    with pytest.raises(ValidationError, match=r"kinesis\.data is not base64"):
        KinesisDataStreamRecordPayload.model_validate(raw)


def test_what_cloudwatch_logs_writes_is_decompressed(sample: Sample) -> None:
    record = KinesisDataStreamRecord.model_validate(sample("kinesisStreamCloudWatchLogsEvent")["Records"][0])
    assert record.decompress_zlib_record_data_as_json()["messageType"] == "DATA_MESSAGE"


def test_what_is_not_compressed_is_an_error(sample: Sample) -> None:
    record = KinesisDataStreamRecord.model_validate(sample("kinesisStreamEvent")["Records"][0])
    with pytest.raises(zlib.error):
        record.decompress_zlib_record_data_as_json()


def test_what_a_subclass_made_of_the_data_is_not_decompressed(sample: Sample) -> None:
    record = OrderRecord.model_validate(sample("pydantic_kinesis_event")["Records"][0])
    with pytest.raises(ValueError, match="only the bytes of the record can be decompressed"):
        record.decompress_zlib_record_data_as_json()


def payload(data: bytes) -> dict[str, Any]:
    return {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": "p",
        "sequenceNumber": "1",
        "data": base64.b64encode(data).decode(),
        "approximateArrivalTimestamp": 1795000000.123,
    }


def test_a_byte_order_mark_is_left_out_where_the_data_is_parsed_as_json_and_kept_where_not() -> None:
    data = b'\xef\xbb\xbf{"item": {"a": "b"}}'

    class Optional(KinesisDataStreamRecordPayload):
        data: Json[Order] | None

    class Text(KinesisDataStreamRecordPayload):
        data: str

    assert OrderPayload.model_validate(payload(data)).data == Order(item={"a": "b"})
    assert Optional.model_validate(payload(data)).data == Order(item={"a": "b"})
    assert KinesisDataStreamRecordPayload.model_validate(payload(data)).data == data
    assert Text.model_validate(payload(data)).data == data.decode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xf3\x89\x9a\xc2hunter", "several records that the Kinesis Producer Library"),
        (gzip.compress(b"{}", mtime=0), "data compressed by gzip"),
        ('{"item": {}}'.encode("utf-16"), "text in UTF-16"),
        (base64.b64encode(b'{"item": {}}'), "base64 of JSON"),
    ],
)
def test_data_that_is_something_else_is_named_in_the_error_of_its_record(
    sample: Sample, data: bytes, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    event = sample("pydantic_kinesis_event")
    event["Records"][0]["kinesis"] |= {"data": base64.b64encode(data).decode()}
    result = BatchProcessor("kinesis", model=OrderRecord).run(event, lambda record: record.kinesis.data.item)
    (failure,) = result.failures
    assert isinstance(failure.exception, ValidationError)
    assert says in str(failure.exception)
    assert says in caplog.text
    assert failure.exception.errors()[0]["type"] == "json_invalid"


@pytest.mark.parametrize("wrapped", [False, True])
def test_data_as_a_model_without_json_is_refused_and_the_way_named(wrapped: bool) -> None:
    class Plain(KinesisDataStreamRecordPayload):
        data: Order

    class Record(KinesisDataStreamRecord):
        kinesis: Plain

    with pytest.raises(ConfigurationError, match=r"Plain\.data is given the text .* Declare it as data: Json\[Order\]"):
        BatchProcessor("kinesis", model=RootModel[Record] if wrapped else Record)


@pytest.mark.parametrize("kind", [bytes, str, Any, Json[Order], Json, RootModel[bytes]])
def test_data_of_a_kind_that_takes_bytes_is_not_refused(kind: Any) -> None:
    own = create_model("Own", __base__=KinesisDataStreamRecordPayload, data=(kind, ...))
    BatchProcessor("kinesis", model=create_model("Record", __base__=KinesisDataStreamRecord, kinesis=(own, ...)))


def test_data_that_a_validator_of_ones_own_parses_is_not_refused(sample: Sample) -> None:
    class Parses(KinesisDataStreamRecordPayload):
        data: Order

        @field_validator("data", mode="before")
        @classmethod
        def parse(cls, value: Any) -> Any:
            return json.loads(base64.b64decode(value))

    class Record(KinesisDataStreamRecord):
        kinesis: Parses

    processor = BatchProcessor(event_type=EventType.KinesisDataStreams, model=Record)
    result = processor.run(sample("pydantic_kinesis_event"), lambda record: record.kinesis.data.item)
    assert result.return_values == [{"laptop": "amd"}, {"keyboard": "classic"}]


def test_an_event_of_another_source_is_not_valid(sample: Sample) -> None:
    raw = sample("kinesisStreamEvent")["Records"][0] | {"eventSource": "aws:sqs"}
    with pytest.raises(ValidationError, match="eventSource"):
        KinesisDataStreamRecord.model_validate(raw)


def test_a_model_can_be_written_as_json_and_read_again(sample: Sample) -> None:
    record = KinesisDataStreamRecord.model_validate(sample("kinesisStreamEvent")["Records"][0])
    written = json.loads(record.model_dump_json())
    assert written["kinesis"]["data"] == "Hello, this is a test."


def test_the_model_is_refused_by_a_processor_of_another_source() -> None:
    assert KinesisDataStreamRecord.__batch_source__ == OrderRecord.__batch_source__ == "kinesis"
    with pytest.raises(ConfigurationError):
        BatchProcessor(event_type="sqs", model=OrderRecord)  # type: ignore[call-overload]  # what the test is about
