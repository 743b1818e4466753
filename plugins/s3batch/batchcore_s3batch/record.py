# mypy: disable-error-code="no-any-return"
# Every property gives what the event holds, and an event is Any by nature.
"""The typed view of a task: an object of a job's manifest."""

from __future__ import annotations

from batchcore import RecordView
from batchcore.records import decode_text, is_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_BUCKET_ARN = ":s3:::"


def decoded_key(key: Any) -> str:
    """Return a key as S3 has it. In an event it is encoded like a value in a URL, with ``+`` for a space.

    Raises:
        ValueError: it is no text, or not UTF-8 when decoded.
    """
    from urllib.parse import unquote_to_bytes

    if not isinstance(key, str):
        raise ValueError(f"s3Key is no text, but of type {type(key).__name__}.")
    return decode_text(unquote_to_bytes(key.replace("+", " ").encode("utf-8", "surrogatepass")), "s3Key")


def user_arguments_of(event: Any) -> Mapping[str, str]:
    """Return the arguments that whoever made the job gave it: an event of schema 2.0 has them. Empty without any."""
    job: Any = event.get("job") if is_object(event) else None
    arguments: Any = job.get("userArguments") if is_object(job) else None
    return arguments if is_object(arguments) else {}


class S3BatchTask(RecordView):
    """A task of S3 Batch Operations: an object that a job wants the function to do something with.

    The task is a mapping too: ``task["taskId"]`` and ``task.task_id`` are the same. A field that the event lacks is
    None where AWS calls it optional, else a :class:`KeyError` that names it.

    Args:
        raw_event: the task.
        user_arguments: those of its job.

    Attributes:
        user_arguments: the arguments that whoever made the job gave it; empty in an event of schema 1.0.
    """

    __slots__ = ("user_arguments",)

    user_arguments: Mapping[str, str]

    def __init__(self, raw_event: Mapping[str, Any], user_arguments: Mapping[str, str] | None = None) -> None:
        super().__init__(raw_event)
        self.user_arguments = {} if user_arguments is None else user_arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.raw_event, self.user_arguments)

    @property
    def task_id(self) -> str:
        """What S3 Batch Operations names the task by."""
        return self.raw_event["taskId"]

    @property
    def s3_key(self) -> str:
        """The key of the object, decoded: what a call to S3 takes.

        Raises:
            ValueError: it is no text, or not UTF-8 when decoded.
        """
        return decoded_key(self.raw_event["s3Key"])

    @property
    def s3_version_id(self) -> str | None:
        """The version of the object that the manifest names, or None."""
        return self.raw_event.get("s3VersionId")

    @property
    def s3_bucket(self) -> str:
        """The bucket, as a call to S3 takes it: its name, or the ARN of an access point.

        Raises:
            ValueError: the event has neither its name nor its ARN.
        """
        name = self.raw_event.get("s3Bucket")
        if isinstance(name, str):
            return name
        arn = self.raw_event.get("s3BucketArn")
        if not isinstance(arn, str):
            raise ValueError("A task has its bucket in s3Bucket or s3BucketArn, and this one has no text in either.")
        return arn.partition(_BUCKET_ARN)[2] or arn

    @property
    def s3_bucket_arn(self) -> str | None:
        """The ARN of the bucket; None in an event of schema 2.0, which has the name alone."""
        return self.raw_event.get("s3BucketArn")
