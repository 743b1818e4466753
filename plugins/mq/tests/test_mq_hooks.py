"""The sources: which events are theirs, what a failure does, how often a message came, what is logged of it."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    Disposition,
    DropRecord,
    StopBatch,
    UnexpectedBatchTypeError,
    WholeBatchRetry,
    async_process_partial_response,
    batch_processor,
    by_key,
    hookimpl,
    in_order,
    process_partial_response,
)
from batchcore_mq import ActiveMQ, RabbitMQ, message_group
from batchcore_testing import make_event, make_record

Sample = Callable[[str], Any]
SOURCES = ["activemq", "rabbitmq"]

each_source = pytest.mark.parametrize("source", SOURCES)


def content(message: Any) -> str:
    text: str = message.decoded_data
    return text


class Failing:
    """A handler that fails with some contents, and keeps what it was called with."""

    def __init__(self, *bad: str) -> None:
        self.bad = bad
        self.calls: list[str] = []

    def __call__(self, message: Any) -> None:
        self.calls.append(content(message))
        if content(message) in self.bad:
            raise ValueError(content(message))

    async def awaited(self, message: Any) -> None:
        await asyncio.sleep(0)
        self(message)


# Which events are theirs.


@pytest.mark.parametrize("name", ["aws:mq", "aws:amq"])
def test_activemq_is_known_by_both_of_its_names(sample: Sample, name: str) -> None:
    event = {**sample("activeMQEvent"), "eventSource": name}
    assert ActiveMQ.claims_event(event)
    seen: list[Any] = []
    assert BatchProcessor("activemq").run(event, seen.append).response == {"batchItemFailures": []}
    assert [dict(message) for message in seen] == event["messages"]


def test_messages_of_rabbitmq_are_those_of_all_queues(sample: Sample) -> None:
    event = sample("rabbitMQEvent")
    (message,) = event["rmqMessagesByQueue"]["pizzaQueue::/"]
    event["rmqMessagesByQueue"]["other::/"] = [{**message, "data": "MQ=="}, {**message, "data": "Mg=="}]
    handler = Failing()
    BatchProcessor("rabbitmq").run(event, handler)
    assert handler.calls[1:] == ["1", "2"]
    assert len(handler.calls) == 3


@pytest.mark.parametrize(("file", "source"), [("activeMQEvent", "activemq"), ("rabbitMQEvent", "rabbitmq")])
def test_the_source_is_found_from_the_event(sample: Sample, file: str, source: str) -> None:
    assert BatchProcessor().run(sample(file), lambda message: None).batch.source == source


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        None,
        {"eventSource": "aws:mq"},
        {"eventSource": "aws:mq", "messages": None},
        {"eventSource": "aws:rmq", "messages": []},
        {"eventSource": "aws:mq", "rmqMessagesByQueue": {}},
        {"eventSource": "aws:rmq", "rmqMessagesByQueue": []},
        {"eventSource": "aws:rmq", "rmqMessagesByQueue": {"q::/": None}},
        {"eventSource": ["aws:mq"], "messages": []},
        {"messages": []},
    ],
)
def test_what_is_no_event_of_a_broker_is_refused(event: Any) -> None:
    for source in (ActiveMQ, RabbitMQ):
        assert source.claims_event(event) is False
        with pytest.raises(UnexpectedBatchTypeError):
            BatchProcessor(source).run(event, lambda message: None)


def test_each_refuses_what_is_the_others() -> None:
    assert not RabbitMQ.claims_event(make_event("activemq", "a"))
    assert not ActiveMQ.claims_event(make_event("rabbitmq", "a"))


# What a failure does.


def decorated(source: str, event: Any, handler: Failing) -> None:
    with pytest.deprecated_call():

        @batch_processor(record_handler=handler, processor=BatchProcessor(source))
        def lambda_handler(event: Any, context: Any) -> None:
            """Nothing else."""

    lambda_handler(event, None)


WAYS: dict[str, Callable[[str, Any, Failing], Any]] = {
    "run": lambda source, event, handler: BatchProcessor(source).run(event, handler),
    "one call": lambda source, event, handler: process_partial_response(event, handler, BatchProcessor(source)),
    "threads": lambda source, event, handler: BatchProcessor(source, max_concurrency=4).run(event, handler),
    "tasks": lambda source, event, handler: async_process_partial_response(
        event, handler.awaited, AsyncBatchProcessor(source)
    ),
    "decorator": decorated,
}


@each_source
@pytest.mark.parametrize("way", WAYS)
def test_failure_fails_the_invocation_after_all_has_been_tried(source: str, way: str) -> None:
    handler = Failing("b")
    with pytest.raises(WholeBatchRetry, match=rf"^1 of 4 records of {source} are not done") as caught:
        WAYS[way](source, make_event(source, "a", "b", "c", "d"), handler)
    assert sorted(handler.calls) == ["a", "b", "c", "d"]
    assert isinstance(caught.value.__cause__, ValueError)


@each_source
@pytest.mark.parametrize("way", WAYS)
def test_batch_that_is_done_fails_nothing(source: str, way: str) -> None:
    handler = Failing()
    WAYS[way](source, make_event(source, "a", "b"), handler)
    assert sorted(handler.calls) == ["a", "b"]


@each_source
@pytest.mark.parametrize("raises", [True, False])
def test_no_option_turns_it_off(source: str, raises: bool) -> None:
    processor = BatchProcessor(source, raise_on_entire_batch_failure=raises)
    for bad in (["a"], ["a", "b"]):
        with pytest.raises(WholeBatchRetry):
            processor.run(make_event(source, "a", "b"), Failing(*bad))


@each_source
def test_context_manager_fails_too(source: str) -> None:
    handler = Failing("a")
    processor = BatchProcessor(source, raise_on_entire_batch_failure=False)
    records = [make_record(source, "a"), make_record(source, "b")]
    with pytest.raises(WholeBatchRetry), processor(records=records, handler=handler):
        processor.process()
    assert handler.calls == ["a", "b"]


@each_source
def test_in_order_what_follows_a_failure_is_left_alone_or_tried_as_was_chosen(source: str) -> None:
    event = make_event(source, "a", "b", "c")
    for ordering, expected in ((in_order(), ["a", "b"]), (in_order(on_failure="continue"), ["a", "b", "c"])):
        handler = Failing("b")
        with pytest.raises(WholeBatchRetry) as caught:
            BatchProcessor(source, ordering=ordering, max_concurrency=3).run(event, handler)
        assert handler.calls == expected
        assert isinstance(caught.value.__cause__, ValueError)


def test_cause_is_the_failure_and_not_what_was_left_alone_for_it() -> None:
    def stops_the_batch(message: Any) -> None:
        if content(message) == "c":
            raise StopBatch("the warehouse is closed")

    lanes = by_key(lambda record: record["data"] == "Yg==")  # that of b is begun when the other one is done
    processor = AsyncBatchProcessor("rabbitmq", ordering=lanes, max_concurrency=1)
    with pytest.raises(WholeBatchRetry, match=r"^2 of 3") as caught:
        processor.run(make_event("rabbitmq", "a", "b", "c"), stops_the_batch)
    assert isinstance(caught.value.__cause__, StopBatch)


@each_source
def test_dropped_message_fails_nothing(source: str) -> None:
    def drops(message: Any) -> None:
        if content(message) == "a":
            raise DropRecord("not for us")

    result = BatchProcessor(source).run(make_event(source, "a", "b"), drops)
    assert [outcome.status for outcome in result.outcomes] == ["dropped", "succeeded"]
    processor = BatchProcessor(source, dispositions={ValueError: Disposition.DROP})
    assert processor.run(make_event(source, "a", "b"), Failing("a", "b")).response == {"batchItemFailures": []}


class Letters:
    """Delivers dead letters into a list, or fails to."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.sent: list[Any] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Any, batch: Any) -> None:
        if self.fails:
            raise ConnectionError
        self.sent.append(batch.original_message(outcome.record))


