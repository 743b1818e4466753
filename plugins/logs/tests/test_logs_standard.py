"""The standard library's logging: the fields are on each line of a handler, and on no other."""

from __future__ import annotations

import asyncio
import copy
import io
import logging
import logging.handlers
import pickle
import queue
import subprocess
import sys
import threading
import time
from contextvars import copy_context
from typing import Any

import pytest

from batchcore import AsyncBatchProcessor, BatchProcessor, ConfigurationError, process_partial_response
from batchcore_logs import LogContext, bind
from batchcore_testing import make_event

FIELDS = ("batch_source", "item_identifier", "delivery_attempt")
LOG, LIBRARY = logging.getLogger("orders"), logging.getLogger("acme.http.pool")


def fields_of(line: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(line.get(name) for name in FIELDS)


def test_each_line_of_a_handler_names_its_record(run: Any, log: Any) -> None:
    def handler(record: Any) -> None:
        LOG.info("first of %s", record.message_id)
        time.sleep(0.001)
        LIBRARY.warning("second of %s", record.message_id)

    result = run([LogContext()], range(30), handler)

    for identifier in result.batch.identifiers:
        for which in ("first", "second"):
            (line,) = log.of(f"{which} of {identifier}")
            assert fields_of(line) == ("sqs", identifier, 1)


def test_they_are_gone_when_the_record_ends(run: Any, log: Any) -> None:
    LOG.info("before")
    run([LogContext()], range(3), lambda record: LOG.info("in it"))
    LOG.info("after")

    assert len(log.of("in it")) == 3
    for line in (*log.of("before"), *log.of("after"), log.lines[-2]):
        assert "item_identifier" not in line


def test_nothing_is_left_in_the_context_of_the_caller(run: Any) -> None:
    run([LogContext()], range(3), lambda record: bind(order=1))

    assert "batchcore_logs" not in {variable.name for variable in copy_context()}


def test_what_steers_the_function_leaves_nothing(log: Any) -> None:
    def interrupted(record: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        BatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1), interrupted)
    LOG.info("after")

    assert "item_identifier" not in log.lines[-1]


def test_the_line_of_a_failure_has_them_once_and_what_the_handler_has_bound(run: Any, log: Any) -> None:
    def fails(record: Any) -> None:
        bind(order=record.body)
        raise ValueError("no")

    result = run([LogContext()], ["7"], fails)

    (line,) = (each for each in log.lines if each["level"] == "WARNING")
    assert fields_of(line) == ("sqs", result.batch.identifiers[0], 1)
    assert line["order"] == "7"
    assert line["record_disposition"] == "retry"


def test_a_record_that_cannot_be_decoded_has_the_line_of_batchcore(log: Any) -> None:
    pytest.importorskip("pydantic")
    from batchcore_sqs.models import SqsRecordModel

    processor = BatchProcessor("sqs", SqsRecordModel, raise_on_entire_batch_failure=False, plugins=[LogContext()])
    event = make_event("sqs", 1)
    del event["Records"][0]["receiptHandle"]
    processor.run(event, bool)

    assert log.lines[0]["item_identifier"] == event["Records"][0]["messageId"]


@pytest.mark.parametrize("kind", ["own handler", "no propagation", "added later", "filtered"])
def test_every_handler_of_every_logger_has_them(run: Any, log: Any, kind: str) -> None:
    plugin = LogContext()
    handler, logger = type(log)(), logging.getLogger(f"acme.{kind}")
    if kind == "no propagation":
        logger.propagate = False
    if kind != "added later":
        logger.addHandler(handler)

    def record_handler(record: Any) -> None:
        if kind == "added later":
            logger.addHandler(handler)
        logger.info("a line")

    try:
        run([plugin], [1], record_handler)
        assert fields_of(handler.of("a line")[0])[0] == "sqs"
    finally:
        logger.removeHandler(handler)


def test_a_handler_that_hands_lines_to_another_thread_has_them(run: Any, log: Any) -> None:
    lines: queue.SimpleQueue[Any] = queue.SimpleQueue()
    logging.getLogger().addHandler(logging.handlers.QueueHandler(lines))
    result = run([LogContext()], [1], lambda record: LOG.info("a line"))
    elsewhere = type(log)()
    listener = logging.handlers.QueueListener(lines, elsewhere)
    listener.start()
    listener.stop()

    assert fields_of(elsewhere.of("a line")[0]) == ("sqs", result.batch.identifiers[0], 1)


