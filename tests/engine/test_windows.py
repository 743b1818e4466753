"""Tumbling windows: what comes in with the state goes out with it, and each record counts once, whatever fails."""

from __future__ import annotations

import asyncio
import copy
import inspect
import json
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from batchcore import (
    AsyncBatchProcessor,
    BasePartialBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    Disposition,
    DropRecord,
    HandlerSignatureError,
    NotAttemptedError,
    OutOfTimeError,
    UnawaitedResultError,
    UnexpectedBatchTypeError,
    by_key,
    hookimpl,
    process_partial_response,
    unordered,
)
from batchcore.windows import WindowStateError, window_of
from tests.batches import PATIENCE
from tests.clocks import MARGIN, Nearly, Spent

Event = dict[str, Any]
State = dict[str, Any]

BOUNDS = {"start": "2026-10-01T07:04:00Z", "end": "2026-10-01T07:06:00Z"}
ARN = "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"
QUIET = logging.Logger("quiet")  # noqa: LOG001 - in no hierarchy, where pytest would keep what is logged
QUIET.addHandler(logging.NullHandler())


def record_of(number: int, source: str = "kinesis") -> dict[str, Any]:
    if source == "kinesis":
        return {
            "kinesis": {"sequenceNumber": str(number), "partitionKey": f"key {number % 2}", "data": "e30="},
            "eventSource": "aws:kinesis",
            "eventSourceARN": ARN,
        }
    change = {"SequenceNumber": str(number), "Keys": {"Id": {"N": str(number % 2)}}}
    return {"dynamodb": change, "eventSource": "aws:dynamodb", "eventName": "INSERT"}


def number_of(record: Any) -> int:
    return int(record["kinesis"]["sequenceNumber"] if "kinesis" in record else record["dynamodb"]["SequenceNumber"])


def windowed(*numbers: int, source: str = "kinesis", **fields: Any) -> Event:
    """Make an event of a window, with records of these numbers."""
    return {
        "Records": [record_of(number, source) for number in numbers],
        "window": dict(BOUNDS),
        "state": {},
        "shardId": "shardId-000000000006",
        "eventSourceARN": ARN.replace("kinesis", source),
        "isFinalInvokeForWindow": False,
        "isWindowTerminatedEarly": False,
        **fields,
    }


def failed(response: Any) -> list[int]:
    """Give the numbers that a response names; fails where it is not in AWS's shape."""
    assert list(response) == ["state", "batchItemFailures"]
    return [int(item["itemIdentifier"]) for item in response["batchItemFailures"]]


def count(record: Any, state: State) -> None:
    state.setdefault("seen", []).append(number_of(record))


def failing_at(*bad: int) -> Callable[[Any, State], None]:
    """Count each record; fail with these, after they were counted."""

    def handle(record: Any, state: State) -> None:
        count(record, state)
        if number_of(record) in bad:
            raise ValueError(number_of(record))

    return handle


# The drivers. Handlers of windows ask for more than a record, so these are not the ways of the other tests.

Driver = Callable[..., Any]


def waiting(handler: Callable[..., Any]) -> Callable[..., Any]:
    """Give a handler of a record, or of a record and the state, as one that waits before and after."""

    async def wait(*arguments: Any) -> Any:
        await asyncio.sleep(0)
        value = handler(*arguments)
        await asyncio.sleep(0)
        return value

    async def handle_record(record: Any) -> Any:
        return await wait(record)

    async def handle_record_and_state(record: Any, state: State) -> Any:
        return await wait(record, state)

    return handle_record_and_state if "state" in inspect.signature(handler).parameters else handle_record


def one_by_one(event: Event, handler: Any, context: Any = None, **options: Any) -> Any:
    return BatchProcessor(**with_defaults(options)).run(event, handler, context)


def in_threads(event: Event, handler: Any, context: Any = None, **options: Any) -> Any:
    return BatchProcessor(**with_defaults(options), max_concurrency=3).run(event, handler, context)


def in_an_executor(event: Event, handler: Any, context: Any = None, **options: Any) -> Any:
    with ThreadPoolExecutor(3) as executor:
        return BatchProcessor(**with_defaults(options), executor=executor).run(event, handler, context)


def as_tasks(event: Event, handler: Any, context: Any = None, **options: Any) -> Any:
    return AsyncBatchProcessor(**with_defaults(options)).run(event, waiting(handler), context)


def plain_under_asyncio(event: Event, handler: Any, context: Any = None, **options: Any) -> Any:
    return AsyncBatchProcessor(**with_defaults(options)).run(event, handler, context)


def in_a_running_loop(event: Event, handler: Any, context: Any = None, **options: Any) -> Any:
    return asyncio.run(AsyncBatchProcessor(**with_defaults(options)).arun(event, waiting(handler), context))


