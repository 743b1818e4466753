"""Order is kept where the source has one: lanes, and what a failure does to its lane, under one set of rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    ConfigurationError,
    DeadLetterRecord,
    DropRecord,
    NotAttemptedError,
    Ordering,
    PluginError,
    by_key,
    hookimpl,
    in_order,
    unordered,
)
from batchcore_sqs import (
    SQS,
    SQSFifoCircuitBreakerError,
    SQSFifoMessageGroupCircuitBreakerError,
    SqsFifoPartialProcessor,
)
from tests.batches import Event, batch_of, failed, handle
from tests.clocks import Spent
from tests.drivers import DRIVERS, Way, name_of

EVENTS = Path(__file__).parents[1] / "events"


def first_letter(record: Any) -> str | None:
    """Make lanes of the bodies' first letters; a body that begins with "-" is a lane of its own."""
    letter = record["body"][0]
    return None if letter == "-" else letter


def fail_on_bang(log: list[str]) -> Callable[[Any], None]:
    def handler(record: Any) -> None:
        log.append(record["body"])
        if record["body"].endswith("!"):
            raise ValueError

    return handler


BATCH = ("a1", "b1!", "a2!", "c1", "b2", "-1!", "a3", "-2", "c2")
RULES: dict[str, tuple[Ordering, list[str], list[str]]] = {
    # the ordering; what is not attempted; the identifiers in the response
    "unordered": (unordered, [], ["m1", "m2", "m5"]),
    "in order, continue": (in_order(on_failure="continue"), [], ["m1", "m2", "m5"]),
    "in order, stop": (in_order(), list(BATCH[2:]), [f"m{n}" for n in range(1, 9)]),
    "by key, continue": (by_key(first_letter, on_failure="continue"), [], ["m1", "m2", "m5"]),
    "by key, stop": (by_key(first_letter), ["b2", "a3"], ["m1", "m2", "m4", "m5", "m6"]),
}


@pytest.mark.parametrize("rule", RULES)
def test_rules_of_an_ordering_hold_for_every_driver(driver: Way, rule: str) -> None:
    ordering, not_attempted, response = RULES[rule]
    log: list[str] = []
    processor = driver.processor(ordering=ordering)
    assert failed(driver.call(processor, batch_of(*BATCH), fail_on_bang(log))) == response
    assert sorted(log) == sorted(set(BATCH) - set(not_attempted))
    kinds = {
        record["body"]: kind for record, (kind, _, _) in zip(processor.fail_messages, processor.exceptions, strict=True)
    }
    assert {body for body, kind in kinds.items() if kind is NotAttemptedError} == set(not_attempted)
    for lane in ("a", "b", "c") if ordering.key else ():
        bodies = [body for body in BATCH if body[0] == lane and body not in not_attempted]
        assert [body for body in log if body[0] == lane] == bodies, "in order inside its lane"


@pytest.mark.parametrize("rule", ["in order, continue", "in order, stop"])
def test_one_lane_runs_in_the_order_of_the_batch(driver: Way, rule: str) -> None:
    log: list[str] = []
    driver(batch_of(*BATCH), fail_on_bang(log), ordering=RULES[rule][0])
    assert log == [body for body in BATCH if body not in RULES[rule][1]]


def test_records_one_by_one_run_in_the_order_of_the_batch_whatever_the_lanes() -> None:
    for rule, (ordering, not_attempted, _) in RULES.items():
        log: list[str] = []
        BatchProcessor("sqs", ordering=ordering).run(batch_of(*BATCH), fail_on_bang(log))
        assert log == [body for body in BATCH if body not in not_attempted], rule


def test_what_is_not_attempted_is_no_success_and_says_why(driver: Way) -> None:
    result = driver.processor(ordering=in_order()).run(batch_of("ok", "bad", "ok"), handle)
    assert [outcome.status for outcome in result.outcomes] == ["succeeded", "failed", "not_attempted"]
    assert str(result.outcomes[2].exception) == "An earlier record of its lane failed, so it was not attempted."
    assert not result.outcomes[2].done


def test_exception_of_what_is_not_attempted_can_be_chosen(driver: Way) -> None:
    class Mine(Exception):
        pass

    ordering = in_order(not_attempted=lambda: Mine("mine"))
    result = driver.processor(ordering=ordering).run(batch_of("ok", "bad", "ok", "ok"), handle)
    exceptions = [outcome.exception for outcome in result.failures[1:]]
    assert [(type(exception), str(exception)) for exception in exceptions] == [(Mine, "mine")] * 2
    assert exceptions[0] is not exceptions[1], "an exception each: they get tracebacks of their own"


