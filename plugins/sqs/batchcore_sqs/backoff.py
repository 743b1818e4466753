"""Back-off: a message that failed stays hidden for longer each time it comes."""

from __future__ import annotations

import sys
import time

from batchcore import ConfigurationError, hookimpl
from batchcore_sqs.hooks import SQS, message_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from typing import Any, Protocol

    from batchcore import BatchResult, Outcome

    class Uniform(Protocol):
        """A source of random numbers, such as :class:`random.Random`."""

        def uniform(self, a: float, b: float, /) -> float:
            """Return a number from ``a`` to ``b``, each as likely as any other."""
            ...


_LIMIT = 12 * 60 * 60  # seconds from a receive on, for which SQS lets a message be hidden

# SQS refuses what goes beyond the limit; it does not clamp. An event says when a message was received first, not when
# it was this time. So the age of this receive is estimated, rather too high than too low:
# - At the first receive it is known.
# - Later it is at most that of the first receive, which grows past every limit. But Lambda gathers a batch for 300 s
#   at most, an invocation takes 1,800 s at most (since November 2026; 900 s before), and one that is throttled is tried
#   again until the visibility timeout of its messages is over: 6 x 1,800 s + 300 s, where the queue is set up as AWS
#   recommends. That is less than three hours and a quarter.
# - SQS counts up to the call. No invocation is so long that a call of it comes later than 1,800 s from now.
_OLDEST_RECEIVE = 3 * 60 * 60 + 15 * 60
_LONGEST_INVOCATION = 30 * 60

_DOUBLINGS = 60  # they lead from a nanosecond past the limit; many more would overflow


class VisibilityBackoff:
    """Hides a message that failed for longer each time it comes: exponential back-off with full jitter.

    An observer, for ``plugins=``. After a batch of the source ``sqs`` it changes the visibility timeout of each message
    that failed, to whole seconds drawn evenly from 0 to ``min(maximum, base * 2 ** (receives - 1))``. What is done and
    what was not attempted is left alone. So are batches of other sources. Where a visibility timeout cannot be changed,
    the message comes back after the queue's own, as it does without back-off, and the reason is logged.

    A FIFO queue is left alone unless ``fifo`` is set. **A hidden message blocks its whole message group**: no message
    of the group is delivered before the delay is over, also none that is sent meanwhile. Therefore a group has one
    delay, that of its first message that failed, for this one and all later ones of the batch that are not done. Groups
    without a failed message are left alone. A message without a group is a group of its own.

    It needs the permission ``sqs:ChangeMessageVisibility`` on the queue, and boto3 unless a client is given. Lambda has
    boto3; it is imported when a first message has failed.

    AWS's side of it:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/

    Args:
        base: the longest delay after the first receive: seconds, or a ``timedelta``. More than 0.
        maximum: the longest delay of all: seconds, or a ``timedelta``. At most 12 hours, counted from the receive; so
            delays end up to three hours and three quarters short of that.
        queue_url: the URL of the queue. When None it is made from the client's endpoint and the ARN in the event.
        client: a boto3 client of SQS. When None one is made for the region in the ARN, and kept for the process. It has
            its endpoint from where boto3 has it, the variable ``AWS_ENDPOINT_URL`` included.
        fifo: whether messages of FIFO queues are hidden too.
        random: where random numbers come from: an object with a method ``uniform(a, b)``. The system's when None.

    Raises:
        ConfigurationError: one of them cannot be used; or no client is given and boto3 is not installed.
    """

    def __init__(
        self,
        base: float | timedelta = 30,
        maximum: float | timedelta = 900,  # the longest DelaySeconds of SQS
        *,
        queue_url: str | None = None,
        client: Any = None,
        fifo: bool = False,
        random: Uniform | None = None,
    ) -> None:
        self._base, self._maximum = _seconds("base", base), _seconds("maximum", maximum)
        if self._base > self._maximum:
            raise ConfigurationError(f"base is {self._base:g} s, which is more than maximum, {self._maximum:g} s.")
        if queue_url is not None and not _is_text(queue_url):
            raise ConfigurationError(f"queue_url is the URL of a queue or None, not {queue_url!r}.")
        if client is None:
            _require_boto3()
        elif not callable(getattr(client, "change_message_visibility_batch", None)):
            raise ConfigurationError(
                f'client is a boto3 client of SQS, as boto3.client("sqs") gives it, not {client!r}.'
            )
        elif queue_url is None and not hasattr(client, "meta"):
            raise ConfigurationError(
                "queue_url is made from the endpoint of the client, client.meta.endpoint_url, and this one has "
                "none. Pass queue_url= beside it."
            )
        if random is not None and not callable(getattr(random, "uniform", None)):
            raise ConfigurationError(f"random has a method uniform(a, b), as random.Random has; {random!r} has none.")
        self._queue_url = queue_url
        self._client = client
        self._fifo = fifo
        self._random = random

    @hookimpl
    def after_batch(self, result: BatchResult) -> None:
        """Change the visibility timeout of what failed.

        Raises:
            VisibilityNotChangedError: that was not possible for some. The others are changed. batchcore logs it.
            ValueError: no queue URL was given, and the event has no ARN to make it from.
        """
        batch = result.batch
        if batch.source != SQS.name:
            return
        delays = self._delays(result.failures)
        if not delays:
            return
        from batchcore_sqs.visibility import change_visibility

        records = batch.records
        entries: list[dict[str, Any]] = [
            {"Id": str(position), "ReceiptHandle": records[position].get("receiptHandle"), "VisibilityTimeout": delay}
            for position, delay in delays.items()
        ]
        client, queue_url = self._queue(records[min(delays)])
        # When the core no longer waits, this thread goes on, perhaps in a later invocation of the same environment. Up
        # to the end of this one the receipt handles hold; after it, they may be somebody else's messages.
        unchanged = change_visibility(client, queue_url, entries, lambda: _is_over(batch.context))
        if unchanged.reasons:
            from batchcore_sqs.errors import VisibilityNotChangedError

            raise VisibilityNotChangedError(
                [(batch.identifiers[int(entry)], reason) for entry, reason in unchanged.reasons.items()], len(entries)
            ) from unchanged.cause

    def _delays(self, outcomes: Sequence[Outcome]) -> dict[int, int]:
        """Return which of the records that are not done are to be hidden, by position, and for how many seconds."""
        fifo = bool(outcomes) and self._is_fifo(outcomes[0].record)  # a batch is of one queue
        if fifo and not self._fifo:
            return {}
        now = time.time()
        lanes: dict[object, list[Outcome]] = {}
        for outcome in outcomes:
            group = message_group(outcome.record) if fifo else None
            lane = group if isinstance(group, str) else outcome.position
            if outcome.status == "failed" or lane in lanes:
                lanes.setdefault(lane, []).append(outcome)
        delays: dict[int, int] = {}
        for hidden in lanes.values():
            delay = self._delay([outcome.record for outcome in hidden], now)
            delays.update((outcome.position, delay) for outcome in hidden)
        return dict(sorted(delays.items()))

    def _delay(self, records: Sequence[Mapping[str, Any]], now: float) -> int:
        """Draw the delay of records that are hidden together, by the receive count of the first."""
        doublings = min((SQS.delivery_attempt(records[0]) or 1) - 1, _DOUBLINGS)
        longest = min(self._maximum, self._base * 2.0**doublings, *(_left(record, now) for record in records))
        return round((self._random or _system_random()).uniform(0, max(0, longest)))

    def _is_fifo(self, record: Mapping[str, Any]) -> bool:
        arn = record.get("eventSourceARN")
        return any(isinstance(name, str) and name.endswith(".fifo") for name in (arn, self._queue_url))

    def _queue(self, record: Mapping[str, Any]) -> tuple[Any, str]:
        """Return the client and the URL of the queue that a record came from."""
        from batchcore_sqs.visibility import client_for, parts_of_arn

        arn = record.get("eventSourceARN")
        parts = parts_of_arn(arn)
        if parts is None and self._queue_url is None:
            raise ValueError(f"eventSourceARN is not the ARN of a queue: {arn!r}. Pass queue_url to VisibilityBackoff.")
        region, account, name = parts or (None, "", "")
        client = client_for(region) if self._client is None else self._client
        return client, self._queue_url or f"{client.meta.endpoint_url.rstrip('/')}/{account}/{name}"