def with_defaults(options: dict[str, Any]) -> dict[str, Any]:
    return {"event_type": "kinesis", "raise_on_entire_batch_failure": False, "logger": QUIET, **options}


DRIVERS = [one_by_one, in_threads, in_an_executor, as_tasks, plain_under_asyncio, in_a_running_loop]
every_driver = pytest.mark.parametrize("run", DRIVERS, ids=lambda driver: driver.__name__)


def plugin_of(**hooks: Callable[..., Any]) -> Any:
    """Make a plugin of some functions, which get no ``self``."""
    return type("Plugin", (), {name: staticmethod(hookimpl(function)) for name, function in hooks.items()})()


# The state.


@every_driver
def test_state_comes_in_and_goes_out_beside_the_failures(run: Driver) -> None:
    response = run(windowed(2, 3, state={"seen": [1]}), count).response
    assert response == {"state": {"seen": [1, 2, 3]}, "batchItemFailures": []}


@every_driver
def test_handler_that_does_not_ask_echoes_the_state(run: Driver) -> None:
    state = {"deep": {"er": [1, None, "é", 1.5]}}

    def handle(record: Any) -> None:
        if number_of(record) == 2:
            raise ValueError

    response = run(windowed(1, 2, 3, state=state), handle).response
    assert response["state"] == state
    assert failed(response) == [2, 3]


@pytest.mark.parametrize("fields", [{"state": None}, {"state": {}}, {}], ids=["null", "empty", "absent"])
def test_window_without_a_state_begins_with_an_empty_one(fields: Event) -> None:
    event = windowed(1)
    del event["state"]
    assert one_by_one(event | fields, lambda record: None).response["state"] == {}
    assert one_by_one(event | fields, count).response["state"] == {"seen": [1]}


def test_event_keeps_the_state_that_it_came_with() -> None:
    event = windowed(1, 2, state={"seen": [0]})
    before = copy.deepcopy(event)
    one_by_one(event, count)
    assert event == before


def test_what_a_handler_keeps_of_the_state_changes_nothing_later() -> None:
    kept: list[State] = []

    def handle(record: Any, state: State) -> None:
        for other in kept:
            other["seen"].append("ghost")
        count(record, state)
        kept.append(state)

    assert one_by_one(windowed(1, 2, 3), handle).response["state"] == {"seen": [1, 2, 3]}


def test_two_batches_of_one_processor_have_two_states() -> None:
    processor = BatchProcessor("kinesis")
    inner: list[Any] = []

    def handle(record: Any, state: State) -> None:
        count(record, state)
        if number_of(record) == 1:
            inner.append(processor.run(windowed(7, 8), handle).response)

    assert processor.run(windowed(1, 2), handle).response["state"] == {"seen": [1, 2]}
    assert inner[0]["state"] == {"seen": [7, 8]}


def test_record_that_is_twice_in_a_batch_counts_twice() -> None:
    event = windowed(1, 2)
    event["Records"] = [event["Records"][position] for position in (0, 1, 0, 0)]
    assert one_by_one(event, count).response["state"] == {"seen": [1, 2, 1, 1]}


def test_second_of_two_equal_records_counts_where_the_first_was_dropped() -> None:
    event = windowed(1, 2)
    event["Records"] = [event["Records"][position] for position in (0, 0, 1)]
    hook = plugin_of(before_records=lambda batch, fail: fail(0, DropRecord()))
    for bad, seen in (((), [1, 2]), ((2,), [1])):
        assert one_by_one(event, failing_at(*bad), plugins=[hook]).response["state"] == {"seen": seen}


def test_cost_of_a_record_does_not_grow_with_the_batch() -> None:
    def seconds_per_record(records: int) -> float:
        event = windowed(*range(records))
        processor = BatchProcessor("kinesis", plugins=[plugin_of(after_records=lambda batch: None)])

        def handle(record: Any, state: State) -> None:
            state["n"] = state.get("n", 0) + 1

        started = time.thread_time()
        assert process_partial_response(event, handle, processor)["state"] == {"n": records}
        return (time.thread_time() - started) / records

    assert min(seconds_per_record(20_000) for _ in range(2)) < 5 * min(seconds_per_record(500) for _ in range(5))


# Order and failures.