def test_a_line_may_have_fields_of_those_names_of_its_own(run: Any, log: Any) -> None:
    """Logger.makeRecord() would raise, out of the log call: the record would fail of its log line."""

    def handler(record: Any) -> None:
        LOG.info("a line", extra={"item_identifier": "mine", "size": 3})

    result = run([LogContext()], [1], handler)

    assert result.counts() == {"succeeded": 1}
    (line,) = log.of("a line")
    assert (line["item_identifier"], line["batch_source"], line["size"]) == ("mine", "sqs", 3)


@pytest.mark.parametrize("name", ["message", "asctime", "lineno", "args", "name"])
def test_what_a_log_record_has_of_itself_is_kept_and_still_refused_as_an_extra(log: Any, name: str) -> None:
    def handler(record: Any) -> None:
        bind(**{name: "mine"})
        LOG.info("a line %s", 1)
        with pytest.raises(KeyError):
            LOG.info("another", extra={name: "mine"})

    BatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1), handler)

    (line,) = log.of("a line 1")
    assert "mine" not in line.values()


def test_a_log_record_can_be_copied_and_pickled_without_this_package(log: Any) -> None:
    kept: list[logging.LogRecord] = []

    class Keeps(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            kept.append(record)

    logging.getLogger().addHandler(Keeps())
    BatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1), lambda record: LOG.info("a line"))

    line = next(record for record in kept if record.getMessage() == "a line")
    assert "batch_source" in line.__dict__
    assert "no such" not in line.__dict__
    for other in (copy.copy(line), copy.deepcopy(line), pickle.loads(pickle.dumps(line))):
        assert other.__dict__ == line.__dict__
        assert type(other.__dict__) is dict
        assert other.batch_source == "sqs"
    assert b"batchcore_logs" not in pickle.dumps(line)


def test_a_text_format_may_have_them(log: Any) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(item_identifier)s: %(message)s", defaults={"item_identifier": "-"}))
    logging.getLogger().addHandler(handler)
    event = make_event("sqs", 1)
    process_partial_response(event, lambda record: LOG.info("in it"), BatchProcessor("sqs", plugins=[LogContext()]))
    LOG.info("after")

    identifier = event["Records"][0]["messageId"]
    assert [line for line in stream.getvalue().splitlines() if "Batch" not in line] == [
        f"{identifier}: in it",
        "-: after",
    ]


# Side by side, one inside another, and late.


def test_a_batch_inside_of_a_record_has_its_own_and_then_the_outer_one_again(log: Any) -> None:
    inner = BatchProcessor("kinesis", plugins=[LogContext()])

    def outer_handler(record: Any) -> None:
        LOG.info("before")
        inner.run(make_event("kinesis", "a"), lambda each: LOG.info("inside"))
        LOG.info("behind")

    result = BatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1), outer_handler)

    (identifier,) = result.batch.identifiers
    assert fields_of(log.of("before")[0]) == fields_of(log.of("behind")[0]) == ("sqs", identifier, 1)
    assert fields_of(log.of("inside")[0])[0] == "kinesis"
    assert "delivery_attempt" not in log.of("inside")[0]


def test_what_a_handler_starts_has_the_fields_where_it_has_the_context(log: Any) -> None:
    async def handler(record: Any) -> None:
        await asyncio.gather(asyncio.to_thread(LOG.info, "in a thread"), logs("in a task"))
        thread = threading.Thread(target=LOG.info, args=("in a thread of its own",))
        thread.start()
        thread.join()

    async def logs(message: str) -> None:
        LOG.info(message)

    AsyncBatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1), handler)

    assert fields_of(log.of("in a thread")[0])[0] == fields_of(log.of("in a task")[0])[0] == "sqs"
    inherits = getattr(sys.flags, "thread_inherit_context", 0)
    assert ("batch_source" in log.of("in a thread of its own")[0]) == bool(inherits)


class Left:
    """A Lambda context with a second left."""

    def __init__(self) -> None:
        self.end = time.monotonic() + 1

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.end - time.monotonic()) * 1000))


def test_a_handler_that_is_abandoned_still_logs_as_its_record_and_nobody_else_does(log: Any) -> None:
    started, release = threading.Event(), threading.Event()

    def handler(record: Any) -> None:
        if record.body == "stuck":
            started.set()
            release.wait(20)
            LOG.info("late")

    processor = BatchProcessor("sqs", plugins=[LogContext()], max_concurrency=2, stop_before_timeout=0.8)
    result = processor.run(make_event("sqs", "stuck", "quick"), handler, Left())
    LOG.info("after")
    release.set()
    for thread in threading.enumerate():
        if thread.name == "batchcore":
            thread.join(20)

    assert result.counts() == {"failed": 1, "succeeded": 1}
    assert fields_of(log.of("late")[0])[1] == result.batch.identifiers[0]
    assert "item_identifier" not in log.of("after")[0]
    assert not [line for line in log.lines if line["level"] == "ERROR"]


