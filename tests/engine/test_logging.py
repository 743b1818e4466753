"""Failures are visible by default, and inputs and bodies never."""

from __future__ import annotations

import importlib
import io
import itertools
import json
import logging
import operator
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from batchcore import BatchProcessingError, BatchProcessor, Disposition, hookimpl, in_order, process_partial_response
from batchcore_sqs import SQS
from tests.batches import EXCEPTION_GROUP, batch_of, failed, handle, logger_with
from tests.drivers import Way

SECRET = "4929-1234-5678-9012"


class Listener(logging.Handler):
    """Keeps what a formatter makes of each record, and the records."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        self.records: list[logging.LogRecord] = []
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append(self.format(record))

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def listener() -> Iterator[Listener]:
    logger, listening = logging.getLogger("batchcore"), Listener()
    logger.addHandler(listening)
    yield listening
    logger.removeHandler(listening)


def test_each_failed_record_is_logged_once(way: Way, listener: Listener) -> None:
    def handler(record: Any) -> None:
        if record["body"] == "bad":
            raise ValueError(record["messageId"])
        if record["body"] == "worse":
            raise LookupError(record["messageId"])

    way(batch_of("a", "bad", "c", "worse"), handler)
    assert sorted(line.partition("\n")[0] for line in listener.lines) == [
        "WARNING Record m1 of sqs failed (delivery 1): ValueError: m1",
        "WARNING Record m3 of sqs failed (delivery 1): LookupError: m3",
    ]


def test_batch_without_failures_logs_nothing(way: Way, listener: Listener) -> None:
    way(batch_of("a", "b"))
    assert listener.lines == []


def test_log_record_has_fields_for_machines(driver: Way, listener: Listener) -> None:
    event = batch_of("a", "bad", groups="xy")
    event["Records"][1]["attributes"]["ApproximateReceiveCount"] = "3"
    driver(event)
    (record,) = listener.records
    fields: Any = record
    assert record.name == "batchcore"
    assert record.levelno == logging.WARNING
    assert fields.batch_source == "sqs"
    assert fields.item_identifier == "m1"
    assert fields.delivery_attempt == 3
    assert fields.record_description == {"queue": "orders", "message_group_id": "y"}
    assert record.exc_info is not None
    assert "(delivery 3)" in listener.text
    assert 'raise ValueError(record["messageId"])' in listener.text


def test_records_that_were_not_attempted_are_not_logged(driver: Way, listener: Listener) -> None:
    driver(batch_of("a", "bad", "c", "d"), ordering=in_order())
    assert len(listener.lines) == 1


def test_dropped_record_is_logged_as_well(driver: Way, listener: Listener) -> None:
    driver(batch_of("a", "bad"), dispositions={ValueError: Disposition.DROP})
    assert len(listener.lines) == 1


def test_tracebacks_of_a_batch_are_bounded(driver: Way, listener: Listener) -> None:
    numbers = itertools.count()

    def handler(record: Any) -> None:
        if record["body"] == "bad":
            raise type(f"Odd{next(numbers)}", (Exception,), {})

    driver(batch_of("ok", *["bad"] * 25), handler, max_concurrency=1)
    assert len(listener.lines) == 25
    assert sum("Traceback" in line for line in listener.lines) == 20
    driver(batch_of("ok", "bad"))
    assert "Traceback" in listener.lines[-1], "the next batch has its own"


def test_neither_body_nor_anything_else_of_a_record_is_logged(driver: Way, listener: Listener) -> None:
    event = batch_of("a", SECRET)
    event["Records"][1] |= {"receiptHandle": SECRET, "messageAttributes": {"card": {"stringValue": SECRET}}}

    def handler(record: Any) -> None:
        if record["body"] == SECRET:
            raise ValueError("declined")

    driver(event, handler)
    assert "declined" in listener.text
    assert SECRET not in listener.text
    assert SECRET not in str([vars(record) for record in listener.records])


def test_body_that_is_no_json_is_not_logged(driver: Way, listener: Listener) -> None:
    driver(batch_of("{}", f'{{"card": {SECRET}'), lambda record: record.json_body)
    assert "JSON" in listener.text
    assert SECRET not in listener.text


class Models:
    """Pydantic models, and handlers that meet their errors."""

    def __init__(self) -> None:
        pydantic = pytest.importorskip("pydantic")
        self.error: Any = pydantic.ValidationError
        self.card: Any = pydantic.create_model("Card", number=(int, ...))

    def refuse(self) -> None:
        self.card.model_validate({"number": SECRET})

    def direct(self, record: Any) -> None:
        self.refuse()

    def cause(self, record: Any) -> None:
        try:
            self.refuse()
        except self.error as error:
            raise LookupError("no card") from error

    def context(self, record: Any) -> None:
        try:
            self.refuse()
        except self.error:
            raise LookupError("no card")  # noqa: B904  # what the test is about

    def group(self, record: Any) -> None:
        if EXCEPTION_GROUP is None:
            self.cause(record)
        errors: list[Exception] = []
        try:
            self.cause(record)
        except LookupError as error:
            errors.append(error)
        raise EXCEPTION_GROUP("cards", errors)


@pytest.mark.parametrize("way_in", ["direct", "cause", "context", "group"])
def test_input_that_pydantic_refused_is_never_logged(driver: Way, listener: Listener, way_in: str) -> None:
    handler: Callable[[Any], None] = getattr(Models(), way_in)
    driver(batch_of("a", "b"), handler, raise_on_entire_batch_failure=False)
    assert len(listener.lines) == 2
    assert f"in {way_in}" in listener.text, "the traceback is there, by its lines"
    assert SECRET not in listener.text
    assert SECRET not in str([(record.getMessage(), record.args) for record in listener.records])


def test_model_that_refuses_a_record_is_logged_by_field_and_without_input(driver: Way, listener: Listener) -> None:
    pydantic = pytest.importorskip("pydantic")
    fields: dict[str, Any] = {f"field{number}": (int, ...) for number in range(8)}
    model: Any = pydantic.create_model("Message", body=(int, ...), **fields)
    driver(batch_of(SECRET), lambda record: record, model=model, raise_on_entire_batch_failure=False)
    line = listener.lines[0].partition("\n")[0]
    assert "ValidationError: Message: body: Input should be a valid integer" in line
    assert line.endswith("field3: Field required; and 4 more")
    assert SECRET not in listener.text


def test_error_of_the_whole_batch_quotes_no_input(driver: Way) -> None:
    pydantic = pytest.importorskip("pydantic")
    model: Any = pydantic.create_model("Message", body=(int, ...))
    with pytest.raises(BatchProcessingError) as caught:
        driver(batch_of(SECRET), lambda record: record, model=model)
    assert "body: Input should be a valid integer" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_failure_of_an_override_logs_no_input(listener: Listener) -> None:
    models = Models()

    class Processor(BatchProcessor):
        def failure_handler(self, record: Any, exception: Any) -> Any:
            models.refuse()

    process_partial_response(batch_of("a", "bad"), handle, Processor("sqs"))
    assert "failure_handler() raised ValidationError: Card: number: Input should be" in listener.text
    assert SECRET not in listener.text


def test_long_text_of_an_exception_is_cut(listener: Listener) -> None:
    def handler(record: Any) -> None:
        if record["body"] == "long":
            raise ValueError("x" * 5_000)

    process_partial_response(batch_of("a", "long"), handler, BatchProcessor("sqs"))
    assert "x" * 1_000 + "... (5000 characters)" in listener.records[0].getMessage()


def test_exception_without_text_is_logged_by_its_name(listener: Listener) -> None:
    def handler(record: Any) -> None:
        if record["body"] == "b":
            raise ValueError

    process_partial_response(batch_of("a", "b"), handler, BatchProcessor("sqs"))
    assert listener.records[0].getMessage().endswith("failed (delivery 1): ValueError")


def test_record_without_identity_is_logged_by_its_position(listener: Listener) -> None:
    class Source(type(SQS)):  # type: ignore[misc]  # a class made of an object
        @hookimpl
        def identify_records(self, records: Any) -> Any:
            return [None] * len(records)

        @hookimpl
        def delivery_attempt(self, record: Any) -> None:
            return None

        @hookimpl
        def describe_record(self, record: Any) -> Any:
            raise LookupError

    process_partial_response(batch_of("a", "bad"), handle, BatchProcessor(Source()))
    assert listener.records[0].getMessage() == "Record at position 1 of sqs failed: ValueError: m1"
    fields: Any = listener.records[0]
    assert fields.record_description == {}


# -- Failures of one kind.


def refuse(record: Any) -> None:
    if record["body"] == "bad":
        raise ValueError("no such customer")


def test_failures_of_one_kind_are_one_line_and_a_count(way: Way, listener: Listener) -> None:
    way(batch_of("a", *["bad"] * 4), refuse, max_concurrency=1)
    first, others = listener.records
    assert first.getMessage() == "Record m1 of sqs failed (delivery 1): ValueError: no such customer"
    assert first.exc_info
    assert others.levelname == "WARNING"
    assert others.getMessage() == "Like record m1 of sqs, which failed with ValueError: 3 more, m2, m3, m4"
    assert not others.exc_info
    fields: Any = others
    assert (fields.batch_source, fields.failure_count) == ("sqs", 3)
    assert fields.item_identifiers == ["m2", "m3", "m4"]


def test_in_threads_each_failure_is_counted_once(listener: Listener) -> None:
    process_partial_response(batch_of("a", *["bad"] * 400), refuse, BatchProcessor("sqs", max_concurrency=8))
    first, others = listener.records
    assert others.failure_count == 399  # type: ignore[attr-defined]
    named = re.match(r"Like record (m\d+) of sqs, which failed with ValueError: 399 more, ", others.getMessage())
    assert named is not None
    assert first.item_identifier == named[1]  # type: ignore[attr-defined]


def test_text_of_a_failure_that_another_of_its_kind_has_not_is_named(driver: Way, listener: Listener) -> None:
    def handler(record: Any) -> None:
        if record["body"] != "fine":
            raise LookupError(f"no {record['body']}")

    driver(batch_of("fine", "apple", "apple", "pear"), handler, max_concurrency=1)
    assert listener.records[1].getMessage() == (
        "Like record m1 of sqs, which failed with LookupError: 2 more, m2, m3 (LookupError: no pear)"
    )


def test_names_of_failures_of_one_kind_are_bounded(driver: Way, listener: Listener) -> None:
    driver(batch_of("a", *["bad"] * 200), refuse, max_concurrency=1)
    others: Any = listener.records[1]
    assert others.getMessage().endswith(": 199 more, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, ...")
    assert len(others.item_identifiers) == 100
    assert others.failure_count == 199


def test_failures_raised_in_different_places_or_with_different_ends_are_of_different_kinds(
    driver: Way, listener: Listener
) -> None:
    def handler(record: Any) -> None:
        if record["body"] == "here":
            raise ValueError
        if record["body"] == "there":
            raise ValueError
        if record["body"] == "drop":
            raise LookupError
        if record["body"] == "retry":
            raise KeyError

    def other(record: Any) -> None:
        handler(record)

    driver(batch_of("a", "here", "there"), handler, max_concurrency=1)
    assert len(listener.lines) == 2
    listener.lines.clear()
    driver(batch_of("a", "drop", "retry"), handler, dispositions={KeyError: Disposition.DROP}, max_concurrency=1)
    assert [", and is dropped" in line for line in listener.lines] == [False, True]
    listener.lines.clear()
    driver(batch_of("a", "here"), handler, max_concurrency=1)
    driver(batch_of("a", "here"), other, max_concurrency=1)
    assert len(listener.lines) == 2, "each batch counts for itself"


def test_count_is_logged_before_the_line_of_the_batch_and_before_it_raises(driver: Way) -> None:
    mine = Listener()
    with pytest.raises(BatchProcessingError):
        driver(batch_of("bad", "bad"), refuse, logger=at_info(mine), max_concurrency=1)
    assert [line.split()[1] for line in mine.lines] == ["Record", "Like", "Batch"]


def test_at_debug_each_failure_has_a_line_with_all_its_fields(driver: Way) -> None:
    mine = Listener()
    driver(batch_of("a", "bad", "bad"), refuse, logger=at_info(mine, logging.DEBUG), max_concurrency=1)
    lines: list[Any] = [record for record in mine.records if record.levelname == "DEBUG"]
    assert [(line.item_identifier, line.record_disposition) for line in lines] == [("m1", "retry"), ("m2", "retry")]
    assert [line.getMessage() for line in lines] == [
        f"Record {name} of sqs failed (delivery 1): ValueError: no such customer" for name in ("m1", "m2")
    ]


def test_failures_of_an_override_are_counted_too(driver: Way, listener: Listener) -> None:
    class Broken(type(driver.processor())):  # type: ignore[misc]  # a class made of an object
        def failure_handler(self, record: Any, exception: Any) -> Any:
            raise LookupError("no metric")

    driver.call(Broken("sqs", max_concurrency=1), batch_of("a", "bad", "bad", "bad"), refuse)
    errors = [record.getMessage() for record in listener.records if record.levelname == "ERROR"]
    assert errors == [
        "failure_handler() raised LookupError: no metric; no outcome changes. Record m1 of sqs.",
        "Like record m1 of sqs, for which failure_handler() raised LookupError: 2 more, m2, m3",
    ]


# -- The frames that are shown.


def frames_in(record: logging.LogRecord) -> list[str]:
    """Give the functions of a traceback that is logged with a record."""
    assert record.exc_info
    return [frame.f_code.co_name for frame, _ in traceback.walk_tb(record.exc_info[2])]


def test_frames_are_those_of_the_users_code(driver: Way, listener: Listener) -> None:
    driver(batch_of("a", "bad"), lambda record: json_of(record))  # noqa: PLW0108 - a frame more
    assert frames_in(listener.records[0])[-2:] == ["<lambda>", "json_of"]
    assert set(frames_in(listener.records[0])) <= {"<lambda>", "json_of", "handle_and_wait"}


def json_of(record: Any) -> None:
    if record["body"] == "bad":
        json.loads("[1")


def test_where_batchcore_raised_that_frame_of_it_is_shown(driver: Way, listener: Listener) -> None:
    def record_handler(record: Any) -> Any:
        return record.json_body

    driver(batch_of("[]", "bad"), record_handler)
    *_, own, ours = frames_in(listener.records[0])
    assert (own, ours) == ("record_handler", "_decode_json_with_care")
    if not driver.name.startswith("async"):  # there the test's own coroutine function has a frame, too
        assert len(listener.lines[0].splitlines()) <= 8


def test_frames_of_causes_are_those_of_the_users_code_too_and_are_left_as_they_were(
    driver: Way, listener: Listener
) -> None:
    kept: list[BaseException] = []

    def handler(record: Any) -> None:
        try:
            json_of(record)
        except ValueError as error:
            kept.append(error)
            raise LookupError("no order") from error

    result = driver(batch_of("a", "bad"), handler, plugins=[Looks(kept)])
    assert failed(result) == ["m1"]
    text = listener.lines[0]
    assert text.count("Traceback") == 2
    assert "in json_of" in text
    assert "in handler" in text
    assert "decoder.py" not in text
    assert "engine.py" not in text
    assert "tasks.py" not in text


class Looks:
    """An observer that sees each failure after it is logged: its frames, and those of its cause, are all there."""

    def __init__(self, kept: list[BaseException]) -> None:
        self.kept = kept

    @hookimpl
    def record_finished(self, outcome: Any) -> None:
        if outcome.exception is not None:
            files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(outcome.exception.__traceback__)]
            assert any("batchcore" in file and "tests" not in file for file in files)
            files = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(self.kept[0].__traceback__)]
            assert files[-1].endswith("decoder.py")


def test_at_debug_all_frames_are_logged(driver: Way) -> None:
    mine = Listener()
    driver(batch_of("[]", "bad"), lambda record: record.json_body, logger=at_info(mine, logging.DEBUG))
    shown, all_of_them = (len(frames_in(record)) for record in mine.records if record.exc_info)
    assert shown <= 3
    assert all_of_them > 4


def test_exception_of_which_no_frame_is_the_users_shows_its_last(listener: Listener) -> None:
    process_partial_response(batch_of("[]", "bad"), operator.attrgetter("json_body"), BatchProcessor("sqs"))
    assert frames_in(listener.records[0]) == ["_decode_json_with_care"]


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Any]]:
    """Give what puts a package where a deployment has it, its requirements beside it, and imports it."""
    made: list[str] = []

    def deploy(folder: str, name: str, text: str = "") -> Any:
        root = tmp_path / folder
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").write_text(text or HANDLES)
        monkeypatch.syspath_prepend(root)
        made.append(name)
        return importlib.import_module(name)

    yield deploy
    for name in made:
        sys.modules.pop(name, None)


HANDLES = """
def handle(record):
    if record["body"] == "bad":
        refuse()


