"""Orders from a Kinesis stream, by way of a pipe of EventBridge Pipes.

    python examples/pipes/kinesis.py

Run by hand, it stands behind a simulated pipe: one order cannot be shipped at first, and what comes again is printed.
"""

import logging
from typing import Any

from batchcore import BatchProcessor, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_pipes import KinesisPipeRecord

processor = BatchProcessor("pipes-kinesis")


def record_handler(record: KinesisPipeRecord) -> None:
    ship(record.kinesis.data_as_json())


def lambda_handler(event: list[dict[str, Any]], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, record_handler, processor, context)


# What follows stands for the rest of the world.

not_ready = {3}


def ship(order: dict[str, Any]) -> None:
    if order["id"] in not_ready:
        not_ready.remove(order["id"])
        raise LookupError(f"order {order['id']} is not ready")


def main() -> None:
    from batchcore_testing import Pipe, Stream

    logging.getLogger("batchcore").setLevel(logging.CRITICAL)  # what fails here is meant to
    stream = Stream("pipes-kinesis")
    for number in range(1, 6):
        stream.send({"id": number}, key=("ann", "ben")[number % 2])
    for invocation in Pipe(stream, lambda_handler).drain().invocations:
        orders = [item.content["id"] for item in invocation.items]
        named = [failure["itemIdentifier"] for failure in invocation.response["batchItemFailures"]]
        print(f"orders {orders}: named {named}, come again {[item.content['id'] for item in invocation.again]}")


if __name__ == "__main__":
    main()
