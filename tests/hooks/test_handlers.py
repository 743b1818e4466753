"""What may be a record handler, how it is called, and what is refused before the first record."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import operator
import sys
from collections.abc import Callable
from typing import Any, NamedTuple
from unittest.mock import AsyncMock, MagicMock, Mock, create_autospec, patch

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    ConfigurationError,
    HandlerSignatureError,
    UnawaitedResultError,
    async_process_partial_response,
    process_partial_response,
)

from .support import Run, ToySource, decorated, failed, run, run_async, run_threads, statuses, toys

EVENT = toys("car", "ball")
RECORDS = EVENT["toys"]
CONTEXT = object()


class Call(NamedTuple):
    """What a handler got."""

    record: Any
    context: Any = None


def hidden(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate without telling what is decorated."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call


class Player:
    """Methods of all kinds."""

    seen: list[Any]

    def __init__(self) -> None:
        self.seen = []

    def method(self, toy: Any) -> None:
        self.seen.append(toy)

    @decorated
    def decorated_method(self, record: Any) -> None:
        self.seen.append(record)

    def __call__(self, toy: Any) -> None:
        self.seen.append(toy)


# -- Whatever it is, it gets each record once.


def handlers(seen: list[Any]) -> dict[str, Any]:  # noqa: C901, PLR0915 - a list of small functions
    """Give handlers of all kinds, each of which notes what it gets."""
    note = seen.append
    player = Player()
    player.seen = seen

    def one(toy: Any) -> None:
        note(toy)

    def named_record(record: Any) -> None:
        note(record)

    def named_event(event: Any) -> None:
        note(event)

    def positional_only(toy: Any, /) -> None:
        note(toy)

    def positional_only_record(record: Any, /) -> None:
        note(record)

    def positional_only_record_and_more(record: Any, /, **more: Any) -> None:
        note(record)
        assert more == {}

    def keyword_only_record(*, record: Any) -> None:
        note(record)

    def keyword_only_of_another_name(*, toy: Any) -> None:
        note(toy)

    def keyword_only_beside_optional(*, toy: Any, retries: int = 3) -> None:
        note(toy)
        assert retries == 3

    def record_is_second(client: Any = None, record: Any = None) -> None:
        note(record)
        assert client is None

    def record_is_keyword_behind_an_optional(client: Any = None, *, record: Any) -> None:
        note(record)
        assert client is None

    def everything_optional(toy: Any = None, retries: int = 3) -> None:
        note(toy)
        assert retries == 3

    def any_arguments(*args: Any) -> None:
        (toy,) = args
        note(toy)

    def any_keywords(**kwargs: Any) -> None:
        assert list(kwargs) == ["record"]
        note(kwargs["record"])

    def anything(*args: Any, **kwargs: Any) -> None:
        assert kwargs == {}
        (toy,) = args
        note(toy)

    def record_and_anything(record: Any, *args: Any, **kwargs: Any) -> None:
        note(record)
        assert not args
        assert not kwargs

    def wants_the_name(*args: Any, **kwargs: Any) -> None:
        note(kwargs["record"])

    class Slotted:
        __slots__ = ()

        def __call__(self, record: Any) -> None:
            note(record)

    class Order:
        def __init__(self, record: Any) -> None:
            note(record)

    class Keywords:
        def __call__(self, *, toy: Any) -> None:
            note(toy)

    class Static:
        @staticmethod
        def play(toy: Any) -> None:
            note(toy)

        @classmethod
        def play_with(cls, toy: Any) -> None:
            note(toy)

    def with_injected(record: Any, client: Any) -> None:
        note(record)
        assert client == "injected"

    @functools.wraps(with_injected)
    def injecting(*args: Any, **kwargs: Any) -> None:
        with_injected(*args, client="injected", **kwargs)

    def with_signature(*args: Any, **kwargs: Any) -> None:
        note(args[0])

    with_signature.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter("toy", inspect.Parameter.POSITIONAL_ONLY)]
    )

    def two(client: Any, toy: Any) -> None:
        note(toy)
        assert client == "client"

    return {
        "function": one,
        "function of a record": named_record,
        "function of an event": named_event,
        "lambda": lambda toy: note(toy),  # noqa: PLW0108 - a lambda is what is tried
        "positional only": positional_only,
        "positional-only record": positional_only_record,
        "positional-only record and any keywords": positional_only_record_and_more,
        "keyword-only record": keyword_only_record,
        "keyword-only of another name": keyword_only_of_another_name,
        "keyword-only beside an optional one": keyword_only_beside_optional,
        "record is the second parameter": record_is_second,
        "record is a keyword behind an optional parameter": record_is_keyword_behind_an_optional,
        "everything optional": everything_optional,
        "any arguments": any_arguments,
        "any keywords": any_keywords,
        "anything": anything,
        "record and anything": record_and_anything,
        "bound method": player.method,
        "decorated bound method": player.decorated_method,
        "callable object": player,
        "callable object without a dictionary": Slotted(),
        "callable object of a keyword": Keywords(),
        "class": Order,
        "static method": Static.play,
        "class method": Static.play_with,
        "static method as the object that it is": staticmethod(one),
        "builtin method": seen.append,
        "builtin method, decorated and hidden": hidden(seen.append),
        "partial": functools.partial(two, "client"),
        "partial by keyword": functools.partial(two, client="client"),
        "partial of a partial": functools.partial(functools.partial(two), "client"),
        "partial of a bound method": functools.partial(player.method),
        "partial of a callable object": functools.partial(player),
        "partial method": functools.partialmethod(Player.method).__get__(player, Player),
        "decorated": decorated(one),
        "decorated, of a record": decorated(named_record),
        "decorated, of a positional-only record": decorated(positional_only_record),
        "decorated twice": decorated(decorated(named_record)),
        "decorated and hidden": hidden(one),
        "decorated by what wants the name": functools.update_wrapper(wants_the_name, named_record),
        "decorated by what gives the other arguments": injecting,
        "with a signature of its own": with_signature,
        "mock": Mock(side_effect=note),
        "magic mock": MagicMock(side_effect=note),
        "mock of a specification": create_autospec(one, side_effect=note),
    }


@pytest.mark.parametrize("kind", handlers([]))
@pytest.mark.parametrize("driver", [run, run_threads, run_async])
@pytest.mark.parametrize("context", [None, CONTEXT], ids=["no context", "context"])
def test_a_handler_of_any_kind_gets_each_record_once(kind: str, driver: Run, context: object) -> None:
    seen: list[Any] = []
    handler = handlers(seen)[kind]
    processor = (AsyncBatchProcessor if driver is run_async else BatchProcessor)(
        HashableToys(), max_concurrency=2 if driver is run_threads else None
    )

    response = processor.run(EVENT, handler, context).response

    assert response == {"batchItemFailures": []}
    assert sorted(toy["id"] for toy in seen) == ["ball", "car"]


class Toy(dict[str, Any]):
    __hash__ = object.__hash__  # type: ignore[assignment]


class HashableToys(ToySource):
    """A source whose records can be keys of a cache."""

    from batchcore import hookimpl

    @hookimpl
    def record_decoder(self) -> Any:
        return Toy


@pytest.mark.parametrize("builtin", [dict, list, len, repr, id, print, str, bool, max, operator.itemgetter("id")])
def test_a_builtin_may_be_a_handler(builtin: Callable[[Any], Any], driver: Run) -> None:
    result = driver(ToySource(), EVENT, builtin)

    assert failed(result) == []
    assert result.return_values == [builtin(record) for record in RECORDS]


def test_a_handler_that_is_patched_in_a_test_is_called(driver: Run) -> None:
    with patch(f"{__name__}.patched_handler") as double:
        driver(ToySource(), EVENT, patched_handler)

    assert [call.args[0]["id"] for call in double.call_args_list] in (["car", "ball"], ["ball", "car"])


def patched_handler(record: Any) -> None:
    raise AssertionError("it is patched")


def test_a_handler_whose_argument_is_patched_in_is_called(driver: Run) -> None:
    seen: list[Any] = []

    @patch(f"{__name__}.patched_handler")
    def handler(toy: Any, double: Any) -> None:
        seen.append((toy["id"], isinstance(double, MagicMock)))

    driver(ToySource(), EVENT, handler)

    assert sorted(seen) == [("ball", True), ("car", True)]


def test_a_handler_is_examined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    examined: list[Any] = []
    original = inspect.signature
    monkeypatch.setattr(inspect, "signature", lambda handler, **how: examined.append(handler) or original(handler))
    processor = BatchProcessor(ToySource())
    handler = functools.partial(str)

    for _ in range(3):
        processor.run(EVENT, handler)

    assert examined == [handler]


# -- The Lambda context.


def test_the_context_is_given_wherever_the_handler_has_a_parameter_for_it() -> None:  # noqa: C901 - small functions
    seen: list[Call] = []

    def second(record: Any, lambda_context: Any) -> None:
        seen.append(Call(record, lambda_context))

    def first(lambda_context: Any, record: Any) -> None:
        seen.append(Call(record, lambda_context))

    def first_of_another_name(lambda_context: Any, toy: Any) -> None:
        seen.append(Call(toy, lambda_context))

    def keyword_only(toy: Any, *, lambda_context: Any) -> None:
        seen.append(Call(toy, lambda_context))

    def optional(toy: Any, lambda_context: Any = None) -> None:
        seen.append(Call(toy, lambda_context))

    def both_keyword_only(*, lambda_context: Any, toy: Any) -> None:
        seen.append(Call(toy, lambda_context))

    def positional_only_record(toy: Any, /, lambda_context: Any) -> None:
        seen.append(Call(toy, lambda_context))

    def beside_anything(*args: Any, lambda_context: Any, **kwargs: Any) -> None:
        seen.append(Call(args[0], lambda_context))

    def in_the_middle(toy: Any, lambda_context: Any, retries: int = 3) -> None:
        seen.append(Call(toy, lambda_context))

    class Method:
        def handle(self, toy: Any, lambda_context: Any) -> None:
            seen.append(Call(toy, lambda_context))

        def __call__(self, record: Any, lambda_context: Any) -> None:
            seen.append(Call(record, lambda_context))

    for handler in (
        second,
        first,
        first_of_another_name,
        keyword_only,
        optional,
        both_keyword_only,
        positional_only_record,
        beside_anything,
        in_the_middle,
        Method().handle,
        Method(),
        decorated(second),
        decorated(keyword_only),
        functools.partial(second),
        decorated(Method().handle),
    ):
        seen.clear()
        BatchProcessor(ToySource()).run(EVENT, handler, CONTEXT)
        assert seen == [Call(record, CONTEXT) for record in RECORDS], handler
        seen.clear()
        AsyncBatchProcessor(ToySource()).run(EVENT, handler, CONTEXT)
        assert seen == [Call(record, CONTEXT) for record in RECORDS], handler


@pytest.mark.parametrize(
    "handler",
    [
        lambda record, lambda_context="default": (record, lambda_context),
        lambda lambda_context="default", record=None: (record, lambda_context),
        lambda lambda_context="default", toy=None: (toy, lambda_context),
        lambda toy, *, lambda_context="default": (toy, lambda_context),
        decorated(lambda record, lambda_context="default": (record, lambda_context)),
        functools.partial(lambda record, lambda_context: (record, lambda_context), lambda_context="default"),
    ],
)
def test_without_a_context_an_optional_parameter_keeps_its_default(handler: Any, driver: Run) -> None:
    assert driver(ToySource(), EVENT, handler).return_values == [(record, "default") for record in RECORDS]


@pytest.mark.parametrize(
    "handler",
    [
        lambda record, lambda_context: None,
        lambda lambda_context, record: None,
        lambda toy, *, lambda_context: None,
        lambda *args, lambda_context: None,
        decorated(lambda record, lambda_context: None),
        functools.partial(lambda record, lambda_context: None),
    ],
)
def test_a_required_context_that_is_not_given_is_an_error_before_the_first_record(handler: Any, driver: Run) -> None:
    with pytest.raises(HandlerSignatureError, match="needs `lambda_context` and no context was given") as caught:
        driver(ToySource(), EVENT, handler)

    assert "give the parameter a default" in str(caught.value)


def test_a_handler_without_the_parameter_is_not_given_the_context(driver: Run) -> None:
    seen: list[Any] = []

    def context(context: Any, **others: Any) -> None:
        seen.append((context, others))

    BatchProcessor(ToySource()).run(EVENT, context, CONTEXT)

    assert seen == [(record, {}) for record in RECORDS]


def test_a_handler_meets_each_batchs_own_context() -> None:
    processor = BatchProcessor(ToySource())
    contexts = [object(), object(), None]

    def handler(record: Any, lambda_context: Any = None) -> Any:
        return lambda_context

    given = [processor.run(toys("car"), handler, context).return_values for context in contexts]

    assert given == [[context] for context in contexts]


def test_a_false_context_is_a_context(driver: Run) -> None:
    result = BatchProcessor(ToySource()).run(toys("car"), lambda record, lambda_context: lambda_context, {})

    assert result.return_values == [{}]


# -- Refused.


def takes_nothing() -> None:
    """A function without parameters."""


async def coroutine_function_of_two(a: Any, b: Any) -> None:
    """A coroutine function that no record can be given to."""


REFUSED: dict[str, tuple[Any, str]] = {
    "nothing": (takes_nothing, "The handler takes_nothing takes no record"),
    "nothing, as a lambda": (lambda: None, "takes no record"),
    "the context alone": (lambda lambda_context: None, "takes no record"),
    "the context alone, optional": (lambda lambda_context=None: None, "takes no record"),
    "the context by keyword": (lambda *, lambda_context: None, "takes no record"),
    "the context and any others": (lambda lambda_context=None, *others: None, "takes no record"),
    "two": (lambda toy, box: None, "needs box besides the record"),
    "two, one of them the record": (lambda box, record: None, "needs box besides the record"),
    "three": (lambda toy, shelf, box: None, "needs box, shelf besides the record"),
    "a keyword": (lambda toy, *, box: None, "needs box besides the record"),
    "two keywords": (lambda *, toy, box: None, "takes no record"),
    "two optional keywords": (lambda *, toy=None, box=None: None, "takes no record"),
    "any and a keyword": (lambda *toys, box: None, "needs box besides the record"),
    "partial that lacks one": (functools.partial(lambda client, toy, box: None, 1), "needs box besides the record"),
    "callable object of two": (type("Two", (), {"__call__": lambda self, toy, box: None})(), "besides the record"),
    "a class of two": (type("Two", (), {"__init__": lambda self, toy, box: None}), "besides the record"),
    "context by position": (eval("lambda toy, lambda_context, /: None"), "takes `lambda_context` by position only"),
    "record by position after another": (
        eval("lambda lambda_context=None, toy=None, /: None"),
        "takes `toy` by position only, after another parameter",
    ),
    "a generator function": (lambda toy: (yield toy), "has a yield in it"),
    "no function": (None, "A record handler is a function of one record, not None"),
    "a text": ("handler", "A record handler is a function of one record, not 'handler'"),
    "a coroutine's name": (7, "A record handler is a function of one record, not 7"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_handler_that_cannot_take_a_record_is_refused_before_the_first_one(kind: str, driver: Run) -> None:
    handler, message = REFUSED[kind]

    with pytest.raises(HandlerSignatureError) as caught:
        driver(ToySource(), EVENT, handler)

    assert message in str(caught.value)
    assert isinstance(caught.value, ConfigurationError)
    assert isinstance(caught.value, TypeError)


def test_a_coroutine_function_of_two_is_refused_for_what_is_wrong_with_it_first(driver: Run) -> None:
    with pytest.raises(HandlerSignatureError) as caught:
        driver(ToySource(), EVENT, coroutine_function_of_two)

    awaits = driver is run_async
    assert ("needs b besides the record" in str(caught.value)) is awaits
    assert (
        "BatchProcessor calls its handler synchronously and was given a coroutine" in str(caught.value)
    ) is not awaits


def test_a_handler_is_refused_even_where_there_is_no_record(driver: Run) -> None:
    with pytest.raises(HandlerSignatureError):
        driver(ToySource(), toys(), takes_nothing)


def test_a_handler_is_refused_when_the_context_manager_is_made() -> None:
    with pytest.raises(HandlerSignatureError):
        BatchProcessor(ToySource())(records=RECORDS, handler=takes_nothing)


def test_a_refused_handler_without_a_name_is_shown() -> None:
    handler = functools.partial(lambda toy, box: None)

    with pytest.raises(HandlerSignatureError, match=r"The handler functools\.partial"):
        run(ToySource(), EVENT, handler)


# -- Coroutine functions.


class AsyncPlayer:
    async def method(self, toy: Any) -> str:
        await asyncio.sleep(0)
        return f"awaited {toy['id']}"

    async def __call__(self, toy: Any) -> str:
        return await self.method(toy)

    @classmethod
    async def class_method(cls, toy: Any) -> str:
        return await AsyncPlayer().method(toy)

    @staticmethod
    async def static_method(toy: Any) -> str:
        return await AsyncPlayer().method(toy)


async def play_async(toy: Any) -> str:
    return await AsyncPlayer().method(toy)


def mark(function: Any) -> Any:
    """Do as ``inspect.markcoroutinefunction`` does, which came with Python 3.12."""
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(function)
    function._is_coroutine_marker = object()
    return function


COROUTINE_FUNCTIONS: dict[str, Callable[[], Any]] = {
    "function": lambda: play_async,
    "method": lambda: AsyncPlayer().method,
    "class method": lambda: AsyncPlayer.class_method,
    "static method": lambda: AsyncPlayer.static_method,
    "callable object": AsyncPlayer,
    "partial": lambda: functools.partial(play_async),
    "partial of a partial": lambda: functools.partial(functools.partial(play_async)),
    "partial of a method": lambda: functools.partial(AsyncPlayer().method),
    "partial of a callable object": lambda: functools.partial(AsyncPlayer()),
    "mock": lambda: AsyncMock(side_effect=play_async),
    "marked function": lambda: mark(hidden(play_async)),
    "marked method": lambda: type("Marked", (), {"play": mark(lambda self, toy: play_async(toy))})().play,
}


@pytest.mark.parametrize("kind", COROUTINE_FUNCTIONS)
@pytest.mark.parametrize("driver", [run, run_threads])
def test_a_coroutine_function_is_refused_by_a_synchronous_processor(kind: str, driver: Run) -> None:
    with pytest.raises(HandlerSignatureError, match="was given a coroutine function"):
        driver(ToySource(), EVENT, COROUTINE_FUNCTIONS[kind]())


@pytest.mark.parametrize("kind", COROUTINE_FUNCTIONS)
def test_a_coroutine_function_is_awaited_by_an_asynchronous_processor(kind: str) -> None:
    result = run_async(ToySource(), EVENT, COROUTINE_FUNCTIONS[kind]())

    assert result.return_values == ["awaited car", "awaited ball"]


def test_a_coroutine_function_is_refused_by_name_of_the_processor() -> None:
    class Special(BatchProcessor):
        pass

    with pytest.raises(HandlerSignatureError, match="Special calls its handler synchronously"):
        process_partial_response(EVENT, play_async, Special(ToySource()))


class Awaitable:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Any:
        yield from asyncio.sleep(0).__await__()
        return "awaited"


AWAITABLES: dict[str, Callable[[Any], Any]] = {
    "coroutine": lambda toy: play_async(toy),  # noqa: PLW0108 - a lambda hides that it is a coroutine function
    "coroutine of a decorated and hidden function": hidden(play_async),
    "coroutine of a decorated function": decorated(play_async),
    "object": lambda toy: Awaitable(),
    "coroutine of a mock": Mock(side_effect=play_async),
}


@pytest.mark.parametrize("kind", AWAITABLES)
@pytest.mark.parametrize("driver", [run, run_threads])
def test_an_awaitable_that_is_returned_synchronously_is_a_failure_without_a_warning(kind: str, driver: Run) -> None:
    result = driver(ToySource(), EVENT, AWAITABLES[kind])
    gc.collect()  # a coroutine that was never awaited would warn now, and a warning is an error

    assert failed(result) == ["car", "ball"]
    assert statuses(result) == ["failed", "failed"]
    assert all(isinstance(outcome.exception, UnawaitedResultError) for outcome in result.outcomes)
    assert "AsyncBatchProcessor" in str(result.outcomes[0].exception)


@pytest.mark.parametrize("kind", [kind for kind in AWAITABLES if kind != "coroutine of a decorated function"])
def test_an_awaitable_that_is_returned_is_awaited_by_an_asynchronous_processor(kind: str) -> None:
    result = run_async(ToySource(), EVENT, AWAITABLES[kind])

    assert failed(result) == []
    assert all(str(value).startswith("awaited") for value in result.return_values)


class Traced:
    """A decorator that is a class."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function

    def __call__(self, toy: Any) -> Any:
        return self.function(toy)


