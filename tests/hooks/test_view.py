"""The base of the typed records: a view is the mapping it shows, however it was made."""

from __future__ import annotations

import copy
import pickle
from abc import ABCMeta
from collections.abc import Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import pytest
from typing_extensions import Self

from batchcore import RecordView, hookimpl

from .support import Run, ToySource, failed, toys

RAW = {"id": "car", "wheels": 4}


class Toy(RecordView):
    """A view of a toy."""

    __slots__ = ("_decoded",)

    @property
    def identifier(self) -> str:
        return str(self["id"])

    @property
    def letters(self) -> list[str]:
        try:
            return self._decoded
        except AttributeError:
            self._decoded: list[str] = list(self["id"])
            return self._decoded


class Toys(ToySource):
    """A source with a view."""

    def __init__(self, view: Any = Toy) -> None:
        self.view = view

    @hookimpl
    def record_decoder(self) -> Any:
        return self.view


def made_by_hand() -> RecordView:
    return Toy(RAW)


def made_in_the_loop() -> RecordView:
    from batchcore import BatchProcessor

    seen: list[RecordView] = []
    BatchProcessor(Toys()).run({"toys": [RAW]}, seen.append)
    return seen[0]


@pytest.fixture(params=[made_by_hand, made_in_the_loop], ids=lambda make: make.__name__)
def view(request: pytest.FixtureRequest) -> RecordView:
    """One view made by hand, one as a handler gets it."""
    made: RecordView = request.param()
    return made


def test_a_view_is_of_its_class(view: RecordView) -> None:
    assert isinstance(view, Toy)
    assert isinstance(view, Mapping)
    assert type(view).__name__ == "Toy"
    assert type(view).__qualname__ == "Toy"
    assert type(view).__module__ == __name__
    assert type(view).__doc__ == "A view of a toy."


def test_a_view_is_the_mapping_that_it_shows(view: RecordView) -> None:
    assert view["id"] == "car"
    assert view.get("wheels") == 4
    assert view.get("doors") is None
    assert list(view) == list(view.keys()) == ["id", "wheels"]
    assert dict(view) == {**view} == RAW
    assert len(view) == 2
    assert "id" in view
    assert "doors" not in view
    assert view
    with pytest.raises(KeyError):
        view["doors"]


def test_a_view_copies_nothing(view: RecordView) -> None:
    assert view.raw_event is RAW


def test_a_view_equals_the_raw_record_and_every_view_of_it(view: RecordView) -> None:
    same: list[Any] = [RAW, dict(RAW), MappingProxyType(RAW), Toy(RAW), RecordView(dict(RAW)), made_in_the_loop()]
    others: list[Any] = [{}, {"id": "car"}, Toy({"id": "ball"}), "car", None, 7, [("id", "car")], object()]

    assert all(view == other and other == view and not view != other for other in same)  # noqa: SIM202
    assert all(view != other and other != view and not view == other for other in others)  # noqa: SIM201


def test_a_view_asks_no_more_of_equality_than_true_or_false(view: RecordView) -> None:
    class EqualToAll:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    assert view == EqualToAll()
    assert (view == RAW) is True


def test_a_view_is_as_unhashable_as_the_mapping(view: RecordView) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(view)


def test_a_view_shows_its_keys_and_no_value(view: RecordView) -> None:
    assert repr(view) == "<Toy with id, wheels>"


def test_a_view_has_its_properties(view: RecordView) -> None:
    assert isinstance(view, Toy)
    assert view.identifier == "car"


def test_a_view_decodes_once(view: RecordView) -> None:
    assert isinstance(view, Toy)
    assert view.letters is view.letters


def test_a_view_takes_no_attribute_of_yours(view: RecordView) -> None:
    with pytest.raises(AttributeError):
        view.note = "no"  # type: ignore[attr-defined]
    assert not hasattr(view, "__dict__")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_view_survives_a_pickle(view: RecordView, protocol: int) -> None:
    copied = pickle.loads(pickle.dumps(view, protocol))

    assert type(copied) is Toy
    assert copied == RAW
    assert copied.letters == ["c", "a", "r"]


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_view_can_be_copied(view: RecordView, duplicate: Any) -> None:
    copied = duplicate(view)

    assert type(copied) is Toy
    assert copied is not view
    assert copied == view
    assert (copied.raw_event is RAW) is (duplicate is copy.copy)


# -- Views with ways of their own: what their class does when one is made, it does in the loop too.


T = TypeVar("T")


class WithInit(Toy):
    """A view that does something when it is made."""

    __slots__ = ("made",)

    def __init__(self, raw_event: Mapping[str, Any]) -> None:
        super().__init__(raw_event)
        self.made = "by __init__"


class WithNew(Toy):
    """A view that does something before it is made."""

    __slots__ = ("made",)

    def __new__(cls, raw_event: Mapping[str, Any]) -> Self:
        self = super().__new__(cls)
        self.made = "by __new__"
        return self


