"""What reads a shard, or the partitions of a topic: one batch at a time, until it is done or given up.

The rules are those of "Error handling" on the pages for Kinesis, DynamoDB Streams and Kafka of the AWS Lambda developer
guide:

- What a response names is the checkpoint: everything from there on comes again, without what follows the batch.
- The attempts are counted from the start when the checkpoint moves.
- When they are used up, or the records are too old, the rest of the batch is given up, tried or not.
- A batch that is split after an error of the function uses up no attempt.
- An invocation that was throttled is no attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batchcore_testing.simulator.history import History, Item
    from batchcore_testing.simulator.source import Options, Settlement

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_RETRIES_WITH_DESTINATION = 10


class Reader:
    """Reads in order.

    Args:
        name: of what it reads, for the destination.
        options: of the mapping.
        history: of the mapping.
        give_up: called with the items that are given up, why, and how often they were delivered.

    Attributes:
        batch: what is delivered next, or again; empty where the next batch is still to be taken.
        not_before: when it may be delivered again.
    """

    def __init__(
        self, name: str, options: Options, history: History, give_up: Callable[[Sequence[Item], str, int], None]
    ) -> None:
        self.name = name
        self.batch: list[Item] = []
        self.not_before = float("-inf")
        self._options = options
        self._history = history
        self._give_up = give_up
        self._retries = 0
        self._failures = 0
        self._later: list[tuple[list[Item], int]] = []  # the other parts of a batch that was split, the next one last

    def begin(self, items: Sequence[Item]) -> None:
        """Begin with a new batch."""
        self.batch, self._retries, self._failures = list(items), 0, 0

    @property
    def held(self) -> list[Item]:
        """What it has taken and not ended: the batch, and the other parts of a split one."""
        return [*self.batch, *(item for part, _ in reversed(self._later) for item in part)]

    def drop(self, gone: Iterable[Item]) -> None:
        """Forget items that have left the source."""
        ended = {item.number for item in gone}
        self.batch = [item for item in self.batch if item.number not in ended]
        self._later = [([item for item in part if item.number not in ended], retries) for part, retries in self._later]
        self._next_part()

    def give_up(self, why: str) -> None:
        """Return up the rest of the batch."""
        self._give_up(self.batch, why, self._failures)
        self._finish()

    def settle(self, settlement: Settlement, now: float) -> None:
        """Go on after a delivery of the whole batch."""
        batch = self.batch
        if settlement.reading is None or settlement.unacknowledged:
            self.not_before = now + pause_after(1)
            return
        again = set(settlement.again)
        self._history.end([item for at, item in enumerate(batch) if at not in again], "acknowledged")
        self.batch = [item for at, item in enumerate(batch) if at in again]
        if not self.batch:
            self._finish()
            return
        self._failures += 1
        self.not_before = now + pause_after(self._failures)
        if len(self.batch) < len(batch):
            self._retries = 0  # the checkpoint has moved
        elif settlement.function_failed and self._options.bisect_batch_on_function_error and len(batch) > 1:
            half = (len(batch) + 1) // 2
            self._later.append((batch[half:], self._retries))
            self.batch = batch[:half]
        elif 0 <= self._most_retries <= self._retries:
            self.give_up("RetryAttemptsExhausted")
        else:
            self._retries += 1

    @property
    def _most_retries(self) -> int:
        return self._options.maximum_retry_attempts

    def _finish(self) -> None:
        self.batch, self._retries, self._failures, self.not_before = [], 0, 0, float("-inf")
        self._next_part()

    def _next_part(self) -> None:
        while not self.batch and self._later:
            self.batch, self._retries = self._later.pop()


def pause_after(failures: int) -> float:
    """Return for how many seconds a batch waits after so many failures: AWS says that it waits, and not how long."""
    return float(min(_FIRST_PAUSE_S * 2 ** min(failures - 1, 10), _LONGEST_PAUSE_S))


def with_destination(options: Options) -> Options:
    """Return the options of a Kafka mapping as AWS applies them: a destination limits retries that have no limit."""
    if options.on_failure and options.maximum_retry_attempts < 0:
        return options._replace(maximum_retry_attempts=_RETRIES_WITH_DESTINATION)
    return options


def destination_record(info: str, shard: dict[str, Any], condition: str, count: int, size: int) -> dict[str, Any]:
    """Make what an on-failure destination gets: where the records are, and not the records."""
    return {
        "requestContext": {
            "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
            "functionArn": "arn:aws:lambda:eu-west-1:123456789012:function:function",
            "condition": condition,
            "approximateInvokeCount": count,
        },
        "version": "1.0",
        info: {**shard, "batchSize": size},
    }