def test_failing_key_stops_no_lane(driver: Way) -> None:
    log: list[str] = []
    ordering = by_key(lambda record: {"a": 1}[record["body"][0]])
    response = driver(batch_of("a1", "x1", "a2"), fail_on_bang(log), ordering=ordering)
    assert (failed(response), log) == (["m1"], ["a1", "a2"])


def test_keys_of_different_types_are_different_lanes_and_equal_ones_are_one(driver: Way) -> None:
    keys: dict[str, Any] = {"a!": 1, "b": "1", "c": (1,), "d": 1.0}
    response = driver(batch_of(*keys), fail_on_bang([]), ordering=by_key(lambda record: keys[record["body"]]))
    assert failed(response) == ["m0", "m3"]


@pytest.mark.parametrize("key", ["", 0, False, ()])
def test_falsy_key_is_a_lane_like_another(driver: Way, key: Any) -> None:
    response = driver(batch_of("bad", "ok"), ordering=by_key(lambda record: key), raise_on_entire_batch_failure=False)
    assert failed(response) == ["m0", "m1"]


def test_key_function_gets_the_raw_record_once(driver: Way) -> None:
    event = batch_of("a1", "a2", "b1")
    asked: list[Any] = []

    def key(record: Any) -> str:
        asked.append(record)
        return str(record["body"][0])

    driver(event, ordering=by_key(key))
    assert [id(record) for record in asked] == [id(record) for record in event["Records"]]


def test_next_batch_knows_of_no_lane_that_stopped(driver: Way) -> None:
    processor = driver.processor(ordering=by_key(first_letter))
    assert failed(driver.call(processor, batch_of("a!", "a", "b"), fail_on_bang([]))) == ["m0", "m1"]
    assert failed(driver.call(processor, batch_of("a", "a", "b"), fail_on_bang([]))) == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: BatchProcessor("sqs", ordering="in_order"),  # type: ignore[arg-type]
        lambda: BatchProcessor("sqs", ordering=in_order),  # type: ignore[arg-type]
        lambda: in_order(on_failure="halt"),  # type: ignore[arg-type]
        lambda: by_key("MessageGroupId"),  # type: ignore[arg-type]
        lambda: by_key(first_letter, on_failure=True),  # type: ignore[arg-type]
        lambda: by_key(first_letter_later),
    ],
)
def test_ordering_that_is_none_is_refused(wrong: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError):
        wrong()


async def first_letter_later(record: Any) -> str:
    """Give a coroutine, a lane of its own for each record: the order would be lost."""
    return str(record["body"][0])


def test_orderings_can_be_read() -> None:
    assert repr(unordered) == "unordered"
    assert repr(in_order()) == "in_order(on_failure='stop')"
    assert repr(by_key(first_letter, on_failure="continue")) == "by_key(on_failure='continue')"


# -- SQS.

GROUPS = "abacb-a-"
MESSAGES = ("ok", "ok", "bad", "ok", "bad", "bad", "ok", "ok")


def test_fifo_queue_is_one_lane_even_for_the_plain_processor(driver: Way) -> None:
    log: list[str] = []
    processor = driver.processor()
    response = driver.call(processor, batch_of("a", "b", "c!", "d", groups="abab", fifo=True), fail_on_bang(log))
    assert failed(response) == ["m2", "m3"]
    assert log == ["a", "b", "c!"]
    assert [kind for kind, _, _ in processor.exceptions] == [ValueError, SQSFifoCircuitBreakerError]


def test_group_ids_on_a_standard_queue_are_no_order(driver: Way) -> None:
    response = driver(batch_of(*MESSAGES, groups=GROUPS))
    assert failed(response) == ["m2", "m4", "m5"]


def test_callers_ordering_wins_over_the_queues(driver: Way) -> None:
    assert failed(driver(batch_of("bad", "ok", groups="aa", fifo=True), ordering=unordered)) == ["m0"]
    assert failed(driver(batch_of("ok", "bad", "ok"), ordering=in_order())) == ["m1", "m2"]


