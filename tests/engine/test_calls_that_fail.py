"""Calls that are no record's: what is said of one that fails, and that it fails no more than it must."""

from __future__ import annotations

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    ConfigurationError,
    Disposition,
    hookimpl,
    in_order,
    unordered,
)
from batchcore_sqs import SQS
from tests.batches import batch_of, failed, handle

TO_DEAD_LETTER = {ValueError: Disposition.DEAD_LETTER}


class NoQueue:
    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        self.refuse()

    def refuse(self) -> None:
        raise ConnectionError("no queue.")


@pytest.mark.parametrize("ordering", [unordered, in_order(on_failure="continue")])
def test_what_a_deliverer_raised_is_logged_with_its_own_traceback(
    caplog: pytest.LogCaptureFixture, ordering: Any
) -> None:
    processor = BatchProcessor("sqs", plugins=[NoQueue()], dispositions=TO_DEAD_LETTER, ordering=ordering)
    processor.run(batch_of("bad", "good"), handle)
    (error,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert error.getMessage() == (
        "deliver_dead_letter() raised ConnectionError: no queue; record m0 of sqs is retried. Plugin: NoQueue."
    )
    assert error.exc_info is not None
    traceback, names = error.exc_info[2], []
    while traceback is not None:
        names.append(traceback.tb_frame.f_code.co_name)
        traceback = traceback.tb_next
    assert names[-2:] == ["deliver_dead_letter", "refuse"]


def test_such_errors_of_one_kind_are_logged_once_and_then_counted(caplog: pytest.LogCaptureFixture) -> None:
    processor = BatchProcessor(
        "sqs", plugins=[NoQueue()], dispositions=TO_DEAD_LETTER, raise_on_entire_batch_failure=False
    )
    processor.run(batch_of(*["bad"] * 12), handle)
    first, others = [record for record in caplog.records if record.levelname == "ERROR"]
    assert first.exc_info
    assert others.getMessage() == (
        "Like record m0 of sqs, for which deliver_dead_letter() raised ConnectionError: 11 more, "
        "m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, ..."
    )
    assert others.failure_count == 11  # type: ignore[attr-defined]
    assert others.item_identifiers == [f"m{number}" for number in range(1, 12)]  # type: ignore[attr-defined]


def test_twenty_tracebacks_of_different_kinds_are_enough_for_a_batch(caplog: pytest.LogCaptureFixture) -> None:
    class Odd(NoQueue):
        def refuse(self) -> None:
            raise type(f"Odd{next(numbers)}", (Exception,), {})

    numbers = itertools.count()
    processor = BatchProcessor("sqs", plugins=[Odd()], dispositions=TO_DEAD_LETTER, raise_on_entire_batch_failure=False)
    processor.run(batch_of(*["bad"] * 22), handle)
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [bool(record.exc_info) for record in errors] == [True] * 19 + [False] * 3, "and one of the records"


def test_deliverer_that_is_empty_as_a_list_delivers(driver: Any) -> None:
    class DeadLetters(list[str]):
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            self.append(outcome.identifier)

    dead_letters = DeadLetters()
    assert failed(driver(batch_of("a", "bad"), plugins=[dead_letters], dispositions=TO_DEAD_LETTER)) == []
    assert dead_letters == ["m1"]


def test_batch_hook_that_fails_is_what_the_records_failed_with_though_their_handler_lacks_an_argument() -> None:
    class Down:
        @hookimpl
        def before_records(self) -> None:
            raise ConnectionError("no database")

    def handler(record: Any, customers: dict[str, str]) -> None:
        raise AssertionError("there are no customers")

    processor = BatchProcessor("sqs", plugins=[Down()], raise_on_entire_batch_failure=False)
    result = processor.run(batch_of("a", "b"), handler)
    assert [str(outcome.exception) for outcome in result.outcomes] == ["no database"] * 2


def test_executor_that_is_shut_down_is_refused_before_the_first_record() -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    handled: list[Any] = []
    with pytest.raises(ConfigurationError, match="The executor takes no more work: cannot schedule new futures"):
        BatchProcessor("sqs", executor=executor).run(batch_of("a"), handled.append)
    assert handled == []


def test_executor_gives_one_thread_when_it_is_asked_for_one() -> None:
    inside = most = 0

    def handler(record: Any) -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        for _ in range(1_000):
            pass
        inside -= 1

    with ThreadPoolExecutor(4) as executor:
        BatchProcessor("sqs", executor=executor, max_concurrency=1, ordering=unordered).run(
            batch_of(*"abcdefgh"), handler
        )
    assert most == 1


def test_batch_of_which_no_record_was_started_says_what_may_be_wrong(caplog: pytest.LogCaptureFixture) -> None:
    class AlmostOver:
        def get_remaining_time_in_millis(self) -> int:
            return 3_000

    BatchProcessor("sqs", stop_before_timeout=5).run(batch_of("a", "b"), handle, AlmostOver())
    assert [record.getMessage().partition(", in")[0] for record in caplog.records] == [
        "Batch of 2 from sqs: 2 not attempted"
    ]
    assert "is stop_before_timeout as long as the function's own timeout" in caplog.records[0].getMessage()


@pytest.mark.parametrize("make", [BatchProcessor, AsyncBatchProcessor])
def test_every_argument_is_given_back_though_another_raises_when_it_is(make: Any) -> None:
    left: list[str] = []

    class Argument:
        def __init__(self, name: str) -> None:
            self.name = name

        def __enter__(self) -> str:
            return self.name

        def __exit__(self, kind: type[BaseException] | None, *raised: object) -> None:
            left.append(f"{self.name} with {kind.__name__ if kind else None}")
            if self.name == "inner":
                raise LookupError(self.name)

    class Gives(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def handler_arguments(self, batch: Any) -> Any:
            return {name: lambda record, name=name: Argument(name) for name in ("outer", "inner")}

    def handler(record: Any, outer: str, inner: str) -> Any:
        return asyncio.sleep(0) if make is AsyncBatchProcessor else None

    result = make(Gives(), raise_on_entire_batch_failure=False).run(batch_of("a"), handler)
    assert failed(result.response) == ["m0"]
    assert left == ["inner with None", "outer with LookupError"]
