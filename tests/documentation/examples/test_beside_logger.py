"""Powertools' Logger in handlers, and as the logger of a processor."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.buffer import LoggerBufferConfig

from .beside import SIDE_BY_SIDE, WAYS, messages, named, numbers, run, services

COUNT = 8


class Lines:
    """A Logger of its own, and what it has written."""

    def __init__(self, **options: Any) -> None:
        self.stream = io.StringIO()
        self.logger = Logger(service=f"beside{next(services)}", stream=self.stream, **options)

    def written(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


Bind = Callable[[Logger, str], AbstractContextManager[None]]


def append_keys(logger: Logger, order: str) -> AbstractContextManager[None]:
    logger.append_keys(order=order)
    return nullcontext()


def append_context_keys(logger: Logger, order: str) -> AbstractContextManager[None]:
    return logger.append_context_keys(order=order)


def thread_safe_append_keys(logger: Logger, order: str) -> AbstractContextManager[None]:
    logger.thread_safe_append_keys(order=order)
    return nullcontext()


def wrong_lines(way: str, bind: Bind) -> dict[str, int]:
    """Run a batch whose handlers bind a key each, and count the lines that have another's key, or none of their own."""
    lines = Lines()

    def steps(record: Any) -> Iterator[None]:
        lines.logger.info("before", extra={"of": record.body})
        yield
        with bind(lines.logger, record.body):
            yield
            lines.logger.info("inside", extra={"of": record.body})
        yield

    assert run(way, steps, numbers(COUNT)).counts() == {"succeeded": COUNT}
    lines.logger.info("after", extra={"of": None})
    wrong = dict.fromkeys(("before", "inside", "after"), 0)
    for line in lines.written():
        wrong[line["message"]] += line.get("order") != (line["of"] if line["message"] == "inside" else None)
    return wrong


@pytest.mark.parametrize("way", WAYS)
def test_keys_that_are_safe_in_threads_are_on_the_lines_of_their_record_alone(way: str) -> None:
    assert wrong_lines(way, thread_safe_append_keys) == {"before": 0, "inside": 0, "after": 0}


@pytest.mark.parametrize("way", SIDE_BY_SIDE)
@pytest.mark.parametrize("bind", [append_keys, append_context_keys])
def test_keys_that_are_not_are_on_the_lines_of_other_records(way: str, bind: Bind) -> None:
    assert wrong_lines(way, bind)["inside"] >= COUNT - 1


def test_one_by_one_keys_of_a_context_are_right_and_appended_ones_stay_for_the_next_record() -> None:
    assert wrong_lines("one by one", append_context_keys) == {"before": 0, "inside": 0, "after": 0}
    assert wrong_lines("one by one", append_keys) == {"before": COUNT - 1, "inside": 0, "after": 1}


@pytest.mark.parametrize("way", WAYS)
def test_failure_lines_have_their_fields_their_traceback_and_the_keys_of_their_record(way: str) -> None:
    lines = Lines()
    lines.logger.append_keys(function_request_id="of the invocation")

    def steps(record: Any) -> Iterator[None]:
        lines.logger.thread_safe_append_keys(order=f"order {record.body}")
        yield
        if record.body == "2":
            raise OSError(f"no stock for {record.body}")
        if record.body == "6":
            raise OSError(f"no stock for {record.body}")

    result = run(way, steps, numbers(COUNT), logger=lines.logger)
    assert [failure.identifier for failure in result.failures] == ["m2", "m6"]
    written = {line["item_identifier"]: line for line in lines.written() if line["level"] == "WARNING"}
    assert written.keys() == {"m2", "m6"}
    for identifier, line in written.items():
        number = identifier[1:]
        assert line["batch_source"] == "sqs"
        assert line["delivery_attempt"] == 1
        assert line["record_disposition"] == "retry"
        assert line["record_description"] == {"queue": "orders"}
        assert [entry["type"] for entry in line["failure_chain"]] == ["OSError"]
        assert line["exception_name"] == "OSError"
        assert f"OSError: no stock for {number}" in line["exception"]
        assert "in steps" in line["exception"]
        assert line["order"] == f"order {number}"
        assert line["function_request_id"] == "of the invocation"


@pytest.mark.parametrize("way", WAYS)
def test_failure_lines_that_are_buffered_are_lost_with_the_buffer(way: str, context: Any) -> None:
    """A batch that failed in part raises nothing, so nothing flushes it."""

    def written(verbosity: Any) -> list[dict[str, Any]]:
        buffer = LoggerBufferConfig(buffer_at_verbosity=verbosity, flush_on_error_log=True)
        lines = Lines(buffer_config=buffer)

        def steps(record: Any) -> Iterator[None]:
            yield
            record.json_body  # noqa: B018 - it is read

        @lines.logger.inject_lambda_context
        def lambda_handler(event: Any, context: Any) -> Any:
            return run(way, steps, event, context, logger=lines.logger).response

        assert lambda_handler(messages("1", "no JSON"), context) == named("m1")
        return [line for line in lines.written() if line["level"] == "WARNING"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988-bd862e3fe1be46a994272793")
        assert written("WARNING") == []
        assert [line["item_identifier"] for line in written("INFO")] == ["m1"]


def test_program_writes_each_line_with_the_keys_of_its_own_message(
    load: Any, context: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    program = load("beside/logger.py")
    orders = [{"id": f"o{number}", "quantity": number % 3} for number in range(12)]
    assert program(messages(*orders, "no JSON")) == named("m0", "m3", "m6", "m9", "m12")

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    received = [line for line in lines if line["message"] == "Order received"]
    assert sorted((line["message_id"], line["order"]) for line in received) == sorted(
        (f"m{number}", f"o{number}") for number in range(12)
    )
    failures = [line for line in lines if line["level"] == "WARNING" and "item_identifier" in line]
    assert {line["exception_name"] for line in failures} == {"ValueError", "JSONDecodeError"}
    assert [line["failure_count"] for line in lines if "failure_count" in line] == [3], "the others like the first"
    for line in failures:
        assert line["message_id"] == line["item_identifier"]
        assert line.get("order") == (None if line["item_identifier"] == "m12" else line["message_id"].replace("m", "o"))
    assert {line["function_request_id"] for line in lines} == {context.aws_request_id}
