"""Random batches, failures, orderings and drivers, against what was written down and AWS's rules."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings

from .oracle import Made, World, check, expected, named
from .worlds import BEHAVIOURS, DRIVERS, STOPS, WORLDS, records, run


@pytest.mark.parametrize("driver", DRIVERS)
@given(batch=records(BEHAVIOURS), world=WORLDS)
@example(batch=[Made("fail"), Made("ok"), Made("fail", "a"), Made("ok"), Made("ok", "a")], world=World("by key, stop"))
@example(
    batch=[Made("ok", "a", 2), Made("dead", "b", refused=True), Made("ok", "b")],
    world=World("by key, stop", by_checkpoint=True),
)
@settings(max_examples=400, deadline=None)
def test_every_driver_does_what_the_rules_say(driver: str, batch: list[Made], world: World) -> None:
    seen = run(driver, batch, world)
    statuses = expected(batch, world)
    assert seen.statuses in (statuses, None)
    assert seen.reported == named(statuses)
    assert seen.raised == (len(seen.reported) == len(batch) and "failed" in statuses)
    check(batch, world, seen)


@pytest.mark.parametrize("driver", DRIVERS)
@given(batch=records([*BEHAVIOURS, *STOPS]), world=WORLDS)
@example(batch=[Made("stop", "a"), Made("ok", "b", 2), Made("ok", "b")], world=World("by key, continue", concurrency=2))
@example(batch=[Made("ok"), Made("stop"), Made("ok")], world=World("unordered", concurrency=1, deliverer="nobody"))
@settings(max_examples=300, deadline=None)
def test_after_a_stop_nothing_is_reported_done_that_was_not(driver: str, batch: list[Made], world: World) -> None:
    seen = run(driver, batch, world, raises=False)
    check(batch, world, seen)
    begun = seen.positions("begins")
    for position, status in enumerate(seen.statuses or ()):
        if status == "not_attempted":
            assert position not in begun
            assert position in seen.reported
    stops = [position for position in begun if batch[position].does in STOPS]
    if stops and (driver == "one by one" or world.concurrency == 1):
        assert begun[-1] == stops[0], "no record starts after it"
    if driver == "one by one":
        statuses = expected(batch, world)
        assert seen.statuses in (statuses, None)
        assert seen.reported == named(statuses)


@given(batch=records(BEHAVIOURS), world=WORLDS)
@settings(max_examples=100, deadline=None)
def test_drivers_agree(batch: list[Made], world: World) -> None:
    runs = [run(driver, batch, world) for driver in DRIVERS]
    assert len({(tuple(seen.reported), seen.raised, tuple(seen.statuses or ())) for seen in runs}) == 1
