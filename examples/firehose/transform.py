from typing import Any, cast

from batchcore import BatchProcessor, DropRecord, LambdaContext, process_partial_response
from batchcore_firehose import FirehoseRecord, FirehoseResult
from batchcore_firehose.types import FirehoseResponse

processor = BatchProcessor("firehose", stop_before_timeout=5)


def record_handler(record: FirehoseRecord) -> FirehoseResult:
    order = record.data_as_json()
    if order["kind"] == "heartbeat":
        raise DropRecord
    return FirehoseResult(
        {"order": order["id"], "total": order["total"]}, partition_keys={"customer": order["customer"]}
    )


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> FirehoseResponse:
    return cast(FirehoseResponse, process_partial_response(event, record_handler, processor, context))
