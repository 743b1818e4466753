"""The events that the factory makes are those of AWS, field by field."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from batchcore_dynamodb import DynamoDBRecord
from batchcore_dynamodb.events import attribute_value
from batchcore_testing import make_record


def test_a_record_has_the_fields_of_aws_and_no_others(sample: Callable[[str], Any]) -> None:
    expected, made = sample("dynamoStreamEvent")["Records"][0], make_record("dynamodb", "hello")

    assert made.keys() == expected.keys()
    assert made["dynamodb"].keys() == expected["dynamodb"].keys()
    types = {name: type(value) for name, value in expected["dynamodb"].items()}
    assert {name: type(value) for name, value in made["dynamodb"].items()} == types


def test_the_content_is_the_item() -> None:
    item = {"id": "17", "sum": 3, "price": Decimal("1.5"), "tags": {"a", "b"}, "lines": [{"n": None}], "paid": True}
    raw = make_record("dynamodb", item)

    assert DynamoDBRecord(raw).dynamodb.new_image == item
    assert DynamoDBRecord(raw).dynamodb.keys == {"id": "17"}


def test_a_record_fits_the_model() -> None:
    pytest.importorskip("pydantic")
    from batchcore_dynamodb.models import DynamoDBStreamRecordModel

    raw = make_record("dynamodb", {"id": "17"})

    assert DynamoDBStreamRecordModel.model_validate(raw).dynamodb.SequenceNumber == raw["dynamodb"]["SequenceNumber"]


def test_the_key_of_a_record_is_that_of_the_item() -> None:
    assert make_record("dynamodb", "x", sent={"key": "a"})["dynamodb"]["Keys"] == {"id": {"S": "a"}}
    assert make_record("dynamodb", "x", sent={"number": 5})["dynamodb"]["Keys"] == {"id": {"S": "5"}}


@pytest.mark.parametrize(
    ("value", "attribute"),
    [
        (None, {"NULL": True}),
        (True, {"BOOL": True}),
        (1.5, {"N": "1.5"}),
        (b"\xff", {"B": "/w=="}),
        ({2, 1}, {"NS": ["1", "2"]}),
        ({b"a"}, {"BS": ["YQ=="]}),
        (("a", 1), {"L": [{"S": "a"}, {"N": "1"}]}),
        ({"a": {}}, {"M": {"a": {"M": {}}}}),
    ],
)
def test_a_value_has_its_type_of_dynamodb(value: Any, attribute: dict[str, Any]) -> None:
    assert attribute_value(value) == attribute


@pytest.mark.parametrize("value", [object(), set(), {1, "a"}, {("a",)}], ids=["object", "empty", "mixed", "tuples"])
def test_a_value_without_a_type_of_dynamodb_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="DynamoDB"):
        attribute_value(value)
