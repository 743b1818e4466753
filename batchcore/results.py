"""The result of a batch, its explanation in words, and the error of a batch of which no record is done."""

from __future__ import annotations

import builtins
import weakref

from batchcore.callables import plain, type_name
from batchcore.errors import BatchcoreError, OutOfTimeError, WholeBatchRetry, exception_info, release_frames
from batchcore.ledger import DEAD_LETTERED, DROPPED, FAILED, NOT_ATTEMPTED, SUCCEEDED, key_of, keys_of
from batchcore.model import Generic, Outcomes, T, coming_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Any, overload

    from batchcore.model import Batch, Outcome, R
    from batchcore.types import (
        Anything,
        Awaited,
        CoroutineFunctionsNeedAsyncBatchProcessor,
        ExceptionInfo,
        Gives,
        Handler,
        PartialItemFailureResponse,
        TakesContext,
        TakesNamed,
    )


class BatchResult(Generic[T]):
    """What became of a batch, whose handler returned ``T``.

    Attributes:
        response: the answer for AWS, as the source built it; None where it raised ``WholeBatchRetry`` in its place.
        outcomes: one per record, in the order of the batch.
    """

    __slots__ = ("outcomes", "response")

    def __init__(self, response: PartialItemFailureResponse, outcomes: Outcomes) -> None:
        self.response = response
        self.outcomes = outcomes

    @property
    def batch(self) -> Batch:
        """The batch: its event, context, records and identifiers."""
        return self.outcomes.batch

    @property
    def return_values(self) -> list[T]:
        """What the handler returned for each record that succeeded, in the order of the batch."""
        return [outcome.value for outcome in self.outcomes if outcome.status == SUCCEEDED]

    @property
    def failures(self) -> list[Outcome]:
        """The outcomes of the records that are not done: those that the response names."""
        return self.outcomes.unfinished()

    @property
    def delivered_again(self) -> list[Outcome]:
        """The outcomes of the records that AWS delivers again, given this response.

        Where each record is acknowledged by itself, those that are not done. Where a checkpoint is, as on a stream,
        everything from the lowest of those on, also what succeeded; where the whole batch is, all of it. AWS goes by
        identifiers: where records share one, all of them come again with one of them.
        """
        return self.outcomes.delivered_again()

    @property
    def duration(self) -> float | None:
        """Seconds from the event to the response, where ``run()`` or ``arun()`` has measured them."""
        return self.batch._ledger.duration

    def explain(self) -> list[Explanation]:
        """Explain the response: of each record, in the order of the batch, whether AWS delivers it again, and why."""
        return explain(self.batch)

    def counts(self) -> dict[str, int]:
        """Count the records by status. Statuses that no record has are left out."""
        return self.batch._ledger.counts()

    def __repr__(self) -> str:
        return f"<BatchResult of {self.batch!r}: {self.counts()}>"


class ObservedResult(BatchResult):
    """A result as observers get it: what one does to the response, it does to a copy. The response stays as it is."""

    __slots__ = ("_response",)

    def __init__(self, response: PartialItemFailureResponse, outcomes: Outcomes) -> None:
        self._response = response
        self.outcomes = outcomes

    @property
    def response(self) -> PartialItemFailureResponse:  # type: ignore[override]  # a copy, which is not kept here
        """A copy of the response for AWS, a new one each time."""
        from copy import deepcopy

        return deepcopy(self._response)


# -- The explanation.

_WORDS = {
    SUCCEEDED: "the handler returned",
    NOT_ATTEMPTED: "not attempted",
    DROPPED: "dropped",
    DEAD_LETTERED: "delivered elsewhere as a dead letter",
}


class Explanation:
    """What becomes of one record, in words.

    Attributes:
        outcome: its outcome.
        delivered_again: whether AWS delivers it again, given the response.
        reason: why, without any of its data.
    """

    __slots__ = ("delivered_again", "outcome", "reason")

    def __init__(self, outcome: Outcome, delivered_again: bool, reason: str) -> None:
        self.outcome = outcome
        self.delivered_again = delivered_again
        self.reason = reason

    def __str__(self) -> str:
        identifier = self.outcome.identifier
        name = f"at position {self.outcome.position}" if identifier is None else plain(identifier)
        what = "delivered again" if self.delivered_again else "done" if self.outcome.done else "not delivered again"
        return f"{name}: {what}; {self.reason}"

    def __repr__(self) -> str:
        return f"<Explanation {self}>"


