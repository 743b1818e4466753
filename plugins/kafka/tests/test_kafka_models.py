"""Models of a record of Kafka: decoded before they are validated, refused alone."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

pytest.importorskip("pydantic")
from pydantic import BaseModel, Json, ValidationError

from batchcore import BatchProcessor, ConfigurationError
from batchcore_kafka.events import KafkaEvents, signed_headers
from batchcore_kafka.models import KafkaRecordModel
from batchcore_testing import make_event, make_record, removed


class Order(BaseModel):
    id: int


class OrderRecord(KafkaRecordModel):
    value: Json[Order]


class OrderOrTombstone(KafkaRecordModel):
    value: Json[Order] | None = None


def raw(content: Any = '{"id": 1}', **fields: Any) -> Any:
    return make_record(KafkaEvents(), content, sent={"key": "k"}, **fields)


@pytest.mark.parametrize("name", ["kafkaEventMsk", "kafkaEventSelfManaged"])
def test_the_sample_fits(sample: Callable[[str], Any], name: str) -> None:
    (record,) = sample(name)["records"]["mytopic-0"]
    model = KafkaRecordModel.model_validate(record)

    assert (model.topic, model.partition, model.offset) == ("mytopic", 0, 15)
    assert model.timestamp == datetime(2018, 12, 17, 22, 10, 50, 987_000, tzinfo=timezone.utc)
    assert (model.key, model.value) == (b"recordKey", b'{"key":"value"}')
    assert model.headers == [("headerKey", b"headerValue")]


def test_value_is_parsed_as_json() -> None:
    assert OrderRecord.model_validate(raw()).value == Order(id=1)


def test_a_byte_order_mark_before_json_is_left_out_and_kept_elsewhere() -> None:
    record = raw('\ufeff{"id": 1}')

    assert OrderRecord.model_validate(record).value == OrderOrTombstone.model_validate(record).value == Order(id=1)
    assert KafkaRecordModel.model_validate(record).value == b'\xef\xbb\xbf{"id": 1}'


@pytest.mark.parametrize("nothing", [None, removed], ids=["null", "missing"])
def test_a_tombstone_fits_where_the_model_says_so(nothing: Any) -> None:
    record = raw(value=nothing, key=nothing, headers=nothing)

    assert KafkaRecordModel.model_validate(record).value is None
    assert KafkaRecordModel.model_validate(record).key is None
    assert KafkaRecordModel.model_validate(record).headers == []
    assert OrderOrTombstone.model_validate(record).value is None
    with pytest.raises(ValidationError, match="value"):
        OrderRecord.model_validate(record)


def test_headers_are_pairs_in_their_order() -> None:
    pairs: list[tuple[str, bytes | None]] = [("a", b"\xff"), ("a", None), ("b", b"")]

    assert KafkaRecordModel.model_validate(raw(headers=signed_headers(pairs))).headers == pairs
    with pytest.raises(ValidationError, match=r"headers\[0\] is a list of numbers"):
        KafkaRecordModel.model_validate(raw(headers=[{"a": [300]}]))


@pytest.mark.parametrize(("given", "year"), [(0, 1970), (1000, 1970), (-1, 1969), (1_800_000_000_000, 2027)])
def test_timestamp_is_in_milliseconds_however_small(given: int, year: int) -> None:
    model = KafkaRecordModel.model_validate(raw(timestamp=given))

    assert model.timestamp.timestamp() * 1000 == given
    assert model.timestamp.year == year
    with pytest.raises(ValidationError, match="beyond the dates"):
        KafkaRecordModel.model_validate(raw(timestamp=10**18))


@pytest.mark.parametrize("given", ["0", "1000", "1545084650987"])
def test_timestamp_as_text_is_in_milliseconds_too(given: str) -> None:
    assert KafkaRecordModel.model_validate(raw(timestamp=given)).timestamp.timestamp() * 1000 == int(given)


def test_a_timestamp_of_the_standard_form_fits_as_well() -> None:
    model = KafkaRecordModel.model_validate(raw(timestamp="2018-12-17T22:10:50.987Z"))

    assert model.timestamp == datetime(2018, 12, 17, 22, 10, 50, 987_000, tzinfo=timezone.utc)


@pytest.mark.parametrize("wrong", [True, None, "", -2])
def test_what_is_no_time_of_kafka_does_not_fit(wrong: Any) -> None:
    with pytest.raises(ValidationError, match="timestamp"):
        KafkaRecordModel.model_validate(raw(timestamp=wrong))


def test_numbers_may_come_as_text_and_schema_metadata_is_there() -> None:
    model = KafkaRecordModel.model_validate(
        raw(partition="3", offset="4", valueSchemaMetadata={"dataFormat": "JSON", "schemaId": "7"})
    )

    assert (model.partition, model.offset) == (3, 4)
    assert model.valueSchemaMetadata is not None
    assert model.valueSchemaMetadata.schemaId == "7"
    assert model.keySchemaMetadata is None


def test_what_is_not_base64_is_an_error_that_does_not_carry_it() -> None:
    with pytest.raises(ValidationError, match="value is not base64"):
        KafkaRecordModel.model_validate(raw(value="no base64!"))


def test_a_record_that_does_not_fit_fails_alone_and_its_partition_stops() -> None:
    event = make_event(KafkaEvents(), '{"id": 1}', '{"id": "x"}', '{"id": 3}', '{"id": 4}', lanes=2)
    seen: list[int] = []

    def handler(record: OrderRecord) -> None:
        seen.append(record.value.id)

    response = BatchProcessor("kafka", model=OrderRecord).run(event, handler).response

    assert seen == [1, 3]
    assert response["batchItemFailures"] == [
        {"itemIdentifier": {"partition": "orders-1", "offset": 0}},
        {"itemIdentifier": {"partition": "orders-1", "offset": 1}},
    ]


def test_a_model_of_another_source_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'kafka'"):
        BatchProcessor("sqs", model=OrderRecord)  # type: ignore[call-overload,unused-ignore]  # what the test is about


@pytest.mark.parametrize("field", ["key", "value"])
def test_a_field_that_takes_no_text_is_refused_when_the_processor_is_made(field: str) -> None:
    wrong = type("Wrong", (KafkaRecordModel,), {"__annotations__": {field: Order}, "__module__": __name__})

    with pytest.raises(ConfigurationError, match=rf"{field}: Json\[Order\]"):
        BatchProcessor("kafka", model=wrong)


def test_the_base_model_is_not_changed_by_what_is_validated() -> None:
    record = raw(headers=signed_headers([("a", b"1")]))
    before = copy.deepcopy(record)
    KafkaRecordModel.model_validate(record)

    assert record == before
