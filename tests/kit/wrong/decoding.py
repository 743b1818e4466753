"""Sources that are wrong in what handlers get."""

from __future__ import annotations

import decimal
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from batchcore import RecordView, hookimpl
from batchcore.records import decode_json
from batchcore_dynamodb import DynamoDBSource
from batchcore_kinesis import KinesisSource
from batchcore_sqs import SQSRecord, SQSSource


class PlainSQSRecord(RecordView):
    """A view that keeps nothing: each property reads the record."""

    @property
    def message_id(self) -> str:
        return self.raw_event["messageId"]

    @property
    def body(self) -> str:
        return self.raw_event["body"]

    @property
    def json_body(self) -> Any:
        return decode_json(self.raw_event["body"], "body")


class OneViewForAll(SQSSource):
    """Gives all records of a batch the same view object, and points it at the next one each time.

    With asyncio or threads several handlers hold it at once, and read one another's message; so does whoever keeps a
    record for a bulk write after the batch. The last message is written many times, the others never.
    """

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        view = PlainSQSRecord({})

        def decode(record: Mapping[str, Any]) -> PlainSQSRecord:
            view.raw_event = record
            return view

        return decode


class KeepsViewsByMessageId(SQSSource):
    """Keeps each view under its message's id for good, "so that JSON is parsed once".

    A message that is delivered again is seen as it was the first time: the old receive count, the old receipt handle,
    with which it cannot be deleted or hidden. And the process grows with every message.
    """

    def __init__(self) -> None:
        self._views: dict[str, SQSRecord] = {}

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        return lambda record: self._views.setdefault(record["messageId"], SQSRecord(record))


class DecodesTheRecordOfTheBatch(SQSSource):
    """Decodes the raw record that it looks up in the batch, and not what it is given.

    What a plugin prepared is thrown away unseen: the handler gets the envelope, the pointer or the ciphertext.
    """

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        records = {record["messageId"]: record for record in batch.records}
        return lambda record: SQSRecord(records[record["messageId"]])


class LooksUpPositionsByAddress(KinesisSource):
    """Tells its view where in the batch it stands, by ``id()`` of what it is given, as if that were the raw record.

    As soon as some plugin prepares records, what comes is a copy that is not found: every record fails.
    """

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        decode = super().record_decoder(batch)
        positions = {id(record): position for position, record in enumerate(batch.records)}

        def with_position(record: Any) -> Any:
            view: Any = decode(record)
            view.position = positions[id(record)]
            return view

        return with_position


class QuotingSQSRecord(SQSRecord):
    """A view whose error shows what it could not read."""

    @cached_property
    def json_body(self) -> Any:  # type: ignore[override]
        body = self.raw_event["body"]
        try:
            return json.loads(body)
        except ValueError:
            raise ValueError(f"the body of {self.raw_event['messageId']} is not JSON: {body!r}") from None


class QuotesTheBody(SQSSource):
    """Its view quotes the body in the error of a body that is not JSON.

    The error is logged and goes to error trackers, and the customer's data with it.
    """

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        return QuotingSQSRecord


class LenientSQSRecord(SQSRecord):
    """A view that reads what it can."""

    @cached_property
    def json_body(self) -> Any:  # type: ignore[override]
        try:
            return decode_json(self.raw_event["body"], "body")
        except ValueError:
            return {}


class ReadsPoisonAsNothing(SQSSource):
    """Its view gives ``{}`` for a body that is not JSON, "so that a handler need not fear it".

    The handler finds nothing to do and returns: the message counts as done and is deleted, never to be seen by anyone.
    """

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        return LenientSQSRecord


class SetsTheDecimalContext(DynamoDBSource):
    """Sets the decimal context of the thread to DynamoDB's, which traps what is inexact, and never sets it back.

    From then on ``Decimal(1) / 3`` raises in handlers and in everything else that the thread does.
    """

    @hookimpl
    def record_decoder(self, batch: Any) -> Any:
        traps = [decimal.Clamped, decimal.Overflow, decimal.Inexact, decimal.Rounded, decimal.Underflow]
        decimal.setcontext(decimal.Context(Emin=-128, Emax=126, prec=38, traps=traps))
        return super().record_decoder(batch)
