"""pydantic quotes its input in its errors. The reason of a dead letter does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest

pytest.importorskip("pydantic")

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Reason = Callable[[BaseException], str]


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: int
    amounts: dict[str, int] = {}
    lines: list[int] = []
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    city: str = Field("", alias="deliveryCity")


def refused(data: Any) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Order.model_validate(data)
    return caught.value


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"id": "secret"}, "id: Input should be a valid integer, unable to parse string as an integer"),
        ({"id": 1, "lines": [1, "secret"]}, "lines.1: Input should be a valid integer, unable to parse"),
        ({"id": 1, "deliveryCity": ["secret"]}, "deliveryCity: Input should be a valid string"),
        ({"id": 1, "secret": 1}, "*: Extra inputs are not permitted"),
        ({"id": 1, "amounts": {"secret": "x"}}, "amounts.*: Input should be a valid integer"),
        ({"id": 1, "pet": {"kind": "secret"}}, "pet: union_tag_invalid"),
        ("secret", "record: Input should be a valid dictionary or instance of Order"),
    ],
)
def test_a_pydantic_error_says_what_is_wrong_where_and_holds_no_input(reason: Reason, data: Any, expected: str) -> None:
    error = refused(data)
    assert "secret" in str(error)
    found = reason(error)
    assert found.startswith(f"ValidationError: Order: {expected}")
    assert "secret" not in found


def test_a_pydantic_error_names_five_problems_and_counts_the_rest(reason: Reason) -> None:
    found = reason(refused({"id": 1, "lines": ["secret"] * 8}))
    assert found.count("lines.") == 5
    assert found.endswith("; and 3 more")