def test_a_handler_that_swallows_its_cancellation_changes_nothing(log: Any) -> None:
    async def handler(record: Any) -> None:
        for _ in range(3):
            try:
                await asyncio.sleep(5)
            except asyncio.CancelledError:
                LOG.info("swallowed")

    processor = AsyncBatchProcessor(
        "sqs", plugins=[LogContext()], stop_before_timeout=0.8, raise_on_entire_batch_failure=False
    )
    result = processor.run(make_event("sqs", 1), handler, Left())
    LOG.info("after")

    assert result.counts() == {"failed": 1}
    assert all(fields_of(line)[1] == result.batch.identifiers[0] for line in log.of("swallowed"))
    assert "item_identifier" not in log.of("after")[0]
    assert not [line for line in log.lines if line["level"] == "ERROR"]


def test_a_scope_that_is_closed_in_another_context_changes_nothing_there() -> None:
    """As that of a task whose loop was closed is, when the task is collected."""
    batch = BatchProcessor("sqs").run(make_event("sqs", 1), bool).batch
    scope = LogContext().record_scope(batch.records[0], batch, 0)
    elsewhere = copy_context()
    elsewhere.run(scope.__enter__)
    scope.__exit__(None, None, None)

    assert "batchcore_logs" not in {variable.name for variable in copy_context()}


# What else is on a line.


def test_the_description_of_the_record_is_there_if_asked(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    event = make_event("sqs", 1, lanes=1)
    for number, (variable, asked) in enumerate([(None, None), (None, True), ("1", None), ("true", False)]):
        monkeypatch.setenv("BATCHCORE_LOGS_DESCRIBE", variable or "")
        processor = BatchProcessor("sqs", plugins=[LogContext(describe=asked)])
        processor.run(event, lambda record, number=number: LOG.info("line %d", number))

    described = [log.of(f"line {number}")[0].get("record_description") for number in range(4)]
    assert described[0] is described[3] is None
    assert described[1] == described[2]
    assert described[1]["message_group_id"]


def test_a_function_gives_further_fields_once_and_for_records_that_log(
    run: Any, log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.delitem(sys.modules, "structlog", raising=False)  # for which fields are bound beforehand

    def fields(record: Any) -> dict[str, Any]:
        asked.append(record["messageId"])
        return {"order": record["messageId"][:4], "item_identifier": "not mine"}

    def handler(record: Any) -> None:
        if record.body == "1":
            LOG.info("a line")
            LOG.info("a line")

    result = run([LogContext(fields=fields)], [1, 2, 3], handler)

    identifier = result.batch.identifiers[0]
    assert asked == [identifier]
    assert [line["order"] for line in log.of("a line")] == [identifier[:4]] * 2
    assert fields_of(log.of("a line")[0])[1] == identifier


def test_a_function_gives_no_field_that_a_log_record_has_of_itself(run: Any, log: Any) -> None:
    plugin = LogContext(fields=lambda record: {"message": "mine", "levelname": "mine", "order": 1})
    run([plugin], [1], lambda record: LOG.info("a line"))

    (line,) = log.of("a line")
    assert (line["order"], line["level"]) == (1, "INFO")
    assert "mine" not in line.values()


def test_a_function_that_raises_fails_no_record(run: Any, log: Any) -> None:
    result = run([LogContext(fields=lambda record: record["no such"])], [1], lambda record: LOG.info("a line"))

    assert result.counts() == {"succeeded": 1}
    (line,) = log.of("a line")
    assert line["log_context_error"] == "KeyError: 'no such'"
    assert fields_of(line) == ("sqs", result.batch.identifiers[0], 1)


def test_a_function_may_log_itself(run: Any, log: Any) -> None:
    def fields(record: Any) -> dict[str, Any]:
        LOG.info("looking")
        return {"order": 1}

    run([LogContext(fields=fields)], [1], lambda record: LOG.info("a line"))

    assert len(log.of("looking")) == 1
    assert log.of("a line")[0]["order"] == 1


def test_what_a_handler_binds_is_on_its_lines_from_there_on(run: Any, log: Any) -> None:
    def handler(record: Any) -> None:
        LOG.info("before %s", record.message_id)
        bind(order=record.message_id)
        bind(step=2)
        time.sleep(0.001)
        LOG.info("behind %s", record.message_id)

    result = run([LogContext()], range(20), handler)

    for identifier in result.batch.identifiers:
        assert "order" not in log.of(f"before {identifier}")[0]
        line = log.of(f"behind {identifier}")[0]
        assert (line["order"], line["step"]) == (identifier, 2)


def test_to_bind_outside_of_a_handler_does_nothing(log: Any) -> None:
    bind(order=17)
    LOG.info("a line")

    assert "order" not in log.of("a line")[0]


class NoText:
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({("a", 1): {1, 2}}, {"('a', 1)": "{1, 2}"}),
        ([1.5, None, (True,)], [1.5, None, [True]]),
        (float("nan"), "nan"),
        ("\ud800 \n x", "\\ud800 \\n x"),
        ("für", "für"),
        (b"x", "b'x'"),
        (NoText(), "something of the type NoText"),
        ("x" * 5_000, "x" * 1_000),
        ({"a": {"b": {"c": {"d": 1}}}}, {"a": {"b": {"c": "{'d': 1}"}}}),
    ],
)
def test_no_value_fails_a_record_of_its_log_line(run: Any, log: Any, value: Any, written: Any) -> None:
    def handler(record: Any) -> None:
        bind(value=value)
        LOG.info("a line")

    result = run([LogContext()], [1], handler)

    assert result.counts() == {"succeeded": 1}
    assert log.of("a line")[0]["value"] == written