@pytest.mark.parametrize("fifo", [True, False])
@pytest.mark.parametrize("concurrency", [None, 3])
def test_fifo_processor_is_strict_on_any_queue(fifo: bool, concurrency: int | None) -> None:
    log: list[str] = []
    processor = SqsFifoPartialProcessor(max_concurrency=concurrency)
    event = batch_of("a", "b!", "c", "d", groups="abab", fifo=fifo)
    assert failed(processor.run(event, fail_on_bang(log)).response) == ["m1", "m2", "m3"]
    assert log == ["a", "b!"]


@pytest.mark.parametrize("fifo", [True, False])
@pytest.mark.parametrize("concurrency", [None, 3])
def test_fifo_processor_told_to_skip_stops_groups_alone(fifo: bool, concurrency: int | None) -> None:
    processor = SqsFifoPartialProcessor(skip_group_on_error=True, max_concurrency=concurrency)
    response = processor.run(batch_of(*MESSAGES, groups=GROUPS, fifo=fifo), handle).response
    assert failed(response) == ["m2", "m4", "m5", "m6"]
    kinds = [kind for kind, _, _ in processor.exceptions]
    assert kinds == [ValueError, ValueError, ValueError, SQSFifoMessageGroupCircuitBreakerError]


def test_groups_are_kept_in_order_under_asyncio() -> None:
    log: list[str] = []
    processor = AsyncBatchProcessor("sqs", ordering=by_key(lambda record: record["attributes"].get("MessageGroupId")))
    response = processor.run(batch_of("1", "1", "2!", "1", "3", groups="abaab", fifo=True), fail_on_bang(log)).response
    assert failed(response) == ["m2", "m3"]
    assert sorted(log) == ["1", "1", "2!", "3"]


def test_poison_record_after_a_failure_in_a_fifo_batch_is_not_attempted(driver: Way) -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Message", messageId=(str, ...), body=(int, ...))
    event = batch_of("1", "poison", "2", "poison", groups="aaaa", fifo=True)
    processor = driver.processor(model=model)
    assert failed(driver.call(processor, event, lambda record: record.body)) == ["m1", "m2", "m3"]
    kinds = [kind.__name__ for kind, _, _ in processor.exceptions if kind]
    assert kinds == ["ValidationError", "SQSFifoCircuitBreakerError", "SQSFifoCircuitBreakerError"]


# -- Streams go on after a failure, and keep the order of a key.


def stream_of(name: str, *keys: str) -> Event:
    """Make a batch of a stream with these partition keys or items; the record's data is its position."""
    template: dict[str, Any] = json.loads((EVENTS / f"getting_started_{name}_event.json").read_text())["Records"][0]
    records = []
    for position, key in enumerate(keys):
        record = json.loads(json.dumps(template))
        if name == "kinesis":
            record["kinesis"] |= {"partitionKey": key, "sequenceNumber": str(position)}
        else:
            record["dynamodb"] |= {"Keys": {"id": {"S": key}}, "SequenceNumber": str(position)}
        records.append(record)
    return {"Records": records}


def number_of(record: Any) -> int:
    raw = record.raw_event
    payload = raw.get("kinesis") or {"sequenceNumber": raw["dynamodb"]["SequenceNumber"]}
    return int(payload["sequenceNumber"])


@pytest.mark.parametrize("name", ["kinesis", "dynamodb"])
@pytest.mark.parametrize("driver", DRIVERS, ids=name_of)
def test_stream_goes_on_after_a_failure_and_keeps_the_order_of_a_key(driver: Way, name: str) -> None:
    keys = "abcabcab"
    log: list[int] = []

    def handler(record: Any) -> None:
        log.append(number_of(record))
        if number_of(record) == 1:
            raise ValueError

    response = driver(stream_of(name, *keys), handler, event_type=name)
    assert failed(response) == ["1"]
    assert sorted(log) == list(range(8))
    for key in "abc":
        assert [number for number in log if keys[number] == key] == [n for n in range(8) if keys[n] == key]


@pytest.mark.parametrize("name", ["kinesis", "dynamodb"])
def test_stream_can_be_stopped_at_its_first_failure(driver: Way, name: str) -> None:
    def handler(record: Any) -> None:
        if number_of(record) == 1:
            raise ValueError

    response = driver(stream_of(name, *"abcd"), handler, event_type=name, ordering=in_order())
    assert failed(response) == ["1", "2", "3"]


# -- Lanes that identifiers tell, by ``of_identifier``; and identifiers that are made when asked for.


