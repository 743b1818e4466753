"""Tests of the contract: what Lambda makes of a source's responses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from batchcore import Disposition, hookimpl
from batchcore_testing.contract import rules
from batchcore_testing.contract.checks import expected_failures
from batchcore_testing.contract.runs import DRIVERS, Driver, Handler, HandlerFailed
from batchcore_testing.services import acknowledgement

if TYPE_CHECKING:
    from collections.abc import Hashable

    from batchcore_testing.contract.probe import Probe

each_driver = pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.__name__)


class ResponseTests:
    """What Lambda makes of a source's responses."""

    @each_driver
    def test_a_batch_that_is_done_reads_as_success(self, probe: Probe, driver: Driver) -> None:
        run = probe.run(probe.event, driver=driver)
        if run.complaint is not None or run.named:
            seen = run.complaint or f"it names {sorted(run.named)}"
            rules.SUCCESS.broken(f"{driver.__name__}: {run.response!r}: {seen}", probe.name)

    @each_driver
    def test_a_failed_record_is_the_one_that_is_named(self, probe: Probe, driver: Driver) -> None:
        for position in (0, 1, probe.size - 1):
            run = probe.run(probe.event, Handler([position]), driver)
            expected = expected_failures(probe, run, probe.size, {position})
            if probe.service.kind != "whole batch" and run.complaint is not None:
                rules.FAILURE.broken(f"{driver.__name__}, record {position} failed: {run.complaint}", probe.name)
            if run.named != expected:
                rules.FAILURE.broken(
                    f"{driver.__name__}: record {position} failed, {sorted(expected - {position})} were not attempted; "
                    f"AWS reads {sorted(run.named)}",
                    probe.name,
                )

    def test_several_failed_records_are_named(self, probe: Probe) -> None:
        for fails in ({0, 3}, set(range(1, probe.size, 2)), set(range(probe.size))):
            run = probe.run(probe.event, Handler(fails))
            expected = expected_failures(probe, run, probe.size, fails & set(run.watch.begun))
            if run.named != expected:
                seen = f"{sorted(expected)} are not done; AWS reads {sorted(run.named)}"
                rules.FAILURE.broken(seen, probe.name)

    @pytest.mark.parametrize("disposition", ["drop", "dead letter"])
    def test_what_is_given_up_is_not_named(self, probe: Probe, disposition: str) -> None:
        letters: list[Any] = []

        class Deliverer:
            @hookimpl
            def deliver_dead_letter(self, outcome: Any) -> None:
                letters.append(outcome.position)

        chosen = Disposition.DROP if disposition == "drop" else Disposition.DEAD_LETTER
        run = probe.run(probe.event, Handler([1]), dispositions={HandlerFailed: chosen}, plugins=[Deliverer()])
        if run.named or run.complaint is not None:
            seen = f"record 1 is given up ({disposition}); AWS reads {sorted(run.named)}"
            rules.FAILURE.broken(seen, probe.name)
        if disposition == "dead letter" and letters != [1]:
            rules.FAILURE.broken(f"record 1 is a dead letter, delivered were {letters}", probe.name)

    def test_a_response_is_json(self, probe: Probe) -> None:
        for fails in ([], [1]):
            run = probe.run(probe.event, Handler(fails, returns=object()))
            if isinstance(run.response, BaseException):
                continue
            try:
                json.dumps(run.response)
            except (TypeError, ValueError) as error:
                rules.FAILURE.broken(f"whatever handlers return, a response is JSON: {error}", probe.name, error)

    def test_it_says_how_aws_acknowledges(self, probe: Probe) -> None:
        said, wanted = probe.hooks.acknowledgement, acknowledgement(probe.service)
        if said != wanted:
            rules.ACKNOWLEDGED.broken(f"it says {said!r}, and of AWS it is {wanted!r}", probe.name)
        if probe.service.kind == "partitions":
            places: dict[Hashable, set[Hashable]] = {}
            for record in probe.records(probe.event):
                places.setdefault(probe.service.lane(record), set()).add(probe.hooks.checkpoint_of(record))
            if any(len(each) != 1 for each in places.values()) or len(set.union(*places.values())) != len(places):
                rules.ACKNOWLEDGED.broken("checkpoint_of() gives each partition one of its own", probe.name)
