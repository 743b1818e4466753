"""``executor=``: the lanes run in threads of the caller's."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor, ConfigurationError, by_key, in_order
from tests.batches import PATIENCE, Crowd, batch_of, failed, handle
from tests.clocks import MARGIN, Nearly


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4, thread_name_prefix="mine") as executor:
        yield executor


@pytest.mark.parametrize("concurrency", [None, 1, 2])
def test_handlers_run_in_its_threads(executor: ThreadPoolExecutor, concurrency: int | None) -> None:
    names: set[str] = set()
    processor = BatchProcessor("sqs", executor=executor, max_concurrency=concurrency)
    processor.run(batch_of(*"abcdef"), lambda record: names.add(threading.current_thread().name[:4]))
    assert names == {"mine"}


def test_as_many_lanes_run_together_as_it_has_threads(executor: ThreadPoolExecutor) -> None:
    crowd = Crowd(4)
    assert failed(BatchProcessor("sqs", executor=executor).run(batch_of(*"a" * 9), crowd.handle).response) == []
    assert crowd.most == 4


def test_max_concurrency_takes_no_more_of_its_threads_than_that() -> None:
    class Counting(ThreadPoolExecutor):
        taken = 0

        def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            self.taken += 1
            return super().submit(function, *arguments, **options)

    crowd = Crowd(2)
    with Counting(4) as executor:
        processor = BatchProcessor("sqs", executor=executor, max_concurrency=2)
        assert failed(processor.run(batch_of(*"a" * 9), crowd.handle).response) == []
    assert (executor.taken, crowd.most) == (2, 2)


def test_executor_of_one_thread_runs_all_lanes() -> None:
    with ThreadPoolExecutor(1) as executor:
        processor = BatchProcessor("sqs", executor=executor, max_concurrency=4)
        assert failed(processor.run(batch_of("a", "bad", "c"), handle).response) == ["m1"]


def test_lane_keeps_its_order(executor: ThreadPoolExecutor) -> None:
    begun: list[str] = []
    processor = BatchProcessor("sqs", executor=executor, ordering=by_key(lambda record: record["body"][0]))
    processor.run(batch_of("a1", "b1", "a2", "b2", "a3", "b3"), lambda record: begun.append(record["body"]))
    assert [body for body in begun if body[0] == "a"] == ["a1", "a2", "a3"]
    assert [body for body in begun if body[0] == "b"] == ["b1", "b2", "b3"]


def test_lane_stops_at_its_failure(executor: ThreadPoolExecutor) -> None:
    processor = BatchProcessor("sqs", executor=executor, ordering=in_order())
    result = processor.run(batch_of("a", "bad", "c"), handle)
    assert [outcome.status for outcome in result.outcomes] == ["succeeded", "failed", "not_attempted"]


def test_lanes_have_the_callers_context_variables(executor: ThreadPoolExecutor) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    seen: list[str] = []

    def batch() -> None:
        variable.set("caller's")
        BatchProcessor("sqs", executor=executor).run(batch_of("a", "b"), lambda record: seen.append(variable.get()))

    contextvars.copy_context().run(batch)
    assert seen == ["caller's"] * 2


def test_executor_is_left_running(executor: ThreadPoolExecutor) -> None:
    processor = BatchProcessor("sqs", executor=executor)
    processor.run(batch_of("a"), handle)
    assert executor.submit(int).result(PATIENCE) == 0
    assert failed(processor.run(batch_of("a", "bad"), handle).response) == ["m1"]


def test_executor_that_is_shut_down_is_an_error_and_no_record_is_done(
    executor: ThreadPoolExecutor,
) -> None:
    executor.shutdown()
    begun: list[str] = []
    processor = BatchProcessor("sqs", executor=executor)
    with pytest.raises(ConfigurationError, match="after shutdown"):
        processor.run(batch_of("a", "b"), lambda record: begun.append(record["body"]))
    assert begun == []
    assert failed(processor.response()) == ["m0", "m1"]


def test_record_that_is_started_when_no_further_thread_can_be_had_keeps_its_outcome() -> None:
    """A submit that raises half way hides nothing that has begun."""

    class Tired(Executor):
        futures = 0

        def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            self.futures += 1
            if self.futures == 2:
                raise RuntimeError("no more threads")
            future: Future[Any] = Future()
            future.set_result(function(*arguments, **options))
            return future

    processor = BatchProcessor("sqs", executor=Tired(), max_concurrency=2, ordering=in_order())
    assert failed(processor.run(batch_of("a", "b"), handle).response) == [], "one lane takes one thread"
    result = BatchProcessor("sqs", executor=Tired(), max_concurrency=2).run(batch_of("a", "bad", "c"), handle)
    assert failed(result.response) == ["m1"], "the thread that there is runs all of them"


class OneThread:
    """An executor of one thread, which is busy with another's work until it is let go."""

    def __init__(self) -> None:
        self.go_on, self.pool = threading.Event(), ThreadPoolExecutor(1)
        self.pool.submit(self.go_on.wait, PATIENCE)

    def shut_down(self) -> None:
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.go_on.set()


