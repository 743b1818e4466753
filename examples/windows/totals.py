"""A total per customer and tumbling window of a Kinesis stream, written to a table when the window ends.

    python examples/windows/totals.py

Run by hand, it is its own event source mapping: it delivers the batches of one window, with the state threaded through.
One order is not ready when it comes first, so its batch comes again from there. No order is counted twice.
"""

import base64
import json
import logging
from typing import Any

from batchcore import (
    Batch,
    BatchProcessor,
    EventType,
    LambdaContext,
    PartialItemFailureResponse,
    hookimpl,
    process_partial_response,
)
from batchcore.windows import window_of
from batchcore_kinesis import KinesisStreamRecord

# Stands for a table, whose put_item() replaces what has the same key: shard, start of the window, first record.
TABLE: dict[tuple[str | None, str | None, str | None], dict[str, int]] = {}


class Results:
    """Writes what a window has come to, when it ends."""

    @hookimpl
    def after_records(self, batch: Batch) -> None:
        window = window_of(batch)
        if window is None or not (window.is_final or window.is_terminated_early):
            return
        state = window.state
        # A call that failed comes again, and writes over what it wrote. A window that has grown too large goes on with
        # an empty state: its first record tells the parts apart.
        TABLE[window.shard_id, window.start, state.get("first")] = state.get("totals", {})


processor = BatchProcessor(event_type=EventType.KinesisDataStreams, plugins=[Results()])


def record_handler(record: KinesisStreamRecord, state: dict[str, Any]) -> None:
    order: dict[str, Any] = record.kinesis.data_as_json()
    totals: dict[str, int] = state.setdefault("totals", {})
    state.setdefault("first", record.kinesis.sequence_number)
    totals[order["customer"]] = totals.get(order["customer"], 0) + order["sum"]
    ship(order)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, record_handler, processor, context)


# What follows stands for the rest of the world.

Record = dict[str, Any]
not_ready = {4}


def ship(order: dict[str, Any]) -> None:
    if order["id"] in not_ready:
        not_ready.remove(order["id"])
        raise LookupError(f"order {order['id']} is not ready")


def record_of(number: int, customer: str, amount: int) -> Record:
    order = {"id": number, "customer": customer, "sum": amount}
    data = base64.b64encode(json.dumps(order).encode()).decode()
    payload = {"sequenceNumber": str(number), "partitionKey": customer, "data": data}
    return {"eventSource": "aws:kinesis", "kinesis": payload}


def number_of(record: Record) -> int:
    return int(record["kinesis"]["sequenceNumber"])


def deliver(records: list[Record], state: dict[str, Any], final: bool = False) -> tuple[list[Record], dict[str, Any]]:
    """Invoke the function as Lambda does, print the call, and return what comes again and the next state."""
    from batchcore_testing import SimulatedContext

    event = {
        "Records": records,
        "window": {"start": "2026-10-01T07:04:00Z", "end": "2026-10-01T07:06:00Z"},
        "state": state,
        "shardId": "shardId-000000000006",
        "eventSourceARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/orders",
        "isFinalInvokeForWindow": final,
        "isWindowTerminatedEarly": False,
    }
    response: dict[str, Any] = json.loads(json.dumps(lambda_handler(event, SimulatedContext())))
    failed = [int(item["itemIdentifier"]) for item in response["batchItemFailures"]]
    numbers = [number_of(record) for record in records]
    print(f"records {numbers}{', last call' if final else ''}: failed {failed}, state {json.dumps(response['state'])}")
    again = [record for record in records if failed and number_of(record) >= min(failed)]
    return again, response["state"]


def main() -> None:
    logging.getLogger("batchcore").setLevel(logging.CRITICAL)  # what fails here is meant to
    batches: list[list[Record]] = [
        [record_of(1, "ann", 10), record_of(2, "ben", 5)],
        [record_of(3, "ann", 7), record_of(4, "ben", 1), record_of(5, "eve", 2)],
        [],
    ]
    state: dict[str, Any] = {}
    for batch in batches:
        records, final = batch, not batch
        while records or final:
            records, state = deliver(records, state, final)
            final = final and bool(records)
    for key, totals in TABLE.items():
        print("written:", *key, totals)


if __name__ == "__main__":
    main()
