"""A queue of Amazon MQ: whole batches, in the order of sending, until they are done, or beyond a limit, or expired."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import BatchProcessor, ConfigurationError, Disposition, hookimpl
from batchcore_testing import (
    BrokerQueue,
    EventSourceMapping,
    Faults,
    NotDrainedError,
    Simulator,
    UnknownRecordError,
    redelivered,
)

from .support import QUIET, async_processor_of, batches, contents, deliveries, ends, faults, mapping_of, polled, times
from .support import processor_of as plain_processor_of

SOURCES = ["activemq", "rabbitmq"]

each_source = pytest.mark.parametrize("source", SOURCES)


def messages_of(event: Any) -> list[Any]:
    if "messages" in event:
        messages: list[Any] = event["messages"]
        return messages
    return [message for messages in event["rmqMessagesByQueue"].values() for message in messages]


def content_of(message: Any) -> str:
    return b64decode(getattr(message, "raw_event", message)["data"]).decode()


def raising(*bad: str, times: int = 1) -> Callable[[Any, Any], Any]:
    """Make a function that raises so many times where its batch has one of these; else it answers ``{}``."""
    left = [times]

    def function(event: Any, context: Any) -> Any:
        if left[0] and {content_of(message) for message in messages_of(event)} & {*bad}:
            left[0] -= 1
            raise ValueError("the function fails")
        return {}

    return function


def responds_by_raising(*times: int) -> Callable[[Any, Any], Any]:
    """Make a function that raises so many times before it answers, for each batch."""
    left = [*times]

    def function(event: Any, context: Any) -> Any:
        if not left[0]:
            return left.pop(0)
        left[0] -= 1
        raise ValueError("the function fails")

    return function


class Handler:
    """A record handler that fails with some contents some times; -1 for always."""

    def __init__(self, **times: int) -> None:
        self.times = times
        self.calls: list[str] = []

    def __call__(self, message: Any) -> None:
        content = content_of(message)
        self.calls.append(content)
        if self.times.get(content, 0):
            self.times[content] -= 1
            raise ValueError(content)


# What is delivered.


@each_source
def test_messages_are_delivered_as_lambda_delivers_them(source: str) -> None:
    queue = BrokerQueue(source, "orders")
    queue.send("a", "b")
    event = polled(mapping_of(queue)).event
    assert event["eventSource"] == {"activemq": "aws:mq", "rabbitmq": "aws:rmq"}[source]
    assert list(map(content_of, messages_of(event))) == ["a", "b"]


@each_source
def test_messages_are_delivered_in_the_order_in_which_they_were_sent(source: str) -> None:
    queue = BrokerQueue(source)
    queue.send(*map(str, range(250)))
    history = mapping_of(queue, seed=7).drain()
    assert [len(batch) for batch in batches(history)] == [100, 100, 50]
    assert [content for batch in batches(history) for content in batch] == list(map(str, range(250)))


@pytest.mark.parametrize("size", [0, 10_001])
def test_batch_size_that_aws_refuses_is_refused(size: int) -> None:
    with pytest.raises(ConfigurationError, match="batch_size of a BrokerQueue is from 1 to 10000"):
        mapping_of(BrokerQueue("rabbitmq"), batch_size=size)


@pytest.mark.parametrize(
    "options",
    [
        {"maximum_retry_attempts": 2},
        {"maximum_record_age_in_seconds": 60},
        {"bisect_batch_on_function_error": True},
        {"parallelization_factor": 2},
        {"tumbling_window_in_seconds": 60},
        {"on_failure": True},
    ],
)
def test_mapping_of_a_broker_has_no_options_of_streams(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="An event source mapping of a BrokerQueue has no"):
        mapping_of(BrokerQueue("rabbitmq"), **options)


@pytest.mark.parametrize("limit", [-1, 1.5, True, "3"])
def test_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="delivery_limit is 0 or more, or None"):
        BrokerQueue("rabbitmq", delivery_limit=limit)


# What a response means: nothing but an error is read.


@each_source
@pytest.mark.parametrize(
    "response", [None, {}, "done", {"batchItemFailures": [{"itemIdentifier": "a"}]}, {"batchItemFailures": "x"}]
)
@pytest.mark.parametrize("report", [True, False])
def test_whatever_is_returned_acknowledges_the_batch(source: str, response: Any, report: bool) -> None:
    queue = BrokerQueue(source)
    queue.send("a", "b")
    mapping = mapping_of(queue, lambda event, context: response, report_batch_item_failures=report)
    assert batches(mapping.drain()) == [["a", "b"]]
    assert ends(queue) == {"a": "acknowledged", "b": "acknowledged"}
    event = mapping.history.invocations[0].event
    assert redelivered(event, response) == []
    assert redelivered(event, ValueError()) == messages_of(event)


@each_source
def test_error_brings_the_whole_batch_back_and_nothing_beside_it(source: str) -> None:
    queue = BrokerQueue(source)
    queue.send(*"abcde")
    history = mapping_of(queue, raising("b", times=3), batch_size=2).drain()
    assert batches(history) == [["a", "b"]] * 4 + [["c", "d"], ["e"]]
    assert contents(history.invocations[0].again) == ["a", "b"]


@each_source
def test_batch_comes_again_later_each_time_up_to_a_minute(source: str) -> None:
    queue = BrokerQueue(source)
    queue.send("a")
    history = mapping_of(queue, raising("a", times=9)).drain()
    assert times(history) == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243]


@each_source
def test_next_batch_does_not_wait_for_what_the_last_one_has_done(source: str) -> None:
    queue = BrokerQueue(source)
    queue.send(*"ab")
    history = mapping_of(queue, responds_by_raising(3, 1), batch_size=1).drain()
    assert batches(history) == [["a"]] * 4 + [["b"]] * 2
    assert times(history) == [0, 1, 3, 7, 7, 8]


@each_source
def test_response_that_is_not_json_is_an_error_of_the_function(source: str) -> None:
    queue = BrokerQueue(source)
    queue.send("a")
    invocation = polled(mapping_of(queue, lambda event, context: object()))
    assert invocation.complaint is not None
    assert contents(invocation.again) == ["a"]


# How often a message came.


def attempts_of(event: Any, source: str) -> list[int | None]:
    if source == "rabbitmq":
        headers = [message["basicProperties"]["headers"] for message in messages_of(event)]
        return [header["x-delivery-count"] + 1 for header in headers]
    counts = [message["properties"].get("JMSXDeliveryCount") for message in messages_of(event)]
    return [None if count is None else int(count) for count in counts]


@each_source
def test_deliveries_are_counted_as_brokers_do(source: str) -> None:
    queue = BrokerQueue(source)
    queue.send("a")
    history = mapping_of(queue, raising("a", times=2)).drain()
    counted = [attempts_of(invocation.event, source) for invocation in history.invocations]
    assert counted == [[None if source == "activemq" else 1], [2], [3]]
    came_before = [[message["redelivered"] for message in messages_of(each.event)] for each in history.invocations]
    assert came_before == [[False], [True], [True]]


@each_source
def test_throttled_invocation_is_no_delivery(source: str) -> None:
    queue = BrokerQueue(source, delivery_limit=0)
    queue.send("a")
    history = mapping_of(queue, faults=Faults(at={1: "throttle", 2: "throttle"})).drain()
    assert ends(queue) == {"a": "acknowledged"}
    assert attempts_of(history.invocations[-1].event, source) == [None if source == "activemq" else 1]
    assert times(history) == [0, 1, 2]


# What ends without success.


@each_source
def test_message_that_failed_too_often_goes_to_the_dead_letter_queue_with_its_batch(source: str) -> None:
    queue = BrokerQueue(source, delivery_limit=2)
    queue.send(*"abc")
    history = mapping_of(queue, raising("b", times=-1), batch_size=2).drain()
    assert batches(history) == [["a", "b"]] * 3 + [["c"]]
    assert contents(queue.dead_letters) == contents(history.dead_letters) == ["a", "b"]
    assert ends(queue) == {"a": "dead-letter queue", "b": "dead-letter queue", "c": "acknowledged"}


@each_source
def test_without_a_limit_a_message_that_always_fails_holds_up_the_queue(source: str) -> None:
    queue = BrokerQueue(source)
    queue.send(*"ab")
    mapping = mapping_of(queue, raising("a", times=-1), batch_size=1)
    with pytest.raises(NotDrainedError, match="delivery_limit of a broker's queue"):
        mapping.drain(max_invocations=20)
    assert deliveries(queue) == {"a": 20, "b": 0}


@each_source
def test_message_expires_whether_it_waits_or_comes_again(source: str) -> None:
    queue = BrokerQueue(source, retention=10)
    queue.send(*"ab")
    mapping = mapping_of(queue, raising("a", times=-1), batch_size=1)
    mapping.poll()
    queue.clock.advance(5)
    queue.send("c")
    history = mapping.drain()
    assert ends(queue) == {"a": "expired", "b": "expired", "c": "acknowledged"}
    assert deliveries(queue)["b"] == 0
    assert contents(history.never_tried) == ["b"]
    assert contents(history.lost) == ["a", "b"]


@each_source
def test_batch_that_expires_lets_the_next_one_go_at_once(source: str) -> None:
    queue = BrokerQueue(source, retention=5)
    queue.send("a")
    mapping = mapping_of(queue, raising("a", times=-1), batch_size=1)
    for _ in range(3):  # at 0, 1 and 3; again at 7
        mapping.poll()
    queue.send("b")
    assert times(mapping.drain()) == [0, 1, 3, 5]
    assert ends(queue) == {"a": "expired", "b": "acknowledged"}


@each_source
def test_message_is_not_delivered_in_the_moment_in_which_it_expires(source: str) -> None:
    queue = BrokerQueue(source, retention=1)
    queue.send("a")
    mapping_of(queue, raising("a", times=-1)).drain()
    assert deliveries(queue) == {"a": 1}


# Faults.


@each_source
def test_acknowledgement_that_is_lost_brings_the_whole_batch_back(source: str) -> None:
    queue = BrokerQueue(source)
    queue.send(*"ab")
    history = mapping_of(queue, faults=Faults(at={1: "duplicate"})).drain()
    assert batches(history) == [["a", "b"], ["a", "b"]]
    assert contents(history.done_twice) == ["a", "b"]


@each_source
@pytest.mark.parametrize("fault", ["crash", "timeout"])
def test_process_that_ends_brings_the_whole_batch_back(source: str, fault: Any) -> None:
    queue = BrokerQueue(source)
    queue.send(*"ab")
    history = mapping_of(queue, faults=Faults(at={1: fault})).drain()
    assert batches(history) == [["a", "b"], ["a", "b"]]
    assert faults(history) == {fault: 1, None: 1}


@each_source
@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_lost_when_things_go_wrong(source: str, seed: int) -> None:
    simulator = Simulator(seed)
    queue = simulator.broker_queue(source)
    queue.send(*[{"id": number} for number in range(60)])
    history = simulator.mapping(
        queue,
        processor=BatchProcessor(source, logger=QUIET),
        record_handler=lambda message: message.json_data,
        batch_size=7,
        faults=Faults(duplicates=0.1, crashes=0.1, timeouts=0.1, throttles=0.1),
    ).drain()
    history.check(allow=["done_twice"])
    assert len(history.done) == 60


# With the sources of this project.


@each_source
@pytest.mark.parametrize("kind", [plain_processor_of, async_processor_of])
def test_batch_with_a_failure_comes_again_until_it_is_done(source: str, kind: Any) -> None:
    queue = BrokerQueue(source)
    queue.send(*"abc")
    processor = kind(source, raise_on_entire_batch_failure=False)
    handler = Handler(b=2)
    history = EventSourceMapping(queue, processor=processor, record_handler=handler).drain()
    assert batches(history) == [["a", "b", "c"]] * 3
    assert sorted(handler.calls) == sorted("abcabcabc")
    history.check(allow=["done_twice"])
    assert {item.content: len(item.done) for item in queue.items} == {"a": 3, "b": 1, "c": 3}


class Letters:
    """Delivers dead letters into a list."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        self.sent.append(content_of(outcome.record))


