"""What S3 Batch Operations makes of the responses, until the job ends."""

from __future__ import annotations

from typing import Any

import pytest

from batchcore import BatchProcessor, Disposition
from batchcore_s3batch import S3BatchTask
from batchcore_s3batch.events import S3BatchEvents
from batchcore_testing import BatchJob, EventSourceMapping

KEYS = ("a.json", "b c.json", "poison.json", "gone.json")


class Copies:
    """A handler that fails with one object always, with another once, and gives a third up."""

    def __init__(self) -> None:
        self.failed = 0

    def __call__(self, task: S3BatchTask) -> str:
        if task.s3_key == "poison.json":
            raise ValueError("no order")
        if task.s3_key == "gone.json":
            raise FileNotFoundError(task.s3_key)
        if task.s3_key == "b c.json" and not self.failed:
            self.failed += 1
            raise ConnectionError
        return f"copied {task.s3_key}"


def processor_of(**options: Any) -> BatchProcessor[Any]:
    return BatchProcessor("s3batch", dispositions={FileNotFoundError: Disposition.DROP}, **options)


@pytest.mark.parametrize("schema", ["1.0", "2.0"])
def test_what_failed_is_tried_again_and_what_is_given_up_is_not(schema: Any) -> None:
    job = BatchJob(redrives=2, source=S3BatchEvents(schema))
    job.send(*KEYS)
    processor = processor_of(raise_on_entire_batch_failure=False)

    history = EventSourceMapping(job, processor=processor, record_handler=Copies()).drain()

    history.check()
    assert [(line.item.content, line.status, line.code, line.text) for line in job.report] == [
        ("a.json", "succeeded", "Succeeded", "copied a.json"),
        ("gone.json", "failed", "PermanentFailure", "FileNotFoundError: gone.json"),
        ("b c.json", "succeeded", "Succeeded", "copied b c.json"),
        ("poison.json", "failed", "TemporaryFailure", "ValueError: no order"),
    ]
    assert [len(item.deliveries) for item in job.items] == [1, 2, 3, 1]


@pytest.mark.parametrize("raises", [True, False])
def test_a_task_that_fails_alone_is_tried_again(raises: bool) -> None:
    """An error of the function would give it up."""
    job = BatchJob()
    job.send("b c.json")

    processor = processor_of(raise_on_entire_batch_failure=raises)
    EventSourceMapping(job, processor=processor, record_handler=Copies()).drain()

    (line,) = job.report
    assert (line.status, line.code) == ("succeeded", "Succeeded")


def test_an_error_of_the_function_gives_a_task_up() -> None:
    job = BatchJob()
    job.send("b c.json")

    def function(event: Any, context: Any) -> Any:
        raise ConnectionError

    EventSourceMapping(job, function).drain()

    (line,) = job.report
    assert (line.status, line.code) == ("failed", "PermanentFailure")
    assert "ConnectionError" in line.text