@every_driver
@pytest.mark.parametrize(
    "ordering", [None, unordered, by_key(lambda record: number_of(record) % 2, on_failure="continue")]
)
def test_windowed_batch_runs_in_order_up_to_the_first_failure_whatever_the_caller_chose(
    run: Driver, ordering: Any
) -> None:
    called: list[int] = []

    def handle(record: Any, state: State) -> None:
        called.append(number_of(record))
        failing_at(4)(record, state)

    result = run(windowed(1, 2, 3, 4, 5, 6), handle, ordering=ordering)
    assert called == [1, 2, 3, 4]
    assert failed(result.response) == [4, 5, 6]
    assert result.response["state"] == {"seen": [1, 2, 3]}
    assert [type(outcome.exception) for outcome in result.failures] == [
        ValueError,
        NotAttemptedError,
        NotAttemptedError,
    ]


@every_driver
def test_batch_that_fails_with_its_first_record_gives_back_the_state_that_came(run: Driver) -> None:
    response = run(windowed(1, 2, state={"seen": [0]}), failing_at(1)).response
    assert response["state"] == {"seen": [0]}
    assert failed(response) == [1, 2]


def test_batch_that_failed_whole_raises_with_a_response_that_has_the_state() -> None:
    with pytest.raises(BatchProcessingError) as caught:
        process_partial_response(windowed(1, state={"n": 3}), failing_at(1), BatchProcessor("kinesis", logger=QUIET))
    assert caught.value.result is not None
    assert caught.value.result.response == {"state": {"n": 3}, "batchItemFailures": [{"itemIdentifier": "1"}]}


@every_driver
def test_dropped_record_leaves_no_trace_and_the_rest_goes_on(run: Driver) -> None:
    response = run(windowed(1, 2, 3), failing_at(2), dispositions={ValueError: Disposition.DROP}).response
    assert response == {"state": {"seen": [1, 3]}, "batchItemFailures": []}


@every_driver
@pytest.mark.parametrize("delivered", [True, False], ids=["delivered", "not delivered"])
def test_dead_letter_leaves_no_trace_and_stops_the_rest_unless_it_is_delivered(run: Driver, delivered: bool) -> None:
    def deliver(outcome: Any) -> None:
        if not delivered:
            raise OSError

    options: dict[str, Any] = {"dispositions": {ValueError: Disposition.DEAD_LETTER}}
    response = run(
        windowed(1, 2, 3), failing_at(2), plugins=[plugin_of(deliver_dead_letter=deliver)], **options
    ).response
    assert response["state"] == ({"seen": [1, 3]} if delivered else {"seen": [1]})
    assert failed(response) == ([] if delivered else [2, 3])


@every_driver
def test_record_whose_data_is_wrong_stops_the_batch(run: Driver) -> None:
    pydantic = pytest.importorskip("pydantic")

    class Model(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        kinesis: dict[str, str]
        eventSource: str

        def __getitem__(self, name: str) -> Any:
            return getattr(self, name)

        def __contains__(self, name: str) -> bool:
            return name == "kinesis"

    event = windowed(1, 2, 3)
    event["Records"][1]["kinesis"]["data"] = 7
    response = run(event, count, model=Model).response
    assert response["state"] == {"seen": [1]}
    assert failed(response) == [2, 3]


class Opens:
    """Prepares records as copies, but not number 2."""

    @hookimpl(wrapper=True)
    def record_preparer(self, batch: Any) -> Iterator[None]:
        yield

        def prepare(record: Any) -> Any:
            if number_of(record) == 2:
                raise ValueError
            return {**record, "opened": True}

        return prepare  # type: ignore[return-value]  # what a wrapper returns is not what it yields


@every_driver
def test_prepared_records_count_and_one_that_cannot_be_prepared_stops_the_batch(run: Driver) -> None:
    def handle(record: Any, state: State) -> None:
        assert record["opened"]
        count(record, state)

    response = run(windowed(1, 2, 3), handle, plugins=[Opens()]).response
    assert response["state"] == {"seen": [1]}
    assert failed(response) == [2, 3]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda state: state.update(x=object()),
        lambda state: state.update(x=Decimal(1)),
        lambda state: state.update(x=math.nan),
        lambda state: state.update(x=-math.inf),
        lambda state: state.update(x=b""),
        lambda state: state.update(x={1}),
        lambda state: state.update(x=(1, 2)),
        lambda state: state.update(x={1: 2}),
        lambda state: state.update({None: 2}),
        lambda state: state.update(x="\ud800"),
        lambda state: state.update(itself=state),
    ],
)
@every_driver
def test_state_that_is_no_json_fails_its_record_alone(run: Driver, spoil: Callable[[State], None]) -> None:
    def handle(record: Any, state: State) -> None:
        count(record, state)
        if number_of(record) == 2:
            spoil(state)

    result = run(windowed(1, 2, 3), handle, dispositions={WindowStateError: Disposition.DROP})
    assert result.response == {"state": {"seen": [1, 3]}, "batchItemFailures": []}
    assert [type(outcome.exception) for outcome in result.outcomes] == [type(None), WindowStateError, type(None)]


