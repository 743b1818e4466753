"""Times of several functions that do the same work, taken in turns in one process."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ONE_TURN_S = 0.010
"""A turn repeats a short function until it takes about this long.

The sides take turns, so each finds the caches of the processor full of what the others did. A batch of one record takes
6 us: in a long turn nearly all of its calls find the caches as the call before has left them.
"""


def best_times(
    functions: Mapping[str, Callable[[], object]], seconds: float, least_rounds: int = 5
) -> dict[str, float]:
    """Measure functions in turns and give the best time of each.

    The best of many rounds repeats to a per cent: what disturbs a round only ever adds. The garbage collector stays
    on, as it is in a function, and starts each turn from the same state.

    Args:
        functions: name to function.
        seconds: how long to go on, all functions together.
        least_rounds: turns that each function gets, however long they take.

    Returns:
        Name to seconds for one call.
    """
    repeats = {name: _repeats(function) for name, function in functions.items()}
    best = dict.fromkeys(functions, float("inf"))
    names = list(functions)
    end, rounds = time.perf_counter() + seconds, 0
    while rounds < least_rounds or time.perf_counter() < end:
        for name in names:
            best[name] = min(best[name], _turn(functions[name], repeats[name]))
        names.append(names.pop(0))  # who comes first changes
        rounds += 1
    return best


def _repeats(function: Callable[[], object]) -> int:
    function()  # whatever is made at the first call
    once = min(_turn(function, 1) for _ in range(3))
    return max(1, round(ONE_TURN_S / once))


def _turn(function: Callable[[], object], repeats: int) -> float:
    gc.collect()
    if repeats > 1:
        function()  # a collection gives memory back and empties caches: the next call pays for that, whoever it is
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats
