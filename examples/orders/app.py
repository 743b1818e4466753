"""Ships orders from an SQS queue, one record at a time.

Each order is ``{"order": name, "item": text, "quantity": number, "warehouse": text}``.  What the function does with it
is written to a ledger, a file of one JSON object per line, whose path is in the variable ``ORDERS_LEDGER``.
"""

import json
import os
from pathlib import Path
from typing import Any

from batchcore import BatchProcessor, EventType, LambdaContext, PartialItemFailureResponse, process_partial_response
from batchcore_sqs import SQSRecord

processor = BatchProcessor(event_type=EventType.SQS)


class OrderRefusedError(Exception):
    """The order cannot be shipped, at least not now."""


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=handle_order, processor=processor, context=context)


def handle_order(record: SQSRecord) -> None:
    order = record.json_body
    attempt = int(record.attributes.approximate_receive_count)
    try:
        ship(order, attempt)
    except OrderRefusedError as refusal:
        write_ledger(order, attempt, did="refused", why=str(refusal))
        raise  # the message stays on the queue
    write_ledger(order, attempt, did="shipped")


def ship(order: dict[str, Any], attempt: int) -> None:
    """Stands for the real work: it only finds out whether the order could be shipped."""
    if order["quantity"] < 1:
        raise OrderRefusedError("nothing is ordered")  # trying again will not help: it ends in the dead-letter queue
    if order["warehouse"] != "open" and attempt == 1:
        raise OrderRefusedError(f"the warehouse is {order['warehouse']}")  # the next attempt will find it open


def write_ledger(order: dict[str, Any], attempt: int, **entry: str) -> None:
    line = json.dumps({"order": order["order"], "attempt": attempt, **entry}) + "\n"
    with Path(os.environ["ORDERS_LEDGER"]).open("ab") as ledger:
        ledger.write(line.encode())
        ledger.flush()
        os.fsync(ledger.fileno())  # on the disk before the message is deleted