class Lazy(Sequence[str]):
    """Identifiers that are made when somebody asks; what was asked is written down."""

    are_checked = True

    def __init__(self, identifiers: list[str], log: list[str]) -> None:
        self.identifiers = identifiers
        self.log = log

    def __len__(self) -> int:
        return len(self.identifiers)

    def __getitem__(self, index: Any) -> Any:
        found = self.identifiers[index]
        self.log += [found] if isinstance(found, str) else found
        return found


def source_whose_identifiers_tell_lanes(log: list[str], *, asks: list[Any] | None = None) -> Any:
    """Make a source that names a record by its body, whose first letter is its lane, and stops a lane at a failure."""

    def key(record: Any) -> str | None:
        if asks is not None:
            asks.append(record)
        return first_letter(record)

    class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def identify_records(self, records: Any) -> Any:
            return Lazy([record["body"] for record in records], log)

        @hookimpl
        def ordering_policy(self, batch: Any) -> Ordering:
            return by_key(key, of_identifier=lambda identifier: first_letter({"body": identifier}))

    return Source()


def clears_and_fails_on_bang(log: list[str]) -> Callable[[Any], None]:
    def handler(record: Any) -> None:
        body = record["body"]
        log.append(body)
        record.raw_event.clear()
        if body.endswith("!"):
            raise ValueError

    return handler


def test_lanes_that_identifiers_tell_stop_whatever_a_handler_does_to_its_record(driver: Way) -> None:
    log: list[str] = []
    event = batch_of(*BATCH)
    response = driver(event, clears_and_fails_on_bang(log), event_type=source_whose_identifiers_tell_lanes([]))
    assert failed(response) == ["b1!", "a2!", "b2", "-1!", "a3"]
    assert sorted(log) == sorted(set(BATCH) - {"b2", "a3"})
    for lane in "abc":
        assert [body for body in log if body[0] == lane] == [
            body for body in BATCH if body[0] == lane and body not in ("b2", "a3")
        ]


def test_lane_of_a_record_is_asked_for_from_the_first_failure_on_and_never_of_the_record() -> None:
    log: list[str] = []
    asks: list[Any] = []
    processor = BatchProcessor(source_whose_identifiers_tell_lanes(log, asks=asks))
    processor.run(batch_of("a1", "b1", "a2"), fail_on_bang([]))
    assert (log, asks) == ([], [])
    processor.run(batch_of("a1", "b1!", "a2", "b2"), fail_on_bang([]))
    assert ("a1" in log, asks) == (False, [])
    assert {"b1!", "a2", "b2"} <= set(log)


def test_lanes_that_identifiers_tell_stop_with_the_time() -> None:
    context = Spent(4.5)
    log: list[str] = []

    def handler(record: Any) -> None:
        log.append(record["body"])
        context.spend(1.0)
        if record["body"].endswith("!"):
            raise ValueError

    processor = BatchProcessor(source_whose_identifiers_tell_lanes([]), stop_before_timeout=1.0)
    response = processor.run(batch_of("a1", "b1!", "a2", "b2", "a3", "a4"), handler, context).response
    assert log == ["a1", "b1!", "a2", "a3"]
    assert failed(response) == ["b1!", "b2", "a4"]


@pytest.mark.parametrize("way_out", [DropRecord, DeadLetterRecord])
def test_lanes_that_identifiers_tell_go_on_after_what_is_done(way_out: type[Exception]) -> None:
    class Delivers:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any, batch: Any) -> None:
            delivered.append(outcome.record["body"])

    def handler(record: Any) -> None:
        log.append(record["body"])
        if record["body"] == "a1":
            raise way_out("of no use")
        if record["body"] == "a3":
            raise ValueError

    log: list[str] = []
    delivered: list[str] = []
    processor = BatchProcessor(source_whose_identifiers_tell_lanes([]), plugins=[Delivers()])
    response = processor.run(batch_of("a1", "a2", "b1", "a3", "a4", "b2"), handler).response
    assert log == ["a1", "a2", "b1", "a3", "b2"]
    assert failed(response) == ["a3", "a4"]
    assert delivered == (["a1"] if way_out is DeadLetterRecord else [])


def test_wrong_number_of_identifiers_that_are_made_when_asked_for_is_told_before_a_handler_runs() -> None:
    class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def identify_records(self, records: Any) -> Any:
            return Lazy(["m0"], [])

    log: list[str] = []
    with pytest.raises(PluginError, match="gave 1 identifiers for 2 records"):
        BatchProcessor(Source()).run(batch_of("a", "b"), fail_on_bang(log))
    assert log == []