@each_source
def test_dead_letter_fails_nothing_once_it_is_delivered(source: str) -> None:
    letters = Letters()
    chosen: Any = {ValueError: Disposition.DEAD_LETTER}
    event = make_event(source, "a", "b")
    BatchProcessor(source, dispositions=chosen, plugins=[letters]).run(event, Failing("b"))
    (letter,) = letters.sent
    assert json.loads(letter.body)["data"] == "Yg=="
    with pytest.raises(WholeBatchRetry):
        BatchProcessor(source, dispositions=chosen, plugins=[Letters(fails=True)]).run(event, Failing("b"))


@each_source
def test_message_that_came_too_often_becomes_a_dead_letter(source: str) -> None:
    letters = Letters()
    processor = BatchProcessor(source, dead_letter_after=3, plugins=[letters])
    with pytest.raises(WholeBatchRetry):
        processor.run(make_event(source, "a", "b", sent={"attempt": 2}), Failing("b"))
    assert letters.sent == []
    processor.run(make_event(source, "a", "b", sent={"attempt": 3}), Failing("b"))
    assert len(letters.sent) == 1


def test_message_of_which_nobody_counts_deliveries_comes_again_for_ever() -> None:
    processor = BatchProcessor("rabbitmq", dead_letter_after=3, plugins=[Letters()])
    with pytest.raises(WholeBatchRetry):
        processor.run(make_event("rabbitmq", "a", basicProperties={"headers": None}, redelivered=True), Failing("a"))


@each_source
def test_model_that_a_message_does_not_fit_fails_it_alone(source: str) -> None:
    pytest.importorskip("pydantic")
    from pydantic import BaseModel

    class Strange(BaseModel):
        no_such_field: int

    handled: list[Any] = []
    with pytest.raises(WholeBatchRetry, match=r"^2 of 2"):
        BatchProcessor(source, model=Strange).run(make_event(source, "a", "b"), handled.append)
    assert handled == []


# Groups.


