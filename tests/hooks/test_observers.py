"""Observers watch. Whatever they do, no outcome changes."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from types import ModuleType, TracebackType
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    Batch,
    BatchProcessingError,
    BatchProcessor,
    BatchResult,
    Outcome,
    hookimpl,
    in_order,
)
from batchcore.source import OBSERVER_HOOKS

from .support import FullSource, Run, ToySource, failed, play, run, run_async, source_with, statuses, toys

EVENT = toys("car", "bad doll", "ball")


class Watches:
    """Writes down all that it is told."""

    def __init__(self, book: list[Any] | None = None, name: str = "") -> None:
        self.book: list[Any] = [] if book is None else book
        self.name = name

    def note(self, *words: Any) -> None:
        self.book.append((self.name, *words) if self.name else words)

    @hookimpl
    def batch_started(self, batch: Batch) -> None:
        self.note("started", batch.source, len(batch.records))

    @hookimpl
    @contextmanager
    def record_scope(self, record: Any) -> Iterator[None]:
        self.note("enter", record["id"])
        try:
            yield
        except BaseException as error:
            self.note("leave", record["id"], type(error).__name__)
            raise
        else:
            self.note("leave", record["id"])

    @hookimpl
    def record_finished(self, outcome: Outcome) -> None:
        self.note("finished", outcome.identifier, outcome.status)

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None:
        self.note("answered", result.response)


def test_an_observer_is_told_of_the_batch_and_of_each_record_in_order() -> None:
    watches = Watches()

    result = run(ToySource(), EVENT, plugins=[watches])

    assert watches.book == [
        ("started", "toy", 3),
        ("enter", "car"),
        ("finished", "car", "succeeded"),
        ("leave", "car"),
        ("enter", "bad doll"),
        ("finished", "bad doll", "failed"),
        ("leave", "bad doll", "ValueError"),
        ("enter", "ball"),
        ("finished", "ball", "succeeded"),
        ("leave", "ball"),
        ("answered", result.response),
    ]


def test_an_observer_is_told_the_same_by_every_driver(driver: Run) -> None:
    expected, seen = Watches(), Watches()
    run(ToySource(), EVENT, plugins=[expected])

    driver(ToySource(), EVENT, plugins=[seen])

    assert sorted(map(str, seen.book)) == sorted(map(str, expected.book))
    assert seen.book[0] == expected.book[0]
    assert seen.book[-1] == expected.book[-1]


def test_several_observers_are_told_in_the_order_in_which_they_are_given() -> None:
    book: list[Any] = []

    run(ToySource(), toys("car"), plugins=[Watches(book, "a"), Watches(book, "b")])

    assert [(name, what) for name, what, *_ in book] == [
        ("a", "started"),
        ("b", "started"),
        ("a", "enter"),
        ("b", "enter"),
        ("a", "finished"),
        ("b", "finished"),
        ("b", "leave"),
        ("a", "leave"),
        ("a", "answered"),
        ("b", "answered"),
    ]


def test_batch_started_comes_before_the_first_record_and_only_once(driver: Run) -> None:
    watches = Watches()

    driver(ToySource(), EVENT, lambda toy: watches.note("handled"), plugins=[watches])

    assert watches.book[0] == ("started", "toy", 3)
    assert [what for what, *_ in watches.book].count("started") == 1


def test_batch_started_is_not_told_of_a_batch_that_is_refused(driver: Run) -> None:
    watches = Watches()

    with pytest.raises(ValueError, match="does not claim"):
        driver(ToySource(), {}, plugins=[watches])

    assert watches.book == []


def test_batch_finished_comes_before_the_error_of_a_batch_that_failed(driver: Run) -> None:
    watches = Watches()

    with pytest.raises(BatchProcessingError):
        driver(ToySource(), toys("bad"), plugins=[watches], raise_on_entire_batch_failure=True)

    assert watches.book[-1] == ("answered", {"batchItemFailures": [{"itemIdentifier": "bad"}]})


def test_batch_finished_gets_the_result(driver: Run) -> None:
    seen: list[BatchResult] = []

    class Keeps:
        @hookimpl
        def batch_finished(self, result: BatchResult) -> None:
            seen.append(result)
            assert result.outcomes[1].exception is not None
            assert result.outcomes[1].exception.__traceback__ is not None, "there until the batch is answered"

    result = driver(ToySource(), EVENT, plugins=[Keeps()])

    assert seen[0].response == result.response
    assert seen[0].counts() == {"succeeded": 2, "failed": 1}


@pytest.mark.parametrize("hook", ["batch_finished", "after_batch"])
def test_what_an_observer_does_to_the_response_changes_no_response(hook: str, driver: Run) -> None:
    seen: list[Any] = []

    def meddle(result: BatchResult) -> None:
        seen.append(result.response)
        result.response["batchItemFailures"].clear()
        seen.append(result.response)
        with pytest.raises(AttributeError):
            result.response = {}

    class Meddles:
        pass

    setattr(Meddles, hook, staticmethod(hookimpl(specname=hook)(meddle)))
    result = driver(ToySource(), toys("car", "bad doll"), play, plugins=[Meddles()])

    response = {"batchItemFailures": [{"itemIdentifier": "bad doll"}]}
    assert result.response == response
    assert seen[1] == response


def test_an_empty_batch_is_started_and_finished(driver: Run) -> None:
    watches = Watches()

    driver(ToySource(), toys(), plugins=[watches])

    assert watches.book == [("started", "toy", 0), ("answered", {"batchItemFailures": []})]


@pytest.mark.parametrize("processor", [BatchProcessor, AsyncBatchProcessor])
def test_an_observer_is_told_under_the_context_manager_too(processor: type[BatchProcessor]) -> None:
    watches = Watches()

    with processor(ToySource(), plugins=[watches])(records=EVENT["toys"], handler=play) as opened:
        assert watches.book == [("started", "toy", 3)]
        opened.async_process() if processor is AsyncBatchProcessor else opened.process()

    assert watches.book[-1] == ("answered", {"batchItemFailures": [{"itemIdentifier": "bad doll"}]})
    assert len(watches.book) == 11


def test_record_finished_is_told_of_records_that_were_not_attempted(driver: Run) -> None:
    watches = Watches()

    driver(ToySource(), EVENT, plugins=[watches], ordering=in_order())

    finished = [entry[1:] for entry in watches.book if entry[0] == "finished"]
    assert finished == [("car", "succeeded"), ("bad doll", "failed"), ("ball", "not_attempted")]


def test_record_finished_is_told_of_records_that_could_not_be_decoded(driver: Run) -> None:
    watches = Watches()
    source = source_with(record_decoder=lambda batch: lambda record: 1 / 0)

    driver(source, toys("car"), plugins=[watches])

    assert watches.book[1:-1] == [("finished", "car", "failed")], "and no scope was opened for a handler not called"


def test_record_finished_gets_the_raw_record_the_value_and_the_exception(driver: Run) -> None:
    outcomes: list[Outcome] = []

    class Keeps:
        @hookimpl
        def record_finished(self, outcome: Outcome) -> None:
            outcomes.append(outcome)

    driver(FullSource(), toys("car", "bad"), plugins=[Keeps()])

    first, second = outcomes
    assert (first.position, first.record, first.value, first.exception) == (0, {"id": "car"}, "played with car", None)
    assert (second.position, second.record, second.value) == (1, {"id": "bad"}, None)
    assert isinstance(second.exception, ValueError)


def test_record_scope_gets_the_raw_record_and_is_open_round_the_handler(driver: Run) -> None:
    open_scopes: list[Any] = []
    seen: list[Any] = []

    class Scopes:
        @hookimpl
        @contextmanager
        def record_scope(self, record: Any) -> Iterator[None]:
            open_scopes.append(record)
            yield
            open_scopes.remove(record)

    def handler(toy: Any) -> None:
        seen.append(({"id": toy["id"]} in open_scopes, "prepared for" in toy))

    driver(FullSource(), toys("car", "ball"), handler, plugins=[Scopes()])

    assert seen == [(True, True), (True, True)]
    assert open_scopes == []


def test_record_scope_stays_open_while_an_async_handler_waits() -> None:
    open_scopes: set[str] = set()
    seen: list[set[str]] = []
    both = asyncio.Event()

    class Scopes:
        @hookimpl
        @contextmanager
        def record_scope(self, record: Any) -> Iterator[None]:
            open_scopes.add(record["id"])
            yield
            open_scopes.discard(record["id"])

    async def handler(toy: Any) -> None:
        if len(open_scopes) == 2:
            both.set()
        await both.wait()
        seen.append(set(open_scopes))

    run_async(ToySource(), toys("car", "ball"), handler, plugins=[Scopes()])

    assert seen[0] == {"car", "ball"}
    assert open_scopes == set()


def test_record_scope_sees_the_exception_as_the_handler_raised_it(driver: Run) -> None:
    seen: list[Any] = []

    class Scope(nullcontext[None]):
        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
        ) -> None:
            seen.append((kind, error, traceback is not None, sys.exc_info()[1] is error))

    class Scopes:
        @hookimpl
        def record_scope(self, record: Any) -> AbstractContextManager[None]:
            return Scope()

    result = driver(ToySource(), toys("bad", "car"), plugins=[Scopes()])

    exception = result.outcomes[0].exception
    assert sorted(seen, key=str) == sorted([(ValueError, exception, True, True), (None, None, False, True)], key=str)


def test_a_record_is_told_of_inside_its_scope(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    open_scope: contextvars.ContextVar[str] = contextvars.ContextVar("open_scope", default="none")
    told: list[tuple[str, str, str]] = []

    class Tells:
        @hookimpl
        def record_scope(self, record: Any) -> AbstractContextManager[None]:
            @contextmanager
            def scope() -> Iterator[None]:
                token = open_scope.set(record["id"])
                try:
                    yield
                finally:
                    open_scope.reset(token)

            return scope()

        @hookimpl
        def record_finished(self, outcome: Outcome) -> None:
            told.append(("record_finished", str(outcome.identifier), open_scope.get()))

    class Lines(logging.Handler):
        def emit(self, record: Any) -> None:
            told.append(("line", record.item_identifier, open_scope.get()))

    logger = logging.Logger("mine")  # noqa: LOG001 - in no hierarchy
    logger.setLevel(logging.WARNING)
    logger.addHandler(Lines())
    driver(ToySource(), toys("car", "bad doll"), plugins=[Tells()], logger=logger)

    assert sorted(told) == [
        ("line", "bad doll", "bad doll"),
        ("record_finished", "bad doll", "bad doll"),
        ("record_finished", "car", "car"),
    ]
    assert open_scope.get() == "none"


@pytest.mark.parametrize("returned", [True, 1, "yes"])
def test_record_scope_cannot_swallow_an_exception(returned: object, driver: Run) -> None:
    class Swallows(nullcontext[None]):
        def __exit__(self, *exc_info: object) -> Any:
            return returned

    class Scopes:
        @hookimpl
        def record_scope(self, record: Any) -> AbstractContextManager[None]:
            return Swallows()

    assert failed(driver(ToySource(), EVENT, plugins=[Scopes()])) == ["bad doll"]


def test_record_scope_as_a_generator_cannot_swallow_an_exception_either(
    driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    class Scopes:
        @hookimpl
        @contextmanager
        def record_scope(self, record: Any) -> Iterator[None]:
            with suppress(ValueError):
                yield

    assert failed(driver(ToySource(), EVENT, plugins=[Scopes()])) == ["bad doll"]
    assert "The observer hook" not in caplog.text


def test_record_scope_that_lets_the_exception_through_is_no_broken_observer(
    driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    watches = Watches()

    driver(ToySource(), toys("bad 1", "bad 2"), plugins=[watches])

    assert len([entry for entry in watches.book if entry[0] == "leave"]) == 2
    assert "The observer hook" not in caplog.text


# -- Observers that raise.


def breaks_at(hook: str, error: type[BaseException] = LookupError) -> tuple[Any, list[str]]:
    """Make an observer that raises in one of its hooks, and the list of what it was called for."""
    calls: list[str] = []

    def method(name: str) -> Callable[..., Any]:
        def call(argument: Any) -> Any:
            calls.append(name)
            if name == hook:
                raise error("no line")
            return nullcontext()

        return call

    arguments = {"batch_started": "batch", "record_scope": "record", "record_finished": "outcome"}
    methods: dict[str, Any] = {}
    for name in OBSERVER_HOOKS:
        function = method(name)
        renamed = function.__code__.replace(co_varnames=(arguments.get(name, "result"),))
        function.__code__ = renamed
        methods[name] = staticmethod(hookimpl(function))
    return type("Breaks", (), methods)(), calls


@pytest.mark.parametrize("hook", sorted(OBSERVER_HOOKS))
@pytest.mark.parametrize("error", [LookupError, SystemExit, RecursionError, asyncio.CancelledError])
def test_an_observer_that_raises_is_logged_once_and_changes_no_outcome(
    hook: str, error: type[BaseException], driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    expected = driver(ToySource(), EVENT)
    caplog.clear()
    plugin, calls = breaks_at(hook, error)

    result = driver(ToySource(), EVENT, plugins=[plugin])

    assert result.response == expected.response
    assert statuses(result) == statuses(expected)
    assert result.return_values == expected.return_values
    assert caplog.text.count(f"The observer hook {hook}() raised {error.__name__}: no line") == 1
    assert calls.count(hook) == 1


@pytest.mark.parametrize(
    ("hook", "afterwards"),
    [
        ("batch_started", []),
        ("record_scope", ["record_scope"]),
        ("record_finished", ["record_scope", "record_finished"]),
    ],
)
def test_an_observer_that_raised_is_off_for_the_rest_of_the_batch_all_of_it(hook: str, afterwards: list[str]) -> None:
    plugin, calls = breaks_at(hook)

    run(ToySource(), EVENT, plugins=[plugin])

    assert calls == list(dict.fromkeys(["batch_started", *afterwards]))


@pytest.mark.parametrize("form", ["methods", "shorter", "module"])
def test_an_observer_is_off_as_a_whole_whatever_its_form(form: str) -> None:
    calls: list[str] = []

    def batch_started(batch: Any) -> None:
        calls.append("batch_started")
        raise LookupError

    def record_finished() -> None:
        calls.append("record_finished")

    plugin: Any = ModuleType("watching")
    if form == "methods":
        plugin = type("Plugin", (), {})()
    if form == "shorter":
        batch_started = lambda: calls.append(str(1 / 0))  # noqa: E731
    plugin.batch_started, plugin.record_finished = hookimpl(batch_started), hookimpl(record_finished)

    run(ToySource(), EVENT, plugins=[plugin])

    assert "record_finished" not in calls


def test_an_observer_that_raised_is_on_again_in_the_next_batch() -> None:
    plugin, calls = breaks_at("record_finished")
    processor = BatchProcessor(ToySource(), plugins=[plugin])

    processor.run(EVENT, play)
    processor.run(EVENT, play)

    assert calls.count("record_finished") == 2


def test_an_observer_that_raises_does_not_stop_the_others(driver: Run) -> None:
    plugin, _ = breaks_at("batch_started")
    scope, _ = breaks_at("record_scope")
    watches = Watches()

    driver(ToySource(), EVENT, plugins=[plugin, scope, watches])

    assert len(watches.book) == 11


@pytest.mark.parametrize("scope", [None, 7, "text", object()])
def test_a_scope_that_is_none_switches_its_observer_off(
    scope: object, driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    class Scopes:
        @hookimpl
        def record_scope(self, record: Any) -> Any:
            return scope

    assert failed(driver(ToySource(), EVENT, plugins=[Scopes()])) == ["bad doll"]
    assert caplog.text.count("The observer hook record_scope() raised") == 1


def test_an_async_scope_switches_its_observer_off(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    class Scopes:
        @hookimpl
        @asynccontextmanager
        async def record_scope(self, record: Any) -> Any:
            yield

    assert failed(driver(ToySource(), EVENT, plugins=[Scopes()])) == ["bad doll"]
    assert caplog.text.count("The observer hook record_scope() raised") == 1


@pytest.mark.parametrize("error", [LookupError, SystemExit])
def test_a_scope_that_raises_when_it_is_left_switches_its_observer_off(
    error: type[BaseException], driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    class Raises(nullcontext[None]):
        def __exit__(self, *exc_info: object) -> None:
            raise error("no line")

    class Scopes:
        @hookimpl
        def record_scope(self, record: Any) -> AbstractContextManager[None]:
            return Raises()

    watches = Watches()

    result = driver(ToySource(), EVENT, plugins=[Scopes(), watches])

    assert failed(result) == ["bad doll"]
    assert caplog.text.count("The observer hook record_scope() raised") == 1
    assert len(watches.book) == 11, "the other scopes are left as well"


def test_a_scope_may_raise_the_exception_that_it_sees(driver: Run, caplog: pytest.LogCaptureFixture) -> None:
    class RaisesAgain(nullcontext[None]):
        def __exit__(
            self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
        ) -> None:
            if error is not None:
                raise error

    class Scopes:
        @hookimpl
        def record_scope(self, record: Any) -> AbstractContextManager[None]:
            return RaisesAgain()

    assert failed(driver(ToySource(), toys("bad 1", "bad 2"), plugins=[Scopes()])) == ["bad 1", "bad 2"]
    assert "The observer hook" not in caplog.text


def test_an_observer_of_two_scopes_that_both_raise_is_logged_once(
    driver: Run, caplog: pytest.LogCaptureFixture
) -> None:
    class Raises(nullcontext[None]):
        def __exit__(self, *exc_info: object) -> None:
            raise LookupError

    class Scopes:
        @hookimpl
        def record_scope(self, record: Any) -> AbstractContextManager[None]:
            return Raises()

        @hookimpl(specname="record_scope")
        def another(self, record: Any) -> AbstractContextManager[None]:
            return Raises()

    driver(ToySource(), toys("car"), plugins=[Scopes()])

    assert caplog.text.count("The observer hook record_scope() raised") == 1


@pytest.mark.parametrize("hook", sorted(OBSERVER_HOOKS))
def test_a_keyboard_interrupt_in_an_observer_ends_the_batch(hook: str) -> None:
    plugin, _ = breaks_at(hook, KeyboardInterrupt)

    with pytest.raises(KeyboardInterrupt):
        run(ToySource(), EVENT, plugins=[plugin])


def test_a_keyboard_interrupt_in_a_scope_that_is_left_ends_the_batch() -> None:
    class Interrupts(nullcontext[None]):
        def __exit__(self, *exc_info: object) -> None:
            raise KeyboardInterrupt

    class Scopes:
        @hookimpl
        def record_scope(self, record: Any) -> AbstractContextManager[None]:
            return Interrupts()

    with pytest.raises(KeyboardInterrupt):
        run(ToySource(), EVENT, plugins=[Scopes()])


def test_an_observer_may_have_fewer_arguments_and_other_names(driver: Run) -> None:
    calls: list[str] = []

    class Counts:
        @hookimpl
        def batch_started(self) -> None:
            calls.append("started")

        @hookimpl(specname="record_finished")
        def one_more(self) -> None:
            calls.append("record")

        @hookimpl(specname="record_finished")
        def and_another(self, outcome: Outcome) -> None:
            calls.append(outcome.status)

        @staticmethod
        @hookimpl
        def batch_finished(result: BatchResult) -> None:
            calls.append("finished")

    driver(ToySource(), toys("car"), plugins=[Counts()])

    assert sorted(calls) == ["finished", "record", "started", "succeeded"]


def test_one_plugin_may_be_an_observer_and_an_extension(driver: Run) -> None:
    class Both(Watches):
        @hookimpl
        def wrap_handler(self, handler: Any) -> Any:
            return lambda record: handler(record).upper()

        @hookimpl(wrapper=True)
        def build_response(self) -> Iterator[None]:
            return {**(yield), "watched": len(self.book)}  # type: ignore[misc]

    result = driver(ToySource(), toys("car"), plugins=[Both()])

    assert result.return_values == ["PLAYED WITH CAR"]
    assert result.response == {"batchItemFailures": [], "watched": 4}
