"""Names of the semantic conventions for messaging, and what a record has under them.

https://github.com/open-telemetry/semantic-conventions/tree/v1.44.0/docs/messaging

They stand here and are not imported: the package that has them marks those for messaging as private, and changes them.
"""

from __future__ import annotations

from typing import NamedTuple

from batchcore.records import is_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from batchcore import Batch

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
"""The version of the conventions, as backends are told it."""

BATCH_MESSAGE_COUNT = "messaging.batch.message_count"
DESTINATION_NAME = "messaging.destination.name"
DESTINATION_PARTITION_ID = "messaging.destination.partition.id"
KAFKA_OFFSET = "messaging.kafka.offset"
KAFKA_TOMBSTONE = "messaging.kafka.message.tombstone"
MESSAGE_ID = "messaging.message.id"
OPERATION_NAME = "messaging.operation.name"
OPERATION_TYPE = "messaging.operation.type"
SYSTEM = "messaging.system"
ERROR_TYPE = "error.type"
FAAS_TRIGGER = "faas.trigger"
PROCESS = "process"

# What the conventions have no name for.
RECORD_STATUS = "batchcore.record.status"
RECORD_ATTEMPT = "batchcore.record.attempt"
COUNTS = "batchcore.records."
"""What the counts of a batch by status begin with, such as ``batchcore.records.failed``."""

# The conventions name no system for the last four; values of one's own are allowed where none is named.
_SYSTEMS = {
    "sqs": "aws_sqs",
    "kafka": "kafka",
    "activemq": "activemq",
    "rabbitmq": "rabbitmq",
    "kinesis": "aws_kinesis",
    "dynamodb": "aws_dynamodb_streams",
    "firehose": "aws_firehose",
    "s3batch": "aws_s3_batch",
}
_BROKERS = {"aws:rmq": "rabbitmq", "aws:amq": "activemq", "aws:mq": "activemq"}
_DESTINATIONS = ("queue", "topic", "stream", "table", "bucket")
_PARTITIONS = ("partition", "shard_id")
_MAY_FAIL_IN_RESPONSE = {"firehose"}
RESPOND_IN_PART = {
    "sqs", "kinesis", "dynamodb", "kafka", "s3batch", "pipes-sqs", "pipes-kinesis", "pipes-dynamodb"
}  # fmt: skip # one name a line would be a page
"""Sources whose response may name some records, so that it is never refused."""


class Place(NamedTuple):
    """Where a record comes from: both may be unknown.

    Attributes:
        destination: its queue, topic, stream or table.
        partition: its partition or shard.
    """

    destination: str | None = None
    partition: str | None = None


def kind_of(batch: Batch) -> str:
    """Return the name of the source of a batch, without what says that a pipe has delivered it."""
    source = batch.source.removeprefix("pipes-")
    if source == "mq":
        first = batch.records[0] if batch.records else None
        said = first.get("eventSource") if is_object(first) else None
        return _BROKERS.get(said, source) if isinstance(said, str) else source
    return source


def system_of(kind: str) -> str:
    """Return ``messaging.system`` of a kind of source: of one that nobody has named, its own name."""
    return _SYSTEMS.get(kind, kind)


def may_fail_in_response(batch: Batch) -> bool:
    """Whether a record that succeeded may fail later: in a batch hook, or because no response can hold it."""
    return batch.may_undo or batch.source in _MAY_FAIL_IN_RESPONSE


def places_of(batch: Batch, kind: str) -> list[Place]:
    """Return where each record of a batch comes from, by what its source says of it."""
    if kind == "rabbitmq" and batch.source == "rabbitmq":
        return _places_of_queues(batch)
    return [_place(batch.describe_record(record)) for record in batch.records]


def _place(described: Any) -> Place:
    return Place(_first(described, _DESTINATIONS), _first(described, _PARTITIONS))


def _first(described: Any, names: Sequence[str]) -> str | None:
    for name in names:
        value = described.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value)
    return None


def _places_of_queues(batch: Batch) -> list[Place]:
    """Return the queues of messages of RabbitMQ. A message does not say its queue, the event does: ``name::host``."""
    places: list[Place] = []
    queues = batch.event.get("rmqMessagesByQueue") if is_object(batch.event) else None
    if is_object(queues):
        for name, messages in queues.items():
            places += [Place(str(name).partition("::")[0] or None)] * len(messages)
    return places if len(places) == len(batch.records) else [Place()] * len(batch.records)


def message_id(record: Any, identifier: Any) -> str | None:
    """Return what names a record: the identifier that AWS has for it, or what its broker calls it."""
    if isinstance(identifier, str):
        return identifier
    if not is_object(record):
        return None
    properties = record.get("basicProperties")
    found = properties.get("messageId") if is_object(properties) else record.get("messageID")
    return found if isinstance(found, str) and found else None


def of_kafka(record: Any) -> dict[str, Any]:
    """Return what only a record of Kafka has. Its key is left out: it may be anybody's name."""
    if not is_object(record):
        return {}
    found: dict[str, Any] = {}
    offset = record.get("offset")
    if type(offset) is int or (isinstance(offset, str) and offset.isdecimal()):  # a pipe has it as text
        found[KAFKA_OFFSET] = int(offset)
    if record.get("value") is None:
        found[KAFKA_TOMBSTONE] = True
    return found


def only(values: Sequence[str | None]) -> str | None:
    """Return the one value that all have, or None where they differ."""
    return values[0] if values and values.count(values[0]) == len(values) else None


def span_name(destination: str | None) -> str:
    """Return the name of a span."""
    return PROCESS if destination is None else f"{PROCESS} {destination}"
