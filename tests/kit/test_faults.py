"""What goes wrong without anybody's fault: lost acknowledgements, crashes, time-outs, throttling."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from batchcore import ConfigurationError
from batchcore_testing import EventSourceMapping, Faults, Queue, Stream

from .support import (
    SOURCES,
    STREAMS,
    Failing,
    async_processor_of,
    batches,
    content_of,
    contents,
    deliveries,
    ends,
    faults,
    handles,
    mapping_of,
    names,
    ordered_processor_of,
    polled,
    processor_of,
    records_of,
    shape,
    source_of,
    succeeds,
    times,
)

every_source = pytest.mark.parametrize("source", SOURCES)
every_stream = pytest.mark.parametrize("source", STREAMS)

LETTERS = [f"a{number}" for number in range(6)]


def loaded(source: str, **options: Any) -> Any:
    """Make a source with six things of one lane."""
    made = source_of(source, **options)
    made.send(*LETTERS, key="k")
    return made


def processed(source: str, loaded: Any, handler: Any = handles, **options: Any) -> EventSourceMapping:
    return EventSourceMapping(loaded, processor=ordered_processor_of(source), record_handler=handler, **options)


# Throttling.


@every_source
def test_throttled_function_is_not_invoked(source: str) -> None:
    called: list[Any] = []

    def function(event: Any, context: Any) -> Any:
        called.append(event)
        return succeeds(event, context)

    mapping = mapping_of(loaded(source), function, faults=Faults(at={1: "throttle"}))
    invocation = polled(mapping)
    assert called == []
    assert (invocation.fault, invocation.response, invocation.complaint) == ("throttle", None, "throttled")
    assert sorted(contents(invocation.again)) == LETTERS
    mapping.drain().check()
    assert len(called) == 1


# Duplicates.


def test_lost_acknowledgement_brings_some_messages_of_a_queue_again_though_they_are_done() -> None:
    sizes = set()
    for seed in range(8):
        queue = loaded("sqs")
        mapping = processed("sqs", queue, faults=Faults(at={1: "duplicate"}), seed=seed)
        history = mapping.drain()
        again = batches(history)[1]
        assert contents(history.done_twice) == sorted(again)
        assert history.invocations[0].complaint is None
        sizes.add(len(again))
    assert min(sizes) >= 1
    assert len(sizes) > 1


@pytest.mark.parametrize("source", [*STREAMS, "kafka"])
def test_lost_checkpoint_brings_the_whole_batch_again(source: str) -> None:
    mapping = processed(source, loaded(source), faults=Faults(at={1: "duplicate"}))
    history = mapping.drain()
    assert batches(history) == [LETTERS, LETTERS]
    assert contents(history.invocations[0].again) == LETTERS
    assert contents(history.done_twice) == LETTERS


@pytest.mark.parametrize("source", [*STREAMS, "kafka"])
def test_lost_checkpoint_of_a_partial_response_brings_the_whole_batch_again(source: str) -> None:
    mapping = processed(source, loaded(source), Failing(a3=1), faults=Faults(at={1: "duplicate"}))
    assert batches(mapping.drain()) == [LETTERS, LETTERS]


@pytest.mark.parametrize("source", [*STREAMS, "kafka"])
def test_lost_checkpoint_uses_up_no_attempt(source: str) -> None:
    made = loaded(source)
    mapping = processed(source, made, Failing(a0=1), maximum_retry_attempts=1, faults=Faults(at={2: "duplicate"}))
    mapping.drain()
    assert set(ends(made).values()) == {"acknowledged"}


def test_message_that_was_done_may_reach_the_dead_letter_queue_when_its_acknowledgement_is_lost() -> None:
    queue = Queue(max_receive_count=1)
    queue.send("a")
    history = processed("sqs", queue, faults=Faults(at={1: "duplicate"})).drain()
    assert contents(history.done) == contents(history.dead_letters) == ["a"]
    assert history.lost == []


# Crashes.


@every_source
@pytest.mark.parametrize("fault", ["crash", "timeout"])
def test_function_that_ends_in_the_middle_has_answered_nothing(source: str, fault: Any) -> None:
    made = loaded(source)
    mapping = processed(source, made, faults=Faults(at={1: fault}))
    history = mapping.drain()
    assert isinstance(history.invocations[0].response, Exception)
    assert sorted(batches(history)[1]) == LETTERS
    history.check(allow=["done_twice"])


def done_at_the_crash(seed: int, **options: Any) -> tuple[int, int]:
    """Give how many of six records were tried, and how many done, when the function crashed."""
    queue = loaded("fifo")
    mapping = processed("fifo", queue, faults=Faults(at={1: "crash"}), seed=seed, **options)
    mapping.poll()
    return sum(bool(item.tried) for item in queue.items), sum(bool(item.done) for item in queue.items)


def test_crash_comes_anywhere_in_a_batch() -> None:
    found = {done_at_the_crash(seed) for seed in range(40)}
    assert {done for _, done in found} == set(range(7))
    assert any(tried == done + 1 for tried, done in found)
    assert any(tried == done for tried, done in found)


def test_nothing_is_done_after_a_crash() -> None:
    for seed in range(20):
        queue = loaded("fifo")
        handler = Failing()
        mapping = processed("fifo", queue, handler, faults=Faults(at={1: "crash"}), seed=seed)
        mapping.poll()
        assert handler.calls == LETTERS[: len(handler.calls)]
        assert len(handler.calls) <= sum(bool(item.tried) for item in queue.items)


@pytest.mark.parametrize("swallowed", [Exception, BaseException])
def test_function_cannot_survive_its_crash(swallowed: type[BaseException]) -> None:
    queue = loaded("fifo")
    caught: list[str] = []

    def function(event: Any, context: Any) -> Any:
        for record in records_of(event):
            try:
                mapping.tried(record)
                mapping.done(record)
            except swallowed:
                caught.append(content_of(record))
        return {"batchItemFailures": []}

    mapping = mapping_of(queue, function, faults=Faults(at={1: "crash"}), seed=1)
    invocation = polled(mapping)
    assert isinstance(invocation.response, RuntimeError)
    assert contents(invocation.again) == LETTERS
    assert 0 < sum(bool(item.tried) for item in queue.items) < 6
    assert bool(caught) is (swallowed is BaseException)


def test_function_that_writes_nothing_down_crashes_before_its_response() -> None:
    queue = loaded("fifo")
    mapping = mapping_of(queue, faults=Faults(at={1: "crash"}))
    assert batches(mapping.drain()) == [LETTERS, LETTERS]


@every_stream
def test_crash_is_an_error_of_the_function_and_uses_up_attempts(source: str) -> None:
    stream = loaded(source)
    mapping_of(stream, faults=Faults(at={1: "crash", 2: "timeout"}), maximum_retry_attempts=1).drain()
    assert set(ends(stream).values()) == {"discarded"}


@every_stream
def test_crash_splits_a_batch(source: str) -> None:
    stream = loaded(source)
    mapping = mapping_of(stream, faults=Faults(at={1: "crash"}), bisect_batch_on_function_error=True)
    assert batches(mapping.drain()) == [LETTERS, LETTERS[:3], LETTERS[3:]]


@pytest.mark.parametrize("kind", ["one by one", "threads", "asyncio", "asyncio, plain handler"])
@pytest.mark.parametrize("fault", ["crash", "timeout"])
def test_crash_strikes_every_kind_of_processor(kind: str, fault: Any) -> None:
    async def waits(record: Any) -> None:
        await asyncio.sleep(0)

    for seed in range(5):
        queue = Queue()
        queue.send(*LETTERS)
        processor: Any = async_processor_of() if "asyncio" in kind else processor_of()
        if kind == "threads":
            processor = processor_of(max_concurrency=3)
        handler = waits if kind == "asyncio" else handles
        mapping = EventSourceMapping(
            queue, processor=processor, record_handler=handler, faults=Faults(at={1: fault}), seed=seed
        )
        history = mapping.drain()
        assert sorted(batches(history)[1]) == LETTERS
        history.check(allow=["done_twice"])


# Time-outs.


@every_source
def test_timeout_takes_the_whole_time_of_the_function(source: str) -> None:
    made = loaded(source)
    mapping = mapping_of(made, faults=Faults(at={1: "timeout"}), timeout=17)
    began = mapping.clock.now
    invocation = polled(mapping)
    assert mapping.clock.now - began == pytest.approx(17, abs=0.01)
    assert isinstance(invocation.response, TimeoutError)
    assert "17.00 seconds" in str(invocation.complaint)


def test_crash_takes_no_time() -> None:
    mapping = mapping_of(loaded("sqs"), faults=Faults(at={1: "crash"}))
    began = mapping.clock.now
    mapping.poll()
    assert mapping.clock.now == began


# Which invocations.


def test_faults_come_to_the_invocations_that_were_named() -> None:
    queue = loaded("fifo")
    mapping = mapping_of(queue, faults=Faults(at={1: "throttle", 2: "crash", 4: "timeout"}), batch_size=2)
    assert [each.fault for each in mapping.drain().invocations] == ["throttle", "crash", None, "timeout", None, None]


def test_nothing_goes_wrong_by_default() -> None:
    assert faults(mapping_of(loaded("sqs"), batch_size=1).drain()) == {None: 6}


@pytest.mark.parametrize("kind", ["duplicates", "crashes", "timeouts", "throttles"])
def test_share_of_the_invocations_goes_wrong(kind: str) -> None:
    queue = Queue()
    queue.send(*map(str, range(600)))
    history = mapping_of(queue, faults=Faults(**{kind: 0.25}), batch_size=1).drain()
    found = faults(history)
    (fault,) = {fault for fault in found if fault is not None}
    assert kind.startswith(fault)
    assert 0.2 < found[fault] / len(history.invocations) < 0.3


def test_shares_add_up() -> None:
    queue = Queue()
    queue.send(*map(str, range(600)))
    history = mapping_of(
        queue, faults=Faults(duplicates=0.1, crashes=0.1, timeouts=0.1, throttles=0.1), batch_size=1
    ).drain()
    found = faults(history)
    assert all(0.06 < found[kind] / len(history.invocations) < 0.14 for kind in found if kind is not None)
    assert len(found) == 5


def test_share_of_1_is_always() -> None:
    stream = loaded("kinesis", retention=120)
    history = mapping_of(stream, faults=Faults(throttles=1)).drain()
    assert set(faults(history)) == {"throttle"}
    assert set(ends(stream).values()) == {"expired"}


def test_named_fault_takes_the_place_of_chance() -> None:
    mapping = mapping_of(loaded("sqs"), faults=Faults(throttles=1, at={1: "crash"}))
    assert polled(mapping).fault == "crash"
    assert polled(mapping).fault == "throttle"


@pytest.mark.parametrize(
    "shares",
    [{"crashes": -0.1}, {"crashes": 1.1}, {"crashes": 0.6, "throttles": 0.6}, {"timeouts": math.nan}],
    ids=repr,
)
def test_share_that_is_none_is_refused(shares: Any) -> None:
    with pytest.raises(ConfigurationError, match="from 0 to 1"):
        Faults(**shares)


def test_fault_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="duplicate, crash, timeout, throttle"):
        Faults(at={1: "meteor"})  # type: ignore[dict-item]


# Chance.


def chaotic(source: str, seed: int) -> str:
    made = source_of(source)
    for number in range(30):
        made.send(f"{'abc'[number % 3]}{number}", key="abc"[number % 3])
    handler = Failing(a3=1, b4=2, c8=1)
    chance = Faults(duplicates=0.1, crashes=0.1, timeouts=0.1, throttles=0.1)
    return shape(processed(source, made, handler, faults=chance, batch_size=5, seed=seed).drain())


@every_source
def test_same_seed_gives_the_same_history(source: str) -> None:
    assert chaotic(source, 7) == chaotic(source, 7)


@every_source
def test_other_seeds_give_other_histories(source: str) -> None:
    assert len({chaotic(source, seed) for seed in range(5)}) == 5


@every_source
@pytest.mark.parametrize("seed", range(3))
def test_correct_function_loses_nothing_whatever_goes_wrong(source: str, seed: int) -> None:
    made = source_of(source)
    for number in range(40):
        made.send(f"{'abc'[number % 3]}{number}", key="abc"[number % 3])
    handler = Failing(a0=1, b1=2, c5=3, a9=1)
    chance = Faults(duplicates=0.1, crashes=0.1, timeouts=0.1, throttles=0.1)
    history = processed(source, made, handler, faults=chance, batch_size=7, seed=seed).drain()
    history.check(allow=["done_twice"])
    assert len(history.done) == 40


def test_receives_of_crashed_invocations_count() -> None:
    queue = Queue(max_receive_count=2)
    queue.send("a")
    mapping_of(queue, faults=Faults(at={1: "crash", 2: "timeout"})).drain()
    assert contents(queue.dead_letters) == ["a"]
    assert deliveries(queue) == {"a": 2}


def test_pause_after_a_throttled_batch_of_a_stream_is_short() -> None:
    stream = Stream()
    stream.send("a")
    first, second = times(mapping_of(stream, faults=Faults(at={1: "throttle"})).drain())
    assert 0 < second - first <= 60


def test_faults_and_failures_come_together() -> None:
    topic = source_of("kafka")
    topic.send("a", "bad", "c", key="k")
    mapping = mapping_of(topic, names("bad"), faults=Faults(at={1: "crash"}), maximum_retry_attempts=5)
    mapping.drain()
    assert ends(topic) == {"a": "acknowledged", "bad": "discarded", "c": "discarded"}
    assert mapping.history.invocations[0].fault == "crash"
