"""One source, its hooks resolved to plain callables.

A lone source is resolved without pluggy: each hook becomes the source's own method, or its default. Where extensions
wrap hooks of the source, those hooks, and no others, go through pluggy (see :mod:`batchcore.plugins`).
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from types import FunctionType, MethodType

from batchcore.callables import identity, is_coroutine_function, is_marker, plain, type_name, undecorated

# isort: off
from batchcore.errors import (
    AmbiguousSourceError, DuplicateHookError, HookArgumentsError, MissingHookError, PluginError, UnknownHookError,
    UnmarkedHookError,
)  # fmt: skip # one name a line would be a page

# isort: on
from batchcore.model import Ordering, batch_item_failures, unordered
from batchcore.records import RecordsSource, RecordView

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

    from batchcore.dispositions import Message
    from batchcore.model import Batch
    from batchcore.types import Acknowledgement, Identifier, Record

_VARARGS = 0x04
ENVIRONMENT_VARIABLE = "BATCHCORE_PLUGINS"
"""Names plugins that every processor gets, besides those that the code gives it."""

# The hooks and their arguments, as batchcore.hookspecs has them, which a test holds equal: to load those would cost
# each cold start 0.25 ms.
_OF_SOURCES: dict[str, tuple[str, ...]] = {
    "claims_event": ("event",),
    "extract_records": ("event",),
    "identify_records": ("records",),
    "record_preparer": ("batch",),
    "record_decoder": ("batch",),
    "ordering_policy": ("batch",),
    "acknowledgement": (),
    "checkpoint_of": ("record",),
    "delivery_attempt": ("record",),
    "describe_record": ("record",),
    "original_message": ("record",),
    "handler_arguments": ("batch",),
    "build_response": ("batch", "outcomes", "fail"),
}
_OF_EXTENSIONS: dict[str, tuple[str, ...]] = {
    "wrap_handler": ("handler",),
    "before_records": ("batch", "fail"),
    "after_records": ("batch", "outcomes", "fail"),
    "deliver_dead_letter": ("outcome", "batch"),
    "deliver_dead_letters": ("outcomes", "batch"),
}
_OF_OBSERVERS: dict[str, tuple[str, ...]] = {
    "batch_started": ("batch",),
    "record_scope": ("record", "batch", "position"),
    "record_finished": ("outcome", "batch"),
    "batch_finished": ("result",),
    "after_batch": ("result",),
}
SOURCE_HOOKS = frozenset(_OF_SOURCES)
EXTENSION_HOOKS = frozenset(_OF_EXTENSIONS)
OBSERVER_HOOKS = frozenset(_OF_OBSERVERS)
ARGUMENTS = {**_OF_SOURCES, **_OF_EXTENSIONS, **_OF_OBSERVERS}
AWAITED_HOOKS = ("before_records", "after_records")
ACKNOWLEDGEMENTS = ("record", "checkpoint", "batch", "result", "final")
REQUIRED_HOOKS = ("claims_event", "extract_records", "identify_records")

_offered: dict[str, object] = {}


def offer(name: str, source: object) -> None:
    """Make a source known by a name, without a scan of what is installed. A source package calls it when imported.

    Args:
        name: the name that functions ask for, as in ``BatchProcessor("kafka")``.
        source: an object that implements the hooks of a source.

    Raises:
        AmbiguousSourceError: another source was offered by this name.
    """
    known = _offered.setdefault(name, source)
    if known is not source and type(known) is not type(source):
        raise AmbiguousSourceError(
            f"Two sources are offered as {name!r}: {describe(known)} and {describe(source)}. Uninstall one of the "
            "packages, or pass the source itself as event_type.",
            plugin=source,
        )


def offered() -> dict[str, object]:
    """Return the sources that imported packages have offered, by name, in the order in which they did."""
    return _offered


class Source:
    """The hooks of one source as plain callables, and its name.

    Attributes:
        name: the name it was found by, or calls itself.
        plugin: the object that implements it.
        acknowledgement: what the hook of that name gives.
        prepares: whether anybody prepares its records.
        read_plain: event to records and identifiers in one pass, or None where its hooks are asked one by one.
        plain_ordering, plain_view, plain_response: what holds of every batch that was read so, and need not be asked
            for; ``plain_response`` is ``build_response`` where that has a say, the others are None.

    The other attributes are the hooks of :class:`batchcore.hookspecs.SourceHooks`, by the same names.
    """

    __slots__ = (
        "acknowledgement", "build_response", "checkpoint_of", "claims_event", "delivery_attempt", "describe_record",
        "extract_records", "handler_arguments", "identify_records", "name", "ordering_policy", "original_message",
        "plain_ordering", "plain_response", "plain_view", "plugin", "prepares", "read_plain", "record_decoder",
        "record_preparer",
    )  # fmt: skip # one name a line would hide the class behind them

    claims_event: Callable[[Any], bool]
    extract_records: Callable[[Any], Sequence[Record]]
    identify_records: Callable[[Sequence[Record]], Sequence[Identifier]]
    record_preparer: Callable[[Batch], Callable[[Record], Any]]
    record_decoder: Callable[[Batch], Callable[[Record], Any]]
    ordering_policy: Callable[[Batch], Ordering]
    checkpoint_of: Callable[[Record], Hashable]
    delivery_attempt: Callable[[Record], int | None]
    describe_record: Callable[[Record], Mapping[str, Any]]
    original_message: Callable[[Record], Message]
    handler_arguments: Callable[[Batch], Mapping[str, Callable[[Record], AbstractContextManager[Any]]]]
    build_response: Callable[..., Any]
    read_plain: Callable[[Any], tuple[list[Any], list[str]] | None] | None
    plain_ordering: Ordering | None
    plain_view: Callable[[Record], Any] | None
    plain_response: Callable[..., Any]

    def __init__(self, plugin: object, name: str, hooks: Mapping[str, Callable[..., Any]]) -> None:
        self.plugin = plugin
        self.name = name
        self.acknowledgement: Acknowledgement = hooks["acknowledgement"]()
        if self.acknowledgement not in ACKNOWLEDGEMENTS:
            gives = f"acknowledgement() of source {name!r} gives one of {', '.join(ACKNOWLEDGEMENTS)}"
            raise PluginError(f"{gives}; not {self.acknowledgement!r}.", plugin=plugin, hook="acknowledgement")
        self.prepares = hooks["record_preparer"] is not DEFAULTS["record_preparer"]
        for hook, function in hooks.items():
            if hook != "acknowledgement":
                setattr(self, hook, function)
        self.read_plain = self.plain_ordering = self.plain_view = None
        self.plain_response = self.build_response
        if isinstance(plugin, RecordsSource):
            self._ask_once(self.plugin, hooks)
        if self.acknowledgement == "batch" and self.plain_response is batch_item_failures:
            self.build_response = self.plain_response = partial(batch_item_failures)  # to be asked: it may raise

    def _ask_once(self, plugin: Any, hooks: Mapping[str, Callable[..., Any]]) -> None:
        if not _says_it_plainly(plugin):
            from batchcore._plugins import check_records_source

            check_records_source(plugin, self.name, RecordsSource, hooks)
        if all(_is_plain(plugin, hooks[hook], hook) for hook in REQUIRED_HOOKS):
            self.read_plain = plugin.plain_reader()
        with suppress(Exception):  # properties that are not ready: then its hooks are asked
            if _is_plain(plugin, hooks["ordering_policy"], "ordering_policy") and isinstance(plugin.ordering, Ordering):
                self.plain_ordering = plugin.ordering
            if _is_plain(plugin, hooks["record_decoder"], "record_decoder") and callable(plugin.view):
                self.plain_view = plugin.view
        if _is_plain(plugin, hooks["build_response"], "build_response"):
            self.plain_response = batch_item_failures

    def __repr__(self) -> str:
        return f"<Source {self.name}>"


def _says_it_plainly(plugin: RecordsSource[Any]) -> bool:
    """Whether a :class:`RecordsSource` has attributes of the usual names and kinds alone: else they are looked at."""
    try:
        kinds, described = type(plugin).__mro__, plugin.description
        names = {*vars(plugin)}.union(*map(vars, kinds[: kinds.index(RecordsSource)]))
        said = (plugin.service, *plugin.identifier, *described, *described.values())
        return (
            not names.difference(vars(RecordsSource), ARGUMENTS, ("name", "service", "identifier", "__orig_bases__"))
            and {str, FunctionType}.issuperset(map(type, said))
            and all(said)
            and (type(plugin.identifier), type(described), plugin.view is identity) == (tuple, dict, False)
        )
    except Exception:  # one of them is missing, or a property that is not ready
        return False


def _is_plain(plugin: object, given: Any, hook: str) -> bool:
    """Whether a hook of a :class:`RecordsSource` is its own, neither overridden nor wrapped, nor a proxy of that."""
    return type(given) is MethodType and given.__self__ is plugin and given.__func__ is getattr(RecordsSource, hook)


def _giving(value: Any) -> Callable[..., Any]:
    def give(*_: object) -> Any:
        return value

    return give


def _record_as_json(record: Record) -> Message:
    from batchcore.dispositions import record_as_json

    return record_as_json(record)


DEFAULTS: dict[str, Callable[..., Any]] = {
    "record_preparer": _giving(identity),
    "record_decoder": _giving(identity),
    "ordering_policy": _giving(unordered),
    "acknowledgement": _giving("record"),
    "checkpoint_of": _giving(None),
    "delivery_attempt": _giving(None),
    "describe_record": _giving({}),
    "original_message": _record_as_json,
    "handler_arguments": _giving({}),
    "build_response": batch_item_failures,
}


def source_hooks(plugin: object, name: str) -> dict[str, Callable[..., Any]]:
    """Resolve the hooks of a source to plain callables, defaults where it has none.

    Raises:
        PluginError: and its subclasses, for each way in which a source can be wrong.
    """
    own: dict[str, Callable[..., Any]] = {}
    for hook, function, options in marked_methods(plugin):
        if hook not in SOURCE_HOOKS or options["wrapper"]:
            what = "wraps hooks" if hook in SOURCE_HOOKS else f"has the hook {hook}()"
            raise PluginError(
                f"The source {name!r} {what}; a source implements the hooks of a source, plainly. Put the rest into a "
                "plugin of its own.",
                plugin=plugin,
                hook=hook,
            )
        if hook in own:
            raise DuplicateHookError(f"The source {name!r} implements {hook}() twice.", plugin=plugin, hook=hook)
        own[hook] = with_all_arguments(plugin, hook, function)
    for hook in REQUIRED_HOOKS:
        if hook not in own:
            raise MissingHookError(
                f"The source {name!r} lacks {hook}(), which every source must have. Define it and mark it with "
                "@hookimpl.",
                plugin=plugin,
                hook=hook,
            )
    return {**DEFAULTS, **own}


def marked_methods(plugin: object) -> Iterator[tuple[str, Callable[..., Any], Mapping[str, Any]]]:
    """Yield hook name, bound method and options of each method that is marked.

    Raises:
        UnknownHookError: a marked method names no hook.
        UnmarkedHookError: a method named like a hook is not marked.
        PluginError: the plugin is a class, not an object, or a hook is a coroutine function.
    """
    if isinstance(plugin, type):
        raise PluginError(f"{plugin.__name__} is a class; pass an object of it: {plugin.__name__}().", plugin=plugin)
    for attribute in attribute_names(plugin):
        method = getattr(plugin, attribute)
        options: Any = getattr(method, "batchcore_impl", None)
        if not is_marker(options):
            if attribute in ARGUMENTS and callable(method):
                raise UnmarkedHookError(
                    f"{attribute}() of {describe(plugin)} has the name of a hook and is not marked. Put @hookimpl on "
                    "it, or name it otherwise.",
                    plugin=plugin,
                    hook=attribute,
                )
            continue
        hook: str = options["specname"] or attribute
        if hook not in ARGUMENTS:
            raise UnknownHookError(
                f"{describe(plugin)} implements {hook}(), which is no hook. The hooks are: "
                f"{', '.join(sorted(ARGUMENTS))}.",
                plugin=plugin,
                hook=hook,
            )
        if hook not in AWAITED_HOOKS and is_coroutine_function(method):
            raise PluginError(
                f"{hook}() of {describe(plugin)} is a coroutine function, and hooks are not awaited. Make it a plain "
                "function." + (" It may give a coroutine function." if hook == "record_preparer" else ""),
                plugin=plugin,
                hook=hook,
            )
        yield hook, method, options


def attribute_names(plugin: object) -> list[str]:
    """Return the names of what a plugin defines in its classes and itself, without touching a property."""
    names: dict[str, Any] = {}
    for space in (*reversed(type(plugin).__mro__[:-1]), plugin):
        names.update(getattr(space, "__dict__", {}))
    return [
        name
        for name, value in names.items()
        if isinstance(value, (FunctionType, MethodType, staticmethod, classmethod)) or hasattr(value, "batchcore_impl")
    ]


def with_all_arguments(plugin: object, hook: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a hook that names fewer arguments than its specification be called with all of them.

    Raises:
        HookArgumentsError: it names an argument that the specification lacks.
    """
    expected = ARGUMENTS[hook]
    inner, skipped = undecorated(function)
    code = getattr(inner, "__code__", None)
    if code is None:
        return function
    named = code.co_varnames[skipped : code.co_argcount]
    by_name = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    needed = named[: len(named) - len(inner.__defaults__ or ())]
    unknown = [name for name in needed if name not in expected]
    unknown += [f"{name} by name only" for name in by_name if name not in (inner.__kwdefaults__ or ())]
    if unknown:
        raise HookArgumentsError(
            f"{hook}() of {describe(plugin)} takes {', '.join(unknown)}; it may take: "
            f"{', '.join(expected) or 'nothing'}.",
            plugin=plugin,
            hook=hook,
        )
    wanted: list[int] = []
    for name in named:
        if name not in expected:  # it has a default, and so must what follows
            break
        wanted.append(expected.index(name))
    as_specified = wanted == list(range(len(wanted)))
    if as_specified and (len(wanted) == len(expected) or code.co_flags & _VARARGS):
        return function
    if is_coroutine_function(function):

        async def call_and_await(*arguments: Any) -> Any:
            return await function(*[arguments[index] for index in wanted])

        return call_and_await
    return lambda *arguments: function(*[arguments[index] for index in wanted])