PLAINLY_DECORATED: dict[str, Callable[..., Any]] = {
    "function": decorated(play_async),
    "twice": decorated(decorated(play_async)),
    "partial": functools.partial(decorated(play_async)),
    "cache": functools.lru_cache(play_async),
    "class": Traced(play_async),
    "of a class with a coroutine function": decorated(Traced(play_async)),
}


@pytest.mark.parametrize("kind", PLAINLY_DECORATED)
def test_a_plain_decorator_over_a_coroutine_function_is_refused_by_name(kind: str) -> None:
    with pytest.raises(HandlerSignatureError, match="The handler play_async is a coroutine function in a "):
        run_async(ToySource(), EVENT, PLAINLY_DECORATED[kind])


@pytest.mark.skipif(sys.version_info < (3, 12), reason="inspect.markcoroutinefunction is of Python 3.12")
def test_a_decorator_that_says_it_gives_a_coroutine_is_taken() -> None:
    assert failed(run_async(ToySource(), EVENT, inspect.markcoroutinefunction(decorated(play_async)))) == []


def test_an_asynchronous_decorator_over_a_coroutine_function_is_taken() -> None:
    @functools.wraps(play_async)
    async def awaits(toy: Any) -> Any:
        return await play_async(toy)

    assert failed(run_async(ToySource(), EVENT, awaits)) == []


