"""The sources: what batchcore has to know of the lists of records that EventBridge Pipes calls a function with."""

from __future__ import annotations

import json
from contextlib import suppress
from functools import cache
from importlib import import_module
from operator import itemgetter

from batchcore import RecordView, by_key, hookimpl, in_order, unordered
from batchcore.records import claim, identify, is_object

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, ClassVar, Literal, TypeAlias

    from batchcore import Batch, Message, Ordering

    Views: TypeAlias = Mapping[str, tuple[str, str, str]]  # package of the source, module and name of the view
    Described: TypeAlias = Mapping[str, Callable[[Any], Any]]


def partition_key(record: Mapping[str, Any]) -> Any:
    """Return a raw record's ``partitionKey``, or None where it has none: ``ordering=by_key(partition_key)``.

    Raises:
        ValueError: it is no record of Kinesis as a pipe has it. None would make it a lane of its own, and order would
            be lost unseen.
    """
    if "sequenceNumber" not in record:
        raise ValueError("partition_key() takes a record of Kinesis as a pipe has it, with a sequenceNumber beside it.")
    return record.get("partitionKey")


def item_key(record: Mapping[str, Any]) -> str | None:
    """Return what tells one item of a table from another: its keys with their types; or None where it has none.

    Raises:
        ValueError: it is no record of DynamoDB Streams. None would make it a lane of its own.
    """
    payload = record.get("dynamodb")
    if not is_object(payload):
        raise ValueError("item_key() takes a record of DynamoDB Streams, which has an object dynamodb; this has none.")
    keys = payload.get("Keys")
    return json.dumps(keys, sort_keys=True) if keys else None


def partition(record: Mapping[str, Any]) -> tuple[Any, str]:
    """Return topic and partition of a raw record of Kafka. Of a pipe, the partition is text.

    Raises:
        KeyError: it is no record of Kafka. None would make it a lane of its own.
    """
    return record["topic"], str(record["partition"])


