"""Bad input: a named error before the first side effect, or exactly one failed record."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BasePartialBatchProcessor,
    BatchcoreError,
    BatchProcessor,
    ConfigurationError,
    HandlerSignatureError,
    PluginError,
    RecordIdentityError,
    SourceNotInstalledError,
    UnawaitedResultError,
    UnexpectedBatchTypeError,
    async_process_partial_response,
    hookimpl,
    process_partial_response,
)
from batchcore_sqs import SQS, SqsFifoPartialProcessor
from tests.batches import Event, awaiting, batch_of, failed, handle
from tests.drivers import Way

from .test_samples import sample

SOURCES = {"sqs": "getting_started_sqs", "kinesis": "getting_started_kinesis", "dynamodb": "getting_started_dynamodb"}


class Watch:
    """Knows whether anything has happened."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    @hookimpl
    def batch_started(self, batch: Any) -> None:
        self.seen.append(batch)

    def handle(self, record: Any) -> None:
        self.seen.append(record)


def refused(way: Way, event: Any, error: type[Exception], message: str, **options: Any) -> None:
    """Check that a call is refused by name, and before anything happens."""
    watch = Watch()
    with pytest.raises(error, match=message) as caught:
        way(event, watch.handle, plugins=[watch], **options)
    assert isinstance(caught.value, BatchcoreError)
    assert watch.seen == []


EVENTS: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "a word": "Records",
    "bytes": b"{}",
    "a number": 7,
    "an empty object": {},
    "no Records": {"records": []},
    "Records of nothing": {"Records": None},
    "Records as an object": {"Records": {}},
    "Records as a word": {"Records": "abc"},
    "Records as a tuple": {"Records": ()},
    "Records of nothings": {"Records": [None]},
    "Records of words": {"Records": ["a"]},
    "Records of lists": {"Records": [[]]},
    "Records of numbers": {"Records": [1, 2]},
    "records without anything": {"Records": [{}]},
    "keys that are no words": {1: 2, None: 3},
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("event", EVENTS)
def test_what_is_no_event_of_the_source_is_refused(driver: Way, name: str, event: str) -> None:
    refused(driver, EVENTS[event], UnexpectedBatchTypeError, f"'{name}' does not claim this event", event_type=name)


@pytest.mark.parametrize("event", EVENTS)
def test_what_is_no_event_of_any_source_is_refused(driver: Way, event: str) -> None:
    refused(driver, EVENTS[event], UnexpectedBatchTypeError, "No installed source claims this event", event_type=None)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("other", SOURCES)
def test_event_of_another_source_is_refused(driver: Way, name: str, other: str) -> None:
    if name != other:
        event = sample(f"{SOURCES[other]}_event")
        refused(driver, event, UnexpectedBatchTypeError, f"'{name}' does not claim", event_type=name)


@pytest.mark.parametrize("other", ["kinesis", "dynamodb"])
def test_batch_of_two_sources_is_refused(driver: Way, other: str) -> None:
    mixed = {"Records": batch_of("a", "b")["Records"] + sample(f"{SOURCES[other]}_event")["Records"]}
    for name in ("sqs", other):
        refused(driver, mixed, UnexpectedBatchTypeError, "does not claim", event_type=name)
    refused(driver, mixed, UnexpectedBatchTypeError, "No installed source claims", event_type=None)


PATHS = {"sqs": ("messageId",), "kinesis": ("kinesis", "sequenceNumber"), "dynamodb": ("dynamodb", "SequenceNumber")}
IDENTIFIERS = {
    "missing": None,
    "empty": "",
    "null": None,
    "a number": 7,
    "zero": 0,
    "a list": ["a"],
    "an object": {"a": 1},
    "true": True,
}


def with_identifier(name: str, position: int, identifier: str) -> Event:
    event = sample(f"{SOURCES[name]}_event")
    *path, last = PATHS[name]
    record: Any = event["Records"][position]
    for key in path:
        record = record[key]
    if identifier == "missing":
        del record[last]
    else:
        record[last] = IDENTIFIERS[identifier]
    return event


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("identifier", IDENTIFIERS)
@pytest.mark.parametrize("position", [0, 1])
def test_record_that_no_response_could_name_is_refused(driver: Way, name: str, identifier: str, position: int) -> None:
    event = with_identifier(name, position, identifier)
    watch = Watch()
    with pytest.raises(RecordIdentityError, match=f"Record {position} of the batch") as caught:
        driver(event, watch.handle, plugins=[watch], event_type=name)
    assert caught.value.position == position
    assert isinstance(caught.value, ValueError)
    assert watch.seen == []


@pytest.mark.parametrize("records", [None, 7, "abc", b"abc", {}, {"Records": []}, iter([]), (n for n in ()), {1, 2}])
def test_records_that_are_no_list_are_refused(opened: Way, records: Any) -> None:
    refused(
        opened,
        {"Records": records},
        UnexpectedBatchTypeError,
        "A batch is a list of records, not |claim this event, a NoneType",
    )


