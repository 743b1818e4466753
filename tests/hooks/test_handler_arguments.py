"""``handler_arguments``: what a handler may ask the source for, by the name of a parameter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import MappingProxyType, TracebackType
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor, HandlerSignatureError, PluginError

from .support import FullSource, Run, ToySource, exceptions, failed, play, plugin_of, run, run_async, source_with, toys

EVENT = toys("car", "bad doll", "ball")


def offering(**arguments: Callable[[Any], AbstractContextManager[Any]]) -> Any:
    """Make a source that offers arguments."""
    return source_with(handler_arguments=lambda batch: arguments)


class Loan:
    """An argument that notes how it is held, and may go wrong.

    Args:
        book: where it notes it.
        name: its name.
        enter: what it raises when it is entered.
        leave: what it raises when it is left.
        swallows: what it answers when it is left.
    """

    def __init__(
        self,
        book: list[Any],
        name: str = "loan",
        *,
        enter: BaseException | None = None,
        leave: BaseException | None = None,
        swallows: bool = False,
    ) -> None:
        self.book = book
        self.name = name
        self.enter = enter
        self.leave = leave
        self.swallows = swallows

    def __call__(self, record: Any) -> Loan:
        return self

    def __enter__(self) -> str:
        if self.enter is not None:
            raise self.enter
        self.book.append(("enter", self.name))
        return self.name

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self.book.append(("leave", self.name, kind, traceback is not None))
        if self.leave is not None:
            raise self.leave
        return self.swallows


def lends(toy: Any, loan: str) -> str:
    return f"{play(toy)}, with {loan}"


def test_handler_arguments_give_what_a_handler_asks_for_by_name(driver: Run) -> None:
    source = offering(loan=lambda record: nullcontext(f"the loan of {record['id']}"))

    result = driver(source, toys("car", "ball"), lends)

    assert result.return_values == [
        "played with car, with the loan of car",
        "played with ball, with the loan of ball",
    ]


def test_handler_arguments_get_the_batch(driver: Run) -> None:
    seen: list[Any] = []

    def offer(batch: Any) -> Any:
        seen.append((batch.source, batch.event, list(batch.records), batch.context))
        return {"loan": lambda record: nullcontext("a loan")}

    driver(source_with(handler_arguments=offer), EVENT, lends, context="ctx")

    assert seen == [("toy", EVENT, EVENT["toys"], "ctx")]


def test_handler_arguments_are_made_of_the_raw_record(driver: Run) -> None:
    seen: list[Any] = []
    source = source_with(
        FullSource, handler_arguments=lambda batch: {"loan": lambda record: nullcontext(seen.append(record))}
    )

    driver(source, toys("car"), lends)

    assert seen == [{"id": "car"}]


@pytest.mark.parametrize(
    "handler", [play, lambda toy, lambda_context=None: None, lambda *, record: None, lambda record, /: None, str]
)
def test_handler_arguments_are_not_asked_for_where_the_handler_asks_for_nothing(handler: Any, driver: Run) -> None:
    def offer(batch: Any) -> Any:
        raise AssertionError("nobody asked")

    driver(source_with(handler_arguments=offer), toys("car"), handler)


def test_what_a_handler_does_not_ask_for_is_not_made(driver: Run) -> None:
    def make(record: Any) -> Any:
        raise AssertionError("nobody asked")

    result = driver(offering(loan=lambda record: nullcontext("a loan"), other=make), toys("car"), lends)

    assert failed(result) == []


def test_an_argument_is_held_open_around_the_handler(driver: Run) -> None:
    book: list[Any] = []

    def handler(toy: Any, loan: str) -> None:
        book.append("handler")

    driver(offering(loan=Loan(book)), toys("car"), handler)

    assert book == [("enter", "loan"), "handler", ("leave", "loan", None, False)]


def test_an_argument_sees_what_the_handler_raised(driver: Run) -> None:
    book: list[Any] = []

    result = driver(offering(loan=Loan(book)), toys("bad"), lends)

    assert book == [("enter", "loan"), ("leave", "loan", ValueError, True)]
    assert failed(result) == ["bad"]


def test_an_argument_cannot_make_a_success_of_a_failure(driver: Run) -> None:
    result = driver(offering(loan=Loan([], swallows=True)), toys("bad"), lends)

    assert isinstance(result.outcomes[0].exception, ValueError)


def test_arguments_are_left_in_the_reverse_of_their_order(driver: Run) -> None:
    book: list[Any] = []

    def handler(toy: Any, b: str, a: str) -> None:
        """Take both."""

    driver(offering(a=Loan(book, "a"), b=Loan(book, "b")), toys("car"), handler)

    assert [entry[:2] for entry in book] == [("enter", "a"), ("enter", "b"), ("leave", "b"), ("leave", "a")]


def test_what_an_argument_raises_when_it_is_left_fails_the_record_alone(driver: Run) -> None:
    error = OSError("it is lost")

    def loan(record: Any) -> Loan:
        return Loan([], leave=error if record["id"] == "ball" else None)

    result = driver(offering(loan=loan), toys("car", "ball", "doll"), lends)

    assert exceptions(result) == [None, error, None]


@pytest.mark.parametrize("how", ["made", "entered"])
def test_an_argument_that_cannot_be_had_fails_its_record_and_the_handler_is_not_called(how: str, driver: Run) -> None:
    handled: list[Any] = []
    error = OSError("it is lost")

    def handler(toy: Any, loan: str) -> None:
        handled.append(toy["id"])

    def loan(record: Any) -> Any:
        if record["id"] != "ball":
            return nullcontext()
        if how == "made":
            raise error
        return Loan([], enter=error)

    result = driver(offering(loan=loan), toys("car", "ball"), handler)

    assert exceptions(result) == [None, error]
    assert handled == ["car"]


def test_arguments_that_were_entered_are_left_where_a_later_one_cannot_be_had(driver: Run) -> None:
    book: list[Any] = []

    def handler(toy: Any, a: str, b: str) -> None:
        raise AssertionError("it was not called")

    result = driver(offering(a=Loan(book, "a"), b=Loan(book, "b", enter=OSError())), toys("car"), handler)

    assert book == [("enter", "a"), ("leave", "a", OSError, True)]
    assert [type(error) for error in exceptions(result)] == [OSError]


def test_an_argument_is_entered_inside_of_the_scopes_of_observers(driver: Run) -> None:
    book: list[Any] = []

    @contextmanager
    def scope(record: Any) -> Iterator[None]:
        book.append("scope")
        yield
        book.append("scope left")

    driver(offering(loan=Loan(book)), toys("car"), lends, plugins=[plugin_of(record_scope=scope)])

    assert book == ["scope", ("enter", "loan"), ("leave", "loan", None, False), "scope left"]


def test_an_argument_stays_open_while_an_async_handler_waits() -> None:
    book: list[Any] = []

    async def handler(toy: Any, loan: str) -> None:
        await asyncio.sleep(0)
        book.append("handler")

    run_async(offering(loan=Loan(book)), toys("car"), handler)

    assert book == [("enter", "loan"), "handler", ("leave", "loan", None, False)]


def test_an_argument_comes_beside_the_lambda_context(driver: Run) -> None:
    def handler(*, record: Any, lambda_context: Any, loan: str) -> Any:
        return record["id"], lambda_context, loan

    result = driver(offering(loan=Loan([])), toys("car"), handler, context="ctx")

    assert result.return_values == [("car", "ctx", "loan")]


def test_an_argument_comes_beside_what_a_batch_hook_gives(driver: Run) -> None:
    def handler(toy: Any, owners: Any, loan: str) -> Any:
        return owners, loan

    plugin = plugin_of(before_records=lambda batch: {"owners": "known"})

    assert driver(offering(loan=Loan([])), toys("car"), handler, plugins=[plugin]).return_values == [("known", "loan")]


def test_a_required_parameter_that_the_source_does_not_give_is_refused_before_the_first_record(driver: Run) -> None:
    book: list[Any] = []

    def handler(toy: Any, loan: str, price: int) -> None:
        book.append(toy)

    with pytest.raises(
        HandlerSignatureError, match=r"handler needs price besides the record.*for this batch they give loan\.$"
    ):
        driver(offering(loan=Loan(book)), EVENT, handler)

    assert book == []


def test_a_parameter_with_a_default_is_given_where_the_source_has_it(driver: Run) -> None:
    def handler(toy: Any, loan: str = "no loan") -> str:
        return loan

    assert driver(offering(loan=Loan([])), toys("car"), handler).return_values == ["loan"]
    assert driver(ToySource(), toys("car"), handler).return_values == ["no loan"]


def test_handler_arguments_may_be_any_mapping(driver: Run) -> None:
    source = source_with(handler_arguments=lambda batch: MappingProxyType({"loan": Loan([])}))

    assert failed(driver(source, toys("car"), lends)) == []


@pytest.mark.parametrize("returned", [None, ["loan"], "loan", 7])
@pytest.mark.parametrize("with_a_batch_hook", [False, True])
def test_handler_arguments_that_are_no_mapping_are_an_error_before_the_first_record(
    returned: Any, with_a_batch_hook: bool, driver: Run
) -> None:
    handled: list[Any] = []
    source = source_with(handler_arguments=lambda batch: returned)
    plugins = [plugin_of(before_records=lambda batch: None)] if with_a_batch_hook else []

    def handler(toy: Any, loan: str = "none") -> None:
        handled.append(toy)

    with pytest.raises(PluginError, match=r"handler_arguments\(\) of source 'toy' gives a mapping, not ") as caught:
        driver(source, EVENT, handler, plugins=plugins)

    assert (caught.value.plugin, caught.value.hook) == (source, "handler_arguments")
    assert handled == []


@pytest.mark.parametrize("processor", [BatchProcessor, AsyncBatchProcessor])
def test_arguments_are_given_under_the_context_manager_too(processor: type[BatchProcessor]) -> None:
    with processor(offering(loan=Loan([])))(records=toys("car")["toys"], handler=lends) as opened:
        entries = opened.async_process() if processor is AsyncBatchProcessor else opened.process()

    assert entries == [("success", "played with car, with loan", {"id": "car"})]


def test_a_source_without_the_hook_offers_nothing() -> None:
    with pytest.raises(
        HandlerSignatureError, match=r"needs loan besides the record.*for this batch they give nothing\.$"
    ):
        run(ToySource(), EVENT, lends)


def test_a_handler_that_asks_by_position_alone_for_what_is_given_by_name_is_refused(driver: Run) -> None:
    handled: list[Any] = []

    def handler(toy: Any, loan: str, /) -> None:
        handled.append(toy)

    with pytest.raises(HandlerSignatureError, match="needs loan besides the record"):
        driver(offering(loan=Loan([])), EVENT, handler)
    assert handled == []
