"""Observers watch a batch through each driver, and change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, Disposition, hookimpl, in_order
from tests.batches import batch_of, failed, handle
from tests.drivers import Way


class Watch:
    """Logs what it is told."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    @hookimpl
    def batch_started(self, batch: Any) -> None:
        self.log.append(("started", len(batch.records)))

    @hookimpl
    def record_finished(self, outcome: Any) -> None:
        self.log.append((outcome.identifier, outcome.status, type(outcome.exception).__name__, outcome.value))

    @hookimpl
    def batch_finished(self, result: Any) -> None:
        self.log.append(("finished", failed(result.response)))


def test_observer_is_told_of_the_batch_and_of_each_record_once(way: Way) -> None:
    watch = Watch()
    way(batch_of("a", "bad", "c"), plugins=[watch])
    assert watch.log[0] == ("started", 3)
    assert sorted(watch.log[1:-1]) == [
        ("m0", "succeeded", "NoneType", "A"),
        ("m1", "failed", "ValueError", None),
        ("m2", "succeeded", "NoneType", "C"),
    ]
    assert watch.log[-1] == ("finished", ["m1"])


def test_observer_is_told_of_records_not_attempted_and_dropped(driver: Way) -> None:
    watch = Watch()
    driver(batch_of("ok", "bad", "c"), plugins=[watch], ordering=in_order())
    assert [entry[1] for entry in watch.log[1:-1]] == ["succeeded", "failed", "not_attempted"]
    watch = Watch()
    driver(batch_of("bad"), plugins=[watch], dispositions={ValueError: Disposition.DROP})
    assert [entry[1] for entry in watch.log[1:-1]] == ["dropped"]


class Scope:
    """Holds a scope round each call, and logs what it sees."""

    def __init__(self) -> None:
        self.log: list[str] = []

    @hookimpl
    def record_scope(self, record: Any) -> Any:
        return self.scope(record)

    @contextmanager
    def scope(self, record: Any) -> Iterator[None]:
        self.log.append(f"{record['messageId']} in")
        try:
            yield
        except BaseException as error:
            self.log.append(f"{record['messageId']} {type(error).__name__}")
            raise
        self.log.append(f"{record['messageId']} out")


def test_scope_is_held_round_each_call_of_the_handler(driver: Way) -> None:
    scope, second = Scope(), Scope()
    response = driver(batch_of("a", "bad"), plugins=[scope, second], ordering=in_order())
    assert failed(response) == ["m1"]
    assert scope.log == second.log == ["m0 in", "m0 out", "m1 in", "m1 ValueError"]


class Swallow:
    @hookimpl
    def record_scope(self, record: Any) -> Any:
        return self

    def __enter__(self) -> None:
        """Enter."""

    def __exit__(self, *exc_info: object) -> bool:
        return True


def test_scope_cannot_swallow_a_failure(driver: Way) -> None:
    assert failed(driver(batch_of("a", "bad"), plugins=[Swallow()])) == ["m1"]


HOOKS = ["batch_started", "record_scope", "record_finished", "batch_finished"]


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("error", [ValueError, SystemExit, StopIteration])
def test_observer_that_raises_is_logged_once_and_changes_nothing(
    driver: Way, hook: str, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    calls: list[str] = []

    def broken(self: Any, *arguments: Any) -> None:
        calls.append(hook)
        raise error("of the observer")

    argument = {"record_scope": "record", "record_finished": "outcome", "batch_finished": "result"}.get(hook, "batch")
    namespace: dict[str, Any] = {"broken": broken}
    exec(f"def {hook}(self, {argument}): return broken(self, {argument})", namespace)
    observer = type("Observer", (), {hook: hookimpl(namespace[hook])})()
    watch = Watch()
    assert failed(driver(batch_of("a", "bad", "c"), plugins=[observer, watch])) == ["m1"]
    assert len(calls) == 1, "it is switched off for the batch"
    assert len(watch.log) == 5, "others are not"
    logged = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert logged == [
        f"The observer hook {hook}() raised {error.__name__}: of the observer; no outcome changes. Plugin: Observer."
    ]


def test_interrupt_in_an_observer_propagates(driver: Way) -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    class Interrupting:
        @hookimpl
        def record_finished(self, outcome: Any) -> None:
            raise Interrupted

    class InterruptingScope:
        @hookimpl
        def record_scope(self, record: Any) -> Any:
            raise Interrupted

    class InterruptingExit(Swallow):
        def __exit__(self, *exc_info: object) -> bool:
            raise Interrupted

    for observer in (Interrupting(), InterruptingScope(), InterruptingExit()):
        with pytest.raises(Interrupted):
            driver(batch_of("a", "b"), handle, plugins=[observer])


def test_scope_that_raises_when_it_ends_changes_nothing(driver: Way) -> None:
    class Leaving(Swallow):
        def __exit__(self, *exc_info: object) -> bool:
            raise ValueError("of the scope")

    assert failed(driver(batch_of("a", "bad", "c"), plugins=[Leaving()])) == ["m1"]


def test_scope_that_raises_the_handlers_own_exception_again_is_not_at_fault(
    driver: Way, caplog: pytest.LogCaptureFixture
) -> None:
    class Raising(Swallow):
        def __exit__(self, *exc_info: object) -> bool:
            calls.append(exc_info[0])
            if exc_info[1] is not None:
                raise exc_info[1]
            return False

    calls: list[Any] = []
    assert failed(driver(batch_of("a", "bad", "c", "bad"), plugins=[Raising()])) == ["m1", "m3"]
    assert len(calls) == 4
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2


def test_scope_is_held_round_a_plain_handler_of_an_async_processor() -> None:
    scope = Scope()
    processor = AsyncBatchProcessor("sqs", plugins=[scope])
    assert failed(processor.run(batch_of("a", "bad"), handle).response) == ["m1"]
    assert scope.log == ["m0 in", "m0 out", "m1 in", "m1 ValueError"]


class Places:
    """Writes down where in which batch each record is."""

    def __init__(self) -> None:
        self.entered: list[Any] = []
        self.finished: list[Any] = []

    @hookimpl
    @contextmanager
    def record_scope(self, record: Any, batch: Any, position: int) -> Iterator[None]:
        assert batch.records[position] is record
        self.entered.append((position, batch.identifiers[position]))
        yield

    @hookimpl
    def record_finished(self, outcome: Any, batch: Any) -> None:
        assert batch.records[outcome.position] is outcome.record
        self.finished.append(outcome.identifier)


def test_observers_of_a_record_know_its_batch_and_where_in_it_the_record_is(way: Way) -> None:
    places = Places()
    way(batch_of("a", "bad", "c"), plugins=[places])
    assert sorted(places.entered) == [(0, "m0"), (1, "m1"), (2, "m2")]
    assert sorted(places.finished) == ["m0", "m1", "m2"]


def test_observers_of_records_not_attempted_know_the_batch(driver: Way) -> None:
    places = Places()
    driver(batch_of("ok", "bad", "c"), plugins=[places], ordering=in_order())
    assert [place for place, _ in places.entered] == [0, 1]
    assert places.finished == ["m0", "m1", "m2"]