@pytest.mark.parametrize("records", [[None], ["a"], [[]], [1], [{}], [{"messageId": "a"}, None]])
def test_list_of_what_are_no_records_is_refused(opened: Way, records: Any) -> None:
    refused(opened, {"Records": records}, RecordIdentityError, "Record [01] of the batch|identify the records")


def test_records_may_be_any_sequence(opened: Way) -> None:
    assert failed(opened({"Records": tuple(batch_of("a", "bad")["Records"])})) == ["m1"]


HANDLERS: dict[str, Any] = {
    "no parameter": lambda: None,
    "two parameters": lambda record, other: None,
    "the context alone": lambda lambda_context: None,
    "nothing": None,
    "a word": "handle",
    "an object": object(),
    "a result": handle(batch_of("a")["Records"][0]),
    "a generator": (record for record in ()),
}


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor, SqsFifoPartialProcessor])
def test_what_cannot_be_called_with_a_record_is_refused(make: Any, handler: str) -> None:
    processor = make() if make is SqsFifoPartialProcessor else make("sqs")
    with pytest.raises(HandlerSignatureError):
        processor.run(batch_of("a"), HANDLERS[handler])
    with pytest.raises(HandlerSignatureError):
        processor(batch_of("a")["Records"], HANDLERS[handler])


def test_coroutine_function_is_refused_by_a_synchronous_processor() -> None:
    class Handler:
        async def method(self, record: Any) -> None:
            raise AssertionError

        async def __call__(self, record: Any) -> None:
            raise AssertionError

    for handler in (awaiting(handle), functools.partial(awaiting(handle)), Handler(), Handler().method):
        with pytest.raises(HandlerSignatureError, match="AsyncBatchProcessor"):
            process_partial_response(batch_of("a"), handler, BatchProcessor("sqs"))


def test_hidden_coroutine_function_fails_each_record_of_a_synchronous_processor() -> None:
    def hidden(record: Any) -> Any:
        return awaiting(handle)(record)

    processor = BatchProcessor("sqs", raise_on_entire_batch_failure=False)
    assert failed(process_partial_response(batch_of("a", "b"), hidden, processor)) == ["m0", "m1"]
    assert {kind for kind, _, _ in processor.exceptions} == {UnawaitedResultError}


