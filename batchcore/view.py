"""The base of the typed records, and what their properties that decode are made with."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar


__all__ = ["RecordView", "once", "quick_class"]

if TYPE_CHECKING:
    from functools import cached_property as once
else:

    class once:
        """What ``functools.cached_property`` is, at half its cost on Python 3.10 and 3.11, which lock there.

        For a view whose ``__slots__`` have ``__dict__``: the property is computed at its first use, then kept there.
        """

        def __init__(self, function) -> None:  # noqa: ANN001 - the types are those of cached_property
            self.function = function
            self.name = function.__name__
            self.__doc__ = function.__doc__

        def __get__(self, view, kind=None):  # noqa: ANN001, ANN204 - as above
            if view is None:
                return self
            value = view.__dict__[self.name] = self.function(view)
            return value


class RecordView(Mapping[str, "Any"]):
    """A raw record with named, typed properties on top.

    A view is the mapping it shows: it has the same keys, and equals the raw record. It copies nothing. Subclasses add
    read-only properties; one that decodes keeps what it decoded in a slot of its own, so that it decodes once.

    Args:
        raw_event: the record as AWS delivered it.

    Raises:
        ValueError: it is no mapping. Another library's event object, for example, gives one by its ``to_dict()``.
    """

    __slots__ = ("raw_event",)

    raw_event: Mapping[str, Any]

    def __init__(self, raw_event: Mapping[str, Any]) -> None:
        if type(raw_event) is not dict:  # what JSON gives is not asked any further
            _check_is_mapping(raw_event, type(self))
        self.raw_event = raw_event

    def __reduce__(self) -> tuple[Any, ...]:
        return self._made_for or type(self), (self.raw_event,)

    _made_for: ClassVar[type[RecordView] | None] = None

    def __getitem__(self, key: str) -> Any:
        return self.raw_event[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.raw_event)

    def __len__(self) -> int:
        return len(self.raw_event)

    def __contains__(self, key: object) -> bool:
        return key in self.raw_event

    def __eq__(self, other: object) -> bool:
        if isinstance(other, RecordView):
            other = other.raw_event
        return bool(self.raw_event == other) if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # equal to a dict, so as unhashable as one

    def __repr__(self) -> str:
        return f"<{type(self).__name__} with {', '.join(self.raw_event)}>"


def _check_is_mapping(raw_event: object, view: type) -> None:
    if isinstance(raw_event, Mapping) or (hasattr(raw_event, "keys") and hasattr(raw_event, "__getitem__")):
        return
    from batchcore.shapes import WrongShapeError, shape_of

    raise WrongShapeError(f"{view.__name__} shows a mapping, and this is none: it is {shape_of(raw_event)[1]}.")


def _is_made_as_usual(view: type) -> bool:
    """Say whether a class is a view, and nobody has a say when an object or a subclass of it is made."""
    metaclass: object = type(view)
    return (
        metaclass is ABCMeta
        and issubclass(view, RecordView)
        and view.__init__ is RecordView.__init__
        and view.__new__ is object.__new__
        and not hasattr(view.__init_subclass__, "__func__")
    )


_quick_classes: dict[type, type[Any] | None] = {}


def quick_class(view: type) -> type[Any] | None:
    """Give a subclass whose objects are made empty, in half the time, for the loop that makes one per record.

    ``quick_class(V)()`` followed by setting ``raw_event`` does what ``V(raw_event)`` does, without calling a Python
    function. It is a ``V`` in every respect but ``type(record) is V``; a copy or a pickle of it is a plain ``V``.

    Args:
        view: a class that decodes records.

    Returns:
        The subclass; None where the class is no view, or does something of its own when it is made.
    """
    try:
        return _quick_classes[view]
    except KeyError:
        quick = None
        if _is_made_as_usual(view):
            names = {name: getattr(view, name) for name in ("__module__", "__qualname__", "__doc__")}
            space = {**names, "__slots__": (), "__init__": object.__init__, "_made_for": view}
            quick = ABCMeta(view.__name__, (view,), space)
        _quick_classes[view] = quick
        return quick