def test_a_number_of_very_many_digits_fails_no_record(log: Any) -> None:
    def handler(record: Any) -> None:
        bind(value=10**10_000)
        LOG.info("a line")

    result = BatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1), handler)

    assert result.counts() == {"succeeded": 1}


def test_a_value_that_holds_itself_fails_no_record(log: Any) -> None:
    value: list[Any] = []
    value.append(value)

    def handler(record: Any) -> None:
        bind(value=value)
        LOG.info("a line")

    assert BatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1), handler).counts() == {"succeeded": 1}


# How it is set up.


def test_fields_that_are_no_function_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"LogContext\(fields=lambda record"):
        LogContext(fields={"order": 1})  # type: ignore[arg-type]


def test_it_is_found_by_its_name(log: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BATCHCORE_PLUGINS", "logs")
    BatchProcessor("sqs").run(make_event("sqs", 1), lambda record: LOG.info("a line"))

    assert fields_of(log.of("a line")[0])[0] == "sqs"


def test_beside_one_that_the_code_names_the_one_of_the_environment_adds_nothing(
    log: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BATCHCORE_PLUGINS", "logs")
    plugin = LogContext(fields=lambda record: {"order": 1})
    BatchProcessor("sqs", plugins=[plugin]).run(make_event("sqs", 1), lambda record: LOG.info("a line"))

    assert log.of("a line")[0]["order"] == 1


def test_many_plugins_make_one_factory() -> None:
    LogContext()
    factory = logging.getLogRecordFactory()
    LogContext()
    BatchProcessor("sqs", plugins=[LogContext()]).run(make_event("sqs", 1), bool)

    assert logging.getLogRecordFactory() is factory


@pytest.mark.parametrize("keeps_ours", [True, False])
def test_a_factory_that_somebody_else_sets_is_kept_and_ours_too(run: Any, log: Any, keeps_ours: bool) -> None:
    plugin = LogContext()
    inner = logging.getLogRecordFactory() if keeps_ours else logging.LogRecord

    def theirs(*arguments: Any, **options: Any) -> logging.LogRecord:
        line = inner(*arguments, **options)
        line.trace = "t-1"
        return line

    logging.setLogRecordFactory(theirs)
    run([plugin], [1], lambda record: LOG.info("a line"))

    (line,) = log.of("a line")
    assert (line["trace"], line["batch_source"]) == ("t-1", "sqs")


def test_what_is_installed_and_not_named_imports_nothing() -> None:
    program = (
        "import sys, logging\nfrom batchcore import BatchProcessor\nfrom batchcore_sqs import SQSRecord\n"
        "BatchProcessor('sqs').run({'Records': []}, bool)\n"
        "assert not any(name.startswith('batchcore_logs') for name in sys.modules)\n"
        "assert logging.getLogRecordFactory() is logging.LogRecord\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_it_imports_neither_structlog_nor_powertools() -> None:
    program = (
        "import sys\nfrom batchcore_logs import LogContext\nLogContext().batch_started()\n"
        "assert not {'structlog', 'aws_lambda_powertools', 'asyncio'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{program}"], check=True)
