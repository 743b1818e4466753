"""The result of a batch."""

from __future__ import annotations

from batchcore.outcome import NOT_ATTEMPTED, NOT_PROCESSED, SUCCEEDED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from batchcore.batch import Batch
    from batchcore.explaining import Explanation
    from batchcore.outcome import Outcome, Outcomes
    from batchcore.types import PartialItemFailureResponse


class BatchResult:
    """What became of a batch.

    Attributes:
        response: the answer for AWS, as the source built it.
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
    def return_values(self) -> list[Any]:
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
        everything from the lowest of those on, also what succeeded. AWS goes by identifiers: where records share one,
        all of them come again with one of them.
        """
        return self.outcomes.delivered_again()

    @property
    def duration(self) -> float | None:
        """Seconds from the event to the response, where ``run()`` or ``arun()`` has measured them."""
        return self.outcomes._batch.duration

    def explain(self) -> list[Explanation]:
        """Say of each record, in the order of the batch, whether AWS delivers it again, and why. Print them."""
        from batchcore.explaining import explain

        return explain(self.outcomes._batch)

    def counts(self) -> dict[str, int]:
        """Count the records by status. Statuses that no record has are left out."""
        batch = self.outcomes._batch
        counts: dict[str, int] = {}
        for position, value in enumerate(batch.values):
            failure = batch.failures.get(position)
            made_now = NOT_ATTEMPTED if value is NOT_PROCESSED else SUCCEEDED
            status = made_now if failure is None else failure.status
            counts[status] = counts.get(status, 0) + 1
        return counts

    def __repr__(self) -> str:
        return f"<BatchResult of {self.batch!r}: {self.counts()}>"


class ObservedResult(BatchResult):
    """A result as observers get it: what one does to the response, it does to a copy. The answer stays as it is."""

    __slots__ = ()

    def __init__(self, outcomes: Outcomes) -> None:
        self.outcomes = outcomes

    @property
    def response(self) -> PartialItemFailureResponse:  # type: ignore[override]  # read from the batch, not kept here
        """A copy of the answer for AWS, a new one each time."""
        from copy import deepcopy

        return deepcopy(self.outcomes._batch.response)
