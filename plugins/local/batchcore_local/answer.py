"""Lambda's side of the contract: what a function's answer means for the records of its batch.

The rules are read in one place, :mod:`batchcore_testing.answers`; here they are those of SQS.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from batchcore_testing import answers
from batchcore_testing.services import SQS


class Answer(NamedTuple):
    """How a function's answer was read.

    Attributes:
        failed: identifiers of the records to deliver again.
        complaint: why the answer, or the function, failed the whole batch; None when it did not.
    """

    failed: frozenset[str]
    complaint: str | None = None


def whole_batch_failed(identifiers: Collection[str], complaint: str) -> Answer:
    """Return the answer that makes every record of the batch come back."""
    return Answer(frozenset(identifiers), complaint)


def read_answer(payload: str | bytes, identifiers: Collection[str]) -> Answer:
    """Read what a function answered, as Lambda does when ``ReportBatchItemFailures`` is set.

    Args:
        payload: the answer, as the runtime sent it: JSON.
        identifiers: the records of the batch; for SQS their message ids.

    Returns:
        Which records failed. Where AWS does not document a case, the reading is the one that loses nothing: an answer
        that is no JSON object fails the batch.
    """
    names = list(identifiers)
    answer = answers.read_answer(payload, names, SQS)
    return Answer(frozenset(names[position] for position in answer.named), answer.complaint)
