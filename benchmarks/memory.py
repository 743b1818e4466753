"""Memory that is still held after a response in which every record failed."""

from __future__ import annotations

import gc
import tracemalloc
from typing import TYPE_CHECKING

from aws_lambda_powertools.utilities import batch as powertools

import batchcore
from benchmarks.events import sqs_event
from benchmarks.figures import Budget, Figure
from benchmarks.handlers import fails_with_ten_kilobytes
from benchmarks.sides import CONTEXT

if TYPE_CHECKING:
    from collections.abc import Callable

KEPT = Budget(must=0.05)
RECORDS = 10_000


def measure(records: int = RECORDS) -> Figure:
    """Compare what both libraries hold on to after that many failures whose handlers held 10 kB each."""
    event = sqs_event(records)
    ours = batchcore.BatchProcessor(event_type=batchcore.EventType.SQS, raise_on_entire_batch_failure=False)
    theirs = powertools.BatchProcessor(event_type=powertools.EventType.SQS, raise_on_entire_batch_failure=False)
    handler = fails_with_ten_kilobytes
    kept = {
        "ours": _kept(lambda: batchcore.process_partial_response(event, handler, ours, CONTEXT)),
        "theirs": _kept(lambda: powertools.process_partial_response(event, handler, theirs, CONTEXT)),
    }
    return Figure(
        f"memory kept after {records:,} failures that held 10 kB each",
        kept["ours"] / kept["theirs"],
        KEPT,
        detail=f"{kept['ours'] / 1e6:.1f} MB against {kept['theirs'] / 1e6:.1f} MB",
    )


def _kept(process: Callable[[], object]) -> int:
    """Return the bytes allocated by a call and still held, the response and the processor included."""
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        response = process()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        del response
    finally:
        tracemalloc.stop()
    return after - before
