"""Headers and dates of RabbitMQ in the form in which AWS writes them: what Gson makes of the Java client's classes."""

from __future__ import annotations

import copy
import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchcore_mq import decode_date, decode_headers


def written(value: Any) -> Any:
    """Write a value as AWS does: text as signed bytes in an object, bytes as a bare list of them."""
    if isinstance(value, str):
        return {"bytes": written(value.encode())}
    if isinstance(value, bytes):
        return [byte - 256 if byte > 127 else byte for byte in value]
    if isinstance(value, list):
        return [written(each) for each in value]
    if isinstance(value, dict):
        return {name: written(each) for name, each in value.items()}
    return value


@pytest.mark.parametrize(
    ("in_the_event", "decoded"),
    [
        ({"bytes": [118, 97, 108, 117, 101, 49]}, "value1"),
        ({"bytes": [-61, -87]}, "é"),
        ({"bytes": [-30, -126, -84, 32, 49]}, "€ 1"),
        ({"bytes": []}, ""),
        ({"bytes": [-1, 0]}, b"\xff\x00"),
        ([-61, -87], [-61, -87]),  # bytes, or a list of two numbers: nobody can tell
        ([], []),
        (10, 10),
        (1700000000000, 1700000000000),
        (0.1, 0.1),  # a decimal, too
        (True, True),
        (None, None),
        ("Jan 1, 1970, 12:33:41 AM", "Jan 1, 1970, 12:33:41 AM"),
        ([{"bytes": [97]}, 1, [{"bytes": [98]}]], ["a", 1, ["b"]]),
        ({"inner": {"bytes": [97]}, "n": None}, {"inner": "a", "n": None}),
        ({"bytes": {"bytes": [97]}}, {"bytes": "a"}),  # a table with a key of that name
        ({"bytes": [97], "other": 1}, {"bytes": [97], "other": 1}),
        ({"bytes": [128]}, {"bytes": [128]}),  # no byte
        ({"bytes": [-129]}, {"bytes": [-129]}),
        ({"bytes": [True]}, {"bytes": [True]}),
        ({"bytes": [1.0]}, {"bytes": [1.0]}),
        ({"bytes": "a date"}, {"bytes": "a date"}),
        ({}, {}),
    ],
)
def test_header_is_decoded_as_its_form_allows(in_the_event: Any, decoded: Any) -> None:
    before = copy.deepcopy(in_the_event)
    read = decode_headers({"header": in_the_event})["header"]
    assert read == decoded
    assert type(read) is type(decoded)
    assert in_the_event == before


def test_x_death_is_decoded_inside() -> None:
    death = {
        "count": 3,
        "reason": written("rejected"),
        "queue": written("orders"),
        "time": "Nov 29, 2026, 1:05:09 PM",
        "exchange": written(""),
        "routing-keys": [written("orders")],
    }
    (read,) = decode_headers({"x-death": [death]})["x-death"]
    assert read == {
        "count": 3,
        "reason": "rejected",
        "queue": "orders",
        "time": "Nov 29, 2026, 1:05:09 PM",
        "exchange": "",
        "routing-keys": ["orders"],
    }


def test_headers_of_which_the_only_one_is_called_bytes_are_headers() -> None:
    assert decode_headers({"bytes": [97, 98]}) == {"bytes": [97, 98]}
    assert decode_headers({"bytes": {"bytes": [97, 98]}}) == {"bytes": "ab"}


@pytest.mark.parametrize("headers", [None, {}, [], "text", 7])
def test_no_headers_are_no_headers(headers: Any) -> None:
    assert decode_headers(headers) == {}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


def is_ambiguous(value: Any) -> bool:
    """Whether a table in it has the one key ``bytes`` and a list of small numbers, which text has, too."""
    if isinstance(value, list):
        return any(map(is_ambiguous, value))
    if not isinstance(value, dict):
        return False
    inner = value.get("bytes") if len(value) == 1 else None
    is_text = isinstance(inner, list) and all(type(each) is int and -128 <= each <= 127 for each in inner)
    return is_text or any(map(is_ambiguous, value.values()))


@given(st.dictionaries(st.text(max_size=8), values, max_size=4))
def test_what_was_sent_is_read_but_where_two_forms_are_one(headers: dict[str, Any]) -> None:
    if not any(map(is_ambiguous, headers.values())):
        assert decode_headers(json.loads(json.dumps(written(headers)))) == headers


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("Jan 1, 1970, 12:33:41 AM", datetime(1970, 1, 1, 0, 33, 41)),  # noqa: DTZ001
        ("Jan 1, 1970 12:33:41 AM", datetime(1970, 1, 1, 0, 33, 41)),  # noqa: DTZ001 - Java 8
        ("Jan 1, 1970, 12:33:41\u202fAM", datetime(1970, 1, 1, 0, 33, 41)),  # noqa: DTZ001 - Java 20
        ("Nov 29, 2026, 1:05:09 PM", datetime(2026, 11, 29, 13, 5, 9)),  # noqa: DTZ001
        ("Dec 31, 1999, 12:00:00 PM", datetime(1999, 12, 31, 12, 0)),  # noqa: DTZ001
        ("Feb 29, 2024, 11:59:59 PM", datetime(2024, 2, 29, 23, 59, 59)),  # noqa: DTZ001
    ],
)
def test_date_is_read_without_a_zone(text: str, date: datetime) -> None:
    assert decode_date(text) == date
    assert decode_date(text).tzinfo is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret",
        "1 Jan 1970, 12:33:41 AM",
        "Okt 1, 1970, 12:33:41 AM",
        "Feb 30, 2026, 1:05:09 PM",
        "Nov 29, 2026, 1:65:09 PM",
        "Nov 29, 2026, 1:05:09 PM UTC",
        "2026-11-29T13:05:09Z",
    ],
)
def test_what_is_no_such_date_is_an_error_that_does_not_show_it(text: str) -> None:
    with pytest.raises(ValueError, match="text as in Jan 1, 1970") as caught:
        decode_date(text)
    assert not text or text not in str(caught.value)