def test_executor_that_throws_the_whole_batch_away_is_an_error_and_no_record_is_done() -> None:
    begun: list[str] = []
    busy = OneThread()

    class ThenShutDown(Executor):
        def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            taken = busy.pool.submit(function, *arguments, **options)
            busy.shut_down()
            return taken

    processor = BatchProcessor("sqs", executor=ThenShutDown(), max_concurrency=1)
    with pytest.raises(ConfigurationError, match=r"shutdown\(cancel_futures=True\).*Shut it down after the last batch"):
        processor.run(batch_of("a", "b"), lambda record: begun.append(record["body"]))
    assert begun == []
    assert failed(processor.response()) == ["m0", "m1"]


@pytest.mark.parametrize("cancels", [False, True])
def test_executor_shut_down_by_a_handler_runs_what_was_begun_to_its_end(cancels: bool) -> None:
    """What the other threads were to run, the one that runs takes."""
    begun: list[str] = []
    pool = ThreadPoolExecutor(1)

    def handler(record: Any) -> Any:
        pool.shutdown(wait=False, cancel_futures=cancels)
        begun.append(record["body"])
        return handle(record)

    result = BatchProcessor("sqs", executor=pool, max_concurrency=3).run(batch_of("a", "bad", "c", "d"), handler)
    assert failed(result.response) == ["m1"]
    assert begun == ["a", "bad", "c", "d"], "no work is repeated"


def test_executor_shut_down_while_lanes_are_given_to_it_runs_them_to_their_end() -> None:
    class ShutDownAtTheSecond(ThreadPoolExecutor):
        taken = 0

        def submit(self, function: Any, /, *arguments: Any, **options: Any) -> Future[Any]:
            self.taken += 1
            if self.taken == 2:
                self.shutdown(wait=False)
            return super().submit(function, *arguments, **options)

    result = BatchProcessor("sqs", executor=ShutDownAtTheSecond(2)).run(batch_of("a", "bad", "c"), handle)
    assert failed(result.response) == ["m1"]


def test_executor_one_of_whose_threads_cannot_be_set_up_leaves_the_work_to_the_others() -> None:
    lock = threading.Lock()
    made: list[threading.Thread] = []
    second = threading.Event()

    def set_up() -> None:
        with lock:
            made.append(threading.current_thread())
            is_second = len(made) == 2
        if is_second:
            second.set()
            raise ValueError("no connection")

    def handler(record: Any) -> Any:
        assert second.wait(PATIENCE)
        made[1].join(PATIENCE)  # it empties the queue of work on its way out: also of what tells the other to end
        return handle(record)

    with ThreadPoolExecutor(2, initializer=set_up) as pool:
        result = BatchProcessor("sqs", executor=pool, max_concurrency=3).run(batch_of("a", "bad", "c"), handler)
    assert failed(result.response) == ["m1"]


