"""Which batch a processor's attributes show.

A processor is configuration; its batches live elsewhere. Attributes such as ``success_messages`` show the last batch
begun in the current context (thread or task), else the last one finished.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from batchcore.road import Invocation

    Begun: TypeAlias = tuple[tuple["weakref.ref[object]", Any], ...]

_begun: ContextVar[Begun] = ContextVar("batchcore_begun", default=())


class Current:
    """The batches of one processor, as its attributes show them."""

    __slots__ = ("__weakref__", "_last", "_self")

    def __init__(self) -> None:
        self._last: Invocation | None = None
        self._self: weakref.ref[object] = weakref.ref(self)

    def refused(self) -> None:
        """A batch is about to be read: until that succeeds there is no batch in this context."""
        self._set(None)

    def begun(self, invocation: Any) -> None:
        """A batch was begun in this context."""
        self._set(invocation)

    def finished(self, invocation: Any) -> None:
        """A batch was finished; contexts in which none was begun show it."""
        self._last = invocation

    def get(self) -> Any:
        """Give the batch to show, or None."""
        for owner, invocation in _begun.get():
            if owner is self._self:
                return invocation
        return self._last

    def _set(self, invocation: Any) -> None:
        own, begun = self._self, _begun.get()
        if len(begun) > 1 or (begun and begun[0][0] is not own):
            others = [entry for entry in begun if entry[0] is not own and entry[0]() is not None]
            _begun.set(((own, invocation), *others))
        else:
            _begun.set(((own, invocation),))
