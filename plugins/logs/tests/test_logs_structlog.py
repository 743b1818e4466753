"""structlog: by its context variables, with nothing to set up; or by a processor, which costs a record nothing."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import time
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor
from batchcore_logs import LogContext, add_record, bind
from batchcore_testing import make_event

structlog = pytest.importorskip("structlog")

WAYS = {
    "context variables": [structlog.contextvars.merge_contextvars],
    "the processor": [add_record],
    "both": [structlog.contextvars.merge_contextvars, add_record],
}
FIELDS = ("batch_source", "item_identifier", "delivery_attempt")


@pytest.fixture(params=WAYS)
def lines(request: pytest.FixtureRequest) -> Iterator[Any]:
    """What structlog writes as JSON, in one of the ways."""
    stream = io.StringIO()
    structlog.configure(
        processors=[*WAYS[request.param], structlog.processors.JSONRenderer()],
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def handler(record: Any) -> None:
    log = structlog.get_logger()
    log.info("first", of=record.message_id)
    structlog.contextvars.bind_contextvars(theirs=record.message_id)
    bind(order=record.message_id)
    time.sleep(0.001)
    log.info("second", of=record.message_id)


def test_each_line_of_a_handler_names_its_record_and_no_other_line_does(run: Any, lines: Any) -> None:
    structlog.get_logger().info("before")
    result = run([LogContext()], range(20), handler)
    structlog.get_logger().info("after")

    before, *written, after = lines()
    assert before == {"event": "before"}
    assert after == {"event": "after"}
    assert sorted(line["of"] for line in written) == sorted([*result.batch.identifiers] * 2)
    for line in written:
        assert tuple(line[name] for name in FIELDS) == ("sqs", line["of"], 1)
        assert line.get("order") == (line["of"] if line["event"] == "second" else None)


def test_nothing_is_left_in_their_context_variables(run: Any, lines: Any) -> None:
    run([LogContext()], range(3), lambda record: bind(order=1))

    assert structlog.contextvars.get_contextvars() == {}


def test_what_a_line_has_of_its_own_is_kept(run: Any, lines: Any) -> None:
    run([LogContext()], [1], lambda record: structlog.get_logger().info("a line", item_identifier="mine"))

    (line,) = lines()
    assert (line["item_identifier"], line["batch_source"]) == ("mine", "sqs")


def test_a_batch_inside_of_a_record_has_its_own_and_then_the_outer_one_again(lines: Any) -> None:
    inner = BatchProcessor("kinesis", plugins=[LogContext()])

    def outer_handler(record: Any) -> None:
        log = structlog.get_logger()
        log.info("before")
        inner.run(make_event("kinesis", "a"), lambda each: log.info("inside"))
        log.info("behind")

    BatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1), outer_handler)

    before, inside, behind = lines()
    assert inside["batch_source"] == "kinesis"
    assert (before.pop("event"), behind.pop("event")) == ("before", "behind")
    assert before == behind
    assert before["batch_source"] == "sqs"


def test_a_coroutine_that_binds_in_a_task_of_its_own_ends_well(lines: Any) -> None:
    async def task() -> None:
        bind(step=1)
        structlog.get_logger().info("in a task")

    async def handle(record: Any) -> None:
        await asyncio.gather(task(), asyncio.to_thread(bind, step=2))

    result = AsyncBatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1, 2), handle)

    assert result.counts() == {"succeeded": 2}
    assert {line["step"] for line in lines()} == {1}
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize(("way", "binds"), [("context variables", True), ("the processor", False), ("both", False)])
def test_nothing_is_bound_where_the_processor_adds_it(way: str, binds: bool) -> None:
    structlog.configure(processors=WAYS[way])
    bound: list[dict[str, Any]] = []
    handler = lambda record: bound.append(structlog.contextvars.get_contextvars())  # noqa: E731
    BatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1), handler)
    structlog.reset_defaults()

    assert bool(bound[0]) == binds


def test_a_scope_that_is_closed_in_another_context_changes_nothing_there() -> None:
    plugin = LogContext()
    plugin.batch_started()
    batch = BatchProcessor("sqs").run(make_event("sqs", 1), bool).batch
    scope = plugin.record_scope(batch.records[0], batch, 0)
    copy_context().run(scope.__enter__)
    scope.__exit__(None, None, None)

    assert structlog.contextvars.get_contextvars() == {}


def test_lines_of_logging_that_structlog_renders_have_them(run: Any) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    processors = [structlog.stdlib.ExtraAdder(FIELDS), structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[*processors, structlog.processors.JSONRenderer()])
    )
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    result = run([LogContext()], [1], lambda record: logging.getLogger("acme").info("a line"))

    line = json.loads(stream.getvalue().splitlines()[0])
    assert line == {
        "event": "a line",
        **dict(zip(FIELDS, ("sqs", result.batch.identifiers[0], 1), strict=True)),
    }


@pytest.mark.parametrize("chain", [None, [add_record]], ids=["without", "with"])
def test_lines_of_logging_have_what_the_processor_adds_where_it_is_in_their_chain(run: Any, chain: Any) -> None:
    structlog.configure(processors=[add_record, structlog.processors.JSONRenderer()])
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    formatter = structlog.stdlib.ProcessorFormatter
    processors = [formatter.remove_processors_meta, structlog.processors.JSONRenderer()]
    handler.setFormatter(formatter(processors=processors, foreign_pre_chain=chain))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    run([LogContext()], [1], lambda record: logging.getLogger("acme").info("a line"))
    structlog.reset_defaults()

    assert ("item_identifier" in json.loads(stream.getvalue().splitlines()[0])) == (chain is not None)


def test_a_processor_of_a_logger_of_its_own_has_them(run: Any) -> None:
    stream = io.StringIO()
    log = structlog.wrap_logger(structlog.PrintLogger(stream), [add_record, structlog.processors.JSONRenderer()])
    run([LogContext()], [1], lambda record: log.info("a line"))

    assert json.loads(stream.getvalue())["batch_source"] == "sqs"
