"""What batchcore saw of records of which the function says nothing: no failure is lost unseen, and none invented."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from batchcore import (
    BasePartialProcessor,
    BatchProcessingError,
    BatchProcessor,
    ConfigurationError,
    Disposition,
    async_batch_processor,
    async_process_partial_response,
    batch_processor,
    hookimpl,
    process_partial_response,
)
from batchcore_testing import (
    BrokerQueue,
    EventSourceMapping,
    FifoQueue,
    History,
    KafkaEvents,
    Queue,
    Stream,
    Topic,
    make_event,
)

from .support import (
    KAFKA,
    QUIET,
    Failing,
    async_processor_of,
    content_of,
    contents,
    failures,
    in_key_order,
    ordered_processor_of,
    processor_of,
    records_of,
)

Function = Callable[[Any, Any], Any]


def fails_bad(record: Any) -> None:
    if content_of(record).startswith("bad"):
        raise OSError("out of stock")


async def awaits_bad(record: Any) -> None:
    await asyncio.sleep(0)
    fails_bad(record)


# Every way to run a batch. Each is a right function.


def one_call(event: Any, context: Any) -> Any:
    return process_partial_response(event, fails_bad, processor_of(), context)


def runs(event: Any, context: Any) -> Any:
    return processor_of().run(event, fails_bad, context).response


def in_threads(event: Any, context: Any) -> Any:
    return process_partial_response(event, fails_bad, processor_of(max_concurrency=4), context)


def as_tasks(event: Any, context: Any) -> Any:
    return async_process_partial_response(event, awaits_bad, async_processor_of(), context)


def on_a_loop(event: Any, context: Any) -> Any:
    return asyncio.run(async_processor_of().arun(event, awaits_bad, context)).response


def in_a_with_block(event: Any, context: Any) -> Any:
    processor = processor_of()
    with processor(records=event["Records"], handler=fails_bad, lambda_context=context):
        processor.process()
    return processor.response()


def as_tasks_in_a_with_block(event: Any, context: Any) -> Any:
    processor = async_processor_of()
    with processor(records=event["Records"], handler=awaits_bad):
        processor.async_process()
    return processor.response()


def in_a_with_block_on_a_loop(event: Any, context: Any) -> Any:
    async def function() -> Any:
        processor = async_processor_of()
        with processor(records=event["Records"], handler=awaits_bad):
            await processor.aprocess()
        return processor.response()

    return asyncio.run(function())


def decorated(event: Any, context: Any) -> Any:
    processor = processor_of()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decorate = batch_processor(record_handler=fails_bad, processor=processor)
    return decorate(lambda event, context: processor.response())(event, context)


def decorated_for_tasks(event: Any, context: Any) -> Any:
    processor = async_processor_of()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decorate = async_batch_processor(record_handler=awaits_bad, processor=processor)
    return decorate(lambda event, context: processor.response())(event, context)


class FromScratch(BasePartialProcessor):
    """A processor from scratch."""

    def _process_record(self, record: Any) -> Any:
        try:
            return self.success_handler(record, self.handler(record))
        except OSError as error:
            return self.failure_handler(record, (OSError, error, None))

    async def _async_process_record(self, record: Any) -> Any:
        return self._process_record(record)


class AnswersItself(FromScratch):
    """A processor from scratch with a response of its own."""

    def _prepare(self) -> None:
        self.fail_messages.clear()

    def response(self) -> Any:
        return failures(*(record["messageId"] for record in self.fail_messages))


def from_scratch(event: Any, context: Any) -> Any:
    return process_partial_response(event, fails_bad, FromScratch(logger=QUIET), context)


def from_scratch_as_tasks(event: Any, context: Any) -> Any:
    return async_process_partial_response(event, fails_bad, FromScratch(logger=QUIET), context)


def from_scratch_with_its_own_response(event: Any, context: Any) -> Any:
    return process_partial_response(event, fails_bad, AnswersItself(logger=QUIET), context)


def in_a_thread_of_its_own(event: Any, context: Any) -> Any:
    responses: list[Any] = []
    processor = processor_of(raise_on_entire_batch_failure=False)
    thread = threading.Thread(
        target=lambda: responses.append(process_partial_response(event, fails_bad, processor, context))
    )
    thread.start()
    thread.join()
    return responses[0]


def with_the_event_copied(event: Any, context: Any) -> Any:
    return one_call(json.loads(json.dumps(event)), context)


def with_bodies_opened(event: Any, context: Any) -> Any:
    """As one does that opens an envelope before the batch."""
    records = [{**record, "body": record["body"], "opened": True} for record in event["Records"]]
    return one_call({"Records": records}, context)


def with_records_changed_in_place(event: Any, context: Any) -> Any:
    for record in event["Records"]:
        record["opened"] = True
    return one_call(event, context)


WAYS = (
    one_call,
    runs,
    in_threads,
    as_tasks,
    on_a_loop,
    in_a_with_block,
    as_tasks_in_a_with_block,
    in_a_with_block_on_a_loop,
    decorated,
    decorated_for_tasks,
    from_scratch,
    from_scratch_as_tasks,
    from_scratch_with_its_own_response,
    in_a_thread_of_its_own,
    with_the_event_copied,
    with_bodies_opened,
    with_records_changed_in_place,
)

each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)


def drained(function: Function, *sent: Any, **options: Any) -> History:
    """Drain a queue of these messages through a function that says nothing of what it does."""
    queue = Queue(max_receive_count=3)
    queue.send(*(sent or ("a", "bad", "c")))
    return EventSourceMapping(queue, function, **options).drain(max_invocations=50)


@each_way
def test_a_function_that_returns_its_response_passes(way: Function) -> None:
    history = drained(way)

    history.check()
    assert contents(history.dead_letters) == ["bad"]
    assert contents(history.done) == ["a", "c"]


@each_way
def test_a_failure_is_lost_whose_response_is_not_returned(way: Function) -> None:
    def function(event: Any, context: Any) -> None:
        way(event, context)

    history = drained(function)

    with pytest.raises(AssertionError) as caught:
        history.check()
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("LOST")
    assert lines[1].endswith("; in invocation 1 batchcore saw it fail (" + lines[1].split("(")[-1])
    assert lines[1].endswith("), and the function returned None")
    assert len(lines) == 2
    assert contents(history.lost) == ["bad"]
    assert contents(history.done) == ["a", "c"]


RETURNED = [None, {}, {"batchItemFailures": []}, {"batchItemFailures": None}, {"failures": ["x"]}, {"ok": True}]


@pytest.mark.parametrize("returned", RETURNED, ids=json.dumps)
def test_a_failure_is_lost_that_the_response_does_not_name_and_the_history_shows_the_response(returned: Any) -> None:
    def function(event: Any, context: Any) -> Any:
        one_call(event, context)
        return returned

    history = drained(function)

    assert contents(history.lost) == ["bad"]
    assert history.problems()[1].endswith(f"batchcore saw it fail (OSError), and the function returned {returned!r}")


@pytest.mark.parametrize("returned", ["", []], ids=json.dumps)
def test_a_failure_is_lost_that_is_answered_with_what_a_stream_takes_for_success(returned: Any) -> None:
    stream = Stream()
    stream.send("a", "bad", key="k")

    def function(event: Any, context: Any) -> Any:
        process_partial_response(event, fails_bad, processor_of("kinesis"), context)
        return returned

    assert contents(EventSourceMapping(stream, function).drain().lost) == ["bad"]


def test_a_failure_is_lost_of_which_the_response_of_another_batch_is_returned() -> None:
    def function(event: Any, context: Any) -> Any:
        one_call(event, context)
        return one_call(make_event("sqs", "fine"), context)

    assert contents(drained(function).lost) == ["bad"]


def test_a_failure_is_lost_whose_error_is_caught() -> None:
    def function(event: Any, context: Any) -> Any:
        try:
            return one_call(event, context)
        except BatchProcessingError:
            return {"batchItemFailures": []}

    history = drained(function, "bad 1", "bad 2")

    assert contents(history.lost) == ["bad 1", "bad 2"]


@pytest.mark.parametrize("kept", [slice(1), slice(1, None)], ids=["the first alone", "all but the first"])
def test_a_failure_is_lost_that_is_left_out_of_the_response(kept: slice) -> None:
    def function(event: Any, context: Any) -> Any:
        return {"batchItemFailures": one_call(event, context)["batchItemFailures"][kept]}

    history = drained(function, "a", "bad 1", "bad 2")

    assert len(history.lost) == 1
    assert set(contents(history.dead_letters)) | set(contents(history.lost)) == {"bad 1", "bad 2"}


def test_a_long_response_is_cut_short() -> None:
    def function(event: Any, context: Any) -> Any:
        one_call(event, context)
        return {"text": "x" * 1000}

    line = drained(function).problems()[1]

    assert line.endswith("xxx...")
    assert len(line) < 300


@pytest.mark.parametrize("returns", [lambda processor, result: processor, lambda processor, result: result])
def test_a_processor_or_a_result_is_no_response(returns: Callable[[Any, Any], Any]) -> None:
    def function(event: Any, context: Any) -> Any:
        processor = processor_of()
        return returns(processor, processor.run(event, fails_bad, context))

    with pytest.raises(AssertionError, match=r"ALWAYS FAILED.*is not JSON"):
        drained(function).check()


def test_a_message_is_lost_whose_records_are_never_started() -> None:
    def function(event: Any, context: Any) -> None:
        processor = processor_of()
        with processor(records=event["Records"], handler=fails_bad):
            pass  # processor.process() is forgotten

    history = drained(function, "a")

    assert contents(history.lost) == ["a"]
    assert history.problems()[1].endswith("batchcore did not attempt it, and the function returned None")


async def coroutine(record: Any) -> None:
    """A plain processor refuses it."""


@pytest.mark.parametrize(
    "begin",
    [
        lambda event: process_partial_response(event, print, processor_of("kinesis")),
        lambda event: process_partial_response(event, coroutine, processor_of()),
        lambda event: processor_of("sqs")(records=event["Records"], handler=coroutine),
        lambda event: process_partial_response({"Records": [{**event["Records"][0]}]}, print, processor_of("kinesis")),
    ],
    ids=["another source", "handler", "handler in a with block", "another source for a copy"],
)
def test_a_message_is_lost_whose_batch_is_refused_while_the_function_goes_on(begin: Callable[[Any], Any]) -> None:
    def function(event: Any, context: Any) -> Any:
        try:
            return begin(event)
        except (ConfigurationError, ValueError):
            return {"batchItemFailures": []}

    history = drained(function, "a")

    assert contents(history.lost) == ["a"]
    assert "batchcore refused its batch, and the function returned" in history.problems()[1]


@pytest.mark.parametrize("records", [17, None, "text", {"Records": []}], ids=repr)
def test_what_is_no_batch_at_all_says_nothing_of_the_records(records: Any) -> None:
    def function(event: Any, context: Any) -> Any:
        with contextlib.suppress(ValueError):
            processor_of()(records=records, handler=fails_bad)
        return {"batchItemFailures": []}

    drained(function, "a").check()


def test_a_failure_that_nobody_reads_is_lost_and_the_history_says_so() -> None:
    history = drained(one_call, report_batch_item_failures=False)

    assert contents(history.lost) == ["bad"]
    assert history.problems()[1].endswith("and the function named it where the mapping does not read it")


def test_a_message_of_a_fifo_queue_is_lost_that_was_not_attempted() -> None:
    queue = FifoQueue()
    queue.send("bad", "b", key="k")

    def function(event: Any, context: Any) -> None:
        processor_of(raise_on_entire_batch_failure=False).run(event, fails_bad, context)

    history = EventSourceMapping(queue, function).drain()

    assert contents(history.lost) == ["bad", "b"]
    assert "did not attempt it" in history.problems()[2]


def test_a_failure_of_one_partition_is_lost_though_another_is_named() -> None:
    topic = Topic(KafkaEvents(), partitions=2)
    first, second = (topic.send(f"bad {key}", key=key)[0] for key in ("a", "d"))
    assert first.lane != second.lane

    def function(event: Any, context: Any) -> Any:
        response = processor_of(KAFKA, raise_on_entire_batch_failure=False).run(event, fails_bad, context).response
        return {"batchItemFailures": response["batchItemFailures"][:1]}

    history = EventSourceMapping(topic, function, maximum_retry_attempts=1, on_failure=True).drain()

    assert len(history.lost) == 1


def test_a_failure_is_lost_in_each_invocation_that_returns_nothing() -> None:
    def function(event: Any, context: Any) -> None:
        processor_of(raise_on_entire_batch_failure=False).run(event, fails_bad, context)

    history = drained(function, "bad", "bad too", batch_size=1)

    assert sorted(contents(history.lost)) == ["bad", "bad too"]
    for number in (1, 2):
        assert f"in invocation {number} batchcore saw it fail" in "\n".join(history.problems())


@pytest.mark.parametrize("given", [lambda event: event, copy.deepcopy], ids=["itself", "a copy"])
def test_a_failure_of_the_last_of_two_processors_is_lost_that_the_response_of_the_first_does_not_name(
    given: Callable[[Any], Any],
) -> None:
    def function(event: Any, context: Any) -> Any:
        response = process_partial_response(event, lambda record: None, processor_of(), context)
        process_partial_response(given(event), fails_bad, processor_of(), context)
        return response

    assert contents(drained(function).lost) == ["bad"]


class Split:
    """Makes two records of each, as one that opens aggregated records does."""

    @hookimpl(wrapper=True)
    def extract_records(self) -> Any:
        records = yield
        return [{**record, "part": part} for record in records for part in (1, 2)]


@pytest.mark.parametrize("bad", [1, 2], ids=["first", "last"])
def test_a_record_of_which_one_part_failed_is_lost_where_the_response_does_not_name_it(bad: int) -> None:
    def handler(record: Any) -> None:
        if record.raw_event["part"] == bad:
            fails_bad(record)

    processor = processor_of(plugins=[Split()])

    def forgets(event: Any, context: Any) -> None:
        process_partial_response(event, handler, processor, context)

    def right(event: Any, context: Any) -> Any:
        return process_partial_response(event, handler, processor, context)

    assert contents(drained(forgets).lost) == ["bad"]
    drained(right).check()


# Functions that are right.


class KeptDeadLetters:
    """Takes dead letters."""

    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        """Take one."""


@pytest.mark.parametrize("disposition", [Disposition.DROP, Disposition.DEAD_LETTER])
@pytest.mark.parametrize("tells", [True, False], ids=["says what is done", "says nothing"])
def test_what_a_function_drops_or_puts_elsewhere_is_not_lost(disposition: Disposition, tells: bool) -> None:
    processor = processor_of(dispositions={OSError: disposition}, plugins=[KeptDeadLetters()])

    def handler(record: Any) -> None:
        fails_bad(record)
        if tells:
            mapping.done(record)

    queue = Queue()
    queue.send("a", "bad", "c")
    mapping = EventSourceMapping(queue, lambda event, context: process_partial_response(event, handler, processor))

    history = mapping.drain()

    history.check()
    assert contents(history.given_up) == ["bad"]
    assert [each.unfinished for each in history.invocations] == [{}]


@pytest.mark.parametrize("source", ["kinesis", "dynamodb"])
def test_a_failure_behind_the_checkpoint_is_not_lost(source: str) -> None:
    stream = Stream(source)
    stream.send("a", "bad", "c", "bad too", "e", key="k")
    handler = Failing(**{"bad": 2, "bad too": 1})

    def function(event: Any, context: Any) -> Any:
        response = process_partial_response(event, handler, processor_of(source), context)
        return {"batchItemFailures": response["batchItemFailures"][:1]}  # AWS goes by the lowest alone

    history = EventSourceMapping(stream, function).drain()

    history.check(allow=["done_twice", "out_of_order"])
    assert len(history.done) == 5


def test_a_failure_that_was_not_named_and_came_again_is_done_once() -> None:
    stream = Stream()
    stream.send("bad", "bad too", key="k")
    handler = Failing(**{"bad": 1, "bad too": 1})

    def function(event: Any, context: Any) -> Any:
        response = in_key_order("kinesis", raise_on_entire_batch_failure=False).run(event, handler, context).response
        return {"batchItemFailures": response["batchItemFailures"][:1]}

    EventSourceMapping(stream, function).drain().check()


def test_a_batch_that_raised_is_not_lost() -> None:
    history = drained(one_call, "bad 1", "bad 2")

    history.check()
    assert len(history.dead_letters) == 2


def test_batches_of_other_records_are_not_of_the_mapping() -> None:
    def inner(record: Any) -> None:
        # The factory names its first message like the first of the queue.
        processor_of(raise_on_entire_batch_failure=False).run(make_event("sqs", "bad", "bad"), fails_bad)
        fails_bad(record)

    def function(event: Any, context: Any) -> Any:
        process_partial_response(make_event("kinesis", "bad", "b"), fails_bad, processor_of("kinesis"))
        response = process_partial_response(event, inner, processor_of(), context)
        process_partial_response(make_event("sqs", "bad inside", "b"), fails_bad, processor_of())
        return response

    history = drained(function)

    history.check()
    assert contents(history.done) == ["a", "c"]


def test_a_function_that_does_its_own_records_by_hand_may_run_batches_of_others() -> None:
    def function(event: Any, context: Any) -> Any:
        for content in ("bad", "b"):  # named as the first message of the queue is
            processor_of(raise_on_entire_batch_failure=False).run(make_event("sqs", content), fails_bad)
        return {"batchItemFailures": []}

    history = drained(function)

    history.check()
    assert len(history.done) == 3


def test_a_handler_may_run_a_batch_of_its_own_record() -> None:
    def handler(record: Any) -> None:
        inside = {"Records": [record.raw_event]}
        processor_of(raise_on_entire_batch_failure=False).run(inside, fails_bad)  # what became of it is handled here

    history = drained(lambda event, context: process_partial_response(event, handler, processor_of(), context))

    history.check()
    assert len(history.done) == 3


def test_a_second_processor_may_do_what_the_first_could_not() -> None:
    def of_all(event: Any, context: Any) -> Any:
        one_call(event, context)
        return process_partial_response(event, lambda record: None, processor_of(), context)

    def of_the_failures(event: Any, context: Any) -> Any:
        result = processor_of(raise_on_entire_batch_failure=False).run(event, fails_bad, context)
        again = {"Records": [outcome.record for outcome in result.failures]}
        return process_partial_response(again, lambda record: None, processor_of(), context)

    for function in (of_all, of_the_failures):
        history = drained(function)
        history.check()
        assert len(history.done) == 3


@pytest.mark.parametrize(
    "record_again",
    [
        lambda record: record,
        copy.deepcopy,
        lambda record: {**record, "attempt": 2},
    ],
    ids=["itself", "a copy", "changed"],
)
def test_a_function_may_try_again_by_itself(record_again: Callable[[Any], Any]) -> None:
    handler = Failing(bad=2)

    def function(event: Any, context: Any) -> Any:
        for _ in range(3):
            result = processor_of(raise_on_entire_batch_failure=False).run(event, handler, context)
            event = {"Records": [record_again(outcome.record) for outcome in result.failures]}
        return result.response

    history = drained(function)

    history.check()
    assert handler.calls.count("bad") == 3


def test_a_function_may_choose_its_processor_by_trying() -> None:
    def function(event: Any, context: Any) -> Any:
        try:
            return process_partial_response(event, fails_bad, processor_of("kinesis"), context)
        except ValueError:
            return one_call(event, context)

    drained(function).check()


def test_what_a_function_does_not_give_to_a_batch_counts_by_its_response() -> None:
    def function(event: Any, context: Any) -> Any:
        wanted = [record for record in event["Records"] if record["body"] != "heartbeat"]
        return one_call({"Records": wanted}, context)

    history = drained(function, "heartbeat", "bad", "c")

    history.check()
    assert contents(history.done) == ["heartbeat", "c"]


def test_what_the_test_says_is_done_is_done() -> None:
    queue = Queue()
    queue.send("bad")

    def function(event: Any, context: Any) -> None:
        process_partial_response(event, fails_bad, processor_of(raise_on_entire_batch_failure=False), context)
        mapping.done("bad")

    mapping = EventSourceMapping(queue, function)

    mapping.drain().check()


def test_batches_outside_of_an_invocation_are_nobodys() -> None:
    queue = Queue()
    (item,) = queue.send("bad")
    mapping = EventSourceMapping(queue, lambda event, context: {"batchItemFailures": []})
    one_call(make_event("sqs", "a", "bad"), None)

    mapping.drain().check()

    assert item.done == []
    assert len(item.reported) == 1


def test_two_mappings_at_a_time_do_not_see_the_batches_of_each_other() -> None:
    histories: dict[str, History] = {}
    both = threading.Barrier(2, timeout=60)

    def drain(name: str, function: Function) -> None:
        histories[name] = drained(function, "a", "bad", "c")

    def by_hand(event: Any, context: Any) -> Any:
        both.wait()
        both.wait()
        return {"batchItemFailures": []}

    def by_batchcore(event: Any, context: Any) -> Any:
        if len(event["Records"]) == 1:
            return one_call(event, context)
        both.wait()
        try:
            return one_call(event, context)
        finally:
            both.wait()

    threads = [
        threading.Thread(target=drain, args=("by hand", by_hand)),
        threading.Thread(target=drain, args=("by batchcore", by_batchcore)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for history in histories.values():
        history.check()
    assert len(histories["by hand"].done) == 3
    assert contents(histories["by batchcore"].dead_letters) == ["bad"]


def test_nothing_of_an_invocation_is_kept_by_the_library() -> None:
    from batchcore import plan

    def function(event: Any, context: Any) -> Any:
        assert len(plan.watchers) == 1
        raise OSError

    drained(function)

    assert plan.watchers == []


def test_an_invocation_tells_what_batchcore_has_not_finished() -> None:
    history = drained(one_call)
    queue_numbers = {item.content: item.number for item in history.items}

    assert [dict(each.unfinished) for each in history.invocations] == [
        {queue_numbers["bad"]: "batchcore saw it fail (OSError), and the function named it"},
        *[{}] * 2,
    ]


def test_a_mapping_with_a_processor_says_what_its_source_left_out() -> None:
    class NamesNothing:
        @hookimpl(wrapper=True)
        def build_response(self) -> Any:
            yield
            return {"batchItemFailures": []}

    queue = Queue()
    queue.send("a", "bad")
    processor = processor_of(plugins=[NamesNothing()])

    history = EventSourceMapping(queue, processor=processor, record_handler=fails_bad).drain()

    assert contents(history.lost) == ["bad"]
    assert "and the function returned {'batchItemFailures': []}" in history.problems()[1]


@pytest.mark.parametrize("source", ["sqs", "fifo", "kinesis", "dynamodb", "kafka"])
def test_a_right_function_of_every_source_passes(source: str) -> None:
    from .support import source_of

    made = source_of(source)
    for number in range(20):
        made.send(f"bad {number}" if number % 3 == 0 else f"{number}", key=f"k{number % 4}")
    handler = Failing(**{f"bad {number}": 1 for number in range(0, 20, 3)})
    processor = ordered_processor_of(source)

    history = EventSourceMapping(
        made, lambda event, context: process_partial_response(event, handler, processor, context), batch_size=6
    ).drain()

    history.check(allow=["done_twice"])
    assert len(history.done) == 20
    assert records_of(history.invocations[0].event)


# -- A function that raises after its batch: what it has done comes again.


def test_what_is_done_again_because_another_message_failed_is_done_twice() -> None:
    queue = BrokerQueue("rabbitmq", delivery_limit=3)
    queue.send("good", "bad")
    processor = BatchProcessor("rabbitmq")

    def function(event: Any, context: Any) -> Any:
        return processor.run(event, fails_on_bad, context).response

    history = EventSourceMapping(queue, function).drain()

    assert [item.content for item in history.done_twice] == ["good"]


def fails_on_bad(message: Any) -> None:
    if message.decoded_data == "bad":
        raise ValueError


def test_a_function_that_raises_after_its_batch_does_it_twice() -> None:
    queue = Queue(max_receive_count=2)
    queue.send("a")
    processor = BatchProcessor("sqs")

    def function(event: Any, context: Any) -> Any:
        processor.run(event, lambda record: None, context)
        raise ConnectionError

    history = EventSourceMapping(queue, function).drain()

    assert [item.content for item in history.done_twice] == ["a"]
