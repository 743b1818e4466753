"""Order, time, what becomes of failures, batch hooks, results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any

from batchcore import (
    AsyncBatchProcessor,
    Batch,
    BatchProcessor,
    BatchResult,
    DeadLetterRecord,
    Disposition,
    DropRecord,
    EventType,
    Fail,
    Message,
    Outcome,
    RetryRecord,
    StopBatch,
    by_key,
    hookimpl,
)
from batchcore.windows import Window, window_of
from batchcore_deadletter import SNSDeadLetters, SQSDeadLetters
from batchcore_dynamodb import item_key
from batchcore_kinesis import KinesisStreamRecord, partition_key
from batchcore_sqs import SqsFifoPartialProcessor, SQSRecord, message_group

queue = SQSDeadLetters("https://sqs.eu-west-1.amazonaws.com/123456789012/dead-letters", maximum_size=1_000)
topic = SNSDeadLetters("arn:aws:sns:eu-west-1:123456789012:dead-letters")


class Customers:
    @hookimpl
    def before_records(self, batch: Batch, fail: Fail) -> Mapping[str, Any] | None:
        fail(0, ValueError("unknown"))
        return {"customers": {}}

    @hookimpl
    async def after_records(self, batch: Batch, outcomes: Sequence[Outcome], fail: Fail) -> None:
        for outcome in outcomes:
            fail(outcome, ValueError("not written"))
        window = window_of(batch)
        if window is not None and window.is_final:
            window.state.clear()

    @hookimpl
    def after_batch(self, result: BatchResult) -> None:
        for explanation in result.explain():
            again: bool = explanation.delivered_again
            print(str(explanation), again, explanation.outcome.duration)


class Deliverer:
    @hookimpl
    def deliver_dead_letter(self, outcome: Outcome, batch: Batch) -> None:
        message: Message = batch.original_message(outcome.record)
        print(message.body, message.attributes, message.group, batch.delivery_attempt(outcome.record))

    @hookimpl
    def deliver_dead_letters(self, outcomes: Sequence[Outcome], batch: Batch) -> Sequence[BaseException | None]:
        return [None for _ in outcomes]


class Parcels:
    name = "parcels"

    @hookimpl
    def handler_arguments(self, batch: Batch) -> Mapping[str, Callable[[Any], AbstractContextManager[Any]]]:
        return {"shelf": lambda record: nullcontext(record["shelf"])}

    @hookimpl
    def original_message(self, record: Any) -> Message:
        return Message(record["text"], {"kind": {"DataType": "String", "StringValue": "parcel"}}, record["shelf"])


def handler(record: SQSRecord) -> None:
    raise {
        "drop": DropRecord("too old"),
        "give up": DeadLetterRecord(),
        "again": RetryRecord(),
        "stop": StopBatch("the database is down"),
    }[record.body]


def windowed(record: KinesisStreamRecord, state: dict[str, int], window: Window) -> None:
    state["records"] = state.get("records", 0) + 1


BatchProcessor(
    EventType.SQS,
    ordering=by_key(message_group),
    executor=ThreadPoolExecutor(2),
    stop_before_timeout=timedelta(seconds=5),
    dispositions={ValueError: Disposition.DROP},
    dead_letter_after=3,
    plugins=[queue],
)
AsyncBatchProcessor("kinesis", ordering=by_key(partition_key), stop_before_timeout=2.5, plugins=[Customers()])
BatchProcessor(EventType.DynamoDBStreams, ordering=by_key(item_key, on_failure="continue"), plugins=[topic])
SqsFifoPartialProcessor(stop_before_timeout=1, dead_letter_after=2, plugins=[Deliverer()], executor=None)

GIVEN_UP = {KeyError: Disposition.DROP}
GIVEN_UP_OR_NOT = {KeyError: Disposition.DROP, ValueError: Disposition.STOP_BATCH, TimeoutError: Disposition.RETRY}
OF_A_SETTING: dict[type[Exception], Disposition] = {}
OF_ANY: Mapping[type[BaseException], Disposition] = {KeyError: Disposition.DROP, SystemExit: Disposition.RETRY}
BatchProcessor(EventType.SQS, dispositions=GIVEN_UP)
AsyncBatchProcessor("a-source-of-a-third-package", dispositions=GIVEN_UP_OR_NOT)
SqsFifoPartialProcessor(dispositions=GIVEN_UP_OR_NOT)
BatchProcessor(dispositions=OF_A_SETTING)
BatchProcessor("kinesis", dispositions=OF_ANY)
SqsFifoPartialProcessor(dispositions=None)


def report(result: BatchResult) -> None:
    seconds: float | None = result.duration
    counts: Mapping[str, int] = result.counts()
    print(seconds, counts, result.return_values, result.outcomes[0].duration)