def test_a_function_that_dispatches_to_coroutine_functions_is_taken() -> None:
    dispatched = functools.singledispatch(play_async)
    assert failed(run_async(ToySource(), EVENT, dispatched)) == []


def test_a_function_that_dispatches_gets_the_record_by_position(driver: Run) -> None:
    @functools.singledispatch
    def dispatched(record: Any) -> Any:
        return record["id"]

    assert failed(driver(ToySource(), EVENT, dispatched)) == []


def test_a_plain_decorator_that_waits_for_the_coroutine_is_taken_by_a_synchronous_processor() -> None:
    @functools.wraps(play_async)
    def waits(toy: Any) -> Any:
        return asyncio.run(play_async(toy))

    assert failed(run(ToySource(), EVENT, waits)) == []


def test_one_awaitable_among_the_results_costs_its_record_alone(driver: Run) -> None:
    def sometimes(toy: Any) -> Any:
        return Awaitable() if toy["id"] == "ball" else "done"

    result = driver(ToySource(), toys("car", "ball", "doll"), sometimes)

    assert failed(result) == ([] if driver is run_async else ["ball"])


def test_an_asynchronous_processor_takes_a_plain_function_too() -> None:
    response = async_process_partial_response(EVENT, len, AsyncBatchProcessor(ToySource()))

    assert response == {"batchItemFailures": []}


