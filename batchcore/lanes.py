"""Lanes of a batch: which record comes next, until its lane stops, its batch stops, or the time is up.

Records of one key are a lane. A driver takes *places*, position and record, from here, and runs each; what became of it
is looked at when the driver comes back for the next.
"""

from __future__ import annotations

from batchcore.invocation import BATCH_STOPPED, TIME_UP
from batchcore.outcome import NOT_PROCESSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator
    from typing import TypeAlias

    from batchcore.calls import Calls
    from batchcore.invocation import Invocation
    from batchcore.types import Record

    Place: TypeAlias = tuple[int, Record]


def places(invocation: Invocation) -> Iterable[Place]:
    """Give position and record of all that may run, one by one: what a stopped lane still holds is passed over."""
    key = invocation.ordering.key
    if key is None:
        return lane_places(invocation, range(len(invocation.values)))
    return _places_by_key(invocation, key)


def _places_by_key(invocation: Invocation, key: Callable[[Record], Hashable]) -> Iterator[Place]:
    """Walk the batch with a set of stopped keys: running one by one needs no lists of lanes."""
    stopped: set[Hashable] = set()
    failures, values, stops = invocation.failures, invocation.values, invocation.ordering.stops
    for position, record in enumerate(invocation.records):
        try:
            lane = key(record)
            has_stopped = lane in stopped  # hashes it
        except BaseException as error:
            invocation.failed(position, NOT_PROCESSED, error)
            if invocation.letters is not None and position in invocation.letters.in_lanes:
                from batchcore.delivering import deliver_now

                deliver_now(invocation, position)
            if invocation.stopped:
                return
            continue
        if has_stopped:
            invocation.not_attempted(position)
            continue
        yield position, record
        if stops and position in failures and lane is not None and values[position] is NOT_PROCESSED:
            stopped.add(lane)


def lane_places(invocation: Invocation, lane: Iterable[int]) -> Iterator[Place]:
    """Give position and record of one lane, until it stops; the rest of it is not attempted."""
    records, stops, letters = invocation.records, invocation.ordering.stops, invocation.letters
    positions = iter(lane)
    for position in positions:
        if invocation.stopped:
            return
        yield position, records[position]
        if letters is not None and position in letters.in_lanes:
            letters.parked.append((position, positions))
            return
        if stops and invocation.unfinished(position):
            break
    leave_out(invocation, positions)


def leave_out(invocation: Invocation, lane: Iterable[int]) -> None:
    """Mark what is left of a lane that has stopped as not attempted."""
    for position in lane:
        if position not in invocation.failures:
            invocation.not_attempted(position)


def in_time(invocation: Invocation, some: Iterable[Place]) -> Iterator[Place]:
    """Give places as long as there is time for another, and note those that are being run, or end too late."""
    clock, running = invocation.clock, invocation.running
    if clock is None:
        raise AssertionError("a batch with a limit of time has been begun without a clock")
    is_up = clock.is_up
    for place in some:
        if is_up():
            invocation.time_is_up()
            return
        if running is None:
            yield place
        else:
            running.add(place[0])
            try:
                yield place
            finally:
                running.discard(place[0])
                if invocation.cut_loose:
                    invocation.ended_late()


def all_lanes(invocation: Invocation) -> Iterator[Iterable[Place]]:
    """Give the lanes, each as what of it may run, for drivers that run lanes side by side."""
    if not invocation.ordering.lanes:
        some: Iterator[Iterable[Place]] = ((place,) for place in enumerate(invocation.records))
    else:
        some = (lane_places(invocation, lane) for lane in _lanes(invocation))
    return some if invocation.settings.stop_before is None else (in_time(invocation, lane) for lane in some)


def _lanes(invocation: Invocation) -> Iterable[Iterable[int]]:
    """Group the positions into lanes."""
    ordering, records = invocation.ordering, invocation.records
    if ordering.key is None:
        return (range(len(records)),)
    by_key: dict[Hashable, list[int]] = {}
    for position, record in enumerate(records):
        try:
            lane = ordering.key(record)
            by_key.setdefault(object() if lane is None else lane, []).append(position)
        except BaseException as error:
            invocation.failed(position, NOT_PROCESSED, error)
            if invocation.letters is not None and position in invocation.letters.in_lanes:
                invocation.letters.parked.append((position, iter(())))  # a lane of its own, of which nothing is left
    return by_key.values()


def skip_the_rest(invocation: Invocation) -> None:
    """Mark every record that has not run as not attempted."""
    failures, untold = invocation.failures, TIME_UP if invocation.out_of_time else BATCH_STOPPED
    for position, value in enumerate(invocation.values):
        if value is NOT_PROCESSED and position not in failures:
            invocation.not_attempted(position, untold)


def next_lanes(invocation: Invocation) -> Calls[list[Iterable[Place]]]:
    """Give what is left of lanes that have waited for others to end, for drivers that run lanes side by side."""
    if invocation.stopped:
        skip_the_rest(invocation)
    letters = invocation.letters
    if letters is None or not letters.parked:
        return []
    from batchcore.delivering import deliver_in_lane

    while letters.parked:
        going_on: list[Iterable[Place]] = []
        parked, letters.parked = sorted(letters.parked, key=_position_of), []
        for position, rest in parked:
            yield from deliver_in_lane(invocation, position)
            if position in letters.in_lanes:  # one before it is in another of these lanes
                letters.parked.append((position, rest))
            elif invocation.ordering.stops and invocation.unfinished(position):
                leave_out(invocation, rest)
            else:
                lane = lane_places(invocation, rest)
                going_on.append(lane if invocation.settings.stop_before is None else in_time(invocation, lane))
        if going_on:
            return going_on
    return []


def _position_of(parked: tuple[int, Iterator[int]]) -> int:
    return parked[0]
