"""What happens when the response is ready: observers are told, a line is logged, and calls to the outside are made."""

from __future__ import annotations

from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from batchcore.calls import Calls
    from batchcore.invocation import Invocation
    from batchcore.result import ObservedResult


def after_answer(invocation: Invocation) -> Calls[None]:
    """Tell whoever wants to know of the end of a batch. None of it changes the answer."""
    settings, observing = invocation.settings, invocation.observing
    if invocation.started_at is not None:
        invocation.duration = perf_counter() - invocation.started_at
    if observing is not None:
        observing.batch_finished(_observed(invocation))
    if invocation.out_of_time or settings.late or settings.wants_summaries():
        invocation.report.finished()
    if observing is not None and observing.calls_out:
        yield from observing.after_batch(_observed(invocation))


def _observed(invocation: Invocation) -> ObservedResult:
    from batchcore.result import ObservedResult

    return ObservedResult(invocation.outcomes)