def explain(batch: Batch) -> list[Explanation]:
    """Explain the response to a batch that is finished."""
    identifiers, left = batch._identifiers, batch._ledger.unfinished()
    coming, shared = coming_again(batch, left), keys_of(identifiers, left)
    by_checkpoint = batch._facts.acknowledgement == "checkpoint" and not batch._ledger.is_refused
    explained: set[int] = set()
    explanations: list[Explanation] = []
    for outcome in batch.outcomes:
        position, reason = outcome.position, _reason(batch, outcome)
        first = coming.get(position, position)
        if outcome.done and position in coming and key_of(outcome.identifier) in shared:
            reason += "; another record of its identifier is not done, and AWS goes by identifiers"
        elif by_checkpoint and position > first and (outcome.done or first in explained):
            reason += f"; {plain(identifiers[first])} before it is not done, and everything from there on comes again"
        elif outcome.done and position in coming:
            reason += "; not all of the batch is done, and AWS takes no partial response: all of it comes again"
        if not outcome.done:
            explained.add(first)
        explanations.append(Explanation(outcome, position in coming, reason))
    return explanations


def _reason(batch: Batch, outcome: Outcome) -> str:
    if outcome.exception is None:
        return _WORDS[outcome.status]
    from batchcore.failures import Deferred, summary_of

    what = "out of time" if isinstance(outcome.exception, OutOfTimeError) else "failed"
    words = what if outcome.status == FAILED else _WORDS[outcome.status]
    dead_letters = batch._ledger.dead_letters
    problem = None if dead_letters is None else dead_letters.problems.get(outcome.position)
    if isinstance(problem, Deferred):
        why = "; to be a dead letter once no other brings it back"
    else:
        why = "" if problem is None else f"; a dead letter that was not delivered: {summary_of(problem).rstrip('.')}"
    return f"{words}: {summary_of(outcome.exception).rstrip('.')}{why}"


# -- The error of a batch of which no record is done.


class BatchProcessingError(BatchcoreError):
    """No record of the batch was processed, and at least one failed.

    Attributes:
        msg: the message.
        child_exceptions: one ``(type, exception, traceback)`` per failed record, in the order of the batch.
        result: the whole result of the batch; its response names every record.
    """

    def __init__(
        self, msg: str = "", child_exceptions: Sequence[ExceptionInfo] = (), result: BatchResult | None = None
    ) -> None:
        super().__init__(msg)
        self.msg = msg
        self.child_exceptions = list(child_exceptions)
        self.result: BatchResult | Any = result  # None only where somebody made it by hand: no checker need ask


def whole_batch_error(
    batch: Batch, response: PartialItemFailureResponse | None, refusal: WholeBatchRetry | None
) -> BatchProcessingError | WholeBatchRetry:
    """Make the error, or complete that of the source. It alone keeps the frames alive: they go when it goes."""
    ledger = batch._ledger
    failures = {position: ledger.failure(position) for position in sorted(ledger.failures)}
    exceptions = [failure.exception for failure in failures.values()]
    result: BatchResult = BatchResult(response, Outcomes(batch))  # type: ignore[arg-type]  # None where it is refused
    error: BatchProcessingError | WholeBatchRetry
    if refusal is not None:
        error, refusal.result = refusal, result
    else:
        error = BatchProcessingError(_message(batch, failures), [exception_info(e) for e in exceptions], result)
        error.__cause__ = _grouped(exceptions)

    def release(_: object) -> None:
        for exception in exceptions:
            release_frames(exception)

    ledger.raised = weakref.ref(error, release)
    return error


def _grouped(exceptions: list[BaseException]) -> BaseException:
    """Group the records' exceptions where Python can; the first stands for all where it cannot (3.10)."""
    group: Any = getattr(builtins, "BaseExceptionGroup", None)
    return exceptions[0] if group is None else group("the records of the batch", exceptions)


