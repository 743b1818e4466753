"""What the README says of the batch utility in Powertools for AWS Lambda (Python): each shown on both libraries.

A test fails as well when Powertools mends its side: then the README has to change.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import aws_lambda_powertools.utilities.batch as theirs
import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError as TheirBatchProcessingError
from aws_lambda_powertools.utilities.batch.exceptions import UnexpectedBatchTypeError as TheirUnexpectedBatchTypeError

import batchcore as ours
from batchcore_sqs import SqsFifoPartialProcessor

from .page import sample, sqs

NOTHING_FAILED = {"batchItemFailures": []}
PATIENCE = 10


@pytest.fixture(params=[ours, theirs], ids=["batchcore", "powertools"])
def library(request: pytest.FixtureRequest) -> ModuleType:
    module: ModuleType = request.param
    return module


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Failures are what these tests are about: nobody has to read of them."""
    logger = logging.getLogger("batchcore")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


def failing(*identifiers: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


def fails(record: Any) -> None:
    raise ValueError(record.body)


def test_the_response_after_a_batch_that_failed_names_every_record_and_there_none(library: ModuleType) -> None:
    processor = library.BatchProcessor(event_type=library.EventType.SQS)
    with pytest.raises((ours.BatchProcessingError, TheirBatchProcessingError)):
        library.process_partial_response(sqs("a", "b"), fails, processor)
    assert processor.response() == (failing("m1", "m2") if library is ours else NOTHING_FAILED)


def test_a_batch_left_before_it_was_processed_is_reported_and_there_deleted(library: ModuleType) -> None:
    processor = library.BatchProcessor(event_type=library.EventType.SQS)
    with pytest.raises(KeyError), processor(records=sqs("a", "b")["Records"], handler=fails):
        raise KeyError("something else went wrong")
    assert processor.response() == (failing("m1", "m2") if library is ours else NOTHING_FAILED)


def test_an_exception_without_a_text_costs_its_record_and_there_the_batch(library: ModuleType) -> None:
    class NotNotified(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    def handler(record: Any) -> None:
        if record.body == "bad":
            raise NotNotified

    processor = library.BatchProcessor(event_type=library.EventType.SQS)
    if library is theirs:
        with pytest.raises(RuntimeError, match="no text"):
            library.process_partial_response(sqs("good", "bad"), handler, processor)
    else:
        assert library.process_partial_response(sqs("good", "bad"), handler, processor) == failing("m2")


def test_a_handler_never_sees_an_event_of_another_source_and_there_it_does(library: ModuleType) -> None:
    handled: list[Any] = []

    def handler(record: Any) -> None:
        handled.append(record)

    processor = library.BatchProcessor(event_type=library.EventType.SQS)
    event = sample("getting_started_kinesis_event")
    if library is ours:
        with pytest.raises(ours.UnexpectedBatchTypeError):
            library.process_partial_response(event, handler, processor)
        assert handled == []
    else:
        # It even succeeds: the records of the stream are taken for processed.
        assert library.process_partial_response(event, handler, processor) == NOTHING_FAILED
        assert len(handled) == len(event["Records"])


def test_two_threads_may_share_a_processor_and_there_they_mix_their_batches(library: ModuleType) -> None:
    """A message of the first batch fails after the second batch was begun and ended."""
    processor = library.BatchProcessor(event_type=library.EventType.SQS)
    first_runs, second_ended = threading.Event(), threading.Event()
    responses: dict[str, Any] = {}

    def handler(record: Any) -> None:
        if record.body == "slow":
            first_runs.set()
            assert second_ended.wait(PATIENCE)
            raise ValueError("failed at last")

    def first_batch() -> None:
        try:
            responses["first"] = library.process_partial_response(sqs("slow", "quick"), handler, processor)
        except TheirBatchProcessingError as error:
            responses["first"] = type(error).__name__

    thread = threading.Thread(target=first_batch)
    thread.start()
    assert first_runs.wait(PATIENCE)
    responses["second"] = library.process_partial_response(sqs("quick"), handler, processor)
    second_ended.set()
    thread.join(PATIENCE)

    assert responses["second"] == NOTHING_FAILED
    # There the first batch forgets a record which succeeded, and concludes that all failed.
    assert responses["first"] == (failing("m1") if library is ours else "BatchProcessingError")


def test_concurrent_messages_are_bounded_and_there_all_run_at_once(library: ModuleType) -> None:
    expected = 100 if library is ours else 1_000
    running, most, enough = 0, 0, asyncio.Event()

    async def handler(record: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == expected:
            enough.set()
        await asyncio.wait_for(enough.wait(), PATIENCE)
        running -= 1

    processor = library.AsyncBatchProcessor(event_type=library.EventType.SQS)
    event = sqs(*map(str, range(1_000)))
    assert library.async_process_partial_response(event, handler, processor) == NOTHING_FAILED
    assert most == expected


def test_a_fifo_queue_can_be_processed_with_asyncio_and_there_it_cannot() -> None:
    handled: list[str] = []

    async def handler(record: Any) -> None:
        await asyncio.sleep(0)
        handled.append(record.body)
        if record.body == "a1":
            raise ValueError("a1")

    event = sqs("a1", "b1", "a2", "b2", queue="orders.fifo", groups="abab")
    groups = ours.by_key(lambda record: record["attributes"]["MessageGroupId"])
    processor = ours.AsyncBatchProcessor(event_type="sqs", ordering=groups)
    assert ours.async_process_partial_response(event, handler, processor) == failing("m1", "m3")
    assert sorted(handled) == ["a1", "b1", "b2"]

    with pytest.raises(NotImplementedError):
        theirs.async_process_partial_response(event, handler, theirs.SqsFifoPartialProcessor())


def test_a_fifo_batch_that_failed_may_be_answered_without_an_error_and_there_it_raises() -> None:
    event = sqs("a1", "a2", queue="orders.fifo", groups="aa")
    processor = SqsFifoPartialProcessor(raise_on_entire_batch_failure=False)
    assert ours.process_partial_response(event, fails, processor) == failing("m1", "m2")

    with pytest.raises(TypeError, match="raise_on_entire_batch_failure"):
        theirs.SqsFifoPartialProcessor(raise_on_entire_batch_failure=False)  # type: ignore[call-arg]  # it has none
    with pytest.raises(TheirBatchProcessingError):
        theirs.process_partial_response(event, fails, theirs.SqsFifoPartialProcessor())


def test_a_source_of_your_own_needs_no_change_here_and_there_it_has_no_way_in() -> None:
    class Lines:
        """A source whose event is a list of lines."""

        name = "lines"

        @ours.hookimpl
        def claims_event(self, event: Any) -> bool:
            return isinstance(event, dict) and "lines" in event

        @ours.hookimpl
        def extract_records(self, event: Any) -> list[str]:
            lines: list[str] = event["lines"]
            return lines

        @ours.hookimpl
        def identify_records(self, records: Any) -> list[str]:
            return [f"line {number}" for number, _ in enumerate(records, 1)]

    event = {"lines": ["1", "two"]}
    assert ours.process_partial_response(event, int, ours.BatchProcessor(Lines())) == failing("line 2")

    with pytest.raises(TheirUnexpectedBatchTypeError, match="Possible values are"):
        theirs.process_partial_response(event, int, theirs.BatchProcessor(event_type=Lines()))  # type: ignore[arg-type]  # no such event type


def test_importing_one_source_imports_that_one_and_there_all() -> None:
    here = loaded_by("from batchcore import BatchProcessor, EventType; from batchcore_sqs import SQSRecord")
    assert {name for name in here if name.startswith("batchcore_") and "." not in name} == {"batchcore_sqs"}

    there = loaded_by(
        "from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType\n"
        "from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord"
    )
    classes = "aws_lambda_powertools.utilities.data_classes."
    assert {classes + name for name in ("kinesis_stream_event", "dynamo_db_stream_event", "alb_event")} <= there


def loaded_by(program: str) -> set[str]:
    """Give the modules that are loaded after a program."""
    program += "\nimport sys; print(*sys.modules, sep='\\n')"
    return set(
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    )
