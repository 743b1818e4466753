"""The hooks of a source with the wrappers of other plugins round them. The one place that imports pluggy."""

from __future__ import annotations

import pluggy

from batchcore._callables import hookimpl
from batchcore.errors import PluginError
from batchcore.hookspecs import PROJECT, SourceHooks
from batchcore.source import ARGUMENTS, SOURCE_HOOKS, describe, marked_methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any


class _Manager(pluggy.PluginManager):
    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        """Read our own marker. What is registered names its hooks by itself: no property of a plugin runs."""
        return plugin.options.get(name)


def wrapped_hooks(hooks: Mapping[str, Callable[..., Any]], plugins: Iterable[object]) -> dict[str, Callable[..., Any]]:
    """Return the hooks that somebody wraps, each as a callable through pluggy.

    The plain hooks are registered as they were resolved, defaults included, so a wrapper's ``yield`` always gives an
    answer, whether the source implements the hook or not.

    Args:
        hooks: the hooks of a source, resolved.
        plugins: the extensions and observers, checked, the outermost last.
    """
    manager = _Manager(PROJECT)
    manager.add_hookspecs(SourceHooks)
    manager.register(_Plain(hooks), name="the source")
    wrapped: set[str] = set()
    for number, plugin in enumerate(plugins):
        wrappers = _Wrappers(plugin)
        manager.register(wrappers, name=f"{number} {describe(plugin)}")
        wrapped.update(wrappers.hooks)
    return {name: _through(manager, name) for name in wrapped}


def _through(manager: _Manager, name: str) -> Callable[..., Any]:
    """Call a hook by position, and refuse the answer of a wrapper that lost it."""
    hook = getattr(manager.hook, name)
    names, may_be_none = ARGUMENTS[name], name == "delivery_attempt"

    def call(*arguments: Any) -> Any:
        answer = hook(**dict(zip(names, arguments, strict=True)))
        if answer is None and not may_be_none:
            raise PluginError(
                f"A plugin that wraps {name}() gave None. A wrapper returns what its yield gave, or something instead.",
                hook=name,
            )
        return answer

    return call


class _Wrappers:
    """What one plugin wraps, and nothing else of it, in the form that pluggy registers."""

    def __init__(self, plugin: object) -> None:
        self.options: dict[str, Mapping[str, Any]] = {}
        self.hooks: list[str] = []
        for number, (hook, method, options) in enumerate(marked_methods(plugin)):
            if options["wrapper"]:
                setattr(self, f"wrapper_{number}", method)
                self.options[f"wrapper_{number}"] = {**options, "specname": hook}
                self.hooks.append(hook)


class _Plain:
    """The resolved hooks of a source in the form that pluggy registers: it reads the names of the arguments."""

    def __init__(self, hooks: Mapping[str, Callable[..., Any]]) -> None:
        self.hooks = dict(hooks)
        self.options = {name: getattr(type(self), name).batchcore_impl for name in SOURCE_HOOKS}

    @hookimpl
    def claims_event(self, event: Any) -> Any:
        return self.hooks["claims_event"](event)

    @hookimpl
    def extract_records(self, event: Any) -> Any:
        return self.hooks["extract_records"](event)

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return self.hooks["identify_records"](records)

    @hookimpl
    def record_preparer(self, batch: Any) -> Any:
        return self.hooks["record_preparer"](batch)

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        return self.hooks["record_decoder"](batch)

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return self.hooks["ordering_policy"](batch)

    @hookimpl
    def acknowledgement(self) -> Any:
        return self.hooks["acknowledgement"]()

    @hookimpl
    def delivery_attempt(self, record: Any) -> Any:
        return self.hooks["delivery_attempt"](record)

    @hookimpl
    def describe_record(self, record: Any) -> Any:
        return self.hooks["describe_record"](record)

    @hookimpl
    def original_message(self, record: Any) -> Any:
        return self.hooks["original_message"](record)

    @hookimpl
    def handler_arguments(self, batch: Any) -> Any:
        return self.hooks["handler_arguments"](batch)

    @hookimpl
    def build_response(self, batch: Any, outcomes: Any) -> Any:
        return self.hooks["build_response"](batch, outcomes)