@pytest.mark.parametrize("value", ["é\U0001f600", 10**30, 0.1, -0.0, None, True, [], {"": [{}]}, "\x00\u2028"])
def test_state_is_given_back_as_the_handler_left_it(value: object) -> None:
    def handle(record: Any, state: State) -> None:
        state["x"] = value

    assert repr(one_by_one(windowed(1), handle).response["state"]) == repr({"x": value})


def test_record_that_fails_and_leaves_no_json_fails_with_its_own_exception() -> None:
    def handle(record: Any, state: State) -> None:
        state["x"] = object()
        raise ZeroDivisionError

    assert [type(outcome.exception) for outcome in one_by_one(windowed(1), handle).failures] == [ZeroDivisionError]


class Doubtful(BatchProcessor):
    """Finds that the second record did not succeed after all."""

    def success_handler(self, record: Any, result: Any) -> Any:
        if number_of(record) == 2:
            raise ValueError
        return super().success_handler(record, result)


@pytest.mark.parametrize("last", [2, 3])
@pytest.mark.parametrize("disposition", [Disposition.DROP, Disposition.RETRY])
def test_record_that_fails_after_its_handler_leaves_no_trace(last: int, disposition: Disposition) -> None:
    processor = Doubtful(**with_defaults({"dispositions": {ValueError: disposition}}))
    response = processor.run(windowed(*range(1, last + 1)), count).response
    goes_on = last == 3 and disposition is Disposition.DROP
    assert response["state"] == {"seen": [1, 3] if goes_on else [1]}


def test_record_whose_handler_gave_what_nobody_runs_leaves_no_trace() -> None:
    def handle(record: Any, state: State) -> Any:
        count(record, state)
        return (_ for _ in ()) if number_of(record) in (2, 3) else None

    event = windowed(1, 2, 3, 4)
    response = one_by_one(event, handle, dispositions={UnawaitedResultError: Disposition.DROP}).response
    assert response["state"] == {"seen": [1, 4]}


# Batch hooks.


@every_driver
def test_record_that_a_batch_hook_fails_beforehand_stops_the_batch(run: Driver) -> None:
    hook = plugin_of(before_records=lambda batch, fail: fail(1, ValueError()))
    response = run(windowed(1, 2, 3), count, plugins=[hook]).response
    assert response["state"] == {"seen": [1]}
    assert failed(response) == [2, 3]


@every_driver
@pytest.mark.parametrize(("bad", "seen"), [(0, []), (1, [1]), (3, [1, 2, 3])])
def test_state_goes_back_to_before_a_record_that_a_batch_hook_fails_afterwards(
    run: Driver, bad: int, seen: Any
) -> None:
    hook = plugin_of(after_records=lambda batch, outcomes, fail: fail(outcomes[bad], OSError()))
    response = run(windowed(1, 2, 3, 4, state={"seen": []}), count, plugins=[hook]).response
    assert response["state"] == {"seen": seen}
    assert failed(response) == [bad + 1]


@every_driver
def test_state_goes_back_to_the_first_when_a_batch_hook_fails_all(run: Driver) -> None:
    def after_records(batch: Any) -> None:
        raise OSError

    response = run(
        windowed(1, 2, state={"seen": [0]}), count, plugins=[plugin_of(after_records=after_records)]
    ).response
    assert response["state"] == {"seen": [0]}
    assert failed(response) == [1, 2]


@pytest.mark.parametrize("asked_in", [1, 2, 3, "hook"])
@pytest.mark.parametrize(("bad", "seen"), [(0, [0]), (1, [0, 1]), (2, [0, 1, 2]), (3, [0, 1, 2, 3])])
@pytest.mark.parametrize("ordered", [{}, {"max_concurrency": 3}], ids=["one by one", "in threads"])
def test_state_goes_back_as_far_though_the_response_was_asked_for_meanwhile(
    asked_in: int | str, bad: int, seen: list[int], ordered: Any
) -> None:
    answers: list[Any] = []

    def handle(record: Any, state: State) -> None:
        count(record, state)
        if number_of(record) == asked_in:
            answers.append(processor.response())

    def after_records(batch: Any, outcomes: Any, fail: Any) -> None:
        if asked_in == "hook":
            answers.append(processor.response())
        fail(outcomes[bad], OSError())

    processor = BatchProcessor(**with_defaults({"plugins": [plugin_of(after_records=after_records)]}), **ordered)
    response: Any = processor.run(windowed(1, 2, 3, 4, state={"seen": [0]}), handle).response
    assert (response["state"], failed(response)) == ({"seen": seen}, [bad + 1])
    done = 4 if asked_in == "hook" else int(asked_in) - 1
    assert answers[0]["state"] == {"seen": [*range(done + 1)]}


