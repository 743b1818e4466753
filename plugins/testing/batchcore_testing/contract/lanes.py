"""Tests of the contract: records of different lanes that have the same identifier, where the service lets them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from batchcore_testing.contract import rules
from batchcore_testing.contract.broken import at_place, broken_copy, places, with_other
from batchcore_testing.contract.checks import as_json, claims, dotted, expected_failures, shown
from batchcore_testing.contract.runs import Handler
from batchcore_testing.events import Sent

if TYPE_CHECKING:
    from batchcore_testing.contract.broken import Path
    from batchcore_testing.contract.probe import Probe
    from batchcore_testing.events import EventFactory


class _Twins(NamedTuple):
    """An event in which two records of different lanes have the same identifier, as far as their service names them.

    Attributes:
        event: the event.
        first: the position of one.
        second: the position of the other.
        made: how it was made, for a message.
    """

    event: Any
    first: int
    second: int
    made: str


class LaneTests:
    """Records of different lanes."""

    def test_records_of_two_lanes_are_told_apart(self, probe: Probe) -> None:
        for twins in (*_by_hand(probe), *_by_its_factory(probe)):
            records = list(probe.hooks.extract_records(twins.event))
            _check_names(probe, records, twins)
            for failed in (twins.first, twins.second):
                run = probe.run(twins.event, Handler([failed]))
                expected = expected_failures(probe, run, len(records), {failed})
                if run.named != expected:
                    seen = f"{twins.made}: record {failed} failed, {sorted(expected - {failed})} were not attempted"
                    rules.TOLD_APART.broken(f"{seen}; AWS reads {sorted(run.named)}", probe.name)


def _check_names(probe: Probe, records: Sequence[Any], twins: _Twins) -> None:
    try:
        names = [as_json(identifier) for identifier in probe.hooks.identify_records(records)]
    except Exception as error:
        rules.TOLD_APART.broken(f"{twins.made}: identify_records() raises {shown(error)}", probe.name, error)
    for position, name in enumerate(names):
        other = names.index(name)
        if other != position and name != "null":
            seen = f"{twins.made}: records {other} and {position} of different lanes are both {name}"
            rules.TOLD_APART.broken(seen, probe.name)


# Made by hand: one record gets the identifier of another, and stays in its lane.


def _by_hand(probe: Probe) -> Iterator[_Twins]:
    lanes = list(probe.lanes(probe.event).values())
    if len(lanes) < 2 or probe.identifiers_repeat is False:
        return
    first, second = lanes[0][0], lanes[1][0]
    records = probe.hooks.extract_records(probe.event)
    named = _places_of_the_name(probe, records[first], records[second])
    if not (named and (probe.identifiers_repeat or _service_lets_them(probe, first, second, named))):
        return
    twin = _renamed(records[second], records[first], named)
    name = as_json(probe.service.identifier(twin))
    if name in [as_json(probe.service.identifier(records[at])) for at in lanes[1]]:
        return  # what is to be made is there: the lanes of the example have the same numbers
    event, plugins = with_other(probe, second, twin)
    twins = _Twins(event, first, second, f"record {second} with {_listed(named)} of record {first}")
    if plugins:  # the event itself cannot be changed, since its records are made anew
        _check_names(probe, [*records[:second], twin, *records[second + 1 :]], twins)
    else:
        yield twins


def _renamed(record: Any, other: Any, named: Sequence[Path]) -> Any:
    for path in named:
        record = broken_copy(record, path, at_place(other, path))
    return record


def _places_of_the_name(probe: Probe, first: Any, second: Any) -> list[Path]:
    """Return where a record has that part of its name which is not the name of its lane: another may have it too."""
    found: list[Path] = []
    key_of = probe.key_of(probe.event)
    before = probe.service.identifier(second), key_of(second)
    for path in places(second):
        value = at_place(first, path)
        if not path or not isinstance(value, (str, int)) or value == at_place(second, path):
            continue
        other = broken_copy(second, path, value)
        with suppress(Exception):  # a hook refuses it: the place says more than a name
            identifier, lane = probe.service.identifier(other), key_of(other)
            if identifier != before[0] and lane == before[1]:
                found.append(path)
    return found


def _service_lets_them(probe: Probe, first: int, second: int, named: Sequence[Path]) -> bool:
    """Whether two lanes may have the same identifier, as far as that can be seen."""
    if probe.is_known:
        return probe.service.kind == "partitions"
    if probe.reads is not None:
        return all(_is_read_apart(probe, *pair, named) for pair in ((first, second), (second, first)))
    return _is_grouped_by_lane(probe)


def _is_read_apart(probe: Probe, failed: int, twin: int, named: Sequence[Path]) -> bool:
    """Whether a response that names a record names no other that has its identifier, as the test itself reads it."""
    records = probe.hooks.extract_records(probe.event)
    event, plugins = with_other(probe, twin, _renamed(records[twin], records[failed], named))
    if plugins or probe.reads is None:
        return False
    read = set(probe.reads(event, probe.run(probe.event, Handler([failed])).response))
    return failed in read and twin not in read


def _is_grouped_by_lane(probe: Probe) -> bool:
    """Whether the event has its records in lists under names, one for each lane, as Kafka's has."""
    keys = list(map(probe.key_of(probe.event), probe.hooks.extract_records(probe.event)))
    for path in places(probe.event):
        group: Any = at_place(probe.event, path) if path else probe.event
        lists = _lists_of(group)
        if len(lists) > 1 and sum(map(len, lists)) == len(keys):
            rest = iter(keys)
            lanes = [{next(rest) for _ in each} for each in lists]
            if all(len(lane) == 1 for lane in lanes) and len({key for lane in lanes for key in lane}) == len(lanes):
                return True
    return False


def _lists_of(group: Any) -> list[list[Any]]:
    """Return the lists of an object that has nothing but lists, without the empty ones."""
    inside: Any = group
    parts: list[Any] = list(inside.values()) if isinstance(group, Mapping) else []
    return [part for part in parts if part] if all(isinstance(part, list) for part in parts) else []


# Made by the event factory of the source: each lane is a shard of its own, and counts from 0.


def _by_its_factory(probe: Probe) -> Iterator[_Twins]:
    factory: EventFactory | None = probe.factory
    if (
        factory is None
        or probe.is_known
        or probe.hooks.acknowledgement == "checkpoint"
        or probe.identifiers_repeat is False
    ):
        return
    for resources in (["orders", "orders"], ["orders-0", "orders-1"]):
        event = factory.event([factory.record(_sent(factory, position, resources)) for position in range(6)])
        event = json.loads(json.dumps(event))
        lanes = list(probe.lanes(event).values()) if claims(probe, event) else []
        if len(lanes) > 1:
            made = "in an event of its factory, in which each lane is a shard whose sequence counts from 0"
            yield _Twins(event, lanes[0][0], lanes[1][0], made)


def _sent(factory: EventFactory, position: int, resources: Sequence[str]) -> Sent:
    lane = position % 2
    made = Sent(json.dumps({"n": position}), shard=lane, resource=resources[lane])._replace(**factory.lane(position, 2))
    return made._replace(number=position + 1, sequence=position // 2)


def _listed(paths: Sequence[Path]) -> str:
    return " and ".join(map(dotted, paths))
