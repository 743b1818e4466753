"""The rows: what each is fed, and what its handler does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from benchmarks import events, handlers

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.events import Event

Kind: TypeAlias = Literal["sqs", "kinesis", "dynamodb", "fifo", "groups", "async", "model", "kafka"]
SIZES = (1, 10, 100, 1_000, 10_000)


class Row(NamedTuple):
    """One kind of batch.

    Attributes:
        name: as in the table.
        kind: the processor it needs.
        event: a number of records to an event.
        handler: what both libraries call with each record.
        raw_handler: what the bare loop calls with each raw record.
    """

    name: str
    kind: Kind
    event: Callable[[int], Event]
    handler: Callable[..., Any]
    raw_handler: Callable[[dict[str, Any]], Any]


ROWS = (
    Row("SQS, handler does nothing", "sqs", events.sqs_event, handlers.nothing, handlers.nothing),
    Row("SQS, body", "sqs", events.sqs_event, handlers.body, handlers.raw_body),
    Row(
        "SQS, 10 % failing",
        "sqs",
        events.sqs_event_with_failures,
        handlers.fails_on_poison,
        handlers.raw_fails_on_poison,
    ),
    Row("Kinesis, handler does nothing", "kinesis", events.kinesis_event, handlers.nothing, handlers.nothing),
    Row("Kinesis, JSON payload", "kinesis", events.kinesis_event, handlers.payload, handlers.raw_payload),
    Row("DynamoDB, handler does nothing", "dynamodb", events.dynamodb_event, handlers.nothing, handlers.nothing),
    Row("DynamoDB, new image", "dynamodb", events.dynamodb_event, handlers.image, handlers.raw_image),
    Row("FIFO", "fifo", events.sqs_fifo_event, handlers.nothing, handlers.nothing),
    Row(
        "FIFO, skip_group_on_error",
        "groups",
        events.sqs_fifo_event_with_a_failed_group,
        handlers.fails_on_poison,
        handlers.raw_fails_on_poison,
    ),
    Row("SQS, async", "async", events.sqs_event, handlers.nothing_async, handlers.nothing),
    Row("SQS, pydantic model", "model", events.sqs_event, handlers.item_of_order, handlers.raw_item_of_order),
    Row("Kafka, handler does nothing", "kafka", events.kafka_event, handlers.nothing, handlers.nothing),
    Row("Kafka, JSON value", "kafka", events.kafka_event, handlers.json_value, handlers.raw_json_value),
)

PLAIN, FAILING = ROWS[0], ROWS[2]