def test_executor_none_of_whose_threads_can_be_set_up_is_an_error_and_no_record_is_done() -> None:
    def set_up() -> None:
        raise ValueError("no connection")

    with ThreadPoolExecutor(1, initializer=set_up) as pool:
        processor = BatchProcessor("sqs", executor=pool)
        with pytest.raises(ConfigurationError, match=r"takes no more work: .*initializer"):
            processor.run(batch_of("a", "b"), handle)
    assert failed(processor.response()) == ["m0", "m1"]


def test_record_still_running_in_it_is_abandoned(executor: ThreadPoolExecutor) -> None:
    release, context = threading.Event(), Nearly()

    def handler(record: Any) -> None:
        if record["body"] == "stuck":
            context.passes()
            assert release.wait(PATIENCE)

    processor = BatchProcessor("sqs", executor=executor, max_concurrency=1, stop_before_timeout=MARGIN)
    result = processor.run(batch_of("stuck", "b"), handler, context)
    assert [outcome.status for outcome in result.outcomes] == ["failed", "not_attempted"]
    release.set()


def test_record_that_got_no_thread_in_time_is_not_attempted() -> None:
    release, context, begun = threading.Event(), Nearly(), []
    with ThreadPoolExecutor(1) as executor:
        executor.submit(release.wait, PATIENCE)
        context.passes()
        processor = BatchProcessor("sqs", executor=executor, stop_before_timeout=MARGIN)
        result = processor.run(batch_of("a", "b"), lambda record: begun.append(record["body"]), context)
        assert [outcome.status for outcome in result.outcomes] == ["not_attempted"] * 2
        release.set()
    assert begun == [], "nor when the thread came to it"


def test_only_handlers_are_counted_as_ended_late(caplog: pytest.LogCaptureFixture) -> None:
    release, context = threading.Event(), Nearly()

    def handler(record: Any) -> None:
        context.passes()
        assert release.wait(PATIENCE)

    with ThreadPoolExecutor(1) as executor:
        processor = BatchProcessor("sqs", executor=executor, stop_before_timeout=MARGIN)
        processor.run(batch_of("a", "b", "c"), handler, context)
        release.set()
        executor.submit(int).result(PATIENCE)  # whoever was to run before has run
        caplog.clear()
        processor.run(batch_of("a"), handle, Nearly())
    assert "1 handler of earlier batches" in caplog.text


class InterpreterPoolExecutor(Executor):
    """Of Python 3.14 and later, where one is a ThreadPoolExecutor to isinstance()."""


@pytest.mark.parametrize("make", [ProcessPoolExecutor, InterpreterPoolExecutor])
def test_executor_whose_work_is_done_elsewhere_is_refused(make: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"a {make.__name__} runs elsewhere"):
        BatchProcessor("sqs", executor=make())


def test_subclass_of_one_whose_work_is_done_elsewhere_is_refused_too() -> None:
    class Mine(InterpreterPoolExecutor):
        pass

    with pytest.raises(ConfigurationError, match="a Mine runs elsewhere"):
        BatchProcessor("sqs", executor=Mine())


@pytest.mark.parametrize("wrong", [object(), 4, "threads", ThreadPoolExecutor])
def test_what_is_no_executor_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"executor is a concurrent\.futures\.Executor of threads"):
        BatchProcessor("sqs", executor=wrong)


def test_pool_of_multiprocessing_is_refused() -> None:
    with ThreadPool(1) as pool, pytest.raises(ConfigurationError, match="ThreadPool"):
        BatchProcessor("sqs", executor=pool)  # type: ignore[arg-type]  # the mistake itself


def test_async_processor_takes_none(executor: ThreadPoolExecutor) -> None:
    with pytest.raises(ConfigurationError, match="runs tasks, not threads"):
        AsyncBatchProcessor("sqs", executor=executor)
