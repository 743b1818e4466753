"""Lambda's side of the contract: what a function's answer means for the records of its batch.

The rules are those of the page *Handling errors for an SQS event source in Lambda* of the AWS Lambda developer guide,
section *Success and failure conditions*.  Mind the asymmetry: a mistake inside the list makes the whole batch come
back, a mistake in the name of the list makes the whole batch go away.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, NamedTuple, NoReturn


class Answer(NamedTuple):
    """How a function's answer was read.

    Attributes:
        failed: identifiers of the records to deliver again.
        complaint: why the answer, or the function, failed the whole batch; None when it did not.
    """

    failed: frozenset[str]
    complaint: str | None = None


def whole_batch_failed(identifiers: Collection[str], complaint: str) -> Answer:
    """Give the answer that makes every record of the batch come back."""
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
    try:
        # Python's parser takes NaN and Infinity, which are not JSON and which Lambda refuses.
        answer: Any = json.loads(payload, parse_constant=_not_json)
    except ValueError as error:
        return whole_batch_failed(identifiers, f"the answer is not JSON: {error}")
    if answer is None:
        return Answer(frozenset())
    if not _is(answer, dict):
        return whole_batch_failed(identifiers, f"the answer is no JSON object but {_kind(answer)}")
    entries: Any = answer.get("batchItemFailures")
    if entries is None:  # also when the key is missing, or misspelt
        return Answer(frozenset())
    if not _is(entries, list):
        return whole_batch_failed(identifiers, f"batchItemFailures is no list but {_kind(entries)}")
    return _read_entries(entries, identifiers)


def _read_entries(entries: list[Any], identifiers: Collection[str]) -> Answer:
    known = frozenset(identifiers)
    failed: set[str] = set()
    for entry in entries:
        if not _is(entry, dict) or "itemIdentifier" not in entry:
            return whole_batch_failed(known, "an entry of batchItemFailures has no itemIdentifier")
        identifier = entry["itemIdentifier"]
        if not _is(identifier, str) or identifier not in known:  # the empty one and null are in no batch
            return whole_batch_failed(known, f"itemIdentifier {identifier!r} is not in the batch")
        failed.add(identifier)
    return Answer(frozenset(failed))


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind)  # as a function, so that what JSON gave stays Any for the type checkers


def _kind(value: object) -> str:
    for kind, name in ((str, "a string"), (list, "a list"), (dict, "an object"), (bool, "a boolean")):
        if isinstance(value, kind):
            return name
    return "a number"
