"""Trace messages that are handled side by side: the subsegments of each stand under the function's, and no other's."""

import asyncio
from contextvars import ContextVar
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext
from aws_xray_sdk.core import xray_recorder  # type: ignore[import-untyped]  # it has no types
from aws_xray_sdk.core.lambda_launcher import LambdaContext as XRayContext  # type: ignore[import-untyped]
from batchcore import AsyncBatchProcessor, EventType, PartialItemFailureResponse, async_process_partial_response
from batchcore_sqs import SQSRecord


class TaskContext(XRayContext):  # type: ignore[misc]
    """Which subsegments are open, for each task and thread by itself, and for what each of them starts.

    The SDK's own keeps one list for a thread, which all tasks of it add to and take from.
    """

    _open: ContextVar[tuple[Any, ...]] = ContextVar("open subsegments", default=())

    def _opened(self, segment: Any) -> tuple[Any, ...]:
        # What another invocation has left open is not gone on with.
        return tuple(each for each in self._open.get() if each.trace_id == segment.trace_id)

    def get_trace_entity(self) -> Any:
        segment = super().get_trace_entity()
        return (segment, *self._opened(segment))[-1]

    def set_trace_entity(self, trace_entity: Any) -> None:
        self._open.set((trace_entity,) if hasattr(trace_entity, "parent_segment") else ())

    def put_subsegment(self, subsegment: Any) -> None:
        segment: Any = super().get_trace_entity()
        if not getattr(segment, "initializing", True):  # else there is nothing to send it for
            opened = self._opened(segment)
            (segment, *opened)[-1].add_subsegment(subsegment)
            self._open.set((*opened, subsegment))

    def end_subsegment(self, end_time: Any = None) -> bool:
        opened = self._opened(super().get_trace_entity())
        if opened:
            opened[-1].close(end_time)
            self._open.set(opened[:-1])
        return bool(opened)

    def clear_trace_entities(self) -> None:
        self._open.set(())


xray_recorder.configure(context=TaskContext())
tracer = Tracer()
logger = Logger()
processor = AsyncBatchProcessor(event_type=EventType.SQS)


@tracer.capture_method
async def ship(order: dict[str, Any]) -> None:
    tracer.put_annotation("order", order["id"])
    await asyncio.sleep(order["takes_s"])  # a request that is waited for
    if order["quantity"] < 1:
        raise ValueError("nothing is ordered")


@tracer.capture_method
async def record_handler(record: SQSRecord) -> None:
    await ship(record.json_body)
    tracer.put_annotation("message", record.message_id)


@logger.inject_lambda_context
@tracer.capture_lambda_handler
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    response: PartialItemFailureResponse = async_process_partial_response(
        event=event, record_handler=record_handler, processor=processor, context=context
    )
    return response
