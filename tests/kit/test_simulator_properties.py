"""Whatever is sent and whatever goes wrong: nothing is lost, order holds where there is one, all is accounted for."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchcore_testing import EventSourceMapping, Faults, History

from .support import SOURCES, STREAMS, Failing, ordered_processor_of, shape, source_of

KEYS = "abcd"


class World(NamedTuple):
    """What a function is put into.

    Attributes:
        sent: how often the next record fails, and after how many seconds it is sent; its key.
        shares: of faults, in percent.
        batch_size: of the mapping.
        seed: of all chance.
        parts: shards or partitions.
        side_by_side: parallelization factor, or threads where there is none.
        bisects: whether a batch is split.
        attempts: retries or receives at most; None for no limit.
    """

    sent: list[tuple[str, int, int]]
    shares: tuple[int, int, int, int]
    batch_size: int
    seed: int
    parts: int
    side_by_side: int
    bisects: bool
    attempts: int | None


SHARE = st.sampled_from([0, 0, 5, 20])
WORLDS = st.builds(
    World,
    sent=st.lists(
        st.tuples(st.sampled_from(KEYS), st.sampled_from([0, 0, 0, 1, 3]), st.sampled_from([0, 0, 7])), max_size=25
    ),
    shares=st.tuples(SHARE, SHARE, SHARE, SHARE),
    batch_size=st.integers(1, 10),
    seed=st.integers(0, 99),
    parts=st.integers(1, 3),
    side_by_side=st.integers(1, 3),
    bisects=st.booleans(),
    attempts=st.one_of(st.none(), st.integers(1, 4)),
)


def lived(source: str, world: World) -> tuple[Any, History]:
    """Send, and drain through a handler that is correct and fails some times with some records."""
    made = source_of(source, **made_with(source, world))
    handler = Failing()
    for number, (key, failures, seconds) in enumerate(world.sent):
        made.send(f"{key}{number}", key=key)
        handler.times[f"{key}{number}"] = failures
        made.clock.advance(seconds)
    duplicates, crashes, timeouts, throttles = (share / 100 for share in world.shares)
    mapping = EventSourceMapping(
        made,
        processor=ordered_processor_of(source),
        record_handler=handler,
        batch_size=world.batch_size,
        seed=world.seed,
        faults=Faults(duplicates=duplicates, crashes=crashes, timeouts=timeouts, throttles=throttles),
        **mapped_with(source, world),
    )
    return made, mapping.drain()


def made_with(source: str, world: World) -> dict[str, Any]:
    if source in ("sqs", "fifo"):
        return {} if world.attempts is None else {"max_receive_count": world.attempts}
    return {"partitions" if source == "kafka" else "shards": world.parts}


def mapped_with(source: str, world: World) -> dict[str, Any]:
    if source in ("sqs", "fifo"):
        return {}
    options: dict[str, Any] = {"bisect_batch_on_function_error": world.bisects}
    if source in STREAMS:
        options["parallelization_factor"] = world.side_by_side
    if world.attempts is not None:
        options |= {"maximum_retry_attempts": world.attempts, "on_failure": True}
    return options


@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=150, deadline=None)
@given(world=WORLDS)
def test_nothing_is_lost_and_order_holds(source: str, world: World) -> None:
    made, history = lived(source, world)

    assert len(history.items) == len(world.sent)
    assert history.lost == history.left == []
    assert made.left() == 0
    if source != "sqs":
        assert history.out_of_order == []

    ends = [item.end for item in history.items]
    given_up = "dead-letter queue" if source in ("sqs", "fifo") else "on-failure destination"
    assert set(ends) <= {"acknowledged", given_up}
    assert len(history.dead_letters) + len(history.discarded) == ends.count(given_up)
    if world.attempts is None:
        assert ends.count(given_up) == 0
        history.check(allow=["done_twice"])

    for item in history.items:
        of_the_batches = [each.number for each in history.invocations if item in each.items]
        assert item.deliveries == of_the_batches
        assert item.done or item.end == given_up
        assert len(item.tried) <= len(item.deliveries)
        last = history.invocations[item.deliveries[-1] - 1] if item.deliveries else None
        assert (item.end == "acknowledged") == (last is not None and item not in last.again)


@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=15, deadline=None)
@given(world=WORLDS)
def test_same_world_has_the_same_history(source: str, world: World) -> None:
    assert shape(lived(source, world)[1]) == shape(lived(source, world)[1])


@pytest.mark.parametrize("source", ["sqs", "fifo"])
@settings(max_examples=60, deadline=None)
@given(world=WORLDS, most=st.integers(1, 4))
def test_no_message_is_received_more_often_than_it_may_be(source: str, world: World, most: int) -> None:
    _, history = lived(source, world._replace(attempts=most))
    assert all(1 <= len(item.deliveries) <= most for item in history.items)


@pytest.mark.parametrize("source", [*STREAMS, "kafka"])
@settings(max_examples=40, deadline=None)
@given(world=WORLDS, retention=st.sampled_from([10, 40, 300]), age=st.sampled_from([-1, 60]))
def test_all_is_accounted_for_where_records_expire(source: str, world: World, retention: int, age: int) -> None:
    made = source_of(source, retention=retention, **made_with(source, world))
    for number, (key, _, seconds) in enumerate(world.sent):
        made.send(f"{key}{number}", key=key)
        made.clock.advance(seconds)
    always = Failing(**{f"{key}{number}": -1 for number, (key, fails, _) in enumerate(world.sent) if fails})
    mapping = EventSourceMapping(
        made,
        processor=ordered_processor_of(source),
        record_handler=always,
        batch_size=world.batch_size,
        seed=world.seed,
        maximum_record_age_in_seconds=age,
        **{**mapped_with(source, world), "on_failure": False},
    )
    history = mapping.drain()
    assert history.left == []
    assert history.out_of_order == []
    for item in history.items:
        if always.times.get(item.content):
            assert item.end in ("expired", "discarded")
            assert item in history.lost
        assert (item.end == "acknowledged") <= bool(item.done)
    assert len(history.lost) == sum(not item.done for item in history.items)
