"""What must become of a batch, by AWS's rules and what is promised. It knows nothing of the library that it judges."""

from __future__ import annotations

from typing import NamedTuple

AT_A_TIME = 10  # dead letters of an unordered batch, where somebody takes many


class Made(NamedTuple):
    """One record of a batch that hypothesis has made.

    Attributes:
        does: what its handler does, or what is wrong with it.
        lane: its key; None for a lane of its own.
        waits: how often, or how many milliseconds, its handler waits.
        attempt: how often it has been delivered.
        refused: whether nobody would take it as a dead letter.
        hook: the batch hook that fails it, ``before`` the records or ``after`` them.
        cost: units of time that its handler takes.
    """

    does: str
    lane: str | None = None
    waits: int = 0
    attempt: int = 1
    refused: bool = False
    hook: str = ""
    cost: int = 0


class World(NamedTuple):
    """What surrounds a batch.

    Attributes:
        ordering: the order of its records.
        concurrency: how many lanes run at a time, at most.
        by_checkpoint: how AWS acknowledges.
        deliverer: which hooks take dead letters: ``one``, ``many`` or ``both``; ``nobody`` where there are none.
        dead_letter_after: the delivery from which on there is no other.
        breaks: the batch hook that fails all records.
        watched: whether observers watch.
    """

    ordering: str
    concurrency: int = 3
    by_checkpoint: bool = False
    deliverer: str = "one"
    dead_letter_after: int | None = None
    breaks: str = ""
    watched: bool = True

    @property
    def delivers(self) -> bool:
        return self.deliverer != "nobody"

    @property
    def lanes(self) -> bool:
        return self.ordering != "unordered"

    @property
    def by_key(self) -> bool:
        return self.ordering.startswith("by key")

    @property
    def stops(self) -> bool:
        return self.ordering.endswith("stop")


class Time(NamedTuple):
    """The time of an invocation, in units of which the handlers alone take any.

    Attributes:
        left: what is left at first.
        margin: what must be left for a record to start.
    """

    left: float
    margin: int = 4

    @property
    def reserve(self) -> int:
        """What must be left, and a little more, for a call after the records."""
        return self.margin // 4


class Run(NamedTuple):
    """What was seen of a batch.

    Attributes:
        reported: the positions that the response names.
        raised: whether it was raised that the whole batch has failed.
        statuses: what is said of each record; None where nobody asked.
        lines: what was done, and to which record, in that order.
        told: what observers were told.
    """

    reported: list[int]
    raised: bool
    statuses: list[str] | None
    lines: list[tuple[str, int]]
    told: list[tuple[int, str]]

    def positions(self, what: str) -> list[int]:
        return [position for line, position in self.lines if line == what]


FAILS = ("fail", "exit", "cancelled", "raises retry", "poison")
ENDS = {
    "drop": "drop",
    "raises drop": "drop",
    "dead": "dead",
    "raises dead": "dead",
    "stop": "stop",
    "raises stop": "stop",
}


def lane_of(position: int, made: Made, world: World) -> object:
    """Give the lane of a record."""
    if not world.lanes:
        return position
    if not world.by_key:
        return "all"
    return position if made.lane is None or made.does == "odd" else made.lane


def lanes_of(batch: list[Made], world: World) -> list[list[int]]:
    """Give the lanes, each the positions of its records."""
    lanes: dict[object, list[int]] = {}
    for position, made in enumerate(batch):
        lanes.setdefault(lane_of(position, made, world), []).append(position)
    return list(lanes.values())


def begins(made: Made, world: World) -> bool:
    """Say whether the handler of a record is called, once it is the record's turn."""
    odd = made.does == "odd" and world.by_key
    return not odd and made.does != "poison" and made.hook != "before" and world.breaks != "before"


def fate(made: Made, world: World) -> str:
    """Say what becomes of a record that is attempted: ok, retry, drop, dead or stop."""
    fails = made.does in FAILS or (made.does == "odd" and world.by_key)
    ends = "retry" if fails or not begins(made, world) else ENDS.get(made.does, "ok")
    if ends == "dead" and not world.delivers:
        return "retry"
    return last_fate(made, world) if ends == "retry" else ends


def last_fate(made: Made, world: World) -> str:
    """Say what becomes of a record that would be retried."""
    return "dead" if world.dead_letter_after is not None and made.attempt >= world.dead_letter_after else "retry"


def has_batch_hooks(batch: list[Made], world: World) -> bool:
    """Say whether anything is done for all records at once."""
    return bool(world.breaks) or any(made.hook for made in batch)


