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
from types import MethodType

from batchcore.callables import identity, text_of, writable
from batchcore.errors import NoBatchError, exception_info
from batchcore.ledger import NOT_PROCESSED
from batchcore.model import typed
from batchcore.plan import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeAlias

    from batchcore.model import Batch, T
    from batchcore.plan import Handlers
    from batchcore.results import BatchResult
    from batchcore.types import ExceptionInfo, FailureResponse, SuccessResponse

    Stage: TypeAlias = Literal["reading", "read", "open", "started", "ended", "refused"]
    Entry: TypeAlias = tuple["weakref.ref[Current]", "Shown", "Entry | None"]

_GOING_ON = frozenset(("reading", "open", "started"))

_begun: ContextVar[Entry | None] = ContextVar("batchcore_begun", default=None)
"""Of each processor that has begun a batch in this context, the batch to show: a linked list, the last begun first."""
_begun_here, _begin = _begun.get, _begun.set


class Shown:
    """What leads from a context to a batch.

    Attributes:
        batch: the batch, as long as this keeps it.
    """

    __slots__ = ("__weakref__", "batch")

    batch: Session | None


class Session(Run):
    """A batch as the processor that runs it shows it.

    Attributes:
        stage: where it stands. ``reading`` its event; ``read``, and not begun, under the context manager; ``open``, its
            records may run; ``started``, they have; ``ended``; or ``refused``.
        outer: the batch of the same processor that goes on around it, where there is one.
        shown_by: what led to it in contexts while it went on: copies of them have that still.
        messages: the lists that the attributes show, once somebody asked for them.
    """

    __slots__ = ("messages", "outer", "shown_by", "stage")

    stage: Stage
    outer: Session | None
    shown_by: Shown
    messages: Messages | None

    def let_go(self) -> None:
        """Let go of what only the batch needed, such as handler arguments: the processor keeps its last batch."""
        self.around, self.call = None, identity

    def result(self) -> BatchResult[Any]:
        """Return the result, once the response is made."""
        from batchcore.results import BatchResult

        return BatchResult(self.response, self.batch.outcomes)  # type: ignore[arg-type]  # it has been made

    @property
    def is_read(self) -> bool:
        """Whether its event was read, so that there are records, and a response."""
        return self.stage not in ("reading", "refused")

    @property
    def goes_on(self) -> bool:
        """Whether it goes on: from its beginning until its response is made, but for the time before ``with``."""
        return self.stage in _GOING_ON