def test_state_goes_back_to_before_records_that_share_an_identifier_though_the_response_was_asked_for() -> None:
    """AWS goes by identifiers: one of them failing brings the others back."""

    def handle(record: Any, state: State) -> None:
        processor.response()
        count(record, state)
        if len(state["seen"]) == 3:
            raise ValueError

    processor = BatchProcessor(**with_defaults({}))
    response = processor.run(windowed(1, 1, 1, state={"seen": []}), handle).response
    assert response["state"] == {"seen": []}  # type: ignore[typeddict-item]  # of a window


def test_states_that_nobody_goes_back_to_are_let_go() -> None:
    hook = plugin_of(after_records=lambda batch: None)
    window = window_of(one_by_one(windowed(*range(1, 50)), count, plugins=[hook]).batch)
    assert window is not None
    assert window._kept == []
    window = window_of(one_by_one(windowed(*range(1, 50)), count).batch)
    assert window is not None
    assert len(window._kept) <= 2


def test_next_batch_hook_sees_the_state_that_is_left_when_one_has_failed_a_record() -> None:
    seen: list[State] = []

    def look(batch: Any) -> None:
        window = window_of(batch)
        assert window is not None
        seen.append(window.state)

    fails = plugin_of(after_records=lambda batch, outcomes, fail: fail(outcomes[1], OSError()))
    looks = [plugin_of(after_records=look), fails, plugin_of(after_records=look)]
    one_by_one(windowed(1, 2, 3), count, plugins=looks)
    assert seen == [{"seen": [1, 2, 3]}, {"seen": [1]}]


def test_batch_hook_may_change_what_it_was_shown_of_the_state_and_the_response_stays() -> None:
    def change(batch: Any) -> None:
        window = window_of(batch)
        assert window is not None
        window.state["seen"] = "changed"

    hook = plugin_of(before_records=change, after_records=change)
    assert one_by_one(windowed(1), count, plugins=[hook]).response["state"] == {"seen": [1]}


def test_what_calls_out_after_the_batch_sees_the_state_that_was_answered() -> None:
    seen: list[State] = []

    def after_batch(result: Any) -> None:
        window = window_of(result.batch)
        assert window is not None
        seen.append(window.state)

    one_by_one(windowed(1, 2, 3), failing_at(2), plugins=[plugin_of(after_batch=after_batch)])
    assert seen == [{"seen": [1]}]


# The window.


@pytest.mark.parametrize(("final", "early"), [(False, False), (True, False), (False, True)])
def test_handler_that_asks_is_told_of_the_window(final: bool, early: bool) -> None:
    windows: list[Any] = []

    def handle(record: Any, window: Any) -> None:
        windows.append(window)

    event = windowed(1, isFinalInvokeForWindow=final, isWindowTerminatedEarly=early)
    assert one_by_one(event, handle).response["state"] == {}
    (window,) = windows
    assert (window.start, window.end) == (BOUNDS["start"], BOUNDS["end"])
    assert window.shard_id == "shardId-000000000006"
    assert (window.is_final, window.is_terminated_early) == (final, early)


def test_handler_may_ask_for_both_and_the_window_has_the_state_before_the_record() -> None:
    def handle(record: Any, state: State, window: Any) -> None:
        before = copy.deepcopy(state)
        count(record, state)
        assert window.state == before

    assert one_by_one(windowed(1, 2), handle).response == {"state": {"seen": [1, 2]}, "batchItemFailures": []}


def test_window_says_what_it_is() -> None:
    window = window_of(one_by_one(windowed(1, isFinalInvokeForWindow=True), count).batch)
    assert repr(window) == f"<Window from {BOUNDS['start']} to {BOUNDS['end']} of shardId-000000000006, final>"


@pytest.mark.parametrize("fields", [{}, {"window": None}], ids=["absent", "null"])
def test_batch_without_a_window_has_no_state(fields: Event) -> None:
    event = {"Records": [record_of(1), record_of(2)], **fields}
    given: list[Any] = []

    def handle(record: Any, state: Any = None, window: Any = None) -> None:
        given.append((state, window))

    result = one_by_one(event, handle)
    assert result.response == {"batchItemFailures": []}
    assert given == [(None, None)] * 2
    assert window_of(result.batch) is None


@pytest.mark.parametrize("name", ["state", "window"])
def test_handler_that_needs_a_window_is_refused_where_there_is_none(name: str) -> None:
    called: list[Any] = []
    handler = {"state": lambda record, state: called.append(state), "window": lambda record, window: called.append(1)}
    with pytest.raises(HandlerSignatureError, match=f"needs {name} besides the record"):
        one_by_one({"Records": [record_of(1)]}, handler[name])
    assert called == []


