"""The hooks of a source with the wrappers of other plugins round them. The one place that imports pluggy."""

from __future__ import annotations

import pluggy

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


# pluggy reads the names of the arguments from the code of a function.
# pyright: reportUnknownLambdaType=false
# ruff: noqa: PLW0108 - the hook itself has other names, or is bound
_NAMED: dict[tuple[str, ...], Callable[[Callable[..., Any]], Callable[..., Any]]] = {
    (): lambda hook: lambda: hook(),
    ("event",): lambda hook: lambda event: hook(event),
    ("record",): lambda hook: lambda record: hook(record),
    ("records",): lambda hook: lambda records: hook(records),
    ("batch",): lambda hook: lambda batch: hook(batch),
    ("batch", "outcomes", "fail"): lambda hook: lambda batch, outcomes, fail: hook(batch, outcomes, fail),
}


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
    manager.register(
        _Methods([(name, _NAMED[ARGUMENTS[name]](hooks[name]), {}) for name in SOURCE_HOOKS]), name="the source"
    )
    wrapped: set[str] = set()
    for number, plugin in enumerate(plugins):
        wrappers = [marked for marked in marked_methods(plugin) if marked[2]["wrapper"]]
        manager.register(_Methods(wrappers), name=f"{number} {describe(plugin)}")
        wrapped.update(hook for hook, _, _ in wrappers)
    return {name: _through(manager, name) for name in wrapped}


def _through(manager: _Manager, name: str) -> Callable[..., Any]:
    """Call a hook by position, and refuse the answer of a wrapper that lost it."""
    hook = getattr(manager.hook, name)
    names, may_be_none = ARGUMENTS[name], name in ("checkpoint_of", "delivery_attempt")

    def call(*arguments: Any) -> Any:
        answer = hook(**dict(zip(names, arguments, strict=True)))
        if answer is None and not may_be_none:
            raise PluginError(
                f"A plugin that wraps {name}() gave None. A wrapper returns what its yield gave, or something instead.",
                hook=name,
            )
        return answer

    return call


class _Methods:
    """Implementations of hooks in the form that pluggy registers."""

    def __init__(self, methods: Iterable[tuple[str, Callable[..., Any], Mapping[str, Any]]]) -> None:
        self.options: dict[str, Mapping[str, Any]] = {}
        for number, (hook, method, options) in enumerate(methods):
            setattr(self, f"hook_{number}", method)
            self.options[f"hook_{number}"] = {**options, "specname": hook}
