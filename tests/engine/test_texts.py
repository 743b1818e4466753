"""What batchcore writes of exceptions: plain, bounded text that every sink can write, whatever the exception says."""

from __future__ import annotations

import io
import itertools
import json
import logging
from collections.abc import Callable
from copy import copy
from typing import Any, cast

import pytest

from batchcore import BatchProcessingError, BatchProcessor, Disposition, UnexpectedBatchTypeError, hookimpl
from batchcore.failures import is_writable, plain
from batchcore_sqs import SQSSource
from tests.batches import EXCEPTION_GROUP, batch_of, logger_with
from tests.drivers import Way

HUGE = 1_000_000
ODD = {
    "surrogate": "a\ud800b",
    "pair of surrogates": "a\ud83d\ude00b",
    "NUL": "a\x00b",
    "escape sequence": "a\x1b[2Jb",
    "carriage return": "a\rb",
    "C1 control": "a\x85b",
    "line separator": "a\u2028b",
    "right-to-left override": "a\u202eb",
    "no character": "a\uffffb",
    "huge": "x" * HUGE,
    "huge and odd": "\ud800" * HUGE,
}


class Strict(logging.Handler):
    """A sink as the runtime's: UTF-8, one line of JSON a record, and a mistake raises into the caller."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        text.encode()
        standard = vars(logging.makeLogRecord({})).keys()
        fields = {name: value for name, value in vars(record).items() if name not in standard}
        json.dumps(fields, ensure_ascii=False, allow_nan=False).encode()
        self.lines.append(text)


@pytest.fixture
def sink() -> Strict:
    return Strict()


def assert_plain(text: str) -> None:
    assert is_writable(text), ascii(text[:200])
    assert len(text) < 20_000


def raises(make: Callable[[], BaseException]) -> Callable[[Any], Any]:
    def handler(record: Any) -> Any:
        if record["body"] == "bad":
            raise make()
        return record["body"]

    return handler


def chained(text: str) -> BaseException:
    error = ValueError("outer")
    error.__cause__ = LookupError(text)
    return error


def noted(text: str) -> BaseException:
    error: Any = ValueError("noted")
    error.__notes__ = [text]
    return error  # type: ignore[no-any-return]


def grouped(text: str) -> BaseException:
    return ValueError(text) if EXCEPTION_GROUP is None else EXCEPTION_GROUP("several", [ValueError(text)])


MAKE: dict[str, Callable[[str], BaseException]] = {
    "alone": ValueError,
    "as a key": KeyError,
    "as a cause": chained,
    "in a note": noted,
    "in a group": grouped,
    "in a syntax error": lambda text: SyntaxError("wrong", ("file", 1, 1, text)),
}


@pytest.mark.parametrize("how", MAKE)
@pytest.mark.parametrize("odd", ODD)
def test_line_of_a_failure_can_be_written(driver: Way, sink: Strict, odd: str, how: str) -> None:
    driver(batch_of("a", "bad"), raises(lambda: MAKE[how](ODD[odd])), logger=logger_with(sink))
    (line,) = sink.lines
    assert line.startswith("Record m1 of sqs failed")
    assert_plain(line)


@pytest.mark.parametrize("odd", ODD)
def test_error_of_a_wholly_failed_batch_can_be_written(driver: Way, odd: str) -> None:
    with pytest.raises(BatchProcessingError) as caught:
        driver(batch_of("bad", "bad"), raises(lambda: ValueError(ODD[odd])))
    assert_plain(str(caught.value))
    assert_plain(caught.value.msg)


@pytest.mark.parametrize("odd", ODD)
def test_identifiers_and_descriptions_can_be_written(sink: Strict, odd: str) -> None:
    class Odd(SQSSource):
        @hookimpl
        def identify_records(self, records: Any) -> Any:
            return [f"{number}{ODD[odd]}" for number, _ in enumerate(records)]

        @hookimpl
        def describe_record(self, record: Any) -> Any:
            return {ODD[odd]: ODD[odd], "nested": [{"key": ODD[odd]}], "number": float("nan"), ("a", 1): {1, 2}}

    processor = BatchProcessor(Odd(), logger=logger_with(sink), raise_on_entire_batch_failure=False)
    result = processor.run(batch_of("bad", "bad"), raises(ValueError))
    assert len(sink.lines) == 2
    for text in (*sink.lines, *map(str, result.explain())):
        assert_plain(text)


@pytest.mark.parametrize("odd", ODD)
def test_lines_of_overrides_observers_and_deliverers_can_be_written(driver: Way, sink: Strict, odd: str) -> None:
    def broken(*arguments: Any) -> None:
        raise RuntimeError(ODD[odd])

    class Broken:
        @hookimpl
        def record_finished(self, outcome: Any) -> None:
            broken()

        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            broken()

    processor = driver.processor(
        plugins=[Broken()], logger=logger_with(sink), dispositions={KeyError: Disposition.DEAD_LETTER}
    )
    processor.failure_handler = broken  # type: ignore[method-assign, assignment]

    def handler(record: Any) -> None:
        if record["body"] == "dead":
            raise KeyError
        if record["body"] == "bad":
            raise ValueError

    driver.call(processor, batch_of("a", "bad", "dead"), handler)
    assert len(sink.lines) >= 4
    for line in sink.lines:
        assert_plain(line)


@pytest.mark.parametrize("odd", ODD)
def test_error_of_a_refused_event_can_be_written(odd: str) -> None:
    for event in ({ODD[odd]: 1}, dict.fromkeys(map(str, range(100_000))), {"eventSource": ODD[odd]}, ODD[odd]):
        with pytest.raises(UnexpectedBatchTypeError) as caught:
            BatchProcessor("sqs").run(event, print)
        assert_plain(str(caught.value))
        assert len(str(caught.value)) < 2_500


def test_text_that_can_be_written_is_left_as_it_is(driver: Way, sink: Strict) -> None:
    text = "Größe 1 €, 注文\n\tzweite Zeile"
    driver(batch_of("a", "bad"), raises(lambda: ValueError(text)), logger=logger_with(sink))
    assert f"ValueError: {text}" in sink.lines[0]
    assert "Traceback (most recent call last)" in sink.lines[0]


def test_long_text_is_cut_and_its_length_told() -> None:
    assert plain("x" * 1_000) == "x" * 1_000
    assert plain("x" * 1_001) == f"{'x' * 1_000}... (1001 characters)"
    assert plain("\x1b" * 3) == "\\x1b\\x1b\\x1b"
    assert plain("two\nlines") == "two\\nlines"


def test_frames_are_shown_also_of_an_exception_whose_text_is_not(driver: Way, sink: Strict) -> None:
    driver(batch_of("a", "bad"), raises(lambda: ValueError("a\x00b")), logger=logger_with(sink))
    assert "ValueError: a\\x00b" in sink.lines[0]
    assert "raise make()" in sink.lines[0]


@pytest.mark.parametrize("kind", [ValueError, SystemExit])
def test_chain_is_a_field(driver: Way, caplog: pytest.LogCaptureFixture, kind: type[BaseException]) -> None:
    def handler(record: Any) -> None:
        if record["body"] == "bad":
            try:
                raise LookupError("the cause")
            except LookupError as cause:
                error: Any = kind("the failure")
                error.__notes__ = ["a note"]
                raise error from cause

    driver(batch_of("a", "bad"), handler)
    assert caplog.records[0].failure_chain == [  # type: ignore[attr-defined]
        {"relation": "raised", "type": kind.__name__, "text": "the failure", "notes": ["a note"]},
        {"relation": "cause", "type": "LookupError", "text": "the cause"},
    ]


@pytest.mark.skipif(EXCEPTION_GROUP is None, reason="Python 3.10 has no groups")
def test_members_of_a_group_are_in_the_chain(caplog: pytest.LogCaptureFixture) -> None:
    error = EXCEPTION_GROUP("several", [ValueError(str(number)) for number in range(100)])
    BatchProcessor("sqs").run(batch_of("a", "bad"), raises(lambda: error))
    chain = caplog.records[0].failure_chain  # type: ignore[attr-defined]
    assert [(each["relation"], each["text"]) for each in chain[:3]] == [
        ("raised", "several (100 sub-exceptions)"),
        ("member", "0"),
        ("member", "1"),
    ]
    assert len(chain) == 21
    assert chain[-1]["relation"] == "more"


def test_context_is_in_the_chain_where_there_is_no_cause(caplog: pytest.LogCaptureFixture) -> None:
    def handler(record: Any) -> None:
        try:
            raise LookupError("the context")
        except LookupError:
            if record["body"] == "with a cause":
                raise ValueError from LookupError("the cause")
            raise ValueError("no")  # noqa: B904 - its context is what is looked for

    BatchProcessor("sqs", raise_on_entire_batch_failure=False).run(batch_of("with a cause", "other"), handler)
    relations = [[each["relation"] for each in record.failure_chain] for record in caplog.records]  # type: ignore[attr-defined]
    assert relations == [["raised", "cause"], ["raised", "context"]]


def test_line_of_a_dead_letter_that_was_not_delivered_names_its_record(caplog: pytest.LogCaptureFixture) -> None:
    class KeptDeadLetters:
        @hookimpl
        def deliver_dead_letter(self, outcome: Any) -> None:
            raise OSError("queue is down")

    processor = BatchProcessor("sqs", plugins=[KeptDeadLetters()], dispositions={ValueError: Disposition.DEAD_LETTER})
    processor.run(batch_of("a", "bad"), raises(ValueError))
    error = caplog.records[-1]
    assert error.levelname == "ERROR"
    assert error.getMessage() == (
        "deliver_dead_letter() raised OSError: queue is down; record m1 of sqs is retried. Plugin: KeptDeadLetters."
    )
    assert (error.item_identifier, error.record_disposition) == ("m1", "retry")  # type: ignore[attr-defined]
    assert error.failure_chain[0]["type"] == "OSError"  # type: ignore[attr-defined]


def test_printed_log_of_the_standard_library_has_the_line_too() -> None:
    stream = io.StringIO()
    BatchProcessor("sqs", logger=logger_with(logging.StreamHandler(stream))).run(
        batch_of("a", "bad"), raises(lambda: ValueError("a\ud800b"))
    )
    assert "ValueError: a\\ud800b" in stream.getvalue()


def odd_exceptions() -> dict[str, BaseException]:
    class Raising(Exception):
        @property
        def __notes__(self) -> Any:
            raise RuntimeError

    class RaisingCause(Exception):
        @property
        def __cause__(self) -> Any:  # type: ignore[override]
            raise RuntimeError

    class TextAsCause(Exception):
        __cause__ = "text"  # type: ignore[assignment]

    text_as_notes: Any = ValueError("noted")
    text_as_notes.__notes__ = "\ud800" * HUGE
    many: Any = ValueError("noted")
    many.__notes__ = ["x" * 900] * 5_000
    long_name = type("N" * HUGE, (Exception,), {})
    two_lines = type("Two\nlines\u202e", (Exception,), {})
    chain: BaseException = ValueError("last")
    for _ in range(200):
        outer = ValueError("y" * 900)
        outer.__cause__ = chain
        chain = outer
    return {
        "notes raise": Raising("a"),
        "cause raises": RaisingCause("a"),
        "cause is a text": TextAsCause("a"),
        "notes are a text": text_as_notes,
        "many notes": many,
        "long name": long_name("a"),
        "name of two lines": two_lines("a"),
        "long chain": chain,
        "file of a syntax error": SyntaxError("wrong", ("a\ud800", 1, 1, "text")),
    }


@pytest.mark.parametrize("odd", odd_exceptions())
def test_line_of_an_odd_exception_is_there_and_bounded(driver: Way, sink: Strict, odd: str) -> None:
    driver(batch_of("a", "bad"), raises(lambda: odd_exceptions()[odd]), logger=logger_with(sink))
    (line,) = sink.lines
    assert is_writable(line)
    assert len(line) < 50_000


ODD_AFTER_GOOD: dict[str, Callable[[], BaseException]] = {
    "text": lambda: ValueError("a\ud800b"),
    "long text": lambda: ValueError("x" * HUGE),
    "notes": lambda: noted(ValueError("a"), "\ud800"),
    "cause": lambda: caused(ValueError("a"), ValueError("\ud800")),
    "source": lambda: SyntaxError("wrong", ("a", 1, 1, "b\ud800")),
}


def noted(error: Any, note: str) -> BaseException:
    error.__notes__ = [note]
    return cast("BaseException", error)


def caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("odd", ODD_AFTER_GOOD)
def test_line_of_an_odd_exception_is_there_after_a_good_one_from_the_same_place(sink: Strict, odd: str) -> None:
    good = SyntaxError("wrong", ("a", 1, 1, "b")) if odd == "source" else ValueError("good")
    errors = iter([good, copy(good), ODD_AFTER_GOOD[odd]()])
    processor = BatchProcessor("sqs", logger=logger_with(sink), raise_on_entire_batch_failure=False)
    sink.setLevel(logging.DEBUG)
    processor.run(batch_of("bad", "bad", "bad"), raises(errors.__next__))
    assert [line.split()[0] for line in sink.lines] == ["Record"] * 4 + ["Like", "Batch"]
    assert all(map(is_writable, sink.lines))
    assert all(len(line) < 50_000 for line in sink.lines)
    assert "Traceback" in sink.lines[2]


def test_names_of_failures_with_long_and_odd_texts_are_bounded_and_one_line(sink: Strict) -> None:
    texts = itertools.cycle(["x" * HUGE, "two\nlines", "a\ud800b"])
    BatchProcessor("sqs", logger=logger_with(sink), raise_on_entire_batch_failure=False).run(
        batch_of(*["bad"] * 30), raises(lambda: ValueError(next(texts)))
    )
    others = sink.lines[1]
    assert len(others) < 15_000
    assert others.isprintable()
    assert "m1 (ValueError: two\\nlines), m2 (ValueError: a\\ud800b), m3, m4 (" in others


def test_error_of_many_kinds_is_short(driver: Way) -> None:
    kinds = iter([type(f"Kind{number}", (Exception,), {})() for number in range(2_000)])
    with pytest.raises(BatchProcessingError) as caught:
        driver(batch_of(*["bad"] * 2_000), raises(kinds.__next__), max_concurrency=1)
    assert len(str(caught.value)) < 1_500
    assert "and 1990 more kinds" in str(caught.value)
