"""Any handler made idempotent by a plugin: a message that is delivered again is not handled again."""

import os
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import Batch, BatchProcessor, EventType, PartialItemFailureResponse, hookimpl, process_partial_response
from batchcore_sqs import SQSRecord


class Idempotent:
    """Wraps handlers whose parameter is named ``record``.

    A table, a config and a store for each function that is wrapped: a store knows one function's name at a time.
    """

    def __init__(self, table_name: str, key: str) -> None:
        self._config = IdempotencyConfig(event_key_jmespath=key, raise_on_no_idempotency_key=True)
        self._store = DynamoDBPersistenceLayer(table_name=table_name)

    @hookimpl
    def wrap_handler(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        wrapped: Callable[..., Any] = idempotent_function(
            handler, data_keyword_argument="record", config=self._config, persistence_store=self._store
        )
        return wrapped

    @hookimpl
    def batch_started(self, batch: Batch) -> None:
        # So that a message whose handler was ended by the function's timeout is another's when that has passed.
        self._config.register_lambda_context(batch.context)


processor = BatchProcessor(
    event_type=EventType.SQS,
    max_concurrency=8,
    plugins=[Idempotent(os.environ["IDEMPOTENCY_TABLE"], key="messageId")],
)


def record_handler(record: SQSRecord) -> dict[str, Any]:
    order: dict[str, Any] = record.json_body
    print("shipped", order["id"])
    return {"shipped": order["id"]}  # JSON can hold it: what it cannot fails the message, though it was shipped


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
