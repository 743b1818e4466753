"""The typed view of a record of a DynamoDB stream."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from batchcore_dynamodb import (
    DynamoDBRecord,
    DynamoDBRecordEventName,
    ItemKeys,
    StreamRecord,
    StreamViewType,
    UserIdentity,
)

Sample = Callable[[str], dict[str, Any]]
SAMPLES = ["dynamoStreamEvent", "getting_started_dynamodb_event", "pydantic_dynamodb_event"]
EXPIRED = {"type": "Service", "principalId": "dynamodb.amazonaws.com"}


@pytest.mark.parametrize("name", SAMPLES)
def test_every_field_of_every_sample_has_a_property(sample: Sample, name: str) -> None:
    for raw in sample(name)["Records"]:
        record = DynamoDBRecord(raw)
        assert {
            "eventID": record.event_id,
            "eventVersion": record.event_version,
            "dynamodb": record.dynamodb,
            "awsRegion": record.aws_region,
            "eventName": record.event_name,
            "eventSourceARN": record.event_source_arn,
            "eventSource": record.event_source,
        } == raw
        change, raw_change = record.dynamodb, raw["dynamodb"]
        assert change.sequence_number == raw_change["SequenceNumber"]
        assert change.size_bytes == raw_change["SizeBytes"]
        assert change.stream_view_type == raw_change["StreamViewType"]
        assert change.approximate_creation_date_time == raw_change.get("ApproximateCreationDateTime")
        assert change.keys.keys() == raw_change["Keys"].keys()
        assert change.new_image.keys() == raw_change["NewImage"].keys()
        assert change.old_image.keys() == raw_change.get("OldImage", {}).keys()


def test_keys_and_images_are_deserialised(sample: Sample) -> None:
    change = DynamoDBRecord(sample("dynamoStreamEvent")["Records"][1]).dynamodb
    assert change.keys == {"Id": Decimal(101)}
    assert change.new_image == {"Message": "This item has changed", "Id": Decimal(101)}
    assert change.old_image == {"Message": "New item!", "Id": Decimal(101)}


def test_keys_and_images_are_deserialised_once(sample: Sample) -> None:
    record = DynamoDBRecord(sample("dynamoStreamEvent")["Records"][1])
    assert record.dynamodb is record.dynamodb
    change = record.dynamodb
    assert change.keys is change.keys
    assert change.new_image is change.new_image
    assert change.old_image is change.old_image


def test_an_image_that_the_event_lacks_is_empty() -> None:
    change = StreamRecord({"NewImage": None})
    assert change.keys == change.new_image == change.old_image == {}
    assert change.new_image.get("Message") is None


@pytest.mark.parametrize("field", ["Keys", "NewImage", "OldImage"])
def test_an_image_that_cannot_be_deserialised_is_an_error_that_names_it(field: str) -> None:
    change = StreamRecord({field: {"Card": {"N": "secret"}}})
    for _ in range(2):
        with pytest.raises(ValueError, match=rf"dynamodb\.{field}\['Card'\] is no value of DynamoDB") as caught:
            _ = {
                "Keys": lambda: change.keys,
                "NewImage": lambda: change.new_image,
                "OldImage": lambda: change.old_image,
            }[field]()
        assert "secret" not in str(caught.value)


def test_a_record_is_the_mapping_it_shows(sample: Sample) -> None:
    raw = sample("dynamoStreamEvent")["Records"][0]
    record = DynamoDBRecord(raw)
    assert record == raw
    assert record == DynamoDBRecord(copy.deepcopy(raw))
    assert record != DynamoDBRecord(sample("dynamoStreamEvent")["Records"][1])
    assert dict(record) == raw
    assert record["dynamodb"] == record.dynamodb


def test_what_changed_is_a_mapping_too_though_keys_are_those_of_the_item(sample: Sample) -> None:
    raw = sample("dynamoStreamEvent")["Records"][0]["dynamodb"]
    change = StreamRecord(raw)
    assert dict(change) == {**change} == raw
    assert list(change.keys()) == list(change) == list(raw)
    assert dict(change.items()) == raw
    assert json.loads(json.dumps(dict(change))) == raw


def test_the_keys_of_an_item_are_a_dictionary(sample: Sample) -> None:
    keys = StreamRecord(sample("dynamoStreamEvent")["Records"][0]["dynamodb"]).keys
    assert isinstance(keys, ItemKeys)
    assert isinstance(keys, dict)
    for twin in (copy.copy(keys), pickle.loads(pickle.dumps(keys))):
        assert twin == keys == {"Id": Decimal(101)}
        assert list(twin()) == list(keys())


@pytest.mark.parametrize("name", ["INSERT", "MODIFY", "REMOVE"])
def test_the_event_name_is_one_of_an_enum_and_of_strings(name: str) -> None:
    event_name = DynamoDBRecord({"eventName": name}).event_name
    assert event_name is DynamoDBRecordEventName[name]
    assert event_name == name


@pytest.mark.parametrize("name", ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"])
def test_the_stream_view_type_is_one_of_an_enum_and_of_strings(name: str) -> None:
    view_type = StreamRecord({"StreamViewType": name}).stream_view_type
    assert view_type is StreamViewType[name]
    assert view_type == name


@pytest.mark.parametrize("name", ["UPSERT", "", 7, ["INSERT"], {}])
def test_a_name_that_is_not_known_is_an_error_that_names_the_field(name: object) -> None:
    with pytest.raises(ValueError, match="eventName is one of INSERT, MODIFY, REMOVE, not"):
        _ = DynamoDBRecord({"eventName": name}).event_name
    with pytest.raises(ValueError, match=r"dynamodb\.StreamViewType is one of KEYS_ONLY, .*, not"):
        _ = StreamRecord({"StreamViewType": name}).stream_view_type


def test_the_time_of_the_change_is_in_whole_seconds(sample: Sample) -> None:
    change = DynamoDBRecord(sample("dynamoStreamEvent")["Records"][0]).dynamodb
    assert change.approximate_creation_date_time == 1693997155
    assert type(change.approximate_creation_date_time) is int


TIMES = [
    (1795000000, 1795000000),
    (1795000000.0, 1795000000),
    (1795000000.9, 1795000000),
    ("1795000000", 1795000000),
    (1795000000123, 1795000000),
    (1795000000999, 1795000000),
    (1795000000123.0, 1795000000),
    (1795000000123456, 1795000000),
    (1795000000999999, 1795000000),
    ("1795000000123456", 1795000000),
    (Decimal(1795000000123456), 1795000000),
    (1795000000123456789, 1795000000),
    (0, 0),
    (4102444800, 4102444800),  # the year 2100
    (4102444800000, 4102444800),
    (4102444800000000, 4102444800),
]


@pytest.mark.parametrize(("value", "seconds"), TIMES)
@pytest.mark.parametrize("precision", [None, "MILLISECOND", "MICROSECOND"])
def test_the_time_of_the_change_is_in_seconds_whatever_its_precision(
    value: Any, seconds: int, precision: str | None
) -> None:
    raw = {"ApproximateCreationDateTime": value, "ApproximateCreationDateTimePrecision": precision}
    assert StreamRecord(raw).approximate_creation_date_time == seconds
    del raw["ApproximateCreationDateTimePrecision"]
    assert StreamRecord(raw).approximate_creation_date_time == seconds


@pytest.mark.parametrize("value", ["soon", [1], float("inf"), float("nan")])
def test_a_field_that_is_no_number_is_an_error_that_names_it(value: object) -> None:
    with pytest.raises(ValueError, match=r"dynamodb\.ApproximateCreationDateTime is not a number"):
        _ = StreamRecord({"ApproximateCreationDateTime": value}).approximate_creation_date_time
    with pytest.raises(ValueError, match=r"dynamodb\.SizeBytes is not a number"):
        _ = StreamRecord({"SizeBytes": value}).size_bytes


def test_an_item_that_expired_was_removed_by_dynamodb(sample: Sample) -> None:
    raw = sample("dynamoStreamEvent")["Records"][0]
    identity = DynamoDBRecord({**raw, "userIdentity": EXPIRED}).user_identity
    assert isinstance(identity, UserIdentity)
    assert (identity.type, identity.principal_id) == ("Service", "dynamodb.amazonaws.com")
    assert identity == EXPIRED
    assert identity["principalId"] == "dynamodb.amazonaws.com"


@pytest.mark.parametrize("raw", [{}, {"userIdentity": None}])
def test_a_change_by_a_user_has_no_identity(raw: dict[str, Any]) -> None:
    identity = DynamoDBRecord(raw).user_identity
    assert not identity
    assert (identity.type, identity.principal_id) == (None, None)


def test_fields_that_the_event_lacks_are_none() -> None:
    record = DynamoDBRecord({"dynamodb": {}})
    assert record.aws_region is record.event_id is record.event_name is record.event_source is None
    assert record.event_source_arn is record.event_version is None
    change = record.dynamodb
    assert change.approximate_creation_date_time is change.sequence_number is change.size_bytes is None
    assert change.stream_view_type is None


def test_a_record_without_its_body_is_an_error_that_says_so() -> None:
    with pytest.raises(KeyError, match="dynamodb"):
        _ = DynamoDBRecord({"eventID": "1"}).dynamodb


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (
            {"kinesis": {}, "eventSource": "aws:kinesis"},
            r"a record of aws:kinesis.* DynamoDBRecord\(record.kinesis.data",
        ),
        ({"messageType": "DATA_MESSAGE", "logEvents": []}, "log events of CloudWatch Logs"),
        ({"TopicArn": "arn", "Message": "hunter2"}, "an SNS notification"),
        ({"order": "hunter2"}, "a JSON object that no known service of AWS writes"),
        ({"dynamodb": "hunter2"}, "has an object dynamodb, and this has none"),
        ({"dynamodb": None}, "has an object dynamodb, and this has none"),
    ],
)
def test_what_is_no_change_is_a_value_error_that_says_what_it_is(raw: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        _ = DynamoDBRecord(raw).dynamodb
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("data", ['{"dynamodb": {}}', ["hunter2"], 7, None])
def test_data_that_is_no_object_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="DynamoDBRecord shows a mapping, and this is none") as caught:
        DynamoDBRecord(data)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("decoded", [False, True])
def test_a_record_can_be_pickled_and_copied_decoded_or_not(sample: Sample, decoded: bool) -> None:
    record = DynamoDBRecord(sample("dynamoStreamEvent")["Records"][0])
    if decoded:
        assert record.dynamodb.keys
        assert record.dynamodb.new_image
    for twin in (pickle.loads(pickle.dumps(record)), copy.copy(record), copy.deepcopy(record)):
        assert type(twin) is DynamoDBRecord
        assert twin == record
        assert twin.dynamodb.new_image == {"Message": "New item!", "Id": Decimal(101)}
        assert twin.dynamodb.keys == {"Id": Decimal(101)}


def test_a_property_says_what_it_is() -> None:
    assert "What changed" in (DynamoDBRecord.dynamodb.__doc__ or "")


def test_importing_the_package_offers_the_source_and_loads_nothing_heavy() -> None:
    program = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "before = set(sys.modules); import batchcore_dynamodb; new = set(sys.modules) - before\n"
        "heavy = {'typing', 'inspect', 'dataclasses', 'asyncio', 'pydantic', 'base64', 'email', 'pluggy',"
        " 'importlib_metadata', 'batchcore_dynamodb.models', 'batchcore_dynamodb.times', 'batchcore.shapes',"
        " 'batchcore.undecoded'}\n"
        "assert not new & heavy, new & heavy\n"
        "from batchcore import BatchProcessor, EventType\n"
        "BatchProcessor(event_type=EventType.DynamoDBStreams)\n"
        "assert 'importlib_metadata' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True)