def test_context_manager_gets_no_event_so_it_knows_of_no_window() -> None:
    processor = BatchProcessor("kinesis")
    with processor(records=windowed(1)["Records"], handler=lambda record: None):
        processor.process()
    assert processor.response() == {"batchItemFailures": []}
    with pytest.raises(HandlerSignatureError):
        processor(records=windowed(1)["Records"], handler=count)


class FromScratch(BasePartialBatchProcessor):
    """A processor of somebody's own, that fails with record 2."""

    def _process_record(self, record: Any) -> Any:
        if number_of(record) == 2:
            return "fail", "broken", record
        return self.success_handler(record, None)


def test_processor_from_scratch_echoes_the_state_and_stops_at_the_first_failure() -> None:
    processor = FromScratch("kinesis", logger=QUIET)
    response = process_partial_response(windowed(1, 2, 3, state={"n": 1}), lambda record: None, processor)
    assert response["state"] == {"n": 1}
    assert failed(response) == [2, 3]
    assert [number_of(record) for record in processor.success_messages] == [1]


# The last call, which may have no records.


@every_driver
def test_last_call_without_records_echoes_the_state(run: Driver) -> None:
    event = windowed(state={"seen": [1]}, isFinalInvokeForWindow=True)
    assert run(event, count).response == {"state": {"seen": [1]}, "batchItemFailures": []}


@every_driver
def test_batch_hooks_see_the_window_of_a_last_call_without_records(run: Driver) -> None:
    written: list[Any] = []

    def after_records(batch: Any, outcomes: Any) -> None:
        window = window_of(batch)
        assert window is not None
        assert window.is_final
        written.append((window.start, window.state, len(outcomes)))

    event = windowed(state={"n": 2}, isFinalInvokeForWindow=True)
    run(event, count, plugins=[plugin_of(after_records=after_records)])
    assert written == [(BOUNDS["start"], {"n": 2}, 0)]


@every_driver
def test_last_call_without_records_fails_where_its_batch_hook_does(run: Driver) -> None:
    def after_records(batch: Any) -> None:
        raise OSError("no room")

    event = windowed(state={"n": 2}, isFinalInvokeForWindow=True)
    with pytest.raises(OSError, match="no room"):
        run(event, count, plugins=[plugin_of(after_records=after_records)])


@pytest.mark.parametrize("source", ["kinesis", "dynamodb"])
@pytest.mark.parametrize("arn", [True, False], ids=["with ARN", "without"])
def test_last_call_without_records_finds_a_source_that_has_windows(source: str, arn: bool) -> None:
    import batchcore_sqs

    assert batchcore_sqs.SQS  # it is offered, so it is asked too
    event = windowed(source=source, state={"n": 2}, isFinalInvokeForWindow=True)
    if not arn:
        del event["eventSourceARN"]
    result = BatchProcessor().run(event, count)
    assert result.response == {"state": {"n": 2}, "batchItemFailures": []}
    assert result.batch.source == source or not arn


@pytest.mark.parametrize(("source", "other"), [("kinesis", "dynamodb"), ("dynamodb", "kinesis"), ("kinesis", "sqs")])
def test_last_call_without_records_is_refused_by_another_source(source: str, other: str) -> None:
    with pytest.raises(UnexpectedBatchTypeError):
        BatchProcessor(other).run(windowed(source=source, isFinalInvokeForWindow=True), count)


def test_source_without_windows_refuses_a_windowed_event_without_records() -> None:
    with pytest.raises(UnexpectedBatchTypeError):
        BatchProcessor("sqs").run({"Records": [], "window": BOUNDS}, print)


# Time.


@every_driver
def test_records_that_have_no_time_left_are_not_in_the_state(run: Driver) -> None:
    context = Spent(60)

    def handle(record: Any, state: State) -> None:
        count(record, state)
        if number_of(record) == 2:
            context.spend(50.5)  # less than the ten are left, and more than three quarters of them

    result = run(windowed(1, 2, 3, 4), handle, context, stop_before_timeout=10)
    assert failed(result.response) == [3, 4]
    assert result.response["state"] == {"seen": [1, 2]}
    assert all(isinstance(outcome.exception, OutOfTimeError) for outcome in result.failures)


