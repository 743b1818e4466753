"""What was sent is found by whatever a function has of it: the record, or the content in any form."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from batchcore import process_partial_response
from batchcore_testing import EventSourceMapping, Queue, Stream, UnknownRecordError

from .support import mapping_of, processor_of


@dataclass(frozen=True)
class Line:
    sku: str
    count: int


@dataclass
class Order:
    id: int
    lines: list[Line]


class Pair(NamedTuple):
    left: int
    right: int


ORDER = {"id": 17, "lines": [{"sku": "tea", "count": 2}]}
OTHER = {"id": 18, "lines": [{"sku": "tea", "count": 2}]}
TEXT = json.dumps(ORDER)
FORMS = {
    "the object": ORDER,
    "another order of keys": {"lines": [{"count": 2, "sku": "tea"}], "id": 17},
    "its JSON": TEXT,
    "its JSON, indented": json.dumps(ORDER, indent=2),
    "its JSON, compact": json.dumps(ORDER, separators=(",", ":"), sort_keys=True),
    "bytes": TEXT.encode(),
    "a bytearray": bytearray(TEXT.encode()),
    "a memory view": memoryview(TEXT.encode()),
    "an ordered dictionary": OrderedDict(ORDER),
    "a mapping": MappingProxyType(ORDER),
    "tuples for lists": {"id": 17, "lines": ({"sku": "tea", "count": 2},)},
    "numbers of DynamoDB": {"id": Decimal(17), "lines": [{"sku": "tea", "count": Decimal(2)}]},
    "a number with a point": {"id": 17.0, "lines": [{"sku": "tea", "count": 2}]},
    "a data class": Order(17, [Line("tea", 2)]),
}


def model() -> Any:
    pydantic = pytest.importorskip("pydantic")
    made = pydantic.create_model("Model", id=(int, ...), lines=(list[Any], ...), note=(str, "none was sent"))
    return made(**ORDER)


def renamed() -> Any:
    pydantic = pytest.importorskip("pydantic")
    number, rows = (int, pydantic.Field(alias="id")), (list[Any], pydantic.Field(alias="lines"))
    return pydantic.create_model("Renamed", number=number, rows=rows)(**ORDER)


@pytest.mark.parametrize("made", [model, renamed], ids=["a model", "a model with other names"])
def test_what_was_sent_is_found_by_a_model(made: Callable[[], Any]) -> None:
    queue = Queue()
    queue.send(OTHER, ORDER, json.dumps({**ORDER, "id": "17"}))

    mapping_of(queue).done(made())

    assert [len(item.done) for item in queue.items] == [0, 1, 0]


@pytest.mark.parametrize("sent", ["the object", "its JSON", "its JSON, indented", "another order of keys"])
@pytest.mark.parametrize("form", FORMS)
def test_what_was_sent_is_found_in_every_form(sent: str, form: str) -> None:
    queue = Queue()
    queue.send(OTHER, FORMS[sent], json.dumps({**ORDER, "id": "17"}))

    mapping_of(queue).done(FORMS[form])

    assert [len(item.done) for item in queue.items] == [0, 1, 0]


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        (b"\xff\x00", b"\xff\x00"),
        (b"\xff\x00", bytearray(b"\xff\x00")),
        (b'{"id": 1}', {"id": 1}),
        ("tea", b"tea"),
        ("tee ☕", "tee ☕".encode()),
        ({"name": "tee ☕"}, '{"name": "tee \\u2615"}'),
        ("plain text", '"plain text"'),
        (17, "17"),
        ("17", 17),
        (1.5, Decimal("1.5")),
        ("NaN", Decimal("NaN")),
        ("1e2", 100),
        (True, "true"),
        (None, "null"),
        ([1, 2], Pair(1, 2)),
        ({"1": "a"}, {1: "a"}),
        ("", b""),
        ("[" * 5000, "[" * 5000),
    ],
    ids=repr,
)
def test_text_bytes_and_values_are_found(sent: Any, named: Any) -> None:
    stream = Stream()
    (item,) = stream.send(sent)

    assert stream.find(named) is item


@pytest.mark.parametrize(
    ("sent", "named"),
    [(1, True), (0, False), ("a", "A"), ("a", "a "), (b"\xff", "\xff"), ({"a": 1}, {"a": "1"}), ([1, 2], [2, 1])],
    ids=repr,
)
def test_what_has_another_value_is_not_found(sent: Any, named: Any) -> None:
    stream = Stream()
    stream.send(sent)

    with pytest.raises(UnknownRecordError):
        stream.find(named)


def test_of_equal_contents_that_of_the_same_type_is_meant() -> None:
    queue = Queue()
    text, value = queue.send("17", 17)

    assert queue.find("17") is text
    assert queue.find(17) is value


@pytest.mark.parametrize(
    "name",
    [
        lambda record: json.loads(record.body),
        lambda record: json.dumps(json.loads(record.body), sort_keys=True),
        lambda record: record.body,
        lambda record: record.body.encode(),
    ],
    ids=["object", "JSON", "text", "bytes"],
)
def test_what_a_handler_ships_is_done_in_whatever_form_it_has_it(name: Any) -> None:
    queue = Queue(max_receive_count=3)
    queue.send(*({"n": number, "to": "ann"} for number in range(10)))

    def handler(record: Any) -> None:
        mapping.done(name(record))

    mapping = EventSourceMapping(queue, lambda event, _: process_partial_response(event, handler, processor_of()))

    mapping.drain().check()
    assert len(mapping.history.done) == 10


# What is said of what cannot be found.


def said_of(what: Any, *sent: Any) -> str:
    queue = Queue()
    queue.send(*sent)
    with pytest.raises(UnknownRecordError) as caught:
        queue.find(what)
    return str(caught.value)


def test_what_was_not_sent_is_shown_beside_what_was() -> None:
    assert said_of('{"n": 8}', *({"n": number} for number in range(5))) == (
        "Nothing was sent that is '{\"n\": 8}'. Sent were <1: {'n': 0}>, <2: {'n': 1}>, <3: {'n': 2}> and 2 more. "
        "Name a record by itself, raw or typed, by its identifier, or by what was sent: the object, or its JSON as "
        "text or bytes."
    )


def test_what_was_named_before_anything_was_sent_says_so() -> None:
    assert "Nothing has been sent yet." in said_of("a")


def test_what_was_sent_twice_asks_for_the_record() -> None:
    assert said_of(b'{"n": 1}', {"n": 1}, '{"n":1}') == (
        "2 records were sent with the content b'{\"n\": 1}': <1: {'n': 1}>, <2: '{\"n\":1}'>. Name the one that you "
        "mean by the record itself, raw or typed, or by its identifier."
    )


def test_a_long_content_is_cut_short_in_what_is_said() -> None:
    assert len(said_of("x" * 1000, *("y" * 1000 for _ in range(9)))) < 500


def test_an_object_that_cannot_be_compared_is_not_found() -> None:
    class Incomparable:
        def __eq__(self, other: object) -> bool:
            raise RuntimeError

        __hash__ = None  # type: ignore[assignment]

        def __repr__(self) -> str:
            return "incomparable"

    assert said_of(Incomparable(), "a").startswith("Nothing was sent that is incomparable")
