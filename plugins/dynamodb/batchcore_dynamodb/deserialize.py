"""Attribute values of DynamoDB to Python values.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
"""

from __future__ import annotations

from decimal import Clamped, Context, Decimal, Inexact, InvalidOperation, Overflow, Underflow

from batchcore.binary import decode_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeGuard


def deserialize_item(item: Any, field: str) -> dict[str, Any]:
    """Make a Python dictionary of an item, an image or the keys of one.

    Args:
        item: attribute values by the attribute's name, as the event holds them; None for none.
        field: where the event holds them, for the error.

    Returns:
        ``str``, :class:`decimal.Decimal`, ``bytes``, ``bool``, ``None``, and sets, lists and dictionaries of those.

    Raises:
        ValueError: an attribute is not as DynamoDB writes it. The error names it, and not what is in it.
    """
    if item is None:
        return {}
    try:
        return _map(item)
    except ValueError as error:
        reason = str(error)
    raise ValueError(f"{field}{_culprit(item)} is no value of DynamoDB: {reason}")


def deserialize(attribute: Mapping[str, Any]) -> Any:
    """Make a Python value of one attribute value, such as ``{"S": "text"}``.

    Raises:
        ValueError: it is not as DynamoDB writes it.
    """
    try:
        ((kind, value),) = attribute.items()
        convert = _KINDS[kind]
    except (AttributeError, KeyError, TypeError, ValueError):
        convert, value = _unknown, None
    return convert(value)


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _unknown(_: Any) -> Any:
    raise ValueError("an attribute is an object with one key, its type: " + ", ".join(_KINDS))


def _culprit(item: Any) -> str:
    """Name the attribute that cannot be deserialised."""
    for name, attribute in item.items() if _is_object(item) else ():
        try:
            deserialize(attribute)
        except ValueError:
            return f"[{name!r}]"
    return ""


def _string(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise ValueError(f"S is a string, not of type {type(value).__name__}")


# 38 digits, and an error where one of them would be lost. Rounded is no error, unlike in boto3: without Inexact it says
# that zeros at the end were dropped, and DynamoDB writes 1E+40 with 40 of them. One context for good: making one costs
# ten times as much as making a number.
_create_decimal = Context(
    prec=38, Emin=-128, Emax=126, traps=[Clamped, Inexact, InvalidOperation, Overflow, Underflow]
).create_decimal


def _number(value: Any) -> Decimal:
    try:
        number = _create_decimal(value)
        if isinstance(value, str) and number.is_finite():
            return number
    except (ArithmeticError, TypeError, ValueError):
        pass
    raise ValueError("N is a number of up to 38 digits, as a string")


def _binary(value: Any) -> bytes:
    try:
        return decode_base64(value, "B")
    except ValueError:
        pass
    raise ValueError("B is a string of base64")


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError(f"BOOL is true or false, not of type {type(value).__name__}")


def _null(_: Any) -> None:
    return None


def _many(value: Any) -> list[Any]:
    if _is_list(value):
        return value
    raise ValueError(f"SS, NS, BS and L are lists, not of type {type(value).__name__}")


def _list(value: Any) -> list[Any]:
    return [deserialize(member) for member in _many(value)]


def _map(value: Any) -> dict[str, Any]:
    if _is_object(value):
        item: dict[str, Any] = {}
        for name, attribute in value.items():
            # deserialize() without the call: images are what the handlers of a table's stream read most.
            try:
                ((kind, inner),) = attribute.items()
                convert = _KINDS[kind]
            except (AttributeError, KeyError, TypeError, ValueError):
                convert, inner = _unknown, None
            item[name] = inner if convert is _string and type(inner) is str else convert(inner)
        return item
    raise ValueError(f"M is an object, not of type {type(value).__name__}")


def _set_of(member: Callable[[Any], Any]) -> Callable[[Any], set[Any]]:
    return lambda value: set(map(member, _many(value)))


_KINDS: dict[str, Callable[[Any], Any]] = {
    "S": _string,
    "N": _number,
    "B": _binary,
    "BOOL": _bool,
    "NULL": _null,
    "M": _map,
    "L": _list,
    "SS": _set_of(_string),
    "NS": _set_of(_number),
    "BS": _set_of(_binary),
}
