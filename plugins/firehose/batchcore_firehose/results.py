"""What a handler returned, as the result that Firehose reads: the data in base64, and a response that is not too large.

See "Required parameters for data transformation" in the Amazon Data Firehose developer guide.
"""

from __future__ import annotations

import json
from binascii import b2a_base64

from batchcore.records import is_object
from batchcore_firehose.record import content_field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from batchcore import Fail, Outcome

LARGEST_RESPONSE = 6 * 1024 * 1024
"""Bytes of the largest response that Lambda takes."""
_BETWEEN = len(", ")
_AROUND = len('{"records": []}')


class FirehoseResult:
    """What a handler returns that has more to say than the new data.

    The data is made ready at once, so that what cannot be written as JSON fails the record where it is returned.

    Args:
        data: the new data: bytes and text as they are, None for the data as it came, anything else as JSON and a
            newline.
        partition_keys: names to values for dynamic partitioning, each of them text.
        otf_metadata: for Apache Iceberg tables: ``destinationDatabaseName``, ``destinationTableName`` and
            ``operation``, which is ``insert``, ``update`` or ``delete``.

    Raises:
        TypeError: the data cannot be written as JSON, or a key is no text.
        ValueError: it has a number that is not JSON, such as NaN, or text that is not UTF-8.
    """

    __slots__ = ("content", "metadata")

    def __init__(
        self,
        data: Any = None,
        *,
        partition_keys: Mapping[str, str] | None = None,
        otf_metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.content = None if data is None else encoded(data)
        given = {"partitionKeys": partition_keys, "otfMetadata": otf_metadata}
        self.metadata = {name: _texts(value, name) for name, value in given.items() if value is not None}

    def __repr__(self) -> str:
        return f"<FirehoseResult of {'data as it came' if self.content is None else f'{len(self.content)} characters'}>"


def _texts(given: Any, name: str) -> dict[str, str]:
    if not is_object(given):
        raise TypeError(f"{name} maps names to values, and this is of type {type(given).__name__}.")
    wrong = [(key, value) for key, value in given.items() if not (isinstance(key, str) and isinstance(value, str))]
    if wrong:
        shown = " to ".join(type(each).__name__ for each in wrong[0])
        raise TypeError(f"{name} maps text to text, and one entry is of {shown}. Write str(...) round it.")
    return dict(given)


def encoded(data: Any) -> str:
    """Return data in base64: bytes and text as they are, anything else as JSON and a newline.

    Raises:
        TypeError: it cannot be written as JSON.
        ValueError: it has a number that is not JSON, or text that is not UTF-8.
    """
    if isinstance(data, str):
        data = data.encode()
    elif not isinstance(data, (bytes, bytearray, memoryview)):
        data = f"{json.dumps(data, allow_nan=False)}\n".encode()
    return b2a_base64(data, newline=False).decode()


def results_of(outcomes: Sequence[Outcome], fail: Fail) -> list[dict[str, Any]]:
    """Return the result of each record, in the order of the batch; together not more than Lambda takes.

    Args:
        outcomes: what became of the records.
        fail: fails a record whose handler returned what cannot be its result.
    """
    entries = [_result_of(outcome, fail) for outcome in outcomes]
    _shrink(entries, outcomes, fail)
    return entries


def _result_of(outcome: Outcome, fail: Fail) -> dict[str, Any]:
    if outcome.status == "succeeded":
        value = outcome.value
        try:
            result = value if isinstance(value, FirehoseResult) else FirehoseResult(value)
            return _ok(outcome, result)
        except Exception as error:  # of whatever an object of the handler's raises when it is written as JSON
            fail(outcome, error)
    elif outcome.done:  # dropped, or a dead letter that somebody has
        return {"recordId": outcome.identifier, "result": "Dropped"}
    return _failed(outcome)


def _ok(outcome: Outcome, result: FirehoseResult) -> dict[str, Any]:
    field = content_field(outcome.record)
    content = _as_it_came(outcome.record) if result.content is None else result.content
    if content is None:
        raise ValueError(f"{field} is to stay as it came, and was no base64")
    entry = {"recordId": outcome.identifier, "result": "Ok", field: content}
    if result.metadata:
        entry["metadata"] = result.metadata
    return entry


def _failed(outcome: Outcome) -> dict[str, Any]:
    """Return the result of a record that failed: with the data as it came, where there is such."""
    entry = {"recordId": outcome.identifier, "result": "ProcessingFailed"}
    content = _as_it_came(outcome.record)
    if content is not None:
        entry[content_field(outcome.record)] = content
    return entry


def _as_it_came(record: Any) -> str | None:
    """Return the data of a raw record; None where it has none, or what no response may have in its place."""
    content = record.get(content_field(record))
    return content if isinstance(content, str) and content.isascii() else None


def _shrink(entries: list[dict[str, Any]], outcomes: Sequence[Outcome], fail: Fail) -> None:
    """Let the largest records fail until the response is not larger than Lambda takes.

    As Lambda's event is not larger either, and what it says of a record is longer than a failure is, this is always
    possible.
    """
    sizes = list(map(_size, entries))
    total = _AROUND + sum(sizes) + _BETWEEN * (len(sizes) - 1)
    for position in sorted(range(len(sizes)), key=sizes.__getitem__, reverse=True):
        if total <= LARGEST_RESPONSE:
            return
        entry = _failed(outcomes[position])
        size = _size(entry)
        if size >= sizes[position]:  # it has failed or was dropped already, or came with as much
            continue
        fail(outcomes[position], ResponseTooLarge(sizes[position]))
        entries[position] = entry
        total -= sizes[position] - size


def _size(entry: Mapping[str, Any]) -> int:
    """Return the bytes of an entry as JSON. What is in base64 is as long as it is, and need not be looked at."""
    field = content_field(entry)
    content = entry.get(field, "")
    return len(content) + len(json.dumps({**entry, field: ""} if content else entry))


class ResponseTooLarge(ValueError):
    """The response would have been larger than Lambda takes, and this record was among the largest."""

    def __init__(self, size: int) -> None:
        super().__init__(
            f"the response would have more than {LARGEST_RESPONSE} bytes, which Lambda does not take, and {size} of "
            "them are this record's. Return less, or lower the buffer size of the stream's Lambda processor."
        )