def refuse():
    raise ValueError
"""


def test_function_that_lies_among_installed_packages_is_the_users_own(
    listener: Listener, deployed: Callable[..., Any]
) -> None:
    function = deployed("python/site-packages", "orders_in_an_image")
    process_partial_response(batch_of("a", "bad"), function.handle, BatchProcessor("sqs"))
    assert frames_in(listener.records[0]) == ["handle", "refuse"]


def test_requirement_that_lies_beside_the_function_is_not_the_users_own(
    listener: Listener, deployed: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "task" / "vendored_client-1.0.dist-info").mkdir(parents=True)
    client = deployed("task", "vendored_client")
    own = deployed(
        "task", "orders_beside_it", "import vendored_client\n\ndef own(record):\n    vendored_client.handle(record)\n"
    )
    assert client is sys.modules["vendored_client"]
    process_partial_response(batch_of("a", "bad"), own.own, BatchProcessor("sqs"))
    assert frames_in(listener.records[0]) == ["own"]


# -- The line of a batch.


def at_info(listener: Listener, level: int = logging.INFO) -> logging.Logger:
    logger = logger_with(listener)
    logger.setLevel(level)
    return logger


def test_batch_has_a_line_at_info(driver: Way) -> None:
    mine = Listener()
    driver(batch_of("a", "bad", "c"), logger=at_info(mine))
    (record,) = [record for record in mine.records if record.levelname == "INFO"]
    assert re.fullmatch(r"Batch of 3 from sqs: 2 succeeded, 1 failed, in \d+\.\d{3} s\.", record.getMessage())
    fields: Any = record
    assert fields.batch_source == "sqs"
    assert fields.batch_counts == {"succeeded": 2, "failed": 1}
    assert fields.batch_duration >= 0
    assert fields.ended_late == 0


def test_line_of_a_batch_comes_after_those_of_its_records(driver: Way) -> None:
    mine = Listener()
    driver(batch_of("a", "bad", "c"), logger=at_info(mine))
    assert [record.levelname for record in mine.records] == ["WARNING", "INFO"]


def test_empty_batch_has_a_line_as_well(driver: Way) -> None:
    mine = Listener()
    driver({"Records": []}, logger=at_info(mine))
    assert [line.partition(", in ")[0] for line in mine.lines] == ["INFO Batch of 0 from sqs: no records"]


def test_batch_that_fails_entirely_has_its_line_before_it_raises(driver: Way) -> None:
    mine = Listener()
    with pytest.raises(BatchProcessingError):
        driver(batch_of("bad"), logger=at_info(mine))
    assert mine.records[-1].getMessage().startswith("Batch of 1 from sqs: 1 failed, in ")


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR])
def test_logger_that_is_not_enabled_for_info_gets_no_line_of_a_batch(driver: Way, level: int) -> None:
    mine = Listener()
    driver(batch_of("a", "b"), logger=at_info(mine, level))
    assert mine.lines == []


def test_line_of_a_batch_goes_to_the_logger_batchcore_where_that_is_enabled_for_info(
    driver: Way, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "batchcore"):
        driver(batch_of("a", "b"))
    assert [(record.name, record.levelname) for record in caplog.records] == [("batchcore", "INFO")]


# -- The logger.


def test_logger_that_was_given_is_the_one(driver: Way, listener: Listener) -> None:
    mine = Listener()
    driver(batch_of("a", "bad"), logger=at_info(mine))
    assert [(record.name, record.levelname) for record in mine.records] == [("mine", "WARNING"), ("mine", "INFO")]
    assert listener.lines == []


def test_logger_of_powertools_will_do(driver: Way) -> None:
    powertools: Any = pytest.importorskip("aws_lambda_powertools")
    stream = io.StringIO()
    logger = powertools.Logger(
        service=f"orders {driver.name}", stream=stream, logger_handler=logging.StreamHandler(stream)
    )
    driver(batch_of("a", "bad"), logger=logger)
    failure, summary = stream.getvalue().splitlines()
    logged = json.loads(failure)
    assert logged["level"] == "WARNING"
    assert logged["service"] == f"orders {driver.name}"
    assert logged["message"] == "Record m1 of sqs failed (delivery 1): ValueError: m1"
    assert (logged["item_identifier"], logged["batch_source"], logged["delivery_attempt"]) == ("m1", "sqs", 1)
    assert logged["exception_name"] == "ValueError"
    logged = json.loads(summary)
    assert (logged["level"], logged["batch_source"]) == ("INFO", "sqs")
    assert logged["batch_counts"] == {"succeeded": 1, "failed": 1}


class Broken:
    """Raises when anything is logged."""

    def __init__(self, error: type[BaseException]) -> None:
        self.error_type = error

    def warning(self, *arguments: Any, **named: Any) -> None:
        raise self.error_type

    error = warning


@pytest.mark.parametrize("error", [ValueError, RecursionError, SystemExit])
def test_logger_that_raises_changes_nothing(
    driver: Way, error: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    processor = driver.processor(logger=Broken(error))
    processor.failure_handler = lambda record, exception: 1 / 0  # type: ignore[assignment, method-assign, misc, return-value]
    assert failed(driver.call(processor, batch_of("a", "bad", "c"), handle)) == ["m1"]
    assert error.__name__ in capsys.readouterr().err, "it is shown where it can be"


def test_log_handler_that_raises_changes_nothing(driver: Way) -> None:
    class Raising(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise ValueError("no disk")

    assert failed(driver(batch_of("a", "bad", "c"), logger=logger_with(Raising()))) == ["m1"]


def test_log_handler_that_interrupts_propagates(driver: Way) -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    with pytest.raises(Interrupted):
        driver(batch_of("a", "bad", "c"), logger=Broken(Interrupted))


class Described(type(SQS)):  # type: ignore[misc]  # a class made of an object
    """Counts what is asked for the log."""

    def __init__(self) -> None:
        self.asked = 0

    @hookimpl
    def describe_record(self, record: Any) -> Any:
        self.asked += 1
        return {}


class Counting(ValueError):
    texts = 0

    def __str__(self) -> str:
        type(self).texts += 1
        return "text"


@pytest.mark.parametrize("listens", [True, False])
def test_nothing_is_built_for_a_log_that_nobody_reads(
    driver: Way, listens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(record: Any) -> None:
        if record["body"] == "bad":
            raise Counting

    logger = logging.getLogger("batchcore")
    monkeypatch.setattr(logger, "handlers", [logging.NullHandler(), *([Listener()] if listens else [])])
    monkeypatch.setattr(logger, "propagate", False)
    monkeypatch.setattr(Counting, "texts", 0)
    described = Described()
    assert failed(driver(batch_of("a", "bad"), handler, event_type=described)) == ["m1"]
    assert described.asked == (1 if listens else 0)
    assert bool(Counting.texts) == listens


@pytest.mark.parametrize("level", [logging.ERROR, logging.WARNING])
def test_level_above_warning_is_nobody_listening(level: int, monkeypatch: pytest.MonkeyPatch) -> None:
    described, logger = Described(), logging.getLogger("batchcore")
    monkeypatch.setattr(logger, "level", level)
    logger.manager._clear_cache()  # type: ignore[attr-defined]  # what setLevel() does
    try:
        process_partial_response(batch_of("a", "bad"), handle, BatchProcessor(described))
    finally:
        monkeypatch.undo()
        logger.manager._clear_cache()  # type: ignore[attr-defined]
    assert described.asked == (0 if level > logging.WARNING else 1)


def test_where_logging_is_not_configured_failures_are_on_standard_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("batchcore")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logger, "propagate", False)
    process_partial_response(batch_of("a", "bad"), handle, BatchProcessor("sqs"))
    assert "Record m1 of sqs failed (delivery 1): ValueError: m1" in capsys.readouterr().err


def test_interrupt_while_an_override_that_raised_is_logged_propagates(driver: Way) -> None:
    class Interrupted(KeyboardInterrupt):
        pass

    class Logger:
        def warning(self, *arguments: Any, **named: Any) -> None:
            """Take it."""

        def error(self, *arguments: Any, **named: Any) -> None:
            raise Interrupted

    processor = driver.processor(logger=Logger())
    processor.failure_handler = lambda record, exception: 1 / 0  # type: ignore[assignment, method-assign, misc, return-value]
    with pytest.raises(Interrupted):
        driver.call(processor, batch_of("a", "bad"), handle)