@each_source
def test_dead_letter_after_some_deliveries_lets_the_rest_of_the_batch_go(source: str) -> None:
    queue, letters = BrokerQueue(source), Letters()
    queue.send(*"abc")
    processor = BatchProcessor(source, dead_letter_after=2, plugins=[letters], logger=QUIET)
    history = EventSourceMapping(queue, processor=processor, record_handler=Handler(b=-1)).drain()
    assert batches(history) == [["a", "b", "c"]] * 2
    assert letters.sent == ["b"]
    assert ends(queue) == dict.fromkeys("abc", "acknowledged")
    history.check(allow=["done_twice"])
    assert contents(history.given_up) == ["b"]


@each_source
def test_dropped_message_lets_the_rest_of_the_batch_go(source: str) -> None:
    queue = BrokerQueue(source)
    queue.send(*"abc")
    processor = BatchProcessor(source, dispositions={ValueError: Disposition.DROP}, logger=QUIET)
    history = EventSourceMapping(queue, processor=processor, record_handler=Handler(b=-1)).drain()
    assert batches(history) == [["a", "b", "c"]]
    history.check()


@each_source
def test_function_that_swallows_its_errors_is_found_out(source: str) -> None:
    queue = BrokerQueue(source)
    queue.send(*"ab")
    processor = BatchProcessor(source, logger=QUIET)

    def function(event: Any, context: Any) -> Any:
        try:
            return processor.run(event, Handler(b=-1), context).response
        except Exception:
            return {}

    history = EventSourceMapping(queue, function).drain()
    assert contents(history.lost) == ["b"]


