"""The mapping: how it invokes a function, when it stops, and the clock they share."""

from __future__ import annotations

import asyncio
import functools
import json
import operator
from typing import Any

import pytest

from batchcore import (
    BatchcoreError,
    ConfigurationError,
    process_partial_response,
)
from batchcore_sqs import SQSRecord
from batchcore_testing import (
    EventSourceMapping,
    Faults,
    KafkaEvents,
    NotDrainedError,
    Queue,
    SimulatedClock,
    SimulatedContext,
    Simulator,
)

from .support import (
    SOURCES,
    Failing,
    async_processor_of,
    batches,
    content_of,
    contents,
    contents_of,
    ends,
    handles,
    mapping_of,
    naming,
    polled,
    processor_of,
    raises,
    records_of,
    responds,
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


def test_response_that_is_no_json_has_failed() -> None:
    invocation = polled(mapping_of(queue_of("a"), responds({"batchItemFailures": {1}})))
    assert "not JSON" in str(invocation.complaint)


@every_source
def test_function_may_change_its_event_which_changes_nothing_else(source: str) -> None:
    made = source_of(source)
    made.send("a", "b", key="k")

    def function(event: Any, context: Any) -> Any:
        response = naming(records_of(event)[1:])
        for record in records_of(event):
            record.clear()
        return response if len(mapping.history.invocations) == 0 else succeeds(event, context)

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
    mapping = mapping_of(made, responds(ValueError("no")))
    mapping.poll()
    before = mapping.clock.now
    mapping.poll()
    assert mapping.clock.now > before
    assert mapping.history.invocations[1].at == mapping.clock.now


@every_source
def test_drain_goes_on_until_the_source_holds_nothing(source: str) -> None:
    made = source_of(source)
    made.send(*map(str, range(40)), key="k")
    mapping = mapping_of(made, responds(ValueError("no")), batch_size=7)
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
        simulator.topic(source=KafkaEvents(), partitions=2),
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
    first, second = simulator.queue(name="first"), simulator.queue(name="second")
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
