"""What the line of a batch says."""

from __future__ import annotations

import asyncio
import threading
from itertools import pairwise
from typing import Any

import pytest

from batchcore import (
    AsyncBatchProcessor,
    BatchProcessingError,
    BatchProcessor,
    Disposition,
    async_process_partial_response,
    hookimpl,
    in_order,
    process_partial_response,
)
from batchcore_emf import CloudWatchMetrics
from batchcore_testing import make_event

NAMES = {
    "Records",
    "RecordsSucceeded",
    "RecordsFailed",
    "RecordsNotAttempted",
    "RecordsDropped",
    "RecordsDeadLettered",
    "HighestAttempt",
    "BatchDuration",
    "RecordDuration",
    "TimeLeft",
}


class Context:
    aws_request_id = "request-1"

    def __init__(self, left: Any = 2_500) -> None:
        self.left = left

    def get_remaining_time_in_millis(self) -> Any:
        return self.left


class Keeps:
    @hookimpl
    def deliver_dead_letter(self, outcome: Any) -> None:
        pass


def handler(record: Any) -> None:
    kinds = {"fail": ValueError, "drop": KeyError, "letter": LookupError}
    if record.body in kinds:
        raise kinds[record.body]


def test_a_line_has_all_metrics_of_a_batch(line_of: Any) -> None:
    line = line_of(CloudWatchMetrics("Orders", {"service": "orders"}), "a", "b", context=Context())

    assert set(line) == NAMES
    assert {each.namespace for each in line.values()} == {"Orders"}
    assert {each.dimensions for each in line.values()} == {(("service", "orders"),)}
    assert line.value("Records") == line.value("RecordsSucceeded") == 2
    assert line.value("HighestAttempt") == 1
    assert line.value("TimeLeft") == 2_500
    assert line.value("BatchDuration") > 0
    assert len(line["RecordDuration"].values) == 2
    assert line.document["batch_source"] == "sqs"
    assert line.document["aws_request_id"] == "request-1"
    assert "failure_types" not in line.document


def test_records_are_counted_by_what_became_of_them(written: Any, extracted: Any) -> None:
    dispositions = {KeyError: Disposition.DROP, LookupError: Disposition.DEAD_LETTER}
    processor = BatchProcessor("sqs", plugins=[CloudWatchMetrics("Orders"), Keeps()], dispositions=dispositions)
    processor.run(make_event("sqs", "a", "fail", "fail", "drop", "letter"), handler)

    line = extracted(written()[0])
    counts = {name: line.value(name) for name in NAMES if name.startswith("Records")}
    assert counts == {
        "Records": 5,
        "RecordsSucceeded": 1,
        "RecordsFailed": 2,
        "RecordsNotAttempted": 0,
        "RecordsDropped": 1,
        "RecordsDeadLettered": 1,
    }
    assert line.document["failure_types"] == {"ValueError": 2}


def test_what_was_not_attempted_is_counted(line_of: Any) -> None:
    line = line_of(CloudWatchMetrics("Orders"), "a", "fail", "b", "c", handler=handler, ordering=in_order())

    assert (line.value("RecordsFailed"), line.value("RecordsNotAttempted")) == (1, 2)
    assert line.document["failure_types"] == {"ValueError": 1}


def test_the_highest_attempt_is_that_of_the_record_that_was_delivered_most_often(written: Any, extracted: Any) -> None:
    event = make_event("sqs", "a", "b", "c")
    for record, count in zip(event["Records"], ("2", "7", "1"), strict=True):
        record["attributes"]["ApproximateReceiveCount"] = count
    process_partial_response(event, handler, BatchProcessor("sqs", plugins=[CloudWatchMetrics("Orders")]))

    assert extracted(written()[0]).value("HighestAttempt") == 7


def test_a_source_that_counts_no_deliveries_has_no_such_metric(written: Any, extracted: Any) -> None:
    processor = BatchProcessor("kinesis", plugins=[CloudWatchMetrics("Orders")])
    process_partial_response(make_event("kinesis", "a"), bool, processor)

    assert "HighestAttempt" not in extracted(written()[0])


def test_an_empty_batch_has_a_line_of_zeros(line_of: Any) -> None:
    line = line_of(CloudWatchMetrics("Orders"))

    assert line.value("Records") == line.value("RecordsFailed") == 0


def test_a_batch_of_which_no_record_is_done_has_a_line_before_it_raises(written: Any, extracted: Any) -> None:
    processor = BatchProcessor("sqs", plugins=[CloudWatchMetrics("Orders")])
    with pytest.raises(BatchProcessingError):
        process_partial_response(make_event("sqs", "fail"), handler, processor)

    (line,) = written()
    assert extracted(line).value("RecordsFailed") == 1


@pytest.mark.parametrize("left", [float("nan"), float("inf"), "soon", None, True])
def test_a_time_that_is_no_number_is_left_out(line_of: Any, left: Any) -> None:
    assert "TimeLeft" not in line_of(CloudWatchMetrics("Orders"), "a", context=Context(left))


