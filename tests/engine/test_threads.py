"""Worker threads: lanes side by side, each in order, with the caller's context variables."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import BatchProcessor, ConfigurationError, Disposition, by_key, in_order, unordered
from tests.batches import PATIENCE, Crowd, batch_of, failed, handle


@pytest.mark.parametrize(("limit", "records", "together"), [(2, 10, 2), (5, 30, 5), (8, 3, 3)])
def test_lanes_run_together_up_to_the_limit_and_no_more(limit: int, records: int, together: int) -> None:
    crowd = Crowd(together)
    processor = BatchProcessor("sqs", max_concurrency=limit)
    assert failed(processor.run(batch_of(*"a" * records), crowd.handle).response) == []
    assert crowd.most == together


def test_one_at_a_time_is_this_thread() -> None:
    threads: list[threading.Thread] = []
    for concurrency in (None, 1):
        processor = BatchProcessor("sqs", max_concurrency=concurrency)
        processor.run(batch_of("a", "b"), lambda record: threads.append(threading.current_thread()))
    assert threads == [threading.current_thread()] * 4


def test_lane_keeps_its_order_while_another_waits() -> None:
    together = threading.Barrier(2, timeout=PATIENCE)
    log: list[str] = []

    def handler(record: Any) -> None:
        if record["body"].endswith("1"):
            together.wait()  # breaks unless both lanes run now
        log.append(record["body"])

    processor = BatchProcessor("sqs", max_concurrency=2, ordering=by_key(lambda record: record["body"][0]))
    assert failed(processor.run(batch_of("a1", "a2", "b1", "b2", "a3"), handler).response) == []
    assert [body for body in log if body[0] == "a"] == ["a1", "a2", "a3"]
    assert [body for body in log if body[0] == "b"] == ["b1", "b2"]


def test_one_lane_is_never_reordered_whatever_the_limit() -> None:
    log: list[str] = []
    bodies = [str(number) for number in range(50)]
    processor = BatchProcessor("sqs", max_concurrency=8, ordering=in_order())
    processor.run(batch_of(*bodies), lambda record: log.append(record["body"]))
    assert log == bodies


def test_each_lane_has_a_copy_of_the_callers_context_variables() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    seen: list[str] = []

    def handler(record: Any) -> None:
        seen.append(variable.get())
        variable.set(record["body"])

    def batch() -> None:
        variable.set("caller's")
        BatchProcessor("sqs", max_concurrency=2).run(batch_of(*"abcdef"), handler)
        assert variable.get() == "caller's"

    contextvars.copy_context().run(batch)
    assert seen == ["caller's"] * 6


def test_batch_ends_when_its_last_record_has(nobody_listens: None) -> None:
    before = threading.active_count()
    log: list[str] = []
    BatchProcessor("sqs", max_concurrency=4).run(batch_of(*"abcdefgh"), lambda record: log.append(record["body"]))
    assert sorted(log) == list("abcdefgh")
    assert threading.active_count() == before


def test_stopping_the_batch_in_one_lane_stops_the_others_before_their_next_record() -> None:
    begun, stopped = threading.Event(), threading.Event()
    log: list[str] = []

    class Processor(BatchProcessor):
        def failure_handler(self, record: Any, exception: Any) -> Any:
            if exception[0] is ValueError:
                stopped.set()  # a failure is told once its disposition is in force
            return super().failure_handler(record, exception)

    def handler(record: Any) -> None:
        log.append(record["body"])
        if record["body"] == "a1":
            assert begun.wait(PATIENCE)
            raise ValueError
        if record["body"] == "b1":
            begun.set()
            assert stopped.wait(PATIENCE)

    processor = Processor(
        "sqs",
        max_concurrency=2,
        ordering=by_key(lambda record: record["body"][0]),
        dispositions={ValueError: Disposition.STOP_BATCH},
    )
    assert failed(processor.run(batch_of("a1", "b1", "b2", "a2", "c1"), handler).response) == ["m0", "m2", "m3", "m4"]
    assert sorted(log) == ["a1", "b1"]


def test_interrupt_in_one_lane_stops_the_others_before_their_next_record() -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    begun, interrupting = threading.Event(), threading.Event()
    log: list[str] = []

    def handler(record: Any) -> None:
        log.append(record["body"])
        if record["body"] == "a1":
            assert begun.wait(PATIENCE)
            interrupting.set()
            raise Interrupted
        if record["body"] == "b1":
            begun.set()
            assert interrupting.wait(PATIENCE)

    processor = BatchProcessor("sqs", max_concurrency=2, ordering=by_key(lambda record: record["body"][0]))
    bodies = ["a1", "b1", *(f"c{number}" for number in range(20)), "a2"]
    with pytest.raises(Interrupted):
        processor.run(batch_of(*bodies), handler)
    assert "a2" not in log
    named = failed(processor.response())
    done = {f"m{position}" for position, body in enumerate(bodies) if body in log and body != "a1"}
    assert {f"m{position}" for position in range(len(bodies))} - set(named) == done


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "4", True])
@pytest.mark.parametrize("make", [BatchProcessor])
def test_limit_that_is_no_number_from_one_on_is_refused(make: Callable[..., Any], wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_concurrency"):
        make("sqs", max_concurrency=wrong)


@pytest.mark.parametrize("ordering", [unordered, in_order(), by_key(lambda record: record["body"])])
def test_response_is_in_the_order_of_the_batch_whoever_ends_first(ordering: Any) -> None:
    first = threading.Event()

    def handler(record: Any) -> None:
        if record["messageId"] == "m0" and ordering is not in_order:
            first.wait(0 if ordering.key is None and ordering.lanes else PATIENCE)
        else:
            first.set()
        handle(record)

    processor = BatchProcessor("sqs", max_concurrency=2, ordering=ordering, raise_on_entire_batch_failure=False)
    assert failed(processor.run(batch_of("bad", "bad2", "bad", "ok"), handler).response)[0] == "m0"
