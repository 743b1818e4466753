"""What was sent, found by what a test has of it: the object, or its JSON as text or bytes."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from batchcore_testing.simulator.history import Item

_MOST_DIGITS = 400  # of a number that is whole, and written with an exponent


class Contents:
    """Items, by what was sent."""

    def __init__(self) -> None:
        self._items: list[Item] = []
        self._by_value: dict[str | None, list[Item]] = {}

    def add(self, item: Item) -> None:
        """Add an item."""
        self._items.append(item)
        self._by_value.setdefault(value_of(item.content), []).append(item)

    def find(self, what: Any) -> Sequence[Item]:
        """Return the items whose content this is: those of the same type, where there are such, else of equal value."""
        value = value_of(what)
        found = self._items if value is None else self._by_value.get(value, [])
        same = [item for item in found if _is_same(item.content, what)]
        return same if same or value is None else found


def value_of(content: Any) -> str | None:
    """Return the value of a content as JSON that is equal for equal ones; None where it is no JSON.

    Text and bytes have the value of the JSON that they are, if they are any. Keys have no order, a whole number is one
    however it is written, and an object of a data class or a model is the JSON that it was made of.
    """
    given: Any = content
    if isinstance(content, (bytes, bytearray, memoryview)):
        try:
            given = bytes(given).decode()
        except UnicodeDecodeError:
            return f"bytes {bytes(given).hex()}"
    try:
        text = given if isinstance(given, str) else json.dumps(given, default=_plain)
        given = json.loads(text, parse_float=_number)
    except Exception:  # it is no JSON, or an object of the test's own that will not be looked at
        if not isinstance(given, str):
            return None
    return json.dumps(given, sort_keys=True)


def _number(text: str) -> Any:
    number = Decimal(text)
    is_whole = number.is_finite() and number.adjusted() < _MOST_DIGITS and number == number.to_integral_value()
    return int(number) if is_whole else float(number)


def _plain(value: Any) -> Any:
    """Return as JSON has it what handlers make of JSON."""
    inside: Any = value
    pydantic: Any = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(value, pydantic.BaseModel):
        return inside.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, Decimal):
        return _number(str(value))
    if isinstance(value, (bytes, bytearray)):
        return value.decode()
    if isinstance(value, Mapping):
        return dict(inside)
    if isinstance(value, AbstractSet):
        return sorted(inside, key=repr)
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError


def _is_same(content: Any, what: Any) -> bool:
    try:
        return type(content) is type(what) and bool(content == what)
    except Exception:  # of an object of the test's own
        return False
