"""Registration, entry points, wrapping; and a closer look at what a ``RecordsSource`` says of itself."""

from __future__ import annotations

from collections.abc import Mapping

from batchcore.callables import is_object
from batchcore.errors import PluginError
from batchcore.model import Ordering

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# What has a default, so that nobody sees that it is missing: what it is, and the hook that reads it.
_OPTIONAL: dict[str, tuple[type, str]] = {
    "view": (type, "record_decoder"),
    "ordering": (Ordering, "ordering_policy"),
    "by_checkpoint": (bool, "acknowledgement"),
    "windows": (bool, "handler_arguments"),
    "description": (Mapping, "describe_record"),
}


def check_records_source(plugin: Any, name: str, base: type[Any], hooks: Mapping[str, object]) -> None:
    """Check what a ``RecordsSource`` says of itself, where that is not plainly right.

    Args:
        plugin: the source.
        name: its name.
        base: ``RecordsSource``.
        hooks: its hooks, resolved.

    Raises:
        PluginError: something is missing, of the wrong kind, or said by a name that nobody reads.
    """
    says: tuple[Any, Any] = getattr(plugin, "service", None), getattr(plugin, "identifier", None)
    if not (all(says) and isinstance(says[0], str) and type(says[1]) is tuple):
        wanted = "a service, such as 'aws:sqs', and an identifier, such as ('messageId',)"
        raise PluginError(f"The source {name!r} must have {wanted}; it has {says!r}.", plugin=plugin)
    kinds = type(plugin).__mro__
    own: dict[str, Any] = {}
    for space in (*reversed(kinds[: kinds.index(base)]), plugin):
        own.update(getattr(space, "__dict__", {}))
    # Whoever overrides a hook may call what that reads as they like.
    read = [said for said, (_, hook) in _OPTIONAL.items() if getattr(hooks[hook], "__func__", None) is vars(base)[hook]]
    _check_names(plugin, name, own, [said for said in read if said not in own])
    if "description" in read:
        _check_description(plugin, name)
    if "view" in read and "view" not in own:
        _check_raw_records_are_meant(plugin, name, base)


def _check_names(plugin: object, name: str, own: Mapping[str, Any], missing: list[str]) -> None:
    """Refuse an attribute that is called nearly as one that is missing, and is what that would be."""
    for given, value in own.items():
        meant = [said for said in missing if isinstance(value, _OPTIONAL[said][0])]
        if given.startswith("_") or not meant:  # a helper of their own
            continue
        import difflib

        for said in difflib.get_close_matches(given, meant, 1, 0.75):
            raise PluginError(
                f"The source {name!r} has an attribute {given!r}, which nobody reads. Did you mean {said!r}? If it is "
                f"a helper of your own, begin its name with an underscore, or set {said!r} too.",
                plugin=plugin,
            )


def _check_description(plugin: Any, name: str) -> None:
    try:
        description: object = plugin.description
    except Exception:  # a property that is not ready
        return
    problem = None
    if is_object(description):
        for key, of in description.items():
            is_right = bool(of) if isinstance(of, str) else callable(of)
            if not (is_right and isinstance(key, str)):  # pyright: ignore[reportUnnecessaryIsInstance]  # who knows
                shown = repr(of) if isinstance(of, str) else f"something of the type {type(of).__name__}"
                problem = f"{key!r} leads to {shown}"
    else:
        problem = f"it is of the type {type(description).__name__}"
    if problem is not None:
        raise PluginError(
            f"The description of the source {name!r} gives each name the keys that lead to a value, joined by dots, or "
            f"a function of the raw record: {{'user': 'detail.userId'}}. But {problem}.",
            plugin=plugin,
        )


def _check_raw_records_are_meant(plugin: object, name: str, base: type[Any]) -> None:
    """Refuse ``RecordsSource[Parcel]`` without a view: its handlers would get dictionaries, whatever checkers say."""
    aliases = [alias for kind in type(plugin).__mro__ for alias in vars(kind).get("__orig_bases__", ())]
    for alias in aliases:
        origin, given = getattr(alias, "__origin__", None), next(iter(getattr(alias, "__args__", ())), None)
        if not (isinstance(origin, type) and issubclass(origin, base) and isinstance(given, type)):
            continue
        try:
            is_raw = given.__module__ == "typing" or issubclass(given, dict) or issubclass(dict, given)
        except TypeError:  # a protocol, or dict[str, str]
            continue
        if not is_raw:
            raise PluginError(
                f"The source {name!r} is a {base.__name__}[{given.__name__}] without a view, so its handlers would get "
                f"raw records. Write `view = {given.__name__}`, or {base.__name__}[Any] for raw records.",
                plugin=plugin,
            )
