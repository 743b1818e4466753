"""Sources that are wrong in ordering, acknowledgement or the count of deliveries."""

from __future__ import annotations

from typing import Any

from batchcore import by_key, hookimpl, in_order, unordered
from batchcore.windows import is_windowed
from batchcore_dynamodb import DynamoDBSource
from batchcore_kinesis import KinesisSource
from batchcore_sqs import SQSFifoCircuitBreakerError, SQSSource, message_group


class FifoGoesOnAfterAFailure(SQSSource):
    """Runs a FIFO queue by message group and goes on after a failure, as a stream may.

    The later messages of the group are done and deleted; the failed one comes back behind them. Order is lost.
    """

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        if super().ordering_policy(batch) is unordered:
            return unordered
        return by_key(message_group, on_failure="continue")


class DecidesTheQueueOnce(SQSSource):
    """Decides on the first batch whether the queue is FIFO, and sticks to it.

    One object serves all processors of the process. If a standard queue, or an empty event of a test, comes first, the
    FIFO queue is run without order for good.
    """

    def __init__(self) -> None:
        self._ordering: Any = None

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        if self._ordering is None:
            self._ordering = super().ordering_policy(batch)
        return self._ordering


class AsksTheEventForItsQueue(SQSSource):
    """Reads the queue's name from ``batch.event``, which is None under the context manager.

    ``with processor(records, handler)`` raises before the first record: every batch fails as a whole.
    """

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        records = batch.event["Records"]
        fifo = bool(records) and str(records[0].get("eventSourceARN")).endswith(".fifo")
        return super().ordering_policy(batch) if fifo else unordered


_SKIPPED = SQSFifoCircuitBreakerError()


class OneExceptionForAll(SQSSource):
    """Gives all records that are not attempted, of all batches, one and the same exception object.

    What is written on it of one record is read of another: its traceback, its context, its notes, across threads and
    invocations. It keeps alive whatever they hold.
    """

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        ordering = super().ordering_policy(batch)
        return ordering if ordering is unordered else in_order(not_attempted=lambda: _SKIPPED)


class LanesIgnoreTheWindow(KinesisSource):
    """Runs a batch of a tumbling window by partition key and past failures, as any other batch.

    What succeeded behind a failure is not in the state that goes out, and runs again. With threads the records take
    one another's state.
    """

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        return by_key(lambda record: record["kinesis"]["partitionKey"], on_failure="continue")


class LanesByTheNewImage(DynamoDBSource):
    """Takes the key of a lane from the new image, which a removal has not: it becomes a lane of its own.

    With threads or asyncio the removal of an item overtakes the change before it, and the item is back for good.
    """

    @hookimpl
    def ordering_policy(self, batch: Any) -> Any:
        if is_windowed(batch.event):
            return super().ordering_policy(batch)
        return by_key(_id_in_the_new_image, on_failure="continue")


def _id_in_the_new_image(record: Any) -> Any:
    image, keys = record["dynamodb"].get("NewImage") or {}, record["dynamodb"].get("Keys") or {}
    found = sorted((name, *image[name].items()) for name in keys if name in image)
    return tuple(found) or None


class AcknowledgesEachRecord(DynamoDBSource):
    """Says that AWS acknowledges each record by itself; a DynamoDB stream has a checkpoint.

    A dead letter above a failure is delivered at once, and once more with every delivery of that failure; and
    ``delivered_again`` leaves out what runs again.
    """

    @hookimpl
    def acknowledgement(self) -> Any:
        return "record"


class WaitsForACheckpoint(SQSSource):
    """Says that SQS has a checkpoint, as if what follows a failure came again.

    A dead letter above a message that keeps failing is withheld and counts as failed: it is retried with it, up to the
    queue's own limit, and never goes to the dead-letter queue as it should.
    """

    @hookimpl
    def acknowledgement(self) -> Any:
        return "checkpoint"


class CountsDeliveriesItself(SQSSource):
    """Counts deliveries in memory, one more each time it is asked, instead of reading what SQS counts.

    It is asked for the log and by plugins, too, and not in the other instances of the function: a message is given up
    by ``dead_letter_after`` too early, or never.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    @hookimpl
    def delivery_attempt(self, record: Any) -> int:
        self._seen[record["messageId"]] = self._seen.get(record["messageId"], 0) + 1
        return self._seen[record["messageId"]]


class CountsInText(SQSSource):
    """Gives the receive count as the string that SQS sends, which counts as not known.

    No message is ever given up by ``dead_letter_after``, and no log says how often one has come.
    """

    @hookimpl
    def delivery_attempt(self, record: Any) -> Any:
        return (record.get("attributes") or {}).get("ApproximateReceiveCount")