@pytest.mark.parametrize(
    ("record", "group"),
    [
        ({"properties": {"JMSXGroupID": "g"}}, "g"),
        ({"properties": {"JMSXGroupID": 7}}, None),
        ({"properties": {}}, None),
        ({"properties": None}, None),
        ({}, None),
        (None, None),
    ],
)
def test_group_is_that_of_jms_or_none(record: Any, group: Any) -> None:
    assert message_group(record) == group


def test_messages_of_a_group_run_in_order_however_many_run_at_a_time() -> None:
    event = make_event("activemq", *map(str, range(8)), lanes=2)
    begun: list[str] = []
    running: set[int] = set()
    together: list[bool] = []

    async def handler(message: Any) -> None:
        number = int(content(message))
        together.append(number % 2 in running)
        running.add(number % 2)
        begun.append(content(message))
        await asyncio.sleep(0.002)
        running.remove(number % 2)

    AsyncBatchProcessor("activemq").run(event, handler)
    assert not any(together)
    assert [each for each in begun if int(each) % 2] == ["1", "3", "5", "7"]


@pytest.mark.parametrize("way", WAYS)
def test_failure_stops_nothing_of_its_group_otherwise(way: str) -> None:
    handler = Failing("a")
    with pytest.raises(WholeBatchRetry, match=r"^1 of 4"):
        WAYS[way]("activemq", make_event("activemq", *"abcd", lanes=2), handler)
    assert sorted(handler.calls) == ["a", "b", "c", "d"]


def test_failure_stops_its_group_where_the_caller_says_so() -> None:
    event = make_event("activemq", *"abcd", lanes=2)
    handler = Failing("a")
    with pytest.raises(WholeBatchRetry, match=r"^2 of 4"):
        BatchProcessor("activemq", ordering=by_key(message_group)).run(event, handler)
    assert handler.calls == ["a", "b", "d"]


# How often a message came.


@pytest.mark.parametrize(
    ("headers", "attempt"),
    [
        ({"x-delivery-count": 0}, 1),
        ({"x-delivery-count": 2}, 3),
        ({"x-delivery-count": -1}, None),
        ({"x-delivery-count": True}, None),
        ({"x-delivery-count": None}, None),
        ({"x-delivery-count": {"bytes": [49]}}, None),
        ({"x-death": [{"count": 3}]}, None),  # how often it was rejected elsewhere, which is something else
        ({}, None),
        (None, None),
    ],
)
def test_delivery_of_rabbitmq_is_one_more_than_its_count_and_not_known_without(headers: Any, attempt: Any) -> None:
    for redelivered in (False, True):
        record = {"basicProperties": {"headers": headers}, "redelivered": redelivered, "data": ""}
        assert RabbitMQ.delivery_attempt(record) == attempt


@pytest.mark.parametrize(
    ("properties", "attempt"),
    [
        ({"JMSXDeliveryCount": 2}, 2),
        ({"JMSXDeliveryCount": "2"}, 2),
        ({"JMSXDeliveryCount": 1}, 1),
        ({"JMSXDeliveryCount": 0}, None),
        ({"JMSXDeliveryCount": "two"}, None),
        ({"JMSXDeliveryCount": True}, None),
        ({}, None),
        (None, None),
    ],
)
def test_delivery_of_activemq_is_its_count_and_not_known_without(properties: Any, attempt: Any) -> None:
    for redelivered in (False, True):
        assert ActiveMQ.delivery_attempt({"properties": properties, "redelivered": redelivered}) == attempt


@pytest.mark.parametrize("record", [None, 17, [], {"basicProperties": 7}])
def test_delivery_of_what_is_no_message_is_not_known(record: Any) -> None:
    assert RabbitMQ.delivery_attempt(record) is None
    assert ActiveMQ.delivery_attempt(record) is None


# What is logged.


def test_failure_of_activemq_is_logged_with_what_the_message_is_called(caplog: pytest.LogCaptureFixture) -> None:
    seen: dict[str, Any] = {}

    class Watching:
        @hookimpl
        def batch_started(self, batch: Any) -> None:
            seen.update(batch.describe_record(batch.records[0]))

    event = make_event("activemq", "secret")
    with caplog.at_level(logging.WARNING), pytest.raises(WholeBatchRetry):
        BatchProcessor("activemq", plugins=[Watching()]).run(event, lambda message: 1 / 0)
    assert seen == {"message_id": event["messages"][0]["messageID"], "queue": "orders"}
    assert "secret" not in caplog.text


# What is loaded.


@each_source
def test_importing_the_package_offers_the_sources_and_loads_nothing_heavy(source: str) -> None:
    program = (
        f"import sys; sys.path[:] = {sys.path!r}\n"
        "before = set(sys.modules); import batchcore_mq; new = set(sys.modules) - before\n"
        "heavy = {'typing', 'inspect', 'dataclasses', 'asyncio', 'pydantic', 'base64', 'datetime', 'pluggy',"
        " 'importlib_metadata', 'batchcore_mq.models', 'batchcore_mq.events', 'batchcore.shapes', 'batchcore_sqs'}\n"
        "assert not new & heavy, new & heavy\n"
        "from batchcore import BatchProcessor\n"
        f"BatchProcessor({source!r})\n"
        "assert 'importlib_metadata' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-I", "-c", program], check=True)
