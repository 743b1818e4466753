"""Records validated by pydantic models: any model, any source, and whatever a model does costs its record alone."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Annotated, Any, ClassVar, Generic, Literal, TypedDict, TypeVar

import pytest

pydantic = pytest.importorskip("pydantic")

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    Json,
    RootModel,
    ValidationError,
    field_validator,
    model_validator,
)

from batchcore import AsyncBatchProcessor, BatchProcessingError, BatchProcessor, ConfigurationError, hookimpl
from batchcore_dynamodb.models import DynamoDBStreamRecordModel
from batchcore_kinesis.models import KinesisDataStreamRecord
from batchcore_sqs.models import SqsRecordModel

from .support import PassesEverythingOn, Run, ToySource, failed, statuses, toys

SOURCES = {
    "sqs": ("pydantic_sqs_event", SqsRecordModel, "messageId"),
    "kinesis": ("pydantic_kinesis_event", KinesisDataStreamRecord, "eventID"),
    "dynamodb": ("pydantic_dynamodb_event", DynamoDBStreamRecordModel, "eventID"),
}
SECRET = "hunter2-the-secret"


T = TypeVar("T")


class Toy(BaseModel):
    """A model that fits the toys."""

    id: str


class GenericToy(BaseModel, Generic[T]):
    """A model with a type to be filled in."""

    id: T


def handled_by(run: Run, model: Any, event: Any = None, **options: Any) -> list[Any]:
    """Give what the handler got."""
    result = run(ToySource(), event or toys("car", "ball"), lambda toy: toy, model=model, **options)
    assert failed(result) == []
    return result.return_values


# -- Any model.


@pytest.mark.parametrize("source", SOURCES)
def test_the_model_of_a_source_validates_its_records(source: str, sample: Any, driver: Run) -> None:
    event, model, _ = SOURCES[source]
    seen: list[Any] = []

    class Own(model):  # type: ignore[misc, valid-type]
        pass

    result = driver(source, sample(event), seen.append, model=Own)

    assert failed(result) == []
    assert {type(record) for record in seen} == {Own}
    assert [outcome.record for outcome in result.outcomes] == sample(event)["Records"]


@pytest.mark.parametrize("source", SOURCES)
def test_a_model_of_ones_own_validates_records_of_any_source(source: str, sample: Any, driver: Run) -> None:
    event, _, field = SOURCES[source]
    own = pydantic.create_model("Own", **{field: (str, ...)})

    result = driver(source, sample(event), lambda record: getattr(record, field), model=own)

    assert failed(result) == []
    assert result.return_values == [record[field] for record in sample(event)["Records"]]


@pytest.mark.parametrize("source", SOURCES)
def test_the_identity_is_the_raw_records_whatever_the_model_makes_of_it(source: str, sample: Any, driver: Run) -> None:
    event_name = SOURCES[source][0]

    class Nothing(BaseModel):
        pass

    def fails(record: Any) -> None:
        raise ValueError

    without = driver(source, sample(event_name), fails)
    with_model = driver(source, sample(event_name), fails, model=Nothing)

    assert failed(with_model) == failed(without) != []


def test_a_model_may_be_a_root_model(driver: Run) -> None:
    assert [toy.root for toy in handled_by(driver, RootModel[dict[str, str]])] == [{"id": "car"}, {"id": "ball"}]


def test_a_model_may_be_generic(driver: Run) -> None:
    assert [toy.id for toy in handled_by(driver, GenericToy[str])] == ["car", "ball"]


def test_a_model_may_be_a_pydantic_data_class(driver: Run) -> None:
    @pydantic.dataclasses.dataclass
    class Toy:
        id: str

    assert handled_by(driver, Toy) == [Toy("car"), Toy("ball")]


def test_a_model_may_be_strict_and_frozen(driver: Run) -> None:
    class Strict(BaseModel):
        model_config = ConfigDict(strict=True, frozen=True, extra="forbid")
        id: str

    assert handled_by(driver, Strict) == [Strict(id="car"), Strict(id="ball")]


def test_a_model_that_overrides_model_validate_is_asked_by_that(driver: Run) -> None:
    class Renames(BaseModel):
        name: str

        @classmethod
        def model_validate(cls, obj: Any, **options: Any) -> Any:
            return super().model_validate({"name": obj["id"]}, **options)

    class Inherits(Renames):
        pass

    assert [toy.name for toy in handled_by(driver, Renames)] == ["car", "ball"]
    assert [toy.name for toy in handled_by(driver, Inherits)] == ["car", "ball"]


def test_a_model_whose_model_validate_is_a_static_method_is_asked_by_that(driver: Run) -> None:
    class Renames(BaseModel):
        @staticmethod
        def model_validate(obj: Any) -> str:  # type: ignore[override]
            return f"a {obj['id']}"

    assert handled_by(driver, Renames) == ["a car", "a ball"]


def test_a_model_may_wait_for_a_forward_reference(driver: Run) -> None:
    class Late(BaseModel):
        id: str
        shelf: Shelf | None = None  # type: ignore[name-defined]

    processor = BatchProcessor(ToySource(), model=Late)

    class Shelf(BaseModel):
        name: str

    Late.model_rebuild(_types_namespace={"Shelf": Shelf})

    result = processor.run(toys("car", shelf={"name": "top"}), lambda toy: toy.shelf.name)
    assert result.return_values == ["top"]


def test_a_forward_reference_that_never_came_is_an_error_before_the_first_record(driver: Run) -> None:
    class Waiting(BaseModel):
        shelf: NeverDefined  # type: ignore[name-defined]  # noqa: F821 - that is the point

    seen: list[Any] = []

    with pytest.raises(pydantic.errors.PydanticUserError, match="not fully defined"):
        driver(ToySource(), toys("car"), seen.append, model=Waiting)

    assert seen == []


def test_a_model_gets_the_prepared_record(driver: Run) -> None:
    class Source(ToySource):
        @hookimpl
        def record_preparer(self) -> Any:
            return lambda record: {"id": f"the {record['id']}"}

    result = driver(Source(), toys("car", "bad"), lambda toy: toy.id, model=Toy)

    assert result.return_values == ["the car", "the bad"]


def test_a_model_beside_wrappers_is_the_model(driver: Run) -> None:
    assert handled_by(driver, Toy, plugins=[PassesEverythingOn()]) == [Toy(id="car"), Toy(id="ball")]


def test_failed_records_are_shown_as_models_where_they_were_validated(driver: Run) -> None:
    shown: list[Any] = []

    class Shows(BatchProcessor):
        def failure_handler(self, record: Any, exception: Any) -> Any:
            shown.append(record)
            return super().failure_handler(record, exception)

    def fails(toy: Any) -> None:
        raise ValueError

    Shows(ToySource(), Toy, False).run({"toys": [{"id": "car"}, {"id": 7}]}, fails)

    assert shown == [Toy(id="car"), {"id": 7}], "the raw record where it is no model"


# -- The wrong model.


@pytest.mark.parametrize("processor", [BatchProcessor, AsyncBatchProcessor])
@pytest.mark.parametrize(("source", "other"), [(s, o) for s in SOURCES for o in SOURCES if s != o])
def test_the_model_of_another_source_is_refused_at_construction(
    processor: type[BatchProcessor], source: str, other: str
) -> None:
    class Own(SOURCES[other][1]):  # type: ignore[misc]
        pass

    with pytest.raises(ConfigurationError) as caught:
        processor(source, model=Own)

    message = str(caught.value)
    assert f"Own is a model of records from {other!r} and this processor reads {source!r}" in message
    assert f"Inherit from the record model of batchcore_{source}.models" in message
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize(("source", "other"), [(s, o) for s in SOURCES for o in SOURCES if s != o])
def test_the_model_of_another_source_is_refused_when_the_source_is_found_from_the_event(
    source: str, other: str, sample: Any, driver: Run
) -> None:
    seen: list[Any] = []

    with pytest.raises(ConfigurationError, match=f"is a model of records from {other!r}"):
        driver(None, sample(SOURCES[source][0]), seen.append, model=SOURCES[other][1])

    assert seen == []


@pytest.mark.parametrize("source", SOURCES)
def test_the_model_of_the_source_is_taken_when_the_source_is_found_from_the_event(
    source: str, sample: Any, driver: Run
) -> None:
    result = driver(None, sample(SOURCES[source][0]), id, model=SOURCES[source][1])

    assert failed(result) == []


def test_a_source_of_ones_own_may_have_models_of_its_own(driver: Run) -> None:
    class Own(Toy):
        __batch_source__: ClassVar[str] = "toy"

    assert handled_by(driver, Own) == [Own(id="car"), Own(id="ball")]
    with pytest.raises(ConfigurationError, match="a model of records from 'toy'"):
        BatchProcessor("sqs", model=Own)


class PlainDataClass(TypedDict):
    """No model."""


@pytest.mark.parametrize(
    "model",
    [
        dict,
        str,
        "Toy",
        7,
        Toy.model_validate,
        lambda record: record,
        PlainDataClass,
        dataclasses.make_dataclass("D", ["id"]),
        pydantic.TypeAdapter(dict[str, Any]),
        list[Toy],
        Annotated[Toy, Field()],
    ],
)
@pytest.mark.parametrize("processor", [BatchProcessor, AsyncBatchProcessor])
@pytest.mark.parametrize("event_type", ["sqs", None])
def test_what_is_no_pydantic_model_class_is_refused_at_construction(
    model: Any, processor: type[BatchProcessor], event_type: Any
) -> None:
    with pytest.raises(ConfigurationError, match="model is a pydantic model class") as caught:
        processor(event_type, model=model)

    assert repr(model) in str(caught.value)


# -- Whatever a model raises costs one record.


def raising(error: Any, where: Literal["field", "before", "after", "validate"]) -> Any:
    """Make a model that raises over the toy whose id is "bad"."""

    def check(value: Any) -> Any:
        if (value if isinstance(value, str) else value["id"]) == "bad":
            raise error
        return value

    if where == "field":

        class InAField(BaseModel):
            id: str
            _check = field_validator("id")(check)

        return InAField
    if where == "before":

        class Before(BaseModel):
            id: str
            _check = model_validator(mode="before")(lambda cls, data: check(data))

        return Before
    if where == "after":

        class After(BaseModel):
            id: str

            def model_post_init(self, context: Any, /) -> None:
                check(self.id)

        return After

    class Overridden(BaseModel):
        id: str

        @classmethod
        def model_validate(cls, obj: Any, **options: Any) -> Any:
            return check(obj) and super().model_validate(obj, **options)

    return Overridden


@pytest.mark.parametrize("where", ["field", "before", "after", "validate"])
@pytest.mark.parametrize(
    "error",
    [ValueError, AssertionError, KeyError, SystemExit, StopIteration, RecursionError, MemoryError],
)
def test_whatever_a_model_raises_fails_its_record_alone(error: Any, where: Any, driver: Run) -> None:
    result = driver(ToySource(), toys("car", "bad", "ball"), lambda toy: toy.id, model=raising(error, where))

    assert failed(result) == ["bad"]
    assert statuses(result) == ["succeeded", "failed", "succeeded"]


def test_a_model_that_recurses_without_end_fails_its_record_alone(driver: Run) -> None:
    def recurse(value: Any) -> Any:
        return recurse(value)

    class Endless(BaseModel):
        id: str
        _check = field_validator("id")(lambda value: recurse(value) if value == "bad" else value)

    assert failed(driver(ToySource(), toys("car", "bad", "ball"), id, model=Endless)) == ["bad"]


def test_a_keyboard_interrupt_in_a_model_ends_the_batch() -> None:
    with pytest.raises(KeyboardInterrupt):
        BatchProcessor(ToySource(), model=raising(KeyboardInterrupt, "field")).run(toys("bad"), id)


def test_a_handler_is_not_called_for_a_record_that_is_no_model(driver: Run) -> None:
    seen: list[Any] = []

    driver(ToySource(), {"toys": [{"id": 7}, {"id": "car"}]}, seen.append, model=Toy)

    assert seen == [Toy(id="car")]


def test_a_batch_of_poison_records_raises_once_and_names_them_all() -> None:
    with pytest.raises(BatchProcessingError) as caught:
        BatchProcessor(Numbered(), model=Toy).run({"toys": [{"id": 7}, {"id": 8}]}, id)

    assert [type(child[1]) for child in caught.value.child_exceptions] == [ValidationError] * 2
    assert caught.value.result is not None
    assert failed(caught.value.result) == ["7", "8"]


class Numbered(ToySource):
    """Its records may be nameless for a model, and have an identity nevertheless."""

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [str(record.get("id")) for record in records]


# -- Logs never hold what a model was given.


class Order(BaseModel):
    """A model that can refuse in many ways."""

    id: str
    number: int = 0
    kind: Literal["small", "large"] = "small"
    strict: Annotated[bool, Field(strict=True)] = True
    text: Annotated[str, Field(pattern="^[a-z]*$", max_length=5)] = ""
    payload: Json[dict[str, int]] = {}
    variant: Annotated[Cat | Dog, Field(discriminator="species")] | None = None
    amounts: dict[str, int] = {}
    when: pydantic.AwareDatetime | None = None
    uuid: pydantic.UUID4 | None = None
    url: pydantic.HttpUrl | None = None
    address: pydantic.IPvAnyAddress | None = None


class Cat(BaseModel):
    species: Literal["cat"]


class Dog(BaseModel):
    species: Literal["dog"]


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")
    id: str


Order.model_rebuild()
REFUSED_FIELDS: dict[str, Any] = {
    "a number": {"number": SECRET},
    "a literal": {"kind": SECRET},
    "a strict boolean": {"strict": SECRET},
    "a pattern": {"text": SECRET},
    "JSON": {"payload": SECRET},
    "JSON of the wrong type": {"payload": json.dumps({"key": SECRET})},
    "a union by tag": {"variant": {"species": SECRET}},
    "a union": {"variant": SECRET},
    "a date": {"when": SECRET},
    "a UUID": {"uuid": SECRET},
    "an address": {"url": SECRET},
    "an address of a machine": {"address": SECRET},
    "a key of a dictionary": {"amounts": {SECRET: "many"}},
    "a key in JSON": {"payload": json.dumps({SECRET: "many"})},
}


@pytest.mark.parametrize("kind", REFUSED_FIELDS)
@pytest.mark.parametrize("chain", [False, True], ids=["alone", "as a cause"])
def test_the_log_of_a_refused_record_never_holds_its_input(
    kind: str, chain: bool, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    fields = REFUSED_FIELDS[kind]

    class Chains(Order):
        @classmethod
        def model_validate(cls, obj: Any, **options: Any) -> Any:
            try:
                return super().model_validate(obj, **options)
            except ValidationError as error:
                raise LookupError("no order") from error

    caplog.handler.setFormatter(logging.Formatter("%(message)s"))
    result = driver(ToySource(), toys("bad", **fields), id, model=Chains if chain else Order)

    assert failed(result) == ["bad"]
    assert "Record bad of toy failed: " in caplog.text
    assert SECRET not in caplog.text
    assert chain or next(iter(fields)) in caplog.text, "it names the field"


def test_the_log_never_holds_a_field_that_is_forbidden_by_its_name(
    driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    driver(ToySource(), toys("bad", **{SECRET: 1}), id, model=Closed)

    assert "Record bad of toy failed: " in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("kind", REFUSED_FIELDS)
def test_the_message_of_a_batch_that_failed_never_holds_its_input(kind: str) -> None:
    with pytest.raises(BatchProcessingError) as caught:
        BatchProcessor(ToySource(), model=Order).run(toys("bad", **REFUSED_FIELDS[kind]), id)

    assert SECRET not in str(caught.value)
    assert "ValidationError" in str(caught.value)


def test_many_problems_of_one_record_are_counted(caplog: pytest.LogCaptureFixture, driver: Run) -> None:
    numbers = pydantic.create_model("Numbers", **{f"n{n}": (int, ...) for n in range(8)})

    driver(ToySource(), toys("bad"), id, model=numbers)

    assert "; and 3 more" in caplog.text
