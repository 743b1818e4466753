"""Runs of every kind: in this thread, in worker threads, as tasks, in a with block; and who watches them."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
import time
from collections.abc import Callable, Container, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessor,
    async_process_partial_response,
    hookimpl,
    process_partial_response,
)
from batchcore_testing.services import resolved_source

if TYPE_CHECKING:
    from batchcore import Batch, BatchResult

SILENT = logging.getLogger("batchcore_testing.contract")
SILENT.disabled = True  # no handler, nor one of pytest, may keep what fails here, or print it

CONCURRENCY = 8
_PAUSE_S = 0.005

_position: contextvars.ContextVar[int] = contextvars.ContextVar("position")


class HandlerFailed(Exception):
    """What a handler of the suite raises."""


class Watch:
    """An observer that tells handlers which record they have, and writes down when each begins and ends.

    Attributes:
        batch: the batch.
        result: its result, once there is one.
        begun: the positions of the records whose handler was called, in that order.
        log: when handlers begin and end, with the positions of their records.
    """

    def __init__(self) -> None:
        self.batch: Batch | None = None
        self.result: BatchResult | None = None
        self.begun: list[int] = []
        self.log: list[tuple[str, int]] = []
        self._lock = threading.Lock()

    @hookimpl
    def batch_started(self, batch: Batch) -> None:
        """Keep the batch."""
        self.batch = batch

    @hookimpl
    def batch_finished(self, result: BatchResult) -> None:
        """Keep the result."""
        self.result = result

    @hookimpl
    def record_scope(self, record: Any) -> AbstractContextManager[None]:
        """Return the scope of a handler."""
        return self._scope(record)

    @contextmanager
    def _scope(self, record: Any) -> Generator[None, None, None]:
        with self._lock:
            position = self._position_of(record)
            self.begun.append(position)
            self.log.append(("begins", position))
        _position.set(position)
        try:
            yield
        finally:
            with self._lock:
                self.log.append(("ends", position))

    def _position_of(self, record: Any) -> int:
        records: Sequence[Any] = () if self.batch is None else self.batch.records
        same = [position for position, other in enumerate(records) if other is record]
        equal = same or [position for position, other in enumerate(records) if other == record]
        left = [position for position in equal if position not in self.begun]
        return (left or equal or [-1])[0]


class Handler:
    """A record handler that fails some records, and keeps what it gets.

    Args:
        fails: the positions of those records.
        pauses: whether it takes a moment, so that others could overtake it.
        returns: what it returns.

    Attributes:
        got: position to what the handler got.
    """

    def __init__(self, fails: Container[int] = (), *, pauses: bool = False, returns: Any = None) -> None:
        self.fails = fails
        self.pauses = pauses
        self.returns = returns
        self.got: dict[int, Any] = {}

    def __call__(self, record: Any) -> Any:
        """Handle a record."""
        if self.pauses:
            time.sleep(_PAUSE_S)
        return self._end(record)

    async def awaited(self, record: Any) -> Any:
        """Handle a record."""
        await asyncio.sleep(_PAUSE_S if self.pauses else 0)
        return self._end(record)

    def _end(self, record: Any) -> Any:
        position = _position.get()
        self.got[position] = record
        if position in self.fails:
            raise HandlerFailed(f"record {position}")
        return self.returns


Driver = Callable[..., Any]


def one_by_one(source: object, event: Any, handler: Handler, watch: Watch, **options: Any) -> Any:
    """Run a batch in this thread."""
    return _processor(BatchProcessor, source, watch, options).run(event, handler, options.get("context")).response


def one_call(source: object, event: Any, handler: Handler, watch: Watch, **options: Any) -> Any:
    """Run a batch by the one-call function."""
    processor = _processor(BatchProcessor, source, watch, options)
    return process_partial_response(event, handler, processor, options.get("context"))


def with_block(source: object, event: Any, handler: Handler, watch: Watch, **options: Any) -> Any:
    """Run a batch in a with block, which has the records and no event."""
    processor = _processor(BatchProcessor, source, watch, options)
    records: Any = resolved_source(source).extract_records(event)
    with processor(records=records, handler=handler, lambda_context=options.get("context")):
        processor.process()
    return processor.response()


def threads(source: object, event: Any, handler: Handler, watch: Watch, **options: Any) -> Any:
    """Run a batch in worker threads."""
    options = {"max_concurrency": CONCURRENCY, **options}
    return one_by_one(source, event, handler, watch, **options)


def tasks(source: object, event: Any, handler: Handler, watch: Watch, **options: Any) -> Any:
    """Run a batch as asyncio tasks."""
    processor = _processor(AsyncBatchProcessor, source, watch, options)
    return async_process_partial_response(event, handler.awaited, processor, options.get("context"))


def tasks_of_a_plain_handler(source: object, event: Any, handler: Handler, watch: Watch, **options: Any) -> Any:
    """Run a batch as asyncio tasks whose handler is a plain function."""
    processor = _processor(AsyncBatchProcessor, source, watch, options)
    return processor.run(event, handler, options.get("context")).response


def on_a_running_loop(source: object, event: Any, handler: Handler, watch: Watch, **options: Any) -> Any:
    """Run a batch where a loop runs already."""
    processor = _processor(AsyncBatchProcessor, source, watch, options)
    return asyncio.run(processor.arun(event, handler.awaited, options.get("context"))).response


DRIVERS: tuple[Driver, ...] = (
    one_by_one,
    one_call,
    with_block,
    threads,
    tasks,
    tasks_of_a_plain_handler,
    on_a_running_loop,
)
CONCURRENT_DRIVERS: tuple[Driver, ...] = (one_by_one, threads, tasks)


def _processor(kind: type[Any], source: object, watch: Watch, options: Mapping[str, Any]) -> Any:
    kept = {name: value for name, value in options.items() if name not in ("context", "plugins")}
    plugins = [watch, *options.get("plugins", ())]
    return kind(source, raise_on_entire_batch_failure=False, logger=SILENT, plugins=plugins, **kept)
