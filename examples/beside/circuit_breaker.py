"""While a service is down, messages wait in a queue of their own: their deliveries are not used up."""

import os
from typing import Any

import httpx
from aws_lambda_powertools.utilities.circuit_breaker import (
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    circuit_breaker,  # pyright: ignore[reportUnknownVariableType]  # it says Callable, and no more
)
from aws_lambda_powertools.utilities.circuit_breaker.persistence import CircuitBreakerDynamoDBPersistence
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, Disposition, EventType, PartialItemFailureResponse, process_partial_response
from batchcore_deadletter import SQSDeadLetters
from batchcore_sqs import SQSRecord

# A standard queue with a delay of some minutes, which this function reads as well.
waiting_room = SQSDeadLetters(os.environ["WAITING_QUEUE_URL"])

processor = BatchProcessor(
    event_type=EventType.SQS,
    dispositions={CircuitBreakerOpenError: Disposition.DEAD_LETTER},
    plugins=[waiting_room],
)


class WarehouseDownError(Exception):
    """The warehouse answers, and that it cannot."""


@circuit_breaker(  # pyright: ignore[reportUntypedFunctionDecorator]
    name="warehouse",
    persistence_store=CircuitBreakerDynamoDBPersistence(table_name=os.environ["CIRCUITS_TABLE"]),
    config=CircuitBreakerConfig(
        failure_threshold=3,
        recovery_timeout=60,
        success_threshold=1,  # one probe: several must all be made by one thread
        handled_exceptions=(httpx.TransportError, WarehouseDownError),
    ),
)
def ship(order: dict[str, Any]) -> None:
    answer = httpx.post(os.environ["WAREHOUSE_URL"], json=order, timeout=5)
    if answer.is_server_error:
        raise WarehouseDownError(answer.status_code)
    answer.raise_for_status()  # an order that is refused fails its message, and opens no circuit


def record_handler(record: SQSRecord) -> None:
    ship(record.json_body)


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
