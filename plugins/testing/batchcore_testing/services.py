"""AWS's services as Lambda sees them: where an event has its records, what names each, what depends on what.

It is written from AWS's documentation and imports no source, so that a source can be judged by it. A service that is
not here is read through its source's own hooks: :func:`service_of_source`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from batchcore.plan import source_named
from batchcore.source import Source, source_hooks

if TYPE_CHECKING:
    from batchcore.types import Acknowledgement, Identifier, Record

Kind: TypeAlias = Literal["record", "checkpoint", "partitions", "whole batch", "results"]
"""How a service acknowledges.

``record``: each by itself. ``checkpoint``: everything from the lowest failed one on comes again. ``partitions``: the
same in each partition. ``whole batch``: by an error alone. ``results``: the response has a result for every record.
"""


class Service(NamedTuple):
    """One service.

    Attributes:
        name: its name, for messages and comparisons: ``sqs``, ``kinesis``, ``dynamodb``, ``kafka`` and others.
        kind: how it acknowledges.
        records: event to its raw records, in the order of delivery.
        identifier: raw record to what a response names it by.
        lane: raw record to what it is ordered by: records that give the same must be handled in order; None where
            nothing depends on it.
        content: where a record, and its result in a response, have what was sent: for responses of Firehose.
        redelivers: whether what a response names as failed is delivered again. Firehose puts it into its bucket.
    """

    name: str
    kind: Kind
    records: Callable[[Any], Sequence[Record]]
    identifier: Callable[[Record], Identifier]
    lane: Callable[[Record], Hashable]
    content: str = "data"
    redelivers: bool = True


def identity(identifier: Identifier) -> str:
    """Return an identifier as text that is equal for equal ones: a response carries it as JSON."""
    return json.dumps(identifier, sort_keys=True)


def service_of_event(event: Any) -> Service | None:
    """Recognise the service an event is from, or give None where it is none of AWS's that take batches."""
    try:
        return _recognise(event)
    except (KeyError, TypeError, AttributeError, IndexError):
        return None


def service_of_source(source: object) -> Service:
    """Read a service through its source.

    Args:
        source: the source, or the name of one that is installed.

    Raises:
        batchcore.PluginError: and its subclasses: the source cannot be used.
    """
    resolved = resolved_source(source)
    return Service(
        resolved.name,
        _KINDS[resolved.acknowledgement],
        resolved.extract_records,
        _alone(resolved.identify_records),
        _nothing,
        redelivers=resolved.acknowledgement != "final",
    )


_KINDS: dict[Acknowledgement, Kind] = {
    "record": "record",
    "checkpoint": "checkpoint",
    "batch": "whole batch",
    "result": "results",
    "final": "results",
}


def acknowledgement(service: Service) -> Acknowledgement:
    """Return what the hook ``acknowledgement`` of a source for this service has to say."""
    if service.kind == "results":
        return "result" if service.redelivers else "final"
    said: dict[Kind, Acknowledgement] = {"record": "record", "whole batch": "batch"}
    return said.get(service.kind, "checkpoint")


def resolved_source(source: object) -> Source:
    """Return the hooks of a source, or of the one that is installed under a name."""
    return resolve(*source_named(source))


def resolve(name: str, plugin: object) -> Source:
    """Return the hooks of a source that has been found, under the name that it was found by."""
    return Source(plugin, name, source_hooks(plugin, name))


def at(record: Any, *path: str) -> Any:
    """Follow keys into a record, or attributes where it is an object made of one; None where there is no such place."""
    for key in path:
        record = _get(record, key) if isinstance(record, Mapping) else getattr(record, key, None)
    return record


def _get(mapping: Any, key: str) -> Any:
    return mapping.get(key)


def _listed(event: Any) -> Sequence[Any]:
    records: Sequence[Any] = event["Records"]
    return records


def _messages(event: Any) -> Sequence[Any]:
    records: Sequence[Any] = event["messages"]
    return records


def _plain_records(event: Any) -> Sequence[Any]:
    records: Sequence[Any] = event["records"]
    return records


def _tasks(event: Any) -> Sequence[Any]:
    records: Sequence[Any] = event["tasks"]
    return records


def _as_it_is(event: Any) -> Sequence[Any]:
    records: Sequence[Any] = event
    return records


def _grouped(key: str) -> Callable[[Any], Sequence[Any]]:
    return lambda event: [record for records in event[key].values() for record in records]


def _message_group(record: Any) -> Hashable:
    arn: Any = at(record, "eventSourceARN")
    is_fifo = isinstance(arn, str) and arn.endswith(".fifo")
    group: Hashable = at(record, "attributes", "MessageGroupId") if is_fifo else None
    return group


def _partition_key(record: Any) -> Hashable:
    key: Hashable = at(record, "kinesis", "partitionKey")
    return key


