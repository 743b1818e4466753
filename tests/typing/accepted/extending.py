"""Subclasses, sources and plugins of somebody else."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from batchcore import (
    BasePartialProcessor,
    Batch,
    BatchProcessor,
    BatchResult,
    ExceptionInfo,
    FailureResponse,
    Ordering,
    Outcome,
    SuccessResponse,
    by_key,
    hookimpl,
    in_order,
    offer,
    unordered,
)


class Watching(BatchProcessor):
    def success_handler(self, record: dict[str, Any], result: Any) -> SuccessResponse:
        return super().success_handler(record, result)

    def failure_handler(self, record: Any, exception: ExceptionInfo) -> FailureResponse:
        _, error, _ = exception
        print(error)
        return super().failure_handler(record, exception)


class FromScratch(BasePartialProcessor):
    def _prepare(self) -> None: ...

    def _clean(self) -> None: ...

    def _process_record(self, record: Any) -> SuccessResponse | FailureResponse:
        return self.success_handler(record, self.handler(record))

    async def _async_process_record(self, record: Any) -> SuccessResponse | FailureResponse:
        return self.success_handler(record, await self.handler(record))


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
    def record_scope(self, record: Any) -> AbstractContextManager[Any]:
        return nullcontext()

    @hookimpl
    def record_finished(self, outcome: Outcome) -> None: ...

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None: ...


offer("parcels", Parcels())
BatchProcessor(Parcels(), plugins=[Plugin()])
BatchProcessor("parcels", ordering=unordered)
BatchProcessor("parcels", ordering=in_order())
Watching("sqs", None, False)
FromScratch()
