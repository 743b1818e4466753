"""What the reason says, and what it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from batchcore_deadletter import SQSDeadLetters

Fixture = Callable[..., Any]
Reason = Callable[[BaseException], str]


@pytest.fixture
def reason(make_queue: Fixture, arrived: Fixture, failed: Fixture, make_letter: Fixture) -> Reason:
    """Give the function that lets a record fail with an exception, and reads the reason that arrives."""

    def read(error: BaseException) -> str:
        url = make_queue()
        records = failed(make_letter(), error=error)
        SQSDeadLetters(url).deliver_dead_letter(records.outcomes[0], records.batch)
        (message,) = arrived(url)
        text: str = message["MessageAttributes"]["DeadLetterReason"]["StringValue"]
        return text

    return read


class Untold(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("two\nlines"), "ValueError: two\nlines"),
        (KeyError("customer"), "KeyError: 'customer'"),
        (ValueError(), "ValueError"),
        (Untold(), "Untold: <str() of it raised RuntimeError>"),
        (ValueError("a\x00b\ud800c\uffffd"), "ValueError: a\ufffdb\ufffdc\ufffdd"),
    ],
)
def test_the_reason_is_class_and_text(reason: Reason, error: BaseException, expected: str) -> None:
    assert reason(error) == expected


def test_a_reason_of_a_thousand_characters_is_whole(reason: Reason) -> None:
    text = "x" * (1_000 - len("ValueError: "))
    assert reason(ValueError(text)) == f"ValueError: {text}"


def test_a_longer_reason_is_cut(reason: Reason) -> None:
    found = reason(ValueError("\U0001f4ec" * 1_000_000))
    assert len(found) == 1_000
    assert found.startswith("ValueError: \U0001f4ec")
    assert found.endswith("\U0001f4ec...")


# pydantic quotes its input.


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
