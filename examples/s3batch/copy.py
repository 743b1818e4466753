import os
from functools import cache
from typing import Any, cast

import boto3.session  # type: ignore[import-untyped, unused-ignore]  # boto3 ships no types; boto3-stubs has them

from batchcore import BatchProcessor, Disposition, LambdaContext, process_partial_response
from batchcore_s3batch import S3BatchTask
from batchcore_s3batch.types import S3BatchResponse


class ObjectGoneError(Exception):
    pass


# To S3 an error of the function is a PermanentFailure, so that nothing may raise; and what is gone stays gone.
processor = BatchProcessor(
    "s3batch",
    stop_before_timeout=5,
    dispositions={ObjectGoneError: Disposition.DROP},
)


@cache
def client() -> Any:
    session: Any = boto3.session.Session()
    return session.client("s3")


def record_handler(task: S3BatchTask) -> str:
    source = {"Bucket": task.s3_bucket, "Key": task.s3_key}
    if task.s3_version_id is not None:
        source["VersionId"] = task.s3_version_id
    target = task.user_arguments.get("prefix", "copies/") + task.s3_key
    try:
        client().copy(source, os.environ["TARGET_BUCKET"], target)
    except client().exceptions.ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            raise ObjectGoneError("there is no such object any more") from error
        raise
    return f"copied to {target}"


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> S3BatchResponse:
    return cast(S3BatchResponse, process_partial_response(event, record_handler, processor, context))