class Current:
    """The batches of one processor, as its attributes show them.

    Attributes:
        last: the batch that ended last, which contexts show in which none was begun.
    """

    __slots__ = ("__weakref__", "_kept", "_self", "last")

    def __init__(self) -> None:
        self.last: Session | None = None
        self._self: weakref.ref[Current] = weakref.ref(self)
        self._kept: weakref.WeakKeyDictionary[Shown, Session] | None = None

    def get(self) -> Session | None:
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
        return batch if batch.is_read else None

    def going_on(self) -> Session | None:
        """Return the innermost batch that goes on in this context: from its beginning until its response is made."""
        shown = self._shown()
        batch = None if shown is None else self._batch_of(shown)
        while batch is not None and not batch.goes_on:
            batch = batch.outer
        return batch

    # The two methods that every batch calls have no calls of their own where there is nothing unusual: 60 ns each.

    def begun(self, session: Session) -> None:
        """Show a batch in this context: it was begun here."""
        own, entry, others = self._self, _begun_here(), None
        session.stage, session.outer, session.messages = "reading", None, None
        if entry is not None:
            owner, shown, others = entry
            if owner is not own:
                session.outer, others = self.going_on(), _others(entry, own)
            elif (batch := shown.batch) is None or batch.stage != "ended":
                session.outer = self.going_on()
        session.shown_by = shown = Shown()
        shown.batch = session
        if _CONTEXTS_OUTLIVE_THREADS:
            _of_this_thread().add(own, shown)
        _begin((own, shown, others))

    def ended(self, session: Session) -> None:
        """Show the batch around one that has ended, if there is one that goes on, else the one that ended."""
        self.last = session
        if session.around is not None or session.plan.has_more:
            session.let_go()
        if session.messages is not None:
            session.messages = None  # made anew: what they held had tracebacks
        own, entry = self._self, _begun_here()
        if session.outer is None and entry is not None and entry[0] is own:
            session.stage = "ended"
            session.shown_by.batch = None  # copies of this context have it too, and live as long as others want
            shown = Shown()
            shown.batch = session
            if _CONTEXTS_OUTLIVE_THREADS:
                _of_this_thread().add(own, shown)
            _begin((own, shown, entry[2]))  # what stands behind an entry of ours was copied when that was made
        else:
            self.abandoned(session)

    def abandoned(self, session: Session) -> None:
        """Do the same for one that was refused or interrupted: it is not the last one finished."""
        session.stage = "refused" if session.stage == "reading" else "ended"
        own, entry, others = self._self, _begun_here(), None
        if entry is not None:
            others = entry[2] if entry[0] is own else _others(entry, own)
        session.shown_by.batch = None
        around = session.outer
        if around is None:
            _show(own, session, others)
        else:
            session.outer = None
            _show(own, around, others, around.shown_by)

    def call_showing(self, session: Session, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Call something that is to see a batch which has ended, also where another one goes on around it."""
        around, stage = _begun_here(), session.stage
        session.stage = "started"  # so that a batch which the function runs gives this one its place back
        before = session.shown_by
        shown = _show(self._self, session, None if around is None else _others(around, self._self))
        session.shown_by = shown
        try:
            return function(*args, **kwargs)
        finally:
            session.stage, session.shown_by = stage, before
            shown.batch = None
            _begin(around)

    def messages(self) -> Messages:
        """Return the lists that the attributes show now."""
        session = self.get()
        if session is None:
            return Messages()
        if session.messages is None:
            session.messages = Messages()
        return session.messages.up_to_date(session)

    def _shown(self) -> Shown | None:
        """Return what shows the batch that was begun last in this context."""
        own, entry = self._self, _begun_here()
        while entry is not None:
            owner, shown, entry = entry
            if owner is own:
                return shown
        return None

    def _batch_of(self, shown: Shown) -> Session | None:
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


def _show(own: weakref.ref[Current], session: Session, others: Entry | None, shown: Shown | None = None) -> Shown:
    if shown is None:
        shown = Shown()
        shown.batch = session
        if _CONTEXTS_OUTLIVE_THREADS:
            _of_this_thread().add(own, shown)
    _begin((own, shown, others))
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
            if shown.batch is not None and not shown.batch.goes_on:
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


class Messages:
    """The lists ``success_messages``, ``fail_messages`` and ``exceptions``, brought up to date when asked for."""

    __slots__ = ("_position", "exceptions", "failed", "succeeded")

    def __init__(self) -> None:
        self.succeeded: list[Any] = []
        self.failed: list[Any] = []
        self.exceptions: list[ExceptionInfo] = []
        self._position = 0

    def up_to_date(self, session: Session) -> Messages:
        """Add the records that have ended since, in the order of the batch, up to the first that has not."""
        batch = session.batch
        ledger, records = batch._ledger, batch._records
        if ledger.may_undo:  # what succeeded may have been taken back
            self._position = 0
            for messages in (self.succeeded, self.failed, self.exceptions):
                messages.clear()
        for position in range(self._position, ledger.count):
            if position in ledger.failures:
                self.failed.append(typed(batch, position))
                self.exceptions.append(exception_info(ledger.failure(position).exception))
            elif ledger.value(position) is not NOT_PROCESSED:
                self.succeeded.append(records[position])
            elif session.response is None:
                break
            self._position = position + 1
        return self


def shown(name: str, doc: str) -> Any:
    """Return an attribute that shows one of the lists of :class:`Messages`: it is read from the batch, not kept."""
    return property(lambda self: getattr(self._current.messages(), name), doc=doc)


class Watched:
    """What a processor shows of its batches, and its own methods that watch their records."""

    _current: Current
    _handlers: Handlers
    success_messages = shown("succeeded", "The raw records of the batch that succeeded, in its order.")
    fail_messages = shown("failed", "The typed records of the batch that failed, in its order.")
    exceptions = shown("exceptions", "What they failed with. Tracebacks are there until the batch is answered.")

    def success_handler(self, record: Any, result: Any) -> SuccessResponse:
        """Override it to watch records that succeed. If it raises, the record failed; its result changes nothing."""
        return "success", result, record

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        """Override it to watch records that fail, those not attempted included. If it raises, that is logged.

        Args:
            record: the record as its handler got it (view or model); its view where it was not validated.
            exception: what :func:`sys.exc_info` gives, here as well. What an override returns changes nothing.
        """
        return fail_entry(exception, record)

    def _watch(self, session: Session) -> None:
        """Let the handlers that watch records do so: the class, or this object alone, may have its own."""
        on_success, on_failure = self.success_handler, self.failure_handler
        # A proxy, as of wrapt, passes itself off as what it wraps.
        if type(on_success) is not MethodType or on_success.__func__ is not SUCCESS_HANDLER:
            session.surrounded().on_success = on_success
        if type(on_failure) is not MethodType or on_failure.__func__ is not FAILURE_HANDLER:
            session.surrounded().on_failure = on_failure

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name in ("success_handler", "failure_handler"):  # so that no batch need look for them: 3 % of a plain one
            super().__setattr__("_is_watched", True)
            if hasattr(self, "_handlers"):
                self._handlers.are_watched = True

    _is_watched = False


SUCCESS_HANDLER, FAILURE_HANDLER = Watched.success_handler, Watched.failure_handler


def fail_entry(exception: ExceptionInfo, record: Any) -> FailureResponse:
    """Return the entry of a failed record, whatever its exception's ``__str__`` does."""
    return "fail", f"{exception[0]}:{writable(text_of(exception[1]))}", record


def entries_of(batch: Batch) -> list[Any]:
    """Return an entry per record of a batch, in its order."""
    ledger = batch._ledger
    entries: list[Any] = []
    for position, record in enumerate(batch._records):
        if position in ledger.failures:
            error = ledger.failure(position).exception
            entries.append(fail_entry(exception_info(error), typed(batch, position)))
        else:
            value = ledger.value(position)
            entries.append(("success", None if value is NOT_PROCESSED else value, record))
    return entries
