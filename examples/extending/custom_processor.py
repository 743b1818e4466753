"""A processor from scratch: it writes the messages that succeeded to a table, all at the end of the batch."""

import os
import sys
from typing import Any

import boto3.session  # type: ignore[import-untyped, unused-ignore]  # boto3 ships no types; boto3-stubs has them
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from batchcore import (
    BasePartialProcessor,
    FailureResponse,
    PartialItemFailureResponse,
    SuccessResponse,
    process_partial_response,
)

logger = Logger()


class TableWriter(BasePartialProcessor):
    """Write the messages that were processed to a DynamoDB table, all at once.

    Args:
        table_name: the table; its key is ``messageId``.
    """

    def __init__(self, table_name: str) -> None:
        super().__init__()
        self.table_name = table_name
        self.table: Any = None

    def _prepare(self) -> None:
        """Called once, before the first message."""
        session: Any = boto3.session.Session()
        self.table = session.resource("dynamodb").Table(self.table_name)
        self.success_messages = []

    def _clean(self) -> None:
        """Called once, after the last message."""
        with self.table.batch_writer() as batch:
            for message in self.success_messages:
                batch.put_item(Item=message)

    def _process_record(self, record: dict[str, Any]) -> SuccessResponse | FailureResponse:
        """Called for each message: give an entry that says how it went."""
        try:
            result = self.handler(record)
        except Exception:
            return self.failure_handler(record, sys.exc_info())
        return self.success_handler(record, result)

    async def _async_process_record(self, record: dict[str, Any]) -> SuccessResponse | FailureResponse:
        raise NotImplementedError("This processor takes plain functions.")


processor = TableWriter(os.environ["TABLE_NAME"])


def record_handler(record: dict[str, Any]) -> str:
    body: str = record["body"]
    if not body.startswith("{"):
        raise ValueError("The body holds no object.")
    return body


@logger.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)
