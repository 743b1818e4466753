"""All records failed: the error, what it carries, and the response that is ready before it is raised."""

from __future__ import annotations

import pickle
import traceback
from types import TracebackType
from typing import Any

import pytest

from batchcore import (
    BatchcoreError,
    BatchProcessingError,
    BatchProcessor,
    BatchResult,
    Disposition,
    NotAttemptedError,
    WholeBatchRetry,
    by_key,
    hookimpl,
    in_order,
    process_partial_response,
)
from batchcore_sqs import SQS, SqsFifoPartialProcessor
from tests.batches import EXCEPTION_GROUP, batch_of, failed, handle
from tests.drivers import Way


def fail(record: Any) -> None:
    raise ValueError(f"no {record['body']}")


def error_of(way: Way, *bodies: str, **options: Any) -> BatchProcessingError:
    with pytest.raises(BatchProcessingError) as caught:
        way(batch_of(*bodies), fail, **options)
    return caught.value


def test_batch_of_which_no_record_is_done_raises(way: Way) -> None:
    error = error_of(way, "a", "b", "c")
    assert isinstance(error, BatchcoreError)
    assert error.msg == str(error)
    assert error.msg.startswith("All records failed processing. ")


def test_message_says_in_one_line_what_failed_and_with_what(way: Way) -> None:
    message = error_of(way, "a", "b", "c").msg
    assert message == "All records failed processing. 3 of sqs: 3 x ValueError. The first, m0: ValueError: no a"


def test_message_counts_kinds_of_failures_the_most_frequent_first() -> None:
    def handler(record: Any) -> None:
        raise {"k": KeyError, "v": ValueError}[record["body"]]

    with pytest.raises(BatchProcessingError) as caught:
        process_partial_response(batch_of("v", "k", "k"), handler, BatchProcessor("sqs"))
    assert "3 of sqs: 2 x KeyError, 1 x ValueError. The first, m0: ValueError" in caught.value.msg


def test_error_carries_one_exception_per_failed_record_in_the_order_of_the_batch(way: Way) -> None:
    children = error_of(way, "a", "b", "c").child_exceptions
    assert [(kind, str(exception)) for kind, exception, _ in children] == [
        (ValueError, "no a"),
        (ValueError, "no b"),
        (ValueError, "no c"),
    ]


def test_tracebacks_can_be_read_while_the_error_lives(way: Way) -> None:
    error = error_of(way, "a", "b")
    for _, exception, trace in error.child_exceptions:
        assert isinstance(trace, TracebackType)
        assert exception is not None
        assert exception.__traceback__ is trace
        assert traceback.extract_tb(trace)[-1].name == "fail"


def test_records_exceptions_are_the_cause(way: Way) -> None:
    error = error_of(way, "a", "b")
    exceptions = [exception for _, exception, _ in error.child_exceptions]
    cause = error.__cause__
    if EXCEPTION_GROUP is not None:
        assert type(cause) is EXCEPTION_GROUP
        assert list(cause.exceptions) == exceptions
    else:
        assert cause is exceptions[0]


def test_cause_may_hold_what_is_no_exception_in_the_narrow_sense(driver: Way) -> None:
    def exit_or_fail(record: Any) -> None:
        raise SystemExit(2) if record["body"] == "exit" else ValueError

    with pytest.raises(BatchProcessingError) as caught:
        driver(batch_of("exit", "a"), exit_or_fail)
    assert [kind for kind, _, _ in caught.value.child_exceptions] == [SystemExit, ValueError]
    assert type(caught.value.__cause__).__name__ == ("BaseExceptionGroup" if EXCEPTION_GROUP else "SystemExit")


def test_printed_error_shows_each_records_traceback() -> None:
    try:
        process_partial_response(batch_of("a", "b"), fail, BatchProcessor("sqs"))
    except BatchProcessingError as error:
        printed = "".join(traceback.format_exception(error))
    assert "ValueError: no a" in printed
    assert "in fail" in printed
    assert ("ValueError: no b" in printed) == (EXCEPTION_GROUP is not None)


def test_error_carries_the_whole_result(way: Way) -> None:
    result = error_of(way, "a", "b").result
    assert isinstance(result, BatchResult)
    assert failed(result.response) == ["m0", "m1"]
    assert [outcome.status for outcome in result.outcomes] == ["failed", "failed"]


def test_response_is_ready_when_the_error_is_caught_round_the_context_manager(opened: Way) -> None:
    processor = opened.processor()
    with pytest.raises(BatchProcessingError):
        opened.call(processor, batch_of("a", "b"), fail)
    assert failed(processor.response()) == ["m0", "m1"]
    assert [kind for kind, _, _ in processor.exceptions] == [ValueError, ValueError]


