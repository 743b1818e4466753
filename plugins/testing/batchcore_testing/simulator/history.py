"""What happened to everything that was sent to a simulated source, and what of it must not happen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypeAlias

from batchcore import BatchProcessingError, WholeBatchRetry

if TYPE_CHECKING:
    from collections.abc import Hashable

    from batchcore.types import Identifier
    from batchcore_testing.clock import SimulatedClock

End: TypeAlias = Literal[
    "acknowledged",
    "dead-letter queue",
    "processing-failed",
    "completion report",
    "on-failure destination",
    "discarded",
    "expired",
]
"""How a record leaves its source. Firehose puts what failed below ``processing-failed``, and the completion report of
S3 Batch Operations names it. The last three are given up by AWS, of which one tells somebody."""

Problem: TypeAlias = Literal["lost", "done_twice", "out_of_order", "never_tried", "always_failed"]

_RESPONSES: Final = (BatchProcessingError, WholeBatchRetry)
"""Raised to say that records failed: as much of a response as there can be."""

_GONE: Final = ("acknowledged", "discarded", "expired")
_OF_ITEMS: Final[dict[Problem, str]] = {
    "lost": "LOST: gone from the source, not done and in no dead-letter queue or destination",
    "done_twice": "DONE TWICE",
    "out_of_order": "OUT OF ORDER: done after a later one of its lane",
    "never_tried": "NEVER TRIED: gone from the source before any attempt",
}
_PROBLEMS: Final = (*_OF_ITEMS, "always_failed")


class Item:
    """One thing that was sent, and what became of it.

    Attributes:
        number: counts what was sent, from 1.
        content: what was sent.
        lane: what it is ordered by, such as its message group; None where nothing depends on it.
        identifier: what a response names it by.
        deliveries: the numbers of the invocations that had it, in order.
        tried: when a handler began with it: moments that count up over the whole history.
        done: when it was done.
        given_up: when the function gave it up on purpose: dropped it, or put it where somebody finds it.
        reported: when a response did not name it as failed, and batchcore had not seen it fail.
        end: how it left the source; None while it is there.
        ended_at: when it did.
    """

    __slots__ = (
        "content",
        "deliveries",
        "done",
        "end",
        "ended_at",
        "given_up",
        "identifier",
        "lane",
        "number",
        "reported",
        "tried",
    )

    def __init__(self, number: int, content: Any, lane: Hashable, identifier: Identifier) -> None:
        self.number = number
        self.content = content
        self.lane = lane
        self.identifier = identifier
        self.deliveries: list[int] = []
        self.tried: list[int] = []
        self.done: list[int] = []
        self.given_up: list[int] = []
        self.reported: list[int] = []
        self.end: End | None = None
        self.ended_at: int | None = None

    def __repr__(self) -> str:
        return f"<{self.number}: {shortened(self.content, 50)}>"


def shortened(value: Any, longest: int = 120) -> str:
    """Show a value in a message, cut after so many characters."""
    text = repr(value)
    return text if len(text) < longest else f"{text[: longest - 3]}..."


class Invocation(NamedTuple):
    """One invocation of the function.

    Attributes:
        number: counts them, from 1.
        at: when it began, in seconds of the simulated clock.
        event: the event.
        items: what it had, in the order of the batch.
        fault: what was done to it: ``duplicate``, ``crash``, ``timeout``, ``throttle`` or None.
        response: what the function returned, or the exception that it raised; None where it was not called.
        complaint: why the whole batch failed; None where it did not.
        again: what is delivered again, or given up.
        unfinished: number of an item to why batchcore has not finished it, where a batch of its had the record, and to
            what the function said of it.
    """

    number: int
    at: float
    event: Any
    items: Sequence[Item]
    fault: str | None
    response: Any
    complaint: str | None
    again: Sequence[Item]
    unfinished: Mapping[int, str] = MappingProxyType({})


class History:
    """Everything that happened between a simulated source and a function.

    Attributes:
        items: what was sent, in its order.
        invocations: in their order.
        knows_done: whether anybody says what is done. Where nobody does, what a response does not name as failed
            counts, unless batchcore saw it fail.
        knows_tried: whether anybody says what is tried. Where nobody does, what was delivered counts.
    """

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.invocations: list[Invocation] = []
        self.knows_done = False
        self.knows_tried = False
        self._moments = itertools.count(1)

    def now(self) -> int:
        """Return the next moment."""
        return next(self._moments)

    def end(self, items: Iterable[Item], how: End) -> None:
        """Write down that items leave their source."""
        for item in items:
            item.end, item.ended_at = how, self.now()

    @property
    def done(self) -> list[Item]:
        """What was done at least once."""
        return [item for item in self.items if self._done(item)]

    @property
    def lost(self) -> list[Item]:
        """What is gone from the source, was neither done nor given up on purpose, and is in no queue or destination."""
        return [item for item in self.items if item.end in _GONE and not self._done(item) and not item.given_up]

    @property
    def given_up(self) -> list[Item]:
        """What the function gave up on purpose: dropped, or put where somebody finds it."""
        return [item for item in self.items if item.given_up]

    @property
    def done_twice(self) -> list[Item]:
        """What was done more than once."""
        return [item for item in self.items if len(self._done(item)) > 1]

    @property
    def out_of_order(self) -> list[Item]:
        """What was done, for the first time, after something of its lane that was sent later."""
        found: list[Item] = []
        earliest: dict[Hashable, int] = {}
        for item in reversed(self.items):
            if item.lane is None or not self._done(item):
                continue
            first = self._done(item)[0]
            if first > earliest.get(item.lane, first):
                found.append(item)
            earliest[item.lane] = min(first, earliest.get(item.lane, first))
        return found[::-1]

    @property
    def never_tried(self) -> list[Item]:
        """What left the source, or was given up, before any handler began with it."""
        return [item for item in self.items if item.end is not None and not self._tried(item)]

    @property
    def dead_letters(self) -> list[Item]:
        """What is in the dead-letter queue."""
        return [item for item in self.items if item.end == "dead-letter queue"]

    @property
    def discarded(self) -> list[Item]:
        """What AWS gave up on a stream: attempts or age ran out, whether a destination was told or not."""
        return [item for item in self.items if item.end in ("discarded", "on-failure destination")]

    @property
    def left(self) -> list[Item]:
        """What is still at the source."""
        return [item for item in self.items if item.end is None]

    @property
    def always_failed(self) -> bool:
        """Whether no invocation came to a response, though nobody broke it: the function cannot work."""
        own = [each for each in self.invocations if each.fault in (None, "duplicate")]
        return bool(own) and all(each.complaint and not isinstance(each.response, _RESPONSES) for each in own)

    @property
    def complaint(self) -> str | None:
        """Why the last invocation failed of those that did."""
        return next((each.complaint for each in reversed(self.invocations) if each.complaint), None)

    def problems(self, *, allow: Collection[Problem] = ()) -> list[str]:
        """Return what went wrong.

        Args:
            allow: what is no problem to this test, such as ``done_twice`` where the handler is idempotent.

        Returns:
            One line for each kind of problem, followed by one for each item; nothing where there is none.

        Raises:
            ValueError: ``allow`` names what is no problem.
        """
        unknown = [name for name in allow if name not in _PROBLEMS]
        if isinstance(allow, str) or unknown:
            raise ValueError(f"allow is a list of {', '.join(_PROBLEMS)}; not {allow!r}.")
        lines: list[str] = []
        if self.always_failed and "always_failed" not in allow:
            lines.append(f"ALWAYS FAILED: each of {len(self.invocations)} invocations. The last: {self.complaint}")
        for name, words in _OF_ITEMS.items():
            items: list[Item] = [] if name in allow else getattr(self, name)
            if items:
                lines.append(f"{words}: {len(items)} of {len(self.items)}")
                lines += [f"  {item!r}{self._story(item)}" for item in items]
        return lines

    def check(self, *, allow: Collection[Problem] = ()) -> None:
        """Fail the test if anything was lost, done twice, done out of order, or never tried.

        Args:
            allow: what is no problem to this test.

        Raises:
            AssertionError: with one line for each kind of problem and each item.
        """
        __tracebackhide__ = True
        problems = self.problems(allow=allow)
        if problems:
            raise AssertionError("\n".join(problems))

    def _done(self, item: Item) -> list[int]:
        return item.done if self.knows_done else item.reported

    def _tried(self, item: Item) -> Sequence[int]:
        return item.tried or item.done if self.knows_tried else item.deliveries

    def _story(self, item: Item) -> str:
        delivered = ", ".join(map(str, item.deliveries)) or "none"
        done = f"done {len(self._done(item))} times" if len(self._done(item)) != 1 else "done once"
        lane = "" if item.lane is None else f" of lane {item.lane!r}"
        return f"{lane}: invocations {delivered}; {done}; {item.end or 'still at the source'}{self._blame(item)}"

    def _blame(self, item: Item) -> str:
        """Tell of an item that batchcore had not finished when it was acknowledged why, and what the function said."""
        last = next((each for each in reversed(self.invocations) if item in each.items), None)
        if item.end != "acknowledged" or last is None or item.number not in last.unfinished:
            return ""
        return f"; in invocation {last.number} {last.unfinished[item.number]}"

    def __repr__(self) -> str:
        return (
            f"<History of {len(self.items)} records and {len(self.invocations)} invocations: {len(self.done)} done, "
            f"{len(self.lost)} lost, {len(self.dead_letters)} dead letters, {len(self.left)} left>"
        )


class Ledger:
    """Where handlers write down what they do, and where a simulated crash strikes them.

    Args:
        history: what is written to.
        find: what a handler names to the item that it is.
        clock: tells the time.

    Attributes:
        has_crashed: whether this invocation has crashed at a call of the ledger.
        mistake: what the first call of this invocation raised that named nothing that was sent.
    """

    def __init__(self, history: History, find: Callable[[Any], Item], clock: SimulatedClock) -> None:
        import threading

        self._history = history
        self._find = find
        self._clock = clock
        self._lock = threading.Lock()
        self.mistake: Exception | None = None
        self.end()

    def begin(self, deadline: float, calls_until_crash: int | None) -> None:
        """Begin an invocation, which crashes at a call of the ledger, or does not; after its deadline it does nothing.

        Args:
            deadline: in seconds of the clock.
            calls_until_crash: at which call; None for none.
        """
        self.mistake = None
        self._deadline, self._calls_until_crash, self.has_crashed = deadline, calls_until_crash, False

    def end(self) -> None:
        """End the invocation: what a test itself writes down between two of them crashes nothing."""
        self._deadline, self._calls_until_crash, self.has_crashed = float("inf"), None, False

    def tried(self, what: Any) -> None:
        """Write down that a handler begins."""
        item = self._item(what)
        self._history.knows_tried = self._history.knows_done = True  # who says what is tried says what is done
        self._write(item.tried)

    def done(self, what: Any) -> None:
        """Write down that something is done."""
        item = self._item(what)
        self._history.knows_done = True
        self._write(item.done)

    def given_up(self, what: Any) -> None:
        """Write down that something is given up on purpose."""
        self._write(self._item(what).given_up)

    def _item(self, what: Any) -> Item:
        try:
            return self._find(what)
        except Exception as error:  # of the test, which must hear of it: the processor takes it for a failed record
            self.mistake = self.mistake or error
            raise

    def _write(self, moments: list[int]) -> None:
        with self._lock:
            if self.has_crashed or self._clock.now > self._deadline:
                raise FunctionCrash
            moments.append(self._history.now())
            if self._calls_until_crash is not None:
                self._calls_until_crash -= 1
                if self._calls_until_crash <= 0:
                    self.has_crashed = True
                    raise FunctionCrash


class FunctionCrash(KeyboardInterrupt):
    """The process of the function ends here. No handler may catch it, as none could."""
