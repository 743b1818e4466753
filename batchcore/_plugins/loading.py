"""Find, load and register: sources by name or event, extensions and observers by object or name."""

from __future__ import annotations

import os
import sys

from batchcore.callables import close_unawaited, describe_value, is_deferred, named

# isort: off
from batchcore.errors import (
    AmbiguousSourceError, DuplicateHookError, PluginError, PluginLoadError, SourceBrokenError, SourceNotInstalledError,
)  # fmt: skip # one name a line would be a page
from batchcore.source import (
    ENVIRONMENT_VARIABLE, OBSERVER_HOOKS, SOURCE_HOOKS, Source, describe, marked_methods, offer, offered, source_hooks,
    with_all_arguments,
)  # fmt: skip # as above

# isort: on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

SOURCES_GROUP = "batchcore.sources"
PLUGINS_GROUP = "batchcore.plugins"
_GENERATOR = 0x20
_LONGEST_NAME = 100


def find_source(name: str) -> object:
    """Find a source by name: among those offered, else among the entry points.

    Raises:
        SourceNotInstalledError: nobody offers it.
        SourceBrokenError: its package fails to load.
        AmbiguousSourceError: two packages register it.
    """
    if name in offered():
        return offered()[name]
    from batchcore import entry_points

    found = entry_points.registered(SOURCES_GROUP).by_name.get(name, [])
    if not found:
        advice = entry_points.advice(name, [*offered(), *registered()])
        raise SourceNotInstalledError(
            f"No source named {name[:_LONGEST_NAME]!r} is installed; {advice} "
            f"{installed()}{entry_points.lazy_import(name)}",
            plugin=name,
        )
    if len(found) > 1:
        raise AmbiguousSourceError(
            f"Two packages register a source named {name!r}: {entry_points.origins(found)}. "
            "Uninstall one, or pass the source itself as event_type.",
            plugin=name,
        )
    source: object = entry_points.load(found[0], "source", SourceBrokenError)
    offer(name, source)
    return source


class Plugins:
    """The extensions and observers of one processor, checked, and each hook a list of plain callables.

    Args:
        plugins: the objects passed in code. Those named in ``BATCHCORE_PLUGINS`` follow them.
    """

    def __init__(self, plugins: Iterable[object]) -> None:
        if isinstance(plugins, str) or not hasattr(plugins, "__iter__"):
            raise PluginError(f"plugins is a list of plugins, not {plugins!r}.", plugin=plugins)
        given = tuple(plugins)
        names = map(str.strip, os.environ.get(ENVIRONMENT_VARIABLE, "").split(","))
        of_environment = [_load_plugin(name) for name in names if name]
        self.objects = (*given, *(plugin for plugin in of_environment if not _is_one_of(plugin, given)))
        self._wraps = False  # whether anybody wraps a hook of the source: only then is there anything for pluggy to do
        self.wrap_handler: list[Callable[..., Any]] = []
        self.before_records: list[tuple[object, Callable[..., Any]]] = []  # each with its plugin
        self.after_records: list[tuple[object, Callable[..., Any]]] = []
        self.deliver_one: Callable[..., Any] | None = None
        self.deliver_many: Callable[..., Any] | None = None
        self.delivers: object = None  # the plugin that delivers dead letters
        self.observers: dict[str, list[tuple[int, Callable[..., Any]]]] = {}
        for number, plugin in enumerate(self.objects):
            if _is_one_of(plugin, self.objects[:number]):
                raise PluginError(f"{describe(plugin)} is given twice as a plugin. Once will do.", plugin=plugin)
            self._register(number, plugin)
        # Whether anything but observers does something before the first record, or after the last.
        self.acts = bool(self.before_records or self.after_records or self.delivers is not None)

    def _register(self, number: int, plugin: object) -> None:
        hooks = 0
        for hook, function, options in marked_methods(plugin):
            hooks += 1
            if hook in SOURCE_HOOKS:
                _check_wrapper(plugin, hook, function, options["wrapper"])
                self._wraps = True
            elif options["wrapper"]:
                message = f"{describe(plugin)} wraps {hook}(); only the hooks of a source can be wrapped."
                raise PluginError(message, plugin=plugin, hook=hook)
            else:
                self._add(number, plugin, hook, with_all_arguments(plugin, hook, function))
        if not hooks:
            raise PluginError(f"{describe(plugin)} implements no hook. Mark its methods with @hookimpl.", plugin=plugin)

    def _add(self, number: int, plugin: object, hook: str, function: Callable[..., Any]) -> None:
        if hook in OBSERVER_HOOKS:
            self.observers.setdefault(hook, []).append((number, function))
        elif hook == "wrap_handler":
            self.wrap_handler.append(_checked(plugin, hook, function, callable, "the handler to call instead"))
        elif hook == "before_records":
            self.before_records.append((plugin, function))
        elif hook == "after_records":
            self.after_records.append((plugin, function))
        elif self.delivers is not None and self.delivers is not plugin:
            message = f"{describe(self.delivers)} and {describe(plugin)} both deliver dead letters. Pass one of them."
            raise DuplicateHookError(message, plugin=plugin, hook=hook)
        else:
            self.delivers = plugin
            if hook == "deliver_dead_letter":
                self.deliver_one = _checked(plugin, hook, function, _is_delivered, "nothing, and is not awaited")
            else:
                self.deliver_many = function

    def resolve(self, plugin: object, name: str) -> Source:
        """Resolve a source, the wrappers of these plugins put round its hooks."""
        hooks = source_hooks(plugin, name)
        if self._wraps:
            from batchcore._plugins.wrapping import wrapped_hooks

            hooks.update(wrapped_hooks(hooks, self.objects))
        return Source(plugin, name, hooks)