def test_response_is_ready_when_the_error_is_caught_round_any_call(driver: Way) -> None:
    processor = driver.processor()
    with pytest.raises(BatchProcessingError) as caught:
        driver.call(processor, batch_of("a", "b"), fail)
    assert processor.response() == caught.value.result.response  # type: ignore[union-attr]
    assert failed(processor.response()) == ["m0", "m1"]


def test_observers_have_the_response_before_the_error_is_raised(driver: Way) -> None:
    class Watch:
        @hookimpl
        def batch_finished(self, result: Any) -> None:
            seen.append(failed(result.response))

    seen: list[list[str]] = []
    with pytest.raises(BatchProcessingError):
        driver(batch_of("a", "b"), fail, plugins=[Watch()])
    assert seen == [["m0", "m1"]]


def test_told_not_to_raise_it_answers_with_every_record(way: Way) -> None:
    response = way(batch_of("a", "b", "c"), fail, raise_on_entire_batch_failure=False)
    assert failed(response) == ["m0", "m1", "m2"]


def test_one_done_record_is_enough_for_a_response(way: Way) -> None:
    assert failed(way(batch_of("bad", "ok", "bad"))) == ["m0", "m2"]


def test_batch_of_one_record_raises_too(way: Way) -> None:
    assert "1 of sqs: 1 x ValueError" in error_of(way, "a").msg


@pytest.mark.parametrize("ordering", [in_order(), by_key(lambda record: "lane")])
def test_failure_and_records_not_attempted_are_a_whole_batch(driver: Way, ordering: Any) -> None:
    with pytest.raises(BatchProcessingError) as caught:
        driver(batch_of("bad", "ok", "ok"), ordering=ordering)
    assert failed(caught.value.result.response) == ["m0", "m1", "m2"]  # type: ignore[union-attr]
    kinds = [kind for kind, _, _ in caught.value.child_exceptions]
    assert kinds == [ValueError, NotAttemptedError, NotAttemptedError]


def test_strict_fifo_batch_whose_first_message_fails_raises() -> None:
    with pytest.raises(BatchProcessingError):
        process_partial_response(batch_of("bad", "ok", groups="ab", fifo=True), handle, SqsFifoPartialProcessor())


def test_dropped_records_are_done_so_nothing_raises(driver: Way) -> None:
    response = driver(batch_of("a", "b"), fail, dispositions={ValueError: Disposition.DROP})
    assert failed(response) == []


def test_records_whose_lane_has_no_key_are_a_whole_batch(driver: Way) -> None:
    def key(record: Any) -> str:
        raise KeyError("key")

    with pytest.raises(BatchProcessingError, match="2 x KeyError"):
        driver(batch_of("a", "b"), ordering=by_key(key))


def test_batch_that_was_never_processed_does_not_raise(opened: Way) -> None:
    processor = opened.processor()
    with processor(batch_of("a", "b")["Records"], handle):
        pass
    assert failed(processor.response()) == ["m0", "m1"]


class Queue(type(SQS)):  # type: ignore[misc]  # a class made of an object
    """A source without partial responses."""

    name = "queue"

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        if outcomes.unfinished():
            raise WholeBatchRetry(f"{len(outcomes.unfinished())} of {len(batch.records)}")
        return {"all": "done"}


@pytest.mark.parametrize("option", [True, False])
def test_source_without_partial_responses_raises_and_no_option_turns_it_off(driver: Way, option: bool) -> None:
    with pytest.raises(WholeBatchRetry, match="1 of 3"):
        driver(batch_of("a", "bad", "c"), event_type=Queue(), raise_on_entire_batch_failure=option)
    assert driver(batch_of("a"), event_type=Queue(), raise_on_entire_batch_failure=option) == {"all": "done"}


def test_error_without_a_batch_can_be_made_by_hand() -> None:
    error = BatchProcessingError("mine")
    assert (error.msg, error.child_exceptions, error.result, str(error)) == ("mine", [], None, "mine")
    assert pickle.loads(pickle.dumps(error)).msg == "mine"


def test_long_messages_of_exceptions_are_cut_in_the_message() -> None:
    def handler(record: Any) -> None:
        raise ValueError("x" * 100_000)

    with pytest.raises(BatchProcessingError) as caught:
        process_partial_response(batch_of("a"), handler, BatchProcessor("sqs"))
    assert len(caught.value.msg) < 2_000
    assert "100000 characters" in caught.value.msg