def test_groups_of_activemq_are_lanes() -> None:
    queue = BrokerQueue("activemq")
    queue.send("a", "b", key="g")
    queue.send("c")
    assert [item.lane for item in queue.items] == ["g", "g", None]
    done: list[Any] = []

    def backwards(event: Any, context: Any) -> Any:
        for message in reversed(messages_of(event)):
            done.append(message)
            mapping.done(message)

    mapping = mapping_of(queue, backwards)
    assert contents(mapping.drain().out_of_order) == ["a"]
    assert len(done) == 3


# Which message is meant.


@each_source
def test_message_is_found_raw_typed_and_by_its_content(source: str) -> None:
    queue = BrokerQueue(source)
    first, second, third = queue.send({"id": 1}, {"id": 1}, {"id": 3})
    found: list[Any] = []

    def function(event: Any, context: Any) -> Any:
        found.extend(queue.find(message) for message in messages_of(event))
        BatchProcessor(source, logger=QUIET).run(event, lambda message: found.append(queue.find(message)))

    mapping_of(queue, function).drain()
    assert found == [first, second, third] * 2
    assert queue.find('{"id": 3}') is third
    assert queue.find(first) is first
    with pytest.raises(UnknownRecordError, match="2 records were sent with the content"):
        queue.find({"id": 1})
    with pytest.raises(UnknownRecordError, match="Nothing was sent that is"):
        queue.find({"id": 4})


def test_messages_that_nothing_tells_apart_are_not_found() -> None:
    queue = BrokerQueue("rabbitmq")
    queue.send("a", "a", basicProperties={"headers": None})
    messages = messages_of(polled(mapping_of(queue)).event)
    assert messages[0] == messages[1]
    with pytest.raises(UnknownRecordError):
        queue.find(messages[0])


def test_model_of_activemq_is_found_by_its_id() -> None:
    pytest.importorskip("pydantic")
    from batchcore_mq.models import ActiveMQMessageModel

    queue = BrokerQueue("activemq")
    queue.send("a", "b")
    processor = BatchProcessor("activemq", model=ActiveMQMessageModel, logger=QUIET)
    EventSourceMapping(queue, processor=processor, record_handler=lambda message: None).drain().check()


def test_messages_with_one_id_are_told_apart_by_the_rest() -> None:
    queue = BrokerQueue("activemq")
    items = queue.send("a", "b", messageID="ID:one")
    assert [queue.find(message) for message in messages_of(polled(mapping_of(queue)).event)] == items
