"""What is written down of a function, and by what name: handlers that are watched, asyncio and threads too."""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import Any

import pytest

from batchcore import (
    ConfigurationError,
    HandlerSignatureError,
    hookimpl,
)
from batchcore_sqs import SQSRecord
from batchcore_testing import (
    EventFactory,
    EventSourceMapping,
    Faults,
    Queue,
    Sent,
    Stream,
    UnknownRecordError,
)

from .support import (
    KAFKA,
    SOURCES,
    Failing,
    async_processor_of,
    batches,
    content_of,
    contents,
    deliveries,
    handles,
    mapping_of,
    ordered_processor_of,
    polled,
    processor_of,
    records_of,
    source_of,
    succeeds,
)

every_source = pytest.mark.parametrize("source", SOURCES)


def queue_of(*contents: Any, **options: Any) -> Queue:
    queue = Queue(**options)
    queue.send(*contents)
    return queue


# What is written down, and by what name.


def written_by(queue: Any, name: Any) -> Any:
    """Run a function that writes each record down by what ``name`` makes of its raw record."""

    def function(event: Any, context: Any) -> Any:
        for record in records_of(event):
            mapping.tried(name(record))
            mapping.done(name(record))
        return succeeds(event, context)

    mapping = mapping_of(queue, function)
    return mapping.drain()


@every_source
@pytest.mark.parametrize("name", ["the raw record", "its identifier", "its content", "a typed record"])
def test_record_is_named_by_what_the_function_has_of_it(source: str, name: str) -> None:
    made = source_of(source)
    made.send("a", "b", key="k")

    class Typed:
        def __init__(self, raw: Any) -> None:
            self.raw_event = raw

    names = {
        "the raw record": lambda record: record,
        "its identifier": made.service.identifier,
        "its content": content_of,
        "a typed record": Typed,
    }
    history = written_by(made, names[name])
    history.check()
    assert len(history.done) == 2


def test_record_is_named_by_its_item() -> None:
    queue = queue_of("a", "a")
    mapping = mapping_of(queue)
    mapping.done(queue.items[1])
    assert [len(item.done) for item in queue.items] == [0, 1]


def test_content_that_was_sent_twice_names_nothing() -> None:
    mapping = mapping_of(queue_of("a", "a"))
    with pytest.raises(
        UnknownRecordError, match=r"2 records were sent with the content 'a': <1: 'a'>, <2: 'a'>\. Name the one"
    ):
        mapping.done("a")


@pytest.mark.parametrize(
    "what", ["z", None, 3, {"messageId": "z"}, object(), {"a"}], ids=lambda what: type(what).__name__
)
def test_what_was_not_sent_names_nothing(what: Any) -> None:
    mapping = mapping_of(queue_of("a"))
    for call in (mapping.tried, mapping.done):
        with pytest.raises(
            UnknownRecordError, match=r"Nothing was sent that is .*\. Sent were <1: 'a'>\. Name a record by"
        ):
            call(what)


def test_content_that_is_no_text_names_its_record() -> None:
    queue = queue_of({"order": 1}, {"order": 2})
    mapping_of(queue).done({"order": 2})
    assert [len(item.done) for item in queue.items] == [0, 1]


class Jobs(EventFactory):
    def record(self, sent: Sent) -> dict[str, Any]:
        return {"id": f"job {sent.number}", "job": sent.content}

    def event(self, records: Any) -> Any:
        return {"jobs": list(records)}


class JobSource:
    """A source of somebody's own."""

    name = "jobs"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return isinstance(event, dict) and "jobs" in event

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return event["jobs"]

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return [record["id"] for record in records]


@pytest.mark.parametrize("name", [lambda job: job, lambda job: job["id"], lambda job: job["job"]])
def test_record_of_a_source_of_ones_own_is_named_as_any_other(name: Any) -> None:
    queue = Queue(source=JobSource(), factory=Jobs())
    queue.send("a", "b")
    mapping: EventSourceMapping = mapping_of(
        queue, lambda event, context: [mapping.done(name(job)) for job in event["jobs"]] and None
    )
    mapping.drain().check()


def test_source_of_ones_own_runs_by_its_processor() -> None:
    queue = Queue(source=JobSource(), factory=Jobs())
    queue.send("a", "b")

    def handler(job: Any) -> None:
        if job["job"] == "a" and len(mapping.history.invocations) == 0:
            raise ValueError

    mapping = EventSourceMapping(queue, processor=processor_of(JobSource()), record_handler=handler)
    history = mapping.drain()
    history.check()
    assert batches(history)[1:] == [["a"]]


