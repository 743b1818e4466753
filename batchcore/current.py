"""Which batch a processor's attributes show.

A processor is configuration; its batches live elsewhere. Attributes such as ``success_messages`` show the last batch
begun in the current context (thread or task), else the last one finished. While a batch goes on, until its response is
made, it is shown in every hook, whatever batches of the same processor a hook has run.

Contexts are copied and kept by others: by tasks, timers, worker threads, from Python 3.14 on by each thread that has
ended. So a context leads to a batch through a :class:`Shown` of the batch, which is emptied when the batch has ended.
The context that the batch was begun in alone gets a new one, which is emptied when the thread ends.
"""

from __future__ import annotations

import sys
import weakref
from contextvars import ContextVar

from batchcore.errors import NoBatchError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from batchcore.invocation import Invocation

    Entry: TypeAlias = tuple["weakref.ref[Current]", "Shown", "Entry | None"]

_begun: ContextVar[Entry | None] = ContextVar("batchcore_begun", default=None)
"""Of each processor that has begun a batch in this context, the batch to show: a linked list, the last begun first."""


class Shown:
    """What leads from a context to a batch.

    Attributes:
        batch: the batch, as long as this keeps it.
    """

    __slots__ = ("__weakref__", "batch")

    batch: Invocation | None


class Current:
    """The batches of one processor, as its attributes show them.

    Attributes:
        last: the batch that ended last, which contexts show in which none was begun.
    """

    __slots__ = ("__weakref__", "_kept", "_self", "last")

    def __init__(self) -> None:
        self.last: Invocation | None = None
        self._self: weakref.ref[Current] = weakref.ref(self)
        self._kept: weakref.WeakKeyDictionary[Shown, Invocation] | None = None

    def get(self) -> Invocation | None:
        """Return the batch to show, or None where there is none, or the last one was refused.

        Raises:
            NoBatchError: the batch of this context is gone. To show another one's outcomes would lose records.
        """
        shown = self._shown()
        if shown is None:
            return self.last
        batch = self._batch_of(shown)
        if batch is None:
            raise NoBatchError(
                "The batch that was begun in this context has ended, and so has the thread that kept it. Ask for its "
                "response in the thread that ran it, or keep what run() returns."
            )
        return batch if batch.ready else None

    def going_on(self) -> Invocation | None:
        """Return the innermost batch that goes on in this context: from its beginning until its response is made."""
        shown = self._shown()
        batch = None if shown is None else self._batch_of(shown)
        while batch is not None and not batch.entered:
            batch = batch.outer
        return batch

    def begun(self, invocation: Invocation) -> None:
        """Show a batch in this context: it was begun here."""
        own, entry = self._self, _begun.get()
        others = None
        if entry is not None:
            batch = entry[1].batch if entry[0] is own else None
            if batch is None or batch.entered or batch.outer is not None:
                invocation.outer = self.going_on() or invocation.outer
            if entry[0] is not own or entry[2] is not None:
                others = _others(entry, own)
        invocation.shown_by = _show(own, invocation, others)

    def ended(self, invocation: Invocation) -> None:
        """Show the batch around one that has ended, if there is one that goes on, else the one that ended."""
        self.last = invocation
        self.abandoned(invocation)

    def abandoned(self, invocation: Invocation) -> None:
        """Do the same for one that was refused or interrupted: it is not the last one finished."""
        invocation.entered = False
        around = invocation.outer
        own, entry = self._self, _begun.get()
        others = None
        if entry is not None and (entry[0] is not own or entry[2] is not None):
            others = _others(entry, own)
        if invocation.shown_by is not None:  # copies of this context have it too, and live as long as others want
            invocation.shown_by.batch = None
        if around is None:
            _show(own, invocation, others)
        else:
            invocation.outer = None
            _show(own, around, others, around.shown_by)

    def call_showing(self, invocation: Invocation, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call something that is to see a batch which has ended, also where another one goes on around it."""
        around, entered = _begun.get(), invocation.entered
        invocation.entered = True  # so that a batch which the function runs gives this one its place back
        before = invocation.shown_by
        shown = _show(self._self, invocation, None if around is None else _others(around, self._self))
        invocation.shown_by = shown
        try:
            return function(*args, **kwargs)
        finally:
            invocation.entered, invocation.shown_by = entered, before
            shown.batch = None
            _begun.set(around)

    def _shown(self) -> Shown | None:
        """Return what shows the batch that was begun last in this context."""
        own, entry = self._self, _begun.get()
        while entry is not None:
            owner, shown, entry = entry
            if owner is own:
                return shown
        return None

    def _batch_of(self, shown: Shown) -> Invocation | None:
        """Return the batch that is shown, if anybody keeps it for that."""
        if shown.batch is not None:
            return shown.batch
        last = self.last
        if last is not None and last.shown_by is shown:
            return last
        return None if self._kept is None else self._kept.get(shown)

    def keep(self, shown: Shown) -> None:
        """Keep a batch that has ended in place of the context, as long as some context has what shows it."""
        if shown.batch is not None:
            if self._kept is None:
                self._kept = weakref.WeakKeyDictionary()
            self._kept[shown], shown.batch = shown.batch, None

    def forget(self, shown: Shown) -> None:
        """Keep a batch no longer: the thread in which it was begun has ended."""
        if self._kept is not None:
            self._kept.pop(shown, None)


def _show(own: weakref.ref[Current], invocation: Invocation, others: Entry | None, shown: Shown | None = None) -> Shown:
    if shown is None:
        shown = Shown()
        shown.batch = invocation
        if _CONTEXTS_OUTLIVE_THREADS:
            _of_this_thread().add(own, shown)
    _begun.set((own, shown, others))
    return shown


def _others(entry: Entry | None, own: object) -> Entry | None:
    """Copy the entries of other processors that are still alive.

    A batch leads to its processor, by its handler or a plugin. A context that held the batch would keep both for ever,
    one of each for each processor that was ever made in it. So from here on the processor holds the batch.
    """
    others: Entry | None = None
    while entry is not None:
        owner, shown, entry = entry
        processor = None if owner is own else owner()
        if processor is not None:
            if shown.batch is not None and not shown.batch.entered:
                processor.keep(shown)
            others = (owner, shown, others)
    return others


_CONTEXTS_OUTLIVE_THREADS = sys.version_info >= (3, 14)


class _OfThread:
    """All that shows batches begun in one thread. It goes when the thread ends, and empties them."""

    __slots__ = ("_many", "_shown")

    def __init__(self) -> None:
        self._shown: list[tuple[weakref.ref[Current], weakref.ref[Shown]]] = []
        self._many = 100

    def add(self, owner: weakref.ref[Current], shown: Shown) -> None:
        if len(self._shown) >= self._many:
            self._shown = [pair for pair in self._shown if pair[1]() is not None]
            self._many = max(self._many, 2 * len(self._shown))
        self._shown.append((owner, weakref.ref(shown)))

    def __del__(self) -> None:
        for owner, reference in self._shown:
            shown, processor = reference(), owner()
            if shown is not None:
                shown.batch = None
                if processor is not None:
                    processor.forget(shown)


_threads: Any = None


def _of_this_thread() -> _OfThread:
    global _threads  # noqa: PLW0603 - made at first need: what it is made of need not be imported before
    if _threads is None:
        from threading import local

        _threads = local()
    try:
        of_thread: _OfThread = _threads.shown
    except AttributeError:
        of_thread = _threads.shown = _OfThread()
    return of_thread
