"""An async SQS function with a connection that is opened once and belongs to the event loop it was opened on."""

import asyncio
import os
from typing import Any

from batchcore import (
    AsyncBatchProcessor,
    EventType,
    LambdaContext,
    PartialItemFailureResponse,
    async_process_partial_response,
)
from batchcore_sqs import SQSRecord

processor = AsyncBatchProcessor(event_type=EventType.SQS)


class Pool:
    """One connection, used by one record at a time."""

    def __init__(self) -> None:
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._lock = asyncio.Lock()

    async def ask(self, text: str) -> str:
        async with self._lock:
            if self._streams is None:
                host, _, port = os.environ["ECHO_SERVER"].rpartition(":")
                self._streams = await asyncio.open_connection(host, int(port))
            reader, writer = self._streams
            writer.write(f"{text}\n".encode())
            await writer.drain()
            return (await reader.readline()).decode().strip()


pool = Pool()


async def record_handler(record: SQSRecord) -> None:
    answer = await pool.ask(record.body)
    if answer != record.body:
        raise ConnectionError(f"sent {record.body!r}, got {answer!r}")


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    response: PartialItemFailureResponse = async_process_partial_response(event, record_handler, processor, context)
    return response
