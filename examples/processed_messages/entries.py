"""Look at every message after the batch: what its handler returned, or why it failed."""

from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, EventType, PartialItemFailureResponse
from batchcore_sqs import SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)
tracer = Tracer()
logger = Logger()


@tracer.capture_method
def record_handler(record: SQSRecord) -> dict[str, Any]:
    order: dict[str, Any] = record.json_body
    return order


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    batch = event["Records"]  # the context manager takes the records, not the event
    with processor(records=batch, handler=record_handler):
        processed = processor.process()

    for status, cause, record in processed:
        # cause: what the handler returned if the status is "success", the exception as text if it is "fail"
        message_id = record["messageId"] if status == "success" else record.message_id
        logger.info("Message processed", extra={"status": status, "cause": cause, "message_id": message_id})
    return processor.response()