def _is_one_of(plugin: object, others: Iterable[object]) -> bool:
    return any(plugin is other for other in others)  # equal ones are two: plugins may well be data classes


def _check_wrapper(plugin: object, hook: str, function: Callable[..., Any], is_marked: bool) -> None:
    """Check a wrapper when it is given, not when a source is there to be wrapped.

    Raises:
        PluginError: it is marked as a plain implementation, does not yield, or takes other arguments.
    """
    if not is_marked:
        message = (
            f"{describe(plugin)} implements {hook}(), which the source already answers. Wrap it: "
            "@hookimpl(wrapper=True)."
        )
        raise DuplicateHookError(message, plugin=plugin, hook=hook)
    with_all_arguments(plugin, hook, function)
    code = getattr(function, "__code__", None)
    if code is None or not code.co_flags & _GENERATOR:
        message = (
            f"{hook}() of {describe(plugin)} is marked as a wrapper and is no generator function. A wrapper yields "
            "once: inner = yield; return inner."
        )
        raise PluginError(message, plugin=plugin, hook=hook)


def _checked(
    plugin: object, hook: str, function: Callable[..., Any], accepted: Callable[[Any], bool], wanted: str
) -> Callable[..., Any]:
    """Let a hook that gives something else than it should say so, by its own name."""

    def call(*arguments: Any) -> Any:
        given = function(*arguments)
        if not accepted(given):
            message = f"{hook}() of {describe(plugin)} gives {wanted}; it gave {describe_value(given)}."
            raise PluginError(message, plugin=plugin, hook=hook)
        return given

    return call


def _is_delivered(value: Any) -> bool:
    """Whether a deliverer that gives this has delivered: not where it is still to be done, or went wrong."""
    if is_deferred(value):
        close_unawaited(value)
        return False
    return value is not False and not isinstance(value, BaseException)


def _load_plugin(name: str) -> object:
    """Load what ``BATCHCORE_PLUGINS`` names: an entry point of ``batchcore.plugins``, or a module."""
    from batchcore import entry_points

    of_plugins = entry_points.registered(PLUGINS_GROUP)
    found = of_plugins.by_name.get(name, [])
    if len(found) > 1:
        raise PluginLoadError(
            f"Two packages register a plugin named {name!r}: {entry_points.origins(found)}.", plugin=name
        )
    if found:
        return entry_points.load(found[0], "plugin", PluginLoadError)
    try:
        __import__(name)
    except Exception as error:
        raise PluginLoadError(
            f"{ENVIRONMENT_VARIABLE} names {name!r}, which is neither a plugin of an installed package nor a module "
            f"that can be imported: {' '.join([named(error), *of_plugins.unreadable])}",
            plugin=name,
        ) from error
    return sys.modules[name]


def registered() -> list[str]:
    """Return the names of sources that packages have registered and nobody has offered. Reads the entry points."""
    from batchcore import entry_points

    return sorted(entry_points.registered(SOURCES_GROUP).by_name.keys() - offered().keys())


def installed() -> str:
    """Return the names of the sources that are known, and the packages of which that cannot be told, for a message."""
    from batchcore import entry_points

    names = ", ".join(sorted([*offered(), *registered()])) or "none"
    return " ".join([f"Installed: {names}.", *entry_points.registered(SOURCES_GROUP).unreadable])
