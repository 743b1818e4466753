"""What CloudWatch takes in a document, and a sentence for whoever gives it something else.

From "Specification: Embedded metric format" in the Amazon CloudWatch user guide, and "Dimension" and "MetricDatum" in
its API reference. CloudWatch leaves out what it does not take, and says so nowhere near the function. So it is refused.
"""

from __future__ import annotations

import re

from batchcore import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MOST_METRICS = 100
MOST_VALUES = 100
MOST_DIMENSIONS = 30
MOST_BYTES = 262_144 - 26  # of a log event. CloudWatch counts 26 of its own, and not every reader takes a larger line
LONGEST_NAMESPACE = 255
LONGEST_NAME = 250
LONGEST_DIMENSION_VALUE = 1_024
_LARGEST = 2.0**360

_SIZES = [f"{size}{unit}" for unit in ("bytes", "bits") for size in ("", "kilo", "mega", "giga", "tera")]
UNITS = frozenset(
    [
        *(f"{size.capitalize()}{per}" for size in [*_SIZES, "count"] for per in ("", "/Second")),
        *("Seconds", "Microseconds", "Milliseconds", "Percent", "None"),
    ]
)
_UNIT = {unit.lower(): unit for unit in UNITS}
_IN_A_NAMESPACE = re.compile(r"[0-9A-Za-z._/# -][0-9A-Za-z._/#: -]*")
_PRINTABLE = re.compile(r"[ -~]*[!-~][ -~]*")  # ASCII, and not blank
_LONGEST_SHOWN = 60


def checked_namespace(namespace: Any) -> str:
    """Return a namespace that CloudWatch takes.

    Raises:
        ConfigurationError: it does not.
    """
    if not isinstance(namespace, str) or not _IN_A_NAMESPACE.fullmatch(namespace) or not namespace.strip():
        raise ConfigurationError(
            "A namespace is a text of letters, digits, spaces and . - _ / # : that does not begin with a colon, not "
            f"{_shown(namespace)}."
        )
    if len(namespace) > LONGEST_NAMESPACE:
        raise ConfigurationError(
            f"A namespace has {LONGEST_NAMESPACE} characters at most; {_shown(namespace)} has {len(namespace)}."
        )
    if namespace.upper().startswith("AWS/"):
        raise ConfigurationError(
            f"Namespaces that begin with AWS/ are those of AWS. Choose another than {namespace!r}."
        )
    return namespace


def checked_dimensions(dimensions: Any, taken: Mapping[str, str]) -> dict[str, str]:
    """Return dimensions that CloudWatch takes.

    Args:
        dimensions: name to value.
        taken: the other keys of a document, each with what it is.

    Raises:
        ConfigurationError: it does not take them, or one is named like something else in the document.
    """
    if not hasattr(dimensions, "items"):
        raise ConfigurationError(f"dimensions is a mapping of names to values, not {_shown(dimensions)}.")
    given: dict[Any, Any] = dict(dimensions.items())
    if len(given) > MOST_DIMENSIONS:
        raise ConfigurationError(
            f"CloudWatch takes {MOST_DIMENSIONS} dimensions; there are {len(given)}. Leave some out."
        )
    for name, value in given.items():
        _check_name(name, "dimension")
        if name in taken:
            raise ConfigurationError(
                f"A dimension cannot be named {name!r}: {taken[name]} has that name, and a document has each "
                "name once. Choose another."
            )
        if not isinstance(value, str):
            raise ConfigurationError(
                f"The value of the dimension {name!r} is a text, not {_shown(value)}. Write "
                f"{str(value)[:_LONGEST_SHOWN]!r}."
            )
        if not _PRINTABLE.fullmatch(value):
            raise ConfigurationError(
                f"The value of the dimension {name!r} is a text of printable ASCII characters, not empty and not "
                f"blank, not {_shown(value)}."
            )
        if len(value) > LONGEST_DIMENSION_VALUE:
            raise ConfigurationError(
                f"The value of the dimension {name!r} has {len(value)} characters; {LONGEST_DIMENSION_VALUE} fit."
            )
    return given


def checked_metric(name: Any, taken: Mapping[str, str]) -> str:
    """Return the name of a metric that CloudWatch takes.

    Raises:
        ConfigurationError: it does not take it, or something else in the document has it.
    """
    _check_name(name, "metric")
    if name in taken:
        raise ConfigurationError(
            f"A metric cannot be named {name!r}: {taken[name]} has that name, and a document has each name once. "
            "Choose another."
        )
    return str(name)


def _check_name(name: Any, kind: str) -> None:
    if not isinstance(name, str) or not _PRINTABLE.fullmatch(name) or name.startswith(":"):
        raise ConfigurationError(
            f"The name of a {kind} is a text of printable ASCII characters that does not begin with a colon, not empty "
            f"and not blank, not {_shown(name)}."
        )
    if len(name) > LONGEST_NAME:
        raise ConfigurationError(
            f"The name of a {kind} has {LONGEST_NAME} characters at most; {_shown(name)} has {len(name)}."
        )


def checked_unit(unit: Any, name: str) -> str:
    """Return a unit of CloudWatch, however its letters are written.

    Raises:
        ConfigurationError: there is no such unit.
    """
    found = _UNIT.get(unit.lower()) if isinstance(unit, str) else None
    if found is None:
        raise ConfigurationError(
            f"{_shown(unit)}, the unit of {name!r}, is no unit of CloudWatch. Its units are: "
            f"{', '.join(sorted(UNITS))}."
        )
    return found


def checked_values(values: Any, name: str) -> Any:
    """Return a number, or a list of numbers, that CloudWatch takes.

    Raises:
        ConfigurationError: it does not.
    """
    if isinstance(values, (list, tuple)):
        several: Any = values
        if len(several) > MOST_VALUES:
            raise ConfigurationError(
                f"A metric has {MOST_VALUES} values at most, and {name!r} has {len(several)}. Give their sum, or some."
            )
        return [_checked_number(value, name) for value in several]
    return _checked_number(values, name)


def _checked_number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ConfigurationError(f"The value of the metric {name!r} is a number, not {_shown(value)}.")
    if not -_LARGEST <= value <= _LARGEST:  # nor is nan between them
        raise ConfigurationError(f"CloudWatch takes no {_shown(value)} as the value of the metric {name!r}.")
    return value


def _shown(value: object) -> str:
    if not isinstance(value, (str, int, float)):
        return "nothing" if value is None else f"something of the type {type(value).__name__}"
    if isinstance(value, int) and abs(value) > _LARGEST:
        return "number of that size"
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}...'"
