"""Tests of the contract: every way to run a batch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

from batchcore import hookimpl
from batchcore.source import SOURCE_HOOKS
from batchcore_testing.clock import SimulatedContext
from batchcore_testing.contract import rules
from batchcore_testing.contract.checks import expected_failures, not_attempted, shown
from batchcore_testing.contract.descriptions import Asking
from batchcore_testing.contract.opting_out import NO_PYDANTIC
from batchcore_testing.contract.runs import DRIVERS, Driver, Handler, one_by_one, one_call, tasks

if TYPE_CHECKING:
    from batchcore_testing.contract.probe import Probe

each_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.__name__)


class ProcessorTests:
    """Every way to run a batch."""

    @each_driver
    def test_it_works_with_every_processor(self, probe: Probe, driver: Driver) -> None:
        plain = probe.run(probe.event, Handler([1]))
        try:
            run = probe.run(probe.event, Handler([1]), driver)
        except Exception as error:
            rules.EVERY_PROCESSOR.broken(f"{driver.__name__} raises {shown(error)}", probe.name, error)
        if probe.again(probe.event, run) != probe.again(probe.event, plain):
            rules.EVERY_PROCESSOR.broken(
                f"one by one, AWS reads {sorted(plain.named)}; with {driver.__name__} {sorted(run.named)}", probe.name
            )

    @each_driver
    def test_it_works_with_a_model(self, probe: Probe, driver: Driver) -> None:
        try:
            from pydantic import RootModel, model_validator
        except ModuleNotFoundError:
            pytest.skip(NO_PYDANTIC)
        records = list(probe.records(probe.event))

        class AnyRecord(RootModel[Any]):
            """Takes the raw records of the event, but for record 1."""

            @model_validator(mode="before")
            @classmethod
            def fits(cls, record: Any) -> Any:
                """Refuse what is no raw record."""
                if record not in records:
                    raise ValueError("this is no raw record")
                if record == records[1]:
                    raise ValueError("this one does not fit")
                return record

        run = probe.run(probe.event, driver=driver, model=AnyRecord)
        if run.named != expected_failures(probe, run, len(records), {1}):
            seen = f"{driver.__name__}: record 1 does not fit the model; AWS reads {sorted(run.named)}"
            rules.MODELS.broken(seen, probe.name)
        if not probe.lanes(probe.event) and not_attempted(run, len(records)) - {1}:
            rules.MODELS.broken(f"{driver.__name__}: records that fit are not handled", probe.name)

    def test_it_works_under_a_deadline(self, probe: Probe, event_of: Callable[[int], Any]) -> None:
        event, context = event_of(4), SimulatedContext(timeout=12)

        class Slow(Handler):
            def _end(self, record: Any) -> None:
                context.advance(4)

        for driver in (one_by_one, one_call, tasks):
            context.clock.now = context.deadline - 12
            options: dict[str, Any] = {"context": context, "stop_before_timeout": 5, "max_concurrency": 1}
            run = probe.run(event, Slow(), driver, **options)
            started = run.watch.begun
            if len(started) != 2 or run.named != expected_failures(probe, run, 4, set()):
                rules.DEADLINE.broken(
                    f"{driver.__name__}: there was time for 2 records of 4, {started} were started; AWS reads "
                    f"{sorted(run.named)}",
                    probe.name,
                )

    @pytest.mark.parametrize("hook", sorted(SOURCE_HOOKS))
    def test_a_wrapper_can_be_put_round_each_hook(self, probe: Probe, hook: str) -> None:
        plain = probe.run(probe.event, Handler([1]), plugins=[Asking()])
        try:
            wrapped = probe.run(probe.event, Handler([1]), plugins=[Asking(), Passing(hook)])
        except Exception as error:
            rules.WRAPPED.broken(f"with a wrapper round {hook}() it raises {shown(error)}", probe.name, error)
        same = isinstance(plain.response, BaseException) or wrapped.response == plain.response
        if not same or wrapped.watch.log != plain.watch.log:
            rules.WRAPPED.broken(f"with a wrapper round {hook}() a batch runs otherwise", probe.name)

    @each_driver
    def test_handlers_get_what_it_offers_them(self, probe: Probe, driver: Driver) -> None:
        batch = probe.run(probe.event).watch.batch
        names = [] if batch is None or driver.__name__ == "with_block" else list(probe.hooks.handler_arguments(batch))
        if not names:
            return
        for fails in ((), (1,)):
            handler = AskingHandler(names, fails)
            run = probe.run(probe.event, handler, driver)
            expected = expected_failures(probe, run, probe.size, set(fails))
            if run.named != expected:
                rules.ARGUMENTS.broken(
                    f"{driver.__name__}: handlers ask for {', '.join(names)}, {list(fails) or 'none'} of them fail; "
                    f"AWS reads {sorted(run.named)}",
                    probe.name,
                )


class Passing:
    """A plugin that wraps one hook of a source, and changes nothing.

    Args:
        hook: the hook.
    """

    def __init__(self, hook: str) -> None:
        def wrap() -> Generator[None, Any, Any]:
            inner = yield
            return inner

        self.wrap = hookimpl(wrapper=True, specname=hook)(wrap)


class AskingHandler(Handler):
    """A handler that asks for arguments by name.

    Args:
        names: the names.
        fails: the positions of the records that it fails.
    """

    def __init__(self, names: list[str], fails: tuple[int, ...]) -> None:
        super().__init__(fails, pauses=True)
        kinds = inspect.Parameter
        signature = inspect.Signature(
            [
                kinds("record", kinds.POSITIONAL_OR_KEYWORD),
                *(kinds(name, kinds.KEYWORD_ONLY) for name in names),
            ]
        )
        self.__signature__ = signature

        async def awaited(record: Any, **_arguments: Any) -> Any:
            return await Handler.awaited(self, record)

        awaited.__signature__ = signature  # type: ignore[attr-defined]  # a function has it when it is set
        self.awaited = awaited  # type: ignore[method-assign]  # with the arguments that are asked for

    def __call__(self, record: Any, **arguments: Any) -> Any:
        """Handle a record."""
        return super().__call__(record)
