"""Lambda's side of the contract: what a function's response means for the records of its batch.

The rules are read in one place, :mod:`batchcore_testing.responses`; here they are those of SQS.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from batchcore_testing.responses import read_payload
from batchcore_testing.services import SQS


class Reading(NamedTuple):
    """How a function's response was read.

    Attributes:
        failed: identifiers of the records to deliver again.
        complaint: why the response, or the function, failed the whole batch; None when it did not.
    """

    failed: frozenset[str]
    complaint: str | None = None


def whole_batch_failed(identifiers: Collection[str], complaint: str) -> Reading:
    """Return the reading that makes every record of the batch come back."""
    return Reading(frozenset(identifiers), complaint)


def read_response(payload: str | bytes, identifiers: Collection[str]) -> Reading:
    """Read what a function answered, as Lambda does when ``ReportBatchItemFailures`` is set.

    Args:
        payload: the response, as the runtime sent it: JSON.
        identifiers: the records of the batch; for SQS their message ids.

    Returns:
        Which records failed. Where AWS does not document a case, the reading is the one that loses nothing: a response
        that is no JSON object fails the batch.
    """
    names = list(identifiers)
    reading = read_payload(payload, names, SQS)
    return Reading(frozenset(names[position] for position in reading.named), reading.complaint)