@contextmanager
def stuck_at(number: int) -> Iterator[tuple[Callable[[Any, State], None], Nearly, Callable[[], None]]]:
    """Give a handler that changes the state, waits at one record until it is let go, and changes it again.

    With it, the context whose time passes meanwhile, and what lets it go and waits until its worker has ended.
    """
    context, let_go = Nearly(), threading.Event()

    def handle(record: Any, state: State) -> None:
        count(record, state)
        if number_of(record) == number:
            context.passes()
            assert let_go.wait(PATIENCE)
            state["late"] = True

    def end() -> None:
        workers = [thread for thread in threading.enumerate() if thread.name == "batchcore"]
        let_go.set()
        for worker in workers:
            worker.join(PATIENCE)

    try:
        yield handle, context, end
    finally:
        end()


@pytest.mark.parametrize("hooks", [[], [plugin_of(after_records=lambda batch: None)]], ids=["", "with a batch hook"])
@pytest.mark.parametrize(("number", "seen"), [(1, [0]), (2, [0, 1]), (4, [0, 1, 2, 3])])
def test_handler_that_was_abandoned_in_a_thread_is_not_in_the_state(number: int, seen: list[int], hooks: Any) -> None:
    with stuck_at(number) as (handle, context, _):
        event = windowed(1, 2, 3, 4, state={"seen": [0]})
        result = in_threads(event, handle, context, stop_before_timeout=MARGIN, plugins=hooks)
        assert result.response["state"] == {"seen": seen}
        assert failed(result.response) == list(range(number, 5))


def test_handler_that_ends_after_the_response_changes_neither_response_nor_window() -> None:
    with stuck_at(2) as (handle, context, end):
        result = in_threads(windowed(1, 2, 3), handle, context, stop_before_timeout=MARGIN)
        end()
    window = window_of(result.batch)
    assert window is not None
    assert window.state == result.response["state"] == {"seen": [1]}


def test_batch_hook_does_not_see_what_a_handler_that_was_abandoned_has_changed() -> None:
    written: list[Any] = []

    def after_records(batch: Any) -> None:
        window = window_of(batch)
        assert window is not None
        written.append(window.state)

    with stuck_at(2) as (handle, context, _):
        hooks = [plugin_of(after_records=after_records)]
        in_threads(windowed(1, 2, 3), handle, context, stop_before_timeout=MARGIN, plugins=hooks)
        assert written == [{"seen": [1]}]


@pytest.mark.parametrize("swallows", [False, True], ids=["cancelled", "left behind"])
def test_async_handler_that_was_cut_short_is_not_in_the_state(swallows: bool) -> None:
    context = Nearly()

    async def handle(record: Any, state: State) -> None:
        count(record, state)
        if number_of(record) == 2:
            context.passes()
            try:
                await asyncio.sleep(PATIENCE)
            except asyncio.CancelledError:
                if not swallows:
                    raise
                await asyncio.sleep(PATIENCE)

    async def main() -> Any:
        options = with_defaults({"stop_before_timeout": MARGIN})
        return await AsyncBatchProcessor(**options).arun(windowed(1, 2, 3), handle, context)

    result = asyncio.run(main())
    assert result.response["state"] == {"seen": [1]}
    assert failed(result.response) == [2, 3]


# AWS: batch after batch with the state threaded through, each failure delivered again from the checkpoint.

PASSING = [
    "raises",
    "raises after counting",
    "spoils the state",
    "spends the time",
    "batch hook fails it before",
    "batch hook fails it after",
    "batch hook raises after",
    "cannot be prepared",
    "letter is not delivered",
]
FOR_GOOD = ["dropped", "dropped after its handler", "dropped when prepared", "dead letter"]


class NotNow(Exception):
    """What passes."""


class GiveUp(Exception):
    """What does not."""


class GivenUp(Exception):
    """What goes elsewhere."""


