"""For sources whose event is a list of records under ``Records``, as most of AWS's are: claim them, identify them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

from batchcore.errors import RecordIdentityError
from batchcore.source import batch_item_failures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeGuard

__all__ = ["batch_item_failures", "claim", "identify", "is_object", "is_windowed"]

_event_source: Callable[[Any], Any] = itemgetter("eventSource")


def claim(
    event_source: str, has_shape: Callable[[Mapping[str, Any]], bool], *, windows: bool = False
) -> Callable[[Any], bool]:
    """Make what a source's ``claims_event`` does: say whether an event, all of it, is this source's.

    Args:
        event_source: the value of ``eventSource``, such as ``aws:sqs``.
        has_shape: says of a record without ``eventSource`` whether it looks like this source's. Events that are written
            by hand, for a test, often lack it.
        windows: whether the source has tumbling windows, whose last call may have no records.

    Returns:
        The function of an event. It never raises. An empty list of records is claimed, unless the event itself says
        that it is of another service, or belongs to a window and the source has none.
    """
    expected = {event_source}
    service = event_source.rpartition(":")[2]

    def is_record(record: object) -> bool:
        if not is_object(record):
            return False
        return bool(record["eventSource"] == event_source) if "eventSource" in record else has_shape(record)

    def claims_event(event: Any) -> bool:
        try:
            records: Any = event["Records"] if is_object(event) else None
            if not _is_list(records):
                return False
            if not records:
                return _may_be_of(event, service) and (windows or not is_windowed(event))
            try:
                return set(map(_event_source, records)) <= expected
            except Exception:
                return all(map(is_record, records))
        except Exception:
            return False

    return claims_event


def _may_be_of(event: Mapping[str, Any], service: str) -> bool:
    arn = event.get("eventSourceARN")
    return not isinstance(arn, str) or arn.split(":")[2:3] == [service]


def identify(*path: str) -> Callable[[Sequence[Any]], list[str]]:
    """Make what a source's ``identify_records`` does: read an identifier that must be a string, and not empty.

    Args:
        path: the keys that lead to it in a raw record, such as ``"kinesis", "sequenceNumber"``.

    Returns:
        The function of the records. It raises :class:`RecordIdentityError` with the position of the first record that
        has no such identifier: to AWS an answer with an empty one means that the whole batch failed.
    """
    dotted = ".".join(path)
    getters = [itemgetter(key) for key in path]

    def identify_records(records: Sequence[Any]) -> list[str]:
        try:
            values: Any = records
            for getter in getters:
                values = map(getter, values)
            identifiers: list[str] = list(values)
            if all(identifiers):
                "".join(identifiers)  # the quickest way to see that all of them are strings
                return identifiers
        except Exception:
            pass
        return [_identify(position, record, path, dotted) for position, record in enumerate(records)]

    return identify_records


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Say whether a value is a mapping, as an object of JSON is."""
    return type(value) is dict or isinstance(value, Mapping)  # Lambda gives a dict, which is quicker to see


def is_windowed(event: Any) -> bool:
    """Say whether an event belongs to a tumbling window."""
    return is_object(event) and event.get("window") is not None


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _identify(position: int, record: object, path: tuple[str, ...], dotted: str) -> str:
    value = record
    for depth, key in enumerate(path):
        if not is_object(value):
            inner = ".".join(path[:depth])
            raise _unnamed(
                position,
                f"has no object {inner}" if inner else f"is no object but of type {type(value).__name__}",
                record,
            )
        if key not in value and depth == len(path) - 1:
            raise _unnamed(position, f"has no {dotted}", record)
        value = value.get(key)
    if not isinstance(value, str):
        raise _unnamed(position, f"has a {dotted} of type {type(value).__name__}", record)
    if not value:
        raise _unnamed(position, f"has a {dotted} that is empty", record)
    return value


def _unnamed(position: int, seen: str, record: object) -> RecordIdentityError:
    from batchcore.shapes import said_of

    said = said_of(record)
    return RecordIdentityError(
        f"Record {position} of the batch, counting from 0, {seen}. The answer names a record by it, a string that is "
        f"not empty.{f' The record is {said}.' if said else ''}",
        position=position,
    )
