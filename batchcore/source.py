"""One source, its hooks resolved to plain callables.

A lone source is resolved without pluggy: each hook becomes the source's own method, or its default. Where extensions
wrap hooks of the source, those hooks, and no others, go through pluggy (see :mod:`batchcore.plugins`).
"""

from __future__ import annotations

from types import FunctionType, MethodType

from batchcore import hookspecs
from batchcore.errors import (
    DuplicateHookError,
    HookArgumentsError,
    MissingHookError,
    PluginError,
    UnknownHookError,
    UnmarkedHookError,
    kind_of,
    plain,
)
from batchcore.handler import is_coroutine_function
from batchcore.hookspecs import SOURCE_HOOKS
from batchcore.ordering import unordered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any, Literal, TypeGuard

    from batchcore.batch import Batch
    from batchcore.message import Message
    from batchcore.ordering import Ordering
    from batchcore.outcome import Outcomes
    from batchcore.types import Identifier, PartialItemFailureResponse, Record

_VARARGS = 0x04


def as_it_is(record: Record) -> Record:
    """The default preparer and decoder."""
    return record


def batch_item_failures(batch: Batch, outcomes: Outcomes) -> PartialItemFailureResponse:
    """The default answer: the identifiers of all records that are not done, in the order of the batch.

    See "Reporting batch item failures" in the AWS Lambda developer guide, for SQS, Kinesis and DynamoDB alike.
    """
    positions = outcomes.unfinished_positions()
    if not positions:
        return {"batchItemFailures": []}
    identifiers = batch.identifiers
    return {"batchItemFailures": [{"itemIdentifier": identifiers[position]} for position in positions]}


class Source:
    """The hooks of one source as plain callables, and its name.

    Attributes:
        name: the name it was found by, or calls itself.
        plugin: the object that implements it.
        by_checkpoint: whether AWS acknowledges it by a checkpoint.
        prepares: whether anybody prepares its records.

    The other attributes are the hooks of :class:`batchcore.hookspecs.SourceHooks`, by the same names.
    """

    __slots__ = (
        "build_response",
        "by_checkpoint",
        "claims_event",
        "delivery_attempt",
        "describe_record",
        "extract_records",
        "handler_arguments",
        "identify_records",
        "name",
        "ordering_policy",
        "original_message",
        "plugin",
        "prepares",
        "record_decoder",
        "record_preparer",
    )

    claims_event: Callable[[Any], bool]
    extract_records: Callable[[Any], Sequence[Record]]
    identify_records: Callable[[Sequence[Record]], Sequence[Identifier]]
    record_preparer: Callable[[Batch], Callable[[Record], Any]]
    record_decoder: Callable[[Batch], Callable[[Record], Any]]
    ordering_policy: Callable[[Batch], Ordering]
    delivery_attempt: Callable[[Record], int | None]
    describe_record: Callable[[Record], Mapping[str, Any]]
    original_message: Callable[[Record], Message]
    handler_arguments: Callable[[Batch], Mapping[str, Callable[[Record], AbstractContextManager[Any]]]]
    build_response: Callable[[Batch, Outcomes], Any]

    def __init__(self, plugin: object, name: str, hooks: Mapping[str, Callable[..., Any]]) -> None:
        self.plugin = plugin
        self.name = name
        acknowledgement: Literal["record", "checkpoint"] = hooks["acknowledgement"]()
        if acknowledgement not in ("record", "checkpoint"):
            raise PluginError(
                f"acknowledgement() of source {name!r} gives 'record' or 'checkpoint', not {acknowledgement!r}.",
                plugin=plugin,
                hook="acknowledgement",
            )
        self.by_checkpoint = acknowledgement == "checkpoint"
        self.prepares = hooks["record_preparer"] is not DEFAULTS["record_preparer"]
        for hook, function in hooks.items():
            if hook != "acknowledgement":
                setattr(self, hook, function)

    def __repr__(self) -> str:
        return f"<Source {self.name}>"


