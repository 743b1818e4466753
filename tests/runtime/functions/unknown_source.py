"""A function that names a source which no installed package offers."""

from typing import Any

from batchcore import BatchProcessor, LambdaContext, process_partial_response

processor = BatchProcessor("no-such-source")


def record_handler(record: object) -> None:
    raise AssertionError("never called: the source is unknown")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, record_handler, processor, context)