class MetaWithCall(ABCMeta):
    """A metaclass with a say in how objects are made."""

    def __call__(cls, raw_event: Mapping[str, Any]) -> Any:
        self = super().__call__(raw_event)
        self.made = "by the metaclass"
        return self


class WithMetaclass(Toy, metaclass=MetaWithCall):
    """A view of such a class."""

    __slots__ = ("made",)


class WithDictionary(Toy):
    """A view that takes attributes."""

    made = "by the class"


class WithRegistry(Toy):
    """A view that wants to know of its subclasses, and asks them something."""

    __slots__ = ()
    made = "by the class"

    def __init_subclass__(cls, *, kind: str) -> None:
        raise AssertionError("nobody asked for a subclass")


class WithType(Toy, Generic[T]):
    """A view with a type to be filled in."""

    __slots__ = ()
    made = "by the class"


class Frozen(Toy):
    """A view whose attributes are set in its own way."""

    __slots__ = ()
    made = "by the class"

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


VIEWS = [WithInit, WithNew, WithMetaclass, WithDictionary, WithRegistry, WithType, Frozen]


@pytest.mark.parametrize("kind", VIEWS)
def test_a_view_with_ways_of_its_own_is_made_in_the_loop_as_by_hand(kind: Any, driver: Run) -> None:
    seen: list[Any] = []

    result = driver(Toys(kind), toys("car", "ball"), seen.append)

    assert failed(result) == []
    assert sorted(view.identifier for view in seen) == ["ball", "car"]
    assert {view.made for view in seen} == {kind(RAW).made}
    assert all(isinstance(view, kind) and isinstance(view, Toy) for view in seen)


@pytest.mark.parametrize("kind", VIEWS)
def test_a_view_with_ways_of_its_own_can_be_copied(kind: Any, driver: Run) -> None:
    copies: list[Any] = []

    driver(Toys(kind), toys("car"), lambda view: copies.append(pickle.loads(pickle.dumps(view))))

    assert [type(view) for view in copies] == [kind]
    assert [view.identifier for view in copies] == ["car"]


class NoView:
    """A class that decodes records, and is no view."""

    def __init__(self, record: Any) -> None:
        self.name = record["id"]


@pytest.mark.parametrize("decoder", [NoView, partial(NoView)])
def test_what_decodes_records_need_not_be_a_view(decoder: Any, driver: Run) -> None:
    assert driver(Toys(decoder), toys("car"), lambda toy: toy.name).return_values == ["car"]


@pytest.mark.parametrize("decoder", [dict, list, str, tuple, len])
def test_what_decodes_records_may_be_a_builtin(decoder: Any, driver: Run) -> None:
    record = toys("car")["toys"][0]

    assert driver(Toys(decoder), toys("car"), lambda toy: toy).return_values == [decoder(record)]


def test_a_view_that_cannot_be_made_fails_its_record_alone(driver: Run) -> None:
    class Picky(Toy):
        def __init__(self, raw_event: Mapping[str, Any]) -> None:
            if raw_event["id"] == "bad":
                raise LookupError
            super().__init__(raw_event)

    assert failed(driver(Toys(Picky), toys("car", "bad", "ball"), id)) == ["bad"]


def test_a_view_may_be_the_base_itself(driver: Run) -> None:
    seen: list[Any] = []

    driver(Toys(RecordView), toys("car"), seen.append)

    assert seen == [{"id": "car"}]
    assert repr(seen[0]) == "<RecordView with id>"


def test_a_view_of_any_mapping_can_be_made() -> None:
    class Lazy(Mapping[str, Any]):
        def __getitem__(self, key: str) -> Any:
            return {"id": "car"}[key]

        def __iter__(self) -> Iterator[str]:
            return iter(["id"])

        def __len__(self) -> int:
            return 1

    assert Toy(Lazy()).identifier == "car"
    assert Toy(Lazy()) == {"id": "car"}


class EventObject:
    """An event of another library: no mapping, but it gives one."""

    def to_dict(self) -> dict[str, Any]:
        return RAW


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (EventObject(), r"an object of the class EventObject; pass the dictionary that its to_dict\(\) gives"),
        (None, "it is None"),
        ("hunter2", "it is text"),
        ('{"id": "hunter2"}', "it is JSON"),
        (["hunter2"], "it is a list of 1 item"),
        (7, "it is a number"),
    ],
)
def test_a_view_of_what_is_no_mapping_is_refused_when_it_is_made(given: Any, says: str) -> None:
    with pytest.raises(ValueError, match=rf"Toy shows a mapping, and this is none: .*{says}") as caught:
        Toy(given)
    assert "hunter2" not in str(caught.value)


def test_a_view_takes_what_behaves_like_a_mapping() -> None:
    class Row:
        def keys(self) -> list[str]:
            return ["id"]

        def __getitem__(self, key: str) -> Any:
            return {"id": "car"}[key]

    assert Toy(Row()).identifier == "car"  # type: ignore[arg-type]  # it is none, and does what one does
