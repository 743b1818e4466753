"""Processors from scratch, and the ways of calling them."""

from __future__ import annotations

import asyncio
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from batchcore import (
    BasePartialBatchProcessor,
    BasePartialProcessor,
    async_batch_processor,
    async_process_partial_response,
    batch_processor,
    process_partial_response,
)
from tests.batches import Event, Handler, awaiting

EVENTS = Path(__file__).parents[1] / "events"


class Scratch(BasePartialProcessor):
    """As the reference page has it: no ``event_type``, no ``response()``, lists that are kept."""

    def __init__(self) -> None:
        self.log: list[str] = []
        super().__init__()

    def _prepare(self) -> None:
        self.log.append("prepare")

    def _clean(self) -> None:
        self.log.append("clean")

    def _process_record(self, record: Any) -> Any:
        try:
            result = self.handler(record)
        except Exception:
            return self.failure_handler(record, sys.exc_info())  # type: ignore[arg-type]
        return self.success_handler(record, result)

    async def _async_process_record(self, record: Any) -> Any:
        try:
            result = await self.handler(record)
        except Exception:
            return self.failure_handler(record, sys.exc_info())  # type: ignore[arg-type]
        return self.success_handler(record, result)


class ScratchBatch(Scratch, BasePartialBatchProcessor):
    """One that knows its source, and raises when a whole batch failed."""

    def __init__(self, **options: Any) -> None:
        self.log = []
        BasePartialBatchProcessor.__init__(self, "sqs", **options)


def one_call(processor: Any, event: Event, handler: Handler) -> Any:
    return process_partial_response(event, handler, processor)


def run(processor: Any, event: Event, handler: Handler) -> Any:
    return processor.run(event, handler).response


def context_manager(processor: Any, event: Event, handler: Handler) -> Any:
    with processor(records=event["Records"], handler=handler):
        processor.process()
    return processor.response()


def decorator(processor: Any, event: Event, handler: Handler) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        decorate = batch_processor(record_handler=handler, processor=processor)
    return decorate(lambda event, context: processor.response())(event, None)


def async_one_call(processor: Any, event: Event, handler: Handler) -> Any:
    return async_process_partial_response(event, awaiting(handler), processor)


def async_context_manager(processor: Any, event: Event, handler: Handler) -> Any:
    with processor(records=event["Records"], handler=awaiting(handler)):
        processor.async_process()
    return processor.response()


def in_running_loop(processor: Any, event: Event, handler: Handler) -> Any:
    async def main() -> Any:
        with processor(records=event["Records"], handler=awaiting(handler)):
            await processor.aprocess()
        return processor.response()

    return asyncio.run(main())


def async_decorator(processor: Any, event: Event, handler: Handler) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        decorate = async_batch_processor(record_handler=awaiting(handler), processor=processor)
    return decorate(lambda event, context: processor.response())(event, None)


SYNC = [one_call, run, context_manager, decorator]
ASYNC = [async_one_call, async_context_manager, in_running_loop, async_decorator]
Call = Callable[[Any, Event, Handler], Any]
