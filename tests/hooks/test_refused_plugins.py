"""Every way in which a plugin can be wrong is an error of its own, before the first record, that says what to do."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    ConfigurationError,
    DuplicateHookError,
    HookArgumentsError,
    MissingHookError,
    PluginError,
    UnknownHookError,
    UnmarkedHookError,
    hookimpl,
)
from batchcore.hookspecs import ExtensionHooks, ObserverHooks, SourceHooks
from batchcore.source import AWAITED_HOOKS, EXTENSION_HOOKS, OBSERVER_HOOKS, REQUIRED_HOOKS, SOURCE_HOOKS

from .support import FullSource, ToySource, source_with, wrapper_of

ALL_HOOKS = sorted(SOURCE_HOOKS | EXTENSION_HOOKS | OBSERVER_HOOKS)
BESIDE_A_SOURCE = sorted(EXTENSION_HOOKS | OBSERVER_HOOKS)


def plugin_with(**methods: Any) -> Any:
    return type("Plugin", (), methods)()


def refused(error: type[PluginError], *, source: Any = None, plugins: Any = ()) -> PluginError:
    """Give the error with which every processor refuses these, whether it has a source yet or not."""
    caught: list[PluginError] = []
    for processor in (BatchProcessor, AsyncBatchProcessor):
        for event_type in (ToySource(),) if source is None else (source,):
            with pytest.raises(error) as info:
                processor(event_type, plugins=plugins)
            caught.append(info.value)
        if source is None:
            with pytest.raises(error) as info:
                processor(plugins=plugins)
            caught.append(info.value)
    assert {type(e) for e in caught} == {error}
    assert len({(str(e), e.hook) for e in caught}) == 1
    assert isinstance(caught[0], ConfigurationError)
    assert isinstance(caught[0], TypeError)
    return caught[0]


# -- Marked, and no hook.


@pytest.mark.parametrize("name", ["batch_start", "claim_event", "SourceHooks", "record"])
def test_a_marked_method_that_no_hook_is_named_like_is_an_unknown_hook(name: str) -> None:
    plugin = plugin_with(**{name: hookimpl(lambda self: None)})

    error = refused(UnknownHookError, plugins=[plugin])

    assert f"Plugin implements {name}(), which is no hook" in str(error)
    assert all(hook in str(error) for hook in ALL_HOOKS), "it says which hooks there are"
    assert (error.plugin, error.hook) == (plugin, name)


def test_a_specname_that_no_hook_has_is_an_unknown_hook() -> None:
    plugin = plugin_with(batch_started=hookimpl(specname="batch_begun")(lambda self: None))

    assert refused(UnknownHookError, plugins=[plugin]).hook == "batch_begun"


def test_a_wrapper_of_what_is_no_hook_is_an_unknown_hook() -> None:
    assert refused(UnknownHookError, plugins=[wrapper_of("prepare_record", lambda inner: inner)]).hook == (
        "prepare_record"
    )


def test_an_unknown_hook_of_a_source_is_refused_too() -> None:
    source = source_with(record_view=lambda: None)

    error = refused(UnknownHookError, source=source)

    assert (error.plugin, error.hook) == (source, "record_view")


# -- A hook, and not marked.


@pytest.mark.parametrize("hook", ALL_HOOKS)
def test_a_method_named_like_a_hook_without_the_marker_is_an_unmarked_hook(hook: str) -> None:
    plugin = plugin_with(**{hook: lambda self: None})

    error = refused(UnmarkedHookError, plugins=[plugin])

    assert f"{hook}() of Plugin has the name of a hook and is not marked. Put @hookimpl on it" in str(error)
    assert (error.plugin, error.hook) == (plugin, hook)


@pytest.mark.parametrize("hook", ALL_HOOKS)
def test_a_source_that_forgot_a_marker_is_refused(hook: str) -> None:
    source = type("Forgetful", (FullSource,), {hook: lambda self: None})()

    error = refused(UnmarkedHookError, source=source)

    assert (error.plugin, error.hook) == (source, hook)


@pytest.mark.parametrize("kind", [staticmethod, classmethod])
def test_a_marker_outside_of_staticmethod_or_classmethod_is_not_overlooked(kind: Callable[..., Any]) -> None:
    plugin = plugin_with(batch_started=hookimpl(kind(lambda batch: None)))

    error = refused(UnmarkedHookError, plugins=[plugin])

    assert error.hook == "batch_started"


def test_an_override_that_forgot_the_marker_is_refused() -> None:
    class Base:
        @hookimpl
        def batch_started(self, batch: Any) -> None: ...

    class Special(Base):
        def batch_started(self, batch: Any) -> None: ...

    assert refused(UnmarkedHookError, plugins=[Special()]).hook == "batch_started"


@pytest.mark.parametrize("value", ["a text", 7, None])
def test_an_attribute_that_is_no_method_may_be_named_like_a_hook(value: object) -> None:
    plugin = plugin_with(record_scope=value, batch_started=hookimpl(lambda self, batch: None))

    BatchProcessor(ToySource(), plugins=[plugin])


# -- A source that lacks something, or has too much.


@pytest.mark.parametrize("hook", REQUIRED_HOOKS)
def test_a_source_without_a_required_hook_is_refused(hook: str) -> None:
    methods = {name: method for name, method in vars(FullSource).items() if name in SOURCE_HOOKS}
    methods |= {name: getattr(ToySource, name) for name in REQUIRED_HOOKS}
    del methods[hook]
    source = type("Incomplete", (), {"name": "toy", **methods})()

    error = refused(MissingHookError, source=source)

    assert f"The source 'toy' lacks {hook}(), which every source must have. Define it and mark it" in str(error)
    assert (error.plugin, error.hook) == (source, hook)


@pytest.mark.parametrize("thing", [7, object(), ["sqs"], {"name": "sqs"}, lambda event: True])
def test_what_is_no_source_is_refused_as_one(thing: object) -> None:
    assert refused(MissingHookError, source=thing).hook == "claims_event"


@pytest.mark.parametrize("hook", BESIDE_A_SOURCE)
def test_a_source_has_no_hooks_of_extensions_and_observers(hook: str) -> None:
    source = source_with(**{hook: lambda: None})

    error = refused(PluginError, source=source)

    assert f"The source 'toy' has the hook {hook}()" in str(error)
    assert "Put the rest into a plugin of its own" in str(error)
    assert (error.plugin, error.hook) == (source, hook)


def test_a_source_wraps_nothing() -> None:
    wrapping = wrapper_of("claims_event", lambda inner: inner)
    source = type("Wrapping", (type(wrapping), ToySource), {"name": "toy"})()

    error = refused(PluginError, source=source)

    assert "The source 'toy' wraps hooks" in str(error)
    assert (error.plugin, error.hook) == (source, "claims_event")


def test_a_source_that_has_one_hook_twice_is_refused() -> None:
    twice = hookimpl(specname="claims_event")(lambda self, event: False)
    source = type("Twice", (ToySource,), {"also_claims": twice})()

    error = refused(DuplicateHookError, source=source)

    assert "The source 'toy' implements claims_event() twice" in str(error)
    assert (error.plugin, error.hook) == (source, "claims_event")


# -- A second plain implementation.


@pytest.mark.parametrize("hook", sorted(SOURCE_HOOKS))
def test_a_second_plain_implementation_of_a_hook_of_the_source_is_refused(hook: str) -> None:
    plugin = plugin_with(**{hook: hookimpl(lambda self: None)})

    error = refused(DuplicateHookError, plugins=[plugin])

    assert f"Plugin implements {hook}(), which the source already answers" in str(error)
    assert "Wrap it: @hookimpl(wrapper=True)" in str(error)
    assert (error.plugin, error.hook) == (plugin, hook)


@pytest.mark.parametrize("hook", BESIDE_A_SOURCE)
def test_only_the_hooks_of_a_source_can_be_wrapped(hook: str) -> None:
    plugin = wrapper_of(hook, lambda inner: inner)

    error = refused(PluginError, plugins=[plugin])

    assert f"Wrapper wraps {hook}(); only the hooks of a source can be wrapped" in str(error)
    assert (error.plugin, error.hook) == (plugin, hook)


# -- Arguments.


@pytest.mark.parametrize(
    ("hook", "function", "takes", "may"),
    [
        ("claims_event", lambda evnt: True, "evnt", "event"),
        ("claims_event", lambda event, context: True, "context", "event"),
        ("acknowledgement", lambda batch: "record", "batch", "nothing"),
        ("build_response", lambda batch, results, more: {}, "results, more", "batch, outcomes, fail"),
        ("record_decoder", lambda *, batch: len, "batch by name only", "batch"),
        ("record_decoder", lambda batch, *, model: len, "model by name only", "batch"),
    ],
)
def test_an_argument_that_the_specification_lacks_is_refused(
    hook: str, function: Callable[..., Any], takes: str, may: str
) -> None:
    source = source_with(**{hook: function})

    error = refused(HookArgumentsError, source=source)

    assert f"{hook}() of OwnSource takes {takes}; it may take: {may}." in str(error)
    assert (error.plugin, error.hook) == (source, hook)


@pytest.mark.parametrize("hook", BESIDE_A_SOURCE)
def test_an_extension_or_observer_with_other_arguments_is_refused(hook: str) -> None:
    plugin = plugin_with(**{hook: hookimpl(lambda self, event: None)})

    error = refused(HookArgumentsError, plugins=[plugin])

    assert f"{hook}() of Plugin takes event" in str(error)
    assert (error.plugin, error.hook) == (plugin, hook)


@pytest.mark.parametrize("hook", sorted(SOURCE_HOOKS))
def test_a_wrapper_with_other_arguments_is_refused(hook: str) -> None:
    class Wraps:
        @hookimpl(wrapper=True, specname=hook)
        def around(self, context: Any) -> Iterator[None]:
            return (yield)

    plugin = Wraps()

    error = refused(HookArgumentsError, plugins=[plugin])

    assert f"{hook}() of Wraps takes context" in str(error)
    assert (error.plugin, error.hook) == (plugin, hook)


def test_arguments_of_ones_own_with_defaults_are_left_alone() -> None:
    built: list[Any] = []

    def build(batch: Any, retries: int = 3, outcomes: Any = "not given") -> Any:
        built.append((retries, outcomes))
        return {}

    def decoder(batch: Any, *, upper: bool = False) -> Any:
        return lambda record: upper

    BatchProcessor(source_with(build_response=build, record_decoder=decoder)).run({"toys": [{"id": "car"}]}, id)

    assert built == [(3, "not given")], "what follows an argument of one's own is not given by position"


def test_arguments_without_names_are_given_in_the_order_of_the_specification() -> None:
    seen: list[Any] = []

    def build(batch: Any, *more: Any) -> Any:
        seen.append((batch.source, len(more)))
        return {}

    def claims(*arguments: Any) -> bool:
        seen.append(len(arguments))
        return True

    BatchProcessor(source_with(build_response=build, claims_event=claims)).run({"toys": [{"id": "car"}]}, id)

    assert seen == [1, ("toy", 2)]


def test_arguments_in_another_order_are_given_by_their_names() -> None:
    def build(outcomes: Any, batch: Any) -> Any:
        return {"statuses": [outcome.status for outcome in outcomes], "source": batch.source}

    result = BatchProcessor(source_with(build_response=build)).run({"toys": [{"id": "car"}]}, id)

    assert result.response == {"statuses": ["succeeded"], "source": "toy"}


# -- Hooks that would have to be awaited: their work would not be done.


async def awaited(self: object) -> Any:
    raise AssertionError("a hook is not awaited")


@pytest.mark.parametrize("hook", sorted(set(BESIDE_A_SOURCE) - set(AWAITED_HOOKS)))
def test_a_coroutine_function_is_no_hook_of_an_extension_or_observer(hook: str) -> None:
    plugin = plugin_with(**{hook: hookimpl(awaited)})

    error = refused(PluginError, plugins=[plugin])

    assert f"{hook}() of Plugin is a coroutine function, and hooks are not awaited" in str(error)
    assert (error.plugin, error.hook) == (plugin, hook)


@pytest.mark.parametrize("hook", sorted(SOURCE_HOOKS))
def test_a_coroutine_function_is_no_hook_of_a_source(hook: str) -> None:
    source = type("Awaited", (ToySource,), {hook: hookimpl(awaited)})()

    error = refused(PluginError, source=source)

    assert f"{hook}() of Awaited is a coroutine function, and hooks are not awaited" in str(error)
    assert (error.plugin, error.hook) == (source, hook)


@pytest.mark.parametrize("hook", AWAITED_HOOKS)
@pytest.mark.parametrize("source", [ToySource(), None], ids=["a source", "none yet"])
@pytest.mark.parametrize("arguments", ["all", "fewer"])
def test_a_batch_hook_that_is_a_coroutine_function_is_refused_where_nobody_awaits(
    hook: str, source: Any, arguments: str
) -> None:
    async def fewer(self: object, batch: Any) -> Any:
        raise AssertionError("nobody awaits it")

    class Processor(BatchProcessor):
        pass

    plugin = plugin_with(**{hook: hookimpl(awaited if arguments == "all" else fewer)})

    for processor in (BatchProcessor, Processor):
        with pytest.raises(PluginError) as caught:
            processor(source, plugins=[plugin])

        assert str(caught.value) == (
            f"{hook}() of Plugin is a coroutine function, and {processor.__name__} awaits nothing. Use "
            "AsyncBatchProcessor, or make it a plain function."
        )
        assert (caught.value.plugin, caught.value.hook) == (plugin, hook)


@pytest.mark.parametrize("hook", AWAITED_HOOKS)
def test_a_batch_hook_may_be_a_coroutine_function_where_it_is_awaited(hook: str) -> None:
    AsyncBatchProcessor(ToySource(), plugins=[plugin_with(**{hook: hookimpl(awaited)})])


# -- Wrappers that are none.


def test_a_wrapper_that_does_not_yield_is_refused() -> None:
    plugin = plugin_with(record_decoder=hookimpl(wrapper=True)(lambda self, batch: len))

    error = refused(PluginError, plugins=[plugin])

    assert "record_decoder() of Plugin is marked as a wrapper and is no generator function" in str(error)
    assert "inner = yield; return inner" in str(error)
    assert (error.plugin, error.hook) == (plugin, "record_decoder")


def test_a_wrapper_that_shows_no_code_is_refused() -> None:
    class Callable_:
        def __call__(self, batch: Any) -> Iterator[None]:
            return (yield)

    plugin = plugin_with(record_decoder=hookimpl(wrapper=True)(Callable_()))

    assert refused(PluginError, plugins=[plugin]).hook == "record_decoder"


# -- What is no plugin, or not one that can be used.


@pytest.mark.parametrize("thing", [object(), None, 7, "sentry", len, lambda record: record, {}])
def test_a_plugin_that_implements_nothing_is_refused(thing: object) -> None:
    error = refused(PluginError, plugins=[thing])

    assert "implements no hook. Mark its methods with @hookimpl." in str(error)
    assert error.plugin is thing


def test_a_module_that_implements_nothing_is_called_by_its_name() -> None:
    assert "the module empty_module implements no hook" in str(
        refused(PluginError, plugins=[ModuleType("empty_module")])
    )


@pytest.mark.parametrize("thing", [ToySource, FullSource, int])
def test_a_class_is_no_source(thing: type) -> None:
    error = refused(PluginError, source=thing)

    assert f"{thing.__name__} is a class; pass an object of it: {thing.__name__}()." in str(error)
    assert error.plugin is thing


def test_a_class_is_no_plugin() -> None:
    class Observer:
        @hookimpl
        def batch_started(self, batch: Any) -> None: ...

    error = refused(PluginError, plugins=[Observer])

    assert "Observer is a class; pass an object of it: Observer()." in str(error)
    assert error.plugin is Observer


@pytest.mark.parametrize("thing", [None, 7, object(), "sentry", plugin_with()])
def test_plugins_are_given_as_a_list(thing: object) -> None:
    error = refused(PluginError, plugins=thing)

    assert "plugins is a list of plugins, not " in str(error)
    assert error.plugin is thing


def test_a_plugin_that_is_given_twice_is_refused() -> None:
    plugin = plugin_with(batch_started=hookimpl(lambda self, batch: None))

    error = refused(PluginError, plugins=[plugin, plugin])

    assert "Plugin is given twice as a plugin. Once will do." in str(error)
    assert error.plugin is plugin


def test_plugins_may_come_from_any_iterable() -> None:
    plugins = (plugin_with(batch_started=hookimpl(lambda self, batch: None)) for _ in range(2))

    BatchProcessor(ToySource(), plugins=plugins)


# -- The specifications themselves.


@pytest.mark.parametrize("group", [SourceHooks, ExtensionHooks, ObserverHooks])
def test_a_specification_is_read_and_not_called(group: type) -> None:
    """It does nothing: what stands in it is what it is for, and no plugin inherits an answer from it."""
    for spec in (spec for name, spec in vars(group).items() if not name.startswith("_")):
        (function,) = ast.parse(textwrap.dedent(inspect.getsource(spec))).body
        assert isinstance(function, ast.FunctionDef)
        assert ast.get_docstring(function)
        assert len(function.body) == 1


def test_the_marker_gives_back_the_function_itself() -> None:
    def batch_started(batch: Any) -> None: ...

    assert hookimpl(batch_started) is batch_started
    assert hookimpl(tryfirst=True)(batch_started) is batch_started
