"""Runs the batches that hypothesis makes, and writes down what is done: by handlers, deliverers, batch hooks."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from hypothesis import strategies as st

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    DeadLetterRecord,
    Disposition,
    DropRecord,
    Ordering,
    RetryRecord,
    StopBatch,
    async_process_partial_response,
    by_key,
    hookimpl,
    in_order,
    process_partial_response,
    unordered,
)
from batchcore_sqs import SQS
from tests.batches import batch_of, failed, logger_with

from .oracle import FAILS, Made, Run, World, has_batch_hooks

SILENT = logger_with(logging.NullHandler())
DRIVERS = ["one by one", "threads", "executor", "asyncio", "asyncio, plain handler"]


class Dropped(Exception):
    pass


class Gone(Dropped):
    """Given up by what its base class is mapped to."""


class Dead(Exception):
    pass


class Stop(Exception):
    pass


class Again(RetryRecord, Dropped):
    """To be retried: that is nearer than what another base is mapped to."""


class OldOrder(DropRecord):
    pass


class OddOrder(DeadLetterRecord, Dropped):
    pass


class NoDatabase(StopBatch):
    pass


class Poison(Exception):
    pass


class BatchHookFailed(Exception):
    pass


RAISED: dict[str, type[BaseException]] = {
    "fail": ValueError,
    "exit": SystemExit,
    "cancelled": asyncio.CancelledError,
    "drop": Gone,
    "dead": Dead,
    "stop": Stop,
    "raises retry": Again,
    "raises drop": OldOrder,
    "raises dead": OddOrder,
    "raises stop": NoDatabase,
}
DISPOSITIONS = {Dropped: Disposition.DROP, Dead: Disposition.DEAD_LETTER, Stop: Disposition.STOP_BATCH}
STOPS = ["stop", "raises stop"]
BEHAVIOURS = ["ok"] * 6 + ["dead"] * 2 + [*FAILS, "drop", "raises drop", "raises dead", "odd"]


def records(behaviours: list[str], hooks: bool = True, costs: int = 0) -> st.SearchStrategy[list[Made]]:
    """Make batches of records that do one of these."""
    made = st.builds(
        Made,
        does=st.sampled_from(behaviours),
        lane=st.sampled_from([None, "a", "b", "c"]),
        waits=st.sampled_from([0, 0, 0, 1, 2]),
        attempt=st.integers(1, 4),
        refused=st.sampled_from([False, False, True]),
        hook=st.sampled_from(["", "", "", "", "before", "after"] if hooks else [""]),
        cost=st.integers(0, costs),
    )
    return st.lists(made, max_size=12)


ORDERINGS: dict[str, Callable[[list[Made]], Ordering]] = {
    "unordered": lambda batch: unordered,
    "in order, stop": lambda batch: in_order(),
    "in order, continue": lambda batch: in_order(on_failure="continue"),
    "by key, stop": lambda batch: by_key(key_of(batch)),
    "by key, continue": lambda batch: by_key(key_of(batch), on_failure="continue"),
}
ORDERS = st.sampled_from(sorted(ORDERINGS))
WORLDS = st.builds(
    World,
    ordering=ORDERS,
    concurrency=st.integers(1, 4),
    by_checkpoint=st.booleans(),
    deliverer=st.sampled_from(["one", "many", "both", "nobody"]),
    dead_letter_after=st.sampled_from([None, None, 2, 3]),
    breaks=st.sampled_from([""] * 8 + ["before", "after"]),
    watched=st.booleans(),
).map(lambda world: world if world.delivers else world._replace(dead_letter_after=None))


def key_of(batch: list[Made]) -> Callable[[Any], str | None]:
    def key(record: Any) -> str | None:
        made = batch[position_of(record)]
        if made.does == "odd":
            raise KeyError(made.lane)
        return made.lane

    return key


def position_of(record: Any) -> int:
    return int(record["messageId"][1:])


@cache
def threads_of_a_user() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(4, "somebody's")


class Log:
    """What was done, in the order in which it was done."""

    def __init__(self, batch: list[Made]) -> None:
        self.batch = batch
        self.lines: list[tuple[str, int]] = []
        self.told: list[tuple[int, str]] = []
        self.lock = threading.Lock()

    def write(self, what: str, position: int) -> None:
        with self.lock:
            self.lines.append((what, position))

    # -- Handlers.

    def begin(self, record: Any) -> Made:
        self.write("begins", position_of(record))
        return self.batch[position_of(record)]

    def end(self, record: Any, made: Made) -> int:
        if made.does in ("drop", "raises drop"):
            self.write("drops", position_of(record))
        if made.does in RAISED:
            raise RAISED[made.does]
        self.write("ends", position_of(record))
        return position_of(record)

    def handle(self, record: Any) -> int:
        made = self.begin(record)
        if made.waits:
            time.sleep(made.waits / 2000)
        return self.end(record, made)

    async def handle_and_wait(self, record: Any) -> int:
        made = self.begin(record)
        for _ in range(made.waits):
            await asyncio.sleep(0)
        if made.waits > 1:
            await asyncio.sleep(made.waits / 2000)
        return self.end(record, made)

    # -- Dead letters.

    def take(self, outcome: Any) -> None:
        if self.batch[outcome.position].refused:
            self.write("refused", outcome.position)
            raise ConnectionError
        self.write("delivered", outcome.position)

    def take_all(self, outcomes: Any) -> list[BaseException | None]:
        problems: list[BaseException | None] = []
        for outcome in outcomes:
            try:
                self.take(outcome)
            except ConnectionError as error:
                problems.append(error)
            else:
                problems.append(None)
        return problems


def deliverer(log: Log, hooks: str) -> object:
    """Make the plugin that takes dead letters."""

    class Deliverer:
        if hooks != "many":

            @hookimpl
            def deliver_dead_letter(self, outcome: Any) -> None:
                log.take(outcome)

        if hooks != "one":

            @hookimpl
            def deliver_dead_letters(self, outcomes: Any) -> list[BaseException | None]:
                return log.take_all(outcomes)

    return Deliverer()


class BatchHooks:
    """Fails records before the first or after the last: some, or all."""

    def __init__(self, log: Log, breaks: str) -> None:
        self.log = log
        self.breaks = breaks

    @hookimpl
    def before_records(self, batch: Any, fail: Any) -> None:
        if self.breaks == "before" and batch.records:
            raise BatchHookFailed
        for position, made in enumerate(self.log.batch):
            if made.hook == "before":
                fail(position, BatchHookFailed(position))

    @hookimpl
    def after_records(self, outcomes: Any, fail: Any) -> None:
        self.log.write("after", -1)
        for outcome in outcomes:
            if self.breaks == "after" or self.log.batch[outcome.position].hook == "after":
                self.log.write("undone", outcome.position)
                if self.breaks != "after":
                    fail(outcome, BatchHookFailed(outcome.position))
        if self.breaks == "after" and self.log.batch:
            raise BatchHookFailed


class Observer:
    """Writes down what it is told."""

    def __init__(self, log: Log) -> None:
        self.log = log

    @hookimpl
    def record_finished(self, outcome: Any) -> None:
        self.log.told.append((outcome.position, outcome.status))

    @hookimpl
    def batch_finished(self, result: Any) -> None:
        self.log.write("finished", -1)


class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
    """Cannot decode poison, and acknowledges as it is told to."""

    def __init__(self, batch: list[Made], by_checkpoint: bool) -> None:
        self.batch = batch
        self.by_checkpoint = by_checkpoint

    @hookimpl
    def acknowledgement(self) -> str:
        return "checkpoint" if self.by_checkpoint else "record"

    @hookimpl
    def record_decoder(self, batch: Any) -> Callable[[Any], Any]:
        def decode(record: Any) -> Any:
            if self.batch[position_of(record)].does == "poison":
                raise Poison
            return record

        return decode


def processor_of(driver: str, log: Log, world: World, **options: Any) -> BatchProcessor:
    """Make the processor of a driver for one batch."""
    plugins: list[object] = [deliverer(log, world.deliverer)] if world.delivers else []
    if has_batch_hooks(log.batch, world):
        plugins.append(BatchHooks(log, world.breaks))
    if world.watched:
        plugins.append(Observer(log))
    if driver == "executor" and options.get("executor") is None:
        options["executor"] = threads_of_a_user()
    options |= {
        "plugins": plugins,
        "ordering": ORDERINGS[world.ordering](log.batch),
        "dispositions": {
            kind: disposition
            for kind, disposition in DISPOSITIONS.items()
            if world.delivers or disposition is not Disposition.DEAD_LETTER
        },
        "dead_letter_after": world.dead_letter_after,
        "logger": SILENT,
        "max_concurrency": 1 if driver == "one by one" else world.concurrency,
    }
    make = AsyncBatchProcessor if driver.startswith("asyncio") else BatchProcessor
    return make(Source(log.batch, world.by_checkpoint), **options)


def event_of(batch: list[Made]) -> dict[str, Any]:
    event = batch_of(*("x" for _ in batch))
    for record, made in zip(event["Records"], batch, strict=True):
        record["attributes"]["ApproximateReceiveCount"] = str(made.attempt)
    return event


def run(
    driver: str, batch: list[Made], world: World, *, raises: bool = True, context: Any = None, **options: Any
) -> Run:
    """Run a batch, and give what was seen of it."""
    log = Log(batch)
    processor = processor_of(driver, log, world, raise_on_entire_batch_failure=raises, **options)
    handler: Any = log.handle_and_wait if driver == "asyncio" else log.handle
    if context is not None:
        handler = context.taking_time(handler, batch)
    event, statuses, raised = event_of(batch), None, False
    try:
        if world.watched:
            result = processor.run(event, handler, context)
            response, statuses = result.response, [outcome.status for outcome in result.outcomes]
        else:  # the shorter way, on which nobody measures
            call = async_process_partial_response if driver.startswith("asyncio") else process_partial_response
            response = call(event, handler, processor, context)
    except BatchProcessingError as error:
        whole: Any = error.result
        response, raised, statuses = whole.response, True, [outcome.status for outcome in whole.outcomes]
    reported = [int(identifier[1:]) for identifier in failed(response)]
    return Run(reported, raised, statuses, log.lines, log.told)
