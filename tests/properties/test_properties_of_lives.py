"""Whole lives of random records, by AWS's rules: what the response names comes again, and all behind it on a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .oracle import Made, World, lanes_of
from .worlds import DRIVERS, ORDERINGS, run

EVER = 99
"""So often fails what always fails."""


class Life(NamedTuple):
    """What becomes of a record, delivery by delivery.

    Attributes:
        fails: how often its handler fails before it succeeds.
        lane: its lane.
        dead: whether it asks to be a dead letter instead.
        refused: how often nobody takes it as one.
    """

    fails: int
    lane: str | None = None
    dead: bool = False
    refused: int = 0


class Seen(NamedTuple):
    """What was done with the records of a queue or of a shard, in that order."""

    done: list[int]
    sent: list[int]
    deliveries: list[int]


Rule = Callable[[list[int], list[int]], list[int]]


def by_record(reported: list[int], batch: list[int]) -> list[int]:
    """A queue: what the response names comes again."""
    return reported


def by_checkpoint(reported: list[int], batch: list[int]) -> list[int]:
    """A shard: everything from the lowest in the response comes again."""
    return [position for position in batch if position >= min(reported)] if reported else []


def lived(lives: list[Life], driver: str, world: World, comes_again: Rule) -> Seen:
    """Deliver a batch again and again as AWS would, until nothing is left.

    Every delivery counts for AWS, whether or not the record's turn came.
    """
    left, seen = list(range(len(lives))), Seen([], [], [0] * len(lives))
    tried, refused = [0] * len(lives), [0] * len(lives)
    for _ in range(200):
        if not left:
            return seen
        batch = []
        for record in left:
            life = lives[record]
            seen.deliveries[record] += 1
            fails = "raises dead" if life.dead else "fail" if tried[record] < life.fails else "ok"
            refuses = refused[record] < life.refused
            batch.append(Made(fails, life.lane, record % 3, seen.deliveries[record], refused=refuses))
        one = run(driver, batch, world)
        seen.done.extend(left[position] for position in one.positions("ends"))
        seen.sent.extend(left[position] for position in one.positions("delivered"))
        for position in one.positions("begins"):
            tried[left[position]] += 1
        for position in one.positions("refused"):
            refused[left[position]] += 1
        left = [left[position] for position in comes_again(one.reported, list(range(len(left))))]
    raise AssertionError("it never ends")


NEVER, NONE = st.just(False), st.just(0)
LANES = st.sampled_from(["a", "b", None])
FAILING = st.lists(st.builds(Life, st.integers(0, 2), LANES, NEVER, NONE), min_size=1, max_size=6)
ORDERS = st.sampled_from(sorted(ORDERINGS))
DELIVERERS = st.sampled_from(["one", "many", "both"])


@pytest.mark.parametrize("driver", DRIVERS)
@given(lives=FAILING, ordering=ORDERS)
@settings(max_examples=100, deadline=None)
def test_each_message_of_a_queue_is_done_exactly_once_and_lanes_that_stop_stay_in_order(
    driver: str, lives: list[Life], ordering: str
) -> None:
    world = World(ordering)
    seen = lived(lives, driver, world, by_record)
    assert sorted(seen.done) == list(range(len(lives))), "nothing is lost, nothing is done twice"
    if world.stops:
        for lane in lanes_of([Made("ok", life.lane) for life in lives], world):
            assert [record for record in seen.done if record in lane] == lane


POISONED = st.lists(st.builds(Life, st.sampled_from([0, 0, EVER]), LANES, NEVER, NONE), min_size=1, max_size=6)


@pytest.mark.parametrize("driver", DRIVERS)
@given(lives=POISONED, ordering=ORDERS, deliverer=DELIVERERS, after=st.integers(1, 4))
@settings(max_examples=80, deadline=None)
def test_poison_leaves_a_queue_and_its_healthy_neighbours_are_done_exactly_once(
    driver: str, lives: list[Life], ordering: str, deliverer: str, after: int
) -> None:
    world = World(ordering, deliverer=deliverer, dead_letter_after=after)
    seen = lived(lives, driver, world, by_record)
    poison = [record for record, life in enumerate(lives) if life.fails]
    assert sorted(seen.sent) == poison
    assert sorted(seen.done) == [record for record in range(len(lives)) if record not in poison]
    assert all(seen.deliveries[record] >= after for record in poison), "it had all its chances"
    assert all(count <= after for count in seen.deliveries), "nobody waits for it longer than that"
    if world.stops:
        for lane in lanes_of([Made("ok", life.lane) for life in lives], world):
            assert [record for record in seen.done if record in lane] == [p for p in lane if p not in poison]


@pytest.mark.parametrize("driver", DRIVERS)
@given(lives=FAILING)
@settings(max_examples=40, deadline=None)
def test_shard_that_stops_at_its_first_failure_does_nothing_twice(driver: str, lives: list[Life]) -> None:
    world = World("in order, stop", by_checkpoint=True)
    assert lived(lives, driver, world, by_checkpoint).done == list(range(len(lives)))


@pytest.mark.parametrize("driver", DRIVERS)
@given(lives=FAILING, ordering=ORDERS)
@settings(max_examples=60, deadline=None)
def test_shard_loses_nothing(driver: str, lives: list[Life], ordering: str) -> None:
    seen = lived(lives, driver, World(ordering, by_checkpoint=True), by_checkpoint)
    assert set(seen.done) == set(range(len(lives)))


DYING = st.lists(
    st.builds(Life, st.integers(0, 2), LANES, st.booleans(), st.sampled_from([0, 0, 1])), min_size=1, max_size=6
)


@pytest.mark.parametrize("driver", DRIVERS)
@given(lives=DYING, ordering=ORDERS, deliverer=DELIVERERS)
@settings(max_examples=80, deadline=None)
def test_no_dead_letter_of_a_shard_is_sent_twice(driver: str, lives: list[Life], ordering: str, deliverer: str) -> None:
    world = World(ordering, by_checkpoint=True, deliverer=deliverer)
    if not world.lanes and deliverer != "one":  # of those that are sent together, some are taken and others come again
        lives = [life._replace(refused=0) for life in lives]
    seen = lived(lives, driver, world, by_checkpoint)
    assert sorted(seen.sent) == [record for record, life in enumerate(lives) if life.dead]
    assert set(seen.done) == {record for record, life in enumerate(lives) if not life.dead}
