"""Random batches, failures, orderings and drivers, against what the handler has written down and AWS's rules."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    Disposition,
    Ordering,
    by_key,
    hookimpl,
    in_order,
    unordered,
)
from batchcore_sqs import source

from .support import batch_of, failed, logger_with

SILENT = logger_with(logging.NullHandler())


class Dropped(Exception):
    pass


class Gone(Dropped):
    """Given up by what its base class is mapped to."""


class Dead(Exception):
    pass


class Undeliverable(Dead):
    pass


class Stop(Exception):
    pass


class Poison(Exception):
    pass


RAISED: dict[str, type[BaseException]] = {
    "fail": ValueError,
    "exit": SystemExit,
    "cancelled": asyncio.CancelledError,
    "generator": GeneratorExit,
    "drop": Gone,
    "dead": Dead,
    "undeliverable": Undeliverable,
    "stop": Stop,
}
DISPOSITIONS = {Dropped: Disposition.DROP, Dead: Disposition.DEAD_LETTER, Stop: Disposition.STOP_BATCH}
NEVER_HANDLED = ("poison", "odd")  # it cannot be decoded; its key cannot be had
GIVEN_UP = ("drop", "dead")
BEHAVIOURS = ["ok", "ok", "ok", *(kind for kind in RAISED if kind != "stop"), *NEVER_HANDLED]


class Made(NamedTuple):
    """One record of a batch that hypothesis has made.

    Attributes:
        does: what becomes of it.
        lane: its key; None for a lane of its own.
        waits: how often its handler waits.
    """

    does: str
    lane: str | None
    waits: int


def records(behaviours: list[str]) -> st.SearchStrategy[list[Made]]:
    made = st.builds(
        Made, st.sampled_from(behaviours), st.sampled_from([None, "a", "b", "c"]), st.integers(min_value=0, max_value=2)
    )
    return st.lists(made, max_size=10)


ORDERINGS: dict[str, Callable[[list[Made]], Ordering]] = {
    "unordered": lambda batch: unordered,
    "in order, stop": lambda batch: in_order(),
    "in order, continue": lambda batch: in_order(on_failure="continue"),
    "by key, stop": lambda batch: by_key(key_of(batch)),
    "by key, continue": lambda batch: by_key(key_of(batch), on_failure="continue"),
}


def key_of(batch: list[Made]) -> Callable[[Any], str | None]:
    def key(record: Any) -> str | None:
        made = batch[position_of(record)]
        if made.does == "odd":
            raise KeyError(made.lane)
        return made.lane

    return key


def position_of(record: Any) -> int:
    return int(record["messageId"][1:])


class Ledger:
    """What the handler and the deliverer have done, in the order in which they did it."""

    def __init__(self, batch: list[Made]) -> None:
        self.batch = batch
        self.lines: list[tuple[str, int]] = []
        self.lock = threading.Lock()

    def write(self, what: str, position: int) -> None:
        with self.lock:
            self.lines.append((what, position))

    def positions(self, what: str) -> list[int]:
        return [position for line, position in self.lines if line == what]

    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        if self.batch[outcome.position].does == "undeliverable":
            raise ConnectionError
        self.write("delivered", outcome.position)

    def begin(self, record: Any) -> Made:
        self.write("begins", position_of(record))
        return self.batch[position_of(record)]

    def end(self, record: Any, made: Made) -> int:
        if made.does in RAISED:
            raise RAISED[made.does]
        self.write("ends", position_of(record))
        return position_of(record)

    def handle(self, record: Any) -> int:
        return self.end(record, self.begin(record))

    async def handle_and_wait(self, record: Any) -> int:
        made = self.begin(record)
        for _ in range(made.waits):
            await asyncio.sleep(0)
        return self.end(record, made)


class Source(type(source)):  # type: ignore[misc]  # a class made of an object
    """Cannot decode poison."""

    def __init__(self, batch: list[Made]) -> None:
        self.batch = batch

    @hookimpl
    def record_decoder(self, batch: Any) -> Callable[[Any], Any]:
        def decode(record: Any) -> Any:
            if self.batch[position_of(record)].does == "poison":
                raise Poison
            return record

        return decode


class Run(NamedTuple):
    """What a driver made of a batch."""

    answer: list[int]
    raised: bool
    statuses: list[str]
    ledger: Ledger


def run(driver: str, batch: list[Made], ordering: str, concurrency: int, raises: bool = True) -> Run:
    ledger = Ledger(batch)
    options: dict[str, Any] = {
        "plugins": [ledger],
        "ordering": ORDERINGS[ordering](batch),
        "dispositions": DISPOSITIONS,
        "raise_on_entire_batch_failure": raises,
        "logger": SILENT,
        "max_concurrency": 1 if driver == "one by one" else concurrency,
    }
    make = AsyncBatchProcessor if driver.startswith("asyncio") else BatchProcessor
    processor = make(Source(batch), **options)
    handler: Any = ledger.handle_and_wait if driver == "asyncio" else ledger.handle
    result, raised = None, False
    try:
        result = processor.run(batch_of(*("x" for _ in batch)), handler)
    except BatchProcessingError as error:
        result, raised = error.result, True
    assert result is not None
    answer = [int(identifier[1:]) for identifier in failed(result.response)]
    return Run(answer, raised, [outcome.status for outcome in result.outcomes], ledger)


DRIVERS = ["one by one", "threads", "asyncio", "asyncio, plain handler"]


# -- The oracle.


def lanes_of(batch: list[Made], ordering: str) -> list[list[int]]:
    """Give the lanes, each the positions of its records, without those that have no key."""
    if ordering == "unordered":
        return [[position] for position in range(len(batch))]
    if ordering.startswith("in order"):
        return [list(range(len(batch)))]
    lanes: dict[object, list[int]] = {}
    for position, made in enumerate(batch):
        if made.does != "odd":
            lanes.setdefault(made.lane or position, []).append(position)
    return list(lanes.values())


def status_of(made: Made, by_key: bool) -> str:
    """Say what becomes of a record that is attempted."""
    if made.does in ("ok", "odd") and not (made.does == "odd" and by_key):
        return "succeeded"
    return {"drop": "dropped", "dead": "dead_lettered"}.get(made.does, "failed")


def expected(batch: list[Made], ordering: str) -> list[str]:
    """Say what must become of each record of a batch in which nothing stops everything."""
    by_key = ordering.startswith("by key")
    statuses = [status_of(made, by_key) for made in batch]
    if ordering.endswith("stop"):
        for lane in lanes_of(batch, ordering):
            stopped = False
            for position in lane:
                if stopped:
                    statuses[position] = "not_attempted"
                stopped = stopped or statuses[position] == "failed"
    return statuses


def check(batch: list[Made], ordering: str, seen: Run) -> None:
    """Check what holds whatever the driver and whoever ended first."""
    begun, ended, delivered = (seen.ledger.positions(what) for what in ("begins", "ends", "delivered"))
    assert len(set(begun)) == len(begun), "a record is attempted once"
    assert seen.answer == sorted(set(seen.answer)), "the answer is in the order of the batch"
    dropped = {position for position in begun if batch[position].does == "drop"}
    done = set(range(len(batch))) - set(seen.answer)
    assert done == {*ended, *delivered, *dropped}, "done is what the ledger shows done, and nothing else"
    for lane in lanes_of(batch, ordering):
        lines = [(what, position) for what, position in seen.ledger.lines if position in lane]
        assert [position for _, position in lines] == sorted(position for _, position in lines), "in order in its lane"
        if ordering.endswith("stop"):
            unfinished = [position for position in lane if position in seen.answer]
            assert not unfinished or unfinished == [p for p in lane if p >= unfinished[0]], "nothing is done past it"
            assert sum(position in begun for position in unfinished) <= 1, "nothing is attempted past a failure"


LIMITS = st.integers(min_value=1, max_value=4)


@pytest.mark.parametrize("driver", DRIVERS)
@given(batch=records(BEHAVIOURS), ordering=st.sampled_from(sorted(ORDERINGS)), concurrency=LIMITS)
@settings(max_examples=300, deadline=None)
def test_every_driver_does_what_the_rules_say(driver: str, batch: list[Made], ordering: str, concurrency: int) -> None:
    seen = run(driver, batch, ordering, concurrency)
    statuses = expected(batch, ordering)
    assert seen.statuses == statuses
    assert seen.answer == [p for p, status in enumerate(statuses) if status in ("failed", "not_attempted")]
    assert seen.raised == (len(seen.answer) == len(batch) and "failed" in statuses)
    check(batch, ordering, seen)


@pytest.mark.parametrize("driver", DRIVERS)
@given(batch=records([*BEHAVIOURS, "stop"]), ordering=st.sampled_from(sorted(ORDERINGS)), concurrency=LIMITS)
@example(
    batch=[Made("stop", "a", 0), Made("ok", "b", 2), Made("ok", "b", 0)], ordering="by key, continue", concurrency=2
)
@settings(max_examples=300, deadline=None)
def test_after_a_stop_nothing_is_reported_done_that_was_not(
    driver: str, batch: list[Made], ordering: str, concurrency: int
) -> None:
    seen = run(driver, batch, ordering, concurrency, raises=False)
    check(batch, ordering, seen)
    begun = seen.ledger.positions("begins")
    for position, status in enumerate(seen.statuses):
        if status == "not_attempted":
            assert position not in begun
            assert position in seen.answer
    stops = [position for position in begun if batch[position].does == "stop"]
    if stops and (driver == "one by one" or concurrency == 1):
        assert begun[-1] == stops[0], "no record starts after it"


@given(batch=records(BEHAVIOURS), ordering=st.sampled_from(sorted(ORDERINGS)), concurrency=LIMITS)
@settings(max_examples=150, deadline=None)
def test_drivers_agree(batch: list[Made], ordering: str, concurrency: int) -> None:
    runs = [run(driver, batch, ordering, concurrency) for driver in DRIVERS]
    assert len({(tuple(seen.answer), seen.raised, tuple(seen.statuses)) for seen in runs}) == 1


# -- Whole lives of messages, by AWS's rules.


def deliveries(
    failures: list[int],
    lanes: list[str | None],
    ordering: str,
    driver: str,
    redelivered: Callable[[list[int]], list[int]],
) -> list[int]:
    """Deliver a batch again and again as AWS would, until nothing is left; give what was done, in order.

    Args:
        failures: how often each record fails before it succeeds.
        lanes: the lane of each.
        ordering: the ordering.
        driver: the driver.
        redelivered: the positions in an answer, those of the batch, to the positions that come again.
    """
    left, done = list(range(len(failures))), []
    attempts = [0] * len(failures)
    for _ in range(sum(failures) + len(failures) + 1):
        if not left:
            return done
        batch = []
        for record in left:
            attempts[record] += 1
            batch.append(Made("fail" if attempts[record] <= failures[record] else "ok", lanes[record], record % 3))
        seen = run(driver, batch, ordering, 3)
        done += [left[position] for position in seen.ledger.positions("ends")]
        for position, record in enumerate(left):
            if position not in seen.ledger.positions("begins"):
                attempts[record] -= 1
        left = [left[position] for position in redelivered(seen.answer, list(range(len(left))))]
    raise AssertionError("it never ends")


def by_record(answer: list[int], batch: list[int]) -> list[int]:
    """A queue: what the answer names comes again."""
    return answer


def by_checkpoint(answer: list[int], batch: list[int]) -> list[int]:
    """A shard: everything from the lowest in the answer comes again."""
    return [position for position in batch if position >= min(answer)] if answer else []


LIVES = st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["a", "b", None])), min_size=1, max_size=6)


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize("ordering", ORDERINGS)
@given(lives=LIVES)
@settings(max_examples=50, deadline=None)
def test_each_message_of_a_queue_is_done_exactly_once_and_lanes_that_stop_stay_in_order(
    driver: str, ordering: str, lives: list[tuple[int, str | None]]
) -> None:
    failures, lanes = [life[0] for life in lives], [life[1] for life in lives]
    done = deliveries(failures, lanes, ordering, driver, by_record)
    assert sorted(done) == list(range(len(lives))), "nothing is lost, nothing is done twice"
    if ordering.endswith("stop"):
        for lane in lanes_of([Made("ok", lane, 0) for lane in lanes], ordering):
            assert [record for record in done if record in lane] == lane


@pytest.mark.parametrize("driver", DRIVERS)
@given(lives=LIVES)
@settings(max_examples=50, deadline=None)
def test_shard_that_stops_at_its_first_failure_does_nothing_twice(
    driver: str, lives: list[tuple[int, str | None]]
) -> None:
    failures, lanes = [life[0] for life in lives], [life[1] for life in lives]
    assert deliveries(failures, lanes, "in order, stop", driver, by_checkpoint) == list(range(len(lives)))


@pytest.mark.parametrize("driver", DRIVERS)
@given(lives=LIVES)
@settings(max_examples=50, deadline=None)
def test_shard_that_goes_on_after_a_failure_loses_nothing(driver: str, lives: list[tuple[int, str | None]]) -> None:
    failures, lanes = [life[0] for life in lives], [life[1] for life in lives]
    done = deliveries(failures, lanes, "by key, continue", driver, by_checkpoint)
    assert set(done) == set(range(len(lives)))
