"""Logging that is put back after each test, a formatter for JSON, and ways to run records."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor
from batchcore_testing import make_event

USUAL = vars(logging.LogRecord("", 0, "", 0, "", (), None)).keys() | {"message", "asctime", "taskName"}
FIELDS = ("batch_source", "item_identifier", "delivery_attempt")


class Lines(logging.Handler):
    """Keeps lines as a formatter for JSON writes them: message, level, logger, and what else a log record has."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        extra = {name: value for name, value in record.__dict__.items() if name not in USUAL}
        extra |= {"message": record.getMessage(), "level": record.levelname, "logger": record.name}
        self.written.append(json.dumps(extra, allow_nan=False))
        self.written[-1].encode()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.written]

    def of(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["message"] == message]


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("BATCHCORE_PLUGINS", "BATCHCORE_LOGS_DESCRIBE"):
        monkeypatch.delenv(name, raising=False)
    factory, root = logging.getLogRecordFactory(), logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    logging.setLogRecordFactory(logging.LogRecord)
    yield
    logging.setLogRecordFactory(factory)
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def log() -> Lines:
    """What is written by a handler of the root logger."""
    handler = Lines()
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    return handler


@pytest.fixture(params=["one by one", "threads", "asyncio"])
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """A function: plugins, contents and a handler of a body; it runs a batch of SQS, and gives its result."""
    way: str = request.param

    def run(plugins: list[Any], contents: Any, handler: Callable[[Any], object], **options: Any) -> Any:
        event = make_event("sqs", *contents)
        options = {"raise_on_entire_batch_failure": False, **options}
        if way == "asyncio":

            async def handle(record: Any) -> object:
                await asyncio.sleep(0.001)
                return handler(record)

            return AsyncBatchProcessor("sqs", plugins=plugins, **options).run(event, handle)
        workers = 4 if way == "threads" else 1
        return BatchProcessor("sqs", plugins=plugins, max_concurrency=workers, **options).run(event, handler)

    return run