class Measured:
    """Takes the place of what was measured, for no two runs are equal."""

    @hookimpl
    def batch_finished(self, result: Any) -> None:
        result.batch._ledger.durations[:] = map(float, range(len(result.outcomes)))


@pytest.mark.parametrize("count", [100, 101, 250, 10_000])
def test_of_many_records_a_hundred_durations_are_written_the_shortest_and_the_longest_included(
    written: Any, extracted: Any, count: int
) -> None:
    processor = BatchProcessor("sqs", plugins=[Measured(), CloudWatchMetrics("Orders")])
    processor.run(make_event("sqs", *["a"] * count), bool)

    values = extracted(written()[0])["RecordDuration"].values
    assert len(values) == 100
    assert (values[0], values[-1]) == (0, 1_000 * (count - 1))
    steps = [later - earlier for earlier, later in pairwise(values)]
    assert max(steps) - min(steps) <= 1_000


def test_record_durations_are_measured_for_one_call_functions_where_that_is_asked_for(
    written: Any, extracted: Any
) -> None:
    event = make_event("sqs", "a", "fail", "b")
    for asked, count in ((False, 0), (True, 3)):
        plugin = CloudWatchMetrics("Orders", record_durations=asked)
        process_partial_response(event, handler, BatchProcessor("sqs", plugins=[plugin]))
        line = extracted(written()[0])
        assert len(line["RecordDuration"].values if "RecordDuration" in line else []) == count


@pytest.mark.parametrize("options", [{}, {"max_concurrency": 4}], ids=["one by one", "threads"])
def test_every_record_is_measured_however_they_run(written: Any, extracted: Any, options: Any) -> None:
    plugin = CloudWatchMetrics("Orders", record_durations=True)
    process_partial_response(make_event("sqs", *["a"] * 20), bool, BatchProcessor("sqs", plugins=[plugin], **options))

    line = extracted(written()[0])
    assert line.value("RecordsSucceeded") == len(line["RecordDuration"].values) == 20


def test_every_record_is_measured_under_asyncio(written: Any, extracted: Any) -> None:
    async def handle(record: Any) -> None:
        await asyncio.sleep(0)

    plugin = CloudWatchMetrics("Orders", record_durations=True)
    processor = AsyncBatchProcessor("sqs", plugins=[plugin])
    async_process_partial_response(make_event("sqs", *["a"] * 20), handle, processor)

    line = extracted(written()[0])
    assert line.value("RecordsSucceeded") == len(line["RecordDuration"].values) == 20


def test_batches_side_by_side_have_a_line_each_of_their_own(written: Any, extracted: Any) -> None:
    processor = BatchProcessor("sqs", plugins=[CloudWatchMetrics("Orders", record_durations=True)])
    barrier = threading.Barrier(4)

    def handle(record: Any) -> None:
        if record.body == "first":
            barrier.wait(20)

    def run(count: int) -> None:
        process_partial_response(make_event("sqs", "first", *["a"] * count), handle, processor)

    threads = [threading.Thread(target=run, args=(count,)) for count in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    lines = [extracted(line) for line in written()]
    assert sorted(line.value("Records") for line in lines) == [1, 2, 3, 4]
    assert all(line.value("Records") == len(line["RecordDuration"].values) for line in lines)


def test_a_batch_inside_of_a_record_has_its_own_line(written: Any, extracted: Any) -> None:
    processor = BatchProcessor("sqs", plugins=[CloudWatchMetrics("Orders")])

    def handle(record: Any) -> None:
        if record.body == "outer":
            process_partial_response(make_event("sqs", "inner", "inner"), handle, processor)

    process_partial_response(make_event("sqs", "outer"), handle, processor)

    assert [extracted(line).value("Records") for line in written()] == [2, 1]


def test_nothing_is_kept_of_a_batch(written: Any) -> None:
    import gc

    plugin = CloudWatchMetrics("Orders", record_durations=True)
    process_partial_response(make_event("sqs", "a"), bool, BatchProcessor("sqs", plugins=[plugin]))
    process_partial_response(make_event("sqs"), bool, BatchProcessor("sqs"))
    gc.collect()

    assert not plugin._durations
    assert not plugin._started


def test_some_of_the_metrics_are_written_where_some_are_asked_for(line_of: Any) -> None:
    line = line_of(CloudWatchMetrics("Orders", only=["TimeLeft", "RecordsFailed"]), "a", context=Context())

    assert set(line) == {"RecordsFailed", "TimeLeft"}
    assert set(line.document) == {"_aws", "RecordsFailed", "TimeLeft", "batch_source", "aws_request_id"}


def test_there_are_at_most_ten_types_of_failures_and_the_others(line_of: Any) -> None:
    def fails(record: Any) -> None:
        raise type(f"Error{record.body}", (Exception,), {})

    line = line_of(CloudWatchMetrics("Orders"), *map(str, range(15)), handler=fails)

    types = line.document["failure_types"]
    assert len(types) == 11
    assert types["others"] == 5
