"""Metrics of the user's, and a standard output that does not take the line: no outcome changes."""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys
import threading
from typing import Any

import pytest

from batchcore import BatchProcessor, hookimpl
from batchcore_emf import CloudWatchMetrics
from batchcore_testing import make_event

NAN, INFINITY = float("nan"), float("inf")


def test_a_function_gives_more_metrics_of_a_batch(line_of: Any) -> None:
    plugin = CloudWatchMetrics(
        "Orders",
        of_batch=lambda result: {"Worth": sum(result.return_values), "Each": result.return_values, "Size": 3},
        units={"Size": "kilobytes"},
    )
    line = line_of(plugin, 1, 2.5, handler=lambda record: record.json_body)

    assert line["Worth"][2:] == ("None", [3.5])
    assert line["Each"][2:] == ("None", [1, 2.5])
    assert line["Size"][2:] == ("Kilobytes", [3])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"Bad": NAN}, "CloudWatch takes no nan as the value of the metric 'Bad'"),
        ({"Bad": -INFINITY}, "CloudWatch takes no -inf"),
        ({"Bad": [1, INFINITY]}, "CloudWatch takes no inf"),
        ({"Bad": 2**400}, "CloudWatch takes no number of that size"),
        ({"Bad": -(10**400)}, "CloudWatch takes no number of that size"),
        ({"Bad": 1e300}, r"CloudWatch takes no 1e\+300"),
        ({"Bad": True}, "is a number, not True"),
        ({"Bad": "3"}, "is a number, not '3'"),
        ({"Bad": None}, "is a number, not nothing"),
        ({"Bad": [0] * 101}, "100 values at most, and 'Bad' has 101"),
        ({"": 1}, "name of a metric"),
        ({17: 1}, "name of a metric"),
        ({"B" * 251: 1}, "250 characters at most"),
        ({"service": 1}, "the dimension 'service' has that name"),
        ({"Records": 1}, "the metric 'Records' has that name"),
        ({"batch_source": 1}, "another key of the document"),
        ({"_aws": 1}, "another key of the document"),
        ({f"More{number}": 1 for number in range(100)}, "of those of of_batch.. 91 fit, not 101"),
    ],
)
def test_what_cloudwatch_does_not_take_is_left_out_and_logged(
    line_of: Any, caplog: pytest.LogCaptureFixture, given: Any, said: str
) -> None:
    plugin = CloudWatchMetrics("Orders", {"service": "orders"}, of_batch=lambda _: {"Good": 1, **given})
    line = line_of(plugin, "a")

    assert line["Good"].values == [1]
    assert line.value("Records") == 1
    assert "Bad" not in line.document
    (logged,) = caplog.records
    assert logged.levelname == "ERROR"
    assert re.search(said, logged.getMessage())


@pytest.mark.parametrize("given", [None, [1], "Worth"])
def test_what_is_no_mapping_is_logged(line_of: Any, caplog: pytest.LogCaptureFixture, given: Any) -> None:
    assert line_of(CloudWatchMetrics("Orders", of_batch=lambda _: given), "a").value("Records") == 1
    assert "of_batch() gives a mapping" in caplog.text


def test_a_function_that_raises_costs_its_own_metrics_alone(line_of: Any, caplog: pytest.LogCaptureFixture) -> None:
    def raises(result: Any) -> Any:
        raise KeyError("worth")

    line = line_of(CloudWatchMetrics("Orders", of_batch=raises), "a")

    assert line.value("RecordsSucceeded") == 1
    assert "batch_finished() raised KeyError: 'worth'; no outcome changes" in caplog.text


def test_an_empty_list_of_values_is_no_metric(line_of: Any) -> None:
    assert "Worth" not in line_of(CloudWatchMetrics("Orders", of_batch=lambda _: {"Worth": []}), "a").document


