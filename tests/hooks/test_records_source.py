"""What a ``RecordsSource`` says of itself is looked at when a processor is made: a mistake there would go unseen."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from types import MappingProxyType, new_class
from typing import Any, Protocol, TypedDict

import pytest

from batchcore import BatchProcessor, PluginError, RecordsSource, RecordView, hookimpl, in_order, unordered
from batchcore.callables import identity
from batchcore.model import R

from .support import failed


class Bin(RecordView):
    pass


class Bins(RecordsSource[Any]):
    name, service, identifier = "bins", "acme:bins", ("id",)


def made(base: type[Any] = Bins, **attributes: Any) -> Any:
    return new_class("MyBins", (base,), {}, lambda space: space.update(attributes))()


@pytest.mark.parametrize(
    ("misspelt", "value", "meant"),
    [
        ("descripton", {"depot": "bin.depot"}, "description"),
        ("by_checkpiont", True, "by_checkpoint"),
        ("checkpoint", True, "by_checkpoint"),
        ("window", True, "windows"),
        ("veiw", Bin, "view"),
        ("order", in_order(), "ordering"),
    ],
)
def test_attribute_of_a_records_source_that_nobody_reads_is_refused_with_the_one_that_is_meant(
    misspelt: str, value: Any, meant: str
) -> None:
    besides = {} if meant == "view" else {"view": Bin}
    with pytest.raises(PluginError, match=f"'bins' has an attribute '{misspelt}', .* Did you mean '{meant}'"):
        BatchProcessor(made(**besides, **{misspelt: value}))
    given_later = made(**besides)
    setattr(given_later, misspelt, value)
    with pytest.raises(PluginError, match=f"Did you mean '{meant}'"):
        BatchProcessor(given_later)
    default = {"view": staticmethod(identity), "ordering": unordered, "description": {}}.get(meant, False)
    assert BatchProcessor(made(**{misspelt: value, meant: default})), "a helper beside it"
    assert BatchProcessor(made(**{f"_{misspelt}": value}))


@pytest.mark.parametrize(("misspelt", "meant"), [("sevice", "service"), ("identifer", "identifier")])
def test_required_attribute_of_a_records_source_that_is_misspelt_is_missing(misspelt: str, meant: str) -> None:
    said: dict[str, Any] = {"name": "bins", "service": "acme:bins", "identifier": ("id",)}
    said[misspelt] = said.pop(meant)
    with pytest.raises(PluginError, match="must have a service, such as 'aws:sqs', and an identifier"):
        BatchProcessor(made(RecordsSource, **said))


@pytest.mark.parametrize(
    "helpers",
    [
        {
            "services": {"bins": 1},
            "views": {},
            "orderings": [in_order()],
            "descriptions": ["a"],
            "windowing": lambda: 1,
        },
        {"names": ("a",), "checkpoints": 3, "depot": lambda self: True, "Depot": Bin, "is_open": True, "table": {}},
        {"View": Bin, "record_decoder": hookimpl(lambda self, batch: self.View)},
        {"description": "Bins of Acme.", "describe_record": hookimpl(lambda self, record: {})},
    ],
)
def test_records_source_may_have_what_it_likes_besides(helpers: dict[str, Any]) -> None:
    assert failed(BatchProcessor(made(**helpers)).run(BINS, lambda record: None)) == []


BINS = {"Records": [{"id": "1", "eventSource": "acme:bins"}]}


@pytest.mark.parametrize(
    ("description", "problem"),
    [
        ("bin.depot", "it is of the type str"),
        (["depot"], "it is of the type list"),
        ({"depot": ("bin", "depot")}, "'depot' leads to something of the type tuple"),
        ({"depot": None}, "'depot' leads to something of the type NoneType"),
        ({"depot": ""}, "'depot' leads to ''"),
        ({7: "bin.depot"}, r"7 leads to 'bin\.depot'"),
    ],
)
def test_description_of_a_records_source_that_leads_nowhere_is_refused(description: Any, problem: str) -> None:
    for view in (Bin, staticmethod(identity)):
        with pytest.raises(PluginError, match=f"The description of the source 'bins' gives .* But {problem}"):
            BatchProcessor(made(description=description, view=view))


def test_description_of_a_records_source_takes_keys_and_whatever_can_be_called() -> None:
    description = MappingProxyType({"id": "id", "service": operator.itemgetter("eventSource"), "none": "bin.depot"})
    batch = BatchProcessor(made(description=description)).run(BINS, lambda record: None).batch
    assert batch.describe_record(BINS["Records"][0]) == {"id": "1", "service": "acme:bins"}


def test_records_source_of_typed_records_without_a_view_is_refused() -> None:
    class Typed(RecordsSource[Bin]):
        name, service, identifier = "bins", "acme:bins", ("id",)

    class Heir(Typed):
        pass

    for source in (Typed(), Heir()):
        with pytest.raises(PluginError, match=r"is a RecordsSource\[Bin\] without a view, .* Write `view = Bin`"):
            BatchProcessor(source)
    assert BatchProcessor(made(Typed, view=Bin))
    assert BatchProcessor(made(Typed, record_decoder=hookimpl(lambda self, batch: Bin)))


class Shape(TypedDict):
    id: str


class HasItems(Protocol):
    def items(self) -> Any: ...


@pytest.mark.parametrize("raw", [Any, dict, dict[str, str], Mapping, Mapping[str, Any], object, Shape, HasItems, R])
def test_records_source_of_raw_records_needs_no_view(raw: Any) -> None:
    assert BatchProcessor(made(new_class("Raw", (RecordsSource[raw],)), service="a:b", identifier=("id",), name="raw"))