def _message(batch: Batch, failures: Mapping[int, Any]) -> str:
    """Return in one line why no record was processed: the runtime's own error report has room for one message."""
    from batchcore.failures import MOST_NAMES, summary_of

    kinds: dict[str, int] = {}
    for failure in failures.values():
        name = type_name(failure.exception)
        kinds[name] = kinds.get(name, 0) + 1
    often = sorted(kinds.items(), key=lambda kind: -kind[1])
    counted = ", ".join(f"{count} x {name}" for name, count in often[:MOST_NAMES])
    if len(often) > MOST_NAMES:
        counted += f" and {len(often) - MOST_NAMES} more kinds"
    first = min(failures)
    identifier = batch.identifiers[first]
    return (
        f"All records failed processing. {len(batch.records)} of {batch.source}: {counted}. "
        f"The first, {plain(identifier)}: {summary_of(failures[first].exception)}"
    )


# -- For type checkers: what a batch is run with, and what that gives.

if TYPE_CHECKING:

    class RunsHandlers(Generic[R]):
        """How a synchronous processor runs a batch. A coroutine function gives what has no response: it is refused."""

        @overload
        def run(self, event: Any, record_handler: Handler[R, Anything], context: Any = None) -> BatchResult[Any]: ...
        @overload
        def run(  # pyright: ignore[reportOverlappingOverload]  # so that it is no result
            self, event: Any, record_handler: Handler[R, Awaited], context: Any = None
        ) -> CoroutineFunctionsNeedAsyncBatchProcessor: ...
        @overload
        def run(self, event: Any, record_handler: Callable[[R], Gives], context: Any = None) -> BatchResult[Gives]: ...
        @overload
        def run(
            self, event: Any, record_handler: TakesContext[R, Gives], context: Any = None
        ) -> BatchResult[Gives]: ...
        @overload
        def run(self, event: Any, record_handler: TakesNamed[R, object], context: Any = None) -> BatchResult[Any]: ...
        def run(self, event: Any, record_handler: Any, context: Any = None) -> Any:
            """Process a whole event. See :meth:`batchcore.BasePartialProcessor.run`."""

    class RunsAsyncHandlers(Generic[R]):
        """How an asynchronous processor runs a batch, of async and of plain handlers."""

        @overload
        def run(
            self, event: Any, record_handler: Callable[[R], Awaitable[Gives]], context: Any = None
        ) -> BatchResult[Gives]: ...
        @overload
        def run(
            self, event: Any, record_handler: TakesContext[R, Awaitable[Gives]], context: Any = None
        ) -> BatchResult[Gives]: ...
        @overload
        def run(self, event: Any, record_handler: Callable[[R], Gives], context: Any = None) -> BatchResult[Gives]: ...
        @overload
        def run(
            self, event: Any, record_handler: TakesContext[R, Gives], context: Any = None
        ) -> BatchResult[Gives]: ...
        @overload
        def run(self, event: Any, record_handler: TakesNamed[R, object], context: Any = None) -> BatchResult[Any]: ...
        def run(self, event: Any, record_handler: Any, context: Any = None) -> Any:
            """Process a whole event on an event loop that lives as long as the process."""

        @overload
        async def arun(
            self, event: Any, record_handler: Callable[[R], Awaitable[Gives]], context: Any = None
        ) -> BatchResult[Gives]: ...
        @overload
        async def arun(
            self, event: Any, record_handler: TakesContext[R, Awaitable[Gives]], context: Any = None
        ) -> BatchResult[Gives]: ...
        @overload
        async def arun(
            self, event: Any, record_handler: Callable[[R], Gives], context: Any = None
        ) -> BatchResult[Gives]: ...
        @overload
        async def arun(
            self, event: Any, record_handler: TakesContext[R, Gives], context: Any = None
        ) -> BatchResult[Gives]: ...
        @overload
        async def arun(
            self, event: Any, record_handler: TakesNamed[R, object], context: Any = None
        ) -> BatchResult[Any]: ...
        async def arun(self, event: Any, record_handler: Any, context: Any = None) -> Any:
            """Process a whole event inside a running event loop."""