def test_source_without_an_event_factory_is_refused() -> None:
    class Bare:
        name = "bare"
        claims_event = JobSource.claims_event
        extract_records = JobSource.extract_records
        identify_records = JobSource.identify_records

    with pytest.raises(ConfigurationError, match="event factory"):
        Queue(source=Bare())


# A mistake of the test's own.


@pytest.mark.parametrize("kind", ["one by one", "threads", "asyncio", "a function that catches all"])
def test_record_that_was_never_sent_reaches_the_test(kind: str) -> None:
    """It is a mistake of the test, which a processor would take for a failed record."""
    queue = queue_of("a", "b")

    def handler(record: Any) -> None:
        mapping.done("z")

    def function(event: Any, context: Any) -> Any:
        try:
            mapping.done("z")
        except Exception:
            return succeeds(event, context)

    if kind == "a function that catches all":
        mapping = mapping_of(queue, function)
    else:
        processor: Any = async_processor_of() if kind == "asyncio" else processor_of()
        if kind == "threads":
            processor = processor_of(max_concurrency=2)
        mapping = mapping_of(queue, lambda event, context: processor.run(event, handler, context).response)
    with pytest.raises(UnknownRecordError, match="'z'"):
        mapping.drain()


def test_mistake_outside_an_invocation_is_told_once() -> None:
    mapping = mapping_of(queue_of("a"))
    with pytest.raises(UnknownRecordError):
        mapping.done("z")
    assert len(mapping.drain().done) == 1


@pytest.mark.parametrize("fault", ["crash", "timeout"])
def test_test_itself_can_write_down_between_two_invocations_whatever_went_wrong(fault: Any) -> None:
    queue = queue_of("a", "b")
    mapping = mapping_of(
        queue, lambda event, context: processor_of().run(event, watched, context).response, faults=Faults(at={1: fault})
    )
    watched = mapping.watched(handles)
    mapping.poll()
    for _ in range(5):
        mapping.tried("a")
    assert len(queue.items[0].tried) >= 5


# Handlers that are watched.


def test_watched_handler_does_the_same_and_gives_the_same() -> None:
    def handler(record: Any) -> str:
        return content_of(record).upper()

    queue = queue_of("a")
    mapping = mapping_of(
        queue,
        lambda event, context: given.append(processor_of().run(event, watched, context)) or succeeds(event, context),
    )
    given: list[Any] = []
    watched = mapping.watched(handler)
    mapping.drain().check()
    assert given[0].return_values == ["A"]
    assert watched.__name__ == "handler"
    assert len(queue.items[0].tried) == len(queue.items[0].done) == 1


def test_watched_handler_raises_what_the_handler_raises() -> None:
    queue = queue_of("a")
    mapping = mapping_of(queue)
    with pytest.raises(ValueError, match="a"):
        mapping.watched(Failing(a=1))(queue.record_of(queue.items[0]))
    assert (len(queue.items[0].tried), len(queue.items[0].done)) == (1, 0)


def test_handler_may_ask_for_the_lambda_context() -> None:
    left: list[int] = []

    def handler(record: SQSRecord, lambda_context: Any) -> None:
        left.append(lambda_context.get_remaining_time_in_millis())

    EventSourceMapping(queue_of("a"), processor=processor_of(), record_handler=handler).drain().check()
    assert left == [30_000]


@pytest.mark.parametrize(
    "handler",
    [
        lambda record, lambda_context: None,
        lambda message: None,
        lambda lambda_context, message: None,
        lambda *, record: None,
        lambda *arguments: None,
        lambda **arguments: None,
        lambda *, lambda_context, order: None,
    ],
    ids=["and a context", "of another name", "after the context", "by name", "any", "any by name", "its only name"],
)
def test_handler_is_watched_whatever_its_parameters_are(handler: Any) -> None:
    queue = queue_of("a", max_receive_count=1)
    EventSourceMapping(queue, processor=processor_of(), record_handler=handler).drain().check()
    assert len(queue.items[0].done) == 1


def test_handler_behind_a_decorator_is_watched() -> None:
    @functools.wraps(handles)
    def decorated(*arguments: Any, **named: Any) -> None:
        given.append((len(arguments), list(named)))

    given: list[Any] = []
    queue = queue_of("a", max_receive_count=1)
    EventSourceMapping(queue, processor=processor_of(), record_handler=decorated).drain().check()
    processor_of().run(queue.factory.event([queue.record_of(queue.items[0])]), decorated)
    assert given[0] == given[1]


def test_builtin_is_watched_as_any_handler() -> None:
    kept: list[Any] = []
    queue = queue_of("a", max_receive_count=1)
    EventSourceMapping(queue, processor=processor_of(), record_handler=kept.append).drain().check()
    assert [record.body for record in kept] == ["a"]


def test_handler_that_wants_what_nobody_gives_is_refused_as_on_lambda() -> None:
    queue = queue_of("a", max_receive_count=1)
    mapping = EventSourceMapping(queue, processor=processor_of(), record_handler=lambda record, nothing: None)
    assert isinstance(polled(mapping).response, HandlerSignatureError)


def test_handler_of_a_window_may_ask_for_its_state() -> None:
    stream = Stream()
    stream.send("a", "b", key="k")

    def handler(record: Any, state: dict[str, Any]) -> None:
        state["n"] = state.get("n", 0) + 1

    mapping = EventSourceMapping(
        stream, processor=processor_of("kinesis"), record_handler=handler, tumbling_window_in_seconds=60
    )
    history = mapping.drain()
    history.check()
    assert history.invocations[-1].event["state"] == {"n": 2}


def test_model_of_a_record_tells_which_it_is() -> None:
    model = pytest.importorskip("pydantic").create_model("Message", messageId=(str, ...), body=(str, ...))
    queue = queue_of("a", "bad")

    def handler(record: Any) -> None:
        if record.body == "bad" and len(mapping.history.invocations) == 0:
            raise ValueError

    mapping = EventSourceMapping(queue, processor=processor_of(model=model), record_handler=handler)
    history = mapping.drain()
    history.check()
    assert deliveries(queue) == {"a": 1, "bad": 2}


def test_handler_of_a_class_is_watched() -> None:
    EventSourceMapping(queue_of("a", "b"), processor=processor_of(), record_handler=Failing(b=1)).drain().check()


# asyncio, and threads.


@every_source
def test_async_handlers_are_watched(source: str) -> None:
    made = source_of(source)
    made.send("a", "b", "c", key="k")
    failing = Failing(b=2)

    async def handler(record: Any) -> None:
        await asyncio.sleep(0)
        failing(record)

    name: Any = {"fifo": "sqs", "kafka": KAFKA}.get(source, source)
    mapping = EventSourceMapping(made, processor=async_processor_of(name), record_handler=handler)
    history = mapping.drain()
    history.check(allow=["done_twice", "out_of_order"])
    assert [len(item.tried) for item in made.items][1] == 3


def test_plain_handler_may_give_a_coroutine_to_an_async_processor() -> None:
    failing = Failing(bad=1)

    async def work(record: Any) -> None:
        await asyncio.sleep(0)
        failing(record)

    def handler(record: Any) -> Any:
        return work(record)

    queue = queue_of("a", "bad")
    mapping = EventSourceMapping(queue, processor=async_processor_of(), record_handler=handler)
    mapping.drain().check()
    assert [len(item.done) for item in queue.items] == [1, 1]
    assert [len(item.tried) for item in queue.items] == [1, 2]


@pytest.mark.parametrize("kind", ["a coroutine", "a generator", "a coroutine of a coroutine"])
def test_work_that_nobody_runs_is_not_done(kind: str) -> None:
    async def work() -> None:
        """Do nothing, when awaited."""

    async def gives(record: Any) -> Any:
        return work()

    def handler(record: Any) -> Any:
        return work() if kind == "a coroutine" else (_ for _ in ())

    queue = queue_of("a", max_receive_count=2)
    processor: Any = processor_of() if kind != "a coroutine of a coroutine" else async_processor_of()
    mapping = EventSourceMapping(
        queue, processor=processor, record_handler=gives if kind == "a coroutine of a coroutine" else handler
    )
    history = mapping.drain()
    assert history.done == []
    assert contents(history.dead_letters) == ["a"]


@every_source
def test_threads_are_watched(source: str) -> None:
    made = source_of(source)
    for number in range(30):
        made.send(f"{'abc'[number % 3]}{number}", key="abc"[number % 3])
    threads: set[str] = set()
    failing = Failing(a3=1, b4=2)

    def handler(record: Any) -> None:
        threads.add(threading.current_thread().name)
        failing(record)

    mapping = EventSourceMapping(
        made, processor=ordered_processor_of(source, max_concurrency=3), record_handler=handler, batch_size=10
    )
    history = mapping.drain()
    history.check(allow=["done_twice"])
    assert len(history.done) == 30
    assert threading.current_thread().name not in threads


def test_async_processor_of_a_fifo_queue_keeps_its_order() -> None:
    made = source_of("fifo")
    made.send("a1", "a2", "a3", key="a")
    failing = Failing(a2=1)

    async def handler(record: Any) -> None:
        await asyncio.sleep(0)
        failing(record)

    EventSourceMapping(made, processor=async_processor_of(), record_handler=handler).drain().check()
