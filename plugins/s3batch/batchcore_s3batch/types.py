"""The response as type checkers see it. At run time nothing of a function needs this file."""

from __future__ import annotations

from typing import Literal, TypeAlias, TypedDict

ResultCode: TypeAlias = Literal["Succeeded", "TemporaryFailure", "PermanentFailure"]
"""What became of a task."""


class S3BatchResponseResult(TypedDict):
    """The result of one task. The text is its line in the job's completion report."""

    taskId: str
    resultCode: ResultCode
    resultString: str


class S3BatchResponse(TypedDict):
    """The response to an invocation: a result for each task, in the schema of the event."""

    invocationSchemaVersion: str
    invocationId: str
    treatMissingKeysAs: ResultCode
    results: list[S3BatchResponseResult]
