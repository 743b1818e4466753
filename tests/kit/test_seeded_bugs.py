"""Functions with a bug are found by what became of their records, and their correct twins pass: with faults, too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from batchcore import (
    BatchProcessingError,
    async_process_partial_response,
    in_order,
    process_partial_response,
    unordered,
)
from batchcore_testing import EventSourceMapping, Faults, History, NotDrainedError

from .support import (
    KAFKA,
    QUIET,
    async_processor_of,
    content_of,
    failures,
    id_of,
    in_key_order,
    naming,
    ordered_processor_of,
    processor_of,
    records_of,
    source_of,
)

Ship = Callable[[Any], None]
Function = Callable[[Any, Any], Any]


class OutOfStock(Exception):
    """It will be there later."""


class Run(NamedTuple):
    """What a function is tried with.

    Attributes:
        source: the name of the source.
        failing: content to how often its shipping fails.
        seconds: how long each shipping takes.
        options: of the mapping.
        made: options of the source.
    """

    source: str
    failing: dict[str, int]
    seconds: float = 0.0
    options: dict[str, Any] = {}  # noqa: RUF012 - never changed
    made: dict[str, Any] = {}  # noqa: RUF012 - never changed

    def of(self, function_of: Callable[[Ship], Function], faults: Faults | None = None, seed: int = 0) -> History:
        """Send twelve records of two lanes, and drain them through a function that ships each."""
        source = source_of(self.source, **self.made)
        for number in range(6):
            source.send(f"a{number}", key="a")
            source.send(f"b{number}", key="b")
        left = dict(self.failing)

        def ship(record: Any) -> None:
            content = content_of(record)
            mapping.tried(record)
            mapping.clock.advance(self.seconds)
            if left.get(content, 0):
                left[content] -= 1
                raise OutOfStock(content)
            mapping.done(record)

        options = {"batch_size": 10, **self.options, **({} if faults is None else {"faults": faults}), "seed": seed}
        mapping = EventSourceMapping(source, function_of(ship), **options)
        return mapping.drain(max_invocations=300)


# The bugs. Each takes what ships a record, and gives the function.


def by_processor(processor: Any, handler_of: Callable[[Ship], Any] = lambda ship: ship) -> Callable[[Ship], Function]:
    """Give a function that is correct as far as its processor and handler are."""
    return lambda ship: lambda event, context: process_partial_response(event, handler_of(ship), processor, context)


def correct(source: str) -> Callable[[Ship], Function]:
    return by_processor(ordered_processor_of(source))


def swallows_the_error(source: str) -> Callable[[Ship], Function]:
    def handler_of(ship: Ship) -> Any:
        def handler(record: Any) -> None:
            try:
                ship(record)
            except OutOfStock:
                QUIET.warning("out of stock")

        return handler

    return by_processor(ordered_processor_of(source), handler_of)


def catches_the_batch_error(source: str) -> Callable[[Ship], Function]:
    def function_of(ship: Ship) -> Function:
        def function(event: Any, context: Any) -> Any:
            try:
                return correct(source)(ship)(event, context)
            except BatchProcessingError:
                return {}

        return function

    return function_of


def catches_everything(source: str) -> Callable[[Ship], Function]:
    def function_of(ship: Ship) -> Function:
        def function(event: Any, context: Any) -> Any:
            try:
                for record in records_of(event):
                    ship(record)
            except Exception:
                QUIET.warning("the batch failed")
            return {"batchItemFailures": []}

        return function

    return function_of


def forgets_to_return(source: str) -> Callable[[Ship], Function]:
    def function_of(ship: Ship) -> Function:
        def function(event: Any, context: Any) -> Any:
            processor_of(source if source != "fifo" else "sqs", raise_on_entire_batch_failure=False).run(event, ship)

        return function

    return function_of


def changes_the_response(change: Callable[[Any, Any], Any]) -> Callable[[str], Callable[[Ship], Function]]:
    """Give a bug that changes the response of a correct function, which it gets with the event."""

    def bug(source: str) -> Callable[[Ship], Function]:
        return lambda ship: lambda event, context: change(correct(source)(ship)(event, context), event)

    return bug


def named_in(response: Any) -> list[Any]:
    return [each["itemIdentifier"] for each in response["batchItemFailures"]]


def misspelt_key(response: Any, event: Any) -> Any:
    return {"batchItemfailures": response["batchItemFailures"]}


def other_key(response: Any, event: Any) -> Any:
    return {"failures": response["batchItemFailures"]}


def misspelt_inner_key(response: Any, event: Any) -> Any:
    return {"batchItemFailures": [{"itemIdentifer": each} for each in named_in(response)]}


def neighbour(response: Any, event: Any) -> Any:
    """Name the record before each that failed."""
    identifiers = [id_of(record) for record in records_of(event)]
    return failures(*(identifiers[max(0, identifiers.index(each) - 1)] for each in named_in(response)))


def following(response: Any, event: Any) -> Any:
    """Name the record behind each that failed."""
    identifiers = [id_of(record) for record in records_of(event)]
    return failures(*(identifiers[(identifiers.index(each) + 1) % len(identifiers)] for each in named_in(response)))


def another_field(name: str) -> Callable[[Any, Any], Any]:
    """Give a change that names records by another of their fields."""

    def change(response: Any, event: Any) -> Any:
        return failures(*(record[name] for record in records_of(event) if id_of(record) in named_in(response)))

    return change


def first_alone(response: Any, event: Any) -> Any:
    return {"batchItemFailures": response["batchItemFailures"][:1]}


def last_alone(response: Any, event: Any) -> Any:
    return {"batchItemFailures": response["batchItemFailures"][-1:]}


def as_text(response: Any, event: Any) -> Any:
    return json.dumps(response)


def flat_identifier(response: Any, event: Any) -> Any:
    return failures(*(f"{each['partition']}-{each['offset']}" for each in named_in(response)))


def marks_before_the_work(source: str) -> Callable[[Ship], Function]:
    """Remember a record as done before it is done, as an idempotency table that is written too early does."""
    seen: set[str] = set()

    def handler_of(ship: Ship) -> Any:
        def handler(record: Any) -> None:
            if content_of(record) not in seen:
                seen.add(content_of(record))
                ship(record)

        return handler

    return by_processor(ordered_processor_of(source), handler_of)


def marks_after_the_work(source: str) -> Callable[[Ship], Function]:
    seen: set[str] = set()

    def handler_of(ship: Ship) -> Any:
        def handler(record: Any) -> None:
            if content_of(record) not in seen:
                ship(record)
                seen.add(content_of(record))

        return handler

    return by_processor(ordered_processor_of(source), handler_of)


def never_forgets_a_failure(source: str) -> Callable[[Ship], Function]:
    """Keep the failures of all batches in one list."""
    failed: list[Any] = []

    def function_of(ship: Ship) -> Function:
        def function(event: Any, context: Any) -> Any:
            for record in records_of(event):
                try:
                    ship(record)
                except OutOfStock:
                    failed.append(record)
            return naming(failed)

        return function

    return function_of


def gathers_and_looks_at_nothing(source: str) -> Callable[[Ship], Function]:
    def function_of(ship: Ship) -> Function:
        async def ship_soon(record: Any) -> None:
            await asyncio.sleep(0)
            ship(record)

        async def main(event: Any) -> None:
            await asyncio.gather(*map(ship_soon, records_of(event)), return_exceptions=True)

        def function(event: Any, context: Any) -> Any:
            asyncio.run(main(event))
            return {"batchItemFailures": []}

        return function

    return function_of


def gathers(source: str) -> Callable[[Ship], Function]:
    def handler_of(ship: Ship) -> Any:
        async def ship_soon(record: Any) -> None:
            await asyncio.sleep(0)
            ship(record)

        return ship_soon

    processor = async_processor_of(source)
    return lambda ship: (
        lambda event, context: async_process_partial_response(event, handler_of(ship), processor, context)
    )


def stops_and_names_the_failure_alone(source: str) -> Callable[[Ship], Function]:
    """Stop at the first failure of a FIFO queue, and forget those that were not attempted."""

    def function_of(ship: Ship) -> Function:
        def function(event: Any, context: Any) -> Any:
            for record in records_of(event):
                try:
                    ship(record)
                except OutOfStock:
                    return naming([record])
            return naming([])

        return function

    return function_of


def stops_and_names_the_rest(source: str) -> Callable[[Ship], Function]:
    def function_of(ship: Ship) -> Function:
        def function(event: Any, context: Any) -> Any:
            records = records_of(event)
            for position, record in enumerate(records):
                try:
                    ship(record)
                except OutOfStock:
                    return naming(records[position:])
            return naming([])

        return function

    return function_of


# Each bug with its correct twin, and what finds it.

Bug = Callable[[str], Callable[[Ship], Function]]
FAILING = {"a1": 1, "b2": 1, "a4": 2}
ALL = {f"{letter}{number}": 1 for letter in "ab" for number in range(6)}
BROAD = ("sqs", "fifo", "kinesis", "dynamodb")

LOST, TWICE, ORDER, UNTRIED = "LOST", "DONE TWICE", "OUT OF ORDER", "NEVER TRIED"

BUGS: dict[str, tuple[Bug, tuple[str, ...], dict[str, int], str]] = {
    # the bug; the sources; what fails how often; what it is found by
    "swallows the error": (swallows_the_error, (*BROAD, "kafka"), FAILING, LOST),
    "catches the batch error": (catches_the_batch_error, BROAD, ALL, LOST),
    "catches everything": (catches_everything, (*BROAD, "kafka"), FAILING, LOST),
    "forgets to return": (forgets_to_return, BROAD, FAILING, LOST),
    "misspells the key": (changes_the_response(misspelt_key), BROAD, FAILING, LOST),
    "has a key of its own": (changes_the_response(other_key), BROAD, FAILING, LOST),
    "names the record behind": (changes_the_response(following), ("sqs", "kinesis", "dynamodb"), FAILING, LOST),
    "names the record before": (changes_the_response(neighbour), ("sqs", "fifo"), FAILING, LOST),
    "names the last failure alone": (changes_the_response(last_alone), (*BROAD, "kafka"), FAILING, LOST),
    "marks it as done before it is": (marks_before_the_work, (*BROAD, "kafka"), FAILING, LOST),
    "gathers, and looks at nothing": (gathers_and_looks_at_nothing, ("sqs", "kinesis"), FAILING, LOST),
    "names the failure, not the rest": (stops_and_names_the_failure_alone, ("fifo",), FAILING, UNTRIED),
    "misspells the inner key": (changes_the_response(misspelt_inner_key), BROAD, FAILING, TWICE),
    "names a receipt handle": (changes_the_response(another_field("receiptHandle")), ("sqs",), FAILING, TWICE),
    "names an event id": (changes_the_response(another_field("eventID")), ("kinesis", "dynamodb"), FAILING, TWICE),
    "has a flat identifier": (changes_the_response(flat_identifier), ("kafka",), FAILING, TWICE),
    "answers with text": (changes_the_response(as_text), ("sqs",), {"a1": 1}, TWICE),
}

GENTLE = Faults(duplicates=0.05, crashes=0.05, timeouts=0.05, throttles=0.1)

cases = pytest.mark.parametrize(
    ("bug", "source", "failing", "found_by"),
    [
        pytest.param(bug, source, failing, found_by, id=f"{source}: {name}")
        for name, (bug, sources, failing, found_by) in BUGS.items()
        for source in sources
    ],
)


def problems_of(run: Run, function_of: Callable[[Ship], Function], **options: Any) -> str:
    """Give what check() says; or the error that a source never gets empty, which a test sees as well."""
    try:
        run.of(function_of, **options).check()
    except (AssertionError, NotDrainedError) as error:
        return str(error)
    return ""


@cases
def test_bug_is_found(bug: Bug, source: str, failing: dict[str, int], found_by: str) -> None:
    said = problems_of(Run(source, failing), bug(source))
    assert found_by in said or (found_by == TWICE and "still holds" in said)


@cases
@pytest.mark.parametrize("seed", range(3))
def test_bug_is_found_with_faults_too(bug: Bug, source: str, failing: dict[str, int], found_by: str, seed: int) -> None:
    said = problems_of(Run(source, failing), bug(source), faults=GENTLE, seed=seed)
    assert found_by in said or "still holds" in said


@pytest.mark.parametrize("source", ["sqs", "fifo", "kinesis", "dynamodb", "kafka"])
@pytest.mark.parametrize("failing", [FAILING, ALL, {}], ids=["some fail", "all fail", "none fails"])
@pytest.mark.parametrize("seed", range(3))
def test_correct_function_passes(source: str, failing: dict[str, int], seed: int) -> None:
    history = Run(source, failing).of(correct(source), seed=seed)
    history.check(allow=["done_twice"] if source in ("kinesis", "dynamodb") else [])
    assert len(history.done) == 12


@pytest.mark.parametrize("source", ["sqs", "fifo", "kinesis", "dynamodb", "kafka"])
@pytest.mark.parametrize("failing", [FAILING, ALL], ids=["some fail", "all fail"])
@pytest.mark.parametrize("seed", range(5))
def test_correct_function_passes_with_faults_too(source: str, failing: dict[str, int], seed: int) -> None:
    history = Run(source, failing).of(correct(source), faults=GENTLE, seed=seed)
    history.check(allow=["done_twice"])
    assert len(history.done) == 12


@pytest.mark.parametrize(
    ("twin", "source"),
    [
        (marks_after_the_work, "sqs"),
        (marks_after_the_work, "fifo"),
        (marks_after_the_work, "kinesis"),
        (marks_after_the_work, "kafka"),
        (gathers, "sqs"),
        (stops_and_names_the_rest, "fifo"),
        (stops_and_names_the_rest, "kinesis"),
        (stops_and_names_the_rest, "dynamodb"),
    ],
)
def test_correct_twin_of_a_bug_passes(twin: Bug, source: str) -> None:
    Run(source, FAILING).of(twin(source)).check()
    Run(source, FAILING).of(twin(source), faults=GENTLE, seed=3).check(allow=["done_twice"])


def test_idempotent_handler_does_nothing_twice_where_streams_repeat() -> None:
    """What succeeded behind a failure comes again: the twin without the memory does it twice."""
    Run("kinesis", FAILING).of(marks_after_the_work("kinesis")).check()
    assert TWICE in problems_of(Run("kinesis", FAILING), correct("kinesis"))


# Bugs outside of the function.


@pytest.mark.parametrize("source", ["sqs", "fifo", "kinesis", "dynamodb", "kafka"])
def test_forgotten_report_batch_item_failures_is_found(source: str) -> None:
    run = Run(source, FAILING, options={"report_batch_item_failures": False})
    assert LOST in problems_of(run, correct(source))
    assert LOST in problems_of(run, correct(source), faults=GENTLE, seed=1)


@pytest.mark.parametrize("source", ["sqs", "kinesis", "kafka"])
def test_function_that_raises_loses_nothing_without_report_batch_item_failures(source: str) -> None:
    def function_of(ship: Ship) -> Function:
        return lambda event, context: [ship(record) for record in records_of(event)] and None

    run = Run(source, FAILING, options={"report_batch_item_failures": False})
    run.of(function_of).check(allow=["done_twice"])


def test_receive_count_that_is_too_small_for_a_fifo_queue_is_found() -> None:
    for count, passes in ((1, False), (10, True)):
        said = problems_of(Run("fifo", FAILING, made={"max_receive_count": count}), correct("fifo"))
        assert (UNTRIED in said) is not passes


def test_limit_of_attempts_without_a_destination_is_found() -> None:
    for attempts, passes in ((0, False), (5, True)):
        run = Run("kinesis", {"a1": 3, "b2": 3}, options={"maximum_retry_attempts": attempts})
        history = run.of(correct("kinesis"))
        assert bool(history.lost) is not passes


def test_limit_of_attempts_that_discards_what_was_never_tried_is_found() -> None:
    run = Run("kinesis", {"a1": 9}, options={"maximum_retry_attempts": 2, "on_failure": True})
    stops = by_processor(in_key_order("kinesis"))
    goes_on = by_processor(processor_of("kinesis"))
    assert UNTRIED in problems_of(run, stops)
    run.of(goes_on).check(allow=["done_twice", "out_of_order"])


# Order.


@pytest.mark.parametrize(
    ("source", "wrong", "right"),
    [
        ("fifo", lambda: processor_of("sqs", ordering=unordered), lambda: processor_of("sqs")),
        (
            "fifo",
            lambda: processor_of("sqs", ordering=in_order(on_failure="continue")),
            lambda: processor_of("sqs", ordering=in_order()),
        ),
        ("kinesis", lambda: processor_of("kinesis"), lambda: in_key_order("kinesis")),
        ("dynamodb", lambda: processor_of("dynamodb"), lambda: in_key_order("dynamodb")),
        ("kafka", lambda: processor_of(KAFKA, ordering=unordered), lambda: processor_of(KAFKA)),
    ],
    ids=["fifo, unordered", "fifo, goes on", "kinesis, default", "dynamodb, default", "kafka, unordered"],
)
def test_order_violation_is_found(source: str, wrong: Any, right: Any) -> None:
    run = Run(source, FAILING)
    assert ORDER in problems_of(run, by_processor(wrong()))
    assert ORDER in problems_of(run, by_processor(wrong()), faults=GENTLE, seed=2)
    run.of(by_processor(right())).check(allow=["done_twice"])
    run.of(by_processor(right()), faults=GENTLE, seed=2).check(allow=["done_twice"])


def test_order_that_a_function_of_ones_own_breaks_is_found() -> None:
    def backwards(ship: Ship) -> Function:
        def function(event: Any, context: Any) -> Any:
            for record in reversed(records_of(event)):
                ship(record)
            return {"batchItemFailures": []}

        return function

    for source in ("fifo", "kinesis", "dynamodb", "kafka"):
        assert ORDER in problems_of(Run(source, {}), backwards)
    assert problems_of(Run("sqs", {}), backwards) == ""


# Time.


def test_function_that_runs_out_of_time_is_found() -> None:
    run = Run("sqs", {}, seconds=7)
    said = problems_of(run, by_processor(processor_of("sqs")))
    assert TWICE in said or "still holds" in said
    run.of(by_processor(processor_of("sqs", stop_before_timeout=8))).check()


# Windows.


def test_response_of_a_window_without_its_state_is_found() -> None:
    run = Run("kinesis", {}, options={"tumbling_window_in_seconds": 60})

    right = by_processor(processor_of("kinesis"))

    def without_state(ship: Ship) -> Function:
        return lambda event, context: {"batchItemFailures": right(ship)(event, context)["batchItemFailures"]}

    with pytest.raises(NotDrainedError):
        run.of(without_state)
    run.of(right).check()


# State that outlives an invocation.


@pytest.mark.parametrize("source", ["sqs", "kinesis"])
def test_failures_that_are_never_forgotten_are_found(source: str) -> None:
    said = problems_of(Run(source, {"a1": 1}), never_forgets_a_failure(source))
    assert TWICE in said or "still holds" in said
