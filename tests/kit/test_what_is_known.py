"""What a history knows: of functions that cannot work, of what was tried, and of what was given up on purpose."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import BatchProcessor, ConfigurationError, Disposition, DropRecord, hookimpl
from batchcore_testing import EventSourceMapping, NotDrainedError, Queue, Stream

from .support import QUIET, Failing, content_of, contents, mapping_of, processor_of


def queue_of(*sent: Any) -> Queue:
    """Make a queue that gives a message up at its third receive."""
    queue = Queue(max_receive_count=2)
    queue.send(*sent)
    return queue


# A function that cannot work.


def divides(event: Any, context: Any) -> Any:
    return 1 / 0


async def coroutine(record: Any) -> None:
    """Nobody awaits it."""


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"function": divides}, "ZeroDivisionError"),
        ({"processor": processor_of("kinesis"), "record_handler": print}, "UnexpectedBatchTypeError"),
        ({"processor": processor_of(), "record_handler": coroutine}, "HandlerSignatureError"),
    ],
    ids=["raises", "another source", "coroutine"],
)
def test_function_that_never_works_does_not_pass(given: dict[str, Any], said: str) -> None:
    history = EventSourceMapping(queue_of("a"), **given).drain()

    with pytest.raises(AssertionError, match=f"ALWAYS FAILED: each of 2 invocations. The last: .*{said}"):
        history.check()
    assert not list(history.problems(allow=["always_failed", "never_tried"]))


def test_function_whose_records_all_fail_works() -> None:
    queue = queue_of("bad")
    processor = BatchProcessor("sqs", logger=QUIET)

    history = EventSourceMapping(queue, processor=processor, record_handler=Failing(bad=-1)).drain()

    history.check()
    assert contents(history.dead_letters) == ["bad"]


def test_function_that_worked_once_works() -> None:
    responses = iter([ValueError("no"), None])

    def function(event: Any, context: Any) -> Any:
        response = next(responses)
        if response is not None:
            raise response

    mapping_of(queue_of("a"), function).drain().check()


def test_what_is_not_drained_says_why() -> None:
    queue = Queue()
    queue.send("a")

    with pytest.raises(NotDrainedError, match="The last invocation that failed: the function raised ZeroDivisionError"):
        mapping_of(queue, divides).drain(max_invocations=3)


# What was tried.


def test_what_was_delivered_counts_as_tried_where_a_function_says_what_is_done_alone() -> None:
    queue = queue_of("good", "bad")

    def function(event: Any, context: Any) -> Any:
        failed = [record for record in event["Records"] if content_of(record) == "bad"]
        for record in event["Records"]:
            if record not in failed:
                mapping.done(record)
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}

    mapping = mapping_of(queue, function)

    mapping.drain().check()
    assert contents(mapping.history.dead_letters) == ["bad"]


def test_record_that_does_not_fit_its_model_was_tried() -> None:
    pydantic = pytest.importorskip("pydantic")
    order = pydantic.create_model("Order", n=(int, ...))
    message = pydantic.create_model("Message", messageId=(str, ...), body=(pydantic.Json[order], ...))
    queue = queue_of({"n": 1}, "no JSON")
    processor = BatchProcessor("sqs", model=message, logger=QUIET, raise_on_entire_batch_failure=False)

    history = EventSourceMapping(queue, processor=processor, record_handler=lambda record: None).drain()

    history.check()
    assert len(history.done) == len(history.dead_letters) == 1


# What was given up on purpose.


class KeptDeadLetters:
    """Takes dead letters."""

    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        """Take one."""


class Old(DropRecord):
    pass


@pytest.mark.parametrize("how", ["drop", "dead letter"])
def test_what_a_processor_gives_up_is_not_lost(how: str) -> None:
    def handler(record: Any) -> None:
        if record.body == "bad":
            raise Old if how == "drop" else ValueError

    stream_like = queue_of("good", "bad")
    processor = BatchProcessor(
        "sqs", plugins=[KeptDeadLetters()], logger=QUIET, dispositions={ValueError: Disposition.DEAD_LETTER}
    )

    history = EventSourceMapping(stream_like, processor=processor, record_handler=handler).drain()

    history.check()
    assert contents(history.given_up) == ["bad"]
    assert contents(history.done) == ["good"]


def test_function_says_what_it_gives_up() -> None:
    stream = Stream()
    stream.send("old", "new")

    def function(event: Any, context: Any) -> Any:
        mapping.given_up("old")
        mapping.done("new")

    mapping = mapping_of(stream, function)

    mapping.drain().check()
    assert contents(mapping.history.given_up) == ["old"]


@pytest.mark.parametrize("what", ["tried", "done"])
def test_nothing_is_counted_twice_where_the_mapping_sees_it_itself(what: str) -> None:
    def handler(record: Any) -> None:
        getattr(mapping, what)(record)

    mapping = EventSourceMapping(queue_of("a"), processor=processor_of(), record_handler=handler)

    with pytest.raises(ConfigurationError, match="sees by itself"):
        mapping.drain()


# Responses that are not batchItemFailures.


def test_response_of_nobodys_service_is_read_as_the_test_says() -> None:
    failed: set[str] = set()

    def function(event: Any, context: Any) -> Any:
        again = [at for at, record in enumerate(event["Records"]) if content_of(record) == "b" and not failed.add("b")]
        return {"again": again if len(mapping.history.invocations) == 0 else []}

    queue = queue_of("a", "b", "c")
    mapping = mapping_of(queue, function, reads=lambda event, response: response["again"])

    history = mapping.drain()

    history.check()
    assert [len(each.items) for each in history.invocations] == [3, 1]


# Options of the wrong kind.


@pytest.mark.parametrize(
    ("made", "options", "said"),
    [
        ({}, {"on_failure": "arn:aws:sqs:eu-west-1:123456789012:failures"}, "on_failure is True or False"),
        ({}, {"maximum_retry_attempts": "3"}, "maximum_retry_attempts is a whole number"),
        ({}, {"batch_size": 2.5}, "batch_size is a whole number"),
    ],
)
def test_option_of_the_wrong_kind_is_refused(made: dict[str, Any], options: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        mapping_of(Stream(**made), **options)


@pytest.mark.parametrize("count", ["3", 2.5, True])
def test_max_receive_count_of_the_wrong_kind_is_refused(count: Any) -> None:
    with pytest.raises(ConfigurationError, match="max_receive_count is 1 or more"):
        Queue(max_receive_count=count)