class PipeSource:
    """A pipe, whose event is the bare list of the records of one source, also where that is a single one.

    Which source that is, the name says that a function asks for, and each record must say it too, by ``eventSource``:
    what a list is of is never guessed.

    Attributes:
        name: the name that functions ask for.
        only_by_name: whether a processor that was told no source must not find this one.
        views: for each ``eventSource`` of a record, the package of its source, and the view to use where that package
            is installed. Where it is not, a handler gets the raw record.

    AWS's side of it: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
    """

    name: str
    only_by_name = True
    views: ClassVar[Views] = {}
    ordering: Ordering = unordered
    acknowledged: Literal["record", "checkpoint", "batch"] = "record"
    identifier = "messageId"
    description: ClassVar[Described] = {}

    @hookimpl
    def claims_event(self, event: Any) -> bool:
        """Whether the event is a list, and each record of it says that it is of this source."""
        return any(_claims(service)({"Records": event}) for service in self.views)

    @hookimpl
    def extract_records(self, event: Any) -> Sequence[Any]:
        """Return the event."""
        records: list[Any] = event
        return records

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[str | None]:
        """Return what a pipe names each record by, which for streams is not what Lambda does.

        Raises:
            RecordIdentityError: a record has none, or an empty one.
        """
        return identify(self.identifier)(records)

    @hookimpl
    def record_decoder(self, batch: Batch) -> Callable[[Any], Any]:
        """Return the view of the source, where its package is installed; otherwise that of any record."""
        first = batch.records[0] if batch.records else None
        said = first.get("eventSource") if is_object(first) else None
        return next((_installed(*view) for service, view in self.views.items() if service == said), None) or RecordView

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Return :attr:`ordering`."""
        return self.ordering

    @hookimpl
    def acknowledgement(self) -> Literal["record", "checkpoint", "batch"]:
        """Return :attr:`acknowledged`."""
        return self.acknowledged

    @hookimpl
    def describe_record(self, record: Any) -> Mapping[str, Any]:
        """Return where a record is from, never what is in it. What it lacks is left out."""
        described: dict[str, Any] = {}
        for name, value_of in self.description.items():
            with suppress(Exception):
                described[name] = value_of(record)
        return described


class QueuePipe(PipeSource):
    """A pipe from Amazon SQS, standard and FIFO queues. Each message is deleted, or delivered again, by itself."""

    name = "pipes-sqs"
    views: ClassVar[Views] = {"aws:sqs": ("batchcore_sqs", "batchcore_sqs", "SQSRecord")}
    description: ClassVar[Described] = {
        "queue": lambda record: record["eventSourceARN"].rpartition(":")[2],
        "message_group_id": lambda record: record["attributes"]["MessageGroupId"],
    }

    @hookimpl
    def ordering_policy(self, batch: Batch) -> Ordering:
        """Run the messages of a FIFO queue in order, up to the first failure; those of a standard queue in any."""
        arn = batch.records[0].get("eventSourceARN") if batch.records else None
        return FIFO_ORDER if isinstance(arn, str) and arn.endswith(".fifo") else unordered

    @hookimpl
    def delivery_attempt(self, record: Any) -> int | None:
        """Return ``ApproximateReceiveCount`` as a number, or None where there is no such number."""
        count = None
        with suppress(Exception):
            count = int(record["attributes"]["ApproximateReceiveCount"])
        return count if count is not None and count > 0 else None

    @hookimpl
    def original_message(self, record: Any) -> Message:
        """Return the message as it was sent, where batchcore-sqs is installed; otherwise the record as JSON."""
        from batchcore.dispositions import record_as_json

        sqs = _installed("batchcore_sqs", "batchcore_sqs", "SQS")
        message: Message = record_as_json(record) if sqs is None else sqs.original_message(record)
        return message


class WholeBatchPipe(PipeSource):
    """A pipe of whose response nothing is read. A failure fails the call, once every record has had its turn."""

    acknowledged = "batch"

    @hookimpl
    def identify_records(self, records: Sequence[Any]) -> Sequence[None]:
        """Return no names: nobody asks for them."""
        return [None] * len(records)


class KinesisPipe(PipeSource):
    """A pipe from Amazon Kinesis Data Streams, whose records are flat. A batch is from one shard, in its order."""

    name = "pipes-kinesis"
    views: ClassVar[Views] = {"aws:kinesis": ("batchcore_kinesis", "batchcore_pipes.record", "KinesisPipeRecord")}
    identifier = "eventID"
    acknowledged = "checkpoint"
    ordering = by_key(partition_key, on_failure="continue")
    description: ClassVar[Described] = {
        "stream": lambda record: record["eventSourceARN"].split("/")[1],  # a consumer's ARN goes on after it
        "shard_id": lambda record: record["eventID"].partition(":")[0],
        "partition_key": itemgetter("partitionKey"),
    }


class DynamoDBPipe(PipeSource):
    """A pipe from Amazon DynamoDB Streams. A batch is from one shard, in its order."""

    name = "pipes-dynamodb"
    views: ClassVar[Views] = {"aws:dynamodb": ("batchcore_dynamodb", "batchcore_dynamodb", "DynamoDBRecord")}
    identifier = "eventID"
    acknowledged = "checkpoint"
    ordering = by_key(item_key, on_failure="continue")
    description: ClassVar[Described] = {
        "table": lambda record: record["eventSourceARN"].split("/")[1],
        "event_name": lambda record: str.__str__(record["eventName"]),  # what is no string is left out
    }


class KafkaPipe(WholeBatchPipe):
    """A pipe from Apache Kafka, Amazon MSK or self-managed. Records of one partition run in order."""

    name = "pipes-kafka"
    views: ClassVar[Views] = dict.fromkeys(
        ("aws:kafka", "SelfManagedKafka", "aws:SelfManagedKafka"), ("batchcore_kafka", "batchcore_kafka", "KafkaRecord")
    )
    ordering = by_key(partition, on_failure="continue")
    description: ClassVar[Described] = {
        "topic": itemgetter("topic"),
        "partition": itemgetter("partition"),
        "offset": itemgetter("offset"),
    }


class MQPipe(WholeBatchPipe):
    """A pipe from Amazon MQ, ActiveMQ or RabbitMQ."""

    name = "pipes-mq"
    views: ClassVar[Views] = {
        "aws:amq": ("batchcore_mq", "batchcore_mq", "ActiveMQMessage"),
        "aws:mq": ("batchcore_mq", "batchcore_mq", "ActiveMQMessage"),
        "aws:rmq": ("batchcore_mq", "batchcore_mq", "RabbitMQMessage"),
    }
    description: ClassVar[Described] = {
        "broker": lambda record: record["eventSourceArn"].split(":")[6],
        "queue": lambda record: record.get("eventSourceKey") or _destination(record["destination"]),
    }


def _destination(destination: Mapping[str, Any]) -> Any:
    """Return the name of a queue of ActiveMQ, in either of its spellings."""
    return destination.get("physicalName", destination.get("physicalname"))


@cache
def _claims(service: str) -> Callable[[Any], bool]:
    return claim(service, lambda _: False)


@cache
def _installed(package: str, module: str, name: str) -> Any:
    """Return a name of the package of a source, or of what needs it; None where that package is not installed."""
    try:
        import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        return None
    return getattr(import_module(module), name)


FIFO_ORDER = in_order()
PipesSQS = QueuePipe()
PipesKinesis = KinesisPipe()
PipesDynamoDB = DynamoDBPipe()
PipesKafka = KafkaPipe()
PipesMQ = MQPipe()
