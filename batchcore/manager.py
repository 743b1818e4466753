"""The hooks of a source with the wrappers of other plugins round them. The one place that imports pluggy."""

from __future__ import annotations

import inspect

import pluggy

from batchcore.errors import PluginError
from batchcore.hookspecs import HOOK_GROUPS, PROJECT, SOURCE_HOOKS, SourceHooks, hookimpl
from batchcore.source import ARGUMENTS, attribute_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any


class _Manager(pluggy.PluginManager):
    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        """Read our own marker, from methods alone: no property of a plugin runs."""
        return getattr(getattr(plugin, name), "batchcore_impl", None) if name in attribute_names(plugin) else None


def wrapped_hooks(
    source: str, hooks: Mapping[str, Callable[..., Any]], plugins: Iterable[object]
) -> dict[str, Callable[..., Any]]:
    """Give the hooks that somebody wraps, each as a callable through pluggy.

    The plain hooks are registered as they were resolved, defaults included, so a wrapper's ``yield`` always gives an
    answer, whether the source implements the hook or not.

    Args:
        source: the source's name.
        hooks: its hooks, resolved.
        plugins: the extensions and observers, outermost last.

    Raises:
        PluginError: pluggy refuses one of the plugins.
    """
    manager = _Manager(PROJECT)
    for group in HOOK_GROUPS:
        manager.add_hookspecs(group)
    try:
        manager.register(_Plain(hooks), name=f"source {source}")
        for plugin in plugins:
            manager.register(plugin)
        manager.check_pending()
    except (ValueError, pluggy.PluginValidationError) as error:
        plugin = getattr(error, "plugin", None)
        raise PluginError(f"A plugin cannot be registered: {error}", plugin=plugin) from error
    wrapped = [name for name in SOURCE_HOOKS if any(i.wrapper for i in manager.hook.__dict__[name].get_hookimpls())]
    return {name: _through(manager, name, hooks) for name in wrapped}


def _through(manager: _Manager, name: str, hooks: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    """Call a hook by position; where a wrapper gives None, the plain answer of the source stands."""
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


class _Plain:
    """The resolved hooks of a source in the form that pluggy registers."""

    def __init__(self, hooks: Mapping[str, Callable[..., Any]]) -> None:
        for name in SOURCE_HOOKS:
            setattr(self, name, _implementation(name, hooks[name]))


def _implementation(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a resolved hook the signature of its specification, by which pluggy passes the arguments."""

    def implementation(*arguments: Any) -> Any:
        return function(*arguments)

    implementation.__signature__ = inspect.signature(getattr(SourceHooks(), name))  # type: ignore[attr-defined]  # read by inspect
    return hookimpl(implementation)