def test_handler_that_needs_the_context_is_refused_without_one(driver: Way) -> None:
    seen: list[Any] = []

    def needing(record: Any, lambda_context: Any) -> None:
        seen.append(lambda_context)

    processor = driver.processor()
    for call in (processor.run, lambda event, handler: processor(event["Records"], handler=handler)):
        with pytest.raises(HandlerSignatureError, match="no context was given"):
            call(batch_of("a"), needing)
    assert seen == []
    processor.run(batch_of("a"), needing, "context")
    assert seen == ["context"]


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: BatchProcessor("nowhere"), SourceNotInstalledError),
        (lambda: BatchProcessor(7), ConfigurationError),  # type: ignore[call-overload]
        (lambda: BatchProcessor(object()), PluginError),  # type: ignore[arg-type]
        (lambda: BatchProcessor(type(SQS)), PluginError),  # type: ignore[arg-type]
        (lambda: BatchProcessor("sqs", model="Order"), ConfigurationError),  # type: ignore[call-overload]
        (lambda: BatchProcessor("sqs", model=dict), ConfigurationError),
        (lambda: BatchProcessor("sqs", plugins=[object()]), PluginError),
        (lambda: BatchProcessor("sqs", max_concurrency=0), ConfigurationError),
        (lambda: BatchProcessor("sqs", ordering="fifo"), ConfigurationError),  # type: ignore[arg-type]
        (lambda: BasePartialBatchProcessor("nowhere"), SourceNotInstalledError),
        (lambda: SqsFifoPartialProcessor(model="Order"), ConfigurationError),  # type: ignore[arg-type]
    ],
)
def test_processor_that_cannot_work_is_refused_when_it_is_made(make: Callable[[], Any], error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        make()
    assert isinstance(caught.value, ConfigurationError)
    assert isinstance(caught.value, TypeError)


@pytest.mark.parametrize("processor", [None, "sqs", BatchProcessor, object(), SQS])
def test_what_is_no_processor_is_refused(processor: Any) -> None:
    watch = Watch()
    for call in (process_partial_response, async_process_partial_response):
        with pytest.raises(ConfigurationError, match="processor is a BatchProcessor or another processor, not"):
            call(batch_of("a"), watch.handle, processor)
    assert watch.seen == []


def test_class_instead_of_an_object_is_told_so() -> None:
    with pytest.raises(ConfigurationError, match="Pass an object of it"):
        process_partial_response(batch_of("a"), handle, BatchProcessor)  # type: ignore[arg-type]


def test_call_of_the_other_kind_is_refused_before_anything_has_happened() -> None:
    watch = Watch()
    with pytest.raises(ConfigurationError):
        process_partial_response(batch_of("a"), watch.handle, AsyncBatchProcessor("sqs", plugins=[watch]))
    with pytest.raises(ConfigurationError):
        async_process_partial_response(batch_of("a"), watch.handle, BatchProcessor("sqs", plugins=[watch]))
    assert watch.seen == []


DAMAGE: dict[str, tuple[str, Callable[[Any], None], Callable[[Any], Any]]] = {
    # the source; what happens to the record; what a handler reads
    "body that is no JSON": ("sqs", lambda r: r.update(body="{"), lambda record: record.json_body),
    "body that is missing": ("sqs", lambda r: r.pop("body"), lambda record: record.body),
    "body that is nothing": ("sqs", lambda r: r.update(body=None), lambda record: record.json_body),
    "attributes that are missing": ("sqs", lambda r: r.pop("attributes"), lambda record: record.attributes.sender_id),
    "data that is no base64": (
        "kinesis",
        lambda r: r["kinesis"].update(data="!!!"),
        lambda record: record.kinesis.data_as_bytes(),
    ),
    "data that is no text": (
        "kinesis",
        lambda r: r["kinesis"].update(data="//79/A=="),
        lambda record: record.kinesis.data_as_text(),
    ),
    "data that is no JSON": (
        "kinesis",
        lambda r: r["kinesis"].update(data="e30s"),
        lambda record: record.kinesis.data_as_json(),
    ),
    "data that is not compressed": (
        "kinesis",
        lambda r: r["kinesis"].update(data="e30="),
        lambda record: record.kinesis.data_zlib_compressed_as_json(),
    ),
    "data that is missing": (
        "kinesis",
        lambda r: r["kinesis"].pop("data"),
        lambda record: record.kinesis.data_as_bytes(),
    ),
    "image of an unknown type": (
        "dynamodb",
        lambda r: r["dynamodb"].update(NewImage={"id": {"X": "1"}}),
        lambda record: record.dynamodb.new_image,
    ),
    "image with a number that is none": (
        "dynamodb",
        lambda r: r["dynamodb"].update(NewImage={"id": {"N": "one"}}),
        lambda record: record.dynamodb.new_image,
    ),
    "event name that is unknown": (
        "dynamodb",
        lambda r: r.update(eventName="TRUNCATE"),
        lambda record: record.event_name.name,
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_record_with_damaged_content_costs_itself(driver: Way, damage: str) -> None:
    name, destroy, read = DAMAGE[damage]
    good = sample(f"{SOURCES[name]}_event")["Records"][1 if name == "dynamodb" else 0]
    records = [copy.deepcopy(good) for _ in range(3)]
    for position, record in enumerate(records):
        *path, last = PATHS[name]
        inner: Any = record
        for key in path:
            inner = inner[key]
        inner[last] = str(position + 1)
    if "compressed" in damage:
        for record in records:
            record["kinesis"]["data"] = "eJyrrgUAAXUA+Q=="
    destroy(records[1])
    assert failed(driver({"Records": records}, read, event_type=name)) == ["2"]


MODEL_ERRORS = [ValueError, KeyError, SystemExit, RecursionError, StopIteration, UnicodeDecodeError]


@pytest.mark.parametrize("error", MODEL_ERRORS)
def test_model_may_raise_anything(driver: Way, error: type[BaseException]) -> None:
    pydantic = pytest.importorskip("pydantic")

    def check(value: str) -> str:
        if value == "bad":
            raise UnicodeDecodeError("utf-8", b"", 0, 1, "no") if error is UnicodeDecodeError else error("no")
        return value

    model: Any = pydantic.create_model(
        "Message", body=(str, ...), __validators__={"check": pydantic.field_validator("body")(check)}
    )
    assert failed(driver(batch_of("a", "bad", "c"), lambda record: record.body, model=model)) == ["m1"]


def test_models_own_way_of_validating_is_used(driver: Way) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Message(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        body: str

        @classmethod
        def model_validate(cls, obj: Any, **options: Any) -> Any:
            if obj["body"] == "bad":
                raise LookupError
            return super().model_validate(obj, **options)

    assert failed(driver(batch_of("a", "bad"), lambda record: record.body, model=Message)) == ["m1"]


def test_event_is_never_changed(way: Way) -> None:
    event = batch_of("a", "bad", "c", groups="xyz")
    before = copy.deepcopy(event)
    way(event)
    assert event == before


def test_response_is_made_anew_for_each_batch(driver: Way) -> None:
    processor = driver.processor()
    first = driver.call(processor, batch_of("a"), handle)
    first["batchItemFailures"].append("changed")
    assert driver.call(processor, batch_of("a"), handle) == {"batchItemFailures": []}
