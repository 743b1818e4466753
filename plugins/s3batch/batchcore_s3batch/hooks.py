"""The source: what batchcore has to know of Amazon S3 Batch Operations."""

from __future__ import annotations

from contextlib import nullcontext

from batchcore import ConfigurationError, hookimpl
from batchcore.records import identify, is_object
from batchcore_s3batch.record import S3BatchTask, user_arguments_of
from batchcore_s3batch.results import CODES, result_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Literal

    from batchcore import Batch, Outcomes
    from batchcore_s3batch.types import ResultCode, S3BatchResponse

SCHEMAS = ("1.0", "2.0")
_OF_A_TASK = {"taskId", "s3Key"}


class S3BatchSource:
    """Amazon S3 Batch Operations: a job invokes a function for each object of its manifest, one task at a time.

    A task that failed is a ``TemporaryFailure``, which is tried again before the job ends. One that was dropped, or was
    delivered as a dead letter, is a ``PermanentFailure``, which is not. What the handler returned, or the error, is the
    task's text in the job's completion report.

    A batch of which no task is done does not raise, whatever ``raise_on_entire_batch_failure`` says: to S3 an error of
    the function is a ``PermanentFailure``.

    Args:
        treat_missing_keys_as: the result of tasks that the response does not name. It names all of them, so this is
            for the form alone.

    Raises:
        ConfigurationError: it is none of the three results.

    AWS's side of it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/batch-ops-invoke-lambda.html
    """

    name = "s3batch"

    def __init__(self, *, treat_missing_keys_as: ResultCode = "TemporaryFailure") -> None:
        if treat_missing_keys_as not in CODES:
            raise ConfigurationError(
                f"treat_missing_keys_as is one of {', '.join(CODES)}; not {treat_missing_keys_as!r}."
            )
        self._missing: ResultCode = treat_missing_keys_as

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Whether this is an invocation by S3 Batch Operations in a schema that is known, and all of it tasks."""
        is_known = is_object(event) and event.get("invocationSchemaVersion") in SCHEMAS
        tasks: Any = event.get("tasks") if is_known else None
        return isinstance(tasks, list) and all(is_object(task) and not _OF_A_TASK.isdisjoint(task) for task in tasks)

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        """Return the list ``tasks``."""
        tasks: list[Any] = event["tasks"]
        return tasks

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[str]:
        """Return the ``taskId`` of each task.

        Raises:
            RecordIdentityError: a task has none, or an empty one.
        """
        return identify("taskId")(records)

    @hookimpl
    def record_decoder(self, batch: Batch) -> Callable[[Any], S3BatchTask]:
        """Return what makes the view, with the arguments of the job."""
        arguments = user_arguments_of(batch.event)
        return lambda task: S3BatchTask(task, arguments)

    @hookimpl
    def handler_arguments(self, batch: Batch) -> Mapping[str, Any]:
        """Return ``user_arguments``, for handlers that get a model."""
        arguments = user_arguments_of(batch.event)
        return {"user_arguments": lambda task: nullcontext(arguments)}

    @hookimpl
    def acknowledgement(self) -> Literal["result"]:
        """Say that each task has a result of its own."""
        return "result"

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        """Return the bucket. The key may be anything that a manifest says of a task."""
        try:
            return {"bucket": S3BatchTask(record).s3_bucket}
        except ValueError:
            return {}

    @hookimpl
    def build_response(self, batch: Batch, outcomes: Outcomes) -> S3BatchResponse:
        """Return a result for each task, in the schema of the event.

        Where records alone were given, the schema is that of the tasks, and the ``invocationId`` is not known.
        """
        schema = "2.0" if any("s3Bucket" in task for task in batch.records) else "1.0"
        event: Any = batch.event if is_object(batch.event) else {"invocationSchemaVersion": schema}
        about = {name: event[name] for name in ("invocationSchemaVersion", "invocationId") if name in event}
        rest: Any = {"treatMissingKeysAs": self._missing, "results": [result_of(outcome) for outcome in outcomes]}
        return {**about, **rest}  # type: ignore[typeddict-item]  # of tasks alone nobody knows the invocation


S3Batch = S3BatchSource()
"""The source that this package offers under the name ``s3batch``."""
