"""A small SQS function. Each body is a JSON object that says what its record does."""

import sys
from typing import Any

from batchcore import BatchProcessor, EventType, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_sqs import SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)


class OutOfStockError(Exception):
    pass


def record_handler(record: SQSRecord, lambda_context: LambdaContext) -> None:
    order = record.json_body
    match order["does"]:
        case "fail":
            raise OutOfStockError(f"no {order['item']} left")
        case "exit":
            sys.exit(3)
        case "print":
            print("x" * order["characters"])
        case "need time":
            if lambda_context.get_remaining_time_in_millis() < order["ms"]:
                raise TimeoutError("too late")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    response: PartialItemFailureResponse = process_partial_response(event, record_handler, processor, context)
    return response
