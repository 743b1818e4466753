"""A job of S3 Batch Operations: what becomes of each result code, and of an invocation that fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batchcore import BatchProcessor, ConfigurationError
from batchcore_s3batch.events import S3BatchEvents
from batchcore_testing import BatchJob, EventSourceMapping, Faults, Simulator

from .support import batches, contents, ends, faults, mapping_of, raises, times


def job_of(*keys: str, **options: Any) -> BatchJob:
    job = BatchJob(**options)
    job.send(*keys)
    return job


def answers(**codes: str | list[str]) -> Callable[[Any, Any], Any]:
    """Make a function that gives the tasks of these keys other codes than Succeeded; of a list one after the other."""

    def function(event: Any, context: Any) -> Any:
        (task,) = event["tasks"]
        code = codes.get(task["s3Key"], "Succeeded")
        if isinstance(code, list):
            code = code.pop(0) if code else "Succeeded"
        result = {"taskId": task["taskId"], "resultCode": code, "resultString": f"{code} of {task['s3Key']}"}
        return {
            "invocationSchemaVersion": event["invocationSchemaVersion"],
            "invocationId": event["invocationId"],
            "treatMissingKeysAs": "PermanentFailure",
            "results": [result],
        }

    return function


def report(job: BatchJob) -> list[tuple[str, str, str, str]]:
    return [(line.item.content, line.status, line.code, line.text) for line in job.report]


@pytest.mark.parametrize("schema", ["1.0", "2.0"])
def test_each_object_has_an_invocation_of_its_own(schema: Any) -> None:
    history = mapping_of(job_of("a", "b", "c", source=S3BatchEvents(schema)), answers()).drain()

    history.check()
    assert batches(history) == [["a"], ["b"], ["c"]]
    assert history.invocations[0].event["invocationSchemaVersion"] == schema


def test_what_succeeded_is_reported_with_its_text() -> None:
    job = job_of("a")
    mapping_of(job, answers()).drain().check()

    assert report(job) == [("a", "succeeded", "Succeeded", "Succeeded of a")]
    assert ends(job) == {"a": "acknowledged"}
    assert job.failed == []


def test_what_failed_for_good_is_reported_and_not_tried_again() -> None:
    job = job_of("a", "b")
    history = mapping_of(job, answers(a="PermanentFailure")).drain()

    history.check()
    assert batches(history) == [["a"], ["b"]]
    assert report(job)[0] == ("a", "failed", "PermanentFailure", "PermanentFailure of a")
    assert ends(job) == {"a": "completion report", "b": "acknowledged"}
    assert contents(job.failed) == ["a"]


def test_what_failed_for_the_moment_is_tried_again_behind_the_others() -> None:
    job = job_of("a", "b")
    history = mapping_of(job, answers(a=["TemporaryFailure", "TemporaryFailure"])).drain()

    history.check()
    assert batches(history) == [["a"], ["b"], ["a"], ["a"]]
    assert times(history) == [0, 0, 1, 2]
    assert [line[:2] for line in report(job)] == [("b", "succeeded"), ("a", "succeeded")]


@pytest.mark.parametrize(("redrives", "invocations"), [(0, 1), (1, 2), (3, 4)])
def test_after_the_last_redrive_a_task_has_failed(redrives: int, invocations: int) -> None:
    job = job_of("a", redrives=redrives)
    history = mapping_of(job, answers(a="TemporaryFailure")).drain()

    assert len(history.invocations) == invocations
    assert report(job) == [("a", "failed", "TemporaryFailure", "TemporaryFailure of a")]


@pytest.mark.parametrize("field", ["invocationSchemaVersion", "invocationId"])
@pytest.mark.parametrize("value", [None, "another"])
def test_a_response_to_another_invocation_is_refused(field: str, value: str | None) -> None:
    job = job_of("a")
    history = mapping_of(job, lambda event, context: {**answers()(event, context), field: value}).drain()

    (line,) = report(job)
    assert line[:3] == ("a", "failed", "PermanentFailure")
    assert line[3].endswith(f"{field} of the response is not that of the event")
    assert history.complaint == f"{field} of the response is not that of the event"


def test_tasks_without_their_event_need_its_id_in_the_response() -> None:
    processor = BatchProcessor("s3batch")

    def function(event: Any, context: Any) -> Any:
        with processor(records=event["tasks"], handler=lambda task: task.s3_key):
            processor.process()
        return processor.response()

    job = job_of("a")
    mapping_of(job, function).drain()
    assert [line.status for line in job.report] == ["failed"]

    job = job_of("a")
    mapping_of(job, lambda event, _: {**function(event, _), "invocationId": event["invocationId"]}).drain().check()
    assert [line.text for line in job.report] == ["a"]


@pytest.mark.parametrize("redrives", [-1, 1.0, True, None])
def test_a_number_of_redrives_that_there_is_not_is_refused(redrives: Any) -> None:
    with pytest.raises(ConfigurationError, match="redrives is 0 or more"):
        BatchJob(redrives=redrives)


@pytest.mark.parametrize(
    "response", [raises, lambda event, context: None, lambda event, context: {"results": []}, answers(a="Done")]
)
def test_an_invocation_that_failed_has_failed_for_good(response: Callable[[Any, Any], Any]) -> None:
    job = job_of("a")
    history = mapping_of(job, response).drain()

    assert len(history.invocations) == 1
    (line,) = job.report
    assert (line.status, line.code) == ("failed", "PermanentFailure")
    assert line.text.startswith("Lambda returned function error: ")


@pytest.mark.parametrize(("missing", "status"), [("Succeeded", "succeeded"), ("PermanentFailure", "failed")])
def test_a_task_that_is_not_answered_is_treated_as_the_response_says(missing: str, status: str) -> None:
    def function(event: Any, context: Any) -> Any:
        return {**answers()(event, context), "treatMissingKeysAs": missing, "results": []}

    job = job_of("a")
    mapping_of(job, function).drain()

    assert report(job) == [("a", status, missing, "")]


@pytest.mark.parametrize("fault", ["throttle", "duplicate"])
def test_what_goes_wrong_at_aws_uses_up_no_redrive(fault: Any) -> None:
    job = job_of("a", redrives=0)
    history = mapping_of(job, answers(), faults=Faults(at={1: fault})).drain()

    assert faults(history) == {fault: 1, None: 1}
    assert [line[1] for line in report(job)] == ["succeeded"]


@pytest.mark.parametrize("fault", ["crash", "timeout"])
def test_a_function_that_ends_in_the_middle_has_failed_for_good(fault: Any) -> None:
    job = job_of("a")
    mapping_of(job, answers(), faults=Faults(at={1: fault})).drain()

    assert [line[1:3] for line in report(job)] == [("failed", "PermanentFailure")]


def test_there_is_one_task_to_an_invocation() -> None:
    with pytest.raises(ConfigurationError, match="batch_size of a BatchJob is from 1 to 1"):
        EventSourceMapping(BatchJob(), raises, batch_size=2)


def test_a_simulator_makes_one_on_its_clock() -> None:
    simulator = Simulator()
    job = simulator.batch_job(bucket="archive", redrives=1)
    job.send("a")
    simulator.mapping(job, answers(a="TemporaryFailure")).drain()

    assert simulator.clock is job.clock
    assert job.items[0].deliveries == [1, 2]
    assert "archive" in str(simulator.mappings[0].history.invocations[0].event)
