"""Events of Amazon S3 Batch Operations for tests, in the shape in which it hands them to a function."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote_plus

from batchcore import ConfigurationError
from batchcore_testing import EventFactory, Sent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class S3BatchEvents(EventFactory):
    """Makes tasks of a job.

    The content is the key of the object: text as it is, anything else as JSON, which is how a manifest says more of a
    task than its key.

    Args:
        schema: ``1.0`` or ``2.0``, in which a job may have arguments.
        user_arguments: those arguments.

    Raises:
        batchcore.ConfigurationError: it is another schema, or arguments are given to one that has none.

    See "Invoke AWS Lambda function" in the Amazon S3 user guide.
    """

    def __init__(self, schema: Literal["1.0", "2.0"] = "1.0", user_arguments: Mapping[str, str] | None = None) -> None:
        if schema not in ("1.0", "2.0") or (user_arguments is not None and schema == "1.0"):
            raise ConfigurationError(f"The schema is '1.0', or '2.0' which alone has arguments; not {schema!r}.")
        self.schema = schema
        self.user_arguments = user_arguments or {}

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw task."""
        key = sent.content if isinstance(sent.content, str) else json.dumps(sent.content)
        task = {"taskId": b64encode(f"task-{sent.number}\n".encode()).decode(), "s3Key": quote_plus(key, safe="/")}
        if self.schema == "1.0":
            return {**task, "s3VersionId": "1", "s3BucketArn": f"arn:aws:s3:::{sent.resource}"}
        return {**task, "s3VersionId": None, "s3Bucket": sent.resource}

    def event(self, records: Sequence[Any]) -> Any:
        """Make an event: one invocation."""
        job: dict[str, Any] = {"id": "f3cc4f60-61f6-4a2b-8a21-d07600c373ce"}
        if self.schema == "2.0":
            job["userArguments"] = dict(self.user_arguments)
        return {
            "invocationSchemaVersion": self.schema,
            "invocationId": "YXNkbGZqYWRmaiBhc2RmdW9hZHNmZGpmaGFzbGtkaGZza2RmaAo",
            "job": job,
            "tasks": list(records),
        }
