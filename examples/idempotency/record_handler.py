"""A message that is delivered again is not handled again: what its handler returned is read from a table."""

import os
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import BatchProcessor, EventType, PartialItemFailureResponse, process_partial_response
from batchcore_sqs import SQSRecord

logger = Logger()
processor = BatchProcessor(event_type=EventType.SQS)
table = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
config = IdempotencyConfig(event_key_jmespath="messageId")


# The decorator looks for an argument named `record`: the processor gives it by that name.
@idempotent_function(  # type: ignore[untyped-decorator]  # its type says that it returns Any
    data_keyword_argument="record", config=config, persistence_store=table
)
def record_handler(record: SQSRecord) -> dict[str, Any]:
    order: dict[str, Any] = record.json_body
    logger.info("Order met", extra={"order": order})
    return {"met": order}


handler: Callable[[SQSRecord], dict[str, Any]] = record_handler  # what type checkers forget at the decorator


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    config.register_lambda_context(context)  # so that it knows how long an unfinished message is another's
    return process_partial_response(event=event, record_handler=handler, processor=processor, context=context)
