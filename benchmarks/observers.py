"""What observers add: to a batch by itself, to each record, and to the time until the response.

Each of ``benchmarks.observed`` is measured in a process of its own, for an SDK may change the whole process. There,
batches run in turns with the observer named in ``plugins=[...]`` and without, when its package is installed and its SDK
set up all the same. What an SDK sends goes to a server in this process.

The time until the response is taken in the real runtime client. It has what is done while the response waits: a flush.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from batchcore import BatchProcessor, EventType, process_partial_response
from benchmarks.events import POISON, sqs_event, sqs_event_with_failures
from benchmarks.figures import Budget, Figure, table
from benchmarks.handlers import fails_on_poison
from benchmarks.observed import OBSERVED
from benchmarks.sides import CONTEXT
from benchmarks.sink import sink
from benchmarks.timing import best_times
from tests.runtime.function import LambdaFunction

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.events import Event

SMALL, LARGE = 10, 1_000
KINDS = {"none fails": sqs_event, "10 % fail": sqs_event_with_failures}
ALONE = "nothing"
"""Stands for a process in which there is no observer, and nothing is set up."""
FUNCTIONS = Path(__file__).parent / "functions"
ROUNDS = 5


class Cost(NamedTuple):
    """Seconds of one batch, with none failing or some.

    Attributes:
        kind: how many fail.
        small: of a small batch.
        large: of a large one.
    """

    kind: str
    small: float
    large: float

    @property
    def record(self) -> float:
        """Of each record."""
        return (self.large - self.small) / (LARGE - SMALL)

    @property
    def batch(self) -> float:
        """Of a batch by itself, without its records."""
        return self.small - SMALL * self.record


def measure(seconds: float, names: Sequence[str] = OBSERVED) -> tuple[str, list[Figure]]:
    """Measure observers.

    Args:
        seconds: how long each comparison may take, all its sides together.
        names: modules of ``benchmarks.observed``.

    Returns:
        A table of costs, and the figures beside it.
    """
    with sink() as address:
        alone = _costs(ALONE, address, seconds)["without"]
        costs = {name: _costs(name, address, seconds) for name in names}
        return _table(alone, costs), list(_figures(names, address))


def _costs(name: str, address: str, seconds: float) -> dict[str, list[Cost]]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.observers", name, address, str(seconds)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return {side: [Cost(*cost) for cost in costs] for side, costs in json.loads(done.stdout).items()}


def _in_this_process(name: str, address: str, seconds: float) -> dict[str, list[Cost]]:
    if name == ALONE:
        return {"without": _times([[]], seconds)[0]}
    with importlib.import_module(f"benchmarks.observed.{name}").plugins(address) as plugins:
        return dict(zip(("without", "named"), _times([[], plugins], seconds), strict=True))


def _times(sides: list[list[object]], seconds: float) -> list[list[Cost]]:
    """Return the costs of each list of plugins."""
    processors = [BatchProcessor(event_type=EventType.SQS, plugins=plugins) for plugins in sides]
    costs: list[list[Cost]] = [[] for _ in sides]
    for kind, event_of in KINDS.items():
        events = {size: event_of(size) for size in (SMALL, LARGE)}
        if kind != "none fails":
            _check(events[LARGE], processors)
        calls = {
            (side, size): partial(process_partial_response, event, fails_on_poison, processor, CONTEXT)
            for side, processor in enumerate(processors)
            for size, event in events.items()
        }
        times = best_times({repr(key): call for key, call in calls.items()}, seconds)
        for side, measured in enumerate(costs):
            measured.append(Cost(kind, *(times[repr((side, size))] for size in (SMALL, LARGE))))
    return costs


def _check(event: Event, processors: list[BatchProcessor]) -> None:
    """Make sure that an observer changes no response."""
    for processor in processors:
        response = process_partial_response(event, fails_on_poison, processor, CONTEXT)
        if len(response["batchItemFailures"]) != LARGE // 10:
            raise AssertionError(f"{len(response['batchItemFailures'])} records failed, not {LARGE // 10}.")


def _table(alone: list[Cost], costs: dict[str, dict[str, list[Cost]]]) -> str:
    heading = ["microseconds", "", "per batch", "adds", "per record", "adds"]
    lines = [_line(ALONE, cost, cost) for cost in alone]
    for name, sides in costs.items():
        lines += [_line(f"{name}, not named", *pair) for pair in zip(sides["without"], alone, strict=True)]
        lines += [_line(f"{name}, named", *pair) for pair in zip(sides["named"], alone, strict=True)]
    return table([heading, *lines], left=(0, 1))


def _line(name: str, cost: Cost, beside: Cost) -> list[str]:
    more = [(cost.batch - beside.batch) * 1e6, (cost.record - beside.record) * 1e6]
    adds = ["" if cost is beside else f"{each:+,.2f}" for each in more]
    return [name, cost.kind, f"{cost.batch * 1e6:,.1f}", adds[0], f"{cost.record * 1e6:,.2f}", adds[1]]


# -- The time until the response, in the real runtime client.


def _figures(names: Sequence[str], address: str) -> Iterator[Figure]:
    event = sqs_event(LARGE)
    for record in event["Records"][::2]:
        record["body"] = POISON
    for name in names:
        must = getattr(importlib.import_module(f"benchmarks.observed.{name}"), "MOST_SECONDS_LATER", None)
        without, named = (_answered(name, is_named, address, event) for is_named in ("no", "yes"))
        yield Figure(
            f"{LARGE:,} records, half of them failing: the response comes later with the observer {name}",
            max(named - without, 0),
            Budget(must=must),
            unit="s",
            detail=f"{named:.3f} s against {without:.3f} s, in the runtime client",
        )


def _answered(name: str, is_named: str, address: str, event: Event) -> float:
    """Return the seconds from an event to its response, the best of some, the first of a process left out."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("BATCHCORE_")}
    path = os.pathsep.join([str(Path(__file__).parent.parent), variables.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    variables |= {"PYTHONPATH": path, "OBSERVED": name, "NAMED": is_named, "SINK": address}
    with LambdaFunction("observed.lambda_handler", FUNCTIONS, sys.executable, base_environment=variables) as function:
        function.ready()
        best = float("inf")
        for round_number in range(ROUNDS + 1):
            sent_at = time.perf_counter()
            response = function.response(event)
            if len((response.payload or {}).get("batchItemFailures", ())) != LARGE // 2:
                raise AssertionError(f"{name} did not answer as it should: {response}\n{function.output}")
            best = min(best, response.at - sent_at) if round_number else best
        return best


if __name__ == "__main__":
    logging.getLogger().addHandler(logging.NullHandler())
    print(json.dumps(_in_this_process(sys.argv[1], sys.argv[2], float(sys.argv[3]))))
