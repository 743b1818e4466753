"""The mapping: how it invokes a function, how a handler is watched, when it stops, and the clock they share."""

from __future__ import annotations

import asyncio
import functools
import json
import operator
import threading
from typing import Any

import pytest
from pydantic import BaseModel

from batchcore import (
    BatchcoreError,
    ConfigurationError,
    HandlerSignatureError,
    hookimpl,
    process_partial_response,
)
from batchcore.testing import (
    EventFactory,
    EventSourceMapping,
    Faults,
    NotDrainedError,
    Queue,
    Sent,
    SimulatedClock,
    SimulatedContext,
    Simulator,
    Stream,
    UnknownRecordError,
)
from batchcore_sqs import SQSRecord

from .support import (
    KAFKA,
    SOURCES,
    Failing,
    answers,
    async_processor_of,
    batches,
    content_of,
    contents,
    contents_of,
    deliveries,
    ends,
    handles,
    mapping_of,
    naming,
    ordered_processor_of,
    polled,
    processor_of,
    raises,
    records_of,
    shape,
    source_of,
    succeeds,
    times,
)

every_source = pytest.mark.parametrize("source", SOURCES)


def queue_of(*contents: Any, **options: Any) -> Queue:
    queue = Queue(**options)
    queue.send(*contents)
    return queue


# A test of three lines, as a user writes it.


def test_three_lines_are_a_test() -> None:
    queue = queue_of("a", "b")
    mapping = EventSourceMapping(
        queue, processor=processor_of(), record_handler=Failing(a=2), faults=Faults(throttles=0.3)
    )
    mapping.drain().check()


# What is invoked.


def test_function_gets_the_event_and_a_lambda_context() -> None:
    given: list[Any] = []

    def function(event: Any, context: Any) -> Any:
        given.append((event, context))
        return succeeds(event, context)

    mapping_of(queue_of("a"), function).drain()
    ((event, context),) = given
    assert contents_of(event) == ["a"]
    assert context.aws_request_id
    assert context.function_name
    assert context.invoked_function_arn.startswith("arn:aws:lambda:")
    assert context.memory_limit_in_mb
    assert context.get_remaining_time_in_millis() == 30_000


def test_each_invocation_has_an_id_and_a_time_of_its_own() -> None:
    contexts: list[Any] = []

    def function(event: Any, context: Any) -> Any:
        contexts.append(context)
        mapping.clock.advance(10)
        raise ValueError("no")

    mapping = mapping_of(queue_of("a", max_receive_count=2), function, timeout=20)
    mapping.drain()
    assert len({context.aws_request_id for context in contexts}) == 2
    assert [
        context.deadline - each.at for context, each in zip(contexts, mapping.history.invocations, strict=True)
    ] == [20, 20]


@every_source
def test_event_is_what_json_makes_of_it(source: str) -> None:
    made = source_of(source)
    made.send(json.dumps({"n": 1}), key="k")
    event = polled(mapping_of(made)).event
    assert event == json.loads(json.dumps(event))


def test_processor_and_handler_stand_for_a_function() -> None:
    handler = Failing()
    mapping = EventSourceMapping(queue_of("a"), processor=processor_of(), record_handler=handler)
    assert polled(mapping).response == {"batchItemFailures": []}
    assert handler.calls == ["a"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"processor": processor_of()},
        {"record_handler": handles},
        {"function": succeeds, "processor": processor_of()},
        {"function": succeeds, "record_handler": handles},
        {"function": succeeds, "processor": processor_of(), "record_handler": handles},
    ],
    ids=lambda given: " and ".join(given) or "nothing",
)
def test_mapping_invokes_a_function_or_a_processor_with_its_handler(given: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"processor=\.\.\., record_handler=\.\.\."):
        EventSourceMapping(Queue(), **given)


def test_function_that_exits_has_failed() -> None:
    def function(event: Any, context: Any) -> Any:
        raise SystemExit(1)

    invocation = polled(mapping_of(queue_of("a"), function))
    assert isinstance(invocation.response, SystemExit)
    assert contents(invocation.again) == ["a"]


