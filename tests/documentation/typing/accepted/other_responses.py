"""A source whose response is of another shape, as its package writes it, and as its users do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, TypedDict, cast

from batchcore import (
    Batch,
    BatchProcessor,
    LambdaContext,
    Message,
    Ordering,
    Outcomes,
    PartialItemFailureResponse,
    RecordView,
    WholeBatchRetry,
    hookimpl,
    offer,
    process_partial_response,
    unordered,
)
from batchcore.binary import decode_base64
from batchcore.records import decode_json, decode_text
from batchcore.windows import Window
from batchcore_kinesis import KinesisStreamRecord


class TransformedRecord(TypedDict):
    recordId: str
    result: Literal["Ok", "Dropped", "ProcessingFailed"]


class TransformedRecords(TypedDict):
    records: list[TransformedRecord]


class DeliveryRecord(RecordView):
    @property
    def record_id(self) -> str:
        identifier: str = self["recordId"]
        return identifier

    @property
    def json(self) -> Any:
        return decode_json(decode_text(decode_base64(self["data"], "data"), "data"), "data")


class Held(AbstractContextManager[int]):
    def __enter__(self) -> int:
        return 1

    def __exit__(self, *raised: object) -> None: ...


class DeliveryStream:
    """Every hook of a source, with the types of its own records and response."""

    name = "delivery"

    @hookimpl
    def claims_event(self, event: Mapping[str, Any]) -> bool:
        return "deliveryStreamArn" in event

    @hookimpl
    def extract_records(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = event["records"]
        return records

    @hookimpl
    def identify_records(self, records: Sequence[dict[str, Any]]) -> list[str]:
        return [record["recordId"] for record in records]

    @hookimpl
    def record_preparer(self, batch: Batch) -> Callable[[dict[str, Any]], dict[str, Any]]:
        return lambda record: {**record, "of": batch.source}

    @hookimpl
    def record_decoder(self, batch: Batch) -> type[DeliveryRecord]:
        return DeliveryRecord

    @hookimpl
    def ordering_policy(self) -> Ordering:
        return unordered

    @hookimpl
    def acknowledgement(self) -> Literal["record"]:
        return "record"

    @hookimpl
    def delivery_attempt(self, record: dict[str, Any]) -> int:
        attempt: int = record["attempt"]
        return attempt

    @hookimpl
    def describe_record(self, record: dict[str, Any]) -> dict[str, str]:
        return {"stream": record["stream"]}

    @hookimpl
    def original_message(self, record: dict[str, Any]) -> Message:
        return Message(record["data"], {"kind": {"DataType": "String", "StringValue": "delivery"}})

    @hookimpl
    def handler_arguments(self, batch: Batch) -> Mapping[str, Callable[[Any], Held]]:
        return {"number": lambda record: Held()}

    @hookimpl
    def build_response(self, batch: Batch, outcomes: Outcomes) -> TransformedRecords:
        if not any(outcome.done for outcome in outcomes):
            raise WholeBatchRetry("nothing is transformed")
        return {"records": list(self._transformed(outcomes))}

    def _transformed(self, outcomes: Outcomes) -> Iterator[TransformedRecord]:
        for outcome in outcomes:
            yield {"recordId": str(outcome.identifier), "result": "Ok" if outcome.done else "ProcessingFailed"}


offer("delivery", DeliveryStream())
processor = BatchProcessor(DeliveryStream())
by_name = BatchProcessor("delivery")


def handle(record: DeliveryRecord, number: int) -> None:
    print(record.record_id, record.json, number)


record_handler: Callable[..., None] = handle  # no type checker knows what a hook gives a handler


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> TransformedRecords:
    return cast(TransformedRecords, process_partial_response(event, record_handler, processor, context))


def lambda_handler_with_result(event: dict[str, Any], context: LambdaContext) -> TransformedRecords:
    return cast(TransformedRecords, by_name.run(event, record_handler, context).response)


def lambda_handler_of_any(event: dict[str, Any], context: LambdaContext) -> Any:
    return process_partial_response(event, record_handler, processor, context)


class OfItsOwn(BatchProcessor):
    """A processor that builds its response itself."""

    def response(self) -> Any:
        return {"records": [record.record_id for record in self.fail_messages]}


def lambda_handler_of_its_own(event: dict[str, Any], context: LambdaContext) -> TransformedRecords:
    with (own := OfItsOwn(DeliveryStream()))(event["records"], record_handler, context):
        own.process()
    response: TransformedRecords = own.response()
    return response


# The response to a window has one key more, which the usual type allows.

windowed = BatchProcessor("kinesis")


def windowed_handler(record: KinesisStreamRecord, state: dict[str, int], window: Window) -> None:
    state[record.kinesis.partition_key] = 0 if window.is_final else 1


def lambda_handler_of_windows(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    return process_partial_response(event, windowed_handler, windowed, context)
