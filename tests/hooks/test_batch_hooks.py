"""Batch hooks, ``before_records`` and ``after_records``: what they give, what they fail, and no more."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    ConfigurationError,
    DeadLetterRecord,
    Disposition,
    DropRecord,
    HandlerSignatureError,
    NotAttemptedError,
    OutsideCallError,
    PluginError,
    StopBatch,
    UnawaitedResultError,
    async_process_partial_response,
    in_order,
    process_partial_response,
)

from .support import (
    CheckpointSource,
    Run,
    TimeLeft,
    ToySource,
    exceptions,
    failed,
    play,
    plugin_of,
    run,
    run_async,
    run_threads,
    source_with,
    statuses,
    toys,
)

EVENT = toys("car", "ball", "doll")
OWNERS = {"car": "Ada", "ball": "Bob", "doll": "Cleo"}
NO_RECORDS = toys()

RAISED = [ConnectionError, SystemExit, asyncio.CancelledError, RecursionError]


def owned(toy: Any, owners: Mapping[str, str]) -> str:
    """A handler that asks for what a batch hook looked up."""
    return f"{toy['id']} of {owners[toy['id']]}"


def before(hook: Callable[[Any, Any], Any]) -> Any:
    return plugin_of(before_records=hook)


def after(hook: Callable[[Any, Any], Any]) -> Any:
    return plugin_of(after_records=hook)


def raising(error: BaseException) -> Callable[..., Any]:
    def hook(*arguments: Any) -> None:
        raise error

    return hook


def ids(outcomes: Any) -> list[str]:
    return [outcome.identifier for outcome in outcomes]


# -- Before the records: what handlers are given.


def test_before_records_gives_arguments_that_handlers_ask_for_by_name(driver: Run) -> None:
    result = driver(ToySource(), EVENT, owned, plugins=[before(lambda batch, fail: {"owners": OWNERS})])

    assert result.return_values == ["car of Ada", "ball of Bob", "doll of Cleo"]


def test_before_records_comes_once_with_all_records_between_batch_started_and_the_first_handler(driver: Run) -> None:
    calls: list[Any] = []

    def handler(toy: Any) -> None:
        calls.append("handler")

    plugin = plugin_of(
        batch_started=lambda batch: calls.append("started"),
        before_records=lambda batch: calls.append((batch.source, list(batch.records), list(batch.identifiers))),
    )

    driver(ToySource(), toys("car", "ball"), handler, plugins=[plugin])

    looked_up = ("toy", [{"id": "car"}, {"id": "ball"}], ["car", "ball"])
    assert calls == ["started", looked_up, "handler", "handler"]


def test_a_handler_that_asks_for_nothing_gets_nothing(driver: Run) -> None:
    result = driver(ToySource(), EVENT, play, plugins=[before(lambda batch, fail: {"owners": OWNERS})])

    assert result.return_values == ["played with car", "played with ball", "played with doll"]


def test_what_a_batch_hook_gives_is_the_same_object_for_every_handler(driver: Run) -> None:
    given = object()

    def handler(toy: Any, given: object) -> object:
        return given

    result = driver(ToySource(), EVENT, handler, plugins=[before(lambda batch, fail: {"given": given})])

    assert [value is given for value in result.return_values] == [True, True, True]


def test_a_batch_hook_may_give_any_mapping(driver: Run) -> None:
    plugin = before(lambda batch, fail: MappingProxyType({"owners": OWNERS}))

    assert driver(ToySource(), toys("car"), owned, plugins=[plugin]).return_values == ["car of Ada"]


def test_an_argument_with_a_default_may_be_missing(driver: Run) -> None:
    def handler(toy: Any, owners: Any = "nobody knows") -> Any:
        return owners

    assert driver(ToySource(), toys("car"), handler, plugins=[before(lambda batch, fail: None)]).return_values == [
        "nobody knows"
    ]


def test_an_argument_comes_beside_the_lambda_context(driver: Run) -> None:
    def handler(*, record: Any, lambda_context: Any, owners: Any) -> Any:
        return lambda_context, owners

    result = driver(
        ToySource(), toys("car"), handler, context="ctx", plugins=[before(lambda batch, fail: {"owners": OWNERS})]
    )

    assert result.return_values == [("ctx", OWNERS)]


@pytest.mark.parametrize("name", ["toy", "lambda_context"])
def test_a_batch_hook_cannot_take_the_place_of_the_record_or_the_context(name: str, driver: Run) -> None:
    def handler(toy: Any, lambda_context: Any, owners: Any) -> Any:
        return toy["id"], lambda_context, owners

    hook = before(lambda batch, fail: {name: "the batch hook's", "owners": "known"})

    result = driver(ToySource(), toys("car"), handler, context="ctx", plugins=[hook])

    assert result.return_values == [("car", "ctx", "known")]


def test_a_required_parameter_that_nobody_gives_is_refused_before_the_first_record(driver: Run) -> None:
    handled: list[Any] = []

    def handler(toy: Any, owners: Any, prices: Any) -> None:
        handled.append(toy)

    with pytest.raises(HandlerSignatureError) as caught:
        driver(ToySource(), EVENT, handler, plugins=[before(lambda batch, fail: {"owners": OWNERS, "boxes": 1})])

    assert "handler needs prices besides the record" in str(caught.value)
    assert "for this batch they give boxes, owners." in str(caught.value)
    assert handled == []


def test_a_required_parameter_is_refused_even_where_there_is_no_record(driver: Run) -> None:
    with pytest.raises(HandlerSignatureError, match="needs owners besides the record"):
        driver(ToySource(), NO_RECORDS, owned, plugins=[before(lambda batch, fail: None)])


def test_the_arguments_of_one_batch_are_not_those_of_the_next() -> None:
    numbers = iter(range(10))
    processor = BatchProcessor(ToySource(), plugins=[before(lambda batch, fail: {"number": next(numbers)})])

    def handler(toy: Any, number: int) -> int:
        return number

    assert [processor.run(toys("car"), handler).return_values for _ in range(3)] == [[0], [1], [2]]


# -- Before the records: what they fail.


def test_a_batch_hook_fails_one_record_by_its_position_and_no_other(driver: Run) -> None:
    handled: list[str] = []
    error = LookupError("no owner")

    result = driver(
        ToySource(),
        EVENT,
        lambda toy: handled.append(toy["id"]),
        plugins=[before(lambda batch, fail: fail(1, error))],
    )

    assert failed(result) == ["ball"]
    assert statuses(result) == ["succeeded", "failed", "succeeded"]
    assert exceptions(result) == [None, error, None]
    assert sorted(handled) == ["car", "doll"]


@pytest.mark.parametrize(
    ("call", "processor"),
    [(process_partial_response, BatchProcessor), (async_process_partial_response, AsyncBatchProcessor)],
)
def test_a_batch_hook_fails_one_record_of_the_one_call_functions_as_well(
    call: Any, processor: type[BatchProcessor]
) -> None:
    handled: list[str] = []
    plugin = plugin_of(before_records=lambda batch, fail: fail(1, LookupError("no owner")))

    response = call(EVENT, lambda toy: handled.append(toy["id"]), processor(ToySource(), plugins=[plugin]))

    assert response == {"batchItemFailures": [{"itemIdentifier": "ball"}]}
    assert sorted(handled) == ["car", "doll"]


def test_a_record_that_a_batch_hook_failed_has_no_scope_and_no_duration(driver: Run) -> None:
    scopes: list[Any] = []

    @contextmanager
    def scope(record: Any) -> Any:
        scopes.append(record["id"])
        yield

    plugins = [before(lambda batch, fail: fail(1, LookupError())), plugin_of(record_scope=scope)]

    result = driver(ToySource(), EVENT, plugins=plugins)

    assert sorted(scopes) == ["car", "doll"]
    assert [outcome.duration is None for outcome in result.outcomes] == [False, True, False]


def test_a_record_that_a_batch_hook_failed_is_logged_and_told_of_once(
    driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[Any] = []
    plugin = plugin_of(
        before_records=lambda fail: fail(1, LookupError("no owner")),
        record_finished=lambda outcome: told.append((outcome.identifier, outcome.status)),
    )

    driver(ToySource(), EVENT, plugins=[plugin])

    assert sorted(told) == [("ball", "failed"), ("car", "succeeded"), ("doll", "succeeded")]
    assert [record.getMessage() for record in caplog.records] == ["Record ball of toy failed: LookupError: no owner"]


@pytest.mark.parametrize("error", RAISED)
def test_a_batch_hook_that_raises_fails_every_record(error: type[BaseException], driver: Run) -> None:
    handled: list[Any] = []
    raised = error("no table")

    result = driver(ToySource(), EVENT, handled.append, plugins=[before(raising(raised))])

    assert failed(result) == ["car", "ball", "doll"]
    assert [exception is raised for exception in exceptions(result)] == [True, True, True]
    assert handled == []


def test_a_batch_hook_that_raises_leaves_no_frame_behind(driver: Run) -> None:
    result = driver(ToySource(), EVENT, plugins=[before(raising(ConnectionError("no table")))])

    assert [error.__traceback__ for error in exceptions(result) if error is not None] == [None] * 3


@pytest.mark.parametrize("run", [run, run_async])
@pytest.mark.parametrize("hook", ["before_records", "after_records"])
def test_the_traceback_of_a_batch_hook_that_raised_does_not_grow_with_the_records(
    hook: str, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "batchcore")
    run(ToySource(), EVENT, plugins=[plugin_of(**{hook: raising(ConnectionError("no table"))})])

    lines = [record for record in caplog.records if record.levelname == "DEBUG"]
    frames = [[frame.name for frame in traceback.extract_tb(line.exc_info[2])] for line in lines]  # type: ignore[index]
    assert len(frames) == 3
    assert frames[0][-1] == "hook"
    assert frames[1] == frames[2] == frames[0]


def test_a_record_keeps_the_exception_that_it_was_failed_with_where_the_batch_hook_raises_later(driver: Run) -> None:
    own, of_all = LookupError("no owner"), ConnectionError("gone")

    def hook(batch: Any, fail: Any) -> None:
        fail(2, own)
        raise of_all

    assert exceptions(driver(ToySource(), EVENT, plugins=[before(hook)])) == [of_all, of_all, own]


def test_a_batch_that_a_batch_hook_failed_entirely_raises(driver: Run) -> None:
    with pytest.raises(BatchProcessingError, match="3 x ConnectionError"):
        driver(
            ToySource(), EVENT, plugins=[before(raising(ConnectionError("gone")))], raise_on_entire_batch_failure=True
        )


def test_a_keyboard_interrupt_in_a_batch_hook_propagates(driver: Run) -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    for plugin in (before(raising(Interrupted())), after(raising(Interrupted()))):
        with pytest.raises(Interrupted):
            driver(ToySource(), EVENT, plugins=[plugin])


@pytest.mark.parametrize("which", [3, -1, None, "ball", 0.5])
def test_fail_takes_a_record_of_the_batch(which: Any, driver: Run) -> None:
    def hook(batch: Any, fail: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"takes the outcome of a record of this hook, or its position"):
            fail(which, LookupError())

    assert statuses(driver(ToySource(), EVENT, plugins=[before(hook)])) == ["succeeded"] * 3


@pytest.mark.parametrize("error", [None, LookupError, "no owner", KeyboardInterrupt()], ids=repr)
def test_fail_takes_an_exception(error: Any, driver: Run) -> None:
    def hook(batch: Any, fail: Any) -> None:
        with pytest.raises(ConfigurationError, match=r"fail\(\) takes the exception that the record fails with, not "):
            fail(0, error)

    assert statuses(driver(ToySource(), EVENT, plugins=[before(hook)])) == ["succeeded"] * 3


def test_fail_with_wrong_arguments_fails_every_record_where_the_batch_hook_lets_it_through(driver: Run) -> None:
    result = driver(ToySource(), EVENT, plugins=[before(lambda batch, fail: fail("ball", LookupError()))])

    assert [type(error) for error in exceptions(result)] == [ConfigurationError] * 3


def test_fail_is_refused_once_the_batch_hook_is_over(driver: Run) -> None:
    kept: list[Any] = []

    def handler(toy: Any) -> None:
        kept[0](2, LookupError())

    result = driver(ToySource(), EVENT, handler, plugins=[before(lambda batch, fail: kept.append(fail))])

    assert statuses(result) == ["failed"] * 3
    assert {str(error) for error in exceptions(result)} == {
        "fail() is called after its hook has ended, or its time was up: it fails nobody."
    }


@pytest.mark.parametrize("returned", [["owners"], "owners", 7, True, {"owners"}, ()], ids=repr)
def test_a_batch_hook_gives_a_mapping_or_nothing_or_every_record_fails(returned: Any, driver: Run) -> None:
    handled: list[Any] = []
    plugin = before(lambda batch, fail: returned)

    result = driver(ToySource(), EVENT, handled.append, plugins=[plugin])

    error: Any = result.outcomes[0].exception
    assert exceptions(result) == [error] * 3
    assert isinstance(error, PluginError)
    assert (error.plugin, error.hook) == (plugin, "before_records")
    assert "before_records() of Plugin gives a mapping of arguments for" in str(error)
    assert f"it gave a {type(returned).__name__}." in str(error)
    assert handled == []


@pytest.mark.parametrize("run", [run, run_threads])
@pytest.mark.parametrize("hook", ["before_records", "after_records"])
def test_a_plain_batch_hook_that_gives_an_awaitable_fails_the_records_of_a_synchronous_batch(
    hook: str, run: Run
) -> None:
    async def look_up() -> None:
        raise AssertionError("nobody awaits it")

    result = run(ToySource(), EVENT, plugins=[plugin_of(**{hook: lambda batch: look_up()})])

    assert [type(error) for error in exceptions(result)] == [UnawaitedResultError] * 3


def test_a_batch_hook_has_its_share_in_the_order_of_the_records(driver: Run) -> None:
    """What it failed stops a lane that stops at failures."""
    result = driver(
        ToySource(), EVENT, plugins=[before(lambda batch, fail: fail(1, LookupError()))], ordering=in_order()
    )

    assert statuses(result) == ["succeeded", "failed", "not_attempted"]
    assert isinstance(result.outcomes[2].exception, NotAttemptedError)


@pytest.mark.parametrize("hook", ["before_records", "after_records"])
@pytest.mark.parametrize(
    ("error", "disposition", "status"),
    [
        (LookupError(), Disposition.RETRY, "failed"),
        (LookupError(), Disposition.DROP, "dropped"),
        (LookupError(), Disposition.DEAD_LETTER, "dead_lettered"),
        (LookupError(), Disposition.STOP_BATCH, "failed"),
        (DropRecord(), Disposition.RETRY, "dropped"),
        (DeadLetterRecord(), Disposition.RETRY, "dead_lettered"),
        (StopBatch(), Disposition.DROP, "failed"),
    ],
    ids=str,
)
def test_dispositions_are_those_of_what_a_batch_hook_fails_a_record_with_as_well(
    hook: str, error: BaseException, disposition: Disposition, status: str, driver: Run
) -> None:
    delivered: list[str] = []

    def call(batch: Any, fail: Any) -> None:
        fail(2, error)

    plugin = plugin_of(**{hook: call}, deliver_dead_letter=lambda outcome: delivered.append(outcome.identifier))

    result = driver(ToySource(), EVENT, plugins=[plugin], dispositions={LookupError: disposition})

    assert statuses(result) == ["succeeded", "succeeded", status]
    assert failed(result) == (["doll"] if status == "failed" else [])
    assert delivered == (["doll"] if status == "dead_lettered" else [])
    assert result.outcomes[2].exception is error


def test_a_batch_hook_may_stop_the_batch_before_its_first_record() -> None:
    handled: list[Any] = []

    result = run(
        ToySource(), EVENT, handled.append, plugins=[before(lambda batch, fail: fail(0, StopBatch("it is down")))]
    )

    assert statuses(result) == ["failed", "not_attempted", "not_attempted"]
    assert handled == []


# -- Before the records: several of them, none, and no time.


def test_several_batch_hooks_run_in_the_order_of_the_plugins_and_the_last_to_give_a_name_wins(driver: Run) -> None:
    calls: list[str] = []

    def hook(name: str, **given: Any) -> Any:
        return before(lambda batch, fail: calls.append(name) or given)

    def handler(toy: Any, owners: Any, prices: Any) -> Any:
        return owners, prices

    result = driver(
        ToySource(),
        toys("car"),
        handler,
        plugins=[hook("a", owners=1, prices=1), hook("b", owners=2), hook("c")],
    )

    assert calls == ["a", "b", "c"]
    assert result.return_values == [(2, 1)]


def test_several_batch_hooks_may_each_fail_records(driver: Run) -> None:
    first, second = LookupError("first"), LookupError("second")
    plugins = [before(lambda batch, fail: fail(0, first)), before(lambda batch, fail: fail(2, second))]

    assert exceptions(driver(ToySource(), EVENT, plugins=plugins)) == [first, None, second]


def test_no_further_batch_hook_runs_before_the_records_when_one_has_raised(driver: Run) -> None:
    calls: list[str] = []
    plugins = [before(raising(ConnectionError())), before(lambda batch, fail: calls.append("second"))]

    driver(ToySource(), EVENT, plugins=plugins)

    assert calls == []


@pytest.mark.parametrize("hook", ["before_records", "after_records"])
def test_a_batch_hook_of_an_empty_batch_is_called(hook: str, driver: Run) -> None:
    calls: list[int] = []

    result = driver(
        ToySource(), NO_RECORDS, plugins=[plugin_of(**{hook: lambda batch: calls.append(len(batch.records))})]
    )

    assert calls == [0]
    assert result.response == {"batchItemFailures": []}


@pytest.mark.parametrize("hook", ["before_records", "after_records"])
def test_what_a_batch_hook_of_an_empty_batch_raises_propagates_for_nothing_else_brings_it_back(
    hook: str, driver: Run
) -> None:
    with pytest.raises(ConnectionError, match="gone"):
        driver(ToySource(), NO_RECORDS, plugins=[plugin_of(**{hook: raising(ConnectionError("gone"))})])


def test_before_records_has_no_time_limit(driver: Run) -> None:
    threads: list[Any] = []
    plugin = before(lambda batch, fail: threads.append(threading.current_thread()) or {"owners": OWNERS})

    result = driver(ToySource(), toys("car"), owned, plugins=[plugin], context=TimeLeft(0))

    assert result.return_values == ["car of Ada"]
    assert threads == [threading.current_thread()]


# -- After the records.


def test_after_records_gets_those_that_succeeded_in_the_order_of_the_batch(driver: Run) -> None:
    seen: list[Any] = []
    plugin = after(
        lambda outcomes, fail: seen.extend((o.position, o.record["id"], o.status, o.value) for o in outcomes)
    )

    driver(ToySource(), toys("car", "bad", "ball"), plugins=[plugin])

    assert seen == [
        (0, "car", "succeeded", "played with car"),
        (2, "ball", "succeeded", "played with ball"),
    ]


def test_after_records_comes_once_between_the_last_record_and_the_response(driver: Run) -> None:
    calls: list[Any] = []
    plugin = plugin_of(
        record_finished=lambda outcome: calls.append("record"),
        after_records=lambda batch, outcomes: calls.append((batch.source, len(outcomes))),
        batch_finished=lambda result: calls.append("answered"),
    )

    driver(ToySource(), EVENT, plugins=[plugin])

    assert calls == ["record", "record", "record", ("toy", 3), "answered"]


def test_after_records_is_called_where_none_succeeded(driver: Run) -> None:
    seen: list[Any] = []

    driver(ToySource(), toys("bad 1", "bad 2"), plugins=[after(lambda outcomes, fail: seen.append(ids(outcomes)))])

    assert seen == [[]]


@pytest.mark.parametrize("by", ["outcome", "position"])
def test_after_records_fails_one_record_and_exactly_that_is_reported(by: str, driver: Run) -> None:
    error = LookupError("not written")

    def hook(outcomes: Any, fail: Any) -> None:
        fail(outcomes[1] if by == "outcome" else outcomes[1].position, error)

    result = driver(ToySource(), toys("car", "bad", "ball", "doll"), plugins=[after(hook)])

    assert failed(result) == ["bad", "ball"]
    assert statuses(result) == ["succeeded", "failed", "failed", "succeeded"]
    assert result.outcomes[2].exception is error
    assert result.return_values == ["played with car", "played with doll"]
    assert result.counts() == {"succeeded": 2, "failed": 2}


@pytest.mark.parametrize("error", RAISED)
def test_after_records_that_raises_fails_all_that_had_succeeded(error: type[BaseException], driver: Run) -> None:
    raised = error("not written")

    result = driver(ToySource(), toys("car", "bad", "ball"), plugins=[after(raising(raised))])

    assert failed(result) == ["car", "bad", "ball"]
    assert [exception is raised for exception in exceptions(result)] == [True, False, True]
    assert isinstance(result.outcomes[1].exception, ValueError), "its own"


def test_a_record_keeps_the_exception_that_it_was_failed_with_where_after_records_raises_later(driver: Run) -> None:
    own, of_all = LookupError("not this one"), ConnectionError("gone")

    def hook(outcomes: Any, fail: Any) -> None:
        fail(outcomes[1], own)
        raise of_all

    assert exceptions(driver(ToySource(), EVENT, plugins=[after(hook)])) == [of_all, own, of_all]


def test_a_batch_that_after_records_failed_entirely_raises(driver: Run) -> None:
    with pytest.raises(BatchProcessingError, match="3 x ConnectionError") as caught:
        driver(
            ToySource(), EVENT, plugins=[after(raising(ConnectionError("gone")))], raise_on_entire_batch_failure=True
        )

    assert caught.value.result is not None
    assert failed(caught.value.result) == ["car", "ball", "doll"]


def test_after_records_cannot_fail_what_did_not_succeed(driver: Run) -> None:
    def hook(outcomes: Any, fail: Any) -> None:
        with pytest.raises(ConfigurationError, match="of this hook"):
            fail(0, LookupError())

    assert failed(driver(ToySource(), toys("bad", "car"), plugins=[after(hook)])) == ["bad"]


@pytest.mark.parametrize("returned", [[], 0, False, {}, "done"], ids=repr)
def test_after_records_gives_nothing_or_all_that_had_succeeded_fail(returned: Any, driver: Run) -> None:
    plugin = after(lambda outcomes, fail: returned)

    result = driver(ToySource(), toys("car", "bad"), plugins=[plugin])

    error: Any = result.outcomes[0].exception
    assert failed(result) == ["car", "bad"]
    assert isinstance(error, PluginError)
    assert (error.plugin, error.hook) == (plugin, "after_records")
    assert "after_records() of Plugin gives nothing; it gave a" in str(error)
    assert "Call fail(outcome, exception)" in str(error)


def test_after_records_that_raises_where_none_succeeded_is_logged(
    driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    result = driver(ToySource(), toys("bad"), plugins=[after(raising(ConnectionError("gone")))])

    assert failed(result) == ["bad"]
    assert isinstance(result.outcomes[0].exception, ValueError)
    assert "after_records() raised ConnectionError: gone; no outcome changes." in caplog.text


def test_several_batch_hooks_after_the_records_run_in_order_and_see_what_is_left(driver: Run) -> None:
    seen: list[Any] = []

    def first(outcomes: Any, fail: Any) -> None:
        seen.append(("first", ids(outcomes)))
        fail(outcomes[0], LookupError("not written"))

    plugins = [after(first), after(lambda outcomes, fail: seen.append(("second", ids(outcomes))))]

    assert failed(driver(ToySource(), EVENT, plugins=plugins)) == ["car"]
    assert seen == [("first", ["car", "ball", "doll"]), ("second", ["ball", "doll"])]


def test_a_batch_hook_after_one_that_raised_is_called_with_none(driver: Run) -> None:
    seen: list[Any] = []
    plugins = [after(raising(ConnectionError())), after(lambda outcomes, fail: seen.append(ids(outcomes)))]

    driver(ToySource(), EVENT, plugins=plugins)

    assert seen == [[]]


def test_observers_are_told_again_of_a_record_that_after_records_failed(driver: Run) -> None:
    told: list[Any] = []
    plugin = plugin_of(
        after_records=lambda outcomes, fail: fail(outcomes[1], LookupError("not written")),
        record_finished=lambda outcome: told.append((outcome.identifier, outcome.status, repr(outcome.exception))),
    )

    driver(ToySource(), EVENT, plugins=[plugin])

    assert sorted(told[:3]) == [(name, "succeeded", "None") for name in ("ball", "car", "doll")]
    assert told[3:] == [("ball", "failed", "LookupError('not written')")]


def test_a_failure_handler_is_told_while_the_exception_is_being_handled() -> None:
    told: list[Any] = []
    error = LookupError("not written")

    class Processor(BatchProcessor):
        def failure_handler(self, record: Any, exception: Any) -> Any:
            told.append((record["id"], exception[1], sys.exc_info()[1]))

    Processor(ToySource(), plugins=[after(lambda outcomes, fail: fail(1, error))]).run(EVENT, play)

    assert told == [("ball", error, error)]


def test_what_after_records_fails_is_logged_as_any_failure(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    driver(ToySource(), EVENT, plugins=[after(lambda outcomes, fail: fail(1, LookupError("not written")))])

    assert [record.getMessage() for record in caplog.records] == ["Record ball of toy failed: LookupError: not written"]


def test_a_record_that_after_records_failed_in_a_lane_does_not_undo_those_behind_it(driver: Run) -> None:
    plugin = after(lambda outcomes, fail: fail(outcomes[1], LookupError()))

    result = driver(CheckpointSource(), EVENT, plugins=[plugin], ordering=in_order())

    assert statuses(result) == ["succeeded", "failed", "succeeded"]
    assert ids(result.delivered_again) == ["ball", "doll"], "by the checkpoint"


@pytest.mark.parametrize("processor", [BatchProcessor, AsyncBatchProcessor])
def test_the_batch_hooks_run_under_the_context_manager_too(processor: type[BatchProcessor]) -> None:
    plugin = plugin_of(
        before_records=lambda batch: {"owners": OWNERS},
        after_records=lambda outcomes, fail: fail(outcomes[1], LookupError()),
    )

    with processor(ToySource(), plugins=[plugin])(records=EVENT["toys"], handler=owned) as opened:
        entries = opened.async_process() if processor is AsyncBatchProcessor else opened.process()

    assert [entry[0] for entry in entries] == ["success", "fail", "success"]
    assert opened.response() == {"batchItemFailures": [{"itemIdentifier": "ball"}]}


# -- After the records: its time.


def test_after_records_that_does_not_answer_fails_all_and_is_not_waited_for(
    never: Callable[..., None], driver: Run
) -> None:
    result = driver(ToySource(), toys("car", "bad"), plugins=[after(never)], context=TimeLeft(0.2))

    assert failed(result) == ["car", "bad"]
    assert isinstance(result.outcomes[0].exception, OutsideCallError)
    assert "had not answered after" in str(result.outcomes[0].exception)


def test_what_after_records_had_failed_by_then_keeps_its_own_exception(never: Callable[..., None], driver: Run) -> None:
    own = LookupError("not written")

    def hook(outcomes: Any, fail: Any) -> None:
        fail(outcomes[0], own)
        never()

    result = driver(ToySource(), toys("car", "ball"), plugins=[after(hook)], context=TimeLeft(0.8))

    assert result.outcomes[0].exception is own
    assert isinstance(result.outcomes[1].exception, OutsideCallError)


def test_what_after_records_fails_when_its_time_was_up_changes_nothing(driver: Run) -> None:
    answered, done = threading.Event(), threading.Event()

    def hook(outcomes: Any, fail: Any) -> None:
        answered.wait(20)
        with pytest.raises(ConfigurationError, match="or its time was up"):
            fail(outcomes[0], LookupError("late"))
        done.set()

    result = driver(ToySource(), EVENT, plugins=[after(hook)], context=TimeLeft(0.2))
    answered.set()

    assert done.wait(20)
    assert [type(error) for error in exceptions(result)] == [OutsideCallError] * 3


def test_after_records_is_not_called_where_no_time_is_left(driver: Run) -> None:
    calls: list[Any] = []

    result = driver(
        ToySource(), EVENT, plugins=[after(lambda outcomes, fail: calls.append(outcomes))], context=TimeLeft(0)
    )

    assert calls == []
    assert failed(result) == ["car", "ball", "doll"]
    assert "No time was left for after_records() of Plugin" in str(result.outcomes[0].exception)


@pytest.mark.parametrize("run", [run, run_threads])
def test_after_records_runs_in_this_thread_where_no_context_tells_the_time(run: Run) -> None:
    threads: list[Any] = []

    run(ToySource(), EVENT, plugins=[after(lambda outcomes, fail: threads.append(threading.current_thread()))])

    assert threads == [threading.current_thread()]


@pytest.mark.parametrize("context", [None, TimeLeft(60)], ids=["no clock", "a clock"])
def test_after_records_sees_the_context_variables_of_the_batch(context: Any, driver: Run) -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    seen: list[str] = []
    token = variable.set("set")
    try:
        driver(
            ToySource(),
            EVENT,
            plugins=[after(lambda outcomes, fail: seen.append(variable.get()))],
            context=context,
        )
    finally:
        variable.reset(token)

    assert seen == ["set"]


# -- Under asyncio.


def test_a_batch_hook_before_the_records_is_awaited_under_asyncio() -> None:
    async def look_up(batch: Any, fail: Any) -> Any:
        await asyncio.sleep(0)
        fail(1, LookupError("no owner"))
        return {"owners": OWNERS}

    result = run_async(ToySource(), EVENT, owned, plugins=[plugin_of(before_records=look_up)])

    assert failed(result) == ["ball"]
    assert result.return_values == ["car of Ada", "doll of Cleo"]


def test_a_batch_hook_after_the_records_is_awaited_under_asyncio() -> None:
    async def write(batch: Any, outcomes: Any, fail: Any) -> None:
        await asyncio.sleep(0)
        fail(outcomes[-1], LookupError("not written"))

    assert failed(run_async(ToySource(), EVENT, plugins=[plugin_of(after_records=write)])) == ["doll"]


def test_an_awaited_batch_hook_may_name_fewer_arguments() -> None:
    seen: list[str] = []

    async def write(batch: Any) -> None:
        await asyncio.sleep(0)
        seen.append(batch.source)

    run_async(ToySource(), EVENT, plugins=[plugin_of(before_records=write, after_records=write)])

    assert seen == ["toy", "toy"]


@pytest.mark.parametrize("hook", ["before_records", "after_records"])
@pytest.mark.parametrize("error", [ConnectionError, asyncio.CancelledError, RecursionError])
def test_an_awaited_batch_hook_that_raises_fails_every_record(hook: str, error: type[BaseException]) -> None:
    async def call(batch: Any) -> None:
        await asyncio.sleep(0)
        raise error("gone")

    result = run_async(ToySource(), EVENT, plugins=[plugin_of(**{hook: call})])

    assert [type(exception) for exception in exceptions(result)] == [error] * 3


def test_an_awaited_batch_hook_that_does_not_answer_is_cancelled_and_fails_all() -> None:
    ended: list[str] = []

    async def write(batch: Any, outcomes: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    async def main() -> Any:
        processor = AsyncBatchProcessor(
            ToySource(), raise_on_entire_batch_failure=False, plugins=[plugin_of(after_records=write)]
        )
        result = await processor.arun(EVENT, play, TimeLeft(0.2))
        await asyncio.sleep(0)
        return result

    result = asyncio.run(main())

    assert [type(error) for error in exceptions(result)] == [OutsideCallError] * 3
    assert ended == ["cancelled"]


def test_a_plain_batch_hook_after_the_records_does_not_hold_the_loop() -> None:
    turned = threading.Event()
    seen: list[bool] = []

    async def main() -> None:
        processor = AsyncBatchProcessor(
            ToySource(), plugins=[after(lambda outcomes, fail: seen.append(turned.wait(20)))]
        )
        running = asyncio.ensure_future(processor.arun(EVENT, play))
        while not running.done():
            await asyncio.sleep(0.001)
            turned.set()
        running.result()

    asyncio.run(main())

    assert seen == [True]


def test_a_plain_batch_hook_after_the_records_that_gives_an_awaitable_fails_all_under_asyncio() -> None:
    async def write() -> None:
        raise AssertionError("nobody awaits it")

    result = run_async(ToySource(), EVENT, plugins=[after(lambda outcomes, fail: write())])

    assert [type(error) for error in exceptions(result)] == [UnawaitedResultError] * 3


@pytest.mark.parametrize("hook", ["before_records", "after_records"])
def test_a_batch_that_is_cancelled_while_a_batch_hook_waits_is_cancelled(hook: str) -> None:
    ended: list[str] = []

    async def main() -> None:
        waiting = asyncio.Event()

        async def call(batch: Any) -> None:
            waiting.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")

        running = asyncio.ensure_future(
            AsyncBatchProcessor(ToySource(), plugins=[plugin_of(**{hook: call})]).arun(EVENT, play)
        )
        await waiting.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await asyncio.sleep(0)

    asyncio.run(main())

    assert ended == ["cancelled"]


# -- Beside what the source gives.


def test_what_a_batch_hook_gives_stands_instead_of_what_the_source_gives_by_the_same_name(driver: Run) -> None:
    def entered(record: Any) -> Any:
        raise AssertionError("nobody asked the source")

    source = source_with(handler_arguments=lambda batch: {"owners": entered})

    assert driver(
        source, toys("car"), owned, plugins=[before(lambda batch, fail: {"owners": OWNERS})]
    ).return_values == ["car of Ada"]


def test_what_fails_a_record_beforehand_is_what_it_failed_with_also_a_stop_iteration(driver: Run) -> None:
    error = StopIteration("nothing came")

    def handler(toy: Any) -> None:
        next(iter(()))

    result = driver(
        ToySource(),
        toys("car", "ball"),
        handler,
        plugins=[before(lambda batch, fail: fail(0, error))],
        raise_on_entire_batch_failure=False,
    )

    assert exceptions(result)[0] is error