def _flat_partition_key(record: Any) -> Hashable:
    key: Hashable = at(record, "partitionKey")
    return key


def _item_key(record: Any) -> Hashable:
    keys = at(record, "dynamodb", "Keys")
    return json.dumps(keys, sort_keys=True) if keys else None


def _topic_partition(record: Any) -> str:
    return f"{at(record, 'topic')}-{at(record, 'partition')}"


def _offset(record: Any) -> Mapping[str, Any]:
    return {"partition": _topic_partition(record), "offset": at(record, "offset")}


def _jms_group(record: Any) -> Hashable:
    group: Hashable = at(record, "properties", "JMSXGroupID")
    return group


def _nothing(_record: Any) -> None:
    return None


def _alone(identify: Callable[[Sequence[Any]], Sequence[Identifier]]) -> Callable[[Any], Identifier]:
    return lambda record: identify([record])[0]


def _message_id(record: Any) -> Any:
    return at(record, "messageId")


def _record_id(record: Any) -> Any:
    return at(record, "recordId")


def _task_id(record: Any) -> Any:
    return at(record, "taskId")


def _sequence_number(record: Any) -> Any:
    return at(record, "kinesis", "sequenceNumber")


def _change_number(record: Any) -> Any:
    return at(record, "dynamodb", "SequenceNumber")


def _event_id(record: Any) -> Any:
    return at(record, "eventID")


SQS = Service("sqs", "record", _listed, _message_id, _message_group)
KINESIS = Service("kinesis", "checkpoint", _listed, _sequence_number, _partition_key)
DYNAMODB = Service("dynamodb", "checkpoint", _listed, _change_number, _item_key)
KAFKA = Service("kafka", "partitions", _grouped("records"), _offset, _topic_partition)
KAFKA_QUEUE = KAFKA._replace(kind="record", lane=_nothing)
"""Kafka read by a share group, ``ConsumptionMode: Queue``. No event says so: whoever asks has to know."""
RABBITMQ = Service("rabbitmq", "whole batch", _grouped("rmqMessagesByQueue"), _nothing, _nothing)
ACTIVEMQ = Service("activemq", "whole batch", _messages, _nothing, _jms_group)
FIREHOSE = Service("firehose", "results", _plain_records, _record_id, _nothing, redelivers=False)
FIREHOSE_OF_MSK = FIREHOSE._replace(content="kafkaRecordValue")
S3_BATCH = Service("s3-batch", "results", _tasks, _task_id, _nothing)

_KAFKA = ("aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka")
_BY_RECORD = {"aws:sqs": SQS, "aws:kinesis": KINESIS, "aws:dynamodb": DYNAMODB}
# EventBridge Pipes names records of streams by their eventID, and has those of Kinesis flat. Of Kafka and Amazon MQ it
# reads no response. See each source's page in the EventBridge user guide.
_PIPES_KAFKA = Service("pipes-kafka", "whole batch", _as_it_is, _nothing, _topic_partition)
_PIPES_MQ = Service("pipes-mq", "whole batch", _as_it_is, _nothing, _nothing)
_PIPES = {
    "aws:sqs": Service("pipes-sqs", "record", _as_it_is, _message_id, _message_group),
    "aws:kinesis": Service("pipes-kinesis", "checkpoint", _as_it_is, _event_id, _flat_partition_key),
    "aws:dynamodb": Service("pipes-dynamodb", "checkpoint", _as_it_is, _event_id, _item_key),
    **dict.fromkeys(_KAFKA, _PIPES_KAFKA),
    **dict.fromkeys(("aws:amq", "aws:mq", "aws:rmq"), _PIPES_MQ),
}


def _recognise(event: Any) -> Service | None:
    if isinstance(event, list):
        return _PIPES.get(_as_it_is(event)[0]["eventSource"])
    if "Records" in event:
        records = event["Records"]
        return _BY_RECORD.get(records[0]["eventSource"] if records else _event_source(event["eventSourceARN"]))
    if "invocationSchemaVersion" in event:
        return S3_BATCH
    if "deliveryStreamArn" in event or ("invocationId" in event and isinstance(event["records"], list)):
        return FIREHOSE_OF_MSK if _is_of_msk(event) else FIREHOSE  # what calls a function by hand may leave the ARN out
    source = event["eventSource"]
    if source in _KAFKA:
        return KAFKA
    return RABBITMQ if source == "aws:rmq" else ACTIVEMQ if source in ("aws:mq", "aws:amq") else None


def _is_of_msk(event: Any) -> bool:
    return "sourceMSKArn" in event or any(at(record, "kafkaRecordValue") is not None for record in event["records"])


def _event_source(arn: str) -> str:
    return f"aws:{arn.split(':')[2]}"