def describe(plugin: object) -> str:
    """Return the name of a plugin, for a message."""
    name = getattr(plugin, "__name__", None)
    return f"the module {plain(name, 200)}" if isinstance(name, str) else type_name(plugin)


# -- Typed records, made without calling a Python function.


def _is_made_as_usual(view: type) -> bool:
    """Whether a class is a view, and nobody has a say when an object or a subclass of it is made."""
    metaclass: object = type(view)
    return (
        metaclass is type
        and issubclass(view, RecordView)
        and view.__init__ is RecordView.__init__
        and view.__new__ is object.__new__
        and not hasattr(view.__init_subclass__, "__func__")
    )


def _is_reusable(view: type[Any]) -> bool:
    """Whether an object of a view shows another record once it has that: it holds nothing but what is kept with one."""
    own = view.__mro__[: view.__mro__.index(RecordView)]
    slots = all("__slots__" in vars(kind) and not vars(kind)["__slots__"] for kind in own)
    return slots and not view.__dictoffset__ and count_references is not None


count_references: Any = getattr(sys, "getrefcount", None)


def _counts_alike() -> bool:
    """Whether two calls count the same references, though they stand at two places of a function."""
    held = object()
    first = count_references(held)
    for _ in range(2):  # noqa: SIM110 - in a generator it would be held in another way
        if count_references(held) != first:
            return False
    return True


_HAS_LOCK = sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
if not _HAS_LOCK or not _counts_alike():
    count_references = None  # it would tell nothing


quick_classes: dict[type, type[Any] | None] = {}
"""What :func:`quick_class` has given, to be looked in first: a fourth of the cost of a call."""


def quick_class(view: type) -> type[Any] | None:
    """Return a subclass whose objects are made empty, in half the time, for the loop that makes one per record.

    ``quick_class(V)()`` followed by setting ``raw_event`` does what ``V(raw_event)`` does, without calling a Python
    function. It is a ``V`` in every respect but ``type(record) is V``; a copy or a pickle of it is a plain ``V``.

    Returns:
        The subclass of a class that decodes records; None where it is no view, or does something when it is made.
    """
    if view not in quick_classes:
        quick = None
        if _is_made_as_usual(view):
            names = {name: getattr(view, name) for name in ("__module__", "__qualname__", "__doc__")}
            space = {**names, "__slots__": (), "__init__": object.__init__, "_made_for": view}
            space["_is_reusable"] = _is_reusable(view)
            quick = type(view.__name__, (view,), space)
        quick_classes[view] = quick
    return quick_classes[view]
