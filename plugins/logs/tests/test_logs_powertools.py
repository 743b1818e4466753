"""Powertools' Logger, which users keep: it writes what is on a log record, so nothing is to be set up."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator
from itertools import count
from threading import Barrier
from typing import Any

import pytest

from batchcore import BatchProcessor
from batchcore_logs import LogContext, bind
from batchcore_testing import make_event

pytest.importorskip("aws_lambda_powertools")

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.buffer import LoggerBufferConfig

NUMBERS = count()  # a service that was seen before keeps its handlers
FIELDS = ("batch_source", "item_identifier", "delivery_attempt")


class Written:
    """A Logger of Powertools, and what it wrote."""

    def __init__(self, **options: Any) -> None:
        self.stream = io.StringIO()
        self.logger = Logger(service=f"orders-{next(NUMBERS)}", stream=self.stream, level="DEBUG", **options)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def theirs() -> Iterator[Written]:
    written = Written()
    yield written
    written.logger.thread_safe_clear_keys()


def test_each_line_of_a_handler_names_its_record_and_no_other_line_does(run: Any, theirs: Written) -> None:
    log = theirs.logger

    def handler(record: Any) -> None:
        log.info("in it", of=record.message_id)
        bind(order=record.message_id)
        time.sleep(0.001)
        log.info({"of": record.message_id}, of=record.message_id)

    log.info("before")
    result = run([LogContext()], range(20), handler)
    log.info("after")

    before, *written, after = theirs.lines()
    assert len(written) == 40
    assert {line["of"] for line in written} == set(result.batch.identifiers)
    for line in written:
        assert tuple(line[name] for name in FIELDS) == ("sqs", line["of"], 1)
    assert {line["order"] == line["of"] for line in written if "order" in line} == {True}
    for line in (before, after):
        assert not {*FIELDS, "order"} & line.keys()


def test_child_loggers_have_them_too(run: Any, theirs: Written) -> None:
    child = Logger(service=theirs.logger.service, child=True)
    run([LogContext()], [1], lambda record: child.info("a line"))

    assert theirs.lines()[0]["batch_source"] == "sqs"


def test_keys_of_their_own_stay_and_a_line_s_own_field_wins(run: Any, theirs: Written) -> None:
    theirs.logger.append_keys(stage="prod")
    run([LogContext()], [1], lambda record: theirs.logger.info("a line", item_identifier="mine"))

    (line,) = theirs.lines()
    assert (line["stage"], line["item_identifier"], line["batch_source"]) == ("prod", "mine", "sqs")


def test_what_they_append_safely_in_a_handler_is_right_beside_it(run: Any, theirs: Written) -> None:
    log = theirs.logger

    def handler(record: Any) -> None:
        log.thread_safe_append_keys(order=record.message_id)
        time.sleep(0.001)
        log.info("a line")

    run([LogContext()], range(20), handler)

    assert all(line["order"] == line["item_identifier"] for line in theirs.lines())


def test_what_they_append_for_all_is_another_records_in_threads(theirs: Written) -> None:
    """Why the page says to use bind(): a key of append_keys() is everybody's."""
    log = theirs.logger
    both = Barrier(2)

    def handler(record: Any) -> None:
        both.wait(20)
        log.append_keys(order=record.message_id)
        bind(ours=record.message_id)
        both.wait(20)
        log.info("a line")

    BatchProcessor("sqs", plugins=[LogContext()], max_concurrency=2).run(make_event("sqs", 1, 2), handler)

    lines = theirs.lines()
    assert [line["order"] == line["item_identifier"] for line in lines].count(False) == 1
    assert all(line["ours"] == line["item_identifier"] for line in lines)


def test_a_line_that_they_buffer_has_the_fields_of_the_record_that_flushes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page says not to do: their buffer keeps what the line says, and makes the log record when it flushes."""
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")
    written = Written(buffer_config=LoggerBufferConfig())

    def handler(record: Any) -> None:
        written.logger.debug("buffered", of=record.message_id)
        if record.body == "2":
            written.logger.error("flushes", of=record.message_id)

    BatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1, 2), handler)

    assert [line["item_identifier"] == line["of"] for line in written.lines()] == [False, True, True]


def test_the_failure_of_a_record_is_logged_by_their_logger_with_the_fields_once(run: Any, theirs: Written) -> None:
    def fails(record: Any) -> None:
        raise ValueError("no")

    result = run([LogContext()], [1], fails, logger=theirs.logger)

    (line,) = (line for line in theirs.lines() if line["level"] == "WARNING")
    assert line["item_identifier"] == result.batch.identifiers[0]
    assert line["record_disposition"] == "retry"
    assert logging.getLogger().level == logging.WARNING