def test_a_line_that_would_be_too_large_is_written_without_them(line_of: Any, caplog: pytest.LogCaptureFixture) -> None:
    many = {f"{'M' * 240}{number}": [1e-300 / 3] * 100 for number in range(90)}
    line = line_of(CloudWatchMetrics("Orders", of_batch=lambda _: many), "a")

    assert line.value("Records") == 1
    assert len(line) < 11
    assert "more than a log event takes" in caplog.text


# Standard output.


class Broken(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError("No space left on device")


@pytest.mark.parametrize("kind", ["closed", "raises", "none"])
def test_a_standard_output_that_cannot_be_written_to_changes_no_outcome(
    monkeypatch: Any, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    stream = None if kind == "none" else Broken() if kind == "raises" else io.StringIO()
    if kind == "closed":
        assert stream is not None
        stream.close()
    processor = BatchProcessor("sqs", plugins=[CloudWatchMetrics("Orders")])
    monkeypatch.setattr("sys.stdout", stream)
    result = processor.run(make_event("sqs", "1", "x"), lambda record: record.json_body)

    assert result.counts() == {"succeeded": 1, "failed": 1}
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    assert "batch_finished() raised" in caplog.messages[1]


@pytest.mark.parametrize(("handler", "begin"), [(bool, "{"), (int, "\n{")], ids=["succeeded", "failed"])
def test_a_line_is_written_with_one_call_by_the_thread_of_the_batch(monkeypatch: Any, handler: Any, begin: str) -> None:
    """After a failure it begins on a line of its own: what was logged before may not have ended its line."""
    calls: list[tuple[str, int]] = []

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            calls.append((text, threading.get_ident()))
            return len(text)

    processor = BatchProcessor(
        "sqs", plugins=[CloudWatchMetrics("Orders")], max_concurrency=4, raise_on_entire_batch_failure=False
    )
    monkeypatch.setattr("sys.stdout", Watched())
    processor.run(make_event("sqs", *["a"] * 10), handler)

    ((text, thread),) = calls
    assert text.startswith(begin)
    assert text.endswith("}\n")
    assert text.strip().count("\n") == 0
    assert thread == threading.get_ident()


PROGRAM = """
import sys, threading
from batchcore import BatchProcessor
from batchcore_emf import CloudWatchMetrics
from batchcore_testing import make_event

processor = BatchProcessor("sqs", plugins=[CloudWatchMetrics("Orders", of_batch=lambda _: {"Worth": list(range(100))})])
event = make_event("sqs", "a", "b")

def run():
    for _ in range(100):
        processor.run(event, bool)

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=run) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_the_lines_of_threads_do_not_mix(extracted: Any) -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env=environment)

    lines = done.stdout.splitlines()
    assert len(lines) == 800
    assert {extracted(line).value("Records") for line in lines} == {2}


def test_what_steers_the_function_writes_no_line_and_leaves_nothing(written: Any) -> None:
    plugin = CloudWatchMetrics("Orders", record_durations=True)

    def interrupted(record: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        BatchProcessor("sqs", plugins=[plugin]).run(make_event("sqs", "a"), interrupted)
    assert written() == []


def test_an_interrupt_in_a_function_of_the_users_is_no_error_of_a_metric(written: Any) -> None:
    def interrupted(result: Any) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        BatchProcessor("sqs", plugins=[CloudWatchMetrics("Orders", of_batch=interrupted)]).run(
            make_event("sqs", "a"), bool
        )


def test_other_observers_go_on(written: Any) -> None:
    seen: list[Any] = []

    class Other:
        @hookimpl
        def batch_finished(self, result: Any) -> None:
            seen.append(result.counts())

    logging.getLogger("batchcore").setLevel(logging.CRITICAL)
    try:
        plugin = CloudWatchMetrics("Orders", of_batch=lambda _: {"Bad": NAN})
        BatchProcessor("sqs", plugins=[plugin, Other()]).run(make_event("sqs", "a"), bool)
    finally:
        logging.getLogger("batchcore").setLevel(logging.NOTSET)
    assert seen == [{"succeeded": 1}]
