"""What the tests of other libraries beside batchcore share: messages, and handlers that are under way together."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from batchcore import AsyncBatchProcessor, BatchProcessor, BatchResult

ROOT = Path(__file__).parents[3]
BESIDE = ROOT / "examples" / "beside"
WAYS = ("one by one", "threads", "asyncio")
SIDE_BY_SIDE = WAYS[1:]
PATIENCE = 30  # seconds, after which something that never comes is a failure
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
FAILED = "batchItemFailures"

services = itertools.count()


def messages(*bodies: Any) -> dict[str, Any]:
    """Make an event of a queue: a message per body, named ``m0``, ``m1`` and so on. What is no text is made JSON."""
    sample = json.loads((ROOT / "tests" / "events" / "getting_started_sqs_event.json").read_text(encoding="utf-8"))
    template = sample["Records"][0]
    template["eventSourceARN"] = "arn:aws:sqs:eu-west-1:123456789012:orders"
    texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
    return {"Records": [{**template, "messageId": f"m{at}", "body": text} for at, text in enumerate(texts)]}


def numbers(count: int) -> dict[str, Any]:
    return messages(*map(str, range(count)))


def named(*names: str) -> dict[str, Any]:
    """Return the response that names these messages as failed."""
    return {FAILED: [{"itemIdentifier": name} for name in names]}


def environment(**more: str) -> dict[str, str]:
    """Return the variables of a process that imports what this one does."""
    path = os.pathsep.join([str(ROOT), *filter(None, sys.path)])
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DD_", "POWERTOOLS_"))}
    return {**kept, "PYTHONPATH": path, **more}


Steps = Callable[[Any], Any]  # a generator function: at each `yield` the handlers of the batch meet


def run(way: str, steps: Steps, event: Any, context: Any = None, **options: Any) -> BatchResult:
    """Run a batch whose handlers are under way together, but for those that run one by one.

    Args:
        way: one of :data:`WAYS`.
        steps: the handler, a generator function of a record. Each ``yield`` is waited at until all handlers of the
            batch are there.
        event: its records.
        context: of the invocation.
        options: of the processor.
    """
    count = len(event["Records"])
    options = {"raise_on_entire_batch_failure": False, **options}
    together = {"max_concurrency": count, **options}
    if way == "asyncio":
        return AsyncBatchProcessor("sqs", **together).run(event, _as_coroutine(steps, count), context)
    if way == "threads":
        return BatchProcessor("sqs", **together).run(event, _in_threads(steps, count), context)
    return BatchProcessor("sqs", **options).run(event, lambda record: [*steps(record)] and None, context)


def _in_threads(steps: Steps, count: int) -> Callable[[Any], None]:
    barrier = threading.Barrier(count, timeout=PATIENCE)

    def handler(record: Any) -> None:
        for _ in steps(record):
            barrier.wait()

    return handler


def _as_coroutine(steps: Steps, count: int) -> Callable[[Any], Awaitable[None]]:
    here: dict[int, int] = {}
    all_here: dict[int, asyncio.Event] = {}

    async def handler(record: Any) -> None:
        for stage, _ in enumerate(steps(record)):
            here[stage] = here.get(stage, 0) + 1
            meeting = all_here.setdefault(stage, asyncio.Event())
            if here[stage] == count:
                meeting.set()
            await asyncio.wait_for(meeting.wait(), PATIENCE)

    return handler
