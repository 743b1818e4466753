"""Events of EventBridge Pipes for tests, in the shape in which a pipe calls a function: bare lists of records."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from batchcore_testing import EventFactory, KafkaEvents, Sent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batchcore.types import Record

_REGION = "eu-west-1"
_BROKER = f"arn:aws:mq:{_REGION}:123456789012:broker:orders:b-9bcfa592-423a-4942-879d-eb284b418fc8"
_CLUSTER = f"arn:aws:kafka:{_REGION}:123456789012:cluster/demo-cluster/6a7b8c9d-1"


class PipeEvents(EventFactory):
    """Makes the events of a pipe, which are lists."""

    def event(self, records: Sequence[Record]) -> Any:
        """Make an event of records: the list of them."""
        return list(records)


class SQSPipeEvents(PipeEvents):
    """Makes messages of SQS. They are those that Lambda gets; it needs batchcore-sqs, to make them.

    See "Amazon Simple Queue Service as a source" in the EventBridge user guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        from batchcore_sqs.events import SQSEvents

        return SQSEvents().record(sent)


class KinesisPipeEvents(PipeEvents):
    """Makes records of Kinesis: those that Lambda gets, flat. It needs batchcore-kinesis, to make those.

    See "Amazon Kinesis stream as a source" in the EventBridge user guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        from batchcore_kinesis.events import KinesisEvents

        record = KinesisEvents().record(sent)
        return {**record.pop("kinesis"), **record}


class DynamoDBPipeEvents(PipeEvents):
    """Makes records of DynamoDB Streams. They are those that Lambda gets; it needs batchcore-dynamodb, to make them.

    See "Amazon DynamoDB stream as a source" in the EventBridge user guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        from batchcore_dynamodb.events import DynamoDBEvents

        return DynamoDBEvents().record(sent)


class KafkaPipeEvents(PipeEvents):
    """Makes records of Kafka, as of Amazon MSK. The partition is text.

    See "Amazon Managed Streaming for Apache Kafka topic as a source" in the EventBridge user guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        record = KafkaEvents().record(sent)
        return {
            "eventSource": "aws:kafka",
            "eventSourceArn": _CLUSTER,
            "eventSourceKey": f"{sent.resource}-{sent.shard}",
            **record,
            "partition": str(sent.shard),
        }

    def lane(self, position: int, lanes: int) -> Mapping[str, Any]:
        """Put records into partitions, each with offsets of its own."""
        return KafkaEvents().lane(position, lanes)


class ActiveMQPipeEvents(PipeEvents):
    """Makes messages of ActiveMQ. The content is the data: bytes and text as they are, anything else as JSON.

    See "Amazon MQ message broker as a source" in the EventBridge user guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        kind = "bytes" if isinstance(sent.content, bytes) else "text"
        milliseconds = round(sent.sent_at * 1000)
        return {
            "eventSource": "aws:amq",
            "eventSourceArn": _BROKER,
            "messageID": f"ID:b-9bcfa592-423a-4942-879d-eb284b418fc8-1.mq.{_REGION}.amazonaws.com:1:1:1:{sent.number}",
            "messageType": f"jms/{kind}-message",
            "data": b64encode(_data(sent.content)).decode(),
            "connectionId": "ID:b-9bcfa592-423a-4942-879d-eb284b418fc8-1",
            "redelivered": sent.attempt > 1,
            "destination": {"physicalname": sent.resource},
            "timestamp": milliseconds,
            "brokerInTime": milliseconds,
            "brokerOutTime": milliseconds + 1,
        }


class RabbitMQPipeEvents(PipeEvents):
    """Makes messages of RabbitMQ. The content is the data: bytes and text as they are, anything else as JSON.

    A processor finds the factory of ``pipes-mq`` by name, which makes those of ActiveMQ. This one is passed itself.

    See "Amazon MQ message broker as a source" in the EventBridge user guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        data = _data(sent.content)
        missing = ("contentEncoding", "correlationId", "replyTo", "messageId", "type", "appId", "clusterId")
        return {
            "eventSource": "aws:rmq",
            "eventSourceArn": _BROKER,
            "eventSourceKey": f"{sent.resource}::/",
            "basicProperties": {
                "contentType": "text/plain",
                "headers": {"number": sent.number},
                "deliveryMode": 1,
                "priority": 0,
                "expiration": "60000",
                "timestamp": "Jan 15, 2027, 8:00:00 AM",
                "userId": "orders",
                "bodySize": len(data),
                **dict.fromkeys(missing),
            },
            "redelivered": sent.attempt > 1,
            "data": b64encode(data).decode(),
        }


def _data(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()
