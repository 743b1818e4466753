"""Pipes of EventBridge: what a function gets of one, what its response does, and what a pipe does not have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor, ConfigurationError, by_key, in_order
from batchcore_pipes import item_key, partition_key
from batchcore_pipes.events import RabbitMQPipeEvents
from batchcore_testing import BrokerQueue, FifoQueue, Pipe, Queue, Simulator, Stream, Topic

from .support import (
    QUIET,
    Failing,
    batches,
    content_of,
    contents_of,
    deliveries,
    ends,
    failures,
    polled,
    processor_of,
    raises,
    responds,
    succeeds,
    times,
)

STREAMS = ("pipes-kinesis", "pipes-dynamodb")
WHOLE = ("pipes-kafka", "pipes-mq", "rabbitmq")
ALL = ("pipes-sqs", "fifo", *STREAMS, *WHOLE)
every_stream = pytest.mark.parametrize("name", STREAMS)
every_whole = pytest.mark.parametrize("name", WHOLE)


def source_of(name: str, *contents: str, **options: Any) -> Any:
    """Make a source of a pipe, and send to it: the first letter of a content is its key."""
    made: dict[str, Callable[..., Any]] = {
        "fifo": lambda: FifoQueue(source="pipes-sqs", **options),
        "pipes-kafka": lambda: Topic("pipes-kafka", **options),
        "pipes-mq": lambda: BrokerQueue("pipes-mq", **options),
        "rabbitmq": lambda: BrokerQueue("pipes-mq", factory=RabbitMQPipeEvents(), **options),
        **{stream: lambda: Stream(name, **options) for stream in STREAMS},
    }
    source = made.get(name, lambda: Queue(source=name, **options))()
    for content in contents:
        source.send(content, key=content[0])
    return source


def pipe_of(name: str, function: Any, *contents: str, **options: Any) -> Pipe:
    return Pipe(source_of(name, *contents), function, **options)


def name_of(record: Any) -> str:
    """Give what a response to a pipe names a record by."""
    name: str = record["messageId"] if "messageId" in record else record["eventID"]
    return name


def naming(*bad: str) -> Callable[[Any, Any], Any]:
    """Make a function that names the records of these contents as failed, always."""
    return lambda event, context: failures(*(name_of(record) for record in event if content_of(record) in bad))


def naming_once(*bad: str) -> Callable[[Any, Any], Any]:
    """Make one that does so the first time."""
    calls: list[None] = []

    def function(event: Any, context: Any) -> Any:
        calls.append(None)
        return naming(*bad)(event, context) if len(calls) == 1 else succeeds(event, context)

    return function


# What a function gets.


@pytest.mark.parametrize("name", ALL)
def test_a_function_gets_a_bare_list_even_of_one_record(name: str) -> None:
    event = polled(pipe_of(name, succeeds, "a1")).event

    assert isinstance(event, list)
    assert contents_of(event) == ["a1"]


@pytest.mark.parametrize("name", ALL)
def test_what_succeeds_is_acknowledged(name: str) -> None:
    pipe = pipe_of(name, succeeds, "a1", "b1", "a2")

    assert len(pipe.drain().invocations) == 1
    assert set(ends(pipe.source).values()) == {"acknowledged"}


@every_stream
def test_a_record_of_a_stream_is_ordered_by_its_key(name: str) -> None:
    lanes = [item.lane for item in source_of(name, "a1", "b1", "a2").items]

    assert lanes[0] == lanes[2] != lanes[1]
    assert None not in lanes


# What a response does.


def test_a_message_that_is_named_by_its_id_comes_again_alone() -> None:
    pipe = pipe_of("pipes-sqs", naming_once("b1"), "a1", "b1", "c1")

    assert deliveries(pipe.source if pipe.drain() else None) == {"a1": 1, "b1": 2, "c1": 1}


@every_stream
def test_a_record_that_is_named_by_its_event_id_is_the_checkpoint(name: str) -> None:
    pipe = pipe_of(name, naming_once("a2"), "a1", "a2", "a3")

    assert batches(pipe.drain()) == [["a1", "a2", "a3"], ["a2", "a3"]]


@every_stream
def test_a_sequence_number_is_no_name_to_a_pipe(name: str) -> None:
    def by_number(event: Any, context: Any) -> Any:
        record = event[1]
        return failures(record["sequenceNumber"] if name == "pipes-kinesis" else record["dynamodb"]["SequenceNumber"])

    invocation = polled(pipe_of(name, by_number, "a1", "a2", "a3"))

    assert "is not in the batch" in str(invocation.complaint)
    assert len(invocation.again) == 3


@pytest.mark.parametrize("name", ["pipes-sqs", *STREAMS])
@pytest.mark.parametrize(
    ("response", "complaint"),
    [
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, "is not in the batch"),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, "is not in the batch"),
        ({"batchItemFailures": [{"id": "x"}]}, "has no itemIdentifier"),
        ({"batchItemFailures": [{"itemIdentifier": "nobody"}]}, "is not in the batch"),
        (ValueError("no"), "the function raised ValueError"),
    ],
    ids=["an empty name", "null", "a bad key", "an unknown name", "an error"],
)
def test_a_response_that_is_wrong_brings_the_whole_batch_again(name: str, response: Any, complaint: str) -> None:
    pipe = pipe_of(name, responds(response), "a1", "a2")

    first = polled(pipe)
    pipe.drain()

    assert complaint in str(first.complaint)
    assert deliveries(pipe.source) == {"a1": 2, "a2": 2}


@pytest.mark.parametrize("name", ["pipes-sqs", *STREAMS])
@pytest.mark.parametrize("response", [{"batchItemFailures": []}, {"batchItemFailures": None}, {}, None], ids=repr)
def test_a_response_that_names_nothing_is_a_success(name: str, response: Any) -> None:
    pipe = pipe_of(name, lambda event, context: response, "a1", "a2")

    assert polled(pipe).again == []


@every_whole
def test_of_kafka_and_amazon_mq_no_response_is_read(name: str) -> None:
    pipe = pipe_of(name, lambda event, context: failures("a1", {"partition": "orders-0", "offset": 0}), "a1", "a2")

    assert polled(pipe).again == []
    assert set(ends(pipe.source).values()) == {"acknowledged"}


@every_whole
def test_of_kafka_and_amazon_mq_an_error_brings_all_again(name: str) -> None:
    pipe = pipe_of(name, responds(ValueError("no")), "a1", "b1", "a2")
    pipe.drain()

    assert deliveries(pipe.source) == {"a1": 2, "b1": 2, "a2": 2}


@every_stream
def test_automatic_bisect_delivers_both_halves_of_a_batch_again(name: str) -> None:
    pipe = pipe_of(
        name, naming("a3"), "a1", "a2", "a3", "a4", on_partial_batch_item_failure="AUTOMATIC_BISECT",
        maximum_retry_attempts=0,
    )  # fmt: skip

    assert batches(pipe.drain()) == [["a1", "a2", "a3", "a4"], ["a1", "a2"], ["a3", "a4"], ["a3"], ["a4"]]
    assert ends(pipe.source) == {
        "a1": "acknowledged", "a2": "acknowledged", "a3": "discarded", "a4": "acknowledged"
    }  # fmt: skip


@every_stream
def test_automatic_bisect_of_a_batch_that_is_done_splits_nothing(name: str) -> None:
    pipe = pipe_of(name, succeeds, "a1", "a2", on_partial_batch_item_failure="AUTOMATIC_BISECT")

    assert batches(pipe.drain()) == [["a1", "a2"]]


@every_stream
def test_a_stream_that_is_given_up_is_told_to_the_dead_letter_queue(name: str) -> None:
    pipe = pipe_of(name, raises, "a1", "a2", maximum_retry_attempts=1, on_failure=True)
    pipe.drain()

    assert deliveries(pipe.source) == {"a1": 2, "a2": 2}
    (told,) = pipe.source.on_failure
    assert told["requestContext"]["condition"] == "RetryAttemptsExhausted"
    info = told["KinesisBatchInfo" if name == "pipes-kinesis" else "DDBStreamBatchInfo"]
    record = pipe.source.record_of(pipe.source.items[0])
    first = record["sequenceNumber"] if name == "pipes-kinesis" else record["dynamodb"]["SequenceNumber"]
    assert info["startSequenceNumber"] == first


def test_a_message_that_fails_for_ever_goes_to_the_dead_letter_queue_of_its_queue() -> None:
    source = source_of("pipes-sqs", "a1", "b1", max_receive_count=3)
    Pipe(source, naming("b1")).drain()

    assert [item.content for item in source.dead_letters] == ["b1"]


# What a pipe does not have.


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("pipes-sqs", {"report_batch_item_failures": False}, "always reads the response"),
        ("pipes-kinesis", {"bisect_batch_on_function_error": True}, "AUTOMATIC_BISECT"),
        ("pipes-kinesis", {"tumbling_window_in_seconds": 60}, "no tumbling windows"),
        ("pipes-kafka", {"maximum_retry_attempts": 3}, "pipes-kafka has no maximum_retry_attempts"),
        ("pipes-sqs", {"on_failure": True}, "pipes-sqs has no on_failure"),
        ("pipes-sqs", {"on_partial_batch_item_failure": "AUTOMATIC_BISECT"}, "no on_partial_batch_item_failure"),
        ("pipes-kinesis", {"on_partial_batch_item_failure": "BISECT"}, "AUTOMATIC_BISECT"),
        ("pipes-kinesis", {"batch_size": 0}, "batch_size"),
    ],
)
def test_an_option_that_no_such_pipe_has_is_refused(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        pipe_of(name, succeeds, **options)


@pytest.mark.parametrize(("source", "meant"), [(Queue(), "pipes-sqs"), (Stream("dynamodb"), "pipes-dynamodb")])
def test_a_source_that_makes_the_events_of_a_mapping_is_refused(source: Any, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"Make it with source='{meant}'"):
        Pipe(source, succeeds)


def test_a_simulator_makes_pipes_that_share_its_clock() -> None:
    simulator = Simulator(seed=7)
    queue = simulator.queue(source="pipes-sqs")
    pipe = simulator.pipe(queue, succeeds)
    queue.send("a1")

    assert pipe.clock is simulator.clock
    assert len(pipe.drain().invocations) == 1
    assert simulator.mappings == [pipe]


# batchcore behind a pipe: nothing is lost, and order is kept.

KINDS: list[Callable[..., Any]] = [BatchProcessor, AsyncBatchProcessor]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("workers", [1, 3])
def test_a_function_behind_a_pipe_loses_nothing_and_keeps_order(name: str, workers: int) -> None:
    asked = {"fifo": "pipes-sqs", "rabbitmq": "pipes-mq"}.get(name, name)
    ordering = {
        "pipes-kinesis": by_key(partition_key),
        "pipes-dynamodb": by_key(item_key),
        "fifo": in_order(),
    }.get(name)
    processor = processor_of(asked, max_concurrency=workers, ordering=ordering, raise_on_entire_batch_failure=False)
    source = source_of(name, *(f"{key}{number}" for number in range(6) for key in "abc"))
    pipe = Pipe(source, processor=processor, record_handler=Failing(a1=2, b3=1, c5=1), seed=3)

    history = pipe.drain()

    assert set(ends(source).values()) == {"acknowledged"}
    assert all(item.done for item in history.items)
    if name in ("fifo", *STREAMS):
        for key in "abc":
            firsts = [item.done[-1] for item in history.items if item.content[0] == key]
            assert firsts == sorted(firsts)


@pytest.mark.parametrize("name", ALL)
def test_the_response_of_a_processor_brings_again_what_failed(name: str) -> None:
    asked = {"fifo": "pipes-sqs", "rabbitmq": "pipes-mq"}.get(name, name)
    pipe = Pipe(source_of(name, "a1", "a2", "a3"), processor=processor_of(asked), record_handler=Failing(a3=1))
    pipe.drain()

    alone = {"a1": 1, "a2": 1, "a3": 2}
    assert deliveries(pipe.source) == (dict.fromkeys(alone, 2) if name in WHOLE else alone)


@pytest.mark.parametrize("name", WHOLE)
def test_a_record_that_is_dropped_brings_no_batch_again(name: str) -> None:
    from batchcore import Disposition

    asked = "pipes-mq" if name == "rabbitmq" else name
    processor = BatchProcessor(asked, logger=QUIET, dispositions={ValueError: Disposition.DROP})
    pipe = Pipe(source_of(name, "a1", "a2"), processor=processor, record_handler=Failing(a2=-1))

    assert len(pipe.drain().invocations) == 1


def test_a_pipe_backs_off_from_a_stream_that_fails() -> None:
    pipe = pipe_of("pipes-kinesis", raises, "a1", maximum_retry_attempts=3)

    assert times(pipe.drain()) == [0, 1, 3, 7]
