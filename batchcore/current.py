"""Which batch a processor's attributes show.

A processor is configuration; its batches live elsewhere. Attributes such as ``success_messages`` show the last batch
begun in the current context (thread or task), else the last one finished.
"""

from __future__ import annotations

import weakref
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from batchcore.invocation import Invocation

    Others: TypeAlias = tuple["weakref.ref[Current]", "Invocation | Kept", "Others | None"]
    Begun: TypeAlias = tuple["weakref.ref[Current]", Invocation, Others | None]

_begun: ContextVar[Begun | None] = ContextVar("batchcore_begun", default=None)


class Kept:
    """Stands for a batch that its own processor keeps, so that a context does not: see :func:`_others`."""

    __slots__ = ("__weakref__",)


class Current:
    """The batches of one processor, as its attributes show them.

    Attributes:
        last: the batch that ended last, which contexts show in which none was begun.
    """

    __slots__ = ("__weakref__", "_kept", "_self", "last")

    def __init__(self) -> None:
        self.last: Invocation | None = None
        self._self: weakref.ref[Current] = weakref.ref(self)
        self._kept: weakref.WeakKeyDictionary[Kept, Invocation] | None = None

    def keep(self, invocation: Invocation) -> Kept:
        """Keep a batch that has ended, as long as some context has what is given."""
        kept = Kept()
        if self._kept is None:
            self._kept = weakref.WeakKeyDictionary()
        self._kept[kept] = invocation
        return kept

    def get(self) -> Invocation | None:
        """Give the batch to show, or None where there is none, or the last one was refused."""
        invocation = self._shown()
        if invocation is None:
            return self.last
        return invocation if invocation.ready else None

    def going_on(self) -> Invocation | None:
        """Give the innermost batch that goes on in this context: whose ``with`` is entered, or which is run."""
        invocation = self._shown()
        while invocation is not None and not invocation.entered:
            invocation = invocation.outer
        return invocation

    def _shown(self) -> Invocation | None:
        """Give the batch that was begun last in this context."""
        own = self._self
        entry: Begun | Others | None = _begun.get()
        while entry is not None:
            owner, invocation, entry = entry
            if owner is own:
                if not isinstance(invocation, Kept):
                    return invocation
                return None if self._kept is None else self._kept.get(invocation)
        return None

    def ended(self, invocation: Invocation) -> None:
        """A batch ended: show the one around it, which goes on, or else the one that ended."""
        self.last = invocation
        invocation.entered = False
        shown, invocation.outer = invocation.outer or invocation, None
        current = _begun.get()
        if current is None or current[1] is not shown:
            self.begun(shown)

    def abandoned(self, invocation: Invocation) -> None:
        """A batch was refused or interrupted: the one around it, if there is one, goes on."""
        invocation.entered = False
        outer, invocation.outer = invocation.outer, None
        if outer is not None:
            self.begun(outer)

    def begun(self, invocation: Invocation) -> None:
        """A batch was begun in this context."""
        own, begun = self._self, _begun.get()
        others = None
        if begun is not None:
            if begun[0] is not own or begun[1].entered or begun[1].outer is not None:
                invocation.outer = self.going_on() or invocation.outer
            if begun[0] is not own or begun[2] is not None:
                others = _others(begun, own)
        _begun.set((own, invocation, others))


def _others(entry: Begun | Others | None, own: object) -> Others | None:
    """Copy the entries of other processors that are still alive.

    A batch leads to its processor, by its handler or a plugin. A context that held the batch would keep both for ever,
    one of each for each processor that was ever made in it. So from here on the processor holds the batch.
    """
    others: Others | None = None
    while entry is not None:
        owner, invocation, entry = entry
        processor = None if owner is own else owner()
        if processor is not None:
            if not isinstance(invocation, Kept) and not invocation.entered:
                invocation = processor.keep(invocation)
            others = (owner, invocation, others)
    return others
