"""Every hook there is. What implements one is marked with ``batchcore.hookimpl``.

A *source* is an object whose methods implement :class:`SourceHooks`: it knows one AWS event source.  An *extension*
implements :class:`ExtensionHooks`, an *observer* :class:`ObserverHooks`; a processor gets both as ``plugins=``. One
object may be an extension and an observer at once. Extensions may also *wrap* the hooks of the source.

Every hook is called once per batch or less often, except the observer's two per-record ones. What runs for each record
is a plain callable that a hook returned. A hook may name fewer arguments than its specification, never others.
"""

# Nothing calls what stands here: it is read.
# mypy: disable-error-code="empty-body"
# pyright: reportReturnType=false

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any, TypeAlias, TypeVar

    from batchcore.dispositions import Message
    from batchcore.model import Batch, Ordering, Outcome, Outcomes
    from batchcore.results import BatchResult
    from batchcore.types import Acknowledgement, Identifier, Record

    Fail: TypeAlias = Callable[[Outcome | int, BaseException], None]
    """Fails one record, named by its outcome or its position in the batch, with an exception."""

    F = TypeVar("F", bound=Callable[..., Any])
else:
    Fail = "Callable[[Outcome | int, BaseException], None]"

PROJECT = "batchcore"
"""The project's name towards pluggy: markers are stored as ``batchcore_spec`` and ``batchcore_impl``."""


def hookspec(function: F) -> F:
    """Mark a method of this file as the specification of a hook."""
    spec = {"firstresult": True, "historic": False, "warn_on_impl": None, "warn_on_impl_args": None}
    function.batchcore_spec = spec  # type: ignore[attr-defined]  # the form in which pluggy reads a specification
    return function