def annotated_for_checkers() -> dict[str, Callable[..., Any]]:
    """Make handlers whose annotations name what exists for type checkers alone, as source that is compiled anew.

    This file asks for postponed annotations, and its handlers have none that could be evaluated.
    """
    source = """
import functools

def plain(toy: Missing, lambda_context: AlsoMissing = None) -> Missing.inner: return toy["id"]

def decorated(function):
    @functools.wraps(function)
    def call(*args: Missing, **kwargs: 1 / 0): return function(*args, **kwargs)
    return call

class Handles:
    def __call__(self, toy: Missing, lambda_context: AlsoMissing = None) -> Missing: return toy["id"]
    def method(self, toy: Missing, lambda_context: AlsoMissing = None) -> Missing: return toy["id"]
    @classmethod
    def of_class(cls, toy: Missing) -> Missing: return toy["id"]
    @staticmethod
    def static(toy: Missing) -> Missing: return toy["id"]
    part = functools.partialmethod(method, lambda_context=None)

class Made:
    def __init__(self, toy: Missing) -> Missing2: self.toy = toy

@functools.singledispatch
def dispatched(toy: Missing) -> Missing: return toy["id"]

handlers = {
    "plain": plain,
    "decorated": decorated(plain),
    "decorated twice": decorated(decorated(plain)),
    "partial": functools.partial(plain),
    "partial of a decorated": functools.partial(decorated(plain)),
    "partial with a keyword": functools.partial(plain, lambda_context=None),
    "object": Handles(),
    "decorated object": decorated(Handles()),
    "method": Handles().method,
    "decorated method": decorated(Handles().method),
    "method of a class": Handles.of_class,
    "static method": Handles.static,
    "partial method": Handles().part,
    "class": Made,
    "dispatched": dispatched,
}
"""
    if sys.version_info < (3, 14):  # annotations are evaluated when the function is made
        source = f"from __future__ import annotations\n{source}"
    namespace: dict[str, Any] = {}
    exec(compile(source, "checkers.py", "exec", dont_inherit=True), namespace)
    handlers: dict[str, Callable[..., Any]] = namespace["handlers"]
    return handlers


ANNOTATED = annotated_for_checkers()


@pytest.mark.parametrize("context", [None, object()], ids=["no context", "context"])
@pytest.mark.parametrize("kind", ANNOTATED)
def test_annotations_of_a_handler_are_not_evaluated(kind: str, context: Any, driver: Run) -> None:
    assert failed(driver(ToySource(), EVENT, ANNOTATED[kind], context=context)) == []