def _left(record: Mapping[str, Any], now: float) -> float:
    """Return the seconds for which SQS will surely let a message be hidden from now on."""
    try:
        age = max(0.0, now - int(record["attributes"]["ApproximateFirstReceiveTimestamp"]) / 1000)
    except Exception:
        age = _OLDEST_RECEIVE
    if SQS.delivery_attempt(record) != 1 or age > _LIMIT:  # then it is not the age of this receive
        age = min(age, _OLDEST_RECEIVE)
    return _LIMIT - age - _LONGEST_INVOCATION


def _is_over(context: Any) -> bool:
    """Whether the invocation's time is over, as far as its context knows."""
    try:
        return bool(context.get_remaining_time_in_millis() <= 0)
    except Exception:
        return False


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _seconds(name: str, value: Any) -> float:
    total_seconds = getattr(value, "total_seconds", None)  # of a timedelta, without importing it
    seconds = total_seconds() if callable(total_seconds) else value
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= _LIMIT:
        raise ConfigurationError(
            f"{name} is a number of seconds or a timedelta, more than 0 and at most 12 hours, not {value!r}."
        )
    return float(seconds)


def _system_random() -> Uniform:
    from random import SystemRandom  # copies of a snapshot would share a seed, and come back together

    return SystemRandom()


def _require_boto3() -> None:
    from importlib.util import find_spec  # looks for it and does not import it, which costs a cold start far more

    if "boto3" not in sys.modules and find_spec("boto3") is None:
        raise ConfigurationError(
            "VisibilityBackoff calls SQS by boto3, which is not installed. Lambda has it. Elsewhere: "
            'pip install "batchcore-sqs[boto3]"; or pass client=.'
        )