class World:
    """Everything round a function that may fail, with what is to fail at each record: scripts, used up one by one."""

    def __init__(self, scripts: dict[int, list[str]]) -> None:
        self.scripts = scripts
        self.context = Spent(60)
        self.options: dict[str, Any] = {
            "plugins": [self],
            "stop_before_timeout": 10,
            "dispositions": {
                GiveUp: Disposition.DROP,
                UnawaitedResultError: Disposition.DROP,
                GivenUp: Disposition.DEAD_LETTER,
            },
        }

    @hookimpl
    def before_records(self, batch: Any, fail: Any) -> None:
        for position, record in enumerate(batch.records):
            if self.takes(record, "batch hook fails it before"):
                fail(position, NotNow())

    @hookimpl
    def after_records(self, batch: Any, outcomes: Any, fail: Any) -> None:
        for outcome in outcomes:
            if self.takes(outcome.record, "batch hook fails it after"):
                fail(outcome, NotNow())
            if self.takes(outcome.record, "batch hook raises after"):
                raise NotNow

    @hookimpl(wrapper=True)
    def record_preparer(self, batch: Any) -> Iterator[None]:
        yield
        return self.prepare  # type: ignore[return-value]  # what a wrapper returns is not what it yields

    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        if self.takes(outcome.record, "letter is not delivered"):
            raise NotNow

    def next_of(self, record: Any) -> str:
        script = self.scripts.get(number_of(record))
        return script[0] if script else ""

    def takes(self, record: Any, what: str) -> bool:
        """Say whether this is what happens next to a record, and let it have happened."""
        if self.next_of(record) != what:
            return False
        if what not in FOR_GOOD:
            self.scripts[number_of(record)].pop(0)
        return True

    def prepare(self, record: Any) -> Any:
        if self.takes(record, "cannot be prepared"):
            raise NotNow
        if self.takes(record, "dropped when prepared"):
            raise GiveUp
        return record

    def handle(self, record: Any, state: State) -> Any:
        if self.takes(record, "raises"):
            raise NotNow
        count(record, state)
        if self.takes(record, "raises after counting"):
            raise NotNow
        if self.takes(record, "dropped"):
            raise GiveUp
        if self.takes(record, "dead letter") or self.next_of(record) == "letter is not delivered":
            raise GivenUp
        if self.takes(record, "spoils the state"):
            state["x"] = object()
        if self.takes(record, "dropped after its handler"):
            return (_ for _ in ())
        if self.takes(record, "spends the time"):
            self.context.spend(51)
        return None


def window_total(invoke: Callable[[Event], Any], records: int, sizes: list[int], source: str, at_end: int) -> State:
    """Do with a window what AWS does, and give the state of its last call.

    Args:
        invoke: the function.
        records: how many records the window has.
        sizes: how many of them are in each batch, over and over.
        source: the name of the source.
        at_end: how many of the records come with the last call.
    """
    numbers, state, batches = list(range(1, records + 1)), {}, 0
    for _ in range(60):
        final = len(numbers) <= at_end
        size = len(numbers) if final else min(sizes[batches % len(sizes)], len(numbers) - at_end)
        batches += 1
        event = windowed(*numbers[:size], source=source, state=state, isFinalInvokeForWindow=final)
        try:
            response = json.loads(json.dumps(invoke(json.loads(json.dumps(event)))))
        except (BatchProcessingError, NotNow):
            continue  # the invocation failed: the same event comes again
        lowest = min(failed(response), default=None)
        state = response["state"]
        numbers = numbers[size:] if lowest is None else numbers[numbers.index(lowest) :]
        if final and lowest is None:
            return state
    raise AssertionError("this window never ends")


def script_of(parts: tuple[list[str], list[str]]) -> list[str]:
    """Put a script together. A record that only spends the time may succeed, so nothing for good follows it."""
    passing, for_good = parts
    return passing if "spends the time" in passing else passing + for_good


SCRIPTS = st.lists(
    st.tuples(st.lists(st.sampled_from(PASSING), max_size=2), st.lists(st.sampled_from(FOR_GOOD), max_size=1)).map(
        script_of
    ),
    max_size=8,
)


@every_driver
@pytest.mark.parametrize("source", ["kinesis", "dynamodb"])
@hypothesis_settings(max_examples=40, deadline=None)
@given(scripts=SCRIPTS, sizes=st.lists(st.integers(1, 4), min_size=1, max_size=3), at_end=st.integers(0, 3))
def test_every_record_of_a_window_counts_exactly_once(
    run: Driver, source: str, scripts: list[list[str]], sizes: list[int], at_end: int
) -> None:
    world = World({number: list(script) for number, script in enumerate(scripts, 1)})
    given_up = {number for number, script in enumerate(scripts, 1) if script and script[-1] in FOR_GOOD}

    def invoke(event: Event) -> Any:
        world.context = Spent(60)
        options = {**world.options, "event_type": source, "raise_on_entire_batch_failure": True}
        return run(event, world.handle, world.context, **options).response

    state = window_total(invoke, len(scripts), sizes, source, at_end)
    assert state.get("seen", []) == [number for number in range(1, len(scripts) + 1) if number not in given_up]


@every_driver
def test_exception_that_cannot_be_changed_is_what_its_record_failed_with(run: Driver) -> None:
    @dataclass(frozen=True)
    class BadRecord(Exception):
        reason: str

    def refuse(record: Any, state: dict[str, Any]) -> None:
        raise BadRecord("no sum")

    result = run(windowed(1, 2), refuse, dispositions={BadRecord: Disposition.DROP})

    assert [outcome.status for outcome in result.outcomes] == ["dropped", "dropped"]
    assert result.response == {"state": {}, "batchItemFailures": []}
