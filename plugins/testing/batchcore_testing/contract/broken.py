"""Records broken by hand, and events of others."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from batchcore import hookimpl
from batchcore_testing.events import Sent
from batchcore_testing.services import at, service_of_event

if TYPE_CHECKING:
    from batchcore_testing.contract.probe import Probe

Path: TypeAlias = tuple[Any, ...]
"""A place in a record: the keys and indices that lead to it."""

JUNK: tuple[Any, ...] = (None, 17, "", "\ud800", [], {}, {"a": None})
REMOVED: Final = object()
"""Not junk, but nothing: the place is not there."""


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Return the path of each part of a record, the whole first."""
    yield path
    inside: Any = value
    if isinstance(value, (Mapping, list)):
        for key in inside if isinstance(value, Mapping) else range(len(inside)):
            yield from places(inside[key], (*path, key))


def broken_copy(record: Any, path: Path, junk: Any) -> Any:
    """Return a copy of a record with something else at a place."""
    if not path:
        return copy.deepcopy(junk)
    result = copy.deepcopy(record)
    inside = result
    for key in path[:-1]:
        inside = inside[key]
    if junk is REMOVED:
        del inside[path[-1]]
    else:
        inside[path[-1]] = copy.deepcopy(junk)
    return result


def with_record(event: Any, record: Any, other: Any) -> Any:
    """Return a copy of an event with another record in the place of one of its records, found by identity."""
    if event is record:
        return other
    parts: Any = event
    if isinstance(event, Mapping):
        return {key: with_record(value, record, other) for key, value in parts.items()}
    if isinstance(event, list):
        return [with_record(value, record, other) for value in parts]
    return copy.deepcopy(event)


class Replacing:
    """A plugin that puts other records in the place of some: for sources that make their records of an event anew.

    Args:
        others: position to the other record.
    """

    def __init__(self, others: Mapping[int, Any]) -> None:
        self._others = others

    @hookimpl(wrapper=True)
    def extract_records(self) -> Generator[None, Sequence[Any], Sequence[Any]]:
        """Return the records of the source, and the others."""
        records = yield
        return [self._others.get(position, record) for position, record in enumerate(records)]


def with_other(probe: Probe, position: int, other: Any) -> tuple[Any, list[object]]:
    """Return the event with another record in one place, and the plugins that put it there if the event cannot."""
    event = with_record(probe.event, probe.hooks.extract_records(probe.event)[position], other)
    if event != probe.event:
        return event, []
    return probe.event, [Replacing({position: other})]


def backwards(event: Any, records: Sequence[Any]) -> Any:
    """Return a copy of an event with its records the other way round, each list of them by itself."""
    known = {id(record) for record in records}
    parts: Any = event
    if isinstance(event, Mapping):
        return {key: backwards(value, records) for key, value in parts.items()}
    is_list = isinstance(event, list) and all(id(value) in known for value in parts)
    return copy.deepcopy(parts[::-1] if is_list else parts)


@cache
def _samples_text() -> str:
    return files("batchcore_testing").joinpath("samples.json").read_text(encoding="utf-8")


def samples() -> dict[str, Any]:
    """Return a sample event of each service that AWS documents, by names like ``sqs`` or ``kafka-self-managed``."""
    read: dict[str, Any] = json.loads(_samples_text())
    return read


def samples_of_others(probe: Probe) -> dict[str, Any]:
    """Return the sample events of every service but the source's own."""
    found: dict[str, Any] = {}
    for name, event in samples().items():
        service = service_of_event(event)
        if service is None or not probe.is_known or service.name != probe.service.name:
            found[name] = event
    return found


def foreign_records(probe: Probe, own: Any) -> dict[str, Any]:
    """Return one record of each service whose events have records, but the source's own.

    Where a record says itself where it is from, one is among them that says something else and is the same otherwise.
    """
    found: dict[str, Any] = {}
    for name, event in samples_of_others(probe).items():
        service = service_of_event(event)
        if service is not None and not _is_kin(service.name, probe.name):
            found[name] = service.records(event)[0]
    if at(own, "eventSource") is not None:
        found["another eventSource"] = {**own, "eventSource": "aws:another"}
    return found


def _is_kin(name: str, other: str) -> bool:
    """Whether two services have the same records, as a queue and the pipe from it have: sqs, pipes-sqs."""
    kind, other_kind = name.rpartition("-")[2], other.rpartition("-")[2]
    return kind.endswith(other_kind) or other_kind.endswith(kind)  # activemq, pipes-mq


def content_places(probe: Probe) -> set[Path]:
    """Return the places of a record that have what the producer sent: those of AWS, and those of the event factory."""
    found: set[Path] = set(_CONTENT)
    factory = probe.factory
    if factory is not None:
        record = factory.record(Sent(_MARK))
        found |= {path for path in places(record) if _holds(at_place(record, path), _MARK)}
    return found


def content_of(probe: Probe, record: Any) -> list[str]:
    """Return what a record holds that nobody may log."""
    texts = [at_place(record, path) for path in content_places(probe)]
    image: Any = at(record, "dynamodb", "NewImage") or {}
    keys: Any = at(record, "dynamodb", "Keys") or {}
    texts += [text for name in image if name not in keys for text in image[name].values()]
    return [text for text in texts if isinstance(text, str) and len(text) > 3]


def at_place(record: Any, path: Path) -> Any:
    """Return what is at a place of a record; None where there is no such place."""
    for key in path:
        try:
            record = record[key]
        except (KeyError, IndexError, TypeError):
            return None
    return record


def _holds(text: Any, mark: str) -> bool:
    return isinstance(text, str) and (mark in text or base64.b64encode(mark.encode()).decode() in text)


_CONTENT: tuple[Path, ...] = (("body",), ("kinesis", "data"), ("value",), ("data",), ("kafkaRecordValue",))
_MARK = "what was sent"
