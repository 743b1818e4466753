"""What goes wrong at AWS without anybody's fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

from batchcore import ConfigurationError

if TYPE_CHECKING:
    from random import Random

Fault: TypeAlias = Literal["duplicate", "crash", "timeout", "throttle"]

KINDS: tuple[Fault, ...] = ("duplicate", "crash", "timeout", "throttle")


class Faults:
    """Which invocations go wrong, and how.

    - ``duplicate``: the function answers, and the acknowledgement is lost: of some messages of a queue, of a whole
      batch of a stream. They are delivered again.
    - ``crash``: the function's process ends in the middle of the batch, or before its response is sent.
    - ``timeout``: the same, after the whole time of the function.
    - ``throttle``: the function is not invoked.

    Args:
        duplicates: the share of invocations, from 0 to 1.
        crashes: the same.
        timeouts: the same.
        throttles: the same.
        at: instead of by chance: number of an invocation, from 1, to its fault.

    Raises:
        batchcore.ConfigurationError: a share is not between 0 and 1, or there is no such fault.
    """

    def __init__(
        self,
        *,
        duplicates: float = 0.0,
        crashes: float = 0.0,
        timeouts: float = 0.0,
        throttles: float = 0.0,
        at: Mapping[int, Fault] | None = None,
    ) -> None:
        self._shares = dict(zip(KINDS, (duplicates, crashes, timeouts, throttles), strict=True))
        self._at: dict[int, Fault] = dict(at or {})
        wrong = [share for share in self._shares.values() if not 0 <= share <= 1]
        if wrong or sum(self._shares.values()) > 1:
            raise ConfigurationError("The shares of faults are each from 0 to 1, and so is their sum.")
        unknown = [fault for fault in self._at.values() if fault not in KINDS]
        if unknown:
            raise ConfigurationError(f"A fault is one of {', '.join(KINDS)}; not {unknown[0]!r}.")

    def choose(self, number: int, random: Random) -> Fault | None:
        """Choose what happens to an invocation."""
        drawn = random.random()
        for fault, share in self._shares.items():
            if drawn < share:
                return self._at.get(number, fault)
            drawn -= share
        return self._at.get(number)


NO_FAULTS = Faults()
