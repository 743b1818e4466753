"""Attribute values of DynamoDB to Python values."""

from __future__ import annotations

import base64
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcore_dynamodb.deserialize import deserialize, deserialize_item

VALUES: list[tuple[dict[str, Any], object]] = [
    ({"S": "text"}, "text"),
    ({"S": ""}, ""),
    ({"N": "101"}, Decimal(101)),
    ({"N": "-0.10"}, Decimal("-0.10")),
    ({"N": "1E-125"}, Decimal("1E-125")),
    ({"B": "AP8="}, b"\x00\xff"),
    ({"B": ""}, b""),
    ({"BOOL": True}, True),
    ({"BOOL": False}, False),
    ({"NULL": True}, None),
    ({"SS": ["a", "b"]}, {"a", "b"}),
    ({"NS": ["1", "2.5"]}, {Decimal(1), Decimal("2.5")}),
    ({"BS": ["YQ==", "Yg=="]}, {b"a", b"b"}),
    ({"L": []}, []),
    ({"L": [{"S": "a"}, {"L": [{"N": "1"}, {"NULL": True}]}]}, ["a", [Decimal(1), None]]),
    ({"M": {}}, {}),
    ({"M": {"a": {"M": {"b": {"SS": ["c"]}}}, "d": {"BOOL": True}}}, {"a": {"b": {"c"}}, "d": True}),
]


@pytest.mark.parametrize(("attribute", "value"), VALUES)
def test_every_type_has_its_python_value(attribute: dict[str, Any], value: object) -> None:
    assert deserialize(attribute) == value
    assert type(deserialize(attribute)) is type(value)


def test_a_number_keeps_its_38_digits() -> None:
    digits = "12345678901234567890123456789012345678"
    assert str(deserialize({"N": digits})) == digits
    assert deserialize({"N": f"0.{digits}"}) == Decimal(f"0.{digits}")


def test_a_large_number_may_be_written_with_all_its_zeros() -> None:
    assert deserialize({"N": "1" + "0" * 40}) == Decimal("1E+40")
    assert deserialize({"N": "9" * 38 + "0" * 88}) == Decimal("9" * 38 + "E+88")


@pytest.mark.parametrize(
    "number",
    [
        "1" * 39,
        "0." + "1" * 39,
        "1E+127",
        "1E-200",
        "",
        "secret",
        "NaN",
        "Infinity",
        "0x10",
        None,
        101,
        1.5,
        True,
        ["1"],
    ],
)
def test_what_is_no_number_of_38_digits_is_an_error_and_never_another_number(number: object) -> None:
    with pytest.raises(ValueError, match=r"^N is a number of up to 38 digits, as a string$"):
        deserialize({"N": number})


@pytest.mark.parametrize(
    "attribute",
    [
        {"S": 7},
        {"S": None},
        {"B": "secret!"},
        {"B": "c2Vj\ncmV0AA=="},
        {"B": None},
        {"B": b"secret"},
        {"BOOL": "secret"},
        {"BOOL": 1},
        {"SS": "secret"},
        {"SS": [7]},
        {"SS": [["secret"]]},
        {"NS": ["1", "secret"]},
        {"BS": [None]},
        {"L": {"S": "secret"}},
        {"L": ["secret"]},
        {"L": [{"S": 7}]},
        {"M": ["secret"]},
        {"M": {"a": "secret"}},
        {"X": "secret"},
        {"s": "secret"},
        {"S": "secret", "N": "1"},
        {},
        "secret",
        None,
        7,
        [{"S": "secret"}],
        {("S",): "secret"},
    ],
)
def test_what_is_not_as_dynamodb_writes_it_is_an_error_that_names_the_attribute_and_not_its_value(
    attribute: Any,
) -> None:
    item = {"Id": {"N": "1"}, "Broken": attribute, "Last": {"S": "z"}}
    with pytest.raises(ValueError, match=r"^dynamodb\.NewImage\['Broken'\] is no value of DynamoDB: ") as caught:
        deserialize_item(item, "dynamodb.NewImage")
    assert "secret" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("item", ["secret", 7, [{"S": "secret"}]])
def test_an_item_that_is_no_object_is_an_error_that_names_the_field(item: object) -> None:
    with pytest.raises(ValueError, match=r"^dynamodb\.Keys is no value of DynamoDB: M is an object") as caught:
        deserialize_item(item, "dynamodb.Keys")
    assert "secret" not in str(caught.value)


def test_no_item_is_an_empty_one() -> None:
    assert deserialize_item(None, "dynamodb.OldImage") == {}


def serialized(value: Any) -> dict[str, Any]:
    """Write a value as DynamoDB does."""
    if isinstance(value, list):
        return {"L": [serialized(member) for member in value]}
    if isinstance(value, dict):
        return {"M": {name: serialized(member) for name, member in value.items()}}
    if isinstance(value, bytes):
        return {"B": base64.b64encode(value).decode()}
    if isinstance(value, Decimal):
        return {"N": str(value)}
    return {{str: "S", bool: "BOOL"}.get(type(value), "NULL"): True if value is None else value}


NUMBERS = st.integers(-(10**37), 10**37).flatmap(
    lambda digits: st.integers(-80, 80).map(lambda exponent: Decimal(f"{digits}E{exponent}"))
)
SCALARS = st.none() | st.booleans() | st.text() | st.binary() | NUMBERS
NESTED = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(st.dictionaries(st.text(), NESTED))
def test_an_item_is_read_as_it_was_written(item: dict[str, Any]) -> None:
    assert deserialize_item({name: serialized(value) for name, value in item.items()}, "NewImage") == item


@given(st.text(alphabet="AQz09+/=-_ \nü", max_size=12))
def test_binary_is_base64_with_nothing_beside_it(text: str) -> None:
    if re.fullmatch(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?", text):
        assert deserialize({"B": text}) == base64.b64decode(text)
    else:
        with pytest.raises(ValueError, match="B is a string of base64"):
            deserialize({"B": text})
