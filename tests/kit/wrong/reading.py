"""Sources that are wrong in what they claim, extract, name or prepare."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

from batchcore import hookimpl
from batchcore.records import identify
from batchcore_dynamodb import DynamoDBSource
from batchcore_kinesis import KinesisSource
from batchcore_sqs import SQSSource


class ClaimsByTheFirstRecord(SQSSource):
    """Looks at the first record of an event only, so it claims events of which the rest is another service's.

    Those records run through a handler that was not written for them, and are named by what is no ``messageId``.
    """

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return super().claims_event({**event, "Records": event["Records"][:1]})


class RefusesTheLastCall(KinesisSource):
    """Claims no event without records, but the last call of a tumbling window may have none.

    That call then fails, again and again: its result is never written, and the shard stands still.
    """

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return super().claims_event(event) and bool(event["Records"])


class DropsWhatItHasSeen(SQSSource):
    """Leaves out messages whose id it has seen before in this process, because SQS delivers at least once.

    A message that failed is delivered again, too. It is left out, no handler runs, the response does not name it, and
    it is deleted.
    """

    def __init__(self) -> None:
        self._seen: set[Any] = set()

    @hookimpl
    def extract_records(self, event: Any) -> list[Any]:
        fresh = [record for record in event["Records"] if record.get("messageId") not in self._seen]
        self._seen.update(record.get("messageId") for record in fresh)
        return fresh


class TakesTheRecordsOut(SQSSource):
    """Takes the list of records out of the event, "to free the memory of large bodies early".

    Whoever has the event afterwards finds it without records: the caller that logs it or runs it again after an error,
    and every plugin that reads ``batch.event``.
    """

    @hookimpl
    def extract_records(self, event: Any) -> list[Any]:
        return event.pop("Records")


class GroupsByPartitionKey(KinesisSource):
    """Sorts the records by partition key, so that those of a lane stand together; inside a lane the order is kept.

    A position is no place in the shard any more. What ``delivered_again`` says is wrong, and dead letters and
    successes that seem to be below the checkpoint are above it, and come again.
    """

    @hookimpl
    def extract_records(self, event: Any) -> list[Any]:
        return sorted(event["Records"], key=lambda record: record["kinesis"]["partitionKey"])


class ReadsNewImagesOnly(DynamoDBSource):
    """Leaves out records that have no ``NewImage``, "because there is nothing to read in them".

    A removed item has none. No handler ever sees the removal, and the checkpoint moves past it.
    """

    @hookimpl
    def extract_records(self, event: Any) -> list[Any]:
        return [record for record in event["Records"] if record["dynamodb"].get("NewImage")]


class IdentifiesWithGet(SQSSource):
    """Gives None or "" for a message without ``messageId``, where it should refuse the batch before the first handler.

    When such a message fails, AWS takes the whole response for a failure and delivers all messages again, done or not.
    """

    @hookimpl
    def identify_records(self, records: Any) -> list[Any]:
        return [record.get("messageId") for record in records]


class RemembersIdentifiersByAddress(SQSSource):
    """Remembers each record's identifier under ``id(record)``, and never forgets it.

    The address of a record that is gone is given to a record of a later batch, which then goes by the old name: AWS
    does not know it, or the failed message is deleted. It leaks, too.
    """

    def __init__(self) -> None:
        self._known: dict[int, str] = {}

    @hookimpl
    def identify_records(self, records: Any) -> list[str]:
        read = super().identify_records(records)
        return [self._known.setdefault(id(record), name) for record, name in zip(records, read, strict=False)]


class SequenceAsNumber(KinesisSource):
    """Identifies a record by its sequence number as an ``int``; AWS takes a string.

    The response of every batch with a failure is an invalid one: the whole batch comes again, with all that succeeded.
    """

    @hookimpl
    def identify_records(self, records: Any) -> list[Any]:
        return [int(number) for number in super().identify_records(records)]


class EventIdForSequenceNumber(DynamoDBSource):
    """Identifies a record by its ``eventID``, as EventBridge Pipes wants it; Lambda wants ``dynamodb.SequenceNumber``.

    AWS does not find it in the batch, so each failure is one of the whole batch.
    """

    @hookimpl
    def identify_records(self, records: Any) -> Any:
        return identify("eventID")(records)


class ParsesBodiesInTheHook(SQSSource):
    """Parses all bodies when the batch begins, in the hook, instead of each in the callable that the hook gives.

    One body that is not JSON raises outside of its record's guard: the whole batch fails, until the poison message is
    gone, and the good ones with it may reach the dead-letter queue.
    """

    @hookimpl
    def record_preparer(self, batch: Any) -> Any:
        bodies = {record["messageId"]: json.dumps(json.loads(record["body"])) for record in batch.records}
        return lambda record: {**record, "body": bodies[record["messageId"]]}


class DealsBodiesInTurn(SQSSource):
    """Deals out bodies that it has read ahead, with ``next()``, as if records were prepared one by one in their order.

    With threads, or when one record is passed over because its group has stopped, a handler gets the body of another
    message, under its own identifier. Nothing fails.
    """

    @hookimpl
    def record_preparer(self, batch: Any) -> Any:
        bodies = iter([record["body"].strip() for record in batch.records])
        return lambda record: {**record, "body": next(bodies)}


class HidesTheReceiptHandle(SQSSource):
    """Takes the receipt handle out of the raw record, not out of a copy, so that no handler logs it.

    Whoever needs it afterwards finds none: a plugin that sets the visibility timeout of what failed, for one.
    """

    @hookimpl
    def record_preparer(self, batch: Any) -> Any:
        def prepare(record: dict[str, Any]) -> dict[str, Any]:
            record.pop("receiptHandle", None)
            return record

        return prepare


class PreparesTheBodyParsed(SQSSource):
    """Parses the body when it prepares a record, and puts what it says in the place of the text.

    A prepared record should be a raw one still. ``record.json_body`` fails on it, and so does each model whose body is
    JSON: every record of every batch. Handlers that read ``record.body`` get a dictionary for a string.
    """

    @hookimpl
    def record_preparer(self, batch: Any) -> Any:
        def prepare(record: dict[str, Any]) -> dict[str, Any]:
            return {**record, "body": json.loads(record["body"])}

        return prepare


class FetchesWithAsyncioRun(SQSSource):
    """Calls its asynchronous client through ``asyncio.run()`` in the preparer.

    Under ``AsyncBatchProcessor`` a loop is running already, and every record fails, in every delivery.
    """

    @hookimpl
    def record_preparer(self, batch: Any) -> Any:
        return lambda record: asyncio.run(self._decrypted(record))

    @staticmethod
    async def _decrypted(record: dict[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(0)
        return {**record, "decrypted": True}


class KeepsTheStreamInAThreadLocal(KinesisSource):
    """Puts what belongs to the batch into a ``threading.local``, and reads it there when it prepares a record.

    With ``max_concurrency`` the records are prepared in other threads, where it is not: all of them fail.
    """

    def __init__(self) -> None:
        self._local = threading.local()

    @hookimpl
    def record_preparer(self, batch: Any) -> Any:
        arn = batch.records[0].get("eventSourceARN", "") if batch.records else ""
        self._local.stream = arn.rpartition("/")[2]
        return self._prepare

    def _prepare(self, record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "streamName": self._local.stream}
