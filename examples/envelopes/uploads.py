"""Objects that were put into a bucket, which notifies a topic, to which the queue of this function subscribes.

The test event that S3 sends when the notification is set up is dropped before the handler is called.
"""

from typing import Any

import batchcore_envelopes as envelopes
from batchcore import BatchProcessor, EventType, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_envelopes import S3, SNS, inside
from batchcore_sqs import SQSRecord
from batchcore_sqs.nested import S3Event, SNSMessage

processor = BatchProcessor(event_type=EventType.SQS, plugins=[envelopes.open(SNS, S3)])


def record_handler(record: SQSRecord) -> list[str]:
    topic = inside(record, SNSMessage).topic_arn.rpartition(":")[2]
    imported: list[str] = []
    for each in inside(record, S3Event).records:
        if not each.s3.object.size:
            raise ValueError("an object without content is not imported")
        imported.append(f"{topic}: {each.s3.bucket.name}/{each.s3.object.decoded_key}")
    return imported


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
