"""The line that is logged of each batch, where somebody wants it."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest

from batchcore import DropRecord, in_order
from tests.batches import QUEUE, batch_of, handle, logger_with
from tests.clocks import Spent
from tests.drivers import Way


class Listener(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def summaries(self) -> list[Any]:
        return [record for record in self.records if "Batch of" in record.getMessage()]


@pytest.fixture
def listener() -> Listener:
    return Listener()


def told(listener: Listener, level: int = logging.INFO) -> logging.Logger:
    logger = logger_with(listener)
    logger.setLevel(level)
    return logger


def test_line_counts_the_records_by_what_became_of_them(driver: Way, listener: Listener) -> None:
    def handler(record: Any) -> None:
        handle(record)
        if record["body"] == "old":
            raise DropRecord

    options = {"ordering": in_order(), "logger": told(listener)}
    driver(batch_of("a", "old", "b", "bad", "c", "d"), handler, **options)
    (line,) = listener.summaries
    assert line.levelname == "INFO"
    text = line.getMessage()
    assert text.startswith("Batch of 6 from sqs: ")
    for counted in ("2 succeeded", "1 dropped", "1 failed", "2 not attempted"):
        assert counted in text
    assert line.batch_counts == {"succeeded": 2, "dropped": 1, "failed": 1, "not_attempted": 2}


def test_line_has_fields_for_machines(driver: Way, listener: Listener) -> None:
    processor = driver.processor(logger=told(listener))
    result = processor.run(batch_of("a", "bad"), handle)
    (line,) = listener.summaries
    assert (line.batch_source, line.batch_counts, line.ended_late) == ("sqs", {"succeeded": 1, "failed": 1}, 0)
    assert line.batch_duration == result.duration
    assert line.getMessage().endswith(f", in {result.duration:.3f} s.")


def test_each_batch_has_a_line_of_its_own(way: Way, listener: Listener) -> None:
    for bodies in (["a"], ["a", "b"], []):
        way(batch_of(*bodies), logger=told(listener))
    assert [line.batch_counts for line in listener.summaries] == [{"succeeded": 1}, {"succeeded": 2}, {}]


def test_batch_without_records_says_so(driver: Way, listener: Listener) -> None:
    driver(batch_of(), logger=told(listener))
    (line,) = listener.summaries
    assert line.getMessage().startswith("Batch of 0 from sqs: no records")


def test_line_comes_after_those_of_the_failures(driver: Way, listener: Listener) -> None:
    driver(batch_of("a", "bad"), logger=told(listener))
    assert [record.levelname for record in listener.records] == ["WARNING", "INFO"]


def test_batch_that_raises_has_its_line_too(driver: Way, listener: Listener) -> None:
    with pytest.raises(Exception, match="All records failed"):
        driver(batch_of("bad"), logger=told(listener))
    assert [line.batch_counts for line in listener.summaries] == [{"failed": 1}]


def test_batch_that_is_refused_has_none(driver: Way, listener: Listener) -> None:
    with pytest.raises(ValueError, match="does not claim"):
        driver({"Records": [{"eventSource": "aws:kinesis"}]}, logger=told(listener))
    assert listener.summaries == []


def test_logger_that_wants_warnings_gets_no_line(driver: Way, listener: Listener) -> None:
    driver(batch_of("a", "bad"), logger=told(listener, logging.WARNING))
    assert listener.summaries == []


def test_batch_that_was_stopped_by_time_is_a_warning(driver: Way, listener: Listener) -> None:
    context = Spent(5)
    options = {"stop_before_timeout": 4, "ordering": in_order(), "logger": told(listener, logging.WARNING)}
    driver(batch_of("a", "b"), lambda record: context.spend(3), context, **options)
    (line,) = listener.summaries
    assert line.levelname == "WARNING"
    assert line.getMessage().endswith("; the time was nearly up.")


def test_batch_that_had_no_time_at_all_asks_whether_the_margin_is_right(driver: Way, listener: Listener) -> None:
    driver(batch_of("a"), handle, Spent(3), stop_before_timeout=4, logger=told(listener, logging.WARNING))
    (line,) = listener.summaries
    assert "before the first record" in line.getMessage()
    assert "stop_before_timeout" in line.getMessage()


def test_batch_that_had_time_is_no_warning(driver: Way, listener: Listener) -> None:
    driver(batch_of("a"), handle, Spent(30), stop_before_timeout=4, logger=told(listener))
    assert [line.levelname for line in listener.summaries] == ["INFO"]


def test_logger_of_the_package_is_asked_when_none_is_given(driver: Way, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "batchcore"):
        driver(batch_of("a"))
    assert caplog.records == []
    with caplog.at_level(logging.INFO, "batchcore"):
        driver(batch_of("a"))
    assert [record.name for record in caplog.records] == ["batchcore"]


def test_logger_that_raises_changes_no_response(driver: Way) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ValueError("the disk is full")

    broken: Any = Broken()
    assert driver(batch_of("a", "bad"), logger=told(broken)) == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def test_logger_that_knows_warnings_alone_is_asked_for_nothing_else(driver: Way) -> None:
    class Plain:
        def __init__(self) -> None:
            self.texts: list[str] = []

        def warning(self, text: str, *arguments: Any, **options: Any) -> None:
            self.texts.append(text % arguments)

    plain = Plain()
    driver(batch_of("a", "bad"), logger=plain)
    assert len(plain.texts) == 1


def test_neither_body_nor_queue_is_in_the_line(driver: Way, listener: Listener) -> None:
    driver(batch_of("what-a-user-wrote", "b"), logger=told(listener))
    (line,) = listener.summaries
    assert "what-a-user-wrote" not in str(vars(line))
    assert QUEUE not in str(vars(line))


def test_program_that_has_not_imported_logging_pays_for_no_line() -> None:
    program = (
        "import sys; from batchcore import BatchProcessor; "
        "event = {'Records': [{'messageId': 'a', 'body': '', 'eventSource': 'aws:sqs'}]}; "
        "BatchProcessor('sqs').run(event, lambda record: None); print('logging' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout == "False\n"
