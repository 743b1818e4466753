"""The ways of calling a processor, and those that stand for the three drivers."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    async_batch_processor,
    async_process_partial_response,
    batch_processor,
    process_partial_response,
)
from tests.batches import Event, Handler, Response, awaiting, handle


class Way(NamedTuple):
    """A way of calling a processor.

    Attributes:
        name: its name, for the name of a test.
        make: makes the processor, of the options of its constructor.
        call: takes processor, event, plain handler and context; gives the response.
    """

    name: str
    make: Callable[..., BatchProcessor]
    call: Callable[..., Response]

    def __call__(self, event: Event, handler: Handler = handle, context: Any = None, **options: Any) -> Response:
        return self.call(self.processor(**options), event, handler, context)

    def processor(self, **options: Any) -> BatchProcessor:
        return self.make(options.pop("event_type", "sqs"), **options)


def in_threads(event_type: Any, **options: Any) -> BatchProcessor:
    return BatchProcessor(event_type, **{"max_concurrency": 3, **options})


def one_call(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    return process_partial_response(event, handler, processor, context)


def result_of_run(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    return processor.run(event, handler, context).response


def result_of_async_run(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    return processor.run(event, awaiting(handler), context).response


def context_manager(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    with processor(records=event["Records"], handler=handler, lambda_context=context):
        processor.process()
    return processor.response()


def decorator(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)

        @batch_processor(record_handler=handler, processor=processor)
        def lambda_handler(event: Event, context: Any) -> Response:
            return processor.response()

    return lambda_handler(event, context)


def async_one_call(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    return async_process_partial_response(event, awaiting(handler), processor, context)


def async_with_plain_handler(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    return async_process_partial_response(event, handler, processor, context)


def in_running_loop(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    async def main() -> Response:
        return (await processor.arun(event, awaiting(handler), context)).response

    return asyncio.run(main())


def async_context_manager(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    with processor(event["Records"], awaiting(handler), context):
        processor.async_process()
    return processor.response()


def context_manager_in_running_loop(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    async def main() -> Response:
        with processor(event["Records"], awaiting(handler), context):
            await processor.aprocess()
        return processor.response()

    return asyncio.run(main())


def async_decorator(processor: Any, event: Event, handler: Handler, context: Any = None) -> Response:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)

        @async_batch_processor(record_handler=awaiting(handler), processor=processor)
        def lambda_handler(event: Event, context: Any) -> Response:
            return processor.response()

    return lambda_handler(event, context)


SYNC_WAYS = [
    Way("one call", BatchProcessor, one_call),
    Way("run", BatchProcessor, result_of_run),
    Way("context manager", BatchProcessor, context_manager),
    Way("decorator", BatchProcessor, decorator),
]
THREAD_WAYS = [
    Way("threads", in_threads, one_call),
    Way("threads, context manager", in_threads, context_manager),
]
ASYNC_WAYS = [
    Way("async one call", AsyncBatchProcessor, async_one_call),
    Way("async run", AsyncBatchProcessor, result_of_async_run),
    Way("plain handler", AsyncBatchProcessor, async_with_plain_handler),
    Way("running loop", AsyncBatchProcessor, in_running_loop),
    Way("async context manager", AsyncBatchProcessor, async_context_manager),
    Way("context manager in running loop", AsyncBatchProcessor, context_manager_in_running_loop),
    Way("async decorator", AsyncBatchProcessor, async_decorator),
]
WAYS = [*SYNC_WAYS, *THREAD_WAYS, *ASYNC_WAYS]

DRIVERS = [SYNC_WAYS[0], THREAD_WAYS[0], ASYNC_WAYS[0]]
"""One way per driver: this thread, worker threads, asyncio tasks."""

CONTEXT_MANAGERS = [way for way in WAYS if "context manager" in way.name]


def name_of(way: Way) -> str:
    return way.name.replace(" ", "-").replace(",", "")