class SourceHooks:
    """What a source knows. ``claims_event``, ``extract_records`` and ``identify_records`` are required."""

    @hookspec
    def claims_event(self, event: Any) -> bool:
        """Return whether this event, all of it, comes from this source. Several sources may claim an empty batch."""

    @hookspec
    def extract_records(self, event: Any) -> Sequence[Record]:
        """Return the raw records of an event that this source has claimed, in the order of delivery."""

    @hookspec
    def identify_records(self, records: Sequence[Record]) -> Sequence[Identifier]:
        """Return one identifier per raw record, as AWS wants it back: a string, an object, or None where there is none.

        Called before the first handler. Raise :class:`batchcore.RecordIdentityError` for an identifier that is missing
        or empty: AWS treats a response with such a one as the failure of the whole batch.
        """

    @hookspec
    def record_preparer(self, batch: Batch) -> Callable[[Record], Record] | Callable[[Record], Awaitable[Record]]:
        """Return the callable that prepares a raw record before it is decoded: open an envelope, fetch a payload.

        Default: the record as it is. It runs inside the record's guard. Under asyncio it may be a coroutine function.
        """

    @hookspec
    def record_decoder(self, batch: Batch) -> Callable[[Record], Any]:
        """Return the callable that makes of a prepared record what the handler gets, when no model is given.

        Default: the record as it is.
        """

    @hookspec
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Return the order in which the records must run, unless the caller chose one. Default: unordered."""

    @hookspec
    def acknowledgement(self) -> Acknowledgement:
        """Return how AWS acknowledges, and so what it delivers again of records that are not done.

        ``record`` (the default): each of them. ``checkpoint``: everything from the lowest on; see ``checkpoint_of``.
        ``batch``: the whole batch, by :class:`batchcore.WholeBatchRetry`, which the default response raises.
        ``result``: each of them, by a result; an error would be final, so none is raised where no record is done.
        ``final``: none of them.
        """

    @hookspec
    def checkpoint_of(self, record: Record) -> Hashable:
        """Return which checkpoint a raw record lies behind, such as its partition. Default: None, one for the batch."""

    @hookspec
    def delivery_attempt(self, record: Record) -> int | None:
        """Return how often this record has been delivered, counting from 1. Default: None, not known."""

    @hookspec
    def describe_record(self, record: Record) -> Mapping[str, Any]:
        """Describe a record for logs and traces: its group, shard or partition, never its body. Default: empty."""

    @hookspec
    def original_message(self, record: Record) -> Message:
        """Return a raw record, however broken, as the message it was: a dead letter. Default: the record as JSON."""

    @hookspec
    def handler_arguments(self, batch: Batch) -> Mapping[str, Callable[[Record], AbstractContextManager[Any]]]:
        """Return what a handler may ask for by the name of a parameter, besides the record. Default: nothing.

        A name leads to a callable: raw record to a context manager, which gives the argument and is held open around
        the handler. What its ``__exit__`` raises fails the record.
        """

    @hookspec
    def build_response(self, batch: Batch, outcomes: Outcomes, fail: Fail) -> Any:
        """Return the response that AWS reads. Default: ``{"batchItemFailures": [{"itemIdentifier": ...}, ...]}``.

        ``fail(outcome, exception)`` fails a record that succeeded, of which no response can say so. May raise
        :class:`batchcore.WholeBatchRetry` where the source has no response but an error.
        """


class ExtensionHooks:
    """What changes how records are handled."""

    @hookspec
    def wrap_handler(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """Return the handler to call instead: an ordinary decorator, sync or async as the handler is.

        Called once per processor and handler. Several wrap one another, the first named being the innermost.
        """

    @hookspec
    def before_records(self, batch: Batch, fail: Fail) -> Mapping[str, Any] | None:
        """Do something for all records at once before the first of them, such as a bulk look-up.

        What it gives, handlers may ask for by the name of a parameter. ``fail(position, exception)`` fails one record,
        which is then not handled. If it raises, every record fails. Under asyncio it may be a coroutine function.
        """

    @hookspec
    def after_records(self, batch: Batch, outcomes: Sequence[Outcome], fail: Fail) -> None:
        """Do something for all records at once that succeeded, such as a bulk write. Called with none, too.

        ``fail(outcome, exception)`` fails one of them. If it raises, or the time is up, all of them fail. Under asyncio
        it may be a coroutine function.
        """

    @hookspec
    def deliver_dead_letter(self, outcome: Outcome, batch: Batch) -> None:
        """Deliver one failed record elsewhere. One plugin may. If it raises, or the time is up, the record is retried.

        Called in lanes, before the next record of the lane starts; everywhere, where ``deliver_dead_letters`` is not
        implemented.
        """

    @hookspec
    def deliver_dead_letters(self, outcomes: Sequence[Outcome], batch: Batch) -> Sequence[BaseException | None]:
        """Deliver up to ten failed records elsewhere: those of an unordered batch, after its last record.

        Gives for each, in their order, None where it is delivered, or what kept it from that: then it is retried. If it
        raises, or the time is up, all of them are.
        """


class ObserverHooks:
    """What watches. An observer that raises is logged once per batch and switched off for it."""

    @hookspec
    def batch_started(self, batch: Batch) -> None:
        """Called once, before the first record."""

    @hookspec
    def record_scope(self, record: Record, batch: Batch, position: int) -> AbstractContextManager[Any]:
        """Return a context manager to hold open around one handler call. What its ``__exit__`` returns is ignored."""

    @hookspec
    def record_finished(self, outcome: Outcome, batch: Batch) -> None:
        """Called after each record, whatever became of it, those not attempted included."""

    @hookspec
    def batch_finished(self, result: BatchResult) -> None:
        """Called once, when the response is ready, before anything is raised. It must not wait for the network."""

    @hookspec
    def after_batch(self, result: BatchResult) -> None:
        """Called once, after ``batch_finished``, for calls to the outside: a flush, a change of visibility.

        It has a time limit, taken from what is left of the invocation, and runs in a thread of its own for that. When
        the time is up, the response goes out without waiting for it.
        """
