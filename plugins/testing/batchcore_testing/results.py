"""Responses that carry a result for every record: data transformation of Firehose, and S3 Batch Operations.

See "Required parameters for data transformation" in the Amazon Data Firehose developer guide, and "Writing Lambda
functions to use with Batch Operations" in the Amazon S3 user guide.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from batchcore_testing.services import at


class Results(NamedTuple):
    """How such a response was read.

    Attributes:
        failed: the positions of the records that are not done.
        again: those of them that are tried again; the others are dropped or sent on by AWS.
        complaint: why the whole response is refused; None where it is not.
    """

    failed: frozenset[int]
    again: frozenset[int]
    complaint: str | None = None


def read_firehose(response: Any, identifiers: Sequence[Any], content: str = "data") -> Results:
    """Read the response to a transformation: every record is there, with the same ``recordId``.

    A record that failed is not delivered again: Firehose writes it to the bucket, below ``processing-failed``.

    Args:
        response: the response.
        identifiers: the ``recordId`` of each record of the batch.
        content: where a result that is ``Ok`` has its data: ``kafkaRecordValue`` where the source is Amazon MSK.
    """
    entries = firehose_results(response, identifiers)
    if entries is None:
        return _refused(identifiers, "records does not have each recordId of the batch once")
    failed: list[bool] = []
    for identifier, entry in zip(identifiers, entries, strict=True):
        result = at(entry, "result")
        if result not in ("Ok", "Dropped", "ProcessingFailed"):
            return _refused(identifiers, f"the result of {identifier!r} is {result!r}")
        if result == "Ok" and not isinstance(at(entry, content), str):
            return _refused(identifiers, f"{identifier!r} is Ok and has no {content}")
        failed.append(result == "ProcessingFailed")
    return Results(_positions(failed), frozenset())


def firehose_results(response: Any, identifiers: Sequence[Any]) -> list[Any] | None:
    """Return the result of each record of a batch, in its order; None where they are not all there, once each."""
    entries = _entries(response, "records")
    named = [at(entry, "recordId") for entry in entries]
    if Counter(map(repr, named)) != Counter(map(repr, identifiers)):
        return None
    results: dict[str, list[Any]] = {}
    for name, entry in zip(named, entries, strict=True):
        results.setdefault(repr(name), []).append(entry)
    return [results[repr(identifier)].pop(0) for identifier in identifiers]  # made-up events may have one twice


def read_s3_batch(response: Any, identifiers: Sequence[Any]) -> Results:
    """Read the response to a task: what failed for the moment is tried again, what failed for good is reported.

    A task that is not there has the result ``treatMissingKeysAs``.
    """
    codes = ("Succeeded", "TemporaryFailure", "PermanentFailure")
    missing = at(response, "treatMissingKeysAs")
    if not isinstance(response, dict) or missing not in codes:
        return _refused(identifiers, f"treatMissingKeysAs is {missing!r}")
    results = [at(entry, "resultCode") for entry in s3_batch_results(response, identifiers)]
    if any(result not in codes for result in results):
        return _refused(identifiers, f"a resultCode is none of {', '.join(codes)}")
    return Results(
        _positions([result != "Succeeded" for result in results]),
        _positions([result == "TemporaryFailure" for result in results]),
    )


def s3_batch_results(response: Any, identifiers: Sequence[Any]) -> list[Any]:
    """Return the result of each task of a batch, in its order; for one that is not there, that of missing ones."""
    found = {at(entry, "taskId"): entry for entry in _entries(response, "results")}
    missing = {"resultCode": at(response, "treatMissingKeysAs")}
    return [found.get(identifier, missing) for identifier in identifiers]


def _entries(response: Any, name: str) -> list[Any]:
    entries: Any = at(response, name) if isinstance(response, dict) else None
    given: list[Any] = [*entries] if isinstance(entries, list) else []
    return given


def _refused(identifiers: Sequence[Any], complaint: str) -> Results:
    everything = frozenset(range(len(identifiers)))
    return Results(everything, everything, complaint)


def _positions(flags: Sequence[bool]) -> frozenset[int]:
    return frozenset(position for position, flag in enumerate(flags) if flag)
