"""Subclasses, sources and plugins of somebody else."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import sentry_sdk

from batchcore import (
    BasePartialBatchProcessor,
    BasePartialProcessor,
    Batch,
    BatchProcessor,
    BatchResult,
    ExceptionInfo,
    FailureResponse,
    LambdaContext,
    Ordering,
    Outcome,
    PartialItemFailureResponse,
    PartialItemFailures,
    SuccessResponse,
    by_key,
    hookimpl,
    in_order,
    offer,
    process_partial_response,
    unordered,
)
from batchcore_sqs import SqsFifoPartialProcessor, SQSRecord


class Watching(BatchProcessor):
    def success_handler(self, record: dict[str, Any], result: Any) -> SuccessResponse:
        return super().success_handler(record, result)

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        _, error, _ = exception
        print(error)
        return super().failure_handler(record, exception)


class Reporting(SqsFifoPartialProcessor):
    """What reports exceptions elsewhere takes them as they come; the record may be said to be the view."""

    def failure_handler(self, record: SQSRecord, exception: ExceptionInfo) -> FailureResponse:
        kind, error, _ = exception
        logging.getLogger("orders").error("%s failed: %s %s", record.message_id, kind, error, exc_info=exception)
        traceback.print_exception(*exception)
        sentry_sdk.capture_exception(exception)
        return super().failure_handler(record, exception)

    def response(self) -> PartialItemFailureResponse:
        failures: list[PartialItemFailures] = [{"itemIdentifier": record.message_id} for record in self.fail_messages]
        return {"batchItemFailures": failures}


class FromScratch(BasePartialProcessor):
    def _prepare(self) -> None:
        self.success_messages = []
        self.fail_messages.clear()

    def _clean(self) -> None: ...

    def _process_record(self, record: Any) -> SuccessResponse | FailureResponse:
        return self.success_handler(record, self.handler(record))

    async def _async_process_record(self, record: Any) -> SuccessResponse | FailureResponse:
        return self.success_handler(record, await self.handler(record))


class FromScratchWithItsSource(BasePartialBatchProcessor):
    def _process_record(self, record: dict[str, Any]) -> SuccessResponse | FailureResponse:
        try:
            data = self._to_batch_type(record, event_type=self.event_type, model=self.model)
            result = self.handler(data, self.lambda_context) if self.lambda_context else self.handler(data)
        except Exception:
            return self.failure_handler(record, sys.exc_info())
        return self.success_handler(record=record, result=result)


def handler(record: SQSRecord) -> str:
    return record.body


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    scratch = FromScratchWithItsSource("sqs")
    with scratch(event["Records"], handler) as batch:
        entries: list[SuccessResponse | FailureResponse] = batch.process()
    print([status for status, _, _ in entries], scratch.batch_response["batchItemFailures"])
    return process_partial_response(event, handler, FromScratch(), context)


def lambda_handler_with_result(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return FromScratch().run(event, handler, context).response if event else Reporting().response()


class Parcels:
    """A source of a third package."""

    name = "parcels"

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        return "parcels" in event

    @hookimpl
    def extract_records(self, event: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        parcels: list[Mapping[str, Any]] = event["parcels"]
        return parcels

    @hookimpl
    def identify_records(self, records: Sequence[Mapping[str, Any]]) -> Sequence[str]:
        return [record["number"] for record in records]

    @hookimpl(specname="ordering_policy")
    def order(self) -> Ordering:
        return by_key(lambda record: record["street"], on_failure="continue")


class Plugin:
    """An extension that wraps a hook of the source, and an observer."""

    @hookimpl(wrapper=True)
    def record_preparer(self, batch: Batch) -> Generator[None, Callable[[Any], Any], Callable[[Any], Any]]:
        inner = yield
        return lambda record: inner(record["envelope"])

    @hookimpl
    def wrap_handler(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(record: Any, **others: Any) -> Any:
            return handler(record, **others)

        return wrapped

    @hookimpl
    def batch_started(self, batch: Batch) -> None:
        for record, identifier in zip(batch.records, batch.identifiers, strict=True):
            print(identifier, batch.delivery_attempt(record), dict(batch.describe_record(record)), batch.context)

    @hookimpl
    def record_scope(self, record: Any) -> AbstractContextManager[Any]:
        return nullcontext()

    @hookimpl
    def record_finished(self, outcome: Outcome) -> None:
        error = outcome.exception
        print(outcome.position, outcome.status, outcome.value if error is None else type(error).__name__)

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None:
        print(len(result.response["batchItemFailures"]), result.counts(), result.batch.source)


offer("parcels", Parcels())
BatchProcessor(Parcels(), plugins=[Plugin()])
BatchProcessor("parcels", ordering=unordered)
BatchProcessor("parcels", ordering=in_order())
Watching("sqs", None, False)
FromScratch()
