"""Tests of the contract: what a source gives of an event, what it names records by, and what it leaves alone."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from batchcore_testing.contract import rules
from batchcore_testing.contract.broken import JUNK, REMOVED, at_place, broken_copy, places, with_other
from batchcore_testing.contract.checks import (
    as_json,
    dotted,
    identifiers_of,
    is_refused,
    names_it,
    others_are_handled,
)
from batchcore_testing.contract.descriptions import Asking
from batchcore_testing.contract.runs import CONCURRENT_DRIVERS, DRIVERS, Driver, Handler

if TYPE_CHECKING:
    from batchcore.types import Identifier
    from batchcore_testing.contract.probe import Probe


class RecordTests:
    """What a source gives of an event."""

    def test_records_are_given_in_the_order_of_delivery(self, probe: Probe) -> None:
        given = list(probe.hooks.extract_records(probe.event))
        expected = list(probe.records(probe.event))
        if not probe.is_known:
            text = json.dumps(probe.event)
            expected = sorted(given, key=lambda record: text.find(json.dumps(record)))
        if given != expected:
            order = [expected.index(record) if record in expected else "another" for record in given]
            rules.EXTRACTED.broken(f"{len(expected)} records, given as {order}", probe.name)

    def test_each_record_is_handled_once(self, probe: Probe) -> None:
        for driver in DRIVERS:
            begun = sorted(probe.run(probe.event, driver=driver).watch.begun)
            if begun != list(range(probe.size)):
                rules.EACH_ONCE.broken(f"{driver.__name__} calls it for {begun}", probe.name)

    # Identifiers.

    def test_identifiers_are_unique(self, probe: Probe) -> None:
        seen: dict[str, int] = {}
        for position, identifier in enumerate(identifiers_of(probe, probe.event)):
            if identifier is None:
                continue
            other = seen.setdefault(as_json(identifier), position)
            if other != position:
                rules.UNIQUE.broken(f"records {other} and {position} are both {identifier!r}", probe.name)

    def test_identifiers_are_stable(self, probe: Probe) -> None:
        first = list(identifiers_of(probe, probe.event))
        records = probe.records(probe.event)
        others = {
            "when asked again": identifiers_of(probe, json.loads(json.dumps(probe.event))),
            "when asked for alone": [probe.hooks.identify_records([record])[0] for record in records],
        }
        for turn in range(1, len(records)):  # records come and go, and others take their place in memory
            turned = json.loads(json.dumps([*records[turn:], *records[:turn]]))
            named = probe.hooks.identify_records(turned)
            others[f"among others, {turn} places on"] = [*named[-turn:], *named[:-turn]]
        for when, again in others.items():
            if list(again) != first:
                rules.STABLE.broken(f"{first[:3]} are {list(again)[:3]} {when}", probe.name)

    def test_identifiers_are_accepted_back(self, probe: Probe) -> None:
        identifiers = list(identifiers_of(probe, probe.event))
        expected = [probe.service.identifier(record) for record in probe.records(probe.event)]
        by_aws = probe.is_known and probe.service.kind != "whole batch"
        for position, (identifier, known) in enumerate(zip(identifiers, expected, strict=True)):
            if by_aws and as_json(identifier) != as_json(known):
                rules.AS_AWS_NAMES_IT.broken(f"record {position}: {identifier!r}; AWS has {known!r}", probe.name)
            if not (identifier is None or (isinstance(identifier, (str, Mapping)) and identifier)):
                rules.AS_AWS_NAMES_IT.broken(f"record {position} is named {identifier!r}", probe.name)
        if None in identifiers and identifiers.count(None) != len(identifiers):
            rules.AS_AWS_NAMES_IT.broken("some records have an identifier and some have none", probe.name)

    def test_a_record_without_an_identifier_is_refused(self, probe: Probe) -> None:
        record = probe.hooks.extract_records(probe.event)[1]
        identifier: Any = probe.hooks.identify_records([record])[0]
        is_object = isinstance(identifier, Mapping)
        parts = _parts(identifier)
        for path in places(record):
            if not path or _is_none_of(at_place(record, path), parts) or not names_it(probe, record, path):
                continue
            for junk in (REMOVED,) if is_object else (REMOVED, None, ""):
                if not is_refused(probe, *with_other(probe, 1, broken_copy(record, path, junk))):
                    what = "is missing" if junk is REMOVED else f"is {junk!r}"
                    rules.NAMELESS.broken(f"{dotted(path)} of record 1 {what}, and the batch runs", probe.name)

    # What one record may cost, and what nobody may touch.

    def test_a_malformed_record_fails_alone(self, probe: Probe) -> None:
        record = probe.hooks.extract_records(probe.event)[1]
        for path in places(record):
            rule = rules.ONE_BAD_NAME if path and names_it(probe, record, path) else rules.ONE_BAD_RECORD
            for junk in (*JUNK, *([REMOVED] if path else [])):
                what = "without" if junk is REMOVED else f"with {junk!r} as"
                event, plugins = with_other(probe, 1, broken_copy(record, path, junk))
                others_are_handled(probe, event, plugins, f"record 1 {what} {dotted(path)}", rule)

    @pytest.mark.parametrize("driver", CONCURRENT_DRIVERS, ids=lambda driver: driver.__name__)
    def test_the_event_is_not_changed(self, probe: Probe, driver: Driver) -> None:
        before = copy.deepcopy(probe.event)
        probe.run(probe.event, Handler([1]), driver, plugins=[Asking()])
        if probe.event != before:
            rules.UNCHANGED.broken(f"{driver.__name__} leaves another event behind", probe.name)


def _parts(identifier: Identifier) -> tuple[Any, ...]:
    return tuple(identifier.values()) if isinstance(identifier, Mapping) else (identifier,)


def _is_none_of(value: Any, parts: tuple[Any, ...]) -> bool:
    return not isinstance(value, (str, int)) or str(value) not in map(str, parts)
