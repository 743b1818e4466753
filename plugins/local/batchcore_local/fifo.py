"""The visibility timeout of messages of a FIFO queue, ended by the poller and not by the server.

moto keeps the order of a group whose messages are made visible by a call, and breaks it where two or more of them
become visible by themselves: then a later one is given first. So each message is received for a little longer than the
queue's visibility timeout, and made visible by a call when that timeout is over. Seen from outside it comes back when
the queue says. SQS itself keeps the order either way.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

LONGEST_VISIBILITY = 43_200
"""Seconds of a visibility timeout, at most: a limit of SQS."""

MARGIN_SECONDS = 1
"""How much longer the server hides a message than the queue says: the time that a call may take. SQS counts seconds."""

MOST_ENTRIES = 10
"""Messages of one request, at most."""


def held_for(visibility: int) -> int:
    """Return how many seconds the server is to hide a message of a queue with this visibility timeout."""
    return min(visibility + MARGIN_SECONDS, LONGEST_VISIBILITY)


class _Held(NamedTuple):
    """A message in flight: its last receipt handle, and when it is to be visible again."""

    handle: str
    until: float


class InFlight:
    """The messages that were received from one FIFO queue and are not deleted.

    Args:
        sqs: a boto3 client of SQS.
        url: the queue's URL.
    """

    def __init__(self, sqs: Any, url: str) -> None:
        self._sqs = sqs
        self._url = url
        self._held: dict[str, _Held] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, messages: Sequence[Mapping[str, Any]], visibility: int) -> None:
        """Note messages that were received just now.

        Args:
            messages: as boto3 gives them.
            visibility: the queue's visibility timeout, in seconds.
        """
        until = time.monotonic() + visibility
        for message in messages:
            # An older receipt handle must not be used any more: moto would make the message visible by it.
            self._held.pop(message["MessageId"], None)
            self._held[message["MessageId"]] = _Held(message["ReceiptHandle"], until)

    def forget(self, identifiers: Iterable[str]) -> None:
        """Drop messages that were deleted."""
        for identifier in identifiers:
            self._held.pop(identifier, None)

    def release(self) -> None:
        """Make the messages visible whose time is over, in the order in which they were received.

        What the server refuses is no loss: it was deleted, moved to the dead-letter queue, or is visible already.
        """
        now = time.monotonic()
        due = [(identifier, held.handle) for identifier, held in self._held.items() if held.until <= now]
        for start in range(0, len(due), MOST_ENTRIES):
            some = due[start : start + MOST_ENTRIES]
            self._sqs.change_message_visibility_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(position), "ReceiptHandle": handle, "VisibilityTimeout": 0}
                    for position, (_, handle) in enumerate(some)
                ],
            )
            self.forget(identifier for identifier, _ in some)
