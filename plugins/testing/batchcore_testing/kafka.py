"""Events of Apache Kafka for tests, in the shape in which Lambda delivers them: for whoever writes such a source."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from batchcore_testing.events import EventFactory, Sent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from batchcore.types import Record


class KafkaEvents(EventFactory):
    """Makes records of Kafka, as Amazon MSK delivers them.

    The content is the value: bytes and text as they are, anything else as JSON; None is a tombstone. The key of a
    record is its key.

    See "Using Lambda with Amazon MSK" in the AWS Lambda developer guide.
    """

    def record(self, sent: Sent) -> dict[str, Any]:
        """Make a raw record."""
        record: dict[str, Any] = {
            "topic": sent.resource,
            "partition": sent.shard,
            "offset": sent.sequence,
            "timestamp": round(sent.sent_at * 1000),
            "timestampType": "CREATE_TIME",
            "headers": [],
        }
        if sent.key is not None:
            record["key"] = b64encode(sent.key.encode()).decode()
        if sent.content is not None:
            record["value"] = b64encode(_value(sent.content)).decode()
        return record

    def lane(self, position: int, lanes: int) -> Mapping[str, Any]:
        """Put records into partitions, each with offsets of its own."""
        return {"shard": position % lanes, "sequence": position // lanes}

    def event(self, records: Sequence[Record]) -> Any:
        """Make an event: the records of each partition under its name."""
        by_partition: dict[str, list[Any]] = {}
        for record in records:
            by_partition.setdefault(f"{record['topic']}-{record['partition']}", []).append(record)
        return {
            "eventSource": "aws:kafka",
            "eventSourceArn": "arn:aws:kafka:eu-west-1:123456789012:cluster/demo-cluster/6a7b8c9d-1",
            "bootstrapServers": "b-1.demo-cluster.a1bcde.c1.kafka.eu-west-1.amazonaws.com:9092",
            "records": by_partition,
        }


def _value(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode()
