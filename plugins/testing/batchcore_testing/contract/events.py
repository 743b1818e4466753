"""Tests of the contract: which events a source claims."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from batchcore_testing.contract import rules
from batchcore_testing.contract.broken import foreign_records, samples_of_others, with_record
from batchcore_testing.contract.checks import as_json, claims, identifiers_of, is_refused, shown
from batchcore_testing.contract.runs import DRIVERS
from batchcore_testing.events import EventFactory, Sent

if TYPE_CHECKING:
    from batchcore_testing.contract.probe import Probe

JUNK: tuple[Any, ...] = (None, 17, "Records", [], [None], {}, {"Records": None}, {"Records": [None, 17]})


class EventTests:
    """Which events a source claims."""

    def test_it_has_a_name(self, probe: Probe) -> None:
        name: Any = getattr(probe.source, "name", None)
        if not isinstance(name, str) or not name:
            rules.NAMED.broken(f"its name is {name!r}", probe.name)

    def test_it_claims_its_events(self, probe: Probe, event_of: Callable[[int], Any]) -> None:
        for size in (1, 2, 8):
            try:
                claimed: Any = probe.hooks.claims_event(event_of(size))
            except Exception as error:
                rules.CLAIMS_ITS_OWN.broken(f"claims_event() raises {shown(error)}", probe.name, error)
            if claimed is not True:
                rules.CLAIMS_ITS_OWN.broken(f"claims_event() of {size} records gives {claimed!r}", probe.name)

    def test_it_refuses_the_events_of_other_sources(self, probe: Probe) -> None:
        for name, event in samples_of_others(probe).items():
            if claims(probe, event):
                rules.CLAIMS_NO_OTHER.broken(f"it claims an event of {name}", probe.name)

    def test_it_refuses_what_is_no_event(self, probe: Probe, event_of: Callable[[int], Any]) -> None:
        for junk in JUNK:
            if junk != event_of(0) and claims(probe, junk):
                rules.CLAIMS_NO_OTHER.broken(f"it claims {junk!r}", probe.name)

    def test_it_refuses_a_mixed_batch(self, probe: Probe) -> None:
        own = probe.hooks.extract_records(probe.event)
        if list(probe.hooks.identify_records(own[:1])) == [None]:
            return  # such records say nothing of themselves: neither where they are from, nor who they are
        for name, foreign in foreign_records(probe, own[0]).items():
            for position in (0, len(own) - 1):
                mixed = with_record(probe.event, own[position], foreign)
                if mixed != probe.event and not is_refused(probe, mixed):
                    seen = f"a batch whose record {position} is of {name} reaches the handler"
                    rules.CLAIMS_NO_OTHER.broken(seen, probe.name)

    def test_an_empty_batch_is_a_success(self, probe: Probe, event_of: Callable[[int], Any]) -> None:
        empty = event_of(0)
        if not claims(probe, empty):
            rules.EMPTY.broken("it does not claim one, so the batch is refused", probe.name)
        for driver in DRIVERS:
            try:
                run = probe.run(empty, driver=driver)
            except Exception as error:
                rules.EMPTY.broken(f"{driver.__name__} raises {shown(error)}", probe.name, error)
            if run.complaint is not None:
                rules.EMPTY.broken(f"{driver.__name__}: {run.complaint}", probe.name)

    def test_its_event_factory_makes_its_events(self, probe: Probe) -> None:
        factory = probe.factory
        if factory is None:
            return
        if not isinstance(factory, EventFactory):
            rules.FACTORY.broken(f"it is {factory!r}, no EventFactory", probe.name)
        records = [factory.record(Sent("{}", number, f"key-{number % 2}", sequence=number)) for number in (1, 2, 3)]
        event = factory.event(records)
        if not probe.hooks.claims_event(json.loads(json.dumps(event))):
            rules.FACTORY.broken("its source does not claim what it makes", probe.name)
        names = [as_json(identifier) for identifier in identifiers_of(probe, event)]
        if len(set(names)) != 3 and "null" not in names:
            rules.FACTORY.broken(f"three records are named {names}", probe.name)
