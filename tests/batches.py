"""Batches of SQS messages, what handles them, and what is read off their responses."""

from __future__ import annotations

import asyncio
import builtins
import logging
import threading
from collections.abc import Callable
from typing import Any

Event = dict[str, Any]
Response = Any
Handler = Callable[[Any], Any]

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:orders"
EXCEPTION_GROUP: Any = getattr(builtins, "ExceptionGroup", None)
"""Of Python 3.11 and later."""

PATIENCE = 20
"""Seconds after which a test that waits for another thread gives up: it has failed."""


def message(identifier: str, body: str, group: str | None = None, arn: str = QUEUE) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": "1"} | ({} if group is None else {"MessageGroupId": group})
    return {
        "messageId": identifier,
        "body": body,
        "attributes": attributes,
        "eventSource": "aws:sqs",
        "eventSourceARN": arn,
    }


def batch_of(*bodies: str, groups: str | None = None, fifo: bool = False) -> Event:
    """Make an event of messages m0, m1, ... with these bodies; ``groups`` has a letter each, "-" for none."""
    letters = groups or "-" * len(bodies)
    arn = f"{QUEUE}.fifo" if fifo else QUEUE
    pairs = zip(bodies, letters, strict=True)
    return {
        "Records": [
            message(f"m{position}", body, None if letter == "-" else letter, arn)
            for position, (body, letter) in enumerate(pairs)
        ]
    }


def failed(response: Response) -> list[str]:
    """Give the identifiers that a response names; fails where it is not in AWS's shape."""
    assert list(response) == ["batchItemFailures"]
    assert all(list(item) == ["itemIdentifier"] for item in response["batchItemFailures"])
    return [item["itemIdentifier"] for item in response["batchItemFailures"]]


def logger_with(handler: logging.Handler) -> logging.Logger:
    """Make a logger that is in no hierarchy, where pytest would find it and keep what it logs."""
    logger = logging.Logger("mine")  # noqa: LOG001
    logger.addHandler(handler)
    return logger


def handle(record: Any) -> str:
    """Fail on the body "bad"; give every other body in capitals."""
    if record["body"] == "bad":
        raise ValueError(record["messageId"])
    return str(record["body"]).upper()


class Crowd:
    """Counts how many handlers run at a time, each until ``wanted`` of them have been there together."""

    def __init__(self, wanted: int) -> None:
        self.inside = self.most = 0
        self.wanted = wanted
        self.full = threading.Event()
        self.lock = threading.Lock()

    def handle(self, record: Any) -> None:
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
            if self.inside == self.wanted:
                self.full.set()
        assert self.full.wait(PATIENCE)
        with self.lock:
            self.inside -= 1


def awaiting(handler: Handler) -> Handler:
    """Give a handler as a coroutine function that waits before and after."""

    async def handle_and_wait(record: Any) -> Any:
        await asyncio.sleep(0)
        value = handler(record)
        await asyncio.sleep(0)
        return value

    return handle_and_wait