class Walk:
    """Walks a batch from its first record to its last, one by one. Lanes that run side by side come to the same.

    Attributes:
        statuses: what becomes of each record.
        waiting: dead letters for the end of the batch.
        left: what is left of the time.
    """

    def __init__(self, batch: list[Made], world: World, time: Time | None) -> None:
        self.batch, self.world, self.time = batch, world, time
        self.statuses: list[str] = []
        self.waiting: list[int] = []
        self.stopped: set[object] = set()
        self.all_stopped = False
        self.left: float = 0 if time is None else time.left

    @property
    def may_call(self) -> bool:
        return self.time is None or self.left > self.time.reserve

    def comes_again(self, below: int) -> bool:
        """Say whether a record before this one comes again."""
        return any(s in ("failed", "not_attempted") for s in self.statuses[:below])

    def attempt(self, position: int) -> str:
        made, world = self.batch[position], self.world
        if self.all_stopped or lane_of(position, made, world) in self.stopped:
            return "not_attempted"
        odd = made.does == "odd" and world.by_key
        if not odd and self.time is not None and self.left < self.time.margin:
            self.all_stopped = True
            return "not_attempted"
        if begins(made, world):
            self.left = max(0, self.left - made.cost)
        ends = fate(made, world)
        self.all_stopped = ends == "stop"
        if ends == "dead" and not world.lanes:
            self.waiting.append(position)
            return "waiting"
        if ends == "dead":
            withheld = world.by_checkpoint and self.comes_again(position)
            return "failed" if withheld or made.refused or not self.may_call else "dead_lettered"
        return {"ok": "succeeded", "drop": "dropped"}.get(ends, "failed")

    def records(self) -> None:
        for position, made in enumerate(self.batch):
            status = self.attempt(position)
            if self.world.stops and status in ("failed", "waiting"):
                self.stopped.add(lane_of(position, made, self.world))
            self.statuses.append(status)

    def batch_hook_after(self) -> None:
        late = has_batch_hooks(self.batch, self.world) and not self.may_call
        for position, made in enumerate(self.batch):
            fails = made.hook == "after" or self.world.breaks == "after" or late
            if self.statuses[position] == "succeeded" and fails:
                dead = last_fate(made, self.world) == "dead"
                self.statuses[position] = "waiting" if dead else "failed"
                self.waiting += [position] * dead

    def letters_at_end(self) -> None:
        left = sorted(self.waiting)
        at_a_time = 1 if self.world.deliverer == "one" else AT_A_TIME
        while left:
            some, left = left[:at_a_time], left[at_a_time:]
            for position in some:
                withheld = self.world.by_checkpoint and self.comes_again(position)
                self.statuses[position] = "failed" if withheld else "sent"
            for position in some:  # those of one call are sent together
                if self.statuses[position] == "sent":
                    taken = self.may_call and not self.batch[position].refused
                    self.statuses[position] = "dead_lettered" if taken else "failed"


def expected(batch: list[Made], world: World, time: Time | None = None) -> list[str]:
    """Say what must become of each record."""
    walk = Walk(batch, world, time)
    walk.records()
    walk.batch_hook_after()
    walk.letters_at_end()
    return walk.statuses


def named(statuses: list[str]) -> list[int]:
    """Give the positions that the response must name."""
    return [position for position, status in enumerate(statuses) if status in ("failed", "not_attempted")]


# -- What holds whoever ended first, and however many had time.


def check(batch: list[Made], world: World, seen: Run) -> None:
    """Check what was seen against what was done."""
    begun = seen.positions("begins")
    assert len(set(begun)) == len(begun), "a record is attempted once"
    assert seen.reported == sorted(set(seen.reported)), "the response is in the order of the batch"
    had_no_time = has_batch_hooks(batch, world) and ("after", -1) not in seen.lines
    undone = set(seen.positions("ends" if had_no_time else "undone"))
    shown = ({*seen.positions("ends")} - undone) | {*seen.positions("delivered"), *seen.positions("drops")}
    assert set(range(len(batch))) - set(seen.reported) == shown, "done is what was seen to be done, and nothing else"
    check_order(batch, world, seen, undone)
    check_letters(world, seen, undone)
    if world.watched:
        check_told(seen, undone)


def check_order(batch: list[Made], world: World, seen: Run, undone: set[int]) -> None:
    in_lanes = seen.lines[: seen.lines.index(("after", -1))] if ("after", -1) in seen.lines else seen.lines
    for lane in lanes_of(batch, world):
        positions = [position for _, position in in_lanes if position in lane]
        assert positions == sorted(positions), "a lane is in order, its dead letters too"
        if world.stops:
            unfinished = [p for p in lane if p in seen.reported and p not in undone]
            assert not unfinished or unfinished == [p for p in lane if p >= unfinished[0]], "nothing is done past it"
            assert sum(p in positions for p in unfinished) <= 1, "nothing is attempted past a failure"


def check_letters(world: World, seen: Run, undone: set[int]) -> None:
    delivered = seen.positions("delivered")
    assert len(set(delivered)) == len(delivered), "a dead letter is delivered once"
    if not world.by_checkpoint:
        return
    together = AT_A_TIME if not world.lanes and world.deliverer != "one" else 1
    if together == 1:
        for letter in delivered:
            again = [position for position in seen.reported if position < letter and position not in undone]
            assert not again, "no dead letter is sent while one before it comes again"


def check_told(seen: Run, undone: set[int]) -> None:
    assert seen.statuses is not None
    told: dict[int, list[str]] = {}
    for position, status in seen.told:
        told.setdefault(position, []).append(status)
    for position, status in enumerate(seen.statuses):
        once = ["succeeded", status] if position in undone else [status]
        assert told.get(position) == once, "each is told once, when it is settled, and again if it is taken back"
    assert seen.lines[-1:] == [("finished", -1)], "nothing is done after the response"
