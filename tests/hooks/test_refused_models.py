"""Models that are none, with the way that works; and what a model refused, looked at again."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Annotated, Any, ClassVar, NamedTuple, TypedDict, Union

import pytest

pydantic = pytest.importorskip("pydantic")

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Json,
    RootModel,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError

from batchcore import AsyncBatchProcessor, BatchProcessor, ConfigurationError

from .support import Run, ToySource, toys
from .test_models import SECRET, GenericToy, Toy


class PlainDataClass(TypedDict):
    """No model."""


EITHER = Union[Toy, GenericToy[str]]  # noqa: UP007 - the spelling of most examples


class Named(NamedTuple):
    """No model."""

    id: str


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (pydantic.TypeAdapter(dict[str, Any]), "dict[str, Any]"),
        (pydantic.TypeAdapter(Toy), "Toy"),
        (pydantic.TypeAdapter(EITHER), "Union[Toy, GenericToy[str]]"),
        (EITHER, "Union[Toy, GenericToy[str]]"),
        (Toy | None, "Toy | None"),
        (Annotated[Toy, Field()], "Annotated[Toy, ...]"),
        (list[Toy], "list[Toy]"),
        (PlainDataClass, "PlainDataClass"),
        (Named, "Named"),
        (dataclasses.make_dataclass("D", ["id"]), "D"),
        (dict, "dict"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
@pytest.mark.parametrize("processor", [BatchProcessor, AsyncBatchProcessor])
def test_a_type_that_is_no_model_is_refused_and_the_root_model_named(
    given: Any, name: str, processor: type[BatchProcessor]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        processor("sqs", model=given)

    # Python 3.14 writes the union of two types in one way alone.
    first, second = "Union[Toy, GenericToy[str]]", "Toy | GenericToy[str]"
    assert f"model=RootModel[{name}]" in str(caught.value).replace(second, first)


def test_a_model_of_pydantic_1_is_refused_and_pydantic_2_named() -> None:
    class Old:
        """What a model of pydantic 1 looks like."""

        __fields__: ClassVar[dict[str, Any]] = {}

        @classmethod
        def parse_obj(cls, value: Any) -> Any:
            return cls()

    with pytest.raises(ConfigurationError, match=r"a model of pydantic 1; inherit from pydantic\.BaseModel"):
        BatchProcessor("sqs", model=Old)


@pytest.mark.parametrize("kind", [dict[str, str], EITHER, Named, list[str]])
def test_the_root_model_of_a_type_does_what_the_type_would_have(kind: Any, driver: Run) -> None:
    seen: list[Any] = []
    driver(ToySource(), toys("car"), seen.append, model=RootModel[kind])

    expected = pydantic.TypeAdapter(kind)
    try:
        assert [toy.root for toy in seen] == [expected.validate_python({"id": "car"})]
    except ValidationError:
        assert seen == []


# -- What a model refused is looked at again.


class Payload(BaseModel):
    id: str
    payload: Json[dict[str, Any]] = {}
    parts: list[Json[dict[str, Any]]] = []
    number: int = 0
    even: int = 0
    inner: Toy | None = None

    @field_validator("even")
    @classmethod
    def is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("it is odd")
        return value

    @field_validator("number")
    @classmethod
    def is_small(cls, value: int) -> int:
        if value > 100:
            raise PydanticCustomError("too_much", "{number} is more than {most}", {"number": value, "most": 100})
        return value


def test_json_behind_a_byte_order_mark_is_read_wherever_it_is(driver: Run) -> None:
    event = toys("car", payload='\ufeff{"a": 1}')

    result = driver(ToySource(), event, lambda toy: toy.payload, model=Payload)

    assert result.return_values == [{"a": 1}]
    assert event == toys("car", payload='\ufeff{"a": 1}')


def test_json_behind_a_byte_order_mark_is_read_inside_of_lists_and_unions(driver: Run) -> None:
    class Other(BaseModel):
        payload: Json[list[int]]

    parts = ['{"a": 1}', '\ufeff{"a": 2}', '\ufeff{"a": 3}']
    result = driver(ToySource(), toys("car", parts=parts), lambda toy: toy.root.parts, model=RootModel[Other | Payload])

    assert result.return_values == [[{"a": 1}, {"a": 2}, {"a": 3}]]


def test_a_byte_order_mark_that_cannot_be_left_out_is_named(driver: Run) -> None:
    class Encodes(BaseModel):
        payload: Annotated[Json[dict[str, Any]], BeforeValidator(str.encode)]

    error = refused(driver, Encodes, payload='\ufeff{"a": 1}')

    assert "It starts with a byte order mark, U+FEFF" in str(error)


def test_only_marks_that_are_in_the_way_are_left_out(driver: Run) -> None:
    event = toys("\ufeffcar", payload='\ufeff{"a": 1}')

    assert driver(ToySource(), event, lambda toy: toy.id, model=Payload).return_values == ["\ufeffcar"]


def refused(driver: Run, model: Any, **fields: Any) -> ValidationError:
    result = driver(ToySource(), toys("bad", **fields), id, model=model)
    error = result.outcomes[0].exception
    assert isinstance(error, ValidationError)
    return error


def test_what_a_model_says_of_other_fields_stays_as_it_was(driver: Run) -> None:
    fields = {"payload": "{'a': 1}", "number": 200, "even": 3, "inner": {"id": 7}}

    error = refused(driver, Payload, **fields)
    with pytest.raises(ValidationError) as caught:
        Payload.model_validate({"id": "bad", **fields})
    without, explained = (
        {each["loc"]: each for each in one.errors(include_url=False)} for one in (caught.value, error)
    )

    text, before = explained.pop(("payload",)), without.pop(("payload",))
    assert "Python's str()" in text["msg"]
    assert text["msg"].startswith(before["msg"])
    assert (text["type"], text["input"]) == (before["type"], before["input"])
    for loc, problem in without.items():
        assert {**explained[loc], "ctx": repr(explained[loc].get("ctx"))} == {
            **problem,
            "ctx": repr(problem.get("ctx")),
        }
    assert error.title == caught.value.title


def test_an_error_to_which_nothing_can_be_added_is_the_models_own(driver: Run) -> None:
    error = refused(driver, Payload, payload="no JSON")

    assert [each["type"] for each in error.errors()] == ["json_invalid"]
    assert "https://errors.pydantic.dev" in str(error)


def test_a_model_that_hides_its_input_hides_it_in_what_is_added_too(driver: Run) -> None:
    class Hides(Payload):
        model_config = ConfigDict(hide_input_in_errors=True)

    error = refused(driver, Hides, payload=f"{{'a': '{SECRET}'}}")

    assert "Python's str()" in str(error)
    assert SECRET not in str(error)


def test_an_error_with_an_addition_survives_a_pickle(driver: Run) -> None:
    error = refused(driver, Payload, payload="<a/>", inner={"id": 7})

    copied = pickle.loads(pickle.dumps(error))

    assert "It is XML or HTML" in str(copied)
    assert str(copied) == str(error)


def test_an_error_with_an_addition_to_a_type_survives_a_pickle_as_pydantics_own(driver: Run) -> None:
    class Own(BaseModel):
        payload: Toy

    error = refused(driver, Own, payload='{"id": "car"}')

    assert "Json[Toy]" in str(error)
    assert "valid dictionary or instance of Toy" in str(pickle.loads(pickle.dumps(error)))


def test_an_error_of_a_validator_of_ones_own_is_passed_on(driver: Run) -> None:
    class Own(ValueError):
        pass

    class Refuses(BaseModel):
        @classmethod
        def model_validate(cls, obj: Any, **options: Any) -> Any:
            raise Own("no toy")

    result = driver(ToySource(), toys("bad"), id, model=Refuses)

    assert type(result.outcomes[0].exception) is Own