def test_interrupt_of_a_user_reaches_the_user() -> None:
    def function(event: Any, context: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mapping_of(queue_of("a"), function).poll()


def test_answer_that_is_no_json_has_failed() -> None:
    invocation = polled(mapping_of(queue_of("a"), answers({"batchItemFailures": {1}})))
    assert "not JSON" in str(invocation.complaint)


@every_source
def test_function_may_change_its_event_which_changes_nothing_else(source: str) -> None:
    made = source_of(source)
    made.send("a", "b", key="k")

    def function(event: Any, context: Any) -> Any:
        answer = naming(records_of(event)[1:])
        for record in records_of(event):
            record.clear()
        return answer if len(mapping.history.invocations) == 0 else succeeds(event, context)

    mapping = mapping_of(made, function)
    first, second = mapping.drain().invocations
    assert contents(first.again) == contents(second.items)
    assert len(second.items) == 1
    assert contents_of(first.event) == contents(first.items)


# poll() and drain().


def test_poll_sees_one_batch_through() -> None:
    mapping = mapping_of(queue_of("a", "b"), batch_size=1)
    assert polled(mapping).number == 1
    assert polled(mapping).number == 2
    assert mapping.poll() is None


@every_source
def test_poll_waits_as_long_as_it_takes(source: str) -> None:
    made = source_of(source)
    made.send("a", key="k")
    mapping = mapping_of(made, answers(ValueError("no")))
    mapping.poll()
    before = mapping.clock.now
    mapping.poll()
    assert mapping.clock.now > before
    assert mapping.history.invocations[1].at == mapping.clock.now


@every_source
def test_drain_goes_on_until_the_source_holds_nothing(source: str) -> None:
    made = source_of(source)
    made.send(*map(str, range(40)), key="k")
    mapping = mapping_of(made, answers(ValueError("no")), batch_size=7)
    assert mapping.drain() is mapping.history
    assert made.left() == 0
    assert set(ends(made).values()) == {"acknowledged"}


def test_drain_can_go_on_with_what_was_sent_later() -> None:
    queue = queue_of("a")
    mapping = mapping_of(queue)
    mapping.drain()
    queue.send("b")
    assert batches(mapping.drain()) == [["a"], ["b"]]


def test_source_that_holds_nothing_is_drained_by_no_invocation() -> None:
    assert mapping_of(Queue()).drain().invocations == []


@every_source
def test_source_that_does_not_get_empty_is_told(source: str) -> None:
    made = source_of(source)
    made.send("a", "b", key="k")
    with pytest.raises(NotDrainedError, match=r"2 records, such as <1: 'a'>, <2: 'b'>") as caught:
        mapping_of(made, raises).drain(max_invocations=4)
    assert caught.value.left == 2
    assert isinstance(caught.value, BatchcoreError)
    assert "max_receive_count" in str(caught.value)


def test_drain_that_needs_all_its_invocations_has_drained() -> None:
    assert len(mapping_of(queue_of("a", "b"), batch_size=1).drain(max_invocations=2).invocations) == 2


def test_drain_stops_after_the_most_invocations() -> None:
    mapping = mapping_of(queue_of("a"), raises)
    with pytest.raises(NotDrainedError):
        mapping.drain(max_invocations=3)
    assert len(mapping.history.invocations) == 3


# Time.


def test_function_that_takes_too_long_has_failed() -> None:
    def function(event: Any, context: Any) -> Any:
        mapping.clock.advance(31 if len(mapping.history.invocations) == 0 else 29)
        return succeeds(event, context)

    mapping = mapping_of(queue_of("a"), function)
    first, second = mapping.drain().invocations
    assert isinstance(first.response, TimeoutError)
    assert contents(first.again) == ["a"]
    assert second.complaint is None


def test_function_that_takes_all_of_its_time_has_not_failed() -> None:
    def function(event: Any, context: Any) -> Any:
        mapping.clock.advance(5)
        return succeeds(event, context)

    mapping = mapping_of(queue_of("a"), function, timeout=5)
    assert polled(mapping).complaint is None


def test_function_does_nothing_after_its_time() -> None:
    queue = queue_of("a", "b", "c")

    def handler(record: Any) -> None:
        mapping.clock.advance(20 if len(mapping.history.invocations) == 0 else 0)

    mapping = EventSourceMapping(queue, processor=processor_of(), record_handler=handler)
    mapping.poll()
    assert sorted(len(item.done) for item in queue.items) == [0, 0, 1]
    assert sorted(len(item.tried) for item in queue.items) == [0, 1, 1]
    history = mapping.drain()
    assert len(history.done_twice) == 1
    assert [type(each.response).__name__ for each in history.invocations] == ["TimeoutError", "dict"]


@pytest.mark.parametrize("kind", ["threads", "asyncio", "asyncio, plain handler"])
def test_every_kind_of_processor_ends_with_its_time(kind: str) -> None:
    def handler(record: Any) -> None:
        mapping.clock.advance(20 if len(mapping.history.invocations) == 0 else 0)

    async def waits(record: Any) -> None:
        await asyncio.sleep(0)
        handler(record)

    queue = queue_of(*"abcdef")
    processor: Any = processor_of(max_concurrency=2) if kind == "threads" else async_processor_of()
    mapping = EventSourceMapping(queue, processor=processor, record_handler=waits if kind == "asyncio" else handler)
    history = mapping.drain()
    history.check(allow=["done_twice"])
    assert [type(each.response).__name__ for each in history.invocations] == ["TimeoutError", "dict"]
    assert len(history.done_twice) < 6


def test_processor_that_stops_in_time_loses_nothing_and_repeats_nothing() -> None:
    queue = queue_of(*map(str, range(10)))

    def handler(record: Any) -> None:
        mapping.clock.advance(7)

    mapping = EventSourceMapping(queue, processor=processor_of(stop_before_timeout=8), record_handler=handler)
    history = mapping.drain()
    history.check()
    assert len(history.invocations) > 2


def test_source_functions_and_sources_share_the_clock() -> None:
    clock = SimulatedClock()
    queue = queue_of("a", clock=clock)
    mapping = mapping_of(queue)
    clock.advance(100)
    assert mapping.clock is queue.clock is clock
    assert polled(mapping).at == clock.now


def test_clock_goes_on_when_it_is_told() -> None:
    clock = SimulatedClock(10.0)
    clock.advance(2.5)
    clock.advance(0)
    assert clock.now == 12.5


def test_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        SimulatedClock().advance(-1)


def test_clocks_begin_at_the_same_moment() -> None:
    assert SimulatedClock().now == SimulatedClock().now == Queue().clock.now
    assert "at 0 s" in repr(SimulatedClock())


def test_context_counts_down_to_0() -> None:
    context = SimulatedContext(10)
    context.advance(4)
    assert context.get_remaining_time_in_millis() == 6_000
    context.advance(7)
    assert context.get_remaining_time_in_millis() == 0


def test_context_tells_the_time_of_its_clock() -> None:
    clock = SimulatedClock()
    context = SimulatedContext(10, clock, aws_request_id="one", function_name="orders")
    clock.advance(1)
    assert context.get_remaining_time_in_millis() == 9_000
    assert context.aws_request_id == "one"
    assert context.function_name in context.invoked_function_arn
    assert context.deadline == clock.now + 9


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
    with pytest.raises(UnknownRecordError, match="2 things were sent"):
        mapping.done("a")


@pytest.mark.parametrize(
    "what", ["z", None, 3, {"messageId": "z"}, object(), {"a"}], ids=lambda what: type(what).__name__
)
def test_what_was_not_sent_names_nothing(what: Any) -> None:
    mapping = mapping_of(queue_of("a"))
    for call in (mapping.tried, mapping.done):
        with pytest.raises(UnknownRecordError, match="0 things were sent"):
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

    @hookimpl
    def event_factory(self) -> Any:
        return Jobs()


@pytest.mark.parametrize("name", [lambda job: job, lambda job: job["id"], lambda job: job["job"]])
def test_record_of_a_source_of_ones_own_is_named_as_any_other(name: Any) -> None:
    queue = Queue(source=JobSource())
    queue.send("a", "b")
    mapping: EventSourceMapping = mapping_of(
        queue, lambda event, context: [mapping.done(name(job)) for job in event["jobs"]] and None
    )
    mapping.drain().check()


def test_source_of_ones_own_runs_by_its_processor() -> None:
    queue = Queue(source=JobSource())
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


class Model(BaseModel):
    messageId: str
    body: str


def test_model_of_a_record_tells_which_it_is() -> None:
    queue = queue_of("a", "bad")

    def handler(record: Model) -> None:
        if record.body == "bad" and len(mapping.history.invocations) == 0:
            raise ValueError

    mapping = EventSourceMapping(queue, processor=processor_of(model=Model), record_handler=handler)
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


# A function with the library in it, whose effects stand for what was done.


def test_effect_stands_for_what_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped: list[str] = []

    def record_handler(record: SQSRecord) -> None:
        if record.attributes.approximate_receive_count == 1 and record.body == "bad":
            raise ValueError
        effects["ship"](record.body)

    def lambda_handler(event: Any, context: Any) -> Any:
        return process_partial_response(event, record_handler, processor_of(), context)

    effects: dict[str, Any] = {"ship": shipped.append}
    queue = queue_of("a", "bad")
    mapping = EventSourceMapping(queue, lambda_handler)
    monkeypatch.setitem(effects, "ship", mapping.done)
    mapping.drain().check()
    assert [len(item.done) for item in queue.items] == [1, 1]
    assert shipped == []


# Seeds.


@every_source
def test_seed_is_all_there_is_of_chance(source: str) -> None:
    def history(seed: int) -> str:
        made = source_of(source, **({"shards": 3} if source in ("kinesis", "dynamodb") else {}))
        for number in range(40):
            made.send(str(number), key=str(number % 7))
        return shape(mapping_of(made, batch_size=4, seed=seed, faults=Faults(crashes=0.2)).drain())

    assert history(1) == history(1)
    assert len({history(seed) for seed in range(4)}) == 4


def test_seed_is_0_by_default() -> None:
    def history(**options: Any) -> str:
        return shape(mapping_of(queue_of(*map(str, range(30))), **options).drain())

    assert history() == history(seed=0)


# Everything of a test that shares a clock and a seed.


def test_simulator_makes_sources_that_share_a_clock() -> None:
    simulator = Simulator()
    made = [
        simulator.queue(visibility_timeout=5),
        simulator.fifo_queue(max_receive_count=3),
        simulator.stream(shards=2),
        simulator.stream("dynamodb", "table"),
        simulator.topic(source=KAFKA, partitions=2),
    ]
    assert all(source.clock is simulator.clock for source in made)
    assert [source.resource for source in made] == ["orders", "orders.fifo", "orders", "table", "orders"]


def test_simulator_gives_its_seed_to_mappings() -> None:
    def history(seed: int) -> str:
        simulator = Simulator(seed)
        queue = simulator.queue()
        queue.send(*map(str, range(30)))
        mapping = simulator.mapping(queue, succeeds, faults=Faults(throttles=0.3))
        assert simulator.mappings == [mapping]
        return shape(mapping.drain())

    assert history(3) == history(3) != history(4)


def test_mapping_may_have_a_seed_of_its_own() -> None:
    def history(simulator: Simulator, **options: Any) -> str:
        queue = simulator.queue()
        queue.send(*map(str, range(30)))
        return shape(simulator.mapping(queue, succeeds, **options).drain())

    assert history(Simulator(1), seed=5) == history(Simulator(2), seed=5)


def test_function_may_send_on_to_another_source() -> None:
    simulator = Simulator()
    first, second = simulator.queue("first"), simulator.queue("second")
    first.send("a", "b")

    def function(event: Any, context: Any) -> Any:
        second.send(*map(content_of, event["Records"]))
        return succeeds(event, context)

    simulator.mapping(first, function).drain().check()
    history = simulator.mapping(second, processor=processor_of(), record_handler=handles).drain()
    history.check()
    assert sorted(contents(history.done)) == ["a", "b"]


def test_mapping_that_takes_the_place_of_another_goes_on_with_what_is_left() -> None:
    queue = queue_of("a", "b")
    old = mapping_of(queue, raises, batch_size=1)
    old.poll()
    new = mapping_of(queue, batch_size=10)
    history = new.drain()
    assert sorted(functools.reduce(operator.iadd, batches(history), [])) == ["a", "b"]
    assert times(history)[-1] == 30.0