def _nothing_to_do(_batch: Batch) -> Callable[[Record], Record]:
    return as_it_is


def _unordered(_batch: Batch) -> Ordering:
    return unordered


def _each_record() -> str:
    return "record"


def _unknown_attempt(_record: Record) -> None:
    return None


def _no_description(_record: Record) -> Mapping[str, Any]:
    return {}


def _no_arguments(_batch: Batch) -> Mapping[str, Any]:
    return {}


def _record_as_json(record: Record) -> Message:
    from batchcore.message import record_as_json

    return record_as_json(record)


DEFAULTS: dict[str, Callable[..., Any]] = {
    "record_preparer": _nothing_to_do,
    "record_decoder": _nothing_to_do,
    "ordering_policy": _unordered,
    "acknowledgement": _each_record,
    "delivery_attempt": _unknown_attempt,
    "describe_record": _no_description,
    "original_message": _record_as_json,
    "handler_arguments": _no_arguments,
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
    for hook in hookspecs.REQUIRED_HOOKS:
        if hook not in own:
            raise MissingHookError(
                f"The source {name!r} lacks {hook}(), which every source must have. Define it and mark it with "
                "@hookimpl.",
                plugin=plugin,
                hook=hook,
            )
    return {**DEFAULTS, **own}


def marked_methods(plugin: object) -> Iterator[tuple[str, Callable[..., Any], Mapping[str, Any]]]:
    """Give hook name, bound method and options of each method that is marked.

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
            if attribute in ALL_HOOKS and callable(method):
                raise UnmarkedHookError(
                    f"{attribute}() of {describe(plugin)} has the name of a hook and is not marked. Put @hookimpl on "
                    "it, or name it otherwise.",
                    plugin=plugin,
                    hook=attribute,
                )
            continue
        hook: str = options["specname"] or attribute
        if hook not in ALL_HOOKS:
            raise UnknownHookError(
                f"{describe(plugin)} implements {hook}(), which is no hook. The hooks are: "
                f"{', '.join(sorted(ALL_HOOKS))}.",
                plugin=plugin,
                hook=hook,
            )
        if hook not in hookspecs.AWAITED_HOOKS and is_coroutine_function(method):
            raise PluginError(
                f"{hook}() of {describe(plugin)} is a coroutine function, and hooks are not awaited. Make it a plain "
                "function." + (" It may give a coroutine function." if hook == "record_preparer" else ""),
                plugin=plugin,
                hook=hook,
            )
        yield hook, method, options


ALL_HOOKS = SOURCE_HOOKS | hookspecs.EXTENSION_HOOKS | hookspecs.OBSERVER_HOOKS


def is_marker(options: object) -> TypeGuard[Mapping[str, Any]]:
    """Say whether this is what ``hookimpl`` leaves on a method: an object that answers to any name has another."""
    return isinstance(options, dict)


def attribute_names(plugin: object) -> list[str]:
    """Name what a plugin defines in its classes and itself, without touching a property."""
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
    inner, skipped = _undecorated(function)
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


def _undecorated(function: Any) -> tuple[Any, int]:
    """Give the function whose arguments count, behind decorators such as ``contextmanager``, and how many are bound."""
    skipped = 0
    while True:
        if isinstance(function, MethodType):
            function, skipped = function.__func__, 1
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return function, skipped


def describe(plugin: object) -> str:
    """Name a plugin for a message."""
    name = getattr(plugin, "__name__", None)
    return f"the module {plain(name, 200)}" if isinstance(name, str) else kind_of(plugin)


ARGUMENTS: dict[str, tuple[str, ...]] = {
    name: spec.__code__.co_varnames[1 : spec.__code__.co_argcount]
    for group in hookspecs.HOOK_GROUPS
    for name, spec in vars(group).items()
    if name in ALL_HOOKS
}
